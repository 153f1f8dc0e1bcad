//! Servers and devices: how they are reached, which host keys count, what opens their accounts.
mod add;
mod change;
mod credential;
mod device;
mod keys;
mod pin;
mod place;
mod set;
mod show;
mod test;

use super::{
    ConfigArg, Done, JsonArg, Out,
    context::{Context, with_context},
};
use anteroom_domain::{Profile, Protocol, Target, TargetKind, TargetName};
use anyhow::anyhow;
use clap::{Subcommand, ValueEnum};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    json: JsonArg,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Server,
    MedicalDevice,
}

impl From<Kind> for TargetKind {
    fn from(k: Kind) -> Self {
        match k {
            Kind::Server => Self::Server,
            Kind::MedicalDevice => Self::MedicalDevice,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Speaks {
    Ssh,
    /// For devices that have nothing else; encrypts nothing, so only with --profile quarantine.
    Telnet,
    /// A desktop. Its certificate is pinned.
    Rdp,
}

impl From<Speaks> for Protocol {
    fn from(s: Speaks) -> Self {
        match s {
            Speaks::Ssh => Self::Ssh,
            Speaks::Telnet => Self::Telnet,
            Speaks::Rdp => Self::Rdp,
        }
    }
}

/// What is accepted from a target.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Accepts {
    /// Only algorithms that ssh-audit has nothing against.
    Modern,
    /// Legacy algorithms, old TLS and telnet too, toward this one target; never toward people.
    Quarantine,
}

impl From<Accepts> for Profile {
    fn from(a: Accepts) -> Self {
        match a {
            Accepts::Modern => Self::Modern,
            Accepts::Quarantine => Self::Quarantine,
        }
    }
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a server or device known. Nobody can connect before its host key or certificate is pinned.
    Add(add::Args),
    /// Change where and how a target is reached. Its name, kind and protocol stay.
    Change(change::Args),
    /// What policies ask about a target, and what stands on a device's plate.
    Set(Box<set::Args>),
    /// What a device is made of: read a software bill of materials.
    Sbom(device::SbomArgs),
    /// Which devices have a component?
    Components(device::ComponentsArgs),
    /// Whether a patient depends on it now.
    ClinicalUse(device::UseArgs),
    /// Accept only these host keys or certificates from now on: lines on stdin, or with --scan what the target offers now.
    Pin(pin::Args),
    /// Store what opens an account, sealed. It can't be read back.
    Credential(credential::Args),
    /// Everything about one target but its secrets.
    #[command(after_help = "Example:\n  anteroom target show ehr-db-1")]
    Show { name: TargetName },
    /// Can it be reached, and is it who it should be? Connects to each address, compares the host key or certificate, never signs in.
    Test(test::Args),
    /// Every target.
    #[command(after_help = "Example:\n  anteroom target list pump")]
    List {
        /// Part of a name or description.
        #[arg(default_value = "")]
        search: String,
    },
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    let json = a.json.json;
    with_context!(&a.config, cx => match a.what {
        What::Add(a) => add::run(&cx, a, json, out).await,
        What::Change(a) => change::run(&cx, a, json, out).await,
        What::Set(a) => set::run(&cx, *a, out).await,
        What::Sbom(a) => device::sbom(&cx, a, out).await,
        What::Components(a) => device::components(&cx, a, json, out).await,
        What::ClinicalUse(a) => device::clinical_use(&cx, a, out).await,
        What::Pin(a) => pin::run(&cx, a, out).await,
        What::Credential(a) => credential::run(&cx, a, out).await,
        What::Test(a) => test::run(&cx, a, json, out).await,
        What::Show { name } => show::one(&cx, &find(&cx, &name).await?, json, out).await,
        What::List { search } => show::all(&cx, &search, json, out).await,
    })
}

async fn find(cx: &Context, name: &TargetName) -> anyhow::Result<Target> {
    let found = cx.approvals.target_by_name(name).await?;
    found.ok_or_else(|| anyhow!("there is no target \"{name}\"; see: anteroom target list"))
}
