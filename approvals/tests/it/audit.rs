//! The log can be added to and not be changed; whoever changes it all the same is found.
use crate::world::{World, options};
use anteroom_approvals::{Approvals, AuditFilter, LogProblem, Page, audit::note};
use anteroom_domain::{AuditEvent, Role};
use std::time::Duration;

async fn problems(w: &World) -> Vec<LogProblem> {
    w.approvals.verify_log().await.unwrap().problems
}

/// A log of some length with several checkpoints.
async fn grown() -> World {
    let w = World::new().await;
    w.settle().await;
    w.somebody("ada", Role::Admin).await;
    w.settle().await;
    w.somebody("bob", Role::Approver).await;
    w.settle().await;
    w
}

/// Another process on the same database and directories.
async fn second(w: &World) -> Approvals {
    let database: String = sqlx::query_scalar("select current_database()").fetch_one(&w.owner).await.unwrap();
    Approvals::open(crate::cluster::shared().app(&database).await, options(&w.dir, Duration::ZERO)).await.unwrap()
}

#[tokio::test]
async fn an_untouched_log_verifies() {
    let w = grown().await;
    let r = w.approvals.verify_log().await.unwrap();
    assert!(r.is_good(), "{:?}", r.problems);
    assert!(r.size > 8 && r.waiting == 0);
    assert_eq!(r.checkpoints, 6, "three in the database, three in the directory");
    let note = w.approvals.checkpoint().await.unwrap().unwrap();
    let c = note::open(&note, &w.approvals.log_public_key()).unwrap();
    assert_eq!((c.size, c.origin.as_str()), (r.size, "anteroom/test"));
}

fn refused() -> AuditEvent {
    AuditEvent::AccessRefused { person: None, target: "mri-3".into(), source: "10.0.0.7".into(), why: "no".into() }
}

/// Whoever verifies while the log grows must not be told that somebody cut its end off.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_grows_while_it_is_read_verifies() {
    let w = grown().await;
    let reader = second(&w).await;
    let growing = async {
        for _ in 0..60 {
            w.approvals.note(refused(), None).await;
            w.settle().await;
        }
    };
    let reading = async {
        loop {
            let r = reader.verify_log().await.unwrap();
            assert!(r.is_good(), "{:?}", r.problems);
        }
    };
    tokio::select! { () = growing => {}, () = reading => {} }
}

#[tokio::test]
async fn a_changed_entry_is_found_at_its_very_place() {
    let w = grown().await;
    for index in [0, 4, 9] {
        let record = |how: &str| {
            let s = format!("update audit_entry set record = {how} where id = (select entry from audit_leaf where index = {index})");
            sqlx::query(sqlx::AssertSqlSafe(s)).execute(&w.owner)
        };
        record("replace(record, '\"v\":1', '\"v\":2')").await.unwrap();
        let found = problems(&w).await;
        assert_eq!((found.len(), found[0].index), (1, Some(index)), "{found:?}");
        record("replace(record, '\"v\":2', '\"v\":1')").await.unwrap();
        assert!(problems(&w).await.is_empty());
    }
}

#[tokio::test]
async fn a_changed_search_column_is_found() {
    let w = grown().await;
    w.sql("update audit_entry set kind = 'signed_out' where id = (select entry from audit_leaf where index = 4)").await;
    let found = problems(&w).await;
    assert_eq!((found.len(), found[0].index), (1, Some(4)), "{found:?}");
}

#[tokio::test]
async fn an_entry_changed_together_with_its_leaf_does_not_fit_the_checkpoints() {
    let w = grown().await;
    w.sql(
        "update audit_entry set record = replace(record, '\"at\":\"20', '\"at\":\"19'), at = at - interval '100 years'
         where id = (select entry from audit_leaf where index = 1)",
    )
    .await;
    w.sql("update audit_leaf set hash = sha256('\\x00'::bytea || convert_to((select record from audit_entry where id = entry), 'utf8')) where index = 1").await;
    let found = problems(&w).await;
    assert!(found.len() == 6 && found.iter().all(|p| p.what.contains("another root")), "{found:?}");
}

#[tokio::test]
async fn a_log_rewritten_with_its_checkpoints_is_found_by_the_files_beside_it() {
    let w = grown().await;
    // The end is cut off, and every trace of it in the database with it.
    w.sql("delete from audit_checkpoint where size > (select min(size) from audit_checkpoint)").await;
    w.sql("delete from audit_leaf where index >= (select max(size) from audit_checkpoint)").await;
    w.sql("delete from audit_entry where id not in (select entry from audit_leaf)").await;
    let found = problems(&w).await;
    assert!(found.len() == 2 && found.iter().all(|p| p.what.contains("cut off")), "{found:?}");
    // And the program does not sign on top of it, neither now nor after a restart.
    w.somebody("eve", Role::Admin).await;
    w.settle().await;
    let restarted = second(&w).await;
    let stop = tokio_util::sync::CancellationToken::new();
    stop.cancel();
    restarted.run(stop).await;
    assert_eq!(restarted.verify_log().await.unwrap().checkpoints, 4);
}

