//! A licence for a client that cannot ask for one any more, because it has a desktop of the gateway's already (MS-RDPELE).
use super::wire::Wire;
use anteroom_domain::PersonId;
use ironrdp_connector::{ConnectorError, ConnectorResult, LicenseCache, LicenseExchangeSequence, Sequence as _};
use ironrdp_core::WriteBuf;
use ironrdp_pdu::rdp::server_license::LicenseInformation;
use std::{io, sync::Arc};
use tokio::io::{AsyncRead, AsyncWrite};

/// Longest licensing message: a licence with its certificates (MS-RDPELE 2.2.2.6.1 names no bound; real ones have some 3 KiB).
const MAX_FRAME: usize = 16 * 1024;
/// Messages of a target: request, challenge, licence.
const MAX_STEPS: usize = 8;

#[derive(Debug, thiserror::Error)]
pub(super) enum LicenceError {
    #[error("the connection broke while it gave a licence: {0}")]
    Broken(#[from] io::Error),
    #[error("it gives no licence: {0}")]
    Refused(#[from] ConnectorError),
    #[error("it talks of licences without end")]
    Endless,
}

/// Nothing is kept: a target knows whom it has given one.
#[derive(Debug)]
struct Forgets;

impl LicenseCache for Forgets {
    fn get_license(&self, _: LicenseInformation) -> ConnectorResult<Option<Vec<u8>>> {
        Ok(None)
    }

    fn store_license(&self, _: LicenseInformation) -> ConnectorResult<()> {
        Ok(())
    }
}

/// Until the target says that all is well. To a target that counts computers each person is one, whatever they sit at.
pub(super) async fn obtain<S>(wire: &mut Wire<S>, io_channel: u16, account: &str, holder: PersonId) -> Result<(), LicenceError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let id = holder.0.as_u128();
    let hardware = [96, 64, 32, 0].map(|shift| u32::try_from(id >> shift & u128::from(u32::MAX)).unwrap_or_default());
    let mut sequence = LicenseExchangeSequence::new(io_channel, account.to_owned(), None, hardware, Arc::new(Forgets));
    let mut answer = WriteBuf::new();
    for _ in 0..MAX_STEPS {
        let frame = wire.reader.expect(MAX_FRAME).await?;
        answer.clear();
        sequence.step(&frame, None, &mut answer)?;
        if !answer.filled().is_empty() {
            wire.send(answer.filled()).await?;
        }
        if sequence.state().is_terminal() {
            return Ok(());
        }
    }
    Err(LicenceError::Endless)
}
