//! A person, a target and a grant with nothing special about them, for tests: each test says what is special in its own, and says no more.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]
use anteroom_domain::{
    Account, AccountId, AccountName, Capabilities, DisplayName, Grant, GrantId, Handle, Moment, Person, PersonId, Profile, Protocol,
    RequestId, Role, Roles, Target, TargetId, TargetKind, TargetName,
};
use uuid::Uuid;

/// When the sample's people and targets came to be, and its grant begins.
pub const BEGIN: Moment = Moment::UNIX_EPOCH;

pub fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// ada, number 1, who may connect.
pub fn person() -> Person {
    Person {
        id: PersonId(id(1)),
        handle: handle("ada"),
        display_name: DisplayName::new("Ada").unwrap(),
        roles: Roles::from_iter([Role::Admin]),
        attributes: Default::default(),
        suspended_at: None,
        created_at: BEGIN,
    }
}

/// mri-3, number 10: a medical device that is reached by SSH, with one account, `service`, number 20.
pub fn target() -> Target {
    Target {
        id: TargetId(id(10)),
        name: target_name("mri-3"),
        kind: TargetKind::MedicalDevice,
        protocol: Protocol::Ssh,
        host: "127.0.0.1".into(),
        port: 22,
        more_hosts: vec![],
        profile: Profile::Modern,
        via: None,
        description: String::new(),
        attributes: Default::default(),
        accounts: vec![account("service")],
        pinned_host_keys: vec![],
        pinned_host_cas: vec![],
        pinned_certificates: vec![],
        created_at: BEGIN,
    }
}

/// Number 30: this person on the first account of this target, for an hour from [`BEGIN`], shell and commands.
pub fn grant(person: &Person, target: &Target) -> Grant {
    let account = target.accounts.first().cloned().unwrap();
    Grant {
        id: GrantId(id(30)),
        request: RequestId(id(40)),
        person: person.id,
        target: target.id,
        target_name: target.name.clone(),
        account: account.id,
        account_name: account.name,
        capabilities: Capabilities::interactive(),
        obligations: Default::default(),
        not_before: BEGIN,
        not_after: BEGIN + time::Duration::HOUR,
        revoked_at: None,
    }
}

/// An account, number 20.
pub fn account(name: &str) -> Account {
    Account { id: AccountId(id(20)), name: AccountName::new(name).unwrap() }
}

pub fn handle(name: &str) -> Handle {
    Handle::new(name).unwrap()
}

pub fn target_name(name: &str) -> TargetName {
    TargetName::new(name).unwrap()
}
