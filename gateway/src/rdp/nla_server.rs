//! Network level authentication of a client (MS-CSSP 3.1.5): it proves that it has a ticket's secret, bound to our certificate.
//!
//! The secret has to be known here for that (NTLM, MS-NLMP 3.3.2), so the client first says a name, and only then is proven.
//! What the client sends as credentials at the end is the ticket again: it is dropped unread.
use super::wire::Wire;
use anteroom_domain::Secret;
use sspi::{
    AuthIdentity, Username,
    credssp::{CredSspServer, CredentialsProxy, EarlyUserAuthResult, NStatusCode, ServerError, ServerMode, ServerState, TsRequest},
    generator::GeneratorState,
    ntlm::NtlmConfig,
};
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::io::{AsyncRead, AsyncWrite};

/// Older ones do not bind the certificate to a nonce (CVE-2018-0886).
const LEAST_VERSION: u32 = 5;
/// Signature of a sealed NTLM message (MS-NLMP 2.2.2.9.1).
const SIGNATURE: usize = 16;
/// SHA-256 of the certificate's key and a nonce, sealed (MS-CSSP 3.1.5).
const SEALED_HASH: usize = SIGNATURE + 32;
/// Longest of a client's credentials, sealed.
const MAX_CREDENTIALS: usize = 4 * 1024;
const NTLM: &[u8; 8] = b"NTLMSSP\0";
/// What a client sees as this computer's name in NTLM.
const COMPUTER: &str = "ANTEROOM";

#[derive(Debug, thiserror::Error)]
pub(super) enum NlaError {
    #[error(transparent)]
    Broken(#[from] io::Error),
    #[error("its NLA messages are damaged")]
    Damaged,
    #[error("it uses an old CredSSP (version {0}), which does not protect the sign-in")]
    Old(u32),
    #[error("it insists on Kerberos; sign in with the ticket's user name alone, without a domain")]
    NotNtlm,
    /// The name was answered for; the secret was not proven.
    #[error("the secret was wrong")]
    WrongSecret,
}

/// The secret that the name which the client gave stands for.
struct Known(Arc<Mutex<Option<Secret<String>>>>);

impl CredentialsProxy for Known {
    type AuthenticationData = AuthIdentity;

    fn auth_data_by_user(&mut self, username: &Username) -> io::Result<AuthIdentity> {
        let secret = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let secret = secret.ok_or_else(|| io::Error::other("nobody was looked up"))?;
        Ok(AuthIdentity { username: username.clone(), password: secret.expose().clone().into() })
    }

    fn auth_data(&mut self) -> io::Result<Vec<AuthIdentity>> {
        Err(io::Error::other("nobody is known before they have said a name"))
    }
}

/// A client that has said who it is, and proven nothing.
pub(super) struct Claim {
    server: CredSspServer<Known>,
    secret: Arc<Mutex<Option<Secret<String>>>>,
    request: TsRequest,
    user: String,
}

impl Claim {
    /// Leads NTLM up to the message with the name. `public_key` is our certificate's.
    pub(super) async fn hear<S>(wire: &mut Wire<S>, public_key: &[u8]) -> Result<Self, NlaError>
    where
        S: AsyncRead + AsyncWrite,
    {
        let secret = Arc::new(Mutex::new(None));
        let mode = ServerMode::Ntlm(NtlmConfig::new(COMPUTER.to_owned()));
        let mut server = CredSspServer::new(public_key.to_vec(), Known(secret.clone()), mode).map_err(|_| NlaError::Damaged)?;
        let hello = receive(wire).await?;
        if !hello.nego_tokens.as_ref().is_some_and(|t| t.starts_with(NTLM)) {
            return Err(NlaError::NotNtlm);
        }
        match process(&mut server, hello) {
            Ok(ServerState::ReplyNeeded(challenge)) => send(wire, &challenge).await?,
            _ => return Err(NlaError::Damaged),
        }
        let request = receive(wire).await?;
        let user = request.nego_tokens.as_deref().and_then(user_of).ok_or(NlaError::Damaged)?;
        if request.pub_key_auth.as_ref().is_none_or(|p| p.len() != SEALED_HASH) || request.client_nonce.is_none() {
            return Err(NlaError::Damaged);
        }
        Ok(Self { server, secret, request, user })
    }

