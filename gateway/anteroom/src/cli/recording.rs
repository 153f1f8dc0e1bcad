use super::{
    ConfigArg, Done, JsonArg, Out, bundle,
    context::{Context, with_context},
    output::moment,
    recording_cast, recording_keep, recording_search, session, video,
};
use crate::compose;
use anteroom_approvals::{Page, SessionFilter};
use anteroom_domain::{AuditEvent, Handle, Person, SessionId};
use anteroom_policy::Action;
use anteroom_recorder::Replayer;
use anyhow::{Context as _, anyhow};
use clap::Subcommand;
use std::{path::PathBuf, time::Duration};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    json: JsonArg,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Recordings, newest first.
    List {
        /// Part of a person's or target's name.
        #[arg(default_value = "")]
        search: String,
    },
    /// Write a bundle that can be checked anywhere with `anteroom verify`. It stays encrypted.
    Export {
        session: SessionId,
        /// The file to write; it must not exist.
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
        /// In whose name; the audit log notes it.
        #[arg(long = "as", env = "ANTEROOM_AS", value_name = "HANDLE")]
        by: Handle,
    },
    /// Write one channel, masked, as an asciicast (version 2) that asciinema plays.
    #[command(after_help = recording_cast::EXAMPLES)]
    Cast(recording_cast::Args),
    /// Write one desktop, masked, as a video.
    #[command(after_help = video::EXAMPLES)]
    ExportVideo(video::Args),
    /// Find lines in what recordings show, masked.
    #[command(after_help = recording_search::EXAMPLES)]
    Search(recording_search::Args),
    /// Keep a recording from being shredded, or show or lift what keeps it.
    #[command(after_help = recording_keep::HOLD)]
    Hold(recording_keep::HoldArgs),
    /// Destroy a recording's keys, for good.
    #[command(after_help = recording_keep::SHRED)]
    Shred(recording_keep::ShredArgs),
    /// Play the masked recording in this terminal; into a pipe, at once and without pauses.
    Play {
        session: SessionId,
        /// Which channel; the first with a terminal if not given.
        #[arg(long)]
        channel: Option<u32>,
        #[arg(long, default_value_t = 1.0)]
        speed: f64,
        /// The longest pause, in seconds.
        #[arg(long, default_value_t = 2.0)]
        idle: f64,
        /// In whose name; the audit log notes it.
        #[arg(long = "as", env = "ANTEROOM_AS", value_name = "HANDLE")]
        by: Handle,
    },
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    with_context!(&a.config, cx => match a.what {
        What::List { search } => {
            let found = cx.approvals.sessions(SessionFilter { search, ..Default::default() }, Page { number: 0, size: 500 }).await?.rows;
            session::print(&found, a.json.json, out, "no recordings")
        }
        What::Export { session, output, by } => export(&cx, session, &output, &by, out).await,
        What::Cast(args) => recording_cast::run(&cx, &args, out).await,
        What::ExportVideo(args) => video::run(&cx, &args, out).await,
        What::Search(args) => recording_search::run(&cx, args, a.json.json, out).await,
        What::Hold(args) => recording_keep::hold(&cx, args, a.json.json, out).await,
        What::Shred(args) => recording_keep::shred(&cx, args, a.json.json, out).await,
        What::Play { session, channel, speed, idle, by } => play(&cx, session, channel, Pace::new(speed, idle)?, &by, out).await,
    })
}

async fn export(cx: &Context, session: SessionId, output: &std::path::Path, by: &Handle, out: &mut Out) -> Done {
    let by = cx.acting(by, Action::ExportRecording).await?;
    // Noted first: an export that nobody knows of must not exist.
    cx.approvals.note(AuditEvent::RecordingExported { session, by: by.id, masked_channel: None }, Some(by.id)).await;
    let evidence = cx.approvals.evidence(session).await?.ok_or_else(|| anyhow!("there is no session {session}"))?;
    let bytes = bundle::write(output, &evidence, &cx.config.custody.storage)?;
    Ok(out.line(format!("{}: {bytes} bytes; check it anywhere with: anteroom verify {0}", output.display()))?)
}

