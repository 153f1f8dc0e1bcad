//! `anteroom recording export-video`: a masked desktop as a file that every player plays.
mod encoder;
mod frames;
mod placed;

use super::{Done, Out, Usage, context::Context, progress::bar, recording::open};
use anteroom_domain::{AuditEvent, Handle, SessionId};
use anteroom_policy::Action;
use anteroom_recorder::{ChannelInfo, ChannelKind, Replayer, film::ShotKind};
use anyhow::{Context as _, Result, anyhow, bail};
use encoder::{Container, Encoder};
use frames::{Extent, Frames, Pace};
use indicatif::ProgressBar;
use placed::Placed;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

pub(super) const EXAMPLES: &str = "\
Needs ffmpeg. The file's name says the format: .mp4 (H.264) or .webm (VP9); \"-\" is WebM on stdout.

Examples:
  anteroom recording export-video ID -o session.mp4 --as cleo
  anteroom recording export-video ID -o session.webm --speed 4 --idle 2 --as cleo
  anteroom recording export-video ID --channel 2 -o - --as cleo | mpv -";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    session: SessionId,
    /// Which channel; the first desktop if not given.
    #[arg(long)]
    channel: Option<u32>,
    /// The file to write, which must not exist; "-" is stdout.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// So many times as fast as it was.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// The longest pause, in seconds of the recording; all pauses stay as they were if not given.
    #[arg(long)]
    idle: Option<f64>,
    /// Frames a second.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=60))]
    fps: u32,
    /// In whose name; the audit log notes it.
    #[arg(long = "as", env = "ANTEROOM_AS", value_name = "HANDLE")]
    by: Handle,
}

pub(super) async fn run(cx: &Context, a: &Args, out: &mut Out) -> Done {
    let container = Container::of(&a.output).ok_or_else(|| Usage("--output ends in .mp4 or .webm, or is \"-\"".into()))?;
    let pace = pace(a)?;
    encoder::installed()?;
    let (by, replayer) = open(cx, a.session, &a.by, Some(Action::ExportRecording)).await?;
    let channel = desktop(&replayer, a.session, a.channel)?;
    let to_file = a.output != Path::new("-");
    let placed = if to_file { Some(Placed::new(&a.output)?) } else { None };
    // Noted before the first byte: an export that nobody knows of must not exist.
    let event = AuditEvent::RecordingExported { session: a.session, by: by.id, masked_channel: Some(channel.id) };
    cx.approvals.note(event, Some(by.id)).await;
    let bar = bar("  {msg} {bar:30} {percent}% ({eta} left)", Some(channel.duration.as_secs().max(1)), to_file);
    let stop = Arc::new(AtomicBool::new(false));
    let video = Video { replayer, session: a.session, channel: channel.id, container, stop: stop.clone(), bar: bar.clone() };
    let mut making = tokio::task::spawn_blocking(move || video.make(pace, placed));
    let made = tokio::select! {
        made = &mut making => made,
        // The file that was begun goes away with its task.
        _ = tokio::signal::ctrl_c() => {
            stop.store(true, Ordering::Relaxed);
            making.await
        }
    };
    bar.finish_and_clear();
    let (bytes, damaged) = made.map_err(|_| anyhow!("the thread that makes the video is gone"))??;
    if let Some(bytes) = bytes {
        out.line(format!("{}: {bytes} bytes, masked", a.output.display()))?;
    }
    match damaged {
        // What is good was written; that it is not all must not be missed.
        Some(why) => Err(anyhow!("the video ends early: {why}").into()),
        None => Ok(()),
    }
}

fn pace(a: &Args) -> Result<Pace, Usage> {
    if !(0.1..=100.0).contains(&a.speed) || !a.idle.is_none_or(|idle| (0.0..=3600.0).contains(&idle)) {
        return Err(Usage("--speed is between 0.1 and 100, --idle between 0 and 3600 seconds".into()));
    }
    Ok(Pace::new(a.fps, a.speed, a.idle.map(Duration::from_secs_f64)))
}

fn desktop(replayer: &Replayer, session: SessionId, wanted: Option<u32>) -> Result<ChannelInfo> {
    let channels = replayer.info(session)?.channels;
    let is_desktop = |c: &ChannelInfo| matches!(c.kind, ChannelKind::Desktop { .. });
    match wanted {
        Some(id) => {
            let channel = channels.into_iter().find(|c| c.id == id).ok_or_else(|| anyhow!("there is no channel {id}"))?;
            if !is_desktop(&channel) {
                bail!("channel {id} is no desktop; for text there is: anteroom recording cast");
            }
            Ok(channel)
        }
        None => channels
            .into_iter()
            .find(is_desktop)
            .ok_or_else(|| anyhow!("this recording has no desktop; for text there is: anteroom recording cast")),
    }
}

struct Video {
    replayer: Replayer,
    session: SessionId,
    channel: u32,
    container: Container,
    stop: Arc<AtomicBool>,
    bar: ProgressBar,
}

impl Video {
    /// Bytes of the file, and why it ends before the recording does.
    fn make(self, mut pace: Pace, placed: Option<Placed>) -> Result<(Option<u64>, Option<String>)> {
        let extent = self.extent()?;
        let title = format!("Anteroom session {}, channel {}, masked", self.session, self.channel);
        let to = placed.as_ref().map(Placed::grows);
        let mut encoder = Encoder::start(extent, pace.per_second, self.container, &title, to)?;
        let mut frames = Frames::new(extent);
        let (mut written, mut damaged, mut at) = (0u64, None, Duration::ZERO);
        self.bar.set_message("encoding");
        for shot in self.replayer.film(self.session, self.channel, Duration::ZERO, Duration::MAX)? {
            let shot = match shot {
                Ok(shot) => shot,
                Err(e) => {
                    damaged = Some(e.to_string());
                    break;
                }
            };
            at = shot.at;
            written += self.repeat(&mut encoder, &mut frames, pace.due(at))?;
            self.bar.set_position(at.as_secs());
            if let ShotKind::Damaged(why) = &shot.kind {
                damaged = Some(why.clone());
            }
            if frames.take(&shot)? {
                break;
            }
        }
        if damaged.is_none() {
            let end = self.replayer.film_parts(self.session, self.channel)?.duration;
            written += self.repeat(&mut encoder, &mut frames, pace.due(end.max(at)))?;
        }
        // The last picture is to be seen, however short it stood.
        self.repeat(&mut encoder, &mut frames, u64::from(written == 0) + 1)?;
        encoder.finish()?;
        Ok((placed.map(Placed::place).transpose()?, damaged))
    }

    /// A video has one size: that of the largest picture. Nothing is decoded for it.
    fn extent(&self) -> Result<Extent> {
        self.bar.set_message("measuring");
        let mut extent = Extent::default();
        for shot in self.replayer.film(self.session, self.channel, Duration::ZERO, Duration::MAX)? {
            let Ok(shot) = shot else { break };
            self.bar.set_position(shot.at.as_secs());
            self.go_on()?;
            extent.take(&shot);
        }
        if extent == Extent::default() { Err(anyhow!("this channel showed nothing")) } else { Ok(extent) }
    }

    fn repeat(&self, encoder: &mut Encoder, frames: &mut Frames, times: u64) -> Result<u64> {
        for _ in 0..times {
            self.go_on()?;
            encoder.write(frames.frame()).context("writing the video")?;
        }
        Ok(times)
    }

    fn go_on(&self) -> Result<()> {
        if self.stop.load(Ordering::Relaxed) { Err(anyhow!("interrupted; no file was written")) } else { Ok(()) }
    }
}
