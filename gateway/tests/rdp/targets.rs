//! What a target sees, and which targets are not believed.
use crate::{
    fake_client::Ask,
    fake_target::{FakeTarget, frame},
    gate::{Gate, LOOPBACK, Setting, VAULTED},
};
use anteroom_domain::{AuditEvent, RecordingState};
use ironrdp_core::{decode, encode_vec};
use ironrdp_pdu::{
    mcs::{McsMessage, SendDataIndication},
    x224::X224,
};
use std::{borrow::Cow, time::Duration};
use tokio::io::AsyncWriteExt as _;

#[tokio::test(flavor = "multi_thread")]
async fn the_target_gets_the_vaults_login_and_no_denied_channel() {
    let mut target = FakeTarget::start().await;
    let setting = Setting { account: "CT\\service", ..Setting::of(target.address, vec![target.certificate]) };
    let mut gate = Gate::open(setting).await;
    let t = gate.ticket(LOOPBACK).await;
    let client = Ask::new(gate.address(), &t.name, t.secret.expose()).connect().await.unwrap();
    let seen = target.clients.recv().await.unwrap();
    assert!(!seen.cookie, "no name before TLS");
    assert_eq!(seen.channels, ["drdynvc"], "drives and clipboard are not in the grant");
    assert_eq!(seen.client_name, "anteroom");
    let login = &seen.info.client_info.credentials;
    assert_eq!((login.username.as_str(), login.domain.as_deref(), login.password.as_str()), ("service", Some("CT"), VAULTED));
    assert!(seen.info.client_info.extra_info.address.is_empty());
    let log = serde_json::to_string(&gate.world.log().await).unwrap();
    assert!(!log.contains(VAULTED) && !log.contains(t.secret.expose()));
    drop((client, seen));
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grants_channels_are_asked_of_the_target() {
    let mut target = FakeTarget::start().await;
    let capabilities = &["desktop", "drives", "clipboard-to-target"][..];
    let mut gate = Gate::open(Setting { capabilities, ..Setting::of(target.address, vec![target.certificate]) }).await;
    let t = gate.ticket(LOOPBACK).await;
    let _client = Ask::new(gate.address(), &t.name, t.secret.expose()).connect().await.unwrap();
    assert_eq!(target.clients.recv().await.unwrap().channels, ["rdpdr", "cliprdr", "drdynvc"]);
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_certificate_stops_the_connection_and_is_in_the_log() {
    let (target, other) = (FakeTarget::start().await, FakeTarget::start().await);
    let mut gate = Gate::open(Setting::of(target.address, vec![other.certificate])).await;
    let t = gate.ticket(LOOPBACK).await;
    // The client is let in, and then told that there is no desktop.
    if let Ok(mut c) = Ask::new(gate.address(), &t.name, t.secret.expose()).connect().await {
        c.rest().await;
    }
    let changed = gate.logged("the change", |e| matches!(e, AuditEvent::TargetCertificateChanged { .. })).await;
    assert!(format!("{changed:?}").contains(&target.certificate.to_string()));
    assert_eq!(gate.why_ended().await, "target_unreachable");
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_without_a_pin_is_not_touched() {
    let target = FakeTarget::start().await;
    let mut gate = Gate::open(Setting::of(target.address, vec![])).await;
    let t = gate.ticket(LOOPBACK).await;
    if let Ok(mut c) = Ask::new(gate.address(), &t.name, t.secret.expose()).connect().await {
        c.rest().await;
    }
    assert_eq!(gate.why_ended().await, "target_unreachable");
    assert_eq!(target.touched(), 0);
    gate.stop().await;
}

/// Licensing: what servers say to clients that need no licence (MS-RDPBCGR 2.2.1.12).
const NO_LICENCE: [u8; 20] = [0x80, 0, 0, 0, 0xff, 3, 16, 0, 7, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0];

#[tokio::test(flavor = "multi_thread")]
async fn bytes_go_both_ways_and_the_session_is_recorded_and_ends_with_its_target() {
    let mut target = FakeTarget::start().await;
    let mut gate = Gate::open(Setting::of(target.address, vec![target.certificate])).await;
    let t = gate.ticket(LOOPBACK).await;
    let mut client = Ask::new(gate.address(), &t.name, t.secret.expose()).connect().await.unwrap();
    let mut seen = target.clients.recv().await.unwrap();
    let said = SendDataIndication { initiator_id: 1002, channel_id: seen.io, user_data: Cow::Borrowed(&NO_LICENCE) };
    seen.stream.write_all(&encode_vec(&X224(McsMessage::SendDataIndication(said))).unwrap()).await.unwrap();
    seen.stream.flush().await.unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(10), frame(&mut client.stream)).await.unwrap().unwrap();
    let McsMessage::SendDataIndication(d) = decode::<X224<McsMessage<'_>>>(&heard).unwrap().0 else { panic!() };
    assert_eq!((d.channel_id, &d.user_data[..]), (client.io, &NO_LICENCE[..]));
    drop(seen);
    assert_eq!(gate.why_ended().await, "target_closed");
    assert!(!client.rest().await.is_empty(), "the client is told that it is over");
    let sealed = gate.logged("a sealed recording", |e| matches!(e, AuditEvent::RecordingSealed { .. })).await;
    assert!(format!("{sealed:?}").contains(RecordingState::Complete.as_str()), "{sealed:?}");
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_lost_its_connection_comes_back_to_its_session() {
    let mut target = FakeTarget::start().await;
    let mut gate = Gate::open(Setting::of(target.address, vec![target.certificate])).await;
    let t = gate.ticket(LOOPBACK).await;
    let ask = Ask::new(gate.address(), &t.name, t.secret.expose());
    let first = ask.connect().await.unwrap();
    let _seen = target.clients.recv().await.unwrap();
    drop(first);
    // It may have been noticed, or not yet: both are the same to who comes back.
    let second = ask.connect().await.unwrap();
    let _seen = target.clients.recv().await.unwrap();
    // And while the gateway still believes in the second connection.
    let third = ask.connect().await.unwrap();
    let _seen = target.clients.recv().await.unwrap();
    assert_eq!(target.touched(), 3);
    let log = gate.world.log().await;
    let count = |f: &dyn Fn(&AuditEvent) -> bool| log.iter().filter(|e| f(e)).count();
    assert_eq!(count(&|e| matches!(e, AuditEvent::SessionStarted { .. })), 1);
    assert_eq!(count(&|e| matches!(e, AuditEvent::TicketRedeemed { again: true, .. })), 2);
    assert_eq!(count(&|e| matches!(e, AuditEvent::SessionEnded { .. })), 0);
    drop((second, third));
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_waits_for_its_client_only_so_long() {
    let mut target = FakeTarget::start().await;
    let window = Duration::from_millis(300);
    let mut gate = Gate::open(Setting { window, ..Setting::of(target.address, vec![target.certificate]) }).await;
    let t = gate.ticket(LOOPBACK).await;
    drop(Ask::new(gate.address(), &t.name, t.secret.expose()).connect().await.unwrap());
    let _seen = target.clients.recv().await.unwrap();
    assert_eq!(gate.why_ended().await, "client_closed");
    gate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_ends_a_session_and_its_client_is_told() {
    let mut target = FakeTarget::start().await;
    let mut gate = Gate::open(Setting::of(target.address, vec![target.certificate])).await;
    let t = gate.ticket(LOOPBACK).await;
    let mut client = Ask::new(gate.address(), &t.name, t.secret.expose()).connect().await.unwrap();
    let _seen = target.clients.recv().await.unwrap();
    let control = gate.ssh.control();
    let session = loop {
        match control.list().first() {
            Some(s) => break s.id,
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    assert!(control.terminate(session, gate.ada.person.id));
    let last = client.rest().await;
    assert!(!last.is_empty());
    assert_eq!(gate.why_ended().await, "terminated");
    gate.stop().await;
}
