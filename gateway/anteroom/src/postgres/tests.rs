#![allow(clippy::unwrap_used)]
use super::*;

fn state() -> tempfile::TempDir {
    let d = tempfile::tempdir().unwrap();
    // As root the server runs as somebody else, who has to be able to come here.
    std::fs::set_permissions(d.path(), Permissions::from_mode(0o711)).unwrap();
    d
}

async fn setting(pool: &PgPool, name: &str) -> String {
    sqlx::query_scalar::<_, String>("SELECT current_setting($1)").bind(name).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn it_keeps_what_was_written_and_starts_again_within_a_second() {
    let dir = state();
    let pg = Postgres::start(dir.path(), &Layout::default()).await.unwrap();
    let pool = pg.pool(Database::ANTEROOM, "anteroom_owner", 2).await.unwrap();
    sqlx::query("CREATE TABLE t (x int)").execute(&pool).await.unwrap();
    sqlx::query("INSERT INTO t VALUES (7)").execute(&pool).await.unwrap();
    for (name, value) in [("fsync", "on"), ("data_checksums", "on"), ("listen_addresses", ""), ("server_encoding", "UTF8")] {
        assert_eq!(setting(&pool, name).await, value, "{name}");
    }
    pool.close().await;
    pg.stop().await;
    drop(pg);

    let began = Instant::now();
    let pg = Postgres::start(dir.path(), &Layout::default()).await.unwrap();
    let took = began.elapsed();
    let pool = pg.pool(Database::ANTEROOM, "anteroom_owner", 2).await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, i32>("SELECT x FROM t").fetch_one(&pool).await.unwrap(), 7);
    assert!(took < Duration::from_secs(1), "the second start took {took:?}");
    pg.stop().await;
}

#[tokio::test]
async fn nobody_is_superuser_and_guests_see_only_their_database() {
    let dir = state();
    let layout = Layout { extra: Some(Database { name: "ehr", owner: "ehr_owner", guest: "ehr_dba" }), guests: None };
    let pg = Postgres::start(dir.path(), &layout).await.unwrap();
    assert!(pg.pool("postgres", "postgres", 1).await.is_err());
    assert!(pg.pool(Database::ANTEROOM, "ehr_dba", 1).await.is_err());
    assert!(pg.pool("ehr", "ehr_dba", 1).await.is_ok());
    let app = pg.pool(Database::ANTEROOM, "anteroom_app", 1).await.unwrap();
    assert!(sqlx::query("CREATE TABLE no (x int)").execute(&app).await.is_err());
    pg.stop().await;
}

#[tokio::test]
async fn two_cannot_share_a_directory() {
    let dir = state();
    let pg = Postgres::start(dir.path(), &Layout::default()).await.unwrap();
    let e = Postgres::start(dir.path(), &Layout::default()).await.unwrap_err();
    assert!(e.to_string().contains("in use by another anteroom"), "{e}");
    pg.stop().await;
}

#[tokio::test]
async fn a_server_left_behind_is_ended_first() {
    let dir = state();
    let pg = Postgres::start(dir.path(), &Layout::default()).await.unwrap();
    let data = dir.path().join("data");
    assert!(data.join("postmaster.pid").exists());
    orphan::end(&data).await.unwrap();
    assert!(!data.join("postmaster.pid").exists());
    pg.ended().await;
}
