//! Keeping targets, their host keys and their credentials.
use crate::{Approvals, Credential, Listing, ManageError, NewTarget, Page, StoreError, VaultError, audit::record, clock, store, vault};
use anteroom_domain::{AccountName, AuditEvent, PersonId, Target, TargetId, TargetName, target::Account};
use anteroom_policy::{Action, Permit};
use ssh_key::{HashAlg, PublicKey};

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
        check_host(&new.host)?;
        if new.port == 0 {
            return Err(invalid("port", "must be from 1 to 65535"));
        }
        if new.description.chars().count() > 500 || new.description.chars().any(char::is_control) {
            return Err(invalid("description", "must be one line of at most 500 characters"));
        }
        let now = clock::now();
        let target = Target {
            id: clock::new_id(),
            name: new.name,
            kind: new.kind,
            host: new.host,
            port: new.port,
            description: new.description,
            accounts: Vec::new(),
            pinned_host_keys: Vec::new(),
            created_at: now,
        };
        let mut tx = self.begin().await?;
        if !store::targets::insert(&mut *tx, &target).await? {
            return Err(ManageError::Taken("target name"));
        }
        record::write(&mut tx, AuditEvent::TargetAdded { target: target.id, name: target.name.clone() }, actor, now).await?;
        self.commit(tx).await?;
        Ok(target)
    }

    /// Replaces the host keys a connection is made to. Lines are OpenSSH public keys; a leading host name, as in
    /// `known_hosts` and `ssh-keyscan` output, is allowed and dropped.
    pub async fn pin_target(&self, actor: Option<PersonId>, target: TargetId, host_key_lines: Vec<String>) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManageTargets).await?;
        if host_key_lines.is_empty() || host_key_lines.len() > 20 {
            return Err(invalid("host keys", "give from one to twenty"));
        }
        let mut lines = Vec::with_capacity(host_key_lines.len());
        let mut fingerprints = Vec::with_capacity(host_key_lines.len());
        for (n, line) in host_key_lines.iter().enumerate() {
            let key = host_key(line).ok_or_else(|| invalid("host keys", format!("line {} is not an OpenSSH public key", n + 1)))?;
            fingerprints.push(key.fingerprint(HashAlg::Sha256).to_string());
            lines.push(key.to_openssh().map_err(|_| invalid("host keys", "unreadable"))?);
        }
        let mut tx = self.begin().await?;
        if !store::targets::pin(&mut *tx, target, &lines).await? {
            return Err(ManageError::NoSuch("target"));
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
        let now = clock::now();
        let mut tx = self.begin().await?;
        store::targets::by_id(&mut *tx, target).await?.ok_or(ManageError::NoSuch("target"))?;
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

    /// Searched by name, host and description, ordered by name.
    pub async fn targets(&self, search: &str, page: Page) -> Result<Listing<Target>, StoreError> {
        store::targets::list(&self.inner.pool, search, page).await
    }

    /// Takes the credential of the permit's account out of the vault. There is no other way to it.
    pub async fn open_credential(&self, permit: &Permit) -> Result<Credential, VaultError> {
        let sealed = store::targets::credential(&self.inner.pool, permit.account_id()).await?.ok_or(VaultError::Missing)?;
        vault::open(&self.inner.options.vault_key, permit.target().id, permit.account_id(), &sealed).ok_or(VaultError::Sealed)
    }
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
