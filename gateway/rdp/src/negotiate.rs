//! Connection initiation: the X.224 request, and which security both sides agree on (MS-RDPBCGR 2.2.1.1, 2.2.1.2, 5.4.2).
use bytes::Bytes;
use ironrdp_core::encode_vec;
use ironrdp_pdu::{
    nego::{ConnectionConfirm, FailureCode, ResponseFlags, SecurityProtocol},
    x224::X224,
};

/// Longest connection request or confirm, bytes: TPKT header, and an X.224 header whose length is one byte.
pub const MAX_FRAME: usize = 4 + 1 + 255;
/// Before the variable part: TPKT header, length indicator, code, two references, class (X.224 section 13.3).
const FIXED: usize = 11;
/// RDP_NEG_REQ, RDP_NEG_RSP and RDP_NEG_FAILURE (MS-RDPBCGR 2.2.1.1.1, 2.2.1.2.1, 2.2.1.2.2).
const NEGOTIATION: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NegotiateError {
    #[error("not an X.224 connection request or confirm")]
    NotX224,
    #[error("its negotiation data are damaged")]
    Damaged,
}

/// How a connection is secured. Standard RDP security (RC4) does not exist here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS, and the login in Client Info.
    Tls,
    /// TLS and CredSSP.
    Nla,
    /// The same, and the server says after it whether the person may come in.
    NlaEx,
}

impl Security {
    pub fn protocol(self) -> SecurityProtocol {
        match self {
            Self::Tls => SecurityProtocol::SSL,
            Self::Nla => SecurityProtocol::HYBRID,
            Self::NlaEx => SecurityProtocol::HYBRID_EX,
        }
    }

    pub fn has_nla(self) -> bool {
        self != Self::Tls
    }
}

/// What a client asks for. Its cookie or routing token is somebody's claim about somebody: not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    pub protocols: SecurityProtocol,
}

impl Request {
    pub fn read(frame: &[u8]) -> Result<Self, NegotiateError> {
        let mut rest = variable_part(frame, 0xe0)?;
        // A cookie or token is a line of its own before the negotiation data.
        if let Some(end) = rest.windows(2).position(|w| w == b"\r\n") {
            rest = &rest[end + 2..];
        }
        match rest.len() {
            // Clients from before RDP 5.2 know standard RDP security only.
            0 => Ok(Self { protocols: SecurityProtocol::empty() }),
            _ => Ok(Self { protocols: SecurityProtocol::from_bits_retain(negotiation(rest, 1)?.1) }),
        }
    }

    /// The strongest of what is asked for, or why there is none. `tls_alone`: the operator allows clients without NLA.
    pub fn choose(self, tls_alone: bool) -> Result<Security, Refusal> {
        if self.protocols.contains(SecurityProtocol::HYBRID_EX) {
            Ok(Security::NlaEx)
        } else if self.protocols.contains(SecurityProtocol::HYBRID) {
            Ok(Security::Nla)
        } else if !tls_alone {
            Err(Refusal::NlaRequired)
        } else if self.protocols.contains(SecurityProtocol::SSL) {
            Ok(Security::Tls)
        } else {
            Err(Refusal::TlsRequired)
        }
    }
}

/// Told to the client, which shows it in its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the client offers no network level authentication (NLA), which is required here")]
    NlaRequired,
    #[error("the client offers only legacy RDP security; TLS is required here")]
    TlsRequired,
}

impl Refusal {
    pub fn frame(self) -> Bytes {
        let code = match self {
            Self::NlaRequired => FailureCode::HYBRID_REQUIRED_BY_SERVER,
            Self::TlsRequired => FailureCode::SSL_REQUIRED_BY_SERVER,
        };
        encoded(ConnectionConfirm::Failure { code })
    }
}

/// The answer to a client whose request was taken.
pub fn confirm(security: Security) -> Bytes {
    let flags = ResponseFlags::EXTENDED_CLIENT_DATA_SUPPORTED | ResponseFlags::DYNVC_GFX_PROTOCOL_SUPPORTED;
    encoded(ConnectionConfirm::Response { flags, protocol: security.protocol() })
}

fn encoded(confirm: ConnectionConfirm) -> Bytes {
    // Its size is fixed: there is nothing that could fail.
    encode_vec(&X224(confirm)).map(Bytes::from).unwrap_or_default()
}

