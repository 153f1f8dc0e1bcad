use super::{Done, Out, Usage};
use crate::login::{Answer, Asked, Identity, Issued, Portal, home, origin, recall, remember, until};
use anyhow::{Context as _, anyhow};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use time::OffsetDateTime;

/// Between two looks whether somebody has answered.
const LOOK: Duration = Duration::from_secs(2);
/// A portal that never says that it took too long is not believed for longer.
const PATIENCE: Duration = Duration::from_secs(600);
/// Looks in a row that may fail: a laptop changes its network.
const MISSED: u32 = 5;

const HELP: &str = "\
Examples:
  anteroom login --portal https://bastion.hospital.example     the address is remembered
  anteroom login && ansible-playbook -i inventory site.yml     no passkey while the certificate counts
  anteroom login --print | ssh-keygen -L -f -                  what is in it

The certificate counts from the address this machine has toward the portal, for the time your operator chose (usually an hour).

Exit status: 0 written, 1 refused or nobody answered, 2 wrong usage.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The portal's address; by default the one of the last login.
    #[arg(long, env = "ANTEROOM_PORTAL", value_name = "URL")]
    portal: Option<String>,
    /// The private key; made if it does not exist, never changed if it does [default: ~/.ssh/anteroom_ed25519].
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Print the certificate itself on stdout, and nothing else there.
    #[arg(long)]
    print: bool,
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    // The calls block; so does the wait between them.
    let (issued, host) = tokio::task::spawn_blocking({
        let (portal, key) = (a.portal, a.key);
        move || log_in(portal.as_deref(), key)
    })
    .await??;
    if a.print {
        return Ok(out.line(&issued.line)?);
    }
    for line in summary(&issued, &host, OffsetDateTime::now_utc()) {
        out.line(line)?;
    }
    Ok(())
}

/// The whole story. People's words go to stderr; what came of it is the caller's to print.
fn log_in(portal: Option<&str>, key: Option<PathBuf>) -> anyhow::Result<(Issued, String)> {
    let given = match portal {
        Some(p) => p.to_owned(),
        None => recall()?.ok_or_else(|| Usage("which portal? say it once with: anteroom login --portal https://HOST".into()))?,
    };
    let origin = origin(&given)?;
    let key = match key {
        Some(k) => k,
        None => home()?.join(".ssh").join("anteroom_ed25519"),
    };
    let identity = Identity::open_or_make(&key)?;
    if identity.made {
        tell(&format!("made a new key: {}", identity.file().display()));
    }
    let portal = Portal::at(origin.clone())?;
    let asked = portal.ask(&identity.public_line()?)?;
    tell(&instructions(&asked));
    let issued = identity.check(&wait(&portal, &asked)?, OffsetDateTime::now_utc())?;
    issued.write()?;
    if let Err(e) = remember(origin.as_str()) {
        tell(&format!("the portal's address could not be remembered: {e}"));
    }
    Ok((issued, origin.host_str().unwrap_or_default().to_owned()))
}

fn instructions(asked: &Asked) -> String {
    format!(
        "\nOpen this link, compare the number, and confirm with your passkey:\n\n  {}\n\n  number  {}\n\n\
         If you did not run this yourself, or the page shows something else, refuse it there.\n",
        asked.link, asked.number
    )
}

fn wait(portal: &Portal, asked: &Asked) -> anyhow::Result<String> {
    let waiting = spinner();
    let (began, mut missed) = (Instant::now(), 0);
    let end = loop {
        std::thread::sleep(LOOK);
        let left = asked.expires_at - OffsetDateTime::now_utc();
        waiting.set_message(format!("waiting for your passkey ({} s left)", left.whole_seconds().max(0)));
        match portal.poll(asked) {
            Ok(Answer::Ready(certificate)) => break Ok(certificate),
            Ok(Answer::Refused) => break Err(anyhow!("it was refused in the portal; nothing was written")),
            Ok(Answer::Expired) => break Err(anyhow!("nobody confirmed it in time; run anteroom login again")),
            Ok(Answer::Pending) => missed = 0,
            Err(e) if missed >= MISSED => break Err(e).context("gave up waiting"),
            Err(_) => missed += 1,
        }
        if began.elapsed() > PATIENCE {
            break Err(anyhow!("the portal gave no answer within {} minutes; run anteroom login again", PATIENCE.as_secs() / 60));
        }
    };
    waiting.finish_and_clear();
    end
}

/// On stderr, and only where somebody looks.
fn spinner() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    bar.set_message("waiting for your passkey");
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn summary(issued: &Issued, host: &str, now: OffsetDateTime) -> [String; 2] {
    let key = issued.file.to_string_lossy();
    let key = Path::new(key.trim_end_matches("-cert.pub")).display();
    [
        format!("certificate for {} in {}, counts until {}", issued.handle, issued.file.display(), until(issued.until, now)),
        format!("ssh -i {} ACCOUNT@TARGET@{host}", shell_word(&key.to_string())),
    ]
}

/// Quoted if a shell would read it otherwise.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_summary_is_two_lines_that_can_be_used() {
        let now = OffsetDateTime::from_unix_timestamp(1_767_225_600).unwrap();
        let issued = Issued {
            file: "/home/ada/my keys/id-cert.pub".into(),
            line: String::new(),
            handle: "ada".into(),
            until: now + Duration::from_secs(3600),
        };
        let [what, command] = summary(&issued, "bastion.example", now);
        assert_eq!(what, "certificate for ada in /home/ada/my keys/id-cert.pub, counts until 01:00 UTC (in 1 hour)");
        assert_eq!(command, "ssh -i '/home/ada/my keys/id' ACCOUNT@TARGET@bastion.example");
    }

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(shell_word("/home/ada/.ssh/id"), "/home/ada/.ssh/id");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
    }
}
