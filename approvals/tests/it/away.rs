//! Postgres goes away and comes back: what is asked is refused clearly, what happened is written down afterwards, once.
use crate::{
    cluster::{Cluster, stop},
    connecting::{permit, sealed},
    world::{HERE, World, options},
};
use anteroom_approvals::{Approvals, AuditFilter, Change, Page, StoreError};
use anteroom_domain::{AuditEvent, EndReason, RecordingState, Role, SessionId};
use anteroom_policy::SecondFactor;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_outlives_the_database_and_is_written_down_exactly_once() {
    let cluster = Cluster::new();
    let server = cluster.start();
    let w = World::on(&cluster, Duration::ZERO).await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    let s = SessionId(Uuid::now_v7());
    let p = permit(&w, &mut ada, s).await;
    w.approvals.session_started(&p, [0; 32], "gw").await.unwrap();

    stop(server);
    let asked = Instant::now();
    let refused = w.approvals.authorize(&ada.person, s, "ehr-db-1", "root", HERE, SecondFactor::Missing).await.unwrap_err();
    assert_eq!(refused, StoreError::Away);
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert!(!w.approvals.healthy().await);
    w.approvals.session_ended(s, &EndReason::TargetClosed).await;
    w.approvals.recording_sealed(sealed(s)).await;
    w.approvals.note(AuditEvent::GatewayStopped { gateway: "gw".into() }, None).await;

    // The gateway dies too; before its end it had written a line half.
    let spool = w.dir.path().join("spool");
    let files = || std::fs::read_dir(&spool).unwrap().map(|f| f.unwrap().path()).filter(|p| p.extension().is_some_and(|x| x == "jsonl"));
    let file = files().next().unwrap();
    let kept = std::fs::read(&file).unwrap();
    std::fs::write(&file, [&kept[..], b"{\"record\":{\"v\":1,\"id"].concat()).unwrap();

    let server = cluster.start();
    let again = reopen(&cluster, &w).await;
    let end = CancellationToken::new();
    let mut changes = again.changes();
    let running = tokio::spawn({
        let (a, end) = (again.clone(), end.clone());
        async move { a.run(end).await }
    });
    while changes.recv().await.unwrap() != Change::Resync {}
    let deadline = Instant::now() + Duration::from_secs(15);
    while files().count() > 0 || std::fs::read_dir(&spool).unwrap().any(|f| f.unwrap().path().extension().is_some_and(|x| x == "merging")) {
        assert!(Instant::now() < deadline, "the spool is merged within seconds");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // The same lines once more, as after a crash between merging and forgetting.
    std::fs::write(spool.join(format!("{}.jsonl", Uuid::now_v7())), &kept).unwrap();
    end.cancel();
    running.await.unwrap();
    let third = reopen(&cluster, &w).await;
    let now = CancellationToken::new();
    now.cancel();
    third.run(now).await;

    let row = third.session(s).await.unwrap().unwrap();
    assert_eq!((row.end_reason.as_deref(), row.recording), (Some("target_closed"), RecordingState::Complete));
    let lines = third.audit_search(AuditFilter::default(), Page { number: 0, size: 500 }).await.unwrap().rows;
    let spooled: Vec<String> = lines.iter().rev().map(|l| l.record.event.kind()).skip_while(|k| k != "session_ended").collect();
    assert_eq!(spooled, ["session_ended", "recording_sealed", "gateway_stopped"], "in order, each once");
    assert!(third.verify_log().await.unwrap().is_good());
    drop((w, again, third));
    stop(server);
    std::fs::remove_dir_all(cluster.dir()).unwrap();
}

async fn reopen(cluster: &Cluster, w: &World) -> Approvals {
    let database: String = sqlx::query_scalar("select current_database()").fetch_one(&w.owner).await.unwrap();
    Approvals::open(cluster.app(&database).await, options(&w.dir, Duration::ZERO)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listening_comes_back_with_the_database_and_says_look_again() {
    let cluster = Cluster::new();
    let server = cluster.start();
    let w = World::on(&cluster, Duration::ZERO).await;
    let ada = w.somebody("ada", Role::Admin).await;
    let end = CancellationToken::new();
    let mut changes = w.approvals.changes();
    let running = tokio::spawn({
        let (a, end) = (w.approvals.clone(), end.clone());
        async move { a.run(end).await }
    });
    while changes.recv().await.unwrap() != Change::Resync {}
    stop(server);
    let server = cluster.start();
    let back = tokio::time::timeout(Duration::from_secs(15), async { while changes.recv().await.unwrap() != Change::Resync {} });
    back.await.expect("a resync after the reconnect");
    w.approvals.suspend_person(None, ada.person.id).await.unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(3), async {
        while changes.recv().await.unwrap() != Change::PersonSuspended(ada.person.id) {}
    });
    heard.await.expect("changes are heard again");
    end.cancel();
    running.await.unwrap();
    drop(w);
    stop(server);
    std::fs::remove_dir_all(cluster.dir()).unwrap();
}
