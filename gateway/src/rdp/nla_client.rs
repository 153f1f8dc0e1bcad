//! Network level authentication toward a target (MS-CSSP 3.1.5), with the vaulted password, bound to the target's pinned certificate.
use super::wire::Wire;
use anteroom_rdp::client_info::Login;
use sspi::{
    AuthIdentity, Credentials, Username,
    credssp::{ClientMode, ClientState, CredSspClient, CredSspMode, EARLY_USER_AUTH_RESULT_PDU_SIZE, EarlyUserAuthResult, TsRequest},
    generator::GeneratorState,
    ntlm::NtlmConfig,
};
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
};
use tokio::io::{AsyncRead, AsyncWrite};

/// Round trips that NTLM can take.
const MAX_STEPS: usize = 6;
/// Signature of a sealed NTLM message (MS-NLMP 2.2.2.9.1).
const SIGNATURE: usize = 16;

#[derive(Debug, thiserror::Error)]
pub(super) enum SignInError {
    #[error("its NLA connection broke: {0}")]
    Broken(#[from] io::Error),
    #[error("its NLA messages are damaged")]
    Damaged,
    #[error("the account's name cannot be used for NLA")]
    Name,
    /// NTSTATUS, where it told one.
    #[error("it did not accept the stored credential{}", .0.map(status).unwrap_or_default())]
    Refused(Option<u32>),
    #[error("it accepted the stored credential, but the account may not sign in by remote desktop there")]
    NotAllowed,
}

/// What operators can do something about (MS-ERREF 2.3.1).
fn status(code: u32) -> String {
    let known = match code {
        0xc000_0071 => "its password has expired",
        0xc000_0072 => "the account is disabled",
        0xc000_0193 => "the account has expired",
        0xc000_0224 => "its password must be changed",
        0xc000_0234 => "the account is locked",
        0xc000_006d | 0xc000_006a | 0xc000_0064 => return String::new(),
        _ => return format!(" (status {code:#010x})"),
    };
    format!(": {known}")
}

/// Signs in. `early`: the target says at the end whether the account may come in (HYBRID_EX).
pub(super) async fn sign_in<S>(wire: &mut Wire<S>, login: &Login, early: bool, public_key: &[u8]) -> Result<(), SignInError>
where
    S: AsyncRead + AsyncWrite,
{
    let username = match login.domain() {
        None if login.user().contains('@') => Username::parse(login.user()),
        domain => Username::new(login.user(), domain),
    };
    let identity = AuthIdentity { username: username.map_err(|_| SignInError::Name)?, password: login.password.expose().clone().into() };
    let mode = ClientMode::Ntlm(NtlmConfig::new("ANTEROOM".to_owned()));
    let credentials = Credentials::AuthIdentity(identity);
    let mut client = CredSspClient::new(public_key.to_vec(), credentials, CredSspMode::WithCredentials, mode, "TERMSRV/target".to_owned())
        .map_err(|_| SignInError::Damaged)?;
    let mut request = TsRequest::default();
    for _ in 0..MAX_STEPS {
        match process(&mut client, request)? {
            ClientState::ReplyNeeded(r) => send(wire, &r).await?,
            ClientState::FinalMessage(r) => {
                send(wire, &r).await?;
                return if early { welcome(wire).await } else { Ok(()) };
            }
        }
        let bytes = wire.reader.ts_request().await?;
        request = catch_unwind(|| TsRequest::from_buffer(&bytes)).map_err(|_| SignInError::Damaged)?.map_err(|_| SignInError::Damaged)?;
        if let Some(code) = request.error_code.filter(|c| c.0 != 0) {
            return Err(SignInError::Refused(Some(code.0)));
        }
        if request.pub_key_auth.as_ref().is_some_and(|p| p.len() < SIGNATURE) {
            return Err(SignInError::Damaged);
        }
    }
    Err(SignInError::Damaged)
}

fn process(client: &mut CredSspClient, request: TsRequest) -> Result<ClientState, SignInError> {
    let step = || match client.process(request).start() {
        GeneratorState::Completed(done) => done.map_err(|_| SignInError::Damaged),
        // NTLM asks nobody over the network.
        GeneratorState::Suspended(_) => Err(SignInError::Damaged),
    };
    catch_unwind(AssertUnwindSafe(step)).unwrap_or(Err(SignInError::Damaged))
}

async fn send<S: AsyncRead + AsyncWrite>(wire: &mut Wire<S>, request: &TsRequest) -> Result<(), SignInError> {
    let mut bytes = Vec::new();
    request.encode_ts_request(&mut bytes).map_err(|_| SignInError::Damaged)?;
    Ok(wire.send(&bytes).await?)
}

/// MS-RDPBCGR 2.2.10.2.
async fn welcome<S: AsyncRead + AsyncWrite>(wire: &mut Wire<S>) -> Result<(), SignInError> {
    let told = match wire.reader.exact(EARLY_USER_AUTH_RESULT_PDU_SIZE).await {
        Ok(told) => told,
        // Windows closes when the credential is wrong.
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Err(SignInError::Refused(None)),
        Err(e) => return Err(e.into()),
    };
    match EarlyUserAuthResult::from_buffer(&told[..]) {
        Ok(EarlyUserAuthResult::Success) => Ok(()),
        Ok(EarlyUserAuthResult::AccessDenied) => Err(SignInError::NotAllowed),
        Err(_) => Err(SignInError::Damaged),
    }
}
