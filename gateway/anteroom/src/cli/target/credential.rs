use super::find;
use crate::cli::{Done, Failure, Out, Usage, context::Context, secret};
use anteroom_approvals::{Credential, PromptAnswer, Purpose};
use anteroom_domain::{AccountName, Secret, TargetName};
use clap::ValueEnum;
use serde::Deserialize;
use std::path::PathBuf;

const HELP: &str = "\
Examples:
  anteroom target credential ehr-db-1 dba --private-key id_dba      - instead of a file reads stdin
  anteroom target credential pump-7 service --password              asks for it; a pipe is read without asking
  anteroom target credential ehr-db-2 dba --gateway-ca              no standing secret: a certificate for each session
  anteroom target credential pacs admin --prompts pacs.toml

A file of prompts has one part for each prompt; `prompt` is any part of its text, in any case:

  [[prompt]]
  prompt = \"password\"
  answer = \"...\"
  [[prompt]]
  prompt = \"ward code\"
  answer = \"...\"";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
#[group(skip)]
pub(super) struct Args {
    name: TargetName,
    account: AccountName,
    #[command(flatten)]
    what: What,
}

/// Never the secret itself: process arguments are seen by everybody on a machine.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// A password: typed twice, or one line from a pipe.
    #[arg(long)]
    password: bool,
    /// An OpenSSH private key without a passphrase.
    #[arg(long, value_name = "FILE")]
    private_key: Option<PathBuf>,
    /// Answers to what the target asks (keyboard-interactive), as TOML.
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// Nothing to keep: the gateway signs a certificate of a few minutes for each session.
    #[arg(long)]
    gateway_ca: bool,
    /// The former way to say it, always from stdin.
    #[arg(long, value_enum, hide = true)]
    kind: Option<Kind>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Password,
    Key,
}

pub(super) async fn run(cx: &Context, a: Args, out: &mut Out) -> Done {
    let Args { name, account, what } = a;
    let target = find(cx, &name).await?;
    let by_ca = what.gateway_ca;
    let credential = what.read(&format!("password of {account} on {name}"))?;
    cx.approvals.set_credential(None, target.id, account.clone(), credential).await?;
    out.line(format!("credential of {account} on {name} stored"))?;
    if by_ca {
        out.line("the target has to trust our authority: put these lines where TrustedUserCAKeys in its sshd_config points")?;
        for authority in cx.approvals.authorities(Purpose::Target).await?.iter().filter(|a| a.retired_at.is_none()) {
            out.line(&authority.public_key)?;
        }
    }
    Ok(())
}

impl What {
    fn read(self, asks_for: &str) -> Result<Credential, Failure> {
        Ok(match self {
            Self { private_key: Some(file), .. } => Credential::PrivateKey(secret::read_file(&file)?),
            Self { prompts: Some(file), .. } => Credential::Prompts(prompts(secret::read_file(&file)?.expose())?),
            Self { gateway_ca: true, .. } => Credential::GatewayCa,
            Self { kind: Some(Kind::Key), .. } => Credential::PrivateKey(secret::read_stdin()?),
            _ => Credential::Password(secret::password(asks_for)?),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    prompt: Vec<Prompt>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Prompt {
    prompt: String,
    answer: String,
}

/// What is wrong is told by line alone: the parser's own words quote what stands there.
fn prompts(text: &str) -> Result<Vec<PromptAnswer>, Usage> {
    let file: File = toml::from_str(text).map_err(|e| {
        let line = e.span().map_or(1, |s| text.as_bytes()[..s.start.min(text.len())].iter().filter(|b| **b == b'\n').count() + 1);
        Usage(format!("prompts, line {line}: expected parts of [[prompt]] with a text prompt = \"...\" and a text answer = \"...\""))
    })?;
    Ok(file.prompt.into_iter().map(|p| PromptAnswer { prompt: p.prompt, answer: Secret::new(p.answer) }).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn given(line: &str) -> Result<Line, clap::Error> {
        Line::try_parse_from(["x", "pump-7", "service"].into_iter().chain(line.split_whitespace()))
    }

    #[test]
    fn exactly_one_kind_is_said() {
        for good in ["--password", "--private-key id", "--prompts p.toml", "--gateway-ca", "--kind key"] {
            assert!(given(good).is_ok(), "{good}");
        }
        for bad in ["", "--password --gateway-ca", "--password hunter2"] {
            assert!(given(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_of_prompts_is_read_in_its_order() {
        let read = prompts("[[prompt]]\nprompt = \"Password\"\nanswer = \"a\"\n[[prompt]]\nprompt = \"ward\"\nanswer = \"b\"\n").unwrap();
        let read: Vec<_> = read.iter().map(|p| (p.prompt.as_str(), p.answer.expose().as_str())).collect();
        assert_eq!(read, [("Password", "a"), ("ward", "b")]);
    }

    #[test]
    fn what_is_wrong_is_told_by_line_and_no_answer_is_repeated() {
        for bad in [
            "[[prompt]]\nprompt = \"Password\"\nanswer = \"hunter2\"\nanswr = \"hunter2\"\n",
            "[[prompt]]\nprompt = \"Password\"\nanswer = [\"hunter2\"]\n",
            "[[prompt]]\nanswer = \"hunter2\n",
            "prompt = \"hunter2\"\n",
        ] {
            let e = prompts(bad).unwrap_err().to_string();
            assert!(e.starts_with("prompts, line ") && !e.contains("hunter2"), "{e}");
        }
    }
}
