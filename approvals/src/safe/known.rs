//! What a gateway knows without its database. Pure: the caller brings clock and bytes.
use crate::{Change, store::targets::Sealed};
use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use anteroom_assertion::OfflineCard;
use anteroom_domain::{AccountId, AuthorityId, Grant, GrantId, Lock, Machine, Moment, Person, PersonId, Posture, Secret, Target, TargetId};
use anteroom_policy::PolicyFile;
use anteroom_posture::{Comes, fitting};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

const MAGIC: &[u8] = b"anteroom.safe-mode.v1\n";
/// Largest file that is opened, bytes.
pub(crate) const MAX_FILE: u64 = 64 << 20;

/// Read in one transaction. The hospital's own people only: a vendor works watched, and without a database nobody can watch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Known {
    /// Name of the audit log it belongs to.
    pub(crate) log: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) at: Moment,
    pub(crate) policy: Vec<PolicyFile>,
    pub(crate) people: Vec<Person>,
    /// SHA-256 fingerprint as OpenSSH writes it, and whose key it is.
    pub(crate) keys: Vec<(String, PersonId)>,
    pub(crate) targets: Vec<Target>,
    /// As the vault sealed them.
    pub(crate) credentials: Vec<(AccountId, Sealed)>,
    /// The authority whose certificates open accounts that have no secret, if there are such; as the vault sealed it.
    #[serde(default)]
    pub(crate) authority: Option<(AuthorityId, Sealed)>,
    pub(crate) grants: Vec<Grant>,
    /// Those of them that were taken in an emergency.
    pub(crate) emergencies: Vec<GrantId>,
    pub(crate) locks: Vec<Lock>,
    /// That people work from, as they were reported last. They grow old as ever.
    #[serde(default)]
    pub(crate) machines: Vec<(PersonId, Machine)>,
    /// This gateway's, signed by two officers each.
    pub(crate) cards: Vec<OfflineCard>,
}

impl Known {
    pub(crate) fn person(&self, id: PersonId) -> Option<&Person> {
        self.people.iter().find(|p| p.id == id)
    }

    pub(crate) fn person_by_key(&self, fingerprint: &str) -> Option<&Person> {
        self.keys.iter().find(|(f, _)| f == fingerprint).and_then(|(_, id)| self.person(*id))
    }

    pub(crate) fn target(&self, name: &str) -> Option<&Target> {
        self.targets.iter().find(|t| t.name.as_str() == name)
    }

    pub(crate) fn target_by_id(&self, id: TargetId) -> Option<&Target> {
        self.targets.iter().find(|t| t.id == id)
    }

    /// Of the machine that this person comes from, if a report fits.
    pub(crate) fn posture(&self, person: PersonId, comes: Comes<'_>) -> Option<&Posture> {
        fitting(self.machines.iter().filter(|(whose, _)| *whose == person).map(|(_, m)| m), comes).map(|m| &m.posture)
    }

    pub(crate) fn credential(&self, account: AccountId) -> Option<&Sealed> {
        self.credentials.iter().find(|(a, _)| *a == account).map(|(_, s)| s)
    }

    pub(crate) fn grants_of(&self, person: PersonId, target: TargetId) -> Vec<Grant> {
        self.grants.iter().filter(|g| g.person == person && g.target == target).cloned().collect()
    }

    /// Something is otherwise now, and it could not be read how: whatever stood on it stands no longer.
    pub(crate) fn forget(&mut self, change: Change) {
        match change {
            Change::GrantRevoked(g) => self.grants.retain(|x| x.id != g),
            Change::PersonSuspended(p) | Change::Person(p) => {
                self.people.retain(|x| x.id != p);
                self.keys.retain(|(_, of)| *of != p);
            }
            Change::Target(t) => self.targets.retain(|x| x.id != t),
            Change::Card(c) => self.cards.retain(|x| x.terms.card != c),
            // What the policy that counts now says of them nobody knows.
            Change::Policy => self.forget_grants(),
            // Listening was interrupted and is back, so the database answered a moment ago: one that comes and goes must not take every
            // grant with it. Requests only ever add.
            _ => {}
        }
    }

