//! Checkpoints kept in plain files beside the database: whoever rewrites the database has not rewritten these.
use super::note;
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

/// The one file; a line for each checkpoint, only ever appended to.
const FILE: &str = "checkpoints.jsonl";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) size: u64,
    pub(crate) note: String,
}

fn path(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// Appends and makes it durable.
pub(crate) fn append(dir: &Path, size: u64, note: &str) -> io::Result<()> {
    let mut text = serde_json::to_string(&Line { size, note: note.into() })?;
    text.push('\n');
    let mut f = OpenOptions::new().create(true).append(true).open(path(dir))?;
    f.write_all(text.as_bytes())?;
    f.sync_data()
}

/// Every line in order; what can't be read is given as an error with its line number, counted from 1. A last line
/// without its line break was being written when the machine died and was never relied on.
pub(crate) fn read(dir: &Path) -> io::Result<Vec<Result<Line, usize>>> {
    let f = match File::open(path(dir)) {
        Ok(f) => f,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut r = BufReader::new(f);
    let mut lines = Vec::new();
    let mut buffer = Vec::new();
    for number in 1.. {
        buffer.clear();
        if r.read_until(b'\n', &mut buffer)? == 0 || !buffer.ends_with(b"\n") {
            break;
        }
        lines.push(serde_json::from_slice(&buffer).map_err(|_| number));
    }
    Ok(lines)
}

/// The newest checkpoint in the file that really is the log's.
pub(crate) fn newest(dir: &Path, verifier_key: &str) -> io::Result<Option<note::Checkpoint>> {
    Ok(read(dir)?.into_iter().flatten().filter_map(|l| note::open(&l.note, verifier_key).ok()).max_by_key(|c| c.size))
}
