//! Asked in the browser, approved by two passkeys, released by a real unsealer, and watched by nobody else.
use super::{
    Site,
    replay::{Studio, recorded, studio},
};
use crate::world::{Someone, World, origin};
use anteroom_domain::{AuditEvent, Role, SessionId};
use anteroom_recorder::PrivateKey;
use anteroom_test_authenticator::Authenticator;
use anteroom_unsealer::{Client, Holder, Keys, Options, Server, Site as Origin, Trust, TrustedKey};
use axum::http::StatusCode;
use serde_json::json;
use std::sync::Arc;

const SSN: &str = "536-22-8726";

pub(super) struct Scene {
    pub(super) site: Site,
    _studio: Studio,
    pub(super) session: SessionId,
    pub(super) max: Someone,
    pub(super) kim: Someone,
    pub(super) lee: Someone,
}

/// Somebody's passkeys, as the unsealer's administrator would add them.
async fn holder(world: &World, who: &Someone) -> Holder {
    let keys = world.approvals.passkeys_of(who.person.id).await.unwrap();
    let keys = keys.into_iter().map(|k| TrustedKey::new(k.label, k.cose_key).unwrap()).collect();
    Holder { person: who.person.id, handle: who.person.handle.clone(), keys }
}

/// A recorded session with a masked number in it, and an unsealer that trusts kim and lee.
async fn scene() -> Scene {
    scene_of(async |site, studio, ada| recorded(site, studio, ada).await).await
}

/// The same with another recording.
pub(super) async fn scene_of(record: impl AsyncFnOnce(&Site, &Studio, &mut Someone) -> SessionId) -> Scene {
    Box::pin(set(record)).await
}