/// Nobody plays what was shredded, also in the moment between the decision and the end of the keys.
async fn refuse_shredded(cx: &Context, session: SessionId) -> anyhow::Result<()> {
    let Some(d) = cx.approvals.keeping(session).await?.shredding else { return Ok(()) };
    let reason = d.reason.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
    Err(anyhow!("the recording was shredded on {} by {}, because: {reason}; nobody can open it", moment(d.at), d.decided_by()))
}

/// Opens the masked track in somebody's name, who may watch this recording and do `also`.
pub(super) async fn open(cx: &Context, session: SessionId, by: &Handle, also: Option<Action>) -> anyhow::Result<(Person, Replayer)> {
    let record = cx.approvals.session(session).await?.ok_or_else(|| anyhow!("there is no session {session}"))?;
    let person = cx.acting(by, if record.mask_incomplete { Action::ReplayIncomplete } else { Action::ReplayMasked }).await?;
    refuse_shredded(cx, session).await?;
    if let Some(action) = also {
        cx.acting(by, action).await?;
    }
    let replayer = compose::open_replayer(&cx.config.custody)?;
    Ok((person, replayer.context("this configuration has no [replay] masked_key: recordings can't be opened here")?))
}

async fn play(cx: &Context, session: SessionId, channel: Option<u32>, pace: Pace, by: &Handle, out: &mut Out) -> Done {
    let (by, replayer) = open(cx, session, by, None).await?;
    cx.approvals.note(AuditEvent::RecordingViewed { session, by: by.id }, Some(by.id)).await;
    let channel = match channel {
        Some(c) => c,
        None => first_channel(&replayer, session)?,
    };
    let mut before = 0.0;
    for (number, line) in replayer.cast(session, channel, Duration::ZERO)?.enumerate() {
        let line = line?;
        // The first line is the header; the rest are [time, code, data].
        if number == 0 {
            continue;
        }
        let (at, code, data): (f64, String, String) = serde_json::from_str(&line).context("the recording's masked track")?;
        if out.is_terminal() {
            tokio::time::sleep(pace.pause(at - before)).await;
        }
        before = at;
        if code == "o" {
            out.bytes(data.as_bytes())?;
            out.flush()?;
        }
    }
    if out.is_terminal() {
        // Leaves colours and alternate screens that the session had on.
        out.line("\x1b[0m\x1b[?1049l\x1b[?25h")?;
    }
    Ok(())
}

/// The first with a terminal, or the first.
pub(super) fn first_channel(replayer: &Replayer, session: SessionId) -> anyhow::Result<u32> {
    let channels = replayer.info(session)?.channels;
    let best = channels.iter().find(|c| c.cols.is_some()).or(channels.first());
    best.map(|c| c.id).ok_or_else(|| anyhow!("nothing was recorded in this session"))
}

struct Pace {
    speed: f64,
    idle: f64,
}

impl Pace {
    fn new(speed: f64, idle: f64) -> Result<Self, super::Failure> {
        if (0.1..=100.0).contains(&speed) && (0.0..=3600.0).contains(&idle) {
            Ok(Self { speed, idle })
        } else {
            Err(super::Failure::Usage(anyhow!("--speed is between 0.1 and 100, --idle between 0 and 3600 seconds")))
        }
    }

    fn pause(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64((seconds.clamp(0.0, self.idle)) / self.speed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_long_pause_is_cut_and_speed_divides_it() {
        let p = Pace::new(2.0, 3.0).unwrap();
        assert_eq!(p.pause(100.0), Duration::from_millis(1500));
        assert_eq!(p.pause(-1.0), Duration::ZERO);
        assert!(Pace::new(f64::NAN, 1.0).is_err());
    }
}
