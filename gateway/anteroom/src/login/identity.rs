//! The key pair and certificate that `anteroom login` keeps, in the files that OpenSSH looks for.
//!
//! A key is made where none is and never written again. A certificate file is replaced only if an earlier login wrote it.
use crate::cli::Usage;
use anyhow::{Context as _, Result, anyhow, bail};
use ssh_key::{Certificate, PrivateKey, PublicKey, certificate::CertType, private::Ed25519Keypair};
use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Comment of the certificates written here; how a later login knows them.
const MARK: &str = "anteroom";
/// No key or certificate file is longer.
const MAX_FILE: u64 = 64 * 1024;

/// A key pair on this machine.
#[derive(Debug)]
pub(crate) struct Identity {
    file: PathBuf,
    public: PublicKey,
    /// True if it was made just now.
    pub(crate) made: bool,
}

/// A certificate that fits the key.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) file: PathBuf,
    /// OpenSSH line with a comment.
    pub(crate) line: String,
    pub(crate) handle: String,
    pub(crate) until: OffsetDateTime,
}

impl Identity {
    /// The key in `file`, made if there is none.
    pub(crate) fn open_or_make(file: &Path) -> Result<Self> {
        let certificate = with_suffix(file, "-cert.pub");
        if certificate.exists() && !is_ours(&certificate) {
            let why = format!(
                "{} is a certificate that did not come from anteroom login, and stays; choose another key with --key FILE",
                certificate.display()
            );
            return Err(Usage(why).into());
        }
        if !file.exists() {
            return Self::make(file);
        }
        let mode = fs::metadata(file).with_context(|| format!("cannot look at {}", file.display()))?.mode() & 0o7777;
        if mode & 0o077 != 0 {
            bail!(Usage(format!("{0} may be read by others (mode {mode:04o}); make it private with: chmod 600 {0}", file.display())));
        }
        // The public half stands in clear in a private key file too, also when that has a passphrase.
        let text = Zeroizing::new(read(file)?);
        let public = PrivateKey::from_openssh(text.as_bytes()).map(|k| k.public_key().clone());
        let public = public.map_err(|_| {
            Usage(format!("{} is not an OpenSSH private key; nothing was changed. Choose another with --key FILE", file.display()))
        })?;
        Ok(Self { file: file.to_owned(), public, made: false })
    }

    fn make(file: &Path) -> Result<Self> {
        if let Some(dir) = file.parent().filter(|d| !d.as_os_str().is_empty() && !d.exists()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        }
        let mut seed = Zeroizing::new([0u8; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|_| anyhow!("the system gives no random bytes"))?;
        let key = PrivateKey::new(Ed25519Keypair::from_seed(&seed).into(), MARK).context("cannot make a key")?;
        let pem = key.to_openssh(ssh_key::LineEnding::LF).context("cannot write the key")?;
        let public = key.public_key().clone();
        write_new(file, 0o600, pem.as_bytes()).with_context(|| format!("cannot write {}", file.display()))?;
        // Not needed by ssh, but by people who look for it; one that is there belongs to something else and stays.
        let pub_file = with_suffix(file, ".pub");
        match write_new(&pub_file, 0o644, format!("{}\n", public.to_openssh()?).as_bytes()) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
                return Err(e).with_context(|| format!("cannot write {}", pub_file.display()));
            }
            _ => {}
        }
        Ok(Self { file: file.to_owned(), public, made: true })
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Without its comment, which is nobody else's business.
    pub(crate) fn public_line(&self) -> Result<String> {
        let mut key = self.public.clone();
        key.set_comment("");
        Ok(key.to_openssh()?)
    }

    /// What the portal handed out, if it is what was asked for.
    pub(crate) fn check(&self, certificate: &str, now: OffsetDateTime) -> Result<Issued> {
        let wrong = |why: &str| anyhow!("the portal answered with {why}; nothing was written. Tell your operator");
        let mut c = Certificate::from_openssh(certificate.trim()).map_err(|_| wrong("something that is no certificate"))?;
        if c.public_key() != self.public.key_data() {
            return Err(wrong("a certificate for another key"));
        }
        if c.cert_type() != CertType::User {
            return Err(wrong("a certificate that is not for a person"));
        }
        let until = i64::try_from(c.valid_before()).ok().and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
        let until =
            until.filter(|u| *u > now).ok_or_else(|| wrong("a certificate that is over already (is this machine's clock right?)"))?;
        let handle = match c.valid_principals() {
            [one] if one.chars().all(|c| c.is_ascii_graphic()) => one.clone(),
            _ => return Err(wrong("a certificate that names nobody")),
        };
        c.set_comment(MARK);
        Ok(Issued { file: with_suffix(&self.file, "-cert.pub"), line: c.to_openssh()?, handle, until })
    }
}

impl Issued {
    /// Takes the place of an earlier one in one step.
    pub(crate) fn write(&self) -> Result<()> {
        let dir = self.file.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let put = || -> io::Result<()> {
            let mut new = tempfile::NamedTempFile::new_in(dir)?;
            new.write_all(format!("{}\n", self.line).as_bytes())?;
            new.as_file().sync_all()?;
            new.persist(&self.file)?;
            Ok(())
        };
        put().with_context(|| format!("cannot write {}", self.file.display()))
    }
}

/// As people say it: the clock of this machine's day, in UTC, and how long from now.
pub(crate) fn until(moment: OffsetDateTime, now: OffsetDateTime) -> String {
    let minutes = (moment - now).whole_minutes().max(0);
    let left = match (minutes / 60, minutes % 60) {
        (0, 1) => "1 minute".to_owned(),
        (0, m) => format!("{m} minutes"),
        (1, 0) => "1 hour".to_owned(),
        (h, 0) => format!("{h} hours"),
        (h, m) => format!("{h} h {m} min"),
    };
    format!("{:02}:{:02} UTC (in {left})", moment.hour(), moment.minute())
}

fn is_ours(certificate: &Path) -> bool {
    read(certificate).ok().and_then(|t| Certificate::from_openssh(t.trim()).ok()).is_some_and(|c| c.comment() == MARK)
}

fn read(path: &Path) -> Result<String> {
    use std::io::Read as _;
    let file = fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut text = String::new();
    file.take(MAX_FILE).read_to_string(&mut text).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text)
}

fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// `id` and `-cert.pub` make `id-cert.pub`, as OpenSSH does.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
