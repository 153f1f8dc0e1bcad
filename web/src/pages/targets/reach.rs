//! Where and how a target is reached, from text to checked values: shared by adding a target and changing one.
use anteroom_domain::{AccountName, Profile, Target, TargetName};
use serde::Deserialize;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Reach {
    pub(crate) host: String,
    pub(crate) port: String,
    /// One a line.
    pub(crate) more_hosts: String,
    pub(crate) profile: String,
    /// `account@target`, as people write a login; empty for none.
    pub(crate) via: String,
    /// One key a line.
    pub(crate) host_cas: String,
}

pub(super) struct Read {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) more_hosts: Vec<String>,
    pub(super) profile: Profile,
    pub(super) via: Option<(TargetName, AccountName)>,
    pub(super) host_cas: Vec<String>,
}

impl Reach {
    pub(super) fn of(t: &Target) -> Self {
        Self {
            host: t.host.clone(),
            port: t.port.to_string(),
            more_hosts: t.more_hosts.join("\n"),
            profile: t.profile.as_str().to_owned(),
            via: t.via.as_ref().map(|v| format!("{}@{}", v.account, v.target_name)).unwrap_or_default(),
            host_cas: t.pinned_host_cas.join("\n"),
        }
    }

    /// `usual_port` is the protocol's.
    pub(super) fn read(&self, usual_port: u16) -> Result<Read, String> {
        let host = self.host.trim().to_owned();
        if host.is_empty() || host.len() > 253 || !host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':')) {
            return Err("host: enter a host name or an IP address".into());
        }
        let port = match self.port.trim() {
            "" => usual_port,
            p => p.parse::<u16>().ok().filter(|p| *p > 0).ok_or("port: a number from 1 to 65535")?,
        };
        let via = match self.via.trim() {
            "" => None,
            login => {
                let (account, target) = login.rsplit_once('@').ok_or("relay: write it as account@target, for example relay@zone-4")?;
                Some((
                    TargetName::new(target).map_err(|e| format!("relay: {e}"))?,
                    AccountName::new(account).map_err(|e| format!("relay: {e}"))?,
                ))
            }
        };
        let profile = match self.profile.as_str() {
            "" => Profile::Modern,
            p => Profile::from_name(p).ok_or("choose what is accepted from the target")?,
        };
        Ok(Read { host, port, more_hosts: lines(&self.more_hosts), profile, via, host_cas: lines(&self.host_cas) })
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_form_says_is_read_with_the_protocols_own_port() {
        let r = Reach {
            host: " 10.0.0.5 ".into(),
            more_hosts: "10.0.0.6:2222\r\n\r\n10.0.0.7".into(),
            via: "CORP\\relay@zone-4".into(),
            ..Default::default()
        };
        let read = r.read(23).unwrap();
        assert_eq!((read.host.as_str(), read.port, read.more_hosts.len()), ("10.0.0.5", 23, 2));
        let (target, account) = read.via.unwrap();
        assert_eq!((target.as_str(), account.as_str()), ("zone-4", "CORP\\relay"));
        assert_eq!(read.profile, Profile::Modern);
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        let good = Reach { host: "db".into(), ..Default::default() };
        for (bad, word) in [
            (Reach { host: "a b".into(), ..good.clone() }, "host"),
            (Reach { port: "0".into(), ..good.clone() }, "port"),
            (Reach { via: "zone-4".into(), ..good.clone() }, "relay"),
            (Reach { via: "-o@zone-4".into(), ..good.clone() }, "relay"),
            (Reach { profile: "any".into(), ..good.clone() }, "accepted"),
        ] {
            assert!(bad.read(22).err().unwrap().contains(word), "{bad:?}");
        }
    }
}
