//! Keeping targets, their host keys and their credentials.
use crate::{
    Approvals, Credential, Listing, ManageError, NewTarget, Page, PromptAnswer, Relay, StoreError, TargetChange, VaultError, audit::record,
    clock, store, vault,
};
use anteroom_domain::{
    AccountId, AccountName, AuditEvent, CertificateFingerprint, Person, PersonId, Profile, Protocol, Target, TargetId, TargetName,
    target::{Account, split_host},
};
use anteroom_policy::{Action, Permit, vendor};
use ssh_key::{HashAlg, PublicKey};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Relays in a row.
pub(crate) const MAX_RELAYS: usize = 3;
/// Keys or certificates of one target.
const MAX_PINNED: usize = 20;
/// How long the list of addresses is believed.
const ADDRESSES_FOR: Duration = Duration::from_secs(5);

fn invalid(what: &'static str, why: impl Into<String>) -> ManageError {
    ManageError::Invalid { what, why: why.into() }
}

/// A host name or an address: nothing that a resolver or a shell would read otherwise (THREATS 12).
fn check_host(host: &str) -> Result<(), ManageError> {
    let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if host.is_empty() || host.len() > 253 || host.starts_with('-') || !host.chars().all(ok) {
        return Err(invalid("host", "must be a host name or an IP address"));
    }
    Ok(())
}

impl Approvals {
    pub async fn add_target(&self, actor: Option<PersonId>, new: NewTarget) -> Result<Target, ManageError> {
        self.check_actor(actor, Action::ManageTargets).await?;
        if new.description.chars().count() > 500 || new.description.chars().any(char::is_control) {
            return Err(invalid("description", "must be one line of at most 500 characters"));
        }
        let now = clock::now();
        let target = Target {
            id: clock::new_id(),
            name: new.name,
            kind: new.kind,
            protocol: new.protocol,
            host: new.host,
            port: new.port,
            more_hosts: new.more_hosts,
            profile: new.profile,
            via: None,
            description: new.description,
            attributes: Default::default(),
            accounts: Vec::new(),
            pinned_host_keys: Vec::new(),
            pinned_host_cas: read_keys("host CAs", &new.pinned_host_cas)?.0,
            pinned_certificates: new.pinned_certificates,
            created_at: now,
        };
        check(&target)?;
        let mut tx = self.begin().await?;
        let via = relay(&mut tx, &target, new.via.as_ref()).await?;
        if !store::targets::insert(&mut *tx, &target, via).await? {
            return Err(ManageError::Taken("target name"));
        }
        record::write(&mut tx, AuditEvent::TargetAdded { target: target.id, name: target.name.clone() }, actor, now).await?;
        let target = store::targets::by_id(&mut *tx, target.id).await?.ok_or(ManageError::NoSuch("target"))?;
        self.commit(tx).await?;
        Ok(target)
    }

    /// Changes where and how a target is reached. Its name, kind and protocol stay.
    pub async fn change_target(&self, actor: Option<PersonId>, id: TargetId, change: TargetChange) -> Result<Target, ManageError> {
        self.check_actor(actor, Action::ManageTargets).await?;
        let mut tx = self.begin().await?;
        let mut target = store::targets::by_id(&mut *tx, id).await?.ok_or(ManageError::NoSuch("target"))?;
        let mut what = Vec::new();
        let mut set = |name: &'static str, changed: bool| changed.then(|| what.push(name));
        set("host", change.host.is_some());
        target.host = change.host.unwrap_or(target.host);
        set("port", change.port.is_some());
        target.port = change.port.unwrap_or(target.port);
        set("further hosts", change.more_hosts.is_some());
        target.more_hosts = change.more_hosts.unwrap_or(target.more_hosts);
        set("profile", change.profile.is_some());
        target.profile = change.profile.unwrap_or(target.profile);
        set("host CAs", change.pinned_host_cas.is_some());
        if let Some(lines) = change.pinned_host_cas {
            target.pinned_host_cas = read_keys("host CAs", &lines)?.0;
        }
        set("relay", change.via.is_some());
        let via = match change.via {
            Some(via) => via,
            None => target.via.take().map(|v| (v.target_name, v.account)),
        };
        check(&target)?;
        let via = relay(&mut tx, &target, via.as_ref()).await?;
        if !store::targets::update(&mut *tx, &target, via).await? {
            return Err(ManageError::NoSuch("target"));
        }
        record::write(&mut tx, AuditEvent::TargetChanged { target: id, what: what.join(", ") }, actor, clock::now()).await?;
        let target = store::targets::by_id(&mut *tx, id).await?.ok_or(ManageError::NoSuch("target"))?;
        self.commit(tx).await?;
        Ok(target)
    }

