//! One request, one answer: four bytes of length, big-endian, and so many bytes of JSON.
use anteroom_format::Release;
use anteroom_recorder::unmask::UnmaskProof;
use serde::{Deserialize, Serialize};
use tokio::io::{self, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longest request, in bytes: nine signatures with contents of a few kilobytes.
pub const MAX_REQUEST: usize = 256 << 10;
/// Longest answer, in bytes: the keys of [`anteroom_format::MAX_RELEASED`] chunks.
pub const MAX_ANSWER: usize = 8 << 20;
const VERSION: u8 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    v: u8,
    pub proof: UnmaskProof,
}

/// What is no request. Says nothing of what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error("the request is longer than {MAX_REQUEST} bytes")]
    TooLong,
    #[error("the request is not understood")]
    Form,
    #[error("the request is of a version that is not known here")]
    Version,
}

impl Request {
    pub fn new(proof: UnmaskProof) -> Self {
        Self { v: VERSION, proof }
    }

    /// Reads what came over the wire.
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        if bytes.len() > MAX_REQUEST {
            return Err(RequestError::TooLong);
        }
        let request: Self = serde_json::from_slice(bytes).map_err(|_| RequestError::Form)?;
        if request.v == VERSION { Ok(request) } else { Err(RequestError::Version) }
    }

    pub fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    Released(Release),
    Refused(Refused),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// Stable, snake_case.
    pub code: String,
    /// For people.
    pub why: String,
}

/// Reads one message; nothing is allocated for what is longer than `most`.
pub(crate) async fn read(from: &mut (impl AsyncRead + Unpin), most: usize) -> io::Result<Option<Vec<u8>>> {
    let length = from.read_u32().await? as usize;
    if length > most {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    // Grows with what comes, not with what was announced.
    if from.take(length as u64).read_to_end(&mut bytes).await? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(bytes))
}

pub(crate) async fn write(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::Error::other("too long a message"))?;
    to.write_u32(length).await?;
    to.write_all(bytes).await?;
    to.flush().await
}