async fn set(record: impl AsyncFnOnce(&Site, &Studio, &mut Someone) -> SessionId) -> Scene {
    let (studio, world) = (studio(), World::new().await);
    let (max, kim) = (world.somebody("max", Role::Auditor).await, world.somebody("kim", Role::KeyHolder).await);
    let lee = world.somebody("lee", Role::KeyHolder).await;
    let our = Origin { rp_id: "gate.example".into(), origin: origin().origin().ascii_serialization() };
    let mut trust = Trust::nobody(our.clone());
    trust.add(holder(&world, &kim).await).unwrap();
    trust.add(holder(&world, &lee).await).unwrap();
    let at = |name: &str| studio.dir.path().join(name);
    trust.save(&at("trust.toml")).unwrap();
    std::fs::create_dir(at("unsealer")).unwrap();
    let options = Options {
        socket: at("unsealer.sock"),
        socket_mode: 0o600,
        recordings: at("recordings").into(),
        state: at("unsealer"),
        trust: at("trust.toml"),
        site: our,
        keys: Keys::new([2, 3].map(|n| Arc::new(PrivateKey::from_seed(&[n; 32])) as _)),
    };
    let server = Server::bind(options).await.unwrap();
    tokio::spawn(server.run(std::future::pending()));
    let site = Site::unsealing(studio.replayer.clone(), world, Arc::new(Client::new(at("unsealer.sock")))).await;
    let (mut ada, mut bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    site.world.grant(&ada, &mut bob).await;
    let session = record(&site, &studio, &mut ada).await;
    Scene { site, _studio: studio, session, max, kim, lee }
}

async fn ceremony(site: &Site, who: &mut Someone, path: &str, body: serde_json::Value) -> super::Answer {
    let begun = site.json(&format!("{path}/begin"), &body, Some(who)).await;
    if begun.status != StatusCode::OK {
        return begun;
    }
    let begun = begun.json();
    let credential = who.passkey.get(&serde_json::from_value(begun["options"].clone()).unwrap()).unwrap();
    site.json(&format!("{path}/finish"), &json!({ "ceremony": begun["ceremony"], "credential": credential }), Some(who)).await
}

impl Scene {
    async fn ask(&self) -> String {
        self.ask_for("0:00:00", "0:00:01").await
    }
    async fn ask_for(&self, from: &str, until: &str) -> String {
        let fields = [("from", from), ("until", until), ("reason", "complaint 17"), ("hours", "8")];
        let asked = self.site.form(&format!("/recordings/{}/unmask", self.session), &fields, Some(&self.max)).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.text);
        asked.header("location").split('?').next().unwrap().to_owned()
    }
    pub(super) async fn approved(&mut self, from: &str, until: &str) -> String {
        let path = self.ask_for(from, until).await;
        for who in [&mut self.kim, &mut self.lee] {
            let done = ceremony(&self.site, who, &format!("{path}/review"), json!({ "verdict": "approve" })).await;
            assert_eq!(done.status, StatusCode::OK, "{}", done.text);
        }
        path
    }
    pub(super) async fn open(&mut self, path: &str) -> super::Answer {
        ceremony(&self.site, &mut self.max, &format!("{path}/open"), json!({})).await
    }
    async fn cast(&self, path: &str, who: &Someone) -> super::Answer {
        self.site.get(&format!("{path}/channels/0/cast"), Some(who)).await
    }
    pub(super) async fn kinds(&self) -> Vec<String> {
        self.site.world.log().await.iter().map(AuditEvent::kind).filter(|k| k.starts_with("unmask")).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_auditor_sees_what_was_masked_and_each_step_is_in_the_log() {
    let mut s = scene().await;
    let page = s.site.get(&format!("/recordings/{}", s.session), Some(&s.max)).await.text;
    assert!(page.contains(&format!("/recordings/{}/unmask", s.session)), "{page}");
    let masked = s.site.get(&format!("/recordings/{}/channels/0/cast", s.session), Some(&s.max)).await.text;
    assert!(!masked.contains(SSN), "{masked}");

    let path = s.ask().await;
    let waiting = s.site.get(&path, Some(&s.max)).await.text;
    assert!(waiting.contains("Waiting for key-holders") && waiting.contains("complaint 17"), "{waiting}");
    assert!(s.site.get("/unmask", Some(&s.max)).await.text.contains(&path));
    assert!(s.site.get("/", Some(&s.kim)).await.text.contains("to see a recording unmasked waits"));
    assert!(s.site.get("/key-holder", Some(&s.kim)).await.text.contains(&path));
    let key = &s.site.world.approvals.passkeys_of(s.kim.person.id).await.unwrap()[0];
    assert!(s.site.get("/keys", Some(&s.kim)).await.text.contains(&key.sha256), "to compare with the unsealer's list");
    let asks = s.site.get(&path, Some(&s.kim)).await.text;
    assert!(asks.contains("Approve with passkey") && asks.contains("0:00:00 to 0:00:01") && asks.contains("ADA"), "{asks}");

    let first = ceremony(&s.site, &mut s.kim, &format!("{path}/review"), json!({ "verdict": "approve" })).await;
    assert_eq!(first.json()["state"], "pending");
    assert!(!s.site.get("/key-holder", Some(&s.kim)).await.text.contains(&path), "answered");
    let too_soon = s.open(&path).await;
    assert_eq!((too_soon.status, too_soon.json()["error"].as_str()), (StatusCode::CONFLICT, Some("two key-holders have to approve first")));
    let second = ceremony(&s.site, &mut s.lee, &format!("{path}/review"), json!({ "verdict": "approve" })).await;
    assert_eq!(second.json()["state"], "approved");

    assert_eq!(s.cast(&path, &s.max).await.status, StatusCode::GONE, "nothing is released before it is opened");
    assert_eq!(s.site.get(&format!("{path}/watch"), Some(&s.max)).await.header("location"), path);
    let opened = s.open(&path).await;
    assert_eq!(opened.json()["next"], format!("{path}/watch"), "{}", opened.text);
    let watch = s.site.get(&format!("{path}/watch"), Some(&s.max)).await;
    assert!(watch.header("content-security-policy").contains("'wasm-unsafe-eval'"));
    assert!(watch.text.contains("Asked by MAX, approved by KIM and LEE; ends"), "{}", watch.text);
    for _ in 0..2 {
        let cast = s.cast(&path, &s.max).await;
        assert_eq!(cast.status, StatusCode::OK, "{}", cast.text);
        assert!(cast.text.contains("hello from ehr-db-1") && cast.text.contains(SSN), "{}", cast.text);
    }
    let kinds = s.kinds().await;
    let steps = ["requested", "approved", "refused", "approved", "opened", "released", "viewed", "viewed"].map(|k| format!("unmask_{k}"));
    assert_eq!(kinds, steps);
}

#[tokio::test(flavor = "multi_thread")]
async fn released_keys_are_for_one_person_in_one_browser_and_not_for_ever() {
    let mut s = scene().await;
    let path = s.approved("0:00:00", "0:00:01").await;
    assert_eq!(s.open(&path).await.status, StatusCode::OK);
    assert_eq!(s.cast(&path, &s.max).await.status, StatusCode::OK);
    let mona = s.site.world.somebody("mona", Role::Auditor).await;
    for who in [&mona, &s.kim, &s.lee] {
        assert_eq!(s.cast(&path, who).await.status, StatusCode::NOT_FOUND);
        assert_eq!(s.site.get(&format!("{path}/watch"), Some(who)).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(s.site.get(&path, Some(&mona)).await.status, StatusCode::NOT_FOUND, "nor does she learn of it");
    assert_eq!(ceremony(&s.site, &mut s.kim, &format!("{path}/open"), json!({})).await.status, StatusCode::NOT_FOUND);

    // The same person in another browser has to touch again.
    let start = s.site.world.approvals.begin_login().await.unwrap();
    let answer = s.max.passkey.get(&start.options).unwrap();
    let other = s.site.world.approvals.finish_login(start.ceremony, &answer, crate::world::HERE).await.unwrap();
    let elsewhere = Someone { person: s.max.person.clone(), passkey: Authenticator::new(origin()), token: other.token };
    assert_eq!(s.cast(&path, &elsewhere).await.status, StatusCode::GONE);

    // Forgotten when asked to, and when signed out.
    assert_eq!(s.site.form(&format!("{path}/close"), &[], Some(&s.max)).await.status, StatusCode::SEE_OTHER);
    assert_eq!((s.cast(&path, &s.max).await.status, s.site.app.held.count()), (StatusCode::GONE, 0));
    assert_eq!(s.open(&path).await.status, StatusCode::OK);
    assert_eq!(s.site.app.held.count(), 1);
    s.site.form("/sign-out", &[], Some(&s.max)).await;
    assert_eq!(s.site.app.held.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_its_time_withdrawn_or_suspended_nothing_is_shown_and_the_keys_go() {
    let mut s = scene().await;
    let keeping = tokio::spawn(crate::pages::unmask::held::keep(s.site.app.clone()));
    let background = s.site.world.approvals.clone();
    let stop = s.site.stop.clone();
    let running = tokio::spawn(async move { background.run(stop).await });
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let gone = async |s: &Scene| {
        for _ in 0..50 {
            if s.site.app.held.count() == 0 {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        false
    };
    let (expires, withdrawn) = (s.approved("0:00:00", "0:00:01").await, s.approved("0:00:00", "0:00:01").await);
    assert_eq!(s.open(&expires).await.status, StatusCode::OK);
    s.site.world.sql("update unmask set created_at = created_at - interval '9 hours', expires_at = expires_at - interval '9 hours'").await;
    assert_eq!(s.cast(&expires, &s.max).await.status, StatusCode::GONE);
    assert_eq!(s.site.app.held.count(), 0);
    assert_eq!(s.open(&expires).await.status, StatusCode::GONE);
    s.site.world.sql("update unmask set created_at = created_at + interval '9 hours', expires_at = expires_at + interval '9 hours'").await;

    assert_eq!(s.open(&withdrawn).await.status, StatusCode::OK);
    s.site.form(&format!("{withdrawn}/withdraw"), &[], Some(&s.max)).await;
    assert_eq!((s.cast(&withdrawn, &s.max).await.status, s.site.app.held.count()), (StatusCode::GONE, 0));

    let last = s.approved("0:00:00", "0:00:01").await;
    assert_eq!(s.open(&last).await.status, StatusCode::OK);
    s.site.world.approvals.suspend_person(None, s.max.person.id).await.unwrap();
    assert_eq!(s.cast(&last, &s.max).await.status, StatusCode::UNAUTHORIZED);
    assert!(gone(&s).await, "the keys of a suspended person are forgotten");
    keeping.abort();
    s.site.stop.cancel();
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_unsealer_refuses_is_said_and_in_the_log() {
    let mut s = scene().await;
    // Somebody the portal takes for a key-holder and the unsealer does not.
    let path = s.ask().await;
    let mut eve = s.site.world.somebody("eve", Role::KeyHolder).await;
    for who in [&mut s.kim, &mut eve] {
        let done = ceremony(&s.site, who, &format!("{path}/review"), json!({ "verdict": "approve" })).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    }
    let refused = s.open(&path).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
    assert!(refused.json()["error"].as_str().unwrap().starts_with("the unsealer refused"), "{}", refused.text);
    assert_eq!(s.kinds().await.last().unwrap(), "unmask_refused");
    assert_eq!(s.cast(&path, &s.max).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn a_form_that_makes_no_sense_is_shown_again_and_without_an_unsealer_the_page_says_so() {
    let studio = studio();
    let site = Site::with(Some(studio.replayer.clone())).await;
    let (mut ada, mut bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let max = site.world.somebody("max", Role::Auditor).await;
    site.world.grant(&ada, &mut bob).await;
    let id = recorded(&site, &studio, &mut ada).await;
    let path = format!("/recordings/{id}/unmask");
    let page = site.get(&format!("{path}?from=0:00:01"), Some(&max)).await.text;
    assert!(page.contains("not set up at this portal") && page.contains("value=\"0:00:01\""), "{page}");
    for (from, until, reason, says) in [
        ("soon", "0:00:01", "x", "enter a time"),
        ("0:00:00", "0:10:00", "x", "shorter than that"),
        ("0:00:01", "0:00:01", "x", "not after the start"),
        ("0:00:00", "0:00:01", " ", "say why"),
    ] {
        let again = site.form(&path, &[("from", from), ("until", until), ("reason", reason)], Some(&max)).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(again.text.contains(says), "{says}: {}", again.text);
    }
    for who in [&ada, &bob] {
        assert_eq!(site.get(&path, Some(who)).await.status, StatusCode::NOT_FOUND);
    }
}
