//! Policies: the one that counts, setting another, and what it says of a request, a connection or an emergency.
use crate::{Approvals, Change, ManageError, StoreError, audit::record, clock, store};
use anteroom_domain::{AuditEvent, Moment, PersonId, audit::PolicyEvent};
use anteroom_policy::{Action, Policy, PolicyErrors, PolicyFile};
use sha2::{Digest, Sha256};
use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicI64, Ordering},
};

/// Longest note on a version, characters.
const MAX_NOTE: usize = 500;
/// Versions shown at once.
const SHOWN: i64 = 100;

/// What counts until somebody sets something else.
pub const HOSPITAL: &str = include_str!("../../policy/policies/hospital.cedar");

/// Everything about it, to be written into a folder: the policies, the stricter ones, and the tests of both.
pub const STARTERS: [(&str, &str); 4] = [
    ("hospital.cedar", HOSPITAL),
    ("hospital.toml", include_str!("../../policy/policies/hospital.toml")),
    ("hospital-strict.cedar", include_str!("../../policy/policies/hospital-strict.cedar")),
    ("hospital-strict.toml", include_str!("../../policy/policies/hospital-strict.toml")),
];

/// Stands in for a policy that cannot be read, where somebody has to come in to set another: whoever asks it is told no, and why.
const NOBODY: &str = "@id(\"unreadable\")\n@reason(\"The policy that counts cannot be read by this program; whoever keeps the gateway has to set another.\")\n\
                      forbid (principal, action, resource);\n";

/// The policy that counts, in memory: a decision asks it without asking the database.
#[derive(Debug)]
pub(crate) struct Counting {
    counts: RwLock<(i64, Arc<Policy>)>,
    /// A version that counts and that this program cannot read; 0: there is none.
    unread: AtomicI64,
}

