//! What targets have beside a name and an address: protocol, profile, further hosts, host CAs, kinds of credentials.
use crate::{
    connecting::permit,
    world::{KEY, World, account},
};
use anteroom_approvals::{Credential, ManageError, NewTarget, PromptAnswer, RequestError, TargetChange};
use anteroom_domain::{AuditEvent, Capabilities, Profile, Protocol, Role, Secret, SessionId, TargetKind, TargetName};
use uuid::Uuid;

fn name(n: &str) -> TargetName {
    TargetName::new(n).unwrap()
}
fn pump(n: &str) -> NewTarget {
    NewTarget::ssh(name(n), TargetKind::MedicalDevice, "10.0.0.3", 23)
}
fn answer(prompt: &str, answer: &str) -> PromptAnswer {
    PromptAnswer { prompt: prompt.into(), answer: Secret::new(answer.into()) }
}

#[tokio::test]
async fn telnet_needs_the_quarantine_profile_and_keeps_it() {
    let w = World::new().await;
    let telnet = NewTarget { protocol: Protocol::Telnet, ..pump("pump") };
    let refused = w.approvals.add_target(None, telnet.clone()).await.unwrap_err();
    assert!(matches!(refused, ManageError::Invalid { what: "protocol", .. }), "{refused}");
    let t = w.approvals.add_target(None, NewTarget { profile: Profile::Quarantine, ..telnet }).await.unwrap();
    assert_eq!((t.protocol, t.profile), (Protocol::Telnet, Profile::Quarantine));
    let modern = TargetChange { profile: Some(Profile::Modern), ..Default::default() };
    assert!(w.approvals.change_target(None, t.id, modern).await.is_err());
    let prompts = Credential::Prompts(vec![answer("pin", "1234")]);
    assert!(w.approvals.set_credential(None, t.id, account("svc"), prompts).await.is_err());
    assert!(w.approvals.set_credential(None, t.id, account("svc"), Credential::GatewayCa).await.is_err());
    let forced = sqlx::query("update target set profile = 'modern' where name = 'pump'").execute(&w.owner).await;
    assert!(forced.is_err(), "the database says so too");
}

#[tokio::test]
async fn a_change_is_kept_named_in_the_log_and_only_an_operators() {
    let w = World::new().await;
    let change = || TargetChange {
        host: Some("db2.example".into()),
        port: Some(2222),
        more_hosts: Some(vec!["db3.example".into(), "db4.example:2022".into(), "[2001:db8::5]:22".into()]),
        profile: Some(Profile::Quarantine),
        pinned_host_cas: Some(vec![KEY.into()]),
        via: None,
    };
    for role in [Role::Admin, Role::Approver, Role::Auditor] {
        let who = w.somebody(role.as_str(), role).await;
        assert_eq!(w.approvals.change_target(Some(who.person.id), w.target.id, change()).await.unwrap_err(), ManageError::NotAllowed);
    }
    let op = w.somebody("op", Role::Operator).await;
    let t = w.approvals.change_target(Some(op.person.id), w.target.id, change()).await.unwrap();
    assert_eq!((t.host.as_str(), t.port, t.profile, t.more_hosts.len()), ("db2.example", 2222, Profile::Quarantine, 3));
    assert!(t.pinned_host_cas[0].starts_with("ssh-ed25519 ") && !t.pinned_host_cas[0].contains("ada@laptop"));
    let again = w.approvals.target_by_name(&name("ehr-db-1")).await.unwrap().unwrap();
    assert_eq!((again.more_hosts, again.pinned_host_cas), (t.more_hosts, t.pinned_host_cas));
    let said = w.log().await.into_iter().find_map(|e| match e {
        AuditEvent::TargetChanged { target, what } if target == t.id => Some(what),
        _ => None,
    });
    assert_eq!(said.unwrap(), "host, port, further hosts, profile, host CAs");
}

