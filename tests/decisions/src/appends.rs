//! Audit lines, written by several at once as sessions do, each in a transaction of its own and durable when it returns.
use anteroom_approvals::{Approvals, AuditFilter, Options, Page, pool_options};
use anteroom_domain::{AuditEvent, Secret};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use url::Url;

/// How many write at the same time.
const WRITERS: u32 = 8;
const SPAN: Duration = Duration::from_secs(5);

pub(crate) fn measure(database: &str) -> Result<serde_json::Value> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(written(database))
}

async fn written(database: &str) -> Result<serde_json::Value> {
    let dir = tempfile::tempdir()?;
    let options = Options {
        rp_id: "localhost".into(),
        origin: Url::parse("https://localhost")?,
        vault_key: Secret::new([1; 32]),
        log_key: Secret::new([2; 32]),
        log_name: "anteroom/bench".into(),
        remember_step_up: Duration::ZERO,
        certificate_lifetime: Duration::from_secs(3600),
        web_idle: Duration::from_secs(600),
        web_absolute: Duration::from_secs(3600),
        spool_dir: dir.path().join("spool"),
        checkpoint_dir: dir.path().join("checkpoints"),
        safe_mode: None,
    };
    let approvals = Approvals::open(pool_options().connect(database).await?, options).await?;
    let page = || Page { number: 0, size: 1 };
    let before = approvals.audit_search(AuditFilter::default(), page()).await?.total;
    let began = Instant::now();
    let mut writers = Vec::new();
    for n in 0..WRITERS {
        let a = approvals.clone();
        writers.push(tokio::spawn(async move {
            while began.elapsed() < SPAN {
                a.note(AuditEvent::GatewayStopped { gateway: format!("bench-{n}") }, None).await;
            }
        }));
    }
    for w in writers {
        w.await?;
    }
    let took = began.elapsed();
    let lines = approvals.audit_search(AuditFilter::default(), page()).await?.total - before;
    ensure!(lines > 0, "nothing was written");
    // Their places in the tree, and the checkpoint over them.
    let (began, now) = (Instant::now(), CancellationToken::new());
    now.cancel();
    approvals.run(now).await;
    let sequenced = began.elapsed();
    // (The gateway that made the tables signed its checkpoints with a key of its own, so the log as a whole is not ours to verify.)
    ensure!(approvals.verify_log().await?.waiting == 0, "not all lines got their place in the tree");
    Ok(serde_json::json!({
        "writers": WRITERS,
        "lines": lines,
        "per_second": lines as f64 / took.as_secs_f64(),
        "sequenced_per_second": lines as f64 / sequenced.as_secs_f64(),
    }))
}