    /// Replaces the host keys a connection is made to. Lines are OpenSSH public keys; a leading host name, as in
    /// `known_hosts` and `ssh-keyscan` output, is allowed and dropped.
    pub async fn pin_target(&self, actor: Option<PersonId>, target: TargetId, host_key_lines: Vec<String>) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManageTargets).await?;
        if host_key_lines.is_empty() {
            return Err(invalid("host keys", "give from one to twenty"));
        }
        let (lines, fingerprints) = read_keys("host keys", &host_key_lines)?;
        let mut tx = self.begin().await?;
        if !store::targets::pin(&mut *tx, target, &lines).await? {
            return Err(ManageError::NoSuch("target"));
        }
        record::write(&mut tx, AuditEvent::TargetPinned { target, fingerprints }, actor, clock::now()).await?;
        self.commit(tx).await?;
        Ok(())
    }

    /// Replaces the certificates an RDP connection is made to.
    pub async fn pin_certificates(
        &self,
        actor: Option<PersonId>,
        target: TargetId,
        mut certificates: Vec<CertificateFingerprint>,
    ) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManageTargets).await?;
        certificates.sort_unstable();
        certificates.dedup();
        if certificates.is_empty() || certificates.len() > MAX_PINNED {
            return Err(invalid("certificates", "give from one to twenty"));
        }
        let fingerprints: Vec<String> = certificates.iter().map(ToString::to_string).collect();
        let mut tx = self.begin().await?;
        if !store::targets::pin_certificates(&mut *tx, target, &fingerprints).await? {
            return Err(ManageError::NoSuch("RDP target"));
        }
        record::write(&mut tx, AuditEvent::TargetPinned { target, fingerprints }, actor, clock::now()).await?;
        self.commit(tx).await?;
        Ok(())
    }

    /// Seals a credential into the vault; the account is made if the target has none of this name.
    pub async fn set_credential(
        &self,
        actor: Option<PersonId>,
        target: TargetId,
        account: AccountName,
        credential: Credential,
    ) -> Result<Account, ManageError> {
        self.check_actor(actor, Action::ManageTargets).await?;
        if let Credential::PrivateKey(pem) = &credential {
            let key =
                ssh_key::PrivateKey::from_openssh(pem.expose()).map_err(|_| invalid("private key", "is not an OpenSSH private key"))?;
            if key.is_encrypted() {
                return Err(invalid("private key", "has a passphrase; remove it with: ssh-keygen -p"));
            }
        }
        if let Credential::Prompts(prompts) = &credential {
            let sane = |p: &PromptAnswer| !p.prompt.trim().is_empty() && p.prompt.len() <= 200 && p.answer.expose().len() <= 1000;
            if prompts.is_empty() || prompts.len() > 8 || !prompts.iter().all(sane) {
                return Err(invalid("prompts", "give from one to eight, each with part of its text and an answer"));
            }
        }
        let now = clock::now();
        let mut tx = self.begin().await?;
        let found = store::targets::by_id(&mut *tx, target).await?.ok_or(ManageError::NoSuch("target"))?;
        if found.protocol != Protocol::Ssh && !matches!(credential, Credential::Password(_)) {
            return Err(invalid("credential", format!("{} knows passwords only", found.protocol.title())));
        }
        let account = store::targets::account(&mut tx, target, &account, clock::new_id(), now).await?;
        let sealed = vault::seal(&self.inner.options.vault_key, target, account.id, &credential)
            .ok_or_else(|| invalid("credential", "can't be sealed"))?;
        store::targets::put_credential(&mut *tx, account.id, &sealed, now).await?;
        record::write(&mut tx, AuditEvent::CredentialStored { target, account: account.name.clone() }, actor, now).await?;
        self.commit(tx).await?;
        Ok(account)
    }

    pub async fn target(&self, id: TargetId) -> Result<Option<Target>, StoreError> {
        store::targets::by_id(&self.inner.pool, id).await
    }

    pub async fn target_by_name(&self, name: &TargetName) -> Result<Option<Target>, StoreError> {
        store::targets::by_name(&self.inner.pool, name.as_str()).await
    }

    /// What this person may know of, searched by name and description: the hospital's own people of every target, a vendor's of those that
    /// their company keeps. Whatever names targets to somebody who asks for access takes them from here or from [`Self::target_for`].
    pub async fn targets_for(&self, person: &Person, search: &str, page: Page) -> Result<Listing<Target>, StoreError> {
        store::targets::offered(&self.inner.pool, search, person.attributes.company, page).await
    }

    /// None: there is no such target for this person, whether it exists or not.
    pub async fn target_for(&self, person: &Person, name: &TargetName) -> Result<Option<Target>, StoreError> {
        Ok(self.target_by_name(name).await?.filter(|t| vendor::sees(person, t)))
    }

    /// Every target, for whoever keeps them: searched by name, host and description, ordered by name.
    pub async fn targets(&self, search: &str, page: Page) -> Result<Listing<Target>, StoreError> {
        store::targets::list(&self.inner.pool, search, page).await
    }

    /// Host and port of every target, for the rule that no forward leads to one. At most five seconds old.
    pub async fn all_addresses(&self) -> Result<Arc<Vec<(String, u16)>>, StoreError> {
        let mut cache = self.inner.addresses.lock().await;
        if let Some((at, all)) = &*cache
            && at.elapsed() < ADDRESSES_FOR
        {
            return Ok(all.clone());
        }
        let mut all = Vec::new();
        for (host, port, more) in store::targets::addresses(&self.inner.pool).await? {
            let port = u16::try_from(port).map_err(|_| StoreError::Damaged("target"))?;
            all.extend(more.iter().map(|m| split_host(m, port)));
            all.push((host, port));
        }
        let all = Arc::new(all);
        *cache = Some((Instant::now(), all.clone()));
        Ok(all)
    }

    /// The logins on the way to the permit's target, outermost first; none if it is reached directly.
    pub async fn open_relay(&self, permit: &Permit) -> Result<Vec<Relay>, VaultError> {
        let (mut relays, mut via) = (Vec::new(), permit.target().via.clone());
        while let Some(v) = via {
            if relays.len() >= MAX_RELAYS {
                return Err(VaultError::Missing);
            }
            let target = self.on_the_way(v.target).await?.ok_or(VaultError::Missing)?;
            let account = target.accounts.iter().find(|a| a.name == v.account).ok_or(VaultError::Missing)?;
            let credential = self.open_account(target.id, account.id).await?;
            via = target.via.clone();
            relays.insert(0, Relay { account: v.account, credential, target });
        }
        Ok(relays)
    }

    /// Takes the credential of the permit's account out of the vault. There is no other way to it.
    pub async fn open_credential(&self, permit: &Permit) -> Result<Credential, VaultError> {
        self.open_account(permit.target().id, permit.account_id()).await
    }

    async fn open_account(&self, target: TargetId, account: AccountId) -> Result<Credential, VaultError> {
        let asked = store::targets::credential(&self.inner.pool, account);
        let sealed = self.or_known(asked, |known| known.credential(account).cloned()).await?.ok_or(VaultError::Missing)?;
        vault::open(&self.inner.options.vault_key, target, account, &sealed).ok_or(VaultError::Sealed)
    }

    /// A relay, also while the database is away.
    pub(crate) async fn on_the_way(&self, relay: TargetId) -> Result<Option<Target>, StoreError> {
        self.or_known(store::targets::by_id(&self.inner.pool, relay), |known| known.target_by_id(relay).cloned()).await
    }
}

