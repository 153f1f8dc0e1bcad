//! The command line. Reading it is here; what each command does is in a file of its own.
mod audit;
mod bundle;
mod bundle_read;
mod ca;
mod card;
mod check;
mod commands;
mod company;
mod context;
mod demo;
mod feed;
mod grant;
mod keys;
mod keys_rotate;
mod lock;
mod login;
mod mask;
mod migrate;
mod notify;
mod output;
mod person;
mod policy;
mod progress;
mod recording;
mod recording_cast;
mod recording_keep;
mod recording_search;
mod secret;
mod serve;
mod session;
mod ssh_config;
mod target;
mod unsealer;
mod verify;
mod verify_keys;
mod video;

use clap::{Args, Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

pub(crate) use output::Out;
pub(crate) use person::enrol_link;

const EXIT_CODES: &str = "\
Exit status:
  0  done
  1  failed
  2  wrong usage or configuration
  3  verification found damage";

const EXAMPLES: &str = "\
Examples:
  anteroom demo                                  everything on this machine, with made-up people
  anteroom keys generate --dir /etc/anteroom/keys
  anteroom check-config --config /etc/anteroom/anteroom.toml
  anteroom serve --config /etc/anteroom/anteroom.toml
  anteroom person add ada --name \"Ada Example\" --role admin
  anteroom login --portal https://bastion.hospital.example
  anteroom verify session.anteroom               offline, without our database or keys";

/// Privileged access with passkeys, approvals and masked recordings.
#[derive(Debug, Parser)]
#[command(name = "anteroom", version, about, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"), disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Which gateway a command is about.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigArg {
    /// The gateway's configuration file.
    #[arg(long, short, env = "ANTEROOM_CONFIG", value_name = "FILE", global = true, default_value = "anteroom.toml")]
    config: PathBuf,
}

/// Data as people read it or as programs do.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct JsonArg {
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway and the portal until SIGTERM; SIGHUP reloads what can be reloaded.
    Serve(serve::Args),
    /// Everything on this machine with made-up people, targets and patients.
    Demo(demo::Args),
    /// Bring the database's schema up to date.
    Migrate(ConfigArg),
    /// Read the configuration and say what is wrong with it; starts nothing.
    CheckConfig(ConfigArg),
    /// People: add, suspend, hand out enrolment links.
    Person(person::Args),
    /// Vendor companies: contracts, which targets they keep, whether their people are watched.
    Company(company::Args),
    /// Servers and devices: add, pin host keys, store credentials.
    Target(target::Args),
    /// Policies: who may reach what, and what is asked in return. Check, test, set, explain.
    Policy(policy::Args),
    /// Shut a person, a target or a company out at once: running sessions end, nothing new begins until it is unlocked.
    Lock(lock::LockArgs),
    /// Lift a lock; grants that have not ended count again.
    Unlock(lock::UnlockArgs),
    /// The locks that count, newest first.
    Locks(lock::ListArgs),
    /// Programs that tell us something: whether devices are in clinical use, what state people's machines are in. Let in, shut out.
    Feed(feed::Args),
    /// Rights to connect.
    Grant(grant::Args),
    /// Sealed break-glass cards: list, show, revoke. They are made in the portal, by two key-holders.
    Card(card::Args),
    /// Rules about commands: check a file of them.
    Commands(commands::Args),
    /// Connections, running and past.
    Session(session::Args),
    /// The authorities that sign certificates: show, rotate, retire.
    Ca(ca::Args),
    /// Mail and webhooks: try them, see what failed.
    Notify(notify::Args),
    /// What people's ssh clients need: lines for ~/.ssh/config and ~/.ssh/known_hosts.
    SshConfig(ssh_config::Args),
    /// On your own machine: get a short-lived SSH certificate with your passkey. Needs no configuration file.
    Login(login::Args),
    /// Recordings: list, search, export, play masked, hold, shred.
    Recording(recording::Args),
    /// The log of every decision.
    Audit(audit::Args),
    /// Check an exported bundle offline: signatures, log, recording. Needs no database and no key.
    Verify(verify::Args),
    /// Mask patient data in a terminal recording: asciicast in, asciicast out.
    Mask(mask::Args),
    /// Keys of an installation and of recordings: make, list, rotate.
    Keys(keys::Args),
    /// The process that holds the sealed keys and releases approved intervals.
    Unsealer(unsealer::Args),
}

/// What a command that did not simply succeed ends with.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Exit status 1.
    Failed(anyhow::Error),
    /// Exit status 2.
    Usage(anyhow::Error),
    /// Exit status 3; what is damaged was printed already.
    Damaged,
}

/// Something the caller has to say otherwise; exit status 2 wherever it is found.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(e: E) -> Self {
        let e = e.into();
        if e.is::<crate::config::ConfigError>() || e.is::<Usage>() { Self::Usage(e) } else { Self::Failed(e) }
    }
}

pub(crate) type Done = Result<(), Failure>;

pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(r) => r,
        Err(e) => return report(Failure::Failed(e.into())),
    };
    match runtime.block_on(dispatch(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(f) => report(f),
    }
}