impl Counting {
    /// The one that came with the program, until the database was read.
    pub(crate) fn new() -> Result<Self, PolicyErrors> {
        Ok(Self { counts: RwLock::new((0, Arc::new(Policy::load(shipped())?))), unread: AtomicI64::new(0) })
    }
    fn get(&self) -> (i64, Arc<Policy>) {
        self.counts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    fn set(&self, version: i64, policy: Policy) {
        *self.counts.write().unwrap_or_else(PoisonError::into_inner) = (version, Arc::new(policy));
        self.unread.store(0, Ordering::Release);
    }
}

/// The version that counts, and why this program cannot read it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("version {version} of the policies, which counts, cannot be read: {why}")]
pub struct UnreadPolicy {
    pub version: i64,
    pub why: String,
}

/// The ones that count until somebody sets others.
pub fn shipped() -> Vec<PolicyFile> {
    vec![PolicyFile { name: "hospital.cedar".into(), text: HOSPITAL.into() }]
}

/// A version as it was set.
#[derive(Debug, Clone, serde::Serialize)]
pub struct PolicyVersion {
    pub version: i64,
    /// Lower-case hexadecimal, over names and texts.
    pub sha256: String,
    pub note: String,
    /// None: at the command line.
    pub set_by: Option<PersonId>,
    #[serde(with = "time::serde::rfc3339")]
    pub set_at: Moment,
    pub files: Vec<PolicyFile>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicySetError {
    #[error(transparent)]
    Manage(#[from] ManageError),
    #[error("{0}")]
    Policy(#[from] PolicyErrors),
    #[error("somebody else has set version {version} meanwhile; compare with it and set yours again")]
    Meanwhile { version: i64 },
}
impl From<StoreError> for PolicySetError {
    fn from(e: StoreError) -> Self {
        Self::Manage(e.into())
    }
}

/// In lower-case hexadecimal, as the log has it.
pub fn policy_sha256(files: &[PolicyFile]) -> String {
    clock::hex(&sha256(files))
}

/// Names and texts, each with its length before it.
fn sha256(files: &[PolicyFile]) -> [u8; 32] {
    let mut h = Sha256::new();
    for text in files.iter().flat_map(|f| [&f.name, &f.text]) {
        h.update((text.len() as u64).to_be_bytes());
        h.update(text);
    }
    h.finalize().into()
}

fn shown(r: store::policies::Row) -> PolicyVersion {
    let sha256 = clock::hex(&r.sha256);
    PolicyVersion { version: r.version, sha256, note: r.note, set_by: r.set_by, set_at: r.set_at, files: r.files }
}

impl Approvals {
    /// What counts now, on this process.
    pub fn policy(&self) -> Arc<Policy> {
        self.inner.counting.get().1
    }

    /// Which version that is; 0 is the one that came with the program.
    pub fn policy_version(&self) -> i64 {
        self.inner.counting.get().0
    }

    /// Counts from the commit on, on every gateway. What does not type-check is refused and the old one stays.
    pub async fn set_policy(&self, actor: Option<PersonId>, files: Vec<PolicyFile>, note: &str) -> Result<i64, PolicySetError> {
        self.set_policy_over(actor, files, note, None).await
    }

    /// The same, if the version that the text was made from counts still: of two who do so at the same moment the second is told.
    pub async fn set_policy_over(
        &self,
        actor: Option<PersonId>,
        files: Vec<PolicyFile>,
        note: &str,
        base: Option<i64>,
    ) -> Result<i64, PolicySetError> {
        self.check_actor(actor, Action::ManagePolicies).await?;
        if note.chars().count() > MAX_NOTE || note.chars().any(char::is_control) {
            let why = format!("must be one line of at most {MAX_NOTE} characters");
            return Err(ManageError::Invalid { what: "note", why }.into());
        }
        let policy = Policy::load(files.clone())?;
        let (now, sha256) = (clock::now(), sha256(&files));
        let mut tx = self.begin().await?;
        // Whoever sets one waits here for whoever does already, and then sees that version.
        let counts = store::policies::hold_newest(&mut tx).await?;
        // Whoever mends one that cannot be read here began with the one before it.
        let shown = if self.inner.counting.unread.load(Ordering::Acquire) == counts { self.policy_version() } else { counts };
        if base.is_some_and(|base| base != counts && base != shown) {
            drop(tx);
            // Another gateway's, and this one may not have heard of it yet.
            self.reload_policy().await?;
            return Err(PolicySetError::Meanwhile { version: counts });
        }
        let new = store::policies::New { files: &files, sha256, note, by: actor, at: now };
        let version = store::policies::insert(&mut *tx, new).await?;
        let event = PolicyEvent::Set {
            version,
            sha256: clock::hex(&sha256),
            note_sha256: clock::hex(&Sha256::digest(note)),
            files: files.into_iter().map(|f| f.name).collect(),
        };
        record::write(&mut tx, AuditEvent::Policy(event), actor, now).await?;
        store::tell(&mut *tx, Change::Policy).await?;
        self.commit(tx).await?;
        if version > self.policy_version() {
            self.inner.counting.set(version, policy);
        }
        Ok(version)
    }

    /// The policy that counted when the database was last read: a process that begins without it goes on by that.
    pub(crate) fn count_known_policy(&self, files: Vec<PolicyFile>) -> Result<(), PolicyErrors> {
        self.inner.counting.set(0, Policy::load(files)?);
        Ok(())
    }

    /// Newest first.
    pub async fn policy_versions(&self) -> Result<Vec<PolicyVersion>, StoreError> {
        Ok(store::policies::newest(&self.inner.pool, SHOWN).await?.into_iter().map(shown).collect())
    }

    /// A version, and the one that counted before it. None: there is no such version.
    pub async fn policy_version_and_before(&self, version: i64) -> Result<Option<(PolicyVersion, Option<PolicyVersion>)>, StoreError> {
        let mut rows = store::policies::until(&self.inner.pool, version, 2).await?.into_iter().map(shown);
        let found = rows.next().filter(|v| v.version == version);
        Ok(found.map(|v| (v, rows.next())))
    }

    /// Reads what was set last. What cannot be read changes nothing here; what counts instead is the caller's to say.
    pub(crate) async fn read_policy(&self) -> Result<Result<(), UnreadPolicy>, StoreError> {
        let Some(newest) = store::policies::counts(&self.inner.pool).await? else { return Ok(Ok(())) };
        let version = newest.version;
        if version == self.policy_version() {
            return Ok(Ok(()));
        }
        let no = |why: String| Ok(Err(UnreadPolicy { version, why }));
        let Some(files) = newest.files else { return no("it is not what any version of this program writes".into()) };
        if sha256(&files)[..] != newest.sha256[..] {
            return no("it is not what was set: its hash is another".into());
        }
        match Policy::load(files) {
            Ok(policy) => {
                tracing::info!(version, policies = policy.len(), "another policy counts now");
                self.inner.counting.set(version, policy);
                Ok(Ok(()))
            }
            Err(e) => no(e.to_string()),
        }
    }

    /// The same while this process serves: a version that it cannot read (a newer program wrote it, or somebody damaged it) leaves the old one
    /// in force, and those who keep the gateway are told, once.
    pub(crate) async fn reload_policy(&self) -> Result<(), StoreError> {
        if let Err(unread) = self.read_policy().await? {
            let version = unread.version;
            if self.inner.counting.unread.swap(version, Ordering::AcqRel) != version {
                tracing::error!(version, error = %unread.why, "the policy that counts cannot be read; the one before it stays");
                let event = PolicyEvent::Unread { version, instead: self.policy_version() };
                self.note(AuditEvent::Policy(event), None).await;
            }
        }
        Ok(())
    }

    /// Whether the newest policy is known to be one that this program cannot read.
    pub(crate) fn has_unread_policy(&self) -> bool {
        self.inner.counting.unread.load(Ordering::Acquire) != 0
    }

    /// For a command that comes to mend it: nothing is permitted meanwhile.
    pub(crate) fn count_nobody(&self) -> Result<(), PolicyErrors> {
        let files = vec![PolicyFile { name: "unreadable.cedar".into(), text: NOBODY.into() }];
        self.inner.counting.set(0, Policy::load(files)?);
        Ok(())
    }
}
