use super::{Done, Out};
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make every key that is missing; keys that are there stay as they are.
    #[command(after_help = "Example:\n  anteroom keys generate --dir /etc/anteroom/keys")]
    Generate {
        /// Where; made 0700.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
}

pub(crate) fn run(a: &Args, out: &mut Out) -> Done {
    let What::Generate { dir } = &a.what;
    let made = crate::keys::generate(dir)?;
    for name in &made {
        out.line(dir.join(name).display().to_string())?;
    }
    if made.is_empty() {
        out.line("all keys were there already")?;
    } else if out.is_terminal() {
        out.line("")?;
        out.line("Before real use: a gateway must not be able to read what it records. Move custody-masked.key to where auditors replay,")?;
        out.line("and custody-sealed-a.key and -b.key to two key-holders; only their .pub files stay.")?;
    }
    Ok(())
}