    /// The name it gave, without a domain.
    pub(super) fn user(&self) -> &str {
        &self.user
    }

    /// Whether it has this secret. A client that has not is told so in its own words (STATUS_LOGON_FAILURE).
    pub(super) async fn prove<S>(self, wire: &mut Wire<S>, secret: &Secret<String>) -> Result<(), NlaError>
    where
        S: AsyncRead + AsyncWrite,
    {
        let Self { mut server, secret: place, request, .. } = self;
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(secret.clone());
        match process(&mut server, request) {
            Ok(ServerState::ReplyNeeded(proof)) => send(wire, &proof).await?,
            Ok(ServerState::Finished(_)) => return Err(NlaError::Damaged),
            Err(refused) => {
                if let Some(mut told) = refused.and_then(|e| e.ts_request) {
                    told.error_code = Some(NStatusCode::LOGON_FAILURE);
                    (told.nego_tokens, told.pub_key_auth, told.auth_info) = (None, None, None);
                    let _ = send(wire, &told).await;
                }
                return Err(NlaError::WrongSecret);
            }
        }
        let last = receive(wire).await?;
        if last.auth_info.as_ref().is_none_or(|a| !(SIGNATURE..=MAX_CREDENTIALS).contains(&a.len())) {
            return Err(NlaError::Damaged);
        }
        match process(&mut server, last) {
            Ok(ServerState::Finished(_)) => Ok(()),
            _ => Err(NlaError::Damaged),
        }
    }
}

/// Whether the person may come in, for clients that wait to hear it (MS-RDPBCGR 2.2.10.2).
pub(super) async fn tell<S: AsyncRead + AsyncWrite>(wire: &mut Wire<S>, welcome: bool) -> io::Result<()> {
    let result = if welcome { EarlyUserAuthResult::Success } else { EarlyUserAuthResult::AccessDenied };
    let mut bytes = Vec::with_capacity(4);
    result.to_buffer(&mut bytes)?;
    wire.send(&bytes).await
}

async fn receive<S: AsyncRead + AsyncWrite>(wire: &mut Wire<S>) -> Result<TsRequest, NlaError> {
    let bytes = wire.reader.ts_request().await?;
    let request = catch_unwind(|| TsRequest::from_buffer(&bytes)).map_err(|_| NlaError::Damaged)?.map_err(|_| NlaError::Damaged)?;
    if request.version < LEAST_VERSION { Err(NlaError::Old(request.version)) } else { Ok(request) }
}

async fn send<S: AsyncRead + AsyncWrite>(wire: &mut Wire<S>, request: &TsRequest) -> Result<(), NlaError> {
    let mut bytes = Vec::new();
    request.encode_ts_request(&mut bytes).map_err(|_| NlaError::Damaged)?;
    Ok(wire.send(&bytes).await?)
}

/// One step. Lengths that sspi cuts at without looking were looked at before; whatever else makes it stumble is a refusal too.
fn process(server: &mut CredSspServer<Known>, request: TsRequest) -> Result<ServerState, Option<ServerError>> {
    let step = || match server.process(request).start() {
        GeneratorState::Completed(done) => done.map_err(Some),
        // NTLM asks nobody over the network.
        GeneratorState::Suspended(_) => Err(None),
    };
    catch_unwind(AssertUnwindSafe(step)).unwrap_or(Err(None))
}

/// The user name in an NTLM AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3), without what stands before a backslash.
fn user_of(message: &[u8]) -> Option<String> {
    const KIND: usize = 8;
    const USER: usize = 36;
    let field = message.get(USER..USER + 8).filter(|_| message.starts_with(NTLM) && message.get(KIND) == Some(&3))?;
    let length = usize::from(u16::from_le_bytes([field[0], field[1]]));
    let offset = usize::try_from(u32::from_le_bytes([field[4], field[5], field[6], field[7]])).ok()?;
    // No name of ours is longer; nor is one that people have.
    let bytes = message.get(offset..offset.checked_add(length)?).filter(|b| b.len() <= 512 && b.len() % 2 == 0)?;
    let units: Vec<u16> = bytes.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
    let name = String::from_utf16(&units).ok()?;
    Some(name.rsplit_once('\\').map_or(name.as_str(), |(_, user)| user).to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::nla_client, *};
    use anteroom_rdp::{Side, client_info::Login};
    use proptest::prelude::*;

    const KEY: &[u8] = b"the public key of the gateway's certificate";

    async fn both(secret: &str, typed: &str, ex: bool, client_key: &'static [u8]) -> (Result<String, NlaError>, Result<(), String>) {
        let (a, b) = tokio::io::duplex(64 * 1024);
        let login = Login::new("HOME\\t-abc", Secret::new(typed.to_owned()));
        let client = tokio::spawn(async move {
            let mut wire = Wire::new(a, Side::Target);
            nla_client::sign_in(&mut wire, &login, ex, client_key).await.map_err(|e| e.to_string())
        });
        let mut wire = Wire::new(b, Side::Client);
        let server = async {
            let claim = Claim::hear(&mut wire, KEY).await?;
            let user = claim.user().to_owned();
            claim.prove(&mut wire, &Secret::new(secret.to_owned())).await?;
            if ex {
                tell(&mut wire, true).await?;
            }
            Ok(user)
        }
        .await;
        drop(wire);
        (server, client.await.unwrap())
    }

    #[tokio::test]
    async fn who_has_the_secret_comes_in_and_the_domain_does_not_matter() {
        for ex in [false, true] {
            let (server, client) = both("abcd-efgh", "abcd-efgh", ex, KEY).await;
            assert_eq!((server.unwrap().as_str(), client), ("t-abc", Ok(())));
        }
    }

    #[tokio::test]
    async fn a_wrong_secret_is_refused_and_the_client_knows_why() {
        let (server, client) = both("abcd-efgh", "abcd-efgx", true, KEY).await;
        assert!(matches!(server, Err(NlaError::WrongSecret)));
        assert!(client.unwrap_err().contains("did not accept"));
    }

    #[tokio::test]
    async fn somebody_in_the_middle_with_another_certificate_gets_nowhere() {
        let (server, client) = both("abcd-efgh", "abcd-efgh", true, b"the key of somebody else's certificate").await;
        assert!(server.is_err() && client.is_err());
    }

    async fn against(bytes: Vec<u8>) -> Result<(), NlaError> {
        let (mut a, b) = tokio::io::duplex(64 * 1024);
        tokio::io::AsyncWriteExt::write_all(&mut a, &bytes).await.unwrap();
        tokio::io::AsyncWriteExt::shutdown(&mut a).await.unwrap();
        let mut wire = Wire::new(b, Side::Client);
        let claim = Claim::hear(&mut wire, KEY).await?;
        claim.prove(&mut wire, &Secret::new("secret".into())).await
    }

    #[tokio::test]
    async fn an_old_credssp_and_kerberos_are_refused() {
        let sent = |version, token: &[u8]| {
            let mut bytes = Vec::new();
            let request = TsRequest { version, nego_tokens: Some(token.to_vec()), ..TsRequest::default() };
            request.encode_ts_request(&mut bytes).unwrap();
            bytes
        };
        assert!(matches!(against(sent(4, NTLM)).await, Err(NlaError::Old(4))));
        assert!(matches!(against(sent(6, b"\x60\x40")).await, Err(NlaError::NotNtlm)));
        assert!(matches!(against(sent(6, NTLM)).await, Err(NlaError::Damaged)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_stumble(bytes in proptest::collection::vec(any::<u8>(), 0..300), head in any::<bool>()) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _ = user_of(&bytes);
            let mut message = if head { vec![0x30, 0x82, (bytes.len() >> 8) as u8, bytes.len() as u8] } else { vec![] };
            message.extend(bytes);
            prop_assert!(runtime.block_on(against(message)).is_err());
        }
    }
}
