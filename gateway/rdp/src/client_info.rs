//! Client Info (MS-RDPBCGR 2.2.1.11): what the client believes to sign in with, exchanged for what opens the target.
use anteroom_domain::Secret;
use ironrdp_core::{decode, encode_vec};
use ironrdp_pdu::rdp::{
    ClientInfoPdu,
    client_info::{ClientInfoFlags, Credentials, ExtendedClientOptionalInfo},
};
use zeroize::{Zeroize as _, Zeroizing};

/// Longest Client Info, bytes: its texts are at most 512 each and its extended part some 300 (MS-RDPBCGR 2.2.1.11.1.1).
pub const MAX_INFO: usize = 4 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its Client Info is damaged")]
pub struct InfoError;

/// An account on a target and what opens it.
#[derive(Debug)]
pub struct Login {
    user: String,
    domain: Option<String>,
    pub password: Secret<String>,
}

impl Login {
    /// `user`, `DOMAIN\user` or `user@domain` (MS-RDPBCGR 2.2.1.11.1.1: the whole of the latter is the user name).
    pub fn new(account: &str, password: Secret<String>) -> Self {
        let (domain, user) = match account.split_once('\\') {
            Some((domain, user)) if !domain.is_empty() && domain != "." => (Some(domain.to_owned()), user.to_owned()),
            Some((_, user)) => (None, user.to_owned()),
            None => (None, account.to_owned()),
        };
        Self { user, domain, password }
    }

    pub fn user(&self) -> &str {
        &self.user
    }

    pub fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }
}

/// What may be asked for besides a desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Audio {
    pub out: bool,
    pub capture: bool,
}

pub struct Info(ClientInfoPdu);

impl std::fmt::Debug for Info {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Info(..)")
    }
}

impl Drop for Info {
    fn drop(&mut self) {
        let info = &mut self.0.client_info;
        info.credentials.password.zeroize();
        if let Some(cookie) = &mut info.password_cookie {
            cookie.0.zeroize();
        }
    }
}

impl Info {
    pub fn read(data: &[u8]) -> Result<Self, InfoError> {
        if data.len() > MAX_INFO {
            return Err(InfoError);
        }
        decode(data).map(Self).map_err(|_| InfoError)
    }

    /// The user name, without a domain that the client put before it.
    pub fn user(&self) -> &str {
        let user = &self.0.client_info.credentials.username;
        user.rsplit_once('\\').map_or(user, |(_, user)| user)
    }

    pub fn password(&self) -> Secret<String> {
        Secret::new(self.0.client_info.credentials.password.clone())
    }

    /// The same for the target: our login, nothing started in place of the desktop, no compression (it could not be recorded), nothing of
    /// the person's network, and no reconnect cookie: sessions are resumed here, not there.
    pub fn for_target(&self, login: &Login, audio: Audio) -> Result<Zeroizing<Vec<u8>>, InfoError> {
        // Wiped when it goes, as the client's is.
        let mut ours = Self(self.0.clone());
        let info = &mut ours.0.client_info;
        info.credentials.password.zeroize();
        info.password_cookie = None;
        let password = login.password.expose().clone();
        info.credentials = Credentials { username: login.user.clone(), password, domain: login.domain.clone() };
        info.alternate_shell.clear();
        info.work_dir.clear();
        type F = ClientInfoFlags;
        info.flags.remove(F::COMPRESSION | F::RAIL | F::PASSWORD_IS_SC_PIN | F::FORCE_ENCRYPTED_CS_PDU | F::REMOTE_CONSOLE_AUDIO);
        info.flags.insert(F::AUTOLOGON | F::UNICODE);
        info.flags.set(F::NO_AUDIO_PLAYBACK, !audio.out || info.flags.contains(F::NO_AUDIO_PLAYBACK));
        info.flags.set(F::AUDIO_CAPTURE, audio.capture && info.flags.contains(F::AUDIO_CAPTURE));
        info.extra_info.address.clear();
        info.extra_info.dir.clear();
        info.extra_info.optional_data = without_cookie(&info.extra_info.optional_data);
        encode_vec(&ours.0).map(Zeroizing::new).map_err(|_| InfoError)
    }
}

