//! Recomputes the whole log and holds it against every checkpoint that was ever signed.
use super::{
    merkle::{Hash, Peaks, leaf_hash},
    note, record, witness,
};
use crate::{Approvals, LogProblem, LogReport, StoreError, clock::hex, store};
use anteroom_domain::AuditRecord;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Leaves read in one go.
const BATCH: i64 = 2_000;
/// More would help nobody.
const MAX_PROBLEMS: usize = 100;

/// Somebody's claim that the tree of a size has a root.
struct Claim {
    root: Hash,
    from: &'static str,
}

/// By size.
type Claims = BTreeMap<u64, Vec<Claim>>;

struct Findings(Vec<LogProblem>);
impl Findings {
    fn add(&mut self, index: Option<u64>, what: impl Into<String>) {
        if self.0.len() < MAX_PROBLEMS {
            self.0.push(LogProblem { index, what: what.into() });
        }
    }
}

impl Approvals {
    /// Checks every entry, leaf and checkpoint of the database, and the database against the checkpoint directory.
    pub async fn verify_log(&self) -> Result<LogReport, StoreError> {
        let mut found = Findings(Vec::new());
        let mut claims = BTreeMap::new();
        // The directory first: an entry is in the database before its checkpoint is there, so what the log grows by meanwhile is not missing.
        self.claims_of_files(&mut claims, &mut found).await;
        let mut tx = self.inner.pool.begin().await?;
        // One picture of everything, however long it takes.
        sqlx::query!("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
        self.claims_of_database(&mut tx, &mut claims, &mut found).await?;
        let checkpoints = claims.values().map(|c| c.len() as u64).sum();

        let mut tree = Peaks::default();
        // Where the last agreement was: a root that differs later blames only what came after.
        let mut agreed = 0;
        loop {
            let next = i64::try_from(tree.size()).map_err(|_| StoreError::Damaged("audit_leaf"))?;
            let leaves = store::audit::leaves(&mut *tx, next, BATCH).await?;
            if leaves.is_empty() {
                break;
            }
            for leaf in leaves {
                let index = tree.size();
                if leaf.index != i64::try_from(index).unwrap_or(-1) {
                    found.add(Some(index), format!("leaf {index} is missing; the next one there is {}", leaf.index));
                    break;
                }
                check_entry(&leaf, index, &mut found);
                let Ok(hash) = Hash::try_from(leaf.hash.as_slice()) else { return Err(StoreError::Damaged("audit_leaf")) };
                tree.push(hash);
                for c in claims.remove(&tree.size()).unwrap_or_default() {
                    if c.root == tree.root() {
                        agreed = tree.size();
                    } else {
                        found.add(
                            None,
                            format!(
                                "the checkpoint over {} entries ({}) has another root: an entry from {agreed} to {} was changed together with its leaf",
                                tree.size(), c.from, tree.size() - 1
                            ),
                        );
                    }
                }
            }
            if i64::try_from(tree.size()).unwrap_or(-1) < next + 1 || found.0.iter().any(|p| p.what.contains("is missing")) {
                break;
            }
        }
        for (size, left) in claims {
            for c in left {
                found.add(
                    Some(tree.size()),
                    format!(
                        "a checkpoint over {size} entries was signed ({}), but only {} are there: the end was cut off",
                        c.from,
                        tree.size()
                    ),
                );
            }
        }
        let (entries, waiting, lost) = store::audit::counts(&mut *tx).await?;
        if lost > 0 {
            found.add(None, format!("{lost} of {entries} entries have neither a place in the tree nor wait for one"));
        }
        Ok(LogReport { size: tree.size(), waiting, checkpoints, root: hex(&tree.root()), problems: found.0 })
    }

    async fn claims_of_database(&self, tx: &mut sqlx::PgConnection, claims: &mut Claims, found: &mut Findings) -> Result<(), StoreError> {
        let key = self.log_public_key();
        let mut after = 0;
        loop {
            let some = store::audit::checkpoints(&mut *tx, after, BATCH).await?;
            let Some(last) = some.last() else { return Ok(()) };
            after = last.size;
            for c in some {
                match note::open(&c.note, &key) {
                    Ok(n) if i64::try_from(n.size) == Ok(c.size) && n.root[..] == c.root => {
                        claims.entry(n.size).or_default().push(Claim { root: n.root, from: "database" });
                    }
                    Ok(_) => found.add(None, format!("the checkpoint over {} entries does not say what its note says", c.size)),
                    Err(e) => found.add(None, format!("the checkpoint over {} entries in the database: {e}", c.size)),
                }
            }
        }
    }

    async fn claims_of_files(&self, claims: &mut Claims, found: &mut Findings) {
        let dir = self.inner.options.checkpoint_dir.clone();
        let lines = match tokio::task::spawn_blocking(move || witness::read(&dir)).await {
            Ok(Ok(l)) => l,
            _ => return found.add(None, "the checkpoint directory can't be read"),
        };
        let key = self.log_public_key();
        for (n, line) in lines.into_iter().enumerate() {
            let opened = line.map_err(|_| note::NoteError::Malformed).and_then(|l| note::open(&l.note, &key));
            match opened {
                Ok(c) => claims.entry(c.size).or_default().push(Claim { root: c.root, from: "checkpoint directory" }),
                Err(e) => found.add(None, format!("line {} of the checkpoint directory's file: {e}", n + 1)),
            }
        }
    }
}

/// Is the entry what was hashed, and do its search columns say what it says?
fn check_entry(leaf: &store::audit::Leaf, index: u64, found: &mut Findings) {
    let Leaf { entry, hash, record, .. } = &leaf;
    if leaf_hash(record.as_bytes())[..] != hash[..] {
        return found.add(Some(index), format!("entry {index} ({entry}) was changed: it is not what was hashed into the tree"));
    }
    let parsed: Option<AuditRecord> = serde_json::from_str(record).ok();
    let Some(r) = parsed else { return found.add(Some(index), format!("entry {index} ({entry}) is unreadable")) };
    let fits = record::columns(&r).is_ok_and(|(canonical, c)| {
        let mut people: Vec<Uuid> = leaf.people.clone();
        people.sort_unstable();
        canonical == *record
            && r.id.0 == *entry
            && r.at == leaf.at
            && c.kind == leaf.kind
            && c.people == people
            && c.session == leaf.session
            && c.target == leaf.target
    });
    if !fits {
        found.add(Some(index), format!("entry {index} ({entry}): its search columns do not say what it says"));
    }
}
use store::audit::Leaf;
