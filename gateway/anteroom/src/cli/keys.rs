use super::{ConfigArg, Done, JsonArg, Out, keys_rotate};
use crate::config;
use anteroom_recorder::{
    PublicKey, Track,
    custody::{self, KeyAddress, Survey},
};
use anyhow::Context as _;
use clap::Subcommand;
use serde::Serialize;
use std::path::{Path, PathBuf};

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
    /// Make one key pair for a track, in a file or in a PKCS#11 token, and print its public line.
    #[command(after_help = "\
Examples:
  anteroom keys new /etc/anteroom/keys/masked-2027.key
  anteroom keys new \"pkcs11:token=anteroom;object=masked-2027?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/anteroom/keys/pin\" > masked-2027.key.pub")]
    New {
        /// A path that is not there yet (X25519; FILE.pub is made too), or a pkcs11: URI (P-256, never leaves the token).
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// Which recipients are configured, and to whom the recordings' envelopes are wrapped.
    List {
        #[command(flatten)]
        config: ConfigArg,
        #[command(flatten)]
        json: JsonArg,
    },
    /// Wrap what one key opens to another, in every recording. Reads and writes envelopes only; run again, it does what is left.
    #[command(after_help = keys_rotate::EXAMPLES)]
    Rotate(keys_rotate::Args),
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    match a.what {
        What::Generate { dir } => generate(&dir, out),
        What::New { key } => new(&key, out),
        What::List { config, json } => list(&config, json.json, out),
        What::Rotate(args) => keys_rotate::run(args, out).await,
    }
}

fn generate(dir: &Path, out: &mut Out) -> Done {
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

fn new(key: &str, out: &mut Out) -> Done {
    let (public, place) = match KeyAddress::parse(key, Path::new(""))? {
        KeyAddress::File(path) => (custody::generate_files(&path)?, format!("in {}.pub", path.display())),
        KeyAddress::Pkcs11(uri) => (custody::generate_in_token(&uri)?, "the line above".into()),
    };
    out.line(public.to_string())?;
    if out.is_terminal() {
        out.line("")?;
        out.line(format!("Its public half ({place}) goes into [recording] recipients of each gateway: new sessions are recorded to it."))?;
        out.line("Its private half is named by [replay] masked_key where auditors replay, or by keys in a key-holder's unsealer.toml.")?;
        out.line("What is recorded already is rewrapped to it by: anteroom keys rotate")?;
    }
    Ok(())
}

#[derive(Debug, Serialize)]
struct Listed {
    track: Track,
    envelopes: u64,
    unreadable: u64,
    keys: Vec<ListedKey>,
}

#[derive(Debug, Serialize)]
struct ListedKey {
    id: String,
    /// The public line, where the configuration has it.
    public: Option<PublicLine>,
    /// New recordings are written to it.
    configured: bool,
    envelopes: u64,
}

type PublicLine = String;

fn list(config: &ConfigArg, json: bool, out: &mut Out) -> Done {
    let config = config::load(&config.config)?;
    let r = &config.custody.recipients;
    let all: Vec<_> = [(Track::Masked, vec![r.masked]), (Track::Sealed, r.sealed.to_vec())]
        .into_iter()
        .map(|(track, now)| listed(track, &now, custody::survey(&config.custody.recordings, track)))
        .collect();
    if json {
        return Ok(out.json(&all)?);
    }
    let row = |t: &Listed, k: &ListedKey| {
        let state = if k.configured { "new recordings are for it" } else { "not configured" };
        vec![track_name(t.track).to_owned(), k.id.clone(), k.envelopes.to_string(), state.to_owned()]
    };
    let rows: Vec<_> = all.iter().flat_map(|t| t.keys.iter().map(|k| row(t, k))).collect();
    out.table(&["TRACK", "KEY", "ENVELOPES", "STATE"], &rows, "no recipients")?;
    let unreadable: u64 = all.iter().map(|t| t.unreadable).sum();
    if unreadable > 0 {
        return Err(anyhow::anyhow!("{unreadable} envelopes cannot be read; anteroom verify says which").into());
    }
    Ok(())
}

/// Configured ones first, then those that old recordings still name.
fn listed(track: Track, now: &[PublicKey], mut found: Survey) -> Listed {
    let mut keys: Vec<_> = now
        .iter()
        .map(|k| {
            let envelopes = found.recipients.remove(&k.id()).unwrap_or_default();
            ListedKey { id: k.id(), public: Some(k.to_string()), configured: true, envelopes }
        })
        .collect();
    keys.extend(found.recipients.into_iter().map(|(id, envelopes)| ListedKey { id, public: None, configured: false, envelopes }));
    Listed { track, envelopes: found.envelopes, unreadable: found.unreadable, keys }
}

pub(super) fn track_name(track: Track) -> &'static str {
    match track {
        Track::Masked => "masked",
        Track::Sealed => "sealed",
    }
}

/// A public key as its line or the file that has it.
pub(super) fn public(written: &str) -> anyhow::Result<PublicKey> {
    if PublicKey::is_line(written) {
        return written.parse().context("--to");
    }
    custody::read_public(Path::new(written)).context("--to")
}
