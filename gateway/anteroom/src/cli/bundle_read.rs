//! Reads a bundle where it lies: nothing is unpacked, so it may be as large as it likes and write nowhere.
use super::bundle::{EVIDENCE, RECORDING};
use anteroom_approvals::Evidence;
use anteroom_recorder::{Part, Source};
use anyhow::{Context as _, Result, bail, ensure};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Read as _, Seek as _},
    path::Path,
    sync::Arc,
};

/// Evidence is text about one session; more than this is no bundle of ours.
const MAX_EVIDENCE: u64 = 64 << 20;
/// A recording of a gibibyte a file and of as many files as this would be larger than any disk.
const MAX_FILES: usize = 1 << 16;

#[derive(Debug)]
pub(super) struct Bundle {
    pub(super) evidence: Evidence,
    file: Arc<File>,
    /// The recording's files: where each begins in the archive, and its length.
    places: BTreeMap<String, (u64, u64)>,
}

impl Source for Bundle {
    fn open(&self, name: &str) -> io::Result<Option<Part>> {
        Ok(self.places.get(name).map(|(start, length)| Part::new(self.file.clone(), *start, *length)))
    }
}

impl Bundle {
    /// Bytes of all the recording's files.
    pub(super) fn bytes(&self) -> u64 {
        self.places.values().map(|(_, length)| length).sum()
    }

    /// Opens a bundle; "-" is stdin. Takes only what a bundle holds, once.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let not_ours = || format!("{} is not a bundle of anteroom", path.display());
        let mut file = seekable(path)?;
        let length = file.seek(io::SeekFrom::End(0))?;
        file.rewind()?;
        let (mut evidence, mut places, mut folder) = (None, BTreeMap::new(), None);
        for entry in tar::Archive::new(BufReader::new(&file)).entries_with_seek()? {
            let mut entry = entry.with_context(not_ours)?;
            let name = entry.path().with_context(not_ours)?.into_owned();
            let text = name.to_str().with_context(not_ours)?;
            ensure!(entry.header().entry_type().is_file(), "{}: {text:?} is no plain file", not_ours());
            let (start, size) = (entry.raw_file_position(), entry.size());
            ensure!(start.checked_add(size).is_some_and(|end| end <= length), "{}: it ends in the middle of {text:?}", not_ours());
            if text == EVIDENCE && size <= MAX_EVIDENCE && evidence.is_none() {
                let mut json = Vec::new();
                entry.read_to_end(&mut json)?;
                evidence = Some(serde_json::from_slice::<Evidence>(&json).context("the bundle's evidence cannot be read")?);
            } else if let Some((at, file)) = recording_path(text) {
                ensure!(places.len() < MAX_FILES, "{}: it holds too many files", not_ours());
                ensure!(*folder.get_or_insert_with(|| at.to_owned()) == at, "{}: it holds two recordings", not_ours());
                ensure!(places.insert(file.to_owned(), (start, size)).is_none(), "{}: it holds {text:?} twice", not_ours());
            } else {
                bail!("{}: it holds {text:?}", not_ours());
            }
        }
        let evidence = evidence.with_context(not_ours)?;
        if let Some(folder) = folder {
            let session = evidence.session.id.to_string();
            ensure!(folder.ends_with(&format!("/{session}")), "{}: the recording is of another session than {session}", not_ours());
        }
        Ok(Self { evidence, file: Arc::new(file), places })
    }
}

/// A file that can be read at any place; what comes through a pipe is put aside first, in a file without a name.
fn seekable(path: &Path) -> Result<File> {
    let cannot = || format!("cannot read {}", path.display());
    let mut from: Box<dyn io::Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(path).with_context(cannot)?;
        let about = file.metadata().with_context(cannot)?;
        ensure!(!about.is_dir(), "{} is a directory; a bundle is the file that anteroom recording export wrote", path.display());
        if about.is_file() {
            return Ok(file);
        }
        Box::new(file)
    };
    let mut aside = tempfile::tempfile().context("cannot make a temporary file")?;
    io::copy(&mut from, &mut aside).with_context(cannot)?;
    Ok(aside)
}

/// `recording/2026/11/<id>/<file>` and nothing that climbs out: the folder, and the file in it.
fn recording_path(name: &str) -> Option<(&str, &str)> {
    let parts: Vec<_> = name.split('/').collect();
    let plain = |p: &&str| !p.is_empty() && !p.starts_with('.') && p.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
    (parts.len() == 5 && parts[0] == RECORDING && parts[1..].iter().all(plain)).then(|| name.rsplit_once('/'))?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_a_recordings_own_files_are_taken() {
        assert_eq!(recording_path("recording/2026/11/0190/manifest.json"), Some(("recording/2026/11/0190", "manifest.json")));
        for bad in [
            "/etc/passwd",
            "recording/../../x/y/z",
            "recording/2026/11/..",
            "recording/2026/11/../x",
            "x/2026/11/a/b",
            "recording/a/b/c/d/e",
        ] {
            assert_eq!(recording_path(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_no_bundle_is_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let mut link = tar::Header::new_gnu();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        let mut with_link = tar::Builder::new(Vec::new());
        with_link.append_link(&mut link, "recording/2026/11/x/masked.0", "/etc/passwd").unwrap();
        let mut huge = tar::Header::new_gnu();
        huge.set_size(1 << 40);
        huge.set_path("recording/2026/11/x/masked.0").unwrap();
        huge.set_cksum();
        for (bytes, why) in [
            (Vec::new(), "is not a bundle"),
            (vec![0x55; 5000], "is not a bundle"),
            (with_link.into_inner().unwrap(), "is no plain file"),
            (huge.as_bytes().to_vec(), "it ends in the middle of"),
        ] {
            let path = dir.path().join("a.bundle");
            std::fs::write(&path, bytes).unwrap();
            let said = format!("{:#}", Bundle::open(&path).unwrap_err());
            assert!(said.contains(why), "{said}");
        }
        assert!(Bundle::open(dir.path()).unwrap_err().to_string().contains("is a directory"));
    }
}
