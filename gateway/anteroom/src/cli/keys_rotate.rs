//! `anteroom keys rotate`.
use super::{
    ConfigArg, Done, JsonArg, Out, Usage,
    context::{Context, with_context},
    keys,
};
use crate::serve::Signals;
use anteroom_domain::AuditEvent;
use anteroom_recorder::{
    PublicKey, Track,
    custody::{KeyAddress, Opener, Rotated, Rotation},
};
use anyhow::{Context as _, anyhow};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::{self, IsTerminal as _, Write as _},
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

pub(super) const EXAMPLES: &str = "\
Examples:
  anteroom keys new keys/masked-2027.key
  anteroom keys rotate --track masked --from keys/custody-masked.key --to keys/masked-2027.key.pub --keep-old
  anteroom keys rotate --track masked --from keys/custody-masked.key --to keys/masked-2027.key.pub
The first wraps to the new key as well, so that replay works with either while you change [recording] recipients and [replay] masked_key;
the second takes the old key out, of what was recorded meanwhile too.";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TrackArg {
    Masked,
    Sealed,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    json: JsonArg,
    /// Which track's envelopes.
    #[arg(long, value_enum)]
    track: TrackArg,
    /// The private key that opens them today: a file, or a pkcs11: URI.
    #[arg(long, value_name = "KEY")]
    from: String,
    /// The public key to wrap to, as its file or its line; may be given more than once.
    #[arg(long, value_name = "PUBLIC", required = true)]
    to: Vec<String>,
    /// The old key goes on opening them.
    #[arg(long)]
    keep_old: bool,
    /// Open everything, write nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(a: Args, out: &mut Out) -> Done {
    let to = a.to.iter().map(|t| keys::public(t)).collect::<anyhow::Result<Vec<_>>>()?;
    let old = KeyAddress::parse(&a.from, Path::new("")).and_then(|k| k.open()).context("--from")?;
    if to.contains(old.public()) {
        return Err(Usage("--from and --to are the same key; --keep-old keeps the old one".into()).into());
    }
    with_context!(&a.config, cx => rotate(&cx, &a, old, to, out).await)
}

async fn rotate(cx: &Context, a: &Args, old: Arc<dyn Opener>, to: Vec<PublicKey>, out: &mut Out) -> Done {
    let track = match a.track {
        TrackArg::Masked => Track::Masked,
        TrackArg::Sealed => Track::Sealed,
    };
    let from = old.public().id();
    let mut recipients: Vec<String> = to.iter().map(PublicKey::id).collect();
    let (root, keep_old, dry_run) = (cx.config.custody.recordings.clone(), a.keep_old, a.dry_run);
    let stop = Arc::new(AtomicBool::new(false));
    let work = {
        let (stop, bar) = (stop.clone(), progress());
        tokio::task::spawn_blocking(move || {
            let done = Rotation { root: &root, track, old: &*old, new: &to, keep_old, dry_run }.run(|done, all| {
                bar.set_length(all);
                bar.set_position(done);
                if stop.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            bar.finish_and_clear();
            done
        })
    };
    let mut signals = Signals::new()?;
    let watch = tokio::spawn(async move {
        // Between two recordings; what was done is written down before this ends.
        signals.stop().await;
        stop.store(true, Ordering::SeqCst);
    });
    let done = work.await.context("rotation broke; run it again to go on")?;
    watch.abort();
    if !dry_run {
        if keep_old {
            recipients.push(from.clone());
        }
        let event =
            AuditEvent::EnvelopesRewrapped { track: keys::track_name(track).into(), from: from.clone(), recipients, count: done.rewrapped };
        cx.approvals.note(event, None).await;
    }
    if a.json.json {
        out.json(&done)?;
    } else {
        out.line(told(&done, dry_run))?;
    }
    for f in &done.failures {
        writeln!(io::stderr(), "anteroom: {} {}: {}", f.session, f.file, f.why)?;
    }
    outcome(&done, &from)
}

fn told(r: &Rotated, dry_run: bool) -> String {
    let verb = if dry_run { "would be rewrapped" } else { "rewrapped" };
    let others = if r.not_for_key > 0 { format!(", {} are for other keys", r.not_for_key) } else { String::new() };
    format!("{} {verb}, {} were already{others}, {} failed", r.rewrapped, r.already, r.failed)
}

/// Exit status 0 only if nothing that this key opens is left.
fn outcome(r: &Rotated, from: &str) -> Done {
    if let Some(why) = &r.stopped {
        return Err(anyhow!("stopped: {why}; run it again to go on").into());
    }
    if r.failed > 0 {
        return Err(anyhow!("{} envelopes stay as they were; anteroom verify says what is wrong with their recordings", r.failed).into());
    }
    if r.rewrapped + r.already == 0 && r.not_for_key > 0 {
        return Err(anyhow!("no envelope of this track is for the key {from}; anteroom keys list says for whom they are").into());
    }
    Ok(())
}

/// On a terminal; stderr, so that the counts can go into a file.
fn progress() -> ProgressBar {
    let target = if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let form = "  rewrapping {bar:30} {pos}/{len} recordings ({eta} left)";
    ProgressBar::with_draw_target(None, target)
        .with_style(ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cli::Failure;

    fn ends(r: Rotated) -> Option<String> {
        match outcome(&r, "0a0b") {
            Ok(()) => None,
            Err(Failure::Failed(e)) => Some(e.to_string()),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_rotation_is_done_when_nothing_is_left_of_the_old_key() {
        assert_eq!(ends(Rotated { rewrapped: 3, already: 2, not_for_key: 1, ..Rotated::default() }), None);
        assert_eq!(ends(Rotated::default()), None, "there are no recordings");
        assert!(ends(Rotated { rewrapped: 3, failed: 1, ..Rotated::default() }).unwrap().starts_with("1 envelopes stay"));
        assert!(ends(Rotated { not_for_key: 4, ..Rotated::default() }).unwrap().contains("is for the key 0a0b"));
        let stopped = Rotated { rewrapped: 3, stopped: Some("interrupted".into()), ..Rotated::default() };
        assert_eq!(ends(stopped).unwrap(), "stopped: interrupted; run it again to go on");
    }

    #[test]
    fn what_was_done_is_one_line() {
        let r = Rotated { rewrapped: 3, already: 2, not_for_key: 1, ..Rotated::default() };
        assert_eq!(told(&r, false), "3 rewrapped, 2 were already, 1 are for other keys, 0 failed");
        assert_eq!(told(&Rotated { not_for_key: 0, ..r }, true), "3 would be rewrapped, 2 were already, 0 failed");
    }
}
