//! Postgres is away and care goes on: what counted still counts, by what the gateway knew, and all of it is written down afterwards.
use crate::{
    break_glass::{form, look, smash},
    cards::{GATEWAY, issue},
    cluster::{Cluster, stop},
    connecting::sealed,
    unread_policy::set_by_another_program,
    world::{HERE, KEY, KEY_FINGERPRINT, Someone, World, account, options},
};
use anteroom_approvals::{
    Approvals, AuditFilter, Change, Credential, OpenError, Options, Page, Purpose, Relay, SafeMode, ShownCard, StoreError,
};
use anteroom_domain::{
    AuditEvent, CardCode, CardState, EndReason, Reason, Role, SessionId,
    audit::{BreakGlassEvent, SafeModeEvent},
};
use anteroom_policy::{Decision, Permit, Refusal, SecondFactor};
use std::{process::Child, time::Duration};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A hospital on a server of its own, and a gateway that may go on without it.
struct Night {
    cluster: Cluster,
    server: Option<Child>,
    w: World,
    database: String,
    gate: Approvals,
    ada: Someone,
    bob: Someone,
}

fn with(w: &World, longest: Duration) -> Options {
    let dir = w.dir.path().join("safe");
    std::fs::create_dir_all(&dir).unwrap();
    Options { safe_mode: Some(SafeMode { longest, dir, gateway: GATEWAY.into() }), ..options(&w.dir, Duration::ZERO) }
}

