//! Tickets: from a passkey over one connection to one RDP session, and everything that must not open one.
use crate::world::{HERE, Someone, World, account, now};
use anteroom_approvals::{
    AskStepUp, Change, Credential, ManageError, NewTarget, Pausing, RDP_FINGERPRINT, RedeemError, Redeemed, RequestForm, Ticket,
    TicketError, TicketRefusal,
    verify::{all_good, verify_evidence},
};
use anteroom_domain::{
    AuditEvent, Capabilities, EndReason, FactorUsed, Grant, Lockable, Reason, Role, Secret, SessionId, StepUpId, TargetKind, TargetName,
    content::Verdict,
};
use anteroom_policy::Refusal;
use std::{net::IpAddr, time::Duration};

const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

fn ct() -> TargetName {
    TargetName::new("ct-2").unwrap()
}

/// Ada, who asks, and Bob, who approves; and an RDP target.
pub async fn hospital() -> (World, Someone, Someone, Grant) {
    Box::pin(built()).await
}

async fn built() -> (World, Someone, Someone, Grant) {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let target = w.approvals.add_target(None, NewTarget::rdp(ct(), TargetKind::MedicalDevice, "10.9.0.12", 3389)).await.unwrap();
    let password = Credential::Password(Secret::new("s3cret-of-service".into()));
    w.approvals.set_credential(None, target.id, account("CT\\service"), password).await.unwrap();
    let grant = desktop(&w, &ada, &mut bob).await;
    (w, ada, bob, grant)
}

/// Asked and approved.
async fn desktop(w: &World, who: &Someone, approver: &mut Someone) -> Grant {
    let form = RequestForm {
        target: ct(),
        account: account("CT\\service"),
        reason: Reason::new("new software, ticket 4712").unwrap(),
        from: None,
        until: now() + time::Duration::hours(1),
        capabilities: Capabilities::parse(["desktop", "clipboard-to-target:max=64KiB"]).unwrap(),
        also: Default::default(),
    };
    let r = w.approvals.submit_request(&who.person, form, HERE).await.unwrap();
    Box::pin(w.review(approver, &r, Verdict::Approve)).await.unwrap().unwrap()
}

/// A passkey over a connection to the desktop, as the portal asks for it.
async fn confirm(w: &World, who: &mut Someone, fingerprint: &str) -> StepUpId {
    let ask = AskStepUp {
        person: who.person.id,
        ssh_session_id: vec![0xcd; 32],
        fingerprint: fingerprint.into(),
        target: ct(),
        account: account("CT\\service"),
        source: HERE,
    };
    let asked = w.approvals.ask_step_up(ask).await.unwrap();
    let start = w.approvals.begin_step_up(&who.person, asked.id).await.unwrap();
    assert!(start.content.contains("\"rdp\"") || fingerprint != RDP_FINGERPRINT, "the passkey signs what it is for");
    let answer = who.passkey.get(&start.options).unwrap();
    w.approvals.finish_step_up(&who.person, start.ceremony, &answer).await.unwrap();
    asked.id
}

/// What the portal shows: user name and secret.
async fn issue(w: &World, who: &mut Someone, grant: &Grant) -> (String, Secret<String>) {
    let step_up = confirm(w, who, RDP_FINGERPRINT).await;
    let t = w.approvals.issue_ticket(&who.person, step_up, grant.id, HERE).await.unwrap();
    (t.name, t.secret)
}

async fn look(w: &World, name: &str, from: IpAddr) -> Ticket {
    w.approvals.ticket(name, from).await.unwrap()
}

async fn redeem(w: &World, name: &str) -> Result<Redeemed, RedeemError> {
    w.approvals.redeem_ticket(&look(w, name, HERE).await, HERE).await
}

