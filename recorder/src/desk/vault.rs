//! A file that only this process can read, and only while it lives: encrypted under a key that is nowhere else, and without a name.
use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use anteroom_domain::Secret;
use rustix::fs::{FallocateFlags, fallocate};
use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

/// First in, first out, in blocks.
pub(super) struct Vault {
    file: File,
    key: Secret<[u8; 32]>,
    /// Number of the next block to be written; never used twice with this key.
    next: u64,
    /// Number, offset and length of each block that was not read.
    blocks: VecDeque<(u64, u64, usize)>,
    end: u64,
    waiting: u64,
}

impl Vault {
    /// A new file in `folder`, whose name is gone before anything is in it.
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        let mut random = [0u8; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let mut key = zeroize::Zeroizing::new([0u8; 32]);
        getrandom::fill(key.as_mut_slice()).map_err(io::Error::other)?;
        let path = folder.join(format!(".clearing-{}", anteroom_format::hex(&random)));
        let file = OpenOptions::new().create_new(true).read(true).write(true).mode(0o600).open(&path)?;
        std::fs::remove_file(&path)?;
        Ok(Self { file, key: Secret::new(*key), next: 0, blocks: VecDeque::new(), end: 0, waiting: 0 })
    }

    pub(super) fn push(&mut self, plain: &[u8]) -> io::Result<()> {
        let number = self.next.to_le_bytes();
        let sealed = Aes256Gcm::new(self.key.expose().into())
            .encrypt(&nonce(self.next), Payload { msg: plain, aad: &number })
            .map_err(|_| io::Error::other("encryption failed"))?;
        let block = self.next;
        // A block that was half written is overwritten, under another number.
        self.next += 1;
        self.file.write_all_at(&sealed, self.end)?;
        self.blocks.push_back((block, self.end, sealed.len()));
        self.end += sealed.len() as u64;
        self.waiting += sealed.len() as u64;
        Ok(())
    }

    /// The oldest block; its room on the disk is given back.
    pub(super) fn pop(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(&(number, offset, length)) = self.blocks.front() else { return Ok(None) };
        let mut sealed = vec![0; length];
        self.file.read_exact_at(&mut sealed, offset)?;
        let plain = Aes256Gcm::new(self.key.expose().into())
            .decrypt(&nonce(number), Payload { msg: &sealed, aad: &number.to_le_bytes() })
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "what waited for clearing was changed on the disk"))?;
        self.blocks.pop_front();
        self.waiting -= length as u64;
        if self.blocks.is_empty() {
            self.file.set_len(0)?;
            self.end = 0;
        } else {
            // Where a file system cannot do that, the file keeps its size until all of it was read.
            let _ = fallocate(&self.file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, offset, length as u64);
        }
        Ok(Some(plain))
    }

    /// Bytes that were not read.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting
    }
}

fn nonce(number: u64) -> Nonce<aes_gcm::aead::consts::U12> {
    let mut nonce = [0u8; 12];
    nonce[..8].copy_from_slice(&number.to_le_bytes());
    Nonce::from(nonce)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn blocks_come_back_in_order_and_the_disk_sees_none_of_them() {
        let dir = tempfile::tempdir().unwrap();
        let mut vault = Vault::create(dir.path()).unwrap();
        let text = b"Patient Example, born 1970".repeat(100);
        for n in 0..5u8 {
            vault.push(&[&[n], &text[..]].concat()).unwrap();
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "it has no name");
        let mut on_disk = vec![0; usize::try_from(vault.waiting()).unwrap()];
        vault.file.read_exact_at(&mut on_disk, 0).unwrap();
        assert!(!on_disk.windows(7).any(|w| w == b"Patient"));
        for n in 0..5u8 {
            assert_eq!(vault.pop().unwrap().unwrap()[0], n);
            if n == 2 {
                vault.push(&[9]).unwrap();
            }
        }
        assert_eq!(vault.pop().unwrap().unwrap(), [9]);
        assert!(vault.pop().unwrap().is_none());
        assert_eq!((vault.waiting(), vault.file.metadata().unwrap().len()), (0, 0));
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let mut vault = Vault::create(dir.path()).unwrap();
        vault.push(b"something").unwrap();
        vault.file.write_all_at(&[0xff], 3).unwrap();
        assert_eq!(vault.pop().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
