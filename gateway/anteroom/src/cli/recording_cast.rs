//! `anteroom recording cast`: a masked recording as a file that other programs play.
use super::{
    Done, Out,
    context::Context,
    progress::bar,
    recording::{first_channel, open},
};
use anteroom_domain::{AuditEvent, Handle, SessionId};
use anteroom_policy::Action;
use anyhow::{Context as _, anyhow};
use std::{
    fs::OpenOptions,
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  anteroom recording cast ID -o session.cast --as cleo
  anteroom recording cast ID --channel 2 -o - --as cleo | asciinema play -";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    session: SessionId,
    /// Which channel; the first with a terminal if not given.
    #[arg(long)]
    channel: Option<u32>,
    /// The file to write, which must not exist; \"-\" is stdout.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// In whose name; the audit log notes it.
    #[arg(long = "as", env = "ANTEROOM_AS", value_name = "HANDLE")]
    by: Handle,
}

pub(super) async fn run(cx: &Context, a: &Args, out: &mut Out) -> Done {
    let (by, replayer) = open(cx, a.session, &a.by, Some(Action::ExportRecording)).await?;
    let channel = match a.channel {
        Some(channel) => channel,
        None => first_channel(&replayer, a.session)?,
    };
    let info = replayer.info(a.session)?;
    let length =
        info.channels.iter().find(|c| c.id == channel).map(|c| c.duration).ok_or_else(|| anyhow!("there is no channel {channel}"))?;
    let to_file = Some(a.output.as_path()).filter(|p| *p != Path::new("-"));
    let mut file: Box<dyn Write> = match to_file {
        None => Box::new(BufWriter::new(io::stdout())),
        Some(path) => {
            let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            Box::new(BufWriter::new(new.with_context(|| format!("cannot make {}", path.display()))?))
        }
    };
    // Noted before the first byte: an export that nobody knows of must not exist.
    let event = AuditEvent::RecordingExported { session: a.session, by: by.id, masked_channel: Some(channel) };
    cx.approvals.note(event, Some(by.id)).await;
    // By the recording's time.
    let bar = bar("  writing {bar:30} {percent}% ({eta} left)", Some(length.as_secs().max(1)), to_file.is_some());
    let mut bytes = 0;
    for line in replayer.cast(a.session, channel, Duration::ZERO)? {
        let line = line?;
        file.write_all(line.as_bytes())?;
        bytes += line.len();
        if let Some(at) = seconds(&line) {
            bar.set_position(at);
        }
    }
    file.flush()?;
    bar.finish_and_clear();
    if let Some(path) = to_file {
        out.line(format!("{}: {bytes} bytes, masked", path.display()))?;
    }
    Ok(())
}

/// The whole seconds of an event's time; none of the header.
fn seconds(line: &str) -> Option<u64> {
    line.strip_prefix('[')?.split(['.', ',']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn progress_is_read_from_events_and_not_from_the_header() {
        assert_eq!(seconds("[12.500000,\"o\",\"x\"]\n"), Some(12));
        assert_eq!(seconds("{\"version\":2}\n"), None);
    }
}
