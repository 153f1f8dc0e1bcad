//! `anteroom notify`: whether mail and webhooks work, and what could not be delivered.
use super::{
    ConfigArg, Done, JsonArg, Out, Usage,
    context::{Context, with_context},
    output::moment,
};
use anteroom_approvals::notify::MailAddress;
use anteroom_domain::Handle;
use clap::Subcommand;
use uuid::Uuid;

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
    /// Send a test over every channel of the configuration, now, and say what came of it.
    #[command(after_help = "\
Examples:
  anteroom notify test                                 every webhook
  anteroom notify test --to ops@hospital.example       the mail server too

In the configuration:
  [notify.mail]
  host = \"mail.hospital.example\"                       security = \"starttls\" (default), \"tls\", or \"none\" on this machine
  from = \"anteroom@hospital.example\"                   user and password_file if it wants a login
                                                       ca_file = \"hospital-ca.pem\" if your own authority signed its certificate
  [[notify.webhook]]
  name = \"siem\"
  url = \"https://siem.hospital.example/anteroom\"
  secret_file = \"siem.secret\"                          whsec_..., signed as standardwebhooks.com says")]
    Test {
        /// Where the test mail goes.
        #[arg(long)]
        to: Option<String>,
    },
    /// What failed or was given up, newest first.
    List,
    /// Try one again that was given up.
    Retry { id: Uuid },
    /// Where somebody is written to; without an address, nowhere.
    #[command(after_help = "Example:\n  anteroom notify address ada ada@hospital.example")]
    Address { handle: Handle, address: Option<String> },
}

fn address(text: &str) -> Result<MailAddress, Usage> {
    text.parse().map_err(|why: &str| Usage(why.to_owned()))
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    with_context!(&a.config, cx => match a.what {
        What::Test { to } => test(&cx, to, out).await,
        What::List => list(&cx, a.json.json, out).await,
        What::Retry { id } => {
            cx.approvals.retry_notice(None, id).await?;
            Ok(out.line("it is tried again by the running gateway")?)
        }
        What::Address { handle, address: to } => {
            let person = cx.person(&handle).await?;
            let to = to.as_deref().map(address).transpose()?;
            cx.approvals.set_mail_address(None, person.id, to.as_ref()).await?;
            Ok(out.line(match to {
                Some(to) => format!("{handle} is written to at {to}"),
                None => format!("{handle} is not written to any more"),
            })?)
        }
    })
}

async fn test(cx: &Context, to: Option<String>, out: &mut Out) -> Done {
    let (channels, to) = (&cx.config.channels, to.as_deref().map(address).transpose()?);
    if channels.mail.is_none() && channels.webhooks.is_empty() {
        return Err(
            Usage("the configuration has no [notify.mail] and no [[notify.webhook]]; see: anteroom notify test --help".into()).into()
        );
    }
    if to.is_some() && channels.mail.is_none() {
        return Err(Usage("--to: the configuration has no [notify.mail]".into()).into());
    }
    let mut failed = 0;
    for (channel, done) in cx.approvals.test_notices(channels, to.as_ref()).await {
        match done {
            Ok(()) => out.line(format!("{channel}: taken"))?,
            Err(e) => {
                failed += 1;
                out.line(format!("{channel}: FAILED: {e}"))?;
            }
        }
    }
    if channels.mail.is_some() && to.is_none() {
        out.line("mail: not tried; say where to with --to ADDRESS")?;
    }
    if failed > 0 { Err(anyhow::anyhow!("{failed} of the channels failed").into()) } else { Ok(()) }
}

async fn list(cx: &Context, json: bool, out: &mut Out) -> Done {
    let rows = cx.approvals.troubled_notices(None).await?;
    if json {
        return Ok(out.json(&rows)?);
    }
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|r| {
            let state = if r.dead_at.is_some() { "given up".into() } else { format!("next {}", moment(r.next_at)) };
            vec![r.id.to_string(), moment(r.at), r.channel.clone(), r.recipient.clone(), state, r.last_error.clone(), r.title.clone()]
        })
        .collect();
    Ok(out.table(&["ID", "AT", "BY", "TO", "STATE", "LAST ATTEMPT", "WHAT"], &cells, "everything was delivered")?)
}
