//! Lines that must not be lost while Postgres is away: kept in fsynced files and merged, in order and exactly once,
//! when it is back. The id of the audit entry is what makes a second merge harmless.
use super::record;
use crate::{
    Approvals, CardError, CardUse, SealedRecord, SignError, StoreError, notify, store, store::sessions::Begun, workflow::insert_late,
};
use anteroom_domain::{AuditRecord, Lock, SessionId};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use uuid::Uuid;

/// Longer than any healthy database takes; then the spool is used and the late answer does not matter.
const PATIENCE: Duration = Duration::from_secs(4);

/// A line with what it changes beside the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Spooled {
    pub(crate) record: AuditRecord,
    pub(crate) work: Work,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Work {
    Nothing,
    End {
        session: SessionId,
        reason: String,
    },
    /// Begun while the database was away.
    Start(Box<Begun>),
    /// A break-glass card was used; its grant comes with it.
    Card(Box<CardUse>),
    Seal(SealedRecord),
    /// Set on this machine while the database was away.
    Lock(Box<Lock>),
}

/// The directory of this process and of those before it that died.
#[derive(Debug)]
pub(crate) struct Spool {
    dir: PathBuf,
    /// Files of one process never mix with another's; names sort by time.
    mine: PathBuf,
    waiting: AtomicBool,
}

impl Spool {
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let s = Self { dir: dir.into(), mine: dir.join(format!("{}.jsonl", Uuid::now_v7())), waiting: AtomicBool::new(false) };
        s.waiting.store(!s.files()?.is_empty(), Ordering::SeqCst);
        Ok(s)
    }

    fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Lines to merge, oldest file first.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut all = Vec::new();
        for e in fs::read_dir(&self.dir)? {
            let p = e?.path();
            if p.extension().is_some_and(|x| x == "jsonl" || x == "merging") {
                all.push(p);
            }
        }
        all.sort();
        Ok(all)
    }

    /// Held while files are written or renamed, so that a command and the server can share the directory.
    fn lock(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().create(true).truncate(false).write(true).open(self.dir.join(name))
    }

    /// On disk when this returns.
    fn append(&self, s: &Spooled) -> io::Result<()> {
        let mut text = serde_json::to_string(s)?;
        text.push('\n');
        let lock = self.lock("append.lock")?;
        lock.lock()?;
        let new = !self.mine.exists();
        let mut f = OpenOptions::new().create(true).append(true).open(&self.mine)?;
        f.write_all(text.as_bytes())?;
        f.sync_data()?;
        if new {
            // The name has to survive too.
            File::open(&self.dir)?.sync_all()?;
        }
        self.waiting.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Takes what is there out of the writers' reach and returns it, oldest first.
    fn take(&self) -> io::Result<Vec<PathBuf>> {
        let lock = self.lock("append.lock")?;
        lock.lock()?;
        for p in self.files()? {
            if p.extension().is_some_and(|x| x == "jsonl") {
                // A name of its own each time: an earlier part of the same file may still wait to be merged.
                let stem = p.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                fs::rename(&p, self.dir.join(format!("{stem}-{}.merging", Uuid::now_v7())))?;
            }
        }
        self.files()
    }

    fn settle(&self) -> io::Result<()> {
        let lock = self.lock("append.lock")?;
        lock.lock()?;
        self.waiting.store(!self.files()?.is_empty(), Ordering::SeqCst);
        Ok(())
    }

    /// Puts aside what the database will never take, for a human to look at.
    fn put_aside(&self, s: &Spooled) -> io::Result<()> {
        let mut text = serde_json::to_string(s)?;
        text.push('\n');
        let mut f = OpenOptions::new().create(true).append(true).open(self.dir.join("refused.txt"))?;
        f.write_all(text.as_bytes())?;
        f.sync_data()
    }
}

/// Complete lines of a file. A last line without line break was never acknowledged.
fn lines(path: &Path) -> io::Result<Vec<Spooled>> {
    let mut r = BufReader::new(File::open(path)?);
    let mut out = Vec::new();
    let mut buffer = Vec::new();
    while r.read_until(b'\n', &mut buffer)? > 0 {
        if !buffer.ends_with(b"\n") {
            break;
        }
        match serde_json::from_slice(&buffer) {
            Ok(s) => out.push(s),
            Err(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "a spooled line is unreadable")),
        }
        buffer.clear();
    }
    Ok(out)
}

impl Approvals {
    /// Writes to the database, or to the spool if it is away or the spool is not empty yet: order is kept.
    pub(crate) async fn deliver(&self, s: Spooled) {
        if !self.inner.spool.is_waiting() {
            match self.applied(&s).await {
                Ok(()) => return,
                Err(StoreError::Away) => {}
                Err(e) => {
                    tracing::error!(error = %e, kind = s.record.event.kind(), "an audit line was refused by the database");
                    return self.put_aside(s).await;
                }
            }
        }
        let inner = self.inner.clone();
        let kind = s.record.event.kind();
        match tokio::task::spawn_blocking(move || inner.spool.append(&s)).await {
            Ok(Ok(())) => tracing::warn!(kind, "the database is away: an audit line is kept in the spool"),
            Ok(Err(e)) => tracing::error!(kind, error = %e, "an audit line could not be written to the spool"),
            Err(_) => tracing::error!(kind, "writing to the spool did not finish"),
        }
    }

