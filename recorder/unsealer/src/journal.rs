//! What was asked and what was answered, and which openings were used. Both are on the disk before a key leaves.
use crate::{Refusal, Warrant};
use anteroom_domain::Moment;
use anteroom_format::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

const REQUESTS: &str = "requests.jsonl";
const OPENINGS: &str = "openings.jsonl";
/// A line of the list of openings is much shorter; a longer one is not ours.
const LONGEST_LINE: u64 = 1024;

#[derive(Debug, thiserror::Error)]
#[error("{path:?}: {source}")]
pub struct JournalError {
    path: PathBuf,
    source: io::Error,
}

/// Files in the unsealer's own directory that only grow. One process at a time.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    requests: Mutex<File>,
    openings: Mutex<Openings>,
}

#[derive(Debug)]
struct Openings {
    file: File,
    /// Openings that were used, by the hash of their nonce, and when nobody could use them any more anyway.
    used: BTreeMap<String, i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Opening {
    nonce_sha256: String,
    /// Unix time at which the approval ends.
    until: i64,
}

/// One line of `requests.jsonl`. Never a key, never recorded content, and of a refused request no more than why.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Entry<'a> {
    pub(crate) at: String,
    /// Who is at the other end of the socket.
    pub(crate) peer_uid: Option<u32>,
    pub(crate) peer_pid: Option<i32>,
    pub(crate) decision: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) warrant: Option<Warranted<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) chunks: Option<usize>,
}

/// What signatures proved.
#[derive(Debug, Serialize)]
pub(crate) struct Warranted<'a> {
    unmask: anteroom_domain::UnmaskId,
    session: anteroom_domain::SessionId,
    header_sha256: &'a str,
    from_us: u64,
    until_us: u64,
    requester: &'a str,
    holders: Vec<&'a str>,
    recipient: String,
    nonce_sha256: String,
}

impl<'a> Warranted<'a> {
    pub(crate) fn of(w: &'a Warrant) -> Self {
        Self {
            unmask: w.unmask(),
            session: w.session(),
            header_sha256: w.header_sha256(),
            from_us: w.from_us(),
            until_us: w.until_us(),
            requester: w.requester_handle().as_str(),
            holders: w.holders().iter().map(anteroom_domain::Handle::as_str).collect(),
            recipient: w.recipient().id(),
            nonce_sha256: name(w.nonce()),
        }
    }
}

impl Journal {
    /// Opens the files in `dir`, which is there; one unsealer a directory. Openings that ended before `now` are forgotten.
    pub fn open(dir: &Path, now: Moment) -> Result<Self, JournalError> {
        let requests = append(&dir.join(REQUESTS))?;
        let at = |source| JournalError { path: dir.join(REQUESTS), source };
        if requests.try_lock().is_err() {
            return Err(at(io::Error::other("in use by another unsealer")));
        }
        let path = dir.join(OPENINGS);
        let used = read_openings(&path, now).map_err(|source| JournalError { path: path.clone(), source })?;
        let file = rewrite(dir, &used).map_err(|source| JournalError { path, source })?;
        Ok(Self { dir: dir.into(), requests: Mutex::new(requests), openings: Mutex::new(Openings { file, used }) })
    }

    /// Decides with `judge`, which is told the used openings, and uses up the warrant's before anybody else can: durably, or not at all.
    pub fn claim(
        &self,
        judge: impl FnOnce(&dyn Fn(&str) -> bool) -> Result<Warrant, Refusal>,
    ) -> Result<Result<Warrant, Refusal>, JournalError> {
        let mut openings = self.openings.lock().unwrap_or_else(PoisonError::into_inner);
        let warrant = match judge(&|nonce| openings.used.contains_key(&name(nonce))) {
            Ok(warrant) => warrant,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let opening = Opening { nonce_sha256: name(warrant.nonce()), until: warrant.expires_at().unix_timestamp() };
        put(&mut openings.file, &opening).map_err(|source| JournalError { path: self.dir.join(OPENINGS), source })?;
        openings.used.insert(opening.nonce_sha256, opening.until);
        Ok(Ok(warrant))
    }

    /// Writes a line, durably.
    pub(crate) fn log(&self, entry: &Entry<'_>) -> Result<(), JournalError> {
        let mut file = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        put(&mut file, entry).map_err(|source| JournalError { path: self.dir.join(REQUESTS), source })
    }
}

/// As long as any other, whatever somebody signed as a nonce.
fn name(nonce: &str) -> String {
    hex(&Sha256::digest(nonce))
}

fn put(file: &mut File, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_data()
}

fn append(path: &Path) -> Result<File, JournalError> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(|source| JournalError { path: path.into(), source })
}

/// A line that was cut when the machine died is the last one; its opening released nothing.
fn read_openings(path: &Path, now: Moment) -> io::Result<BTreeMap<String, i64>> {
    let mut used = BTreeMap::new();
    let mut reader = match File::open(path) {
        Ok(file) => BufReader::new(file),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(used),
        Err(e) => return Err(e),
    };
    let mut line = Vec::new();
    loop {
        line.clear();
        if io::Read::take(&mut reader, LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(used);
        }
        match serde_json::from_slice::<Opening>(&line) {
            Ok(o) if o.until > now.unix_timestamp() => drop(used.insert(o.nonce_sha256, o.until)),
            Ok(_) => {}
            Err(_) if line.last() != Some(&b'\n') => return Ok(used),
            Err(_) => return Err(io::Error::other("a line is not understood")),
        }
    }
}

/// The list without what is over, put in place at once.
fn rewrite(dir: &Path, used: &BTreeMap<String, i64>) -> io::Result<File> {
    let tmp = dir.join(format!("{OPENINGS}.tmp"));
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&tmp)?;
    for (nonce, until) in used {
        serde_json::to_writer(&mut file, &Opening { nonce_sha256: nonce.clone(), until: *until })?;
        file.write_all(b"\n")?;
    }
    file.sync_all()?;
    std::fs::rename(&tmp, dir.join(OPENINGS))?;
    File::open(dir)?.sync_all()?;
    Ok(file)
}
