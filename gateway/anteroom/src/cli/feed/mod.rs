//! Programs that tell us something: whether devices are in clinical use, or what state people's machines are in.
mod report;

use super::{ConfigArg, Done, JsonArg, Out, context::with_context, output::moment};
use anteroom_approvals::{Feed, FeedKind};
use anteroom_domain::{DeviceName, Handle};
use anteroom_posture::FeedKey;
use anyhow::Context as _;
use clap::Subcommand;
use std::path::{Path, PathBuf};

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
    /// Let a program in. With --key it is a device manager that signs reports of people's machines; without, one that says whether devices
    /// are in clinical use (a nurses' station, a location system), and its token is printed, once.
    #[command(after_help = "\
Examples:
  anteroom feed add nurses-4b
  anteroom feed add device-manager --key device-manager.pub

The first then says what it knows with:
  PUT https://PORTAL/api/v1/devices/NAME/clinical-use   Authorization: Bearer TOKEN   {\"state\": \"in_use\"}
The second with:
  POST https://PORTAL/api/v1/posture   signed as Standard Webhooks says (v1a); see docs/guides/posture.md")]
    Add {
        name: String,
        /// Its Ed25519 public key, or the file that holds it: whpk_..., what \"openssl pkey -pubout\" writes, or a line ssh-ed25519.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// It may say nothing any more; what it reported of machines counts no more.
    Revoke { name: String },
    /// All of them, revoked ones too.
    List,
    /// Make a key for a device manager: the secret one into a file, the public one is printed. Needs no configuration.
    #[command(after_help = "Example:\n  anteroom feed key device-manager.key > device-manager.pub")]
    Key {
        /// A path that is not there yet; made 0600.
        file: PathBuf,
    },
    /// Sign a report and send it, as a device manager does. Needs no configuration.
    #[command(after_help = report::EXAMPLES)]
    Report(report::Args),
    /// People's machines, as they were reported last.
    Machines {
        /// Of one person only.
        person: Option<Handle>,
    },
    /// Forget a machine. It is known again when it is reported again.
    Forget { person: Handle, device: DeviceName },
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    match a.what {
        What::Key { file } => return report::make_key(&file, out),
        What::Report(args) => return report::run(args, out).await,
        _ => {}
    }
    with_context!(&a.config, cx => match a.what {
        What::Add { name, key: None } => {
            let token = cx.approvals.add_feed(None, &name).await?;
            Ok(out.line(token.expose())?)
        }
        What::Add { name, key: Some(key) } => {
            cx.approvals.add_posture_feed(None, &name, &public_key(&key)?).await?;
            Ok(out.line(format!("{name} may report machines now"))?)
        }
        What::Revoke { name } => {
            cx.approvals.revoke_feed(None, &name).await?;
            Ok(out.line(format!("{name} may say nothing any more"))?)
        }
        What::List => {
            let feeds = cx.approvals.feeds().await?;
            if a.json.json {
                return Ok(out.json(&feeds)?);
            }
            let rows: Vec<_> = feeds.into_iter().map(row).collect();
            Ok(out.table(&["NAME", "SAYS", "SINCE", "REVOKED"], &rows, "nobody yet; add a program with: anteroom feed add")?)
        }
        What::Machines { person } => {
            let person = match &person {
                Some(handle) => Some(cx.person(handle).await?.id),
                None => None,
            };
            let machines = cx.approvals.machines(person).await?;
            if a.json.json {
                return Ok(out.json(&machines)?);
            }
            let rows: Vec<_> = machines.into_iter().map(machine).collect();
            let head = ["PERSON", "DEVICE", "REPORTED", "DISK", "SECURE BOOT", "PROTECTION", "OS", "FEED"];
            Ok(out.table(&head, &rows, "no machine is reported; see docs/guides/posture.md")?)
        }
        What::Forget { person, device } => {
            let person = cx.person(&person).await?;
            cx.approvals.forget_machine(None, person.id, &device).await?;
            Ok(out.line(format!("{device} is forgotten"))?)
        }
        What::Key { .. } | What::Report(_) => Ok(()),
    })
}

fn row(f: Feed) -> Vec<String> {
    let says = match f.kind {
        FeedKind::ClinicalUse => "clinical use",
        FeedKind::Posture => "machines",
    };
    vec![f.name, says.into(), moment(f.made_at), f.revoked_at.map_or_else(String::new, moment)]
}

fn machine(m: anteroom_approvals::MachineRow) -> Vec<String> {
    let on = |yes| if yes { "on".to_owned() } else { "off".to_owned() };
    let p = m.machine.posture;
    let state = [on(p.disk_encrypted), on(p.secure_boot), on(p.endpoint_protection)];
    [vec![m.person, m.machine.device.into(), moment(p.reported_at)], state.into(), vec![p.os, m.feed]].concat()
}

/// The key itself, or the file that holds it.
fn public_key(given: &str) -> anyhow::Result<FeedKey> {
    if let Ok(key) = FeedKey::read(given) {
        return Ok(key);
    }
    if Path::new(given).exists() {
        let text = std::fs::read_to_string(given).with_context(|| format!("reading {given}"))?;
        return FeedKey::read(&text).with_context(|| given.to_owned());
    }
    Ok(FeedKey::read(given)?)
}