/// Time zone and performance flags go on; each field needs those before it.
fn without_cookie(o: &ExtendedClientOptionalInfo) -> ExtendedClientOptionalInfo {
    let b = ExtendedClientOptionalInfo::builder();
    let Some(zone) = o.timezone() else { return b.build() };
    let b = b.timezone(zone.clone());
    let Some(session) = o.session_id() else { return b.build() };
    let b = b.session_id(session);
    let Some(flags) = o.performance_flags() else { return b.build() };
    b.performance_flags(flags).build()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ironrdp_pdu::rdp::{
        client_info::{AddressFamily, ClientInfo, CompressionType, ExtendedClientInfo, PasswordCookie, PerformanceFlags, TimezoneInfo},
        headers::{BasicSecurityHeader, BasicSecurityHeaderFlags},
    };
    use proptest::prelude::*;

    fn pdu() -> ClientInfoPdu {
        let b = ExtendedClientOptionalInfo::builder().timezone(TimezoneInfo::default()).session_id(0);
        let optional_data = b.performance_flags(PerformanceFlags::DISABLE_WALLPAPER).reconnect_cookie([28; 28]).build();
        ClientInfoPdu {
            security_header: BasicSecurityHeader { flags: BasicSecurityHeaderFlags::INFO_PKT },
            client_info: ClientInfo {
                credentials: Credentials { username: "T-4711".into(), password: "ticket".into(), domain: Some("HOME".into()) },
                password_cookie: None,
                code_page: 0x407,
                flags: ClientInfoFlags::UNICODE | ClientInfoFlags::COMPRESSION | ClientInfoFlags::AUDIO_CAPTURE | ClientInfoFlags::MOUSE,
                compression_type: CompressionType::K64,
                alternate_shell: "cmd.exe".into(),
                work_dir: "C:\\secret".into(),
                extra_info: ExtendedClientInfo {
                    address_family: AddressFamily::INET,
                    address: "192.168.7.7".into(),
                    dir: "C:\\Users\\ada".into(),
                    optional_data,
                },
            },
        }
    }

    #[test]
    fn the_target_gets_our_login_and_nothing_of_the_persons_computer() {
        let info = Info::read(&encode_vec(&pdu()).unwrap()).unwrap();
        assert_eq!((info.user(), info.password().expose().as_str()), ("T-4711", "ticket"));
        let login = Login::new("HOSP\\svc-mri", Secret::new("vaulted".into()));
        let bytes = info.for_target(&login, Audio::default()).unwrap();
        let sent: ClientInfoPdu = decode(&bytes).unwrap();
        let i = sent.client_info;
        assert_eq!(i.credentials, Credentials { username: "svc-mri".into(), password: "vaulted".into(), domain: Some("HOSP".into()) });
        assert!(i.alternate_shell.is_empty() && i.work_dir.is_empty());
        assert!(i.extra_info.address.is_empty() && i.extra_info.dir.is_empty());
        assert!(i.flags.contains(ClientInfoFlags::AUTOLOGON | ClientInfoFlags::MOUSE | ClientInfoFlags::NO_AUDIO_PLAYBACK));
        assert!(!i.flags.intersects(ClientInfoFlags::COMPRESSION | ClientInfoFlags::AUDIO_CAPTURE));
        let o = i.extra_info.optional_data;
        assert_eq!((o.reconnect_cookie(), o.performance_flags()), (None, Some(PerformanceFlags::DISABLE_WALLPAPER)));
    }

    #[test]
    fn a_password_that_is_a_cookie_is_dropped_too() {
        let mut p = pdu();
        p.client_info.password_cookie = Some(PasswordCookie(vec![0xff, 0xd8, 1, 0]));
        let info = Info::read(&encode_vec(&p).unwrap()).unwrap();
        let sent: ClientInfoPdu =
            decode(&info.for_target(&Login::new("u", Secret::new("vaulted".into())), Audio::default()).unwrap()).unwrap();
        assert_eq!((sent.client_info.password_cookie, sent.client_info.credentials.password), (None, "vaulted".into()));
    }

    #[test]
    fn accounts_are_written_in_three_ways() {
        for (account, user, domain) in [
            ("root", "root", None),
            ("HOSP\\svc", "svc", Some("HOSP")),
            (".\\svc", "svc", None),
            ("svc@hosp.example", "svc@hosp.example", None),
        ] {
            let l = Login::new(account, Secret::new(String::new()));
            assert_eq!((l.user(), l.domain()), (user, domain), "{account}");
        }
    }

    #[test]
    fn a_ticket_with_a_domain_before_it_is_the_same_ticket() {
        let mut p = pdu();
        p.client_info.credentials.username = "WORKGROUP\\T-4711".into();
        assert_eq!(Info::read(&encode_vec(&p).unwrap()).unwrap().user(), "T-4711");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_stumble(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = Info::read(&bytes);
        }

        #[test]
        fn a_real_one_with_any_byte_changed_is_read_or_refused(at in any::<prop::sample::Index>(), to in any::<u8>()) {
            let mut bytes = encode_vec(&pdu()).unwrap();
            let i = at.index(bytes.len());
            bytes[i] = to;
            if let Ok(info) = Info::read(&bytes) {
                let sent = info.for_target(&Login::new("u", Secret::new("vaulted".into())), Audio::default());
                prop_assert!(sent.is_err() || decode::<ClientInfoPdu>(&sent.unwrap()).unwrap().client_info.credentials.password == "vaulted");
            }
        }
    }
}
