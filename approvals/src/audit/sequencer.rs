//! Gives waiting entries their place in the tree and signs a checkpoint over it.
use super::{
    merkle::{Peaks, leaf_hash},
    note::Checkpoint,
    witness,
};
use crate::{Approvals, StoreError, clock, store};

/// Entries that get their place in one go; the rest follows in the next.
const BATCH: i64 = 5_000;

/// The newest checkpoint this process knows to be right. The database has to agree with it before anything new is
/// signed: otherwise the program would put its name under a rewritten log.
#[derive(Debug, Default)]
pub(crate) struct Known(Option<Checkpoint>);

impl Known {
    pub(crate) fn new(newest: Option<Checkpoint>) -> Self {
        Self(newest)
    }
}

impl Approvals {
    /// Sequences what waits; returns how many entries got a place. Zero also if another process is at it.
    pub(crate) async fn sequence(&self) -> Result<u64, StoreError> {
        let mut known = self.inner.known.lock().await;
        let mut tx = self.begin().await?;
        if !store::audit::become_sequencer(&mut tx).await? {
            return Ok(0);
        }
        let last = store::audit::latest_checkpoint(&mut *tx).await?;
        if let Some(k) = &known.0 {
            let same_size = i64::try_from(k.size).map_err(|_| StoreError::Damaged("audit_checkpoint"))?;
            let theirs = store::audit::checkpoint_of(&mut *tx, same_size).await?;
            if theirs.is_none_or(|c| c.root != k.root) {
                tracing::error!(
                    size = k.size,
                    "the audit log is not the one that was signed before; nothing more is signed. Run: anteroom audit verify"
                );
                return Err(StoreError::Damaged("audit_checkpoint"));
            }
        }
        let mut tree = match &last {
            None => Peaks::default(),
            Some(c) => u64::try_from(c.size)
                .ok()
                .and_then(|n| Peaks::from_bytes(n, &c.peaks))
                .filter(|p| p.root()[..] == c.root)
                .ok_or(StoreError::Damaged("audit_checkpoint"))?,
        };
        let waiting = store::audit::take_waiting(&mut tx, BATCH).await?;
        if waiting.is_empty() {
            // Nothing to do; but this process may not know of another one's checkpoint yet.
            drop(tx);
            if let Some(c) = last {
                self.remember(&mut known, tree, &c.note).await;
            }
            return Ok(0);
        }
        let from = last.as_ref().map_or(0, |c| c.size);
        let entries: Vec<_> = waiting.iter().map(|w| w.entry).collect();
        let mut hashes = Vec::with_capacity(waiting.len());
        for w in &waiting {
            let h = leaf_hash(w.record.as_bytes());
            tree.push(h);
            hashes.push(h.to_vec());
        }
        store::audit::insert_leaves(&mut tx, from, &entries, &hashes).await?;
        let (size, root) = (tree.size(), tree.root());
        let note = self.inner.signer.sign(size, root);
        let row = store::audit::Checkpoint {
            size: i64::try_from(size).map_err(|_| StoreError::Damaged("audit_checkpoint"))?,
            root: root.to_vec(),
            peaks: tree.to_bytes(),
            note: note.clone(),
        };
        store::audit::insert_checkpoint(&mut *tx, &row, clock::now()).await?;
        self.commit(tx).await?;
        self.remember(&mut known, tree, &note).await;
        Ok(entries.len() as u64)
    }

    /// Keeps a committed checkpoint outside of the database, if it is newer than what is kept.
    async fn remember(&self, known: &mut Known, tree: Peaks, note: &str) {
        if known.0.as_ref().is_some_and(|k| k.size >= tree.size()) {
            return;
        }
        let (dir, size, text) = (self.inner.options.checkpoint_dir.clone(), tree.size(), note.to_owned());
        let written = tokio::task::spawn_blocking(move || witness::append(&dir, size, &text)).await;
        match written {
            Ok(Ok(())) => known.0 = Some(Checkpoint { origin: self.inner.options.log_name.clone(), size, root: tree.root() }),
            // The next round tries again; the checkpoint itself is in the database.
            Ok(Err(e)) => tracing::error!(error = %e, "a checkpoint could not be written to the checkpoint directory"),
            Err(_) => tracing::error!("writing a checkpoint file did not finish"),
        }
    }
}
