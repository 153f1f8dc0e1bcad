//! A desktop: a grant to connect with, and a session on it that stands still.
use crate::{Control, HERE, Someone, form};
use anteroom_approvals::{Answer, Approvals, AskStepUp, Credential, NewTarget, RDP_FINGERPRINT, RequestForm};
use anteroom_domain::{AccountName, Capabilities, CertificateFingerprint, LiveSession, PersonId, Secret, StepUpId, TargetKind};
use time::OffsetDateTime;

const ACCOUNT: &str = "CT\\service";

async fn confirm(a: &Approvals, who: &mut Someone) -> StepUpId {
    let ask = AskStepUp {
        person: who.person.id,
        ssh_session_id: vec![7; 32],
        fingerprint: RDP_FINGERPRINT.into(),
        target: "ct-2".parse().unwrap(),
        account: ACCOUNT.parse().unwrap(),
        source: HERE,
    };
    let asked = a.ask_step_up(ask).await.unwrap();
    let start = a.begin_step_up(&who.person, asked.id).await.unwrap();
    let answer = who.passkey.get(&start.options).unwrap();
    a.finish_step_up(&who.person, start.ceremony, &answer).await.unwrap();
    asked.id
}

pub(crate) async fn seed(a: &Approvals, ada: &mut Someone, ben: &mut Someone, op: PersonId, control: &Control) {
    let new = NewTarget {
        // No medical device: those ask for a managed machine in the preview's policy, and whoever looks at it sits at none.
        description: "CT, ward 2, operator console".into(),
        pinned_certificates: vec![CertificateFingerprint::of(b"ct-2")],
        ..NewTarget::rdp("ct-2".parse().unwrap(), TargetKind::Server, "10.20.0.12", 3389)
    };
    let target = a.add_target(Some(op), new).await.unwrap();
    println!("target-rdp {}", target.id);
    let account: AccountName = ACCOUNT.parse().unwrap();
    a.set_credential(None, target.id, account.clone(), Credential::Password(Secret::new("x".into()))).await.unwrap();
    let wish = RequestForm {
        capabilities: Capabilities::parse(["desktop", "clipboard-to-target:max=64KiB", "smart-cards"]).unwrap(),
        ..form("ct-2", ACCOUNT, "Update of the console, ticket 4712", 4)
    };
    let request = a.submit_request(&ada.person, wish, HERE).await.unwrap();
    let start = Box::pin(a.begin_review(&ben.person, request.id, Answer::Approve)).await.unwrap();
    let answer = ben.passkey.get(&start.options).unwrap();
    let grant = Box::pin(a.finish_review(&ben.person, start.ceremony, &answer)).await.unwrap().into_grant().unwrap();
    println!("desktop {}", grant.id);
    let step_up = confirm(a, ada).await;
    let ticket = a.issue_ticket(&ada.person, step_up, grant.id, HERE).await.unwrap();
    let used = a.redeem_ticket(&a.ticket(&ticket.name, HERE).await.unwrap(), HERE).await.unwrap();
    a.session_started(&used.permit, [1; 32], "preview").await.unwrap();
    let id = used.permit.session();
    control.0.lock().unwrap().push(LiveSession {
        id,
        grant: grant.id,
        person: ada.person.id,
        person_handle: "ada".into(),
        target: grant.target,
        target_name: grant.target_name.clone(),
        account,
        source: "192.0.2.41".into(),
        started_at: OffsetDateTime::now_utc(),
        grant_ends_at: grant.not_after,
        channels: 1,
        bytes_out: 48_300_000,
        holds: anteroom_domain::Holds { order: Some(anteroom_domain::PersonId(Default::default())), ..Default::default() },
    });
    a.order_pause(id, ben.person.id).await.unwrap();
}