    /// To the spool, and on disk when this returns: for what may not happen unless it is written down.
    pub(crate) async fn keep(&self, s: Spooled) -> Result<(), StoreError> {
        let inner = self.inner.clone();
        match tokio::task::spawn_blocking(move || inner.spool.append(&s)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => {
                tracing::error!(error = %e, "the audit spool cannot be written: nobody is let in");
                Err(StoreError::Away)
            }
            Err(_) => Err(StoreError::Away),
        }
    }

    /// In the log, or while the database is away in the spool and on disk, when this returns: for what may not happen unless it is.
    pub(crate) async fn write_or_keep(&self, record: AuditRecord) -> Result<(), StoreError> {
        let s = Spooled { record, work: Work::Nothing };
        if !self.in_safe_mode() {
            match self.applied(&s).await {
                Err(StoreError::Away) => {}
                done => return done,
            }
            self.enter_safe_mode().await.ok_or(StoreError::Away)?;
        }
        // If the log has it after all, it is not written twice.
        self.keep(s).await
    }

    async fn put_aside(&self, s: Spooled) {
        let inner = self.inner.clone();
        if !matches!(tokio::task::spawn_blocking(move || inner.spool.put_aside(&s)).await, Ok(Ok(()))) {
            tracing::error!("a refused audit line could not be put aside");
        }
    }

    /// A database that does not answer in time is away.
    async fn applied(&self, s: &Spooled) -> Result<(), StoreError> {
        tokio::time::timeout(PATIENCE, self.apply(s)).await.unwrap_or(Err(StoreError::Away))
    }

    async fn apply(&self, s: &Spooled) -> Result<(), StoreError> {
        if let Work::Card(used) = &s.work {
            // A transaction of its own, and harmless the second time. The sessions under its grant follow.
            match Box::pin(self.merge_used_card(used)).await {
                Ok(_) => {}
                Err(CardError::Sign(SignError::Store(e))) => return Err(e),
                Err(e) => {
                    tracing::error!(card = %used.card, error = %e, "a used card does not fit what the database knows");
                    return Err(StoreError::Damaged("a used card"));
                }
            }
        }
        let mut tx = self.begin().await?;
        // Written before means that its work is done too: both were one transaction.
        if record::write_line(&mut tx, &s.record).await? {
            if let Some(notice) = self.inner.told.news(&s.record.event) {
                notify::enqueue(&mut tx, &notice, s.record.at).await?;
            }
            match &s.work {
                Work::Nothing | Work::Card(_) => {}
                // The database had taken it, and was gone before it could say so: it has its line too.
                Work::Start(begun) if !store::sessions::insert(&mut *tx, begun).await? => return Ok(tx.rollback().await?),
                Work::Start(begun) => self.told_late(&mut tx, begun.grant, begun.session, s.record.at).await?,
                Work::End { session, reason } => {
                    store::sessions::end(&mut *tx, *session, reason, s.record.at).await?;
                }
                Work::Seal(sealed) => {
                    store::sessions::seal(&mut *tx, sealed).await?;
                }
                Work::Lock(lock) => insert_late(&mut tx, lock).await?,
            }
        }
        self.commit(tx).await?;
        self.inner.told.said(&s.record.event);
        if let Work::Lock(lock) = &s.work {
            self.local_lock_done(lock.id).await;
        }
        Ok(())
    }

    /// Merges what waits in the spool; stops at the first sign that the database is still away.
    pub(crate) async fn merge_spool(&self) -> Result<(), StoreError> {
        if !self.inner.spool.is_waiting() {
            return Ok(());
        }
        self.check_late().await?;
        // Asked first, so that files are not renamed every second of a long outage.
        sqlx::query!("select 1 as one").fetch_one(&self.inner.pool).await?;
        let inner = self.inner.clone();
        let merging = tokio::task::spawn_blocking(move || {
            let lock = inner.spool.lock("merge.lock")?;
            match lock.try_lock() {
                Ok(()) => Ok(Some((lock, inner.spool.take()?))),
                Err(fs::TryLockError::WouldBlock) => Ok(None),
                Err(fs::TryLockError::Error(e)) => Err(e),
            }
        })
        .await;
        let (_held, files) = match merging {
            Ok(Ok(Some(m))) => m,
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(e)) => {
                tracing::error!(error = %e, "the spool can't be read");
                return Ok(());
            }
            Err(_) => return Ok(()),
        };
        for file in files {
            let path = file.clone();
            let spooled = match tokio::task::spawn_blocking(move || lines(&path)).await {
                Ok(Ok(l)) => l,
                other => {
                    tracing::error!(file = %file.display(), ok = other.is_ok(), "a spool file can't be read; it is left where it is");
                    continue;
                }
            };
            let count = spooled.len();
            for s in spooled {
                match self.applied(&s).await {
                    Ok(()) => {}
                    Err(StoreError::Away) => return Err(StoreError::Away),
                    Err(e) => {
                        tracing::error!(error = %e, "a spooled audit line was refused by the database");
                        self.put_aside(s).await;
                    }
                }
            }
            if let Err(e) = tokio::fs::remove_file(&file).await {
                tracing::error!(error = %e, "a merged spool file can't be removed; merging it again does no harm");
            }
            tracing::info!(count, "spooled audit lines were merged");
        }
        let inner = self.inner.clone();
        if !matches!(tokio::task::spawn_blocking(move || inner.spool.settle()).await, Ok(Ok(()))) {
            tracing::error!("the spool can't be listed");
        }
        Ok(())
    }
}
