//! Medical devices: what is known of them, what they are made of, and whether a patient depends on one now.
use crate::{Approvals, Change, ManageError, StoreError, audit::record, clock, listing::pattern, store};
use anteroom_domain::{AuditEvent, ClinicalUse, GroupName, Moment, PersonId, Secret, TargetId, TargetName, audit::DeviceEvent};
use anteroom_policy::Action;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use crate::store::{
    devices::{Found as FoundComponent, Turned},
    feeds::{Feed, FeedKind},
    posture::MachineRow,
};

/// Lines of an answer to "which devices have it?".
const MOST_FOUND: i64 = 10_000;
/// Characters of a field.
const MAX_FIELD: usize = 200;

/// What stands on its plate, and who is asked about it. Every field may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Inventory {
    pub maker: String,
    pub model: String,
    pub serial: String,
    /// The department that owns it.
    pub owner: String,
    /// Who knows whether it can be done without right now.
    pub clinical_contact: String,
}

impl Inventory {
    fn fields(&self) -> [&str; 5] {
        [&self.maker, &self.model, &self.serial, &self.owner, &self.clinical_contact]
    }
}

/// Of the file a device's components were read from.
#[derive(Debug, Clone, Serialize)]
pub struct SbomInfo {
    pub format: String,
    pub sha256: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: Moment,
    pub components: u64,
}

impl Approvals {
    pub async fn set_inventory(&self, actor: Option<PersonId>, target: TargetId, inventory: Inventory) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManageTargets).await?;
        if inventory.fields().iter().any(|f| f.chars().count() > MAX_FIELD || f.chars().any(char::is_control)) {
            return Err(ManageError::Invalid { what: "inventory", why: format!("one line of at most {MAX_FIELD} characters each") });
        }
        let mut tx = self.begin().await?;
        store::targets::by_id(&mut *tx, target).await?.ok_or(ManageError::NoSuch("target"))?;
        store::devices::put_inventory(&mut *tx, target, &inventory).await?;
        record::write(&mut tx, AuditEvent::Device(DeviceEvent::InventorySet { target }), actor, clock::now()).await?;
        Ok(self.commit(tx).await?)
    }

    /// What is known of it, and of the file its components were read from.
    pub async fn device(&self, target: TargetId) -> Result<(Inventory, Option<SbomInfo>), StoreError> {
        store::devices::by_target(&self.inner.pool, target).await
    }

    /// Replaces what a device is made of by what the file says; a file that is refused changes nothing. How many components it names.
    pub async fn put_sbom(&self, actor: Option<PersonId>, target: TargetId, file: &[u8]) -> Result<usize, ManageError> {
        self.check_actor(actor, Action::ManageTargets).await?;
        let sbom = anteroom_sbom::read(file).map_err(|e| ManageError::Invalid { what: "SBOM", why: e.to_string() })?;
        let (now, sha256) = (clock::now(), Sha256::digest(file));
        let mut tx = self.begin().await?;
        store::targets::by_id(&mut *tx, target).await?.ok_or(ManageError::NoSuch("target"))?;
        store::devices::put_sbom(&mut tx, target, sbom.format.as_str(), &sha256, &sbom.components, actor, now).await?;
        let event = DeviceEvent::SbomStored {
            target,
            format: sbom.format.as_str().into(),
            components: sbom.components.len() as u64,
            sha256: clock::hex(&sha256),
        };
        record::write(&mut tx, AuditEvent::Device(event), actor, now).await?;
        self.commit(tx).await?;
        Ok(sbom.components.len())
    }

    /// Which devices have it? `name` is any part of a component's name, `version` what its version begins with; empty for any.
    pub async fn find_component(&self, name: &str, version: &str) -> Result<Vec<FoundComponent>, StoreError> {
        let begins = pattern(version);
        let begins = begins.strip_prefix('%').unwrap_or(&begins);
        store::devices::find(&self.inner.pool, &pattern(name), begins, MOST_FOUND).await
    }

    /// Somebody turns the switch. Running sessions on the device are judged again.
    pub async fn set_clinical_use(&self, actor: Option<PersonId>, target: TargetId, to: ClinicalUse) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManageTargets).await?;
        let mut tx = self.begin().await?;
        self.turn(&mut tx, target, to, actor, None).await?;
        Ok(self.commit(tx).await?)
    }

    /// The same, said by a program that knows (a nurses' station, a location system) and shows its token.
    pub async fn report_clinical_use(&self, token: &str, target: &TargetName, to: ClinicalUse) -> Result<(), ManageError> {
        let mut tx = self.begin().await?;
        let feed = store::feeds::by_token(&mut *tx, &clock::token_hash(token)).await?.ok_or(ManageError::NotAllowed)?;
        let target = store::targets::by_name(&mut *tx, target.as_str()).await?.ok_or(ManageError::NoSuch("target"))?;
        self.turn(&mut tx, target.id, to, None, Some(feed)).await?;
        Ok(self.commit(tx).await?)
    }

    async fn turn(
        &self,
        tx: &mut sqlx::PgConnection,
        target: TargetId,
        to: ClinicalUse,
        actor: Option<PersonId>,
        feed: Option<String>,
    ) -> Result<(), ManageError> {
        // A program that says the same every second fills no log.
        if store::devices::set_clinical_use(tx, target, to).await?.ok_or(ManageError::NoSuch("target"))? {
            let now = clock::now();
            store::devices::put_turned(&mut *tx, target, actor, feed.as_deref(), now).await?;
            let event = DeviceEvent::ClinicalUse { target, state: to, feed };
            record::write(&mut *tx, AuditEvent::Device(event), actor, now).await?;
            store::tell(tx, Change::Target(target)).await?;
        }
        Ok(())
    }

    /// Who turned a device's switch last; none if nobody ever did.
    pub async fn clinical_use_turned(&self, target: TargetId) -> Result<Option<Turned>, StoreError> {
        store::devices::turned(&self.inner.pool, target).await
    }

    /// A token for a program that says whether devices are in clinical use; shown once.
    pub async fn add_feed(&self, actor: Option<PersonId>, name: &str) -> Result<Secret<String>, ManageError> {
        self.check_actor(actor, Action::ManageTargets).await?;
        // Named as groups are.
        let name = GroupName::new(name).map_err(|e| ManageError::Invalid { what: "name", why: e.to_string() })?;
        let (token, now) = (clock::new_token(), clock::now());
        let mut tx = self.begin().await?;
        if !store::feeds::insert(&mut *tx, clock::new_id(), name.as_str(), &clock::token_hash(token.expose()), actor, now).await? {
            return Err(ManageError::Taken("name"));
        }
        let event = DeviceEvent::FeedAdded { feed: name.into() };
        record::write(&mut tx, AuditEvent::Device(event), actor, now).await?;
        self.commit(tx).await?;
        Ok(token)
    }

    /// Its token opens nothing any more; what it reported of machines counts no more, and all running sessions are judged again.
    pub async fn revoke_feed(&self, actor: Option<PersonId>, name: &str) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManageTargets).await?;
        let now = clock::now();
        let mut tx = self.begin().await?;
        if !store::feeds::revoke(&mut *tx, name, now).await? {
            return Err(ManageError::NoSuch("feed"));
        }
        record::write(&mut tx, AuditEvent::Device(DeviceEvent::FeedRevoked { feed: name.into() }), actor, now).await?;
        // It may have spoken of anybody.
        store::tell(&mut *tx, Change::Resync).await?;
        Ok(self.commit(tx).await?)
    }

    pub async fn feeds(&self) -> Result<Vec<Feed>, StoreError> {
        store::feeds::all(&self.inner.pool).await
    }
}
