//! Which of a person's machines is it that they come from?
use anteroom_domain::Machine;
use std::net::IpAddr;

/// How somebody comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comes<'a> {
    /// Their address; none where it is not known.
    pub from: Option<IpAddr>,
    /// SHA-256 fingerprint of the SSH key that signed; none where no key did.
    pub key: Option<&'a str>,
}

/// The one machine whose report names this key or this address. None if there is none, or more than one: then nobody can say which it is.
///
/// What a report names has to agree as far as it is known: a key that was copied from a machine with known addresses does not fit from
/// elsewhere.
pub fn fitting<'m>(machines: impl IntoIterator<Item = &'m Machine>, c: Comes<'_>) -> Option<&'m Machine> {
    let mut fit = machines.into_iter().filter(|m| fits(m, c));
    let one = fit.next()?;
    fit.next().is_none().then_some(one)
}

fn fits(m: &Machine, c: Comes<'_>) -> bool {
    // None: the report does not say, or we do not know.
    let key = c.key.filter(|_| !m.keys.is_empty()).map(|k| m.keys.contains(k));
    let address = c.from.filter(|_| !m.addresses.is_empty()).map(|a| m.addresses.contains(&a.to_canonical()));
    matches!((key, address), (Some(true), None | Some(true)) | (None, Some(true)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_domain::{DeviceName, Moment, Posture};

    fn machine(device: &str, keys: &[&str], addresses: &[&str]) -> Machine {
        let posture = Posture {
            disk_encrypted: true,
            secure_boot: true,
            endpoint_protection: true,
            os: "Linux".into(),
            reported_at: Moment::UNIX_EPOCH,
        };
        Machine {
            device: DeviceName::new(device).unwrap(),
            posture,
            keys: keys.iter().map(|k| (*k).to_owned()).collect(),
            addresses: addresses.iter().map(|a| a.parse().unwrap()).collect(),
        }
    }

    fn which(machines: &[Machine], from: &str, key: Option<&str>) -> Option<String> {
        fitting(machines, Comes { from: from.parse().ok(), key }).map(|m| m.device.to_string())
    }

    #[test]
    fn by_key_by_address_and_never_by_nothing() {
        let by_key = machine("a", &["k1"], &[]);
        let by_address = machine("b", &[], &["10.0.0.7"]);
        let both = machine("c", &["k2"], &["10.0.0.8"]);
        let silent = machine("d", &[], &[]);
        let all = [by_key, by_address, both, silent];
        for (from, key, found) in [
            ("10.9.9.9", Some("k1"), Some("a")),
            ("10.0.0.7", None, Some("b")),
            ("::ffff:10.0.0.7", None, Some("b")),
            ("10.0.0.7", Some("k9"), Some("b")),
            ("10.0.0.8", Some("k2"), Some("c")),
            ("10.0.0.8", None, Some("c")),
            ("10.9.9.9", Some("k2"), None),
            ("10.0.0.8", Some("k9"), None),
            ("10.9.9.9", None, None),
            ("", Some("k1"), Some("a")),
            ("", None, None),
        ] {
            assert_eq!(which(&all, from, key).as_deref(), found, "{from} {key:?}");
        }
    }

    #[test]
    fn two_that_fit_are_none() {
        let all = [machine("a", &["k1"], &[]), machine("b", &["k1"], &[])];
        assert_eq!(which(&all, "10.0.0.7", Some("k1")), None);
        let all = [machine("a", &["k1"], &[]), machine("b", &[], &["10.0.0.7"])];
        assert_eq!(which(&all, "10.0.0.7", Some("k1")), None, "one by its key, one by its address");
        assert_eq!(which(&all[..1], "10.0.0.7", Some("k1")).as_deref(), Some("a"));
    }
}