#[tokio::test]
async fn a_forged_checkpoint_is_found() {
    let w = grown().await;
    w.sql("update audit_checkpoint set root = sha256('x') where size = (select max(size) from audit_checkpoint)").await;
    assert!(problems(&w).await.iter().any(|p| p.what.contains("does not say what its note says")));
    w.sql("update audit_checkpoint set note = replace(note, 'anteroom/test', 'anteroom/tost')").await;
    assert!(problems(&w).await.iter().any(|p| p.what.contains("in the database")));
}

#[tokio::test]
async fn a_removed_entry_is_missed() {
    let w = grown().await;
    w.sql("delete from audit_leaf where index = 5").await;
    let found = problems(&w).await;
    assert!(found.iter().any(|p| p.index == Some(5) && p.what.contains("missing")), "{found:?}");
    assert!(found.iter().any(|p| p.what.contains("neither a place in the tree")), "{found:?}");
}

#[tokio::test]
async fn the_programs_role_can_add_and_read_and_nothing_else() {
    let w = grown().await;
    let database: String = sqlx::query_scalar("select current_database()").fetch_one(&w.owner).await.unwrap();
    let app = crate::cluster::shared().app(&database).await;
    for table in ["audit_entry", "audit_leaf", "audit_checkpoint", "evidence", "approval"] {
        let column = match table {
            "audit_leaf" => "hash = hash",
            "audit_checkpoint" => "note = note",
            "approval" => "at = at",
            _ => "id = id",
        };
        for statement in [format!("update {table} set {column}"), format!("delete from {table}"), format!("truncate {table} cascade")] {
            let e = sqlx::query(sqlx::AssertSqlSafe(statement.clone())).execute(&app).await.expect_err(&statement);
            assert_eq!(e.as_database_error().unwrap().code().unwrap(), "42501", "{statement}");
        }
        sqlx::query(sqlx::AssertSqlSafe(format!("select count(*) from {table}"))).execute(&app).await.unwrap();
    }
    for statement in ["alter table audit_entry disable trigger all", "drop table audit_leaf", "create table mine (x int)"] {
        assert!(sqlx::query(statement).execute(&app).await.is_err(), "{statement}");
    }
}

#[tokio::test]
async fn entries_written_at_the_same_time_all_get_one_place_each() {
    let w = World::new().await;
    let writers = (0..8).map(|n| {
        let a = w.approvals.clone();
        tokio::spawn(async move {
            for _ in 0..25 {
                a.note(AuditEvent::GatewayStarted { gateway: format!("gw-{n}"), version: "0".into() }, None).await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    // A second process with the same log takes part in the sequencing.
    let second = second(&w).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let both = [w.approvals.clone(), second].map(|a| {
        let stop = stop.clone();
        tokio::spawn(async move { a.run(stop).await })
    });
    for t in writers {
        t.await.unwrap();
    }
    stop.cancel();
    for t in both {
        t.await.unwrap();
    }
    w.settle().await;
    let r = w.approvals.verify_log().await.unwrap();
    assert!(r.is_good(), "{:?}", r.problems);
    assert_eq!((r.size, r.waiting), (202, 0), "two lines made the target");
}

#[tokio::test]
async fn the_log_is_searched_by_name_kind_person_and_time() {
    let w = grown().await;
    let find = |f: AuditFilter| w.approvals.audit_search(f, Page::default());
    let ada = w.approvals.people("ada", Page::default()).await.unwrap().rows.remove(0);
    let by_name = find(AuditFilter { text: "ADA".into(), ..Default::default() }).await.unwrap();
    let by_person = find(AuditFilter { person: Some(ada.id), ..Default::default() }).await.unwrap();
    assert_eq!((by_name.total, by_person.total), (4, 4), "added, invited, enrolled, signed in");
    assert!(by_name.rows[0].index > by_name.rows[1].index, "newest first, each with its place");
    let kind = find(AuditFilter { kind: Some("passkey_enrolled".into()), ..Default::default() }).await.unwrap();
    assert_eq!(kind.total, 2);
    let target = find(AuditFilter { text: "ehr-db".into(), ..Default::default() }).await.unwrap();
    assert_eq!(target.total, 2);
    let long_ago = find(AuditFilter { until: Some(time::OffsetDateTime::UNIX_EPOCH), ..Default::default() }).await.unwrap();
    assert_eq!(long_ago.total, 0);
}