#[tokio::test]
async fn strange_hosts_ports_and_host_cas_are_refused() {
    let w = World::new().await;
    for bad in ["-oProxyCommand=x", "a b", "db:0", "a/b", ""] {
        let change = TargetChange { more_hosts: Some(vec![bad.into()]), ..Default::default() };
        assert!(w.approvals.change_target(None, w.target.id, change).await.is_err(), "{bad:?}");
    }
    let nine = TargetChange { more_hosts: Some(vec!["db".into(); 9]), ..Default::default() };
    assert!(w.approvals.change_target(None, w.target.id, nine).await.is_err());
    let ca = TargetChange { pinned_host_cas: Some(vec!["@cert-authority".into()]), ..Default::default() };
    assert!(w.approvals.change_target(None, w.target.id, ca).await.is_err());
    let zero = TargetChange { port: Some(0), ..Default::default() };
    assert!(w.approvals.change_target(None, w.target.id, zero).await.is_err());
}

#[tokio::test]
async fn every_address_of_every_target_is_known() {
    let w = World::new().await;
    let more = vec!["10.0.0.4".to_owned(), "10.0.0.5:2323".into(), "[2001:db8::5]:2024".into(), "2001:db8::6".into()];
    w.approvals.add_target(None, NewTarget { more_hosts: more, ..pump("pump") }).await.unwrap();
    let all = w.approvals.all_addresses().await.unwrap();
    let plain = |h: &str| h.trim_start_matches('[').trim_end_matches(']').to_owned();
    let mut all: Vec<_> = all.iter().map(|(h, p)| (plain(h), *p)).collect();
    all.sort();
    let expected = [("10.0.0.3", 23), ("10.0.0.4", 23), ("10.0.0.5", 2323), ("127.0.0.1", 22), ("2001:db8::5", 2024), ("2001:db8::6", 23)];
    assert_eq!(all, expected.map(|(h, p)| (h.to_owned(), p)));
}

#[tokio::test]
async fn answers_to_prompts_are_sealed_and_come_back_in_order() {
    let w = World::new().await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let prompts = Credential::Prompts(vec![answer("Password", "s3cret-one"), answer("Token", "s3cret-two")]);
    w.approvals.set_credential(None, w.target.id, account("root"), prompts).await.unwrap();
    let sealed = sqlx::query_scalar::<_, Vec<u8>>("select sealed from credential").fetch_one(&w.owner).await.unwrap();
    assert!(!sealed.windows(6).any(|x| x == b"s3cret"));
    w.grant(&ada, &mut bob).await;
    let p = Box::pin(permit(&w, &mut ada, SessionId(Uuid::now_v7()))).await;
    let Credential::Prompts(back) = w.approvals.open_credential(&p).await.unwrap() else { panic!() };
    let back: Vec<_> = back.iter().map(|a| (a.prompt.as_str(), a.answer.expose().as_str())).collect();
    assert_eq!(back, [("Password", "s3cret-one"), ("Token", "s3cret-two")]);

    let nine = (0..9).map(|n| answer(&n.to_string(), "x")).collect();
    for bad in [vec![], vec![answer(" ", "x")], nine, vec![answer("p", &"x".repeat(1001))]] {
        assert!(w.approvals.set_credential(None, w.target.id, account("root"), Credential::Prompts(bad)).await.is_err());
    }
}

#[tokio::test]
async fn what_was_asked_for_is_what_the_grant_allows() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    let mut form = w.form(60);
    form.capabilities = Capabilities::parse(["exec:systemctl restart *", "download:/var/log/**;max=10MiB;keep"]).unwrap();
    let r = w.approvals.submit_request(&ada.person, form.clone(), crate::world::HERE).await.unwrap();
    let start = w.approvals.begin_review(&bob.person, r.id, anteroom_approvals::Answer::Approve).await.unwrap();
    for shown in form.capabilities.names() {
        assert!(start.content.contains(&shown), "the approver sees {shown}");
    }
    let answer = bob.passkey.get(&start.options).unwrap();
    let grant = w.approvals.finish_review(&bob.person, start.ceremony, &answer).await.unwrap().into_grant().unwrap();
    assert_eq!(grant.capabilities, form.capabilities);

    form.capabilities = Capabilities::default();
    assert_eq!(w.approvals.submit_request(&ada.person, form, crate::world::HERE).await.unwrap_err(), RequestError::Capabilities);
}

