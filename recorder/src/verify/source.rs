//! Where a recording's files are read from: a folder, or places in an archive that is never unpacked.
use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

/// One file's bytes: a whole file, or a range of an archive. Reads by position, so that several may share one open file.
#[derive(Debug, Clone)]
pub struct Part {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Part {
    /// `length` bytes from `start`, both in bytes. Should the file be shorter, reading ends with it.
    pub fn new(file: Arc<File>, start: u64, length: u64) -> Self {
        Self { file, at: start, end: start.saturating_add(length) }
    }

    /// A whole file, as long as it is now.
    pub fn whole(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self::new(Arc::new(file), 0, length))
    }

    /// Bytes that are left to read.
    pub fn left(&self) -> u64 {
        self.end - self.at
    }
}

impl Read for Part {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let want = buf.len().min(usize::try_from(self.left()).unwrap_or(usize::MAX));
        let got = self.file.read_at(&mut buf[..want], self.at)?;
        self.at += got as u64;
        Ok(got)
    }
}

/// A recording's files by name.
pub trait Source: Sync {
    /// None: there is no such file.
    fn open(&self, name: &str) -> io::Result<Option<Part>>;
}

/// A recording as it lies on a disk.
impl Source for Path {
    fn open(&self, name: &str) -> io::Result<Option<Part>> {
        match Part::whole(&self.join(name)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_part_ends_where_it_ends_and_where_its_file_does() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("archive");
        std::fs::write(&path, b"before|inside|after").unwrap();
        let file = Arc::new(File::open(&path).unwrap());
        let read = |start, length| {
            let mut text = String::new();
            Part::new(file.clone(), start, length).read_to_string(&mut text).unwrap();
            text
        };
        assert_eq!(read(7, 6), "inside");
        assert_eq!(read(14, u64::MAX), "after");
        assert_eq!(read(99, 3), "");
        assert_eq!(Part::whole(&path).unwrap().left(), 19);
        assert!(dir.path().open("nothing").unwrap().is_none());
    }
}