/// What holds for every target, new or changed.
fn check(t: &Target) -> Result<(), ManageError> {
    check_host(&t.host)?;
    if t.port == 0 {
        return Err(invalid("port", "must be from 1 to 65535"));
    }
    if t.more_hosts.len() > 8 {
        return Err(invalid("further hosts", "give at most eight"));
    }
    for more in &t.more_hosts {
        let (host, port) = split_host(more, t.port);
        check_host(&host)?;
        if port == 0 {
            return Err(invalid("further hosts", "a port must be from 1 to 65535"));
        }
    }
    if t.protocol == Protocol::Telnet && t.profile != Profile::Quarantine {
        return Err(invalid("protocol", "telnet encrypts nothing and is allowed only with the quarantine profile"));
    }
    if t.protocol == Protocol::Rdp && !t.pinned_host_cas.is_empty() {
        return Err(invalid("host CAs", "RDP knows no SSH keys; pin its certificate"));
    }
    if t.pinned_certificates.len() > MAX_PINNED {
        return Err(invalid("certificates", "give at most twenty"));
    }
    if t.protocol != Protocol::Rdp && !t.pinned_certificates.is_empty() {
        return Err(invalid("certificates", "only an RDP target shows one"));
    }
    Ok(())
}

/// The account on the relay, after looking that the way through it is short and leads nowhere twice.
async fn relay(
    tx: &mut sqlx::PgConnection,
    target: &Target,
    via: Option<&(TargetName, AccountName)>,
) -> Result<Option<AccountId>, ManageError> {
    let Some((name, account)) = via else { return Ok(None) };
    let first = store::targets::by_name(&mut *tx, name.as_str()).await?.ok_or(ManageError::NoSuch("relay"))?;
    let login = first.accounts.iter().find(|a| a.name == *account).ok_or(ManageError::NoSuch("account on the relay"))?.id;
    if target.protocol != Protocol::Ssh {
        return Err(invalid("relay", format!("a target that speaks {} is reached directly", target.protocol.title())));
    }
    let too_long = || invalid("relay", "at most three relays in a row");
    // Whoever stands behind this target gets the longer way too.
    let behind = store::targets::rows_behind(&mut *tx, target.id).await?;
    let mut next = Some(first);
    for hops in 1..=MAX_RELAYS {
        let Some(hop) = next else { return Ok(Some(login)) };
        if hops + behind > MAX_RELAYS {
            return Err(too_long());
        }
        if hop.id == target.id {
            return Err(invalid("relay", "the way would lead through the target itself"));
        }
        if hop.protocol != Protocol::Ssh {
            return Err(invalid("relay", "only an SSH target can be a relay"));
        }
        next = match &hop.via {
            Some(v) => store::targets::by_id(&mut *tx, v.target).await?,
            None => None,
        };
    }
    if next.is_some() { Err(too_long()) } else { Ok(Some(login)) }
}