    /// Cards are left: two officers signed each for the hour when nothing else works.
    pub(super) fn forget_grants(&mut self) {
        self.grants.clear();
    }

    /// How old it is; none if the clock is not to be trusted with that.
    pub(crate) fn age(&self, now: Moment) -> Option<std::time::Duration> {
        std::time::Duration::try_from(now - self.at).ok()
    }

    /// For a file. None if it is too large to be opened again.
    pub(crate) fn seal(&self, key: &Secret<[u8; 32]>) -> Option<Vec<u8>> {
        let plain = Zeroizing::new(serde_json::to_vec(self).ok()?);
        let nonce = crate::clock::random::<12>();
        let sealed = Aes256Gcm::new(key.expose().into()).encrypt(&Nonce::from(nonce), Payload { msg: &plain, aad: MAGIC }).ok()?;
        let all = [MAGIC, &nonce, &sealed].concat();
        (all.len() as u64 <= MAX_FILE).then_some(all)
    }

    /// None if it was sealed under another key, belongs to another log, or any byte is another one.
    pub(crate) fn open(key: &Secret<[u8; 32]>, log: &str, file: &[u8]) -> Option<Self> {
        let (nonce, sealed) = file.strip_prefix(MAGIC)?.split_first_chunk::<12>()?;
        let plain = Aes256Gcm::new(key.expose().into()).decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: MAGIC }).ok()?;
        let known: Self = serde_json::from_slice(&Zeroizing::new(plain)).ok()?;
        (known.log == log).then_some(known)
    }
}

#[cfg(test)]
pub(super) use tests::known as sample;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_test_samples as samples;
    use time::macros::datetime;

    const NOW: Moment = datetime!(2026-11-26 12:00 UTC);

    pub(in super::super) fn known() -> Known {
        let person = samples::person();
        let target = samples::target();
        let grant = samples::grant(&person, &target);
        Known {
            log: "anteroom/test".into(),
            at: NOW,
            policy: vec![],
            keys: vec![("SHA256:abc".into(), person.id)],
            people: vec![person],
            targets: vec![target],
            credentials: vec![],
            authority: None,
            grants: vec![grant],
            emergencies: vec![],
            locks: vec![],
            machines: vec![],
            cards: vec![],
        }
    }

    #[test]
    fn a_file_opens_under_its_key_and_name_and_with_every_byte_as_it_was() {
        let (key, other) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let file = known().seal(&key).unwrap();
        let opened = Known::open(&key, "anteroom/test", &file).unwrap();
        assert_eq!(serde_json::to_value(opened).unwrap(), serde_json::to_value(known()).unwrap());
        assert!(Known::open(&other, "anteroom/test", &file).is_none());
        assert!(Known::open(&key, "anteroom/other", &file).is_none());
        for i in (0..file.len()).step_by(7) {
            let mut bad = file.clone();
            bad[i] ^= 1;
            assert!(Known::open(&key, "anteroom/test", &bad).is_none(), "byte {i}");
            assert!(Known::open(&key, "anteroom/test", &file[..i]).is_none(), "cut at {i}");
        }
    }

    #[test]
    fn what_changed_unread_counts_no_longer() {
        let (person, target) = (known().people[0].id, known().targets[0].id);
        let after = |c| {
            let mut k = known();
            k.forget(c);
            (k.person_by_key("SHA256:abc").is_some(), k.target("mri-3").is_some(), k.grants_of(person, target).len())
        };
        assert_eq!(after(Change::Resync), (true, true, 1));
        assert_eq!(after(Change::GrantRevoked(known().grants[0].id)), (true, true, 0));
        assert_eq!(after(Change::PersonSuspended(person)), (false, true, 1));
        assert_eq!(after(Change::Person(person)), (false, true, 1));
        assert_eq!(after(Change::Target(target)), (true, false, 1));
        assert_eq!(after(Change::Policy), (true, true, 0));
    }

    #[test]
    fn a_clock_before_it_was_read_says_no_age() {
        assert_eq!(known().age(NOW + time::Duration::MINUTE), Some(std::time::Duration::from_secs(60)));
        assert_eq!(known().age(NOW - time::Duration::SECOND), None);
    }
}
