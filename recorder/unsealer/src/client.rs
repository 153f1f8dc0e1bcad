//! The portal's side of the socket.
use crate::wire::{self, Answer, MAX_ANSWER, MAX_REQUEST, Request};
use anteroom_domain::{Moment, content::UnmaskOpening, terminal::Later};
use anteroom_recorder::unmask::{Recipient, Released, UnmaskProof, UnsealError, Unsealer};
use std::{io, path::PathBuf, time::Duration};
use tokio::{net::UnixStream, time::timeout};

/// How long connecting, checking a long recording and answering may take together.
const LIMIT: Duration = Duration::from_secs(90);

/// Asks the unsealer behind a Unix socket; a connection for each request.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
}

impl Client {
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into() }
    }

    async fn ask(&self, request: &[u8]) -> Result<Vec<u8>, UnsealError> {
        let mut stream = UnixStream::connect(&self.socket).await.map_err(UnsealError::Unreachable)?;
        wire::write(&mut stream, request).await.map_err(UnsealError::Unreachable)?;
        let answer = wire::read(&mut stream, MAX_ANSWER).await.map_err(UnsealError::Unreachable)?;
        answer.ok_or(UnsealError::Answer)
    }

    async fn released(&self, proof: UnmaskProof, recipient: Recipient) -> Result<Released, UnsealError> {
        // What is asked for, as the answer has to name it; the unsealer checks the signature over it.
        let opening: UnmaskOpening = serde_json::from_str(&proof.opening.content).map_err(|_| UnsealError::OtherAnswer)?;
        let request = Request::new(proof).to_bytes().map_err(|e| UnsealError::Unreachable(e.into()))?;
        if request.len() > MAX_REQUEST {
            return Err(UnsealError::Unreachable(io::Error::other("the request is too long")));
        }
        let bytes = timeout(LIMIT, self.ask(&request)).await.map_err(|_| UnsealError::Slow(LIMIT))??;
        let release = match serde_json::from_slice(&bytes).map_err(|_| UnsealError::Answer)? {
            Answer::Released(release) => release,
            Answer::Refused(r) => return Err(UnsealError::Refused { code: r.code, why: r.why }),
        };
        let c = &release.content;
        let same = c.unmask == opening.unmask && c.session == opening.session;
        if !same || (c.from_us, c.until_us) != (opening.from_us, opening.until_us) {
            return Err(UnsealError::OtherAnswer);
        }
        Released::open(&release, &recipient, Moment::now_utc())
    }
}

impl Unsealer for Client {
    fn release(&self, proof: UnmaskProof, recipient: Recipient) -> Later<'_, Result<Released, UnsealError>> {
        Box::pin(self.released(proof, recipient))
    }
}