async fn dispatch(command: Command) -> Done {
    let mut out = Out::stdout();
    match command {
        Command::Serve(a) => Box::pin(serve::run(a)).await,
        Command::Demo(a) => demo::run(a, &mut out).await,
        Command::Migrate(c) => Box::pin(migrate::run(&c, &mut out)).await,
        Command::CheckConfig(c) => check::run(&c, &mut out),
        Command::Policy(a) => Box::pin(policy::run(a, &mut out)).await,
        Command::Person(a) => Box::pin(person::run(a, &mut out)).await,
        Command::Target(a) => target::run(a, &mut out).await,
        Command::Company(a) => company::run(a, &mut out).await,
        Command::Lock(a) => lock::lock(a, &mut out).await,
        Command::Unlock(a) => lock::unlock(a, &mut out).await,
        Command::Locks(a) => lock::list(a, &mut out).await,
        Command::Feed(a) => Box::pin(feed::run(a, &mut out)).await,
        Command::Grant(a) => grant::run(a, &mut out).await,
        Command::Card(a) => card::run(a, &mut out).await,
        Command::Commands(a) => commands::run(&a, &mut out),
        Command::Session(a) => session::run(a, &mut out).await,
        Command::Ca(a) => ca::run(a, &mut out).await,
        Command::Notify(a) => notify::run(a, &mut out).await,
        Command::SshConfig(a) => ssh_config::run(a, &mut out).await,
        Command::Login(a) => login::run(a, &mut out).await,
        Command::Recording(a) => recording::run(a, &mut out).await,
        Command::Audit(a) => audit::run(a, &mut out).await,
        Command::Verify(a) => verify::run(&a, &mut out),
        Command::Mask(a) => mask::run(&a, &mut out),
        Command::Keys(a) => keys::run(a, &mut out).await,
        Command::Unsealer(a) => unsealer::run(a, &mut out).await,
    }
}

fn report(f: Failure) -> ExitCode {
    let (code, error) = match f {
        Failure::Failed(e) => (1, Some(e)),
        Failure::Usage(e) => (2, Some(e)),
        Failure::Damaged => (3, None),
    };
    match error {
        // Somebody closed the pipe we print into: `anteroom audit tail | head`.
        Some(e) if e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) => {
            return ExitCode::SUCCESS;
        }
        Some(e) => eprintln_chain(&e),
        None => {}
    }
    ExitCode::from(code)
}

/// One line a message: what failed, and why.
fn eprintln_chain(e: &anyhow::Error) {
    use std::io::Write as _;
    let mut text = format!("anteroom: {e}");
    let mut last = e.to_string();
    for cause in e.chain().skip(1) {
        let cause = cause.to_string();
        // Some errors already say what their source says.
        if !last.contains(&cause) {
            text = format!("{text}: {cause}");
        }
        last = cause;
    }
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    /// The commands of ours in a text: one a line, with a word of explanation or a pipe around it.
    fn commands(text: &str) -> Vec<Vec<String>> {
        let command = |part: &str| {
            let part = part.trim_start().strip_prefix("anteroom ")?;
            let end = [" #", "    ", " > ", " >> ", " < "].iter().filter_map(|e| part.find(e)).min().unwrap_or(part.len());
            let quoted = part[..end].split('"').enumerate();
            let words = quoted.flat_map(|(i, s)| if i % 2 == 1 { vec![s] } else { s.split_whitespace().collect() });
            Some(words.map(|w| w.replace("ID", "0198f2b4-0000-7000-8000-000000000001")).collect())
        };
        text.lines().flat_map(|l| l.split(" | ")).flat_map(|l| l.split(" && ")).filter_map(command).collect()
    }

    fn assert_understood(from: &str, text: &str) -> usize {
        let all = commands(text);
        for words in &all {
            let line = ["anteroom".to_owned()].into_iter().chain(words.iter().cloned());
            assert!(Cli::try_parse_from(line).is_ok(), "{from}: {words:?}");
        }
        all.len()
    }

    #[test]
    fn every_example_of_every_help_is_understood() {
        fn walk(command: &clap::Command) -> usize {
            let own = command.get_after_help().map_or(0, |h| assert_understood(command.get_name(), &h.to_string()));
            own + command.get_subcommands().map(walk).sum::<usize>()
        }
        assert!(walk(&Cli::command()) > 20);
    }

    #[test]
    fn every_command_of_the_guides_is_understood() {
        for (name, text) in [
            ("operator-quick-start", include_str!("../../../../docs/operator-quick-start.md")),
            ("admin", include_str!("../../../../docs/guides/admin.md")),
            ("operator", include_str!("../../../../docs/guides/operator.md")),
            ("unsealer", include_str!("../../../../docs/guides/unsealer.md")),
            ("policies", include_str!("../../../../docs/guides/policies.md")),
            ("posture", include_str!("../../../../docs/guides/posture.md")),
            ("operator", include_str!("../../../../docs/guides/operator.md")),
        ] {
            assert!(assert_understood(name, text) > 0, "{name}");
        }
    }
}