#[tokio::test]
async fn remembering_step_ups_is_switched_while_running() {
    let w = World::new().await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    Box::pin(permit(&w, &mut ada, SessionId(Uuid::now_v7()))).await;
    let fingerprint = crate::world::KEY_FINGERPRINT;
    let remembered = || w.approvals.step_up_remembered(ada.person.id, fingerprint, crate::world::HERE, &w.target.name);
    assert!(!remembered().await.unwrap());
    w.approvals.set_remember_step_up(std::time::Duration::from_secs(600));
    assert!(remembered().await.unwrap());
    w.approvals.set_remember_step_up(std::time::Duration::ZERO);
    assert!(!remembered().await.unwrap());
}

#[tokio::test]
async fn an_rdp_target_has_certificates_and_passwords_and_no_keys_or_relays() {
    let w = World::new().await;
    let rdp = |n| NewTarget::rdp(name(n), TargetKind::MedicalDevice, "10.0.0.3", 3389);
    let t = w.approvals.add_target(None, rdp("ct-2")).await.unwrap();
    assert_eq!((t.protocol, t.protocol.default_port(), t.pinned_certificates.len()), (Protocol::Rdp, 3389, 0));
    let invalid = |r: Result<_, ManageError>| matches!(r, Err(ManageError::Invalid { .. }));
    assert!(invalid(w.approvals.add_target(None, NewTarget { pinned_host_cas: vec![KEY.into()], ..rdp("ct-3") }).await));
    assert!(invalid(w.approvals.add_target(None, NewTarget { via: Some((w.target.name.clone(), account("root"))), ..rdp("ct-3") }).await));
    let certificate = anteroom_domain::CertificateFingerprint::of(b"certificate");
    assert!(invalid(w.approvals.add_target(None, NewTarget { pinned_certificates: vec![certificate], ..pump("mri-9") }).await), "SSH");
    let set = |c| w.approvals.set_credential(None, t.id, account("CT\\service"), c);
    assert!(set(Credential::GatewayCa).await.is_err() && set(Credential::Prompts(vec![answer("pin", "1")])).await.is_err());
    set(Credential::Password(Secret::new("x".into()))).await.unwrap();

    assert_eq!(w.approvals.pin_target(None, t.id, vec![KEY.into()]).await.unwrap_err(), ManageError::NoSuch("target"));
    assert_eq!(
        w.approvals.pin_certificates(None, w.target.id, vec![certificate]).await.unwrap_err(),
        ManageError::NoSuch("RDP target"),
        "an SSH target shows none"
    );
    for role in [Role::Admin, Role::Approver, Role::Auditor] {
        let who = w.somebody(role.as_str(), role).await;
        let pinned = w.approvals.pin_certificates(Some(who.person.id), t.id, vec![certificate]).await;
        assert_eq!(pinned.unwrap_err(), ManageError::NotAllowed);
    }
    w.approvals.pin_certificates(None, t.id, vec![certificate, certificate]).await.unwrap();
    let again = w.approvals.target(t.id).await.unwrap().unwrap();
    assert_eq!(again.pinned_certificates, [certificate]);
    let told = w.log().await.into_iter().find_map(|e| match e {
        AuditEvent::TargetPinned { target, fingerprints } if target == t.id => Some(fingerprints),
        _ => None,
    });
    assert_eq!(told.unwrap(), [certificate.to_string()]);
    let forced = sqlx::query("update target set pinned_certificates = '{x}' where protocol = 'ssh'").execute(&w.owner).await;
    assert!(forced.is_err(), "the database says so too");
}
