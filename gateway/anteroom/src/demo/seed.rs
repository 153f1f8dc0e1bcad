//! People and targets of the demo, through the same calls as everything else. Every name is openly made up.
use super::{
    desktop::{self, Desktop},
    sshd::Sshd,
    state::State,
};
use crate::cli::enrol_link;
use anteroom_approvals::{Approvals, Credential, NewTarget};
use anteroom_domain::{AccountName, CertificateFingerprint, DisplayName, Handle, Role, Secret, TargetKind, TargetName};
use anyhow::{Context, Result};
use std::time::Duration;
use url::Url;

/// Long enough for a coffee and a meeting.
const LINK_TIME: Duration = Duration::from_secs(24 * 3600);

const PEOPLE: [(&str, &str, &[Role]); 5] = [
    ("ada", "Ada Example", &[Role::Admin]),
    ("ben", "Ben Sample", &[Role::Approver, Role::Operator]),
    ("cleo", "Cleo Mock", &[Role::Auditor]),
    ("kim", "Kim Placeholder", &[Role::KeyHolder]),
    ("lee", "Lee Invented", &[Role::KeyHolder]),
];

/// A link for somebody who has no passkey yet.
pub(super) struct EnrolLink {
    pub(super) handle: &'static str,
    pub(super) roles: String,
    pub(super) link: String,
}

pub(super) async fn seed(approvals: &Approvals, _state: &State, targets: &[Sshd], origin: &Url) -> Result<Vec<EnrolLink>> {
    for t in targets {
        add_target(approvals, t).await.with_context(|| format!("demo target {}", t.name))?;
    }
    let mut links = Vec::new();
    for (handle, name, roles) in PEOPLE {
        let known = approvals.person_by_handle(&Handle::new(handle)?).await?;
        let person = match known {
            Some(p) => p,
            None => approvals.add_person(None, Handle::new(handle)?, DisplayName::new(name)?, roles.iter().copied().collect()).await?,
        };
        if !person.is_suspended() && approvals.passkeys(person.id).await?.is_empty() {
            let token = approvals.make_enrol_link(None, person.id, LINK_TIME).await?;
            links.push(EnrolLink { handle, roles: person.roles.names().join(", "), link: enrol_link(origin, token.expose()) });
        }
    }
    Ok(links)
}

async fn add_target(approvals: &Approvals, t: &Sshd) -> Result<()> {
    let name = TargetName::new(t.name)?;
    if approvals.target_by_name(&name).await?.is_some() {
        return Ok(());
    }
    let (kind, description) = match t.name {
        "ehr-db-1" => (TargetKind::Server, "EHR database with invented patients"),
        _ => (TargetKind::MedicalDevice, "Infusion pump, bed 12, ward 4 (made up)"),
    };
    let new = NewTarget { description: description.into(), ..NewTarget::ssh(name, kind, "127.0.0.1", t.port) };
    let target = approvals.add_target(None, new).await?;
    approvals.pin_target(None, target.id, vec![t.host_key.clone()]).await?;
    let key = std::fs::read_to_string(&t.account_key).context("the account's key")?;
    approvals.set_credential(None, target.id, AccountName::new(t.account)?, Credential::PrivateKey(Secret::new(key))).await?;
    Ok(())
}

pub(super) async fn add_desktop(approvals: &Approvals, d: &Desktop) -> Result<()> {
    let name = TargetName::new(desktop::NAME)?;
    if approvals.target_by_name(&name).await?.is_some() {
        return Ok(());
    }
    let new = NewTarget {
        description: "Reading room, a chart viewer with invented patients".into(),
        pinned_certificates: vec![CertificateFingerprint::of(&d.certificate)],
        ..NewTarget::rdp(name, TargetKind::Server, "127.0.0.1", d.port)
    };
    let target = approvals.add_target(None, new).await?;
    let password = Credential::Password(Secret::new(d.password.to_string()));
    approvals.set_credential(None, target.id, AccountName::new(desktop::ACCOUNT)?, password).await?;
    Ok(())
}
