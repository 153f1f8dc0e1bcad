//! Decisions and audit lines a second, and how long somebody whose access is taken away stays in.
use crate::{
    harness::{Cluster, World, WorldOptions},
    lab::{LIGHT, light_login, start_light},
};
use anteroom_test_swarm::Clients;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{net::Ipv4Addr, process::Command};
use time::{Duration, OffsetDateTime};

/// New terminals a second while they are opened, on each gateway.
const RATE: u32 = 25;

#[derive(Debug)]
pub struct Decisions {
    pub policies: u64,
    pub per_second: f64,
    pub without_policy: f64,
}

#[derive(Debug)]
pub struct Appends {
    pub per_second: f64,
    /// A row of the same size into a table without anything, by as many clients.
    pub bare: f64,
    /// Lines that get their place in the Merkle tree.
    pub sequenced: f64,
}

#[derive(Debug)]
pub struct Revoked {
    pub wanted: usize,
    pub ended: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub last_ms: f64,
}

/// The program beside ours.
fn decisions_program(arguments: &[&str]) -> Result<Value> {
    let program = std::env::current_exe()?.with_file_name("decisions");
    let out = Command::new(&program).args(arguments).output().with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(out.status.success(), "decisions: {}", String::from_utf8_lossy(&out.stderr));
    Ok(serde_json::from_slice(&out.stdout)?)
}

fn number(v: &Value, key: &str) -> Result<f64> {
    v[key].as_f64().with_context(|| format!("no {key} in {v}"))
}

pub fn decisions() -> Result<Decisions> {
    let v = decisions_program(&["policy"])?;
    let policies = v["policies"].as_u64().context("no policies")?;
    Ok(Decisions { policies, per_second: number(&v, "per_second")?, without_policy: number(&v, "without_policy_per_second")? })
}

pub fn appends() -> Result<Appends> {
    let cluster = Cluster::start_durable()?;
    // A gateway that starts brings the schema up to date.
    drop(World::with(WorldOptions { database: Some(database(&cluster)), ..Default::default() })?);
    cluster.psql("anteroom", "create table bare (line text not null)")?;
    let bare = cluster.pgbench(&format!("insert into bare (line) values ('{}')", "x".repeat(300)), 8, 5)?;
    let v = decisions_program(&["appends", &cluster.url("anteroom_app")])?;
    Ok(Appends { per_second: number(&v, "per_second")?, bare, sequenced: number(&v, "sequenced_per_second")? })
}

fn database(cluster: &Cluster) -> String {
    format!("url = \"{}\"\nowner_url = \"{}\"", cluster.url("anteroom_app"), cluster.url("anteroom_owner"))
}

/// From the approver's click to the end of each of so many terminals, half of them on each gateway.
pub fn revoke(sessions: usize) -> Result<Revoked> {
    let cluster = Cluster::start()?;
    let w = World::with(WorldOptions {
        database: Some(database(&cluster)),
        remember_step_up: "8h".into(),
        ssh: "max_unauthenticated = 1000\nmax_unauthenticated_per_address = 1000\n".into(),
        ..Default::default()
    })?;
    let second = w.second_gateway()?;
    let _target = start_light(&w)?;
    let (admin, approver) = (w.admin("bench-admin")?, w.person("bench-approver", &["approver", "auditor", "operator"])?);
    let until = OffsetDateTime::now_utc() + Duration::hours(4);
    let grant = approver.approve(&admin.request_all_until(LIGHT.0, LIGHT.1, &["shell", "exec"], until)?)?;
    w.ssh(&admin)?.login(&light_login()).command("true").run()?.good()?;
    let clients = |port: u16| Clients::new((Ipv4Addr::LOCALHOST, port).into(), &light_login(), &admin.ssh_key, &w.gateway_host_key()?);
    let (first, other) = (clients(w.ssh_port())?, clients(second.ssh_port())?);
    let ((one, opened), (two, opened_too)) = (first.open(sessions / 2, RATE), other.open(sessions - sessions / 2, RATE));
    ensure!(opened.failed.is_empty() && opened_too.failed.is_empty(), "not all were opened: {:?} {:?}", opened.failed, opened_too.failed);
    let each = first.ends_after(vec![one, two], || approver.post_form(&format!("/grants/{grant}/revoke"), &[]).map(drop))?;
    let at = |part: f64| each.get((each.len().saturating_sub(1) as f64 * part) as usize).map_or(f64::NAN, |d| d.as_secs_f64() * 1e3);
    Ok(Revoked { wanted: sessions, ended: each.len(), p50_ms: at(0.5), p99_ms: at(0.99), last_ms: at(1.0) })
}