fn refused(r: Result<Redeemed, RedeemError>) -> TicketRefusal {
    match r {
        Err(RedeemError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// The gateway's part after a permit.
async fn start(w: &World, r: &Redeemed) -> SessionId {
    w.approvals.session_started(&r.permit, [7; 32], "gw-1").await.unwrap();
    r.permit.session()
}

#[tokio::test]
async fn the_whole_road_from_a_passkey_to_a_session_and_back_into_it() {
    let (w, mut ada, _, grant) = hospital().await;
    let (name, secret) = issue(&w, &mut ada, &grant).await;
    let ticket = look(&w, &format!(" {} ", name.to_uppercase()), HERE).await;
    assert!(ticket.opens(&secret) && ticket.secret() == &secret, "however the name was typed");
    assert!(ticket.session().is_none());

    let first = w.approvals.redeem_ticket(&ticket, HERE).await.unwrap();
    assert!(!first.again);
    let p = &first.permit;
    assert_eq!((p.grant(), p.person(), p.source()), (grant.id, ada.person.id, HERE));
    assert!(p.capabilities().desktop() && !p.capabilities().shell());
    assert!(matches!(w.approvals.open_credential(p).await.unwrap(), Credential::Password(x) if x.expose() == "s3cret-of-service"));
    let session = start(&w, &first).await;

    w.approvals.ticket_waits(session).await.unwrap();
    let ticket = look(&w, &name, HERE).await;
    assert_eq!(ticket.session(), Some(session));
    let again = w.approvals.redeem_ticket(&ticket, HERE).await.unwrap();
    assert!(again.again && again.permit.session() == session && again.permit.grant() == grant.id);

    let log = w.log().await;
    let told = |f: &dyn Fn(&AuditEvent) -> bool| log.iter().filter(|e| f(e)).count();
    assert_eq!(told(&|e| matches!(e, AuditEvent::TicketIssued { ticket, grant: g, .. } if *ticket == name && *g == grant.id)), 1);
    assert_eq!(told(&|e| matches!(e, AuditEvent::TicketRedeemed { session: s, .. } if *s == session)), 2);
    let factor = |e: &AuditEvent| matches!(e, AuditEvent::SessionStarted { second_factor: Some(FactorUsed::Passkey { .. }), .. });
    assert_eq!(told(&factor), 1, "a session is one, however often its client came");
    let whole = serde_json::to_string(&log).unwrap();
    assert!(!whole.contains(secret.expose()) && !whole.contains(&secret.expose()[..9]), "no secret in the log");
}

#[tokio::test]
async fn the_secret_is_nowhere_in_the_database_in_clear_and_opens_in_its_own_row_only() {
    let (w, mut ada, _, grant) = hospital().await;
    let (mine, secret) = issue(&w, &mut ada, &grant).await;
    let (other, _) = issue(&w, &mut ada, &grant).await;
    let rows: Vec<(String,)> = sqlx::query_as("select row_to_json(t)::text from rdp_ticket t").fetch_all(&w.owner).await.unwrap();
    let hex: String = secret.expose().bytes().map(|b| format!("{b:02x}")).collect();
    assert!(rows.len() == 2 && rows.iter().all(|(r,)| !r.contains(secret.expose()) && !r.contains(&hex)));
    // Somebody who can write the table moves a secret they know to another ticket, or changes what their ticket is good for.
    w.sql("update rdp_ticket a set nonce = b.nonce, sealed = b.sealed from rdp_ticket b where a.id <> b.id").await;
    for name in [&mine, &other] {
        assert!(w.approvals.ticket(name, HERE).await.is_err(), "sealed to its row");
    }
}

#[tokio::test]
async fn a_ticket_changed_in_the_table_opens_nothing() {
    let (w, mut ada, mut bob, grant) = hospital().await;
    let (name, _) = issue(&w, &mut ada, &grant).await;
    let wider = desktop(&w, &ada, &mut bob).await;
    sqlx::query("update rdp_ticket set access_grant = $1").bind(wider.id.0).execute(&w.owner).await.unwrap();
    assert!(w.approvals.ticket(&name, HERE).await.is_err(), "another grant");
    sqlx::query("update rdp_ticket set access_grant = $1, source = '203.0.113.9'").bind(grant.id.0).execute(&w.owner).await.unwrap();
    assert!(w.approvals.ticket(&name, ELSEWHERE).await.is_err(), "another address");
}

#[tokio::test]
async fn unknown_names_get_an_answer_too_and_it_opens_nothing() {
    let (w, ..) = hospital().await;
    for name in ["t-abcdefgh23", "administrator", "", "' or 1=1 --", "John Smith, MRN 4711"] {
        let t = look(&w, name, HERE).await;
        assert_eq!(t.secret().expose().len(), 34, "as long as a real one");
        assert!(!t.opens(&Secret::new(t.secret().expose().clone())), "not even with the secret that was made up");
        assert_ne!(look(&w, name, HERE).await.secret(), t.secret());
        w.approvals.ticket_failed(&t, HERE).await.unwrap();
        assert_eq!(refused(w.approvals.redeem_ticket(&t, HERE).await), TicketRefusal::Unknown);
    }
    let named: Vec<String> = w
        .log()
        .await
        .into_iter()
        .filter_map(|e| if let AuditEvent::TicketRefused { ticket, .. } = e { Some(ticket) } else { None })
        .collect();
    assert_eq!(named.len(), 10);
    assert!(named.iter().all(|n| n == "t-abcdefgh23" || n == "(not a ticket)"), "people type all kinds of things: {named:?}");
}

#[tokio::test]
async fn five_wrong_secrets_void_a_ticket_and_wrong_ones_from_elsewhere_do_not_count() {
    let (w, mut ada, _, grant) = hospital().await;
    let (name, secret) = issue(&w, &mut ada, &grant).await;
    for _ in 0..20 {
        let t = look(&w, &name, ELSEWHERE).await;
        assert!(!t.opens(&secret), "from another address not even the right secret");
        w.approvals.ticket_failed(&t, ELSEWHERE).await.unwrap();
    }
    for n in 0..5 {
        let t = look(&w, &name, HERE).await;
        assert!(t.opens(&secret), "{n}");
        w.approvals.ticket_failed(&t, HERE).await.unwrap();
    }
    let t = look(&w, &name, HERE).await;
    assert!(!t.opens(&secret) && t.secret() != &secret);
    assert_eq!(refused(w.approvals.redeem_ticket(&t, HERE).await), TicketRefusal::Voided);
}

#[tokio::test]
async fn a_ticket_voided_between_its_proof_and_its_use_opens_nothing() {
    let (w, mut ada, _, grant) = hospital().await;
    let (name, _) = issue(&w, &mut ada, &grant).await;
    let proven = look(&w, &name, HERE).await;
    for _ in 0..5 {
        w.approvals.ticket_failed(&look(&w, &name, HERE).await, HERE).await.unwrap();
    }
    assert_eq!(refused(w.approvals.redeem_ticket(&proven, HERE).await), TicketRefusal::Voided);
}

#[tokio::test]
async fn wrong_addresses_and_expired_tickets_open_nothing() {
    let (w, mut ada, _, grant) = hospital().await;
    let (name, _) = issue(&w, &mut ada, &grant).await;
    let proven = look(&w, &name, HERE).await;
    assert_eq!(refused(w.approvals.redeem_ticket(&proven, ELSEWHERE).await), TicketRefusal::Address);
    w.sql("update rdp_ticket set issued_at = issued_at - interval '10 minutes', expires_at = now() - interval '1 second'").await;
    assert_eq!(refused(w.approvals.redeem_ticket(&proven, HERE).await), TicketRefusal::Expired);
    assert!(w.log().await.iter().any(|e| matches!(e, AuditEvent::TicketRefused { person: Some(p), .. } if *p == ada.person.id)));
}

#[tokio::test]
async fn a_used_ticket_opens_no_second_session() {
    let (w, mut ada, _, grant) = hospital().await;
    let (name, _) = issue(&w, &mut ada, &grant).await;
    let session = start(&w, &redeem(&w, &name).await.unwrap()).await;
    assert_eq!(refused(redeem(&w, &name).await), TicketRefusal::InUse, "its client is there");
    w.approvals.ticket_waits(session).await.unwrap();
    assert_eq!(refused(w.approvals.redeem_ticket(&look(&w, &name, HERE).await, ELSEWHERE).await), TicketRefusal::Address);
    w.approvals.session_ended(session, &EndReason::ClientClosed).await;
    assert_eq!(refused(redeem(&w, &name).await), TicketRefusal::Over);
}

#[tokio::test]
async fn a_session_waits_two_minutes_for_its_client_even_when_the_tickets_own_time_is_over() {
    let (w, mut ada, _, grant) = hospital().await;
    let (name, _) = issue(&w, &mut ada, &grant).await;
    let session = start(&w, &redeem(&w, &name).await.unwrap()).await;
    w.sql("update rdp_ticket set issued_at = issued_at - interval '1 hour', expires_at = now() - interval '50 minutes'").await;
    w.sql("update step_up set answered_at = now() - interval '55 minutes'").await;
    w.approvals.ticket_waits(session).await.unwrap();
    w.settle().await;
    assert_eq!(redeem(&w, &name).await.unwrap().permit.session(), session);
    w.approvals.ticket_waits(session).await.unwrap();
    w.sql("update rdp_ticket set reopens_until = now() - interval '1 second'").await;
    assert_eq!(refused(redeem(&w, &name).await), TicketRefusal::Over);
}

#[tokio::test]
async fn a_step_up_that_opened_another_session_reopens_none() {
    let (w, mut ada, _, grant) = hospital().await;
    let (name, _) = issue(&w, &mut ada, &grant).await;
    let session = start(&w, &redeem(&w, &name).await.unwrap()).await;
    w.approvals.ticket_waits(session).await.unwrap();
    w.sql("update step_up set used_by = gen_random_uuid()").await;
    assert_eq!(refused(redeem(&w, &name).await), TicketRefusal::Expired);
}

#[tokio::test]
async fn what_was_taken_away_meanwhile_is_judged_again() {
    let (w, mut ada, mut bob, grant) = hospital().await;
    let (unused, _) = issue(&w, &mut ada, &grant).await;
    let (used, _) = issue(&w, &mut ada, &grant).await;
    let session = start(&w, &redeem(&w, &used).await.unwrap()).await;
    w.approvals.ticket_waits(session).await.unwrap();
    w.approvals.revoke_grant(Some(bob.person.id), grant.id).await.unwrap();
    // A second grant for the same desktop does not stand in for the one the ticket was made under.
    let other = desktop(&w, &ada, &mut bob).await;
    for name in [&unused, &used] {
        assert_eq!(refused(redeem(&w, name).await), TicketRefusal::Access(Refusal::NoSuchAccess));
    }
    let (third, _) = issue(&w, &mut ada, &other).await;
    w.approvals.suspend_person(None, ada.person.id).await.unwrap();
    assert_eq!(refused(redeem(&w, &third).await), TicketRefusal::Access(Refusal::Suspended));
    let started = w.log().await.iter().filter(|e| matches!(e, AuditEvent::TicketRedeemed { .. })).count();
    assert_eq!(started, 1, "what was refused spent nothing");
}

#[tokio::test]
async fn of_many_at_once_one_wins() {
    let (w, mut ada, _, grant) = hospital().await;
    let (name, _) = issue(&w, &mut ada, &grant).await;
    let race = async |w: &World| {
        let tries = (0..8).map(|_| {
            let (a, name) = (w.approvals.clone(), name.clone());
            tokio::spawn(async move { a.redeem_ticket(&a.ticket(&name, HERE).await.unwrap(), HERE).await })
        });
        let mut won = Vec::new();
        for t in tries.collect::<Vec<_>>() {
            match t.await.unwrap() {
                Ok(r) => won.push(r),
                Err(RedeemError::Refused(TicketRefusal::InUse | TicketRefusal::Over)) => {}
                Err(e) => panic!("{e}"),
            }
        }
        won
    };
    let won = race(&w).await;
    assert_eq!(won.len(), 1);
    let session = start(&w, &won[0]).await;
    w.approvals.ticket_waits(session).await.unwrap();
    let won = race(&w).await;
    assert!(won.len() == 1 && won[0].again && won[0].permit.session() == session);
}

#[tokio::test]
async fn a_ticket_is_made_only_of_a_passkey_over_exactly_this_connection_and_once() {
    let (w, mut ada, mut bob, grant) = hospital().await;
    let mut eve = w.somebody("eve", Role::Admin).await;
    let issue = async |who: &Someone, step_up, grant: &Grant, from| w.approvals.issue_ticket(&who.person, step_up, grant.id, from).await;
    let invented = issue(&ada, StepUpId(uuid::Uuid::new_v4()), &grant, HERE).await;
    assert_eq!(invented.unwrap_err(), TicketError::NotConfirmed);
    let terminal = confirm(&w, &mut ada, "browser").await;
    assert_eq!(issue(&ada, terminal, &grant, HERE).await.unwrap_err(), TicketError::NotConfirmed, "for a terminal");
    let hers = confirm(&w, &mut eve, RDP_FINGERPRINT).await;
    assert_eq!(issue(&ada, hers, &grant, HERE).await.unwrap_err(), TicketError::NotConfirmed, "somebody else's passkey");
    assert_eq!(issue(&eve, hers, &grant, HERE).await.unwrap_err(), TicketError::NoSuchAccess, "somebody else's grant");
    let good = confirm(&w, &mut ada, RDP_FINGERPRINT).await;
    assert_eq!(issue(&ada, good, &grant, ELSEWHERE).await.unwrap_err(), TicketError::NotConfirmed, "from another address");
    let shell = w.grant(&ada, &mut bob).await;
    assert_eq!(issue(&ada, good, &shell, HERE).await.unwrap_err(), TicketError::NoSuchAccess, "no desktop");
    assert!(issue(&ada, good, &grant, HERE).await.is_ok());
    assert_eq!(issue(&ada, good, &grant, HERE).await.unwrap_err(), TicketError::NotConfirmed, "one ticket");
    let on = Lockable::Target(grant.target);
    let mut next = confirm(&w, &mut ada, RDP_FINGERPRINT).await;
    w.approvals.lock(None, on, Reason::new("recall notice 17").unwrap()).await.unwrap();
    assert_eq!(issue(&ada, next, &grant, HERE).await.unwrap_err(), TicketError::NotNow(EndReason::Locked), "it says what is in the way");
    w.approvals.unlock(None, on).await.unwrap();
    next = confirm(&w, &mut ada, RDP_FINGERPRINT).await;
    issue(&ada, next, &grant, HERE).await.unwrap();
    w.approvals.revoke_grant(None, grant.id).await.unwrap();
    let late = confirm(&w, &mut ada, RDP_FINGERPRINT).await;
    assert_eq!(issue(&ada, late, &grant, HERE).await.unwrap_err(), TicketError::NoSuchAccess, "revoked");
}

#[tokio::test]
async fn a_ticket_never_lasts_longer_than_its_grant_and_nobody_collects_them() {
    let (w, mut ada, _, grant) = hospital().await;
    sqlx::query("update access_grant set not_after = now() + interval '90 seconds'").execute(&w.owner).await.unwrap();
    let step_up = confirm(&w, &mut ada, RDP_FINGERPRINT).await;
    let t = w.approvals.issue_ticket(&ada.person, step_up, grant.id, HERE).await.unwrap();
    assert!(t.expires_at <= now() + time::Duration::seconds(90));
    for _ in 1..5 {
        issue(&w, &mut ada, &grant).await;
    }
    let step_up = confirm(&w, &mut ada, RDP_FINGERPRINT).await;
    let one_more = w.approvals.issue_ticket(&ada.person, step_up, grant.id, HERE).await;
    assert_eq!(one_more.unwrap_err(), TicketError::TooMany { max: 5 });
}

#[tokio::test]
async fn tickets_are_forgotten_when_they_open_nothing_any_more() {
    let (w, mut ada, _, grant) = hospital().await;
    let (running, _) = issue(&w, &mut ada, &grant).await;
    start(&w, &redeem(&w, &running).await.unwrap()).await;
    issue(&w, &mut ada, &grant).await;
    w.sql("update rdp_ticket set issued_at = issued_at - interval '3 hours', expires_at = now() - interval '2 hours'").await;
    let stop = tokio_util::sync::CancellationToken::new();
    let background = tokio::spawn({
        let (a, stop) = (w.approvals.clone(), stop.clone());
        async move { a.run(stop).await }
    });
    let left = async || sqlx::query_scalar::<_, String>("select name from rdp_ticket").fetch_all(&w.owner).await.unwrap();
    let swept = tokio::time::timeout(Duration::from_secs(20), async {
        while left().await.len() > 1 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    swept.await.expect("swept");
    assert_eq!(left().await, [running], "the one whose session runs stays");
    stop.cancel();
    background.await.unwrap();
}

#[tokio::test]
async fn a_supervisor_holds_a_session_still_and_every_gateway_hears_and_can_look_it_up() {
    let (w, mut ada, mut bob, grant) = hospital().await;
    let (name, _) = issue(&w, &mut ada, &grant).await;
    let session = start(&w, &redeem(&w, &name).await.unwrap()).await;
    w.grant(&ada, &mut bob).await;
    let shell = SessionId(uuid::Uuid::now_v7());
    let p = crate::connecting::permit(&w, &mut ada, shell).await;
    w.approvals.session_started(&p, [0; 32], "gw").await.unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let mut changes = w.approvals.changes();
    let background = tokio::spawn({
        let (a, stop) = (w.approvals.clone(), stop.clone());
        async move { a.run(stop).await }
    });
    while changes.recv().await.unwrap() != Change::Resync {}

    let (a, by) = (&w.approvals, bob.person.id);
    assert_eq!(a.order_pause(session, ada.person.id).await.unwrap_err(), ManageError::NotAllowed);
    let both = [session, shell];
    let goes_on = Pausing { ordered_by: None, by_rule: false };
    let at_first = std::collections::HashMap::from([(session, goes_on), (shell, goes_on)]);
    assert_eq!(a.pausing(&both).await.unwrap(), at_first, "whatever it speaks");
    a.order_pause(session, by).await.unwrap();
    a.order_pause(session, by).await.unwrap();
    assert_eq!(a.pausing(&both).await.unwrap()[&session].ordered_by, Some(by));
    a.order_resume(session, by).await.unwrap();
    assert_eq!(a.pausing(&both).await.unwrap()[&session], goes_on);
    // A rule's stop is seen by everybody, and lifted by the same order.
    a.stopped_by_rule(shell).await.unwrap();
    assert!(a.pausing(&both).await.unwrap()[&shell].stands());
    a.order_resume(shell, by).await.unwrap();
    assert_eq!(a.pausing(&both).await.unwrap()[&shell], goes_on);
    let mut heard = Vec::new();
    let all = tokio::time::timeout(Duration::from_secs(3), async {
        while heard.len() < 3 {
            if let c @ (Change::Pause { .. } | Change::Resume { .. }) = changes.recv().await.unwrap() {
                heard.push(c);
            }
        }
    });
    all.await.expect("within a second or so");
    assert_eq!(
        heard,
        [Change::Pause { session, by }, Change::Resume { session, by }, Change::Resume { session: shell, by }],
        "the same order twice is one"
    );
    let log = w.log().await;
    assert_eq!(log.iter().filter(|e| matches!(e, AuditEvent::SessionPaused { session: s, by: b } if (*s, *b) == (session, by))).count(), 1);
    assert_eq!(log.iter().filter(|e| matches!(e, AuditEvent::SessionResumed { session: s, .. } if *s == session)).count(), 1);

    a.session_ended(session, &EndReason::ClientClosed).await;
    a.order_pause(session, by).await.unwrap();
    a.stopped_by_rule(session).await.unwrap();
    assert_eq!(a.pausing(&both).await.unwrap().into_iter().collect::<Vec<_>>(), [(shell, goes_on)], "an ended one is left alone");
    stop.cancel();
    background.await.unwrap();
}

#[tokio::test]
async fn a_desktop_is_asked_for_where_there_is_one() {
    let (w, ada, ..) = hospital().await;
    let ask = async |target: &str, login: &str, what: &[&str]| {
        let form = RequestForm {
            target: TargetName::new(target).unwrap(),
            account: account(login),
            capabilities: Capabilities::parse(what).unwrap(),
            ..w.form(60)
        };
        w.approvals.submit_request(&ada.person, form, HERE).await.map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(ask("ct-2", "CT\\service", &["desktop", "shell"]).await.unwrap_err(), "ct-2 speaks RDP: shell means nothing there");
    assert_eq!(ask("ehr-db-1", "root", &["shell", "drives"]).await.unwrap_err(), "ehr-db-1 speaks SSH: drives means nothing there");
    let bare = ask("ct-2", "CT\\service", &["drives"]).await.unwrap_err();
    assert_eq!(bare, "ct-2 speaks RDP: ask for desktop, and for whatever shall go along with it");
    assert!(ask("ct-2", "CT\\service", &["desktop", "drives"]).await.is_ok());
}

#[tokio::test]
async fn a_session_by_ticket_can_be_verified_offline_and_names_the_passkeys_signature() {
    let (w, mut ada, _, grant) = hospital().await;
    let (name, _) = issue(&w, &mut ada, &grant).await;
    let session = start(&w, &redeem(&w, &name).await.unwrap()).await;
    w.approvals.ticket_waits(session).await.unwrap();
    assert!(redeem(&w, &name).await.unwrap().again);
    w.approvals.session_ended(session, &EndReason::ClientClosed).await;
    w.approvals.recording_sealed(crate::connecting::sealed(session)).await;
    let e = Box::pin(w.approvals.evidence(session)).await.unwrap().unwrap();
    let findings = verify_evidence(&e, Some(&w.approvals.log_public_key()));
    assert!(all_good(&findings), "{findings:#?}");
    assert!(e.step_up.is_some(), "what the passkey signed is in the bundle");
    crate::evidence::wrong(&anteroom_approvals::Evidence { step_up: None, ..e }, "second factor");
}
