//! Which break-glass cards this gateway has let somebody in by. A card is for one gateway, so this file alone decides.
use anteroom_domain::CardId;
use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotUsed {
    #[error("this card has been used")]
    Before,
    #[error("that it is used cannot be written down, so it opens nothing")]
    Unwritten,
}

/// One line a card, never taken out.
pub(crate) struct Journal {
    file: PathBuf,
    /// None: what is there cannot be read, and no card opens anything.
    used: Mutex<Option<HashSet<CardId>>>,
}

impl Journal {
    pub(crate) fn open(file: PathBuf) -> Self {
        let used = match read(&file) {
            Ok(used) => Some(used),
            Err(e) => {
                tracing::error!(file = %file.display(), error = %e, "used break-glass cards cannot be read; no card opens anything");
                None
            }
        };
        Self { file, used: Mutex::new(used) }
    }

    /// On disk when this returns; not twice for the same card.
    pub(crate) fn spend(&self, card: CardId) -> Result<(), NotUsed> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let all = used.as_mut().ok_or(NotUsed::Unwritten)?;
        if !all.insert(card) {
            return Err(NotUsed::Before);
        }
        append(&self.file, card).map_err(|e| {
            tracing::error!(file = %self.file.display(), error = %e, "a used break-glass card cannot be written down");
            NotUsed::Unwritten
        })
    }
}

fn read(file: &Path) -> io::Result<HashSet<CardId>> {
    let f = match File::open(file) {
        Ok(f) => f,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(HashSet::new()),
        Err(e) => return Err(e),
    };
    let mut all = HashSet::new();
    for line in BufReader::new(f).lines() {
        let id = line?.trim().parse::<uuid::Uuid>().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a line is no card"))?;
        all.insert(CardId::from(id));
    }
    Ok(all)
}

fn append(file: &Path, card: CardId) -> io::Result<()> {
    let new = !fs::exists(file)?;
    let mut f = OpenOptions::new().create(true).append(true).mode(0o600).open(file)?;
    f.write_all(format!("{card}\n").as_bytes())?;
    f.sync_all()?;
    match file.parent().filter(|_| new) {
        Some(dir) => File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_card_is_used_once_whoever_restarts() {
        let dir = tempfile::tempdir().unwrap();
        let (file, card) = (dir.path().join("used"), CardId::from(Uuid::from_u128(1)));
        let journal = Journal::open(file.clone());
        assert_eq!((journal.spend(card), journal.spend(card)), (Ok(()), Err(NotUsed::Before)));
        let again = Journal::open(file.clone());
        assert_eq!(again.spend(card), Err(NotUsed::Before));
        assert_eq!(again.spend(CardId::from(Uuid::from_u128(2))), Ok(()));
        assert_eq!(read(&file).unwrap().len(), 2);
    }

    #[test]
    fn what_cannot_be_read_or_written_opens_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("used");
        fs::write(&file, "not a card\n").unwrap();
        assert_eq!(Journal::open(file).spend(CardId::from(Uuid::from_u128(1))), Err(NotUsed::Unwritten));
        let nowhere = Journal::open(dir.path().join("no/such/dir/used"));
        assert_eq!(nowhere.spend(CardId::from(Uuid::from_u128(1))), Err(NotUsed::Unwritten));
    }
}
