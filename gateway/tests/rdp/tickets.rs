//! What must not open a desktop, and that its target never hears of it.
use crate::{
    fake_client::{Ask, Refused},
    fake_target::FakeTarget,
    gate::{Gate, LOOPBACK, Setting},
};
use anteroom_domain::AuditEvent;
use ironrdp_pdu::nego::SecurityProtocol;
use std::net::IpAddr;

const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 9));

async fn gate() -> (FakeTarget, Gate) {
    let target = FakeTarget::start().await;
    let gate = Gate::open(Setting::of(target.address, vec![target.certificate])).await;
    (target, gate)
}

async fn why_refused(gate: &Gate) -> String {
    match gate.logged("a refused ticket", |e| matches!(e, AuditEvent::TicketRefused { .. })).await {
        AuditEvent::TicketRefused { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_touches_no_target() {
    let (target, mut gate) = gate().await;
    let t = gate.ticket(LOOPBACK).await;
    let refused = Ask::new(gate.address(), &t.name, "wrong").connect().await.err();
    assert!(matches!(refused, Some(Refused::Nla | Refused::Denied)), "{refused:?}");
    assert!(why_refused(&gate).await.contains("secret was wrong"));
    assert_eq!(target.touched(), 0);
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_name_is_refused_like_a_wrong_secret() {
    let (target, gate) = gate().await;
    let refused = Ask::new(gate.address(), "administrator", "password").connect().await.err();
    assert!(matches!(refused, Some(Refused::Nla | Refused::Denied)), "{refused:?}");
    assert!(why_refused(&gate).await.contains("no such ticket"));
    assert_eq!(target.touched(), 0);
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_from_another_address_touches_no_target() {
    let (target, mut gate) = gate().await;
    let t = gate.ticket(LOOPBACK).await;
    let ask = Ask { from: ELSEWHERE, ..Ask::new(gate.address(), &t.name, t.secret.expose()) };
    assert!(ask.connect().await.is_err());
    assert!(why_refused(&gate).await.contains("another address"));
    assert_eq!(target.touched(), 0);
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_ticket_touches_no_target() {
    let (target, mut gate) = gate().await;
    let t = gate.ticket(LOOPBACK).await;
    gate.world.sql("update rdp_ticket set issued_at = now() - interval '1 hour', expires_at = now() - interval '1 second'").await;
    assert!(Ask::new(gate.address(), &t.name, t.secret.expose()).connect().await.is_err());
    assert!(why_refused(&gate).await.contains("time is over"));
    assert_eq!(target.touched(), 0);
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_whose_session_is_over_opens_nothing_more() {
    let (mut target, mut gate) = gate().await;
    let t = gate.ticket(LOOPBACK).await;
    let ask = Ask::new(gate.address(), &t.name, t.secret.expose());
    let client = ask.connect().await.unwrap();
    drop(target.clients.recv().await.unwrap());
    assert_eq!(gate.why_ended().await, "target_closed");
    drop(client);
    assert_eq!(target.touched(), 1);
    assert!(ask.connect().await.is_err());
    assert!(why_refused(&gate).await.contains("session is over"));
    assert_eq!(target.touched(), 1);
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_grant_is_told_after_the_ticket_was_proven() {
    let (target, mut gate) = gate().await;
    let t = gate.ticket(LOOPBACK).await;
    gate.world.approvals.revoke_grant(None, gate.grant.id).await.unwrap();
    let refused = Ask::new(gate.address(), &t.name, t.secret.expose()).connect().await.err();
    assert_eq!(refused, Some(Refused::Denied));
    assert_eq!(target.touched(), 0);
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_nla_is_told_that_it_is_needed() {
    let (target, mut gate) = gate().await;
    let t = gate.ticket(LOOPBACK).await;
    for protocols in [SecurityProtocol::SSL, SecurityProtocol::empty()] {
        let ask = Ask { protocols, ..Ask::new(gate.address(), &t.name, t.secret.expose()) };
        // HYBRID_REQUIRED_BY_SERVER
        assert_eq!(ask.connect().await.err(), Some(Refused::Negotiation(5)));
    }
    let why = gate.logged("a refusal", |e| matches!(e, AuditEvent::AccessRefused { target, .. } if target == "(rdp)")).await;
    assert!(format!("{why:?}").contains("NLA"));
    assert_eq!(target.touched(), 0);
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_nla_where_it_is_allowed_the_target_hears_nothing_before_the_ticket_is_checked() {
    let mut target = FakeTarget::start().await;
    let setting = Setting { tls_without_nla: true, ..Setting::of(target.address, vec![target.certificate]) };
    let mut gate = Gate::open(setting).await;
    let t = gate.ticket(LOOPBACK).await;
    let ask = |secret: &str| Ask { protocols: SecurityProtocol::SSL, ..Ask::new(gate.address(), &t.name, secret) };
    let mut refused = ask("wrong").connect().await.unwrap();
    let heard = refused.rest().await;
    assert!(!heard.is_empty(), "it hears an RDP error");
    assert_eq!(target.touched(), 0);
    let client = ask(t.secret.expose()).connect().await.unwrap();
    let seen = target.clients.recv().await.unwrap();
    assert_eq!(seen.info.client_info.credentials.password, crate::gate::VAULTED);
    drop(client);
    gate.stop().await;
}
