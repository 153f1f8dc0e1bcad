//! A session is held still and goes on: scp loses no byte either way, and without a database nobody watches.
use anteroom_tests::harness::{Cluster, Confirm, Person, SshSession, World, WorldOptions, soon, wait_for};
use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

const SIZE: u64 = 12 << 20;

fn running(w: &World) -> String {
    wait_for("a running session", Duration::from_secs(30), || {
        let all = w.sessions()?;
        Ok(all.iter().find(|s| s["ended_at"].is_null()).and_then(|s| s["id"].as_str()).map(str::to_owned))
    })
    .unwrap()
}

fn noise(to: &Path) -> Vec<u8> {
    let mut noise = Vec::new();
    fs::File::open("/dev/urandom").unwrap().take(SIZE).read_to_end(&mut noise).unwrap();
    fs::write(to, &noise).unwrap();
    noise
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |m| m.len())
}

/// scp at 3 MB a second, paused in the middle; both of its dialects. What it wrote.
fn paused_in_the_middle(w: &World, ada: &Person, how: &[&str], from: &str, to: &str, arrives: &Path) -> Vec<u8> {
    let mut c = Command::new("scp");
    c.args(how).args(["-l", "24000", "-F"]).arg(w.ssh(ada).unwrap().config_file()).arg(format!("-oUser={}", w.login()));
    c.args([from, to]).env_remove("SSH_AUTH_SOCK");
    let copy = SshSession::start(c, Some(Confirm::By(ada.clone()))).unwrap();
    wait_for("the first of the file", Duration::from_secs(40), || Ok((size(arrives) > SIZE / 10).then_some(()))).unwrap();
    let id = running(w);
    w.cli.good(&["session", "pause", &id, "--as", "ben"]).unwrap();
    // What was on its way may still arrive.
    std::thread::sleep(Duration::from_millis(1500));
    let held = size(arrives);
    std::thread::sleep(Duration::from_secs(3));
    assert!(size(arrives) == held && held < SIZE, "{how:?}: {held}, then {} of {SIZE} while it was paused", size(arrives));
    w.cli.good(&["session", "resume", &id, "--as", "ben"]).unwrap();
    let out = copy.finish(Duration::from_secs(60)).unwrap();
    assert_eq!(out.status, Some(0), "{how:?}: {}", out.said());
    soon("its end", || Ok(w.sessions()?.iter().all(|s| !s["ended_at"].is_null()))).unwrap();
    fs::read(arrives).unwrap()
}

#[test]
fn a_paused_scp_stands_where_it_is_and_arrives_whole() {
    let w = World::start().unwrap();
    let (ada, ben) = (w.admin("ada").unwrap(), w.person("ben", &["approver"]).unwrap());
    let (there, here): (PathBuf, PathBuf) = (w.dir.join("there"), w.dir.join("here"));
    fs::create_dir_all(&there).unwrap();
    fs::create_dir_all(&here).unwrap();
    let (down, up) = (format!("download:{}/**", there.display()), format!("upload:{}/**", there.display()));
    ben.approve(&ada.request_for(&w.target.name, &w.target.account, &[&down, &up]).unwrap()).unwrap();
    let (firmware, log) = (noise(&here.join("firmware")), noise(&there.join("log")));

    for (n, how) in [&["-s"][..], &["-O"]].into_iter().enumerate() {
        let (sent, fetched) = (there.join(format!("sent-{n}")), here.join(format!("fetched-{n}")));
        let up = format!("gateway:{}", sent.display());
        let whole = paused_in_the_middle(&w, &ada, how, &here.join("firmware").display().to_string(), &up, &sent);
        assert!(whole == firmware, "{how:?}: {} bytes arrived there, or other ones", whole.len());
        let down = format!("gateway:{}", there.join("log").display());
        let whole = paused_in_the_middle(&w, &ada, how, &down, &fetched.display().to_string(), &fetched);
        assert!(whole == log, "{how:?}: {} bytes arrived here, or other ones", whole.len());
    }
    for kind in ["session_paused", "session_resumed"] {
        assert_eq!(w.audited(kind).unwrap().len(), 4, "{kind}");
    }
}

/// Somebody sits down to watch.
fn seat(ben: &Person, id: &str) -> String {
    ben.post_json(&format!("/supervise/{id}/join"), &serde_json::json!({})).unwrap().json().unwrap()["seat"].as_str().unwrap().to_owned()
}

/// Heard of as the portal's page would be, until that.
fn watch(ben: &Person, id: &str, seat: &str, what: &str, mut until: impl FnMut() -> bool) {
    wait_for(what, Duration::from_secs(20), || {
        let _ = ben.post_json(&format!("/supervise/{id}/renew"), &serde_json::json!({ "seat": seat }));
        std::thread::sleep(Duration::from_millis(500));
        Ok(until().then_some(()))
    })
    .unwrap();
}

#[test]
fn without_a_database_nobody_watches_and_the_session_stands_still() {
    let mut cluster = Cluster::start().unwrap();
    let database = format!("url = \"{}\"\nowner_url = \"{}\"", cluster.url("anteroom_app"), cluster.url("anteroom_owner"));
    let w = World::with(WorldOptions { database: Some(database), ..Default::default() }).unwrap();
    let (vera, ben) = w.ada_and_ben().unwrap();
    w.cli.good(&["company", "add", "Made-up Imaging", "--until", "2099-12-31"]).unwrap();
    w.cli.good(&["person", "set", &vera.handle, "--company", "Made-up Imaging"]).unwrap();
    w.cli.good(&["company", "keeps", "Made-up Imaging", &w.target.name]).unwrap();
    let mut shell = w.ssh(&vera).unwrap().terminal(80, 24).spawn().unwrap();
    shell.expect("waiting for a supervisor").unwrap();
    let id = running(&w);
    let first = seat(&ben, &id);
    watch(&ben, &id, &first, "the target's prompt", || shell.said().contains("target$"));
    shell.write("echo wat''ched-work\n").unwrap();
    watch(&ben, &id, &first, "what was typed", || shell.said().contains("watched-work"));

    // Hanging is as good as gone.
    cluster.freeze().unwrap();
    let gone = Instant::now();
    shell.expect("nobody watches this session").unwrap();
    assert!(gone.elapsed() < Duration::from_secs(6), "it ran for {:?} without a database", gone.elapsed());
    shell.write("echo unwat''ched-work\n").unwrap();
    std::thread::sleep(Duration::from_secs(1));
    cluster.thaw().unwrap();
    let second = wait_for("a seat", Duration::from_secs(30), || {
        let joined = ben.post_json(&format!("/supervise/{id}/join"), &serde_json::json!({}));
        Ok(joined.ok().and_then(|r| r.json().ok()).and_then(|j| j["seat"].as_str().map(str::to_owned)))
    })
    .unwrap();
    watch(&ben, &id, &second, "the session to go on", || {
        shell.write("echo wat''ched-again\n").unwrap();
        shell.said().contains("watched-again")
    });
    assert!(!shell.said().contains("unwatched-work"), "what was typed unwatched was done: {}", shell.said());

    cluster.take_away().unwrap();
    let gone = Instant::now();
    wait_for("it to stand still again", Duration::from_secs(10), || {
        Ok((shell.said().matches("nobody watches this session").count() == 2).then_some(()))
    })
    .unwrap();
    assert!(gone.elapsed() < Duration::from_secs(6), "it ran for {:?} without a database", gone.elapsed());
    cluster.bring_back().unwrap();
    shell.close_stdin();
}