/// What we ask a target for. It names nobody: the account is told only under TLS. `token` is what a server redirection told us to
/// show (MS-RDPBCGR 2.2.13.1 LoadBalanceInfo).
pub fn request(token: Option<&[u8]>) -> Result<Bytes, NegotiateError> {
    let mut variable = Vec::new();
    if let Some(token) = token {
        variable.extend_from_slice(token);
        if !token.ends_with(b"\r\n") {
            variable.extend_from_slice(b"\r\n");
        }
    }
    let protocols = SecurityProtocol::SSL | SecurityProtocol::HYBRID | SecurityProtocol::HYBRID_EX;
    variable.extend_from_slice(&[1, 0, 8, 0]);
    variable.extend_from_slice(&protocols.bits().to_le_bytes());
    let indicator = u8::try_from(6 + variable.len()).ok().filter(|n| *n < 255).ok_or(NegotiateError::Damaged)?;
    let length = u16::from(indicator) + 5;
    let mut frame = vec![3, 0];
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&[indicator, 0xe0, 0, 0, 0, 0, 0]);
    frame.extend_from_slice(&variable);
    Ok(frame.into())
}

/// What a target agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed {
    pub security: Security,
    /// Monitor layout and message channel may be sent (EXTENDED_CLIENT_DATA_SUPPORTED).
    pub extended: bool,
    /// The graphics pipeline may be offered (DYNVC_GFX_PROTOCOL_SUPPORTED).
    pub graphics: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetRefused {
    #[error(transparent)]
    Damaged(#[from] NegotiateError),
    #[error("it offers only legacy RDP security (RC4), which is never used; turn on TLS or NLA there")]
    Legacy,
    #[error("it wants {0}, which this gateway does not speak")]
    Unknown(&'static str),
    #[error("it refused the connection (negotiation failure {0})")]
    Failed(u32),
}

impl Confirmed {
    pub fn read(frame: &[u8]) -> Result<Self, TargetRefused> {
        let rest = variable_part(frame, 0xd0)?;
        if rest.is_empty() {
            return Err(TargetRefused::Legacy);
        }
        if rest.first() == Some(&3) {
            return Err(match negotiation(rest, 3)?.1 {
                // SSL_NOT_ALLOWED_BY_SERVER, SSL_CERT_NOT_ON_SERVER
                2 | 3 => TargetRefused::Legacy,
                6 => TargetRefused::Unknown("a client certificate"),
                7 => TargetRefused::Unknown("Microsoft Entra sign-in"),
                code => TargetRefused::Failed(code),
            });
        }
        let (flags, selected) = negotiation(rest, 2)?;
        let flags = ResponseFlags::from_bits_retain(flags);
        let selected = SecurityProtocol::from_bits_retain(selected);
        // One that was not asked for is none that we speak.
        let security = [Security::NlaEx, Security::Nla, Security::Tls].into_iter().find(|s| s.protocol() == selected);
        Ok(Self {
            security: match security {
                Some(s) => s,
                None if selected.is_empty() => return Err(TargetRefused::Legacy),
                None => return Err(TargetRefused::Unknown("a protocol that was not offered")),
            },
            extended: flags.contains(ResponseFlags::EXTENDED_CLIENT_DATA_SUPPORTED),
            graphics: flags.contains(ResponseFlags::DYNVC_GFX_PROTOCOL_SUPPORTED),
        })
    }
}

/// What follows the fixed part of a TPDU of this kind, whose lengths agree with each other.
fn variable_part(frame: &[u8], code: u8) -> Result<&[u8], NegotiateError> {
    let [3, _, high, low, indicator, kind, ..] = *frame else { return Err(NegotiateError::NotX224) };
    let told = usize::from(u16::from_be_bytes([high, low]));
    if kind & 0xf0 != code || told != frame.len() || usize::from(indicator) + 5 != told || told < FIXED {
        return Err(NegotiateError::NotX224);
    }
    Ok(&frame[FIXED..])
}

/// Flags and value of a negotiation structure of this type. What may follow it (correlation info) says nothing to us.
fn negotiation(rest: &[u8], kind: u8) -> Result<(u8, u32), NegotiateError> {
    match rest.get(..NEGOTIATION) {
        Some(&[k, flags, 8, 0, a, b, c, d]) if k == kind => Ok((flags, u32::from_le_bytes([a, b, c, d]))),
        _ => Err(NegotiateError::Damaged),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ironrdp_core::decode;
    use ironrdp_pdu::nego::{ConnectionRequest, NegoRequestData, RequestFlags};
    use proptest::prelude::*;

    fn asked(nego_data: Option<NegoRequestData>, protocol: SecurityProtocol) -> Vec<u8> {
        encode_vec(&X224(ConnectionRequest { nego_data, flags: RequestFlags::empty(), protocol, correlation_info: None })).unwrap()
    }

    #[test]
    fn a_cookie_or_a_routing_token_changes_nothing() {
        let wanted = SecurityProtocol::SSL | SecurityProtocol::HYBRID;
        for data in [None, Some(NegoRequestData::cookie("ada".into())), Some(NegoRequestData::routing_token("1.2.3".into()))] {
            assert_eq!(Request::read(&asked(data, wanted)), Ok(Request { protocols: wanted }));
        }
    }

    #[test]
    fn the_strongest_is_chosen_and_legacy_security_never() {
        let choose = |p, tls| Request { protocols: p }.choose(tls);
        use SecurityProtocol as S;
        assert_eq!(choose(S::SSL | S::HYBRID | S::HYBRID_EX, false), Ok(Security::NlaEx));
        assert_eq!(choose(S::SSL | S::HYBRID, true), Ok(Security::Nla));
        assert_eq!(choose(S::SSL, true), Ok(Security::Tls));
        assert_eq!(choose(S::SSL, false), Err(Refusal::NlaRequired));
        assert_eq!(choose(S::empty(), false), Err(Refusal::NlaRequired));
        assert_eq!(choose(S::empty(), true), Err(Refusal::TlsRequired));
        assert_eq!(choose(S::RDSTLS | S::RDSAAD, true), Err(Refusal::TlsRequired));
    }

    #[test]
    fn a_client_from_before_negotiation_is_told_no_in_the_same_way() {
        let old = [3, 0, 0, 11, 6, 0xe0, 0, 0, 0, 0, 0];
        assert_eq!(Request::read(&old).unwrap().choose(true), Err(Refusal::TlsRequired));
        let X224(told) = decode::<X224<ConnectionConfirm>>(&Refusal::NlaRequired.frame()).unwrap();
        assert_eq!(told, ConnectionConfirm::Failure { code: FailureCode::HYBRID_REQUIRED_BY_SERVER });
    }

    #[test]
    fn a_target_learns_no_name_before_tls() {
        let X224(r) = decode::<X224<ConnectionRequest>>(&request(None).unwrap()).unwrap();
        assert_eq!(r.nego_data, None);
        assert!(r.protocol.contains(SecurityProtocol::HYBRID_EX | SecurityProtocol::SSL));
        let X224(r) = decode::<X224<ConnectionRequest>>(&request(Some(b"Cookie: msts=7.8.0000\r\n")).unwrap()).unwrap();
        assert_eq!(r.nego_data, Some(NegoRequestData::routing_token("7.8.0000".into())));
        assert!(request(Some(&[b'x'; 300])).is_err());
    }

    #[test]
    fn a_target_that_wants_what_is_not_spoken_is_refused_in_words() {
        let answered = |c| Confirmed::read(&encoded(c));
        let flags = ResponseFlags::EXTENDED_CLIENT_DATA_SUPPORTED;
        let fine = answered(ConnectionConfirm::Response { flags, protocol: SecurityProtocol::HYBRID });
        assert_eq!(fine, Ok(Confirmed { security: Security::Nla, extended: true, graphics: false }));
        for protocol in [SecurityProtocol::empty(), SecurityProtocol::RDSTLS, SecurityProtocol::SSL | SecurityProtocol::HYBRID] {
            assert!(answered(ConnectionConfirm::Response { flags, protocol }).is_err());
        }
        let legacy = answered(ConnectionConfirm::Failure { code: FailureCode::SSL_NOT_ALLOWED_BY_SERVER });
        assert_eq!(legacy, Err(TargetRefused::Legacy));
        // The confirm of Windows 2000, which has no negotiation data.
        assert_eq!(Confirmed::read(&[3, 0, 0, 11, 6, 0xd0, 0, 0, 0, 0, 0]), Err(TargetRefused::Legacy));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_stumble(bytes in proptest::collection::vec(any::<u8>(), 0..MAX_FRAME)) {
            let _ = Request::read(&bytes);
            let _ = Confirmed::read(&bytes);
        }

        #[test]
        fn what_looks_like_a_request_is_read_or_refused(mut rest in proptest::collection::vec(any::<u8>(), 0..240)) {
            let mut frame = vec![3, 0, 0, 0, 6 + rest.len() as u8, 0xe0, 0, 0, 0, 0, 0];
            frame.append(&mut rest);
            frame[3] = frame.len() as u8;
            if let Ok(r) = Request::read(&frame) {
                // Whatever it was, it never leads to standard RDP security.
                prop_assert!(r.choose(true).map_or(true, |s| !s.protocol().is_empty()));
            }
        }
    }
}
