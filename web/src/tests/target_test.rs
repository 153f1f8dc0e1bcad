//! "Test connection" on a target's page.
use super::Site;
use crate::{
    Clipboard,
    world::{Someone, World},
};
use anteroom_domain::{AuditEvent, Probe, ProbeOutcome, Role, Target, TargetId, TargetProbe, terminal::Later};
use axum::http::StatusCode;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Semaphore;

/// Answers what it is told to, and only when it is let go.
struct Fake {
    answers: Vec<(&'static str, ProbeOutcome)>,
    go: Semaphore,
    looked: AtomicUsize,
}

impl TargetProbe for Fake {
    fn probe<'a>(&'a self, _: &'a Target) -> Later<'a, Vec<Probe>> {
        Box::pin(async move {
            self.looked.fetch_add(1, Ordering::SeqCst);
            self.go.acquire().await.unwrap().forget();
            let took = Duration::from_millis(7);
            self.answers.iter().map(|(a, o)| Probe { address: (*a).to_owned(), outcome: o.clone(), took }).collect()
        })
    }
}

struct Stage {
    site: Site,
    fake: Arc<Fake>,
    op: Someone,
    target: TargetId,
}

impl Stage {
    async fn new(answers: Vec<(&'static str, ProbeOutcome)>, go: usize) -> Self {
        let fake = Arc::new(Fake { answers, go: Semaphore::new(go), looked: AtomicUsize::new(0) });
        let site = Site::on(World::new().await, None, None, Some(fake.clone()), Clipboard::Both);
        let op = site.world.somebody("op", Role::Operator).await;
        let target = site.world.target.id;
        Self { site, fake, op, target }
    }
    fn path(&self) -> String {
        format!("/targets/{}/test", self.target)
    }
    async fn logged(&self) -> Vec<(bool, String)> {
        let mine = |e| match e {
            AuditEvent::TargetTested { target, by, outcome } if target == self.target => Some((by == Some(self.op.person.id), outcome)),
            _ => None,
        };
        self.site.world.log().await.into_iter().filter_map(mine).collect()
    }
}

#[tokio::test]
async fn an_operator_reads_what_every_address_answered_and_the_log_has_it() {
    let key = || "SHA256:abcdefgh".to_owned();
    let answers = vec![
        ("10.0.0.1:22", ProbeOutcome::Trusted { key: key() }),
        ("10.0.0.2:22", ProbeOutcome::Changed { key: "SHA256:another".into() }),
        ("[2001:db8::7]:22", ProbeOutcome::NotReached("no answer within 4 s <b>".into())),
        ("10.0.0.3:22", ProbeOutcome::NotPinned { key: key() }),
        ("10.0.0.4:23", ProbeOutcome::Open),
        ("10.0.0.5:22", ProbeOutcome::BehindRelay),
    ];
    let s = Stage::new(answers, 1).await;
    let page = s.site.get(&format!("/targets/{}", s.target), Some(&s.op)).await.text;
    assert!(page.contains("never signs in") && page.contains("id=\"tested\" role=\"status\" class=\"stack tight\"></div>"), "{page}");
    let tested = s.site.form(&s.path(), &[], Some(&s.op)).await;
    assert_eq!(tested.status, StatusCode::OK, "{}", tested.text);
    for words in [
        "Good</span> <b class=\"mono\">10.0.0.1:22",
        "Key changed</span> <b class=\"mono\">10.0.0.2:22",
        "It offered <span class=\"mono small break\">SHA256:another",
        "[2001:db8::7]:22</b>: no answer within 4 s",
        "Not pinned</span> <b class=\"mono\">10.0.0.3:22",
        "Telnet proves no identity",
        "through a relay",
        "7 ms",
        "Tested <time",
    ] {
        assert!(tested.text.contains(words), "{words}: {}", tested.text);
    }
    assert!(!tested.text.contains("4 s <b>"), "what a stranger answered is only text");
    let [(by_op, outcome)] = &s.logged().await[..] else { panic!("{:?}", s.logged().await) };
    assert!(*by_op && outcome.contains("10.0.0.2:22: reached, but its key is another one than pinned: SHA256:another"), "{outcome}");
}

#[tokio::test]
async fn one_test_at_a_time_and_a_rest_after_it() {
    let s = Stage::new(vec![("10.0.0.1:22", ProbeOutcome::Open)], 0).await;
    let path = s.path();
    let (first, second) = tokio::join!(s.site.form(&path, &[], Some(&s.op)), async {
        while s.fake.looked.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let second = s.site.form(&path, &[], Some(&s.op)).await;
        s.fake.go.add_permits(1);
        second
    });
    assert_eq!((first.status, second.status), (StatusCode::OK, StatusCode::TOO_MANY_REQUESTS));
    assert!(second.text.contains("id=\"tested\"") && second.text.contains("being tested right now"), "{}", second.text);
    let third = s.site.form(&path, &[], Some(&s.op)).await;
    assert!(third.status == StatusCode::TOO_MANY_REQUESTS && third.text.contains("a moment ago"), "{}", third.text);
    assert_eq!(s.fake.looked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_test_that_nobody_waits_for_is_in_the_log_all_the_same() {
    let s = Stage::new(vec![("10.0.0.1:22", ProbeOutcome::Open)], 0).await;
    let path = s.path();
    let left = tokio::time::timeout(Duration::from_millis(300), s.site.form(&path, &[], Some(&s.op))).await;
    assert!(left.is_err(), "the browser was closed");
    s.fake.go.add_permits(1);
    s.site.app.tests.all_ended().await;
    assert_eq!(s.logged().await.len(), 1);
}

#[tokio::test]
async fn only_an_operator_tests_and_only_from_our_own_page() {
    let s = Stage::new(vec![("10.0.0.1:22", ProbeOutcome::Open)], 9).await;
    for role in [Role::Admin, Role::Approver, Role::Auditor] {
        let other = s.site.world.somebody(role.as_str(), role).await;
        assert_eq!(s.site.form(&s.path(), &[], Some(&other)).await.status, StatusCode::NOT_FOUND, "{role}");
    }
    let cookie = format!("__Host-anteroom={}", s.op.token.expose());
    let elsewhere = axum::http::Request::post(s.path()).header("host", "gate.example").header("cookie", cookie);
    let elsewhere = elsewhere.header("sec-fetch-site", "cross-site").body(axum::body::Body::empty()).unwrap();
    assert_eq!(s.site.send(elsewhere).await.status, StatusCode::FORBIDDEN);
    assert_eq!(s.site.get(&s.path(), Some(&s.op)).await.status, StatusCode::METHOD_NOT_ALLOWED, "a link tests nothing");
    assert_eq!(s.fake.looked.load(Ordering::SeqCst), 0);
    assert!(s.logged().await.is_empty());
}

#[tokio::test]
async fn a_portal_without_a_gateway_offers_no_test() {
    let site = Site::new().await;
    let op = site.world.somebody("op", Role::Operator).await;
    let target = site.world.target.id;
    assert!(!site.get(&format!("/targets/{target}"), Some(&op)).await.text.contains("Test connection"));
    assert_eq!(site.form(&format!("/targets/{target}/test"), &[], Some(&op)).await.status, StatusCode::NOT_FOUND);
}