/// Canonical lines and fingerprints of OpenSSH public keys.
fn read_keys(what: &'static str, given: &[String]) -> Result<(Vec<String>, Vec<String>), ManageError> {
    if given.len() > MAX_PINNED {
        return Err(invalid(what, "give at most twenty"));
    }
    let (mut lines, mut fingerprints) = (Vec::with_capacity(given.len()), Vec::with_capacity(given.len()));
    for (n, line) in given.iter().enumerate() {
        let key = host_key(line).ok_or_else(|| invalid(what, format!("line {} is not an OpenSSH public key", n + 1)))?;
        fingerprints.push(key.fingerprint(HashAlg::Sha256).to_string());
        lines.push(key.to_openssh().map_err(|_| invalid(what, "unreadable"))?);
    }
    Ok((lines, fingerprints))
}

/// `ssh-ed25519 AAAA... comment`, or the same after a host name.
fn host_key(line: &str) -> Option<PublicKey> {
    let line = line.trim();
    if line.len() > 16 * 1024 {
        return None;
    }
    let mut key = PublicKey::from_openssh(line)
        .or_else(|e| line.split_once(' ').map_or(Err(e), |(_, rest)| PublicKey::from_openssh(rest.trim())))
        .ok()?;
    key.set_comment("");
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_nothing_else() {
        for good in ["db1", "db1.example.org", "10.0.0.1", "fe80::1"] {
            assert!(check_host(good).is_ok(), "{good}");
        }
        for bad in ["", "-oProxyCommand=x", "a b", "a;b", "a/b", "é", &"x".repeat(254)] {
            assert!(check_host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn host_keys_are_read_as_ssh_keyscan_prints_them() {
        const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
        assert!(host_key(KEY).is_some());
        assert!(host_key(&format!("[localhost]:2222 {KEY}")).is_some());
        assert!(host_key("localhost").is_none());
    }
}
