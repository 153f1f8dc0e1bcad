//! A file that only grows, and that leaves the page cache to others.
use crate::store::SegmentFile;
use rustix::fs::{Advice, fadvise};
use std::{
    fs::File,
    io::{self, Write},
    num::NonZeroU64,
    sync::atomic::{AtomicU64, Ordering},
};

const PAGE: u64 = 4096;

/// What is durable will not be read again soon: its pages are given back, so that recording takes the same few pages again and again
/// instead of pushing a database out of memory. Bulk data costs half the CPU this way where fresh memory is dear (virtual machines).
#[derive(Debug)]
pub(crate) struct Growing {
    file: File,
    appended: AtomicU64,
    given_back: AtomicU64,
}

impl Growing {
    /// The file is new and was opened for appending.
    pub(crate) fn new(file: File) -> Self {
        Self { file, appended: AtomicU64::new(0), given_back: AtomicU64::new(0) }
    }
}

impl SegmentFile for Growing {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        (&mut &self.file).write_all(bytes)?;
        self.appended.fetch_add(bytes.len() as u64, Ordering::Release);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        // Read before: what is appended meanwhile may stay dirty.
        let durable = self.appended.load(Ordering::Acquire);
        // Length included (fdatasync): it is needed to read the bytes back.
        self.file.sync_data()?;
        // The page that is being filled stays: the next append needs it.
        let end = durable - durable % PAGE;
        let from = self.given_back.fetch_max(end, Ordering::AcqRel);
        if let Some(length) = NonZeroU64::new(end.saturating_sub(from)) {
            // Advice: whoever does not take it loses nothing.
            let _ = fadvise(&self.file, from, Some(length), Advice::DontNeed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_was_appended_is_there_whatever_was_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("grows");
        let growing = Growing::new(File::options().create_new(true).append(true).open(&path).unwrap());
        let mut sent = Vec::new();
        for n in 0..40u8 {
            let part = vec![n; 1 + usize::from(n) * 397];
            growing.append(&part).unwrap();
            sent.extend(part);
            if n % 3 == 0 {
                growing.sync().unwrap();
            }
        }
        assert_eq!(growing.given_back.load(Ordering::SeqCst) % PAGE, 0);
        assert!(growing.given_back.load(Ordering::SeqCst) > PAGE);
        assert!(std::fs::read(&path).unwrap() == sent);
    }
}