impl Night {
    async fn new() -> Self {
        let cluster = Cluster::new();
        let server = cluster.start();
        let w = World::on(&cluster, Duration::ZERO).await;
        let database: String = sqlx::query_scalar("select current_database()").fetch_one(&w.owner).await.unwrap();
        let gate = Approvals::open(cluster.app(&database).await, with(&w, Duration::from_secs(3600))).await.unwrap();
        let (mut ada, bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
        let start = w.approvals.begin_ssh_key(&ada.person, KEY, "").await.unwrap();
        let answer = ada.passkey.get(&start.options).unwrap();
        w.approvals.finish_ssh_key(&ada.person, start.ceremony, &answer).await.unwrap();
        Self { cluster, server: Some(server), w, database, gate, ada, bob }
    }

    fn away(&mut self) {
        stop(self.server.take().unwrap());
    }

    async fn ask(&self, gate: &Approvals, target: &str, factor: SecondFactor) -> Result<(SessionId, Decision), StoreError> {
        let s = SessionId(Uuid::now_v7());
        gate.authorize(&self.ada.person, s, target, "root", HERE, factor).await.map(|d| (s, d))
    }

    async fn permit(&self, gate: &Approvals) -> Permit {
        match self.ask(gate, "ehr-db-1", SecondFactor::SecurityKey).await.unwrap().1 {
            Decision::Permit(p) => p,
            other => panic!("{other:?}"),
        }
    }

    async fn by_card(&self, gate: &Approvals, code: &CardCode) -> Decision {
        let (s, why) = (SessionId(Uuid::now_v7()), Reason::new("ventilators lost their server").unwrap());
        gate.authorize_by_card(&self.ada.person, s, "ehr-db-1", "root", HERE, ShownCard { code, reason: why }).await.unwrap()
    }

    /// The database is back, and a gateway works until its spool is empty.
    async fn back(&mut self, gate: &Approvals) {
        self.server = Some(self.cluster.start());
        self.tells(gate).await;
    }

    async fn tells(&self, gate: &Approvals) {
        let spool = self.w.dir.path().join("spool");
        let waiting =
            || std::fs::read_dir(&spool).unwrap().any(|f| f.unwrap().path().extension().is_some_and(|x| x == "jsonl" || x == "merging"));
        let end = CancellationToken::new();
        let running = tokio::spawn({
            let (gate, end) = (gate.clone(), end.clone());
            async move { gate.run(end).await }
        });
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while waiting() || gate.in_safe_mode() {
            assert!(std::time::Instant::now() < deadline, "merged, and safe mode over, within seconds");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        end.cancel();
        running.await.unwrap();
    }

    async fn log(&self) -> Vec<AuditEvent> {
        let found = self.gate.audit_search(AuditFilter::default(), Page { number: 0, size: 500 }).await.unwrap();
        found.rows.into_iter().rev().map(|l| l.record.event).collect()
    }

    fn over(mut self) {
        let dir = self.cluster.dir().to_owned();
        if let Some(server) = self.server.take() {
            let Self { w, gate, .. } = self;
            drop((w, gate));
            stop(server);
        }
        std::fs::remove_dir_all(dir).unwrap();
    }
}

fn wrong() -> CardCode {
    CardCode::new(&anteroom_domain::Secret::new([9; 26]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_counts_on_while_the_database_is_away_and_everything_is_written_down_afterwards() {
    let mut n = Box::pin(Night::new()).await;
    n.w.grant(&n.ada, &mut n.bob).await;
    n.gate.read_known().await.unwrap();
    n.away();

    assert_eq!(n.gate.ssh_identity(KEY_FINGERPRINT).await.unwrap().unwrap().id, n.ada.person.id);
    assert!(n.gate.ssh_identity("SHA256:somebody").await.unwrap().is_none() && n.gate.in_safe_mode());
    assert!(
        matches!(n.ask(&n.gate, "ehr-db-1", SecondFactor::Missing).await.unwrap().1, Decision::NeedsSecondFactor(_)),
        "a key alone is not enough"
    );
    assert!(matches!(n.ask(&n.gate, "ehr-db-2", SecondFactor::SecurityKey).await.unwrap().1, Decision::Deny(Refusal::NoSuchAccess)));
    let permit = n.permit(&n.gate).await;
    n.gate.session_started(&permit, [7; 32], GATEWAY).await.unwrap();
    let Credential::Password(p) = n.gate.open_credential(&permit).await.unwrap() else { panic!("a password") };
    assert_eq!(p.expose(), "s3cret-of-root");

    // The gateway dies too, and begins again while the database is still away.
    let second = Approvals::open(n.cluster.app_later(&n.database), with(&n.w, Duration::from_secs(3600))).await.unwrap();
    let later = n.permit(&second).await;
    second.session_started(&later, [8; 32], GATEWAY).await.unwrap();
    for s in [permit.session(), later.session()] {
        second.session_ended(s, &EndReason::ClientClosed).await;
        second.recording_sealed(sealed(s)).await;
    }

    n.back(&second).await;
    for s in [permit.session(), later.session()] {
        let row = n.w.approvals.session(s).await.unwrap().unwrap();
        assert_eq!((row.end_reason.as_deref(), row.person), (Some("client_closed"), n.ada.person.id));
    }
    let log = n.log().await;
    let count = |f: &dyn Fn(&SafeModeEvent) -> bool| log.iter().filter(|e| matches!(e, AuditEvent::SafeMode(e) if f(e))).count();
    assert_eq!(count(&|e| matches!(e, SafeModeEvent::Entered { .. })), 2, "each process says so");
    assert_eq!(count(&|e| matches!(e, SafeModeEvent::Permitted { .. })), 2);
    assert_eq!(count(&|e| matches!(e, SafeModeEvent::Left { .. })), 1);
    assert!(n.w.approvals.verify_log().await.unwrap().is_good());
    n.over();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_back_before_counts_no_more_and_nothing_counts_for_longer_than_it_may() {
    let mut n = Box::pin(Night::new()).await;
    let grant = n.w.grant(&n.ada, &mut n.bob).await;
    n.gate.read_known().await.unwrap();
    n.w.approvals.revoke_grant(Some(n.bob.person.id), grant.id).await.unwrap();
    n.gate.read_known().await.unwrap();
    let short = Approvals::open(n.cluster.app(&n.database).await, with(&n.w, Duration::from_millis(300))).await.unwrap();
    short.read_known().await.unwrap();
    let nothing = Approvals::open(n.cluster.app(&n.database).await, options(&n.w.dir, Duration::ZERO)).await.unwrap();
    n.away();
    assert!(matches!(n.ask(&n.gate, "ehr-db-1", SecondFactor::SecurityKey).await.unwrap().1, Decision::Deny(Refusal::NoSuchAccess)));
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert_eq!(n.ask(&short, "ehr-db-1", SecondFactor::SecurityKey).await.unwrap_err(), StoreError::Away, "too old");
    assert_eq!(n.ask(&nothing, "ehr-db-1", SecondFactor::SecurityKey).await.unwrap_err(), StoreError::Away, "no safe mode");

    // What another key sealed, or somebody changed, is nothing to go by.
    let file = n.w.dir.path().join("safe/known.sealed");
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let refused = Approvals::open(n.cluster.app_later(&n.database), with(&n.w, Duration::from_secs(3600))).await.err();
    assert!(matches!(refused, Some(OpenError::Store(StoreError::Away))), "{refused:?}");
    n.over();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_opens_its_target_once_while_the_database_is_away() {
    let mut n = Box::pin(Night::new()).await;
    assert!(n.w.approvals.offline_cards(GATEWAY).await.unwrap().is_empty());
    let (mut kim, mut lee) = (n.w.somebody("kim", Role::KeyHolder).await, n.w.somebody("lee", Role::KeyHolder).await);
    n.w.two_relays().await;
    let (card, code) = issue(&n.w, &mut kim, &mut lee).await;
    n.gate.read_known().await.unwrap();
    let why = Reason::new("not yet").unwrap();
    let early = n
        .gate
        .authorize_by_card(&n.ada.person, SessionId(Uuid::now_v7()), "ehr-db-1", "root", HERE, ShownCard { code: &code, reason: why })
        .await;
    assert_eq!(early.unwrap_err(), StoreError::Away, "cards are for when the database is away");
    n.away();

    assert!(matches!(n.ask(&n.gate, "ehr-db-1", SecondFactor::SecurityKey).await.unwrap().1, Decision::Deny(Refusal::NoSuchAccess)));
    assert!(n.gate.may_use_cards(&n.ada.person) && !n.gate.may_use_cards(&n.bob.person));
    assert!(matches!(n.by_card(&n.gate, &wrong()).await, Decision::Deny(Refusal::Card(_))));
    let Decision::Permit(permit) = n.by_card(&n.gate, &code).await else { panic!("the card opens it") };
    assert!(permit.not_after() - permit.judged_at() <= time::Duration::minutes(60));
    let way = n.gate.open_relay(&permit).await.unwrap();
    assert_eq!(way.iter().map(|r| r.target.name.as_str()).collect::<Vec<_>>(), ["outer", "inner"], "a card leads through relays as ever");
    n.gate.session_started(&permit, [7; 32], GATEWAY).await.unwrap();
    let again = n.by_card(&n.gate, &code).await;
    assert!(matches!(&again, Decision::Deny(Refusal::Card(why)) if why.contains("has been used")), "{again:?}");
    let second = Approvals::open(n.cluster.app_later(&n.database), with(&n.w, Duration::from_secs(3600))).await.unwrap();
    let again = n.by_card(&second, &code).await;
    assert!(matches!(&again, Decision::Deny(Refusal::Card(why)) if why.contains("has been used")), "{again:?}");
    second.session_ended(permit.session(), &EndReason::ClientClosed).await;

    n.back(&second).await;
    assert_eq!(n.w.approvals.card(card).await.unwrap().unwrap().state, CardState::Used);
    let row = n.w.approvals.session(permit.session()).await.unwrap().unwrap();
    assert_eq!((row.grant, row.end_reason.as_deref()), (permit.grant(), Some("client_closed")));
    let open = n.w.approvals.broken_glass(true, Page { number: 0, size: 10 }).await.unwrap();
    assert_eq!(open.total, 1, "somebody has to review it");
    assert!(!n.log().await.iter().any(|e| matches!(e, AuditEvent::BreakGlass(BreakGlassEvent::Reviewed { .. }))));
    n.over();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_told_of_after_the_review_has_to_be_looked_at_too() {
    let mut n = Box::pin(Night::new()).await;
    let mut max = n.w.somebody("max", Role::Auditor).await;
    let grant = smash(&n.w, &mut n.ada, form(30)).await.unwrap();
    n.gate.read_known().await.unwrap();
    n.away();
    let permit = n.permit(&n.gate).await;
    assert_eq!(permit.grant(), grant.id);
    n.gate.session_started(&permit, [7; 32], GATEWAY).await.unwrap();
    n.gate.session_ended(permit.session(), &EndReason::ClientClosed).await;

    // Back for everybody but this gateway, and somebody looks, and finds that nothing ran.
    n.server = Some(n.cluster.start());
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while n.w.approvals.break_glass(grant.request).await.is_err() {
        assert!(std::time::Instant::now() < deadline, "the database is back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    n.w.approvals.revoke_grant(Some(n.ada.person.id), grant.id).await.unwrap();
    look(&n.w, &mut max, grant.request).await.unwrap();
    assert_eq!(n.w.approvals.broken_glass(true, Page::default()).await.unwrap().total, 0);

    n.tells(&n.gate).await;
    let glass = n.w.approvals.break_glass(grant.request).await.unwrap().unwrap();
    assert_eq!((glass.sessions.as_slice(), glass.review.is_none()), ([permit.session()].as_slice(), true), "it waits again");
    let again = |e: &AuditEvent| {
        matches!(e, AuditEvent::BreakGlass(BreakGlassEvent::Reopened { request, session })
            if *request == grant.request && *session == permit.session())
    };
    assert_eq!(n.log().await.iter().filter(|e| again(e)).count(), 1);
    look(&n.w, &mut max, grant.request).await.unwrap();
    n.tells(&n.gate).await;
    assert_eq!(n.w.approvals.broken_glass(true, Page::default()).await.unwrap().total, 0, "told once, opened once");
    n.over();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_to_be_watched_waits_and_a_vendor_is_nobody_while_the_database_is_away() {
    let mut n = Box::pin(Night::new()).await;
    n.w.grant(&n.ada, &mut n.bob).await;
    n.w.sql(r#"update access_grant set obligations = '{"supervise": true}'"#).await;
    n.gate.read_known().await.unwrap();
    n.away();
    let watched = n.ask(&n.gate, "ehr-db-1", SecondFactor::SecurityKey).await.unwrap().1;
    assert!(matches!(watched, Decision::Deny(Refusal::SafeMode(why)) if why.contains("watched")), "{watched:?}");
    n.over();

    let mut n = Box::pin(Night::new()).await;
    n.w.grant(&n.ada, &mut n.bob).await;
    n.w.sql("insert into company (id, name, contract_ends, created_at) values ('00000000-0000-7000-8000-000000000001', 'Acme', now() + interval '1 year', now())").await;
    n.w.sql(r#"update person set attributes = '{"company": "00000000-0000-7000-8000-000000000001"}' where handle = 'ada'"#).await;
    n.gate.read_known().await.unwrap();
    n.away();
    assert!(n.gate.ssh_identity(KEY_FINGERPRINT).await.unwrap().is_none());
    n.over();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_behind_relays_and_an_account_without_a_secret_open_while_the_database_is_away() {
    let mut n = Box::pin(Night::new()).await;
    let (outer, inner) = n.w.two_relays().await;
    n.w.approvals.set_credential(None, n.w.target.id, account("root"), Credential::GatewayCa).await.unwrap();
    n.w.approvals.set_credential(None, inner.id, account("jump"), Credential::GatewayCa).await.unwrap();
    let authority = n.w.approvals.authorities(Purpose::Target).await.unwrap().remove(0);
    n.w.grant(&n.ada, &mut n.bob).await;
    n.gate.read_known().await.unwrap();
    n.away();

    let permit = n.permit(&n.gate).await;
    let way = n.gate.open_relay(&permit).await.unwrap();
    assert_eq!(way.iter().map(|r| r.target.name.as_str()).collect::<Vec<_>>(), ["outer", "inner"]);
    assert!(matches!(&way[0].credential, Credential::Password(p) if p.expose() == "jump at outer"));
    assert!(matches!(n.gate.open_credential(&permit).await.unwrap(), Credential::GatewayCa));
    let key = ssh_key::PublicKey::from_openssh(KEY).unwrap();
    let certificate = n.gate.sign_target_certificate(&permit, &key).await.unwrap();
    let ca = ssh_key::PublicKey::from_openssh(&authority.public_key).unwrap().fingerprint(ssh_key::HashAlg::Sha256);
    assert!(certificate.validate([&ca]).is_ok() && certificate.valid_principals() == ["root"]);
    n.gate.sign_relay_certificate(&permit, &way[1], &key).await.unwrap();
    let elsewhere = Relay { target: n.w.target.clone(), account: account("jump"), credential: Credential::GatewayCa };
    assert!(n.gate.sign_relay_certificate(&permit, &elsewhere, &key).await.is_err(), "no relay of this way");

    // Nobody is given what is not written down.
    let spool = n.w.dir.path().join("spool");
    let aside = n.w.dir.path().join("spool-aside");
    std::fs::rename(&spool, &aside).unwrap();
    assert!(n.gate.sign_target_certificate(&permit, &key).await.is_err());
    std::fs::rename(&aside, &spool).unwrap();

    n.back(&n.gate.clone()).await;
    let certified = |e| match e {
        AuditEvent::TargetCertificateIssued { target, serial, .. } => Some((target, serial)),
        _ => None,
    };
    let issued: Vec<_> = n.log().await.into_iter().filter_map(certified).collect();
    assert_eq!(issued.iter().map(|i| i.0).collect::<Vec<_>>(), [n.w.target.id, inner.id]);
    assert_eq!(issued[0].1, certificate.serial().to_string());
    assert_ne!(outer.id, inner.id);
    n.over();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_the_database_took_without_saying_so_stands_once() {
    let mut n = Box::pin(Night::new()).await;
    n.w.grant(&n.ada, &mut n.bob).await;
    n.gate.read_known().await.unwrap();
    let permit = n.permit(&n.gate).await;
    n.gate.session_started(&permit, [7; 32], GATEWAY).await.unwrap();
    // As if its answer had been lost with the database.
    n.away();
    n.gate.session_started(&permit, [7; 32], GATEWAY).await.unwrap();
    n.gate.session_ended(permit.session(), &EndReason::ClientClosed).await;
    n.back(&n.gate.clone()).await;
    let log = n.log().await;
    let starts = log.iter().filter(|e| matches!(e, AuditEvent::SessionStarted { session, .. } if *session == permit.session()));
    assert_eq!(starts.count(), 1);
    assert_eq!(n.w.approvals.session(permit.session()).await.unwrap().unwrap().end_reason.as_deref(), Some("client_closed"));
    assert!(n.w.approvals.verify_log().await.unwrap().is_good());
    n.over();
}

/// A newer program set the policy that counts; then the database goes. What it says of anybody nobody here knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_a_policy_that_could_not_be_read_no_grant_counts_while_the_database_is_away() {
    let mut n = Box::pin(Night::new()).await;
    n.w.grant(&n.ada, &mut n.bob).await;
    n.gate.read_known().await.unwrap();
    let end = CancellationToken::new();
    let mut changes = n.gate.changes();
    let running = tokio::spawn({
        let (gate, end) = (n.gate.clone(), end.clone());
        async move { gate.run(end).await }
    });
    let heard = async {
        while changes.recv().await.unwrap() != Change::Resync {}
        set_by_another_program(&n.w.owner).await;
        while changes.recv().await.unwrap() != Change::Policy {}
    };
    tokio::time::timeout(Duration::from_secs(20), heard).await.unwrap();
    // While the database is there the one before decides.
    assert!(matches!(n.ask(&n.gate, "ehr-db-1", SecondFactor::SecurityKey).await.unwrap().1, Decision::Permit(_)));
    n.gate.read_known().await.unwrap();
    end.cancel();
    running.await.unwrap();
    n.away();
    let second = Approvals::open(n.cluster.app_later(&n.database), with(&n.w, Duration::from_secs(3600))).await.unwrap();
    for gate in [&n.gate, &second] {
        let asked = n.ask(gate, "ehr-db-1", SecondFactor::SecurityKey).await.unwrap().1;
        assert!(matches!(asked, Decision::Deny(Refusal::NoSuchAccess)), "{asked:?}");
    }
    n.over();
}

/// Somebody took a grant back in the moment the database went: the gateway heard of it and could not read what it is now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_heard_of_and_could_not_be_read_counts_no_more_after_a_restart_either() {
    let mut n = Box::pin(Night::new()).await;
    let grant = n.w.grant(&n.ada, &mut n.bob).await;
    let end = CancellationToken::new();
    let running = tokio::spawn({
        let (gate, end) = (n.gate.clone(), end.clone());
        async move { gate.run(end).await }
    });
    let mut changes = n.gate.changes();
    let heard = async |changes: &mut tokio::sync::broadcast::Receiver<Change>, wanted: Change| {
        while changes.recv().await.unwrap() != wanted {}
    };
    // It listens, and has read what counts.
    tokio::time::timeout(Duration::from_secs(20), heard(&mut changes, Change::Resync)).await.unwrap();
    let file = n.w.dir.path().join("safe/known.sealed");
    let age = || std::fs::metadata(&file).and_then(|m| m.modified()).ok().and_then(|m| m.elapsed().ok());
    while age().is_none_or(|a| a < Duration::from_millis(1_500)) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    n.w.approvals.revoke_grant(Some(n.bob.person.id), grant.id).await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), heard(&mut changes, Change::GrantRevoked(grant.id))).await.unwrap();
    n.away();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !matches!(n.ask(&n.gate, "ehr-db-1", SecondFactor::SecurityKey).await, Ok((_, Decision::Deny(Refusal::NoSuchAccess)))) {
        assert!(std::time::Instant::now() < deadline, "the gateway that heard of it forgets it");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    end.cancel();
    running.await.unwrap();
    let second = Approvals::open(n.cluster.app_later(&n.database), with(&n.w, Duration::from_secs(3600))).await.unwrap();
    let asked = n.ask(&second, "ehr-db-1", SecondFactor::SecurityKey).await.unwrap().1;
    assert!(matches!(asked, Decision::Deny(Refusal::NoSuchAccess)), "{asked:?}");
    n.over();
}
