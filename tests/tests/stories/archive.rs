//! Recordings move to an archive. It goes away: people go on working while there is room, then nobody new gets in, and is told why. It comes
//! back, and everything is there.
use anteroom_tests::harness::{World, WorldOptions, soon, wait_for};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

struct Scene {
    w: World,
    archive: PathBuf,
    _dir: tempfile::TempDir,
}

impl Scene {
    fn set() -> Self {
        let dir = tempfile::Builder::new().prefix("anteroom-archive-").tempdir().unwrap();
        let archive = dir.path().join("archive");
        fs::create_dir(&archive).unwrap();
        let more = format!(
            "[recording.storage]\nurl = \"file://{}\"\nspool_limit = \"1M\"\nmin_free = \"1M\"\nkeep = \"0s\"\n",
            archive.display()
        );
        Self { w: World::with(WorldOptions { more, ..Default::default() }).unwrap(), archive, _dir: dir }
    }

    fn folder(&self, root: &Path, session: &str) -> PathBuf {
        let children = |p: &Path| fs::read_dir(p).into_iter().flatten().flatten().map(|e| e.path()).collect::<Vec<_>>();
        let months = children(root).into_iter().flat_map(|year| children(&year));
        months.map(|m| m.join(session)).find(|p| p.is_dir()).unwrap_or_default()
    }

    fn shipped(&self, session: &str) {
        let (here, there) = (self.w.recordings.clone(), self.archive.clone());
        wait_for("the recording to be shipped", Duration::from_secs(90), || {
            let gone = ["masked.0", "sealed.0"].iter().all(|n| !self.folder(&here, session).join(n).exists());
            Ok((gone && self.folder(&there, session).join("sealed.0").exists()).then_some(()))
        })
        .unwrap();
    }

    fn health(&self) -> String {
        ureq::get(self.w.origin.join("healthz").unwrap().as_str()).call().unwrap().body_mut().read_to_string().unwrap()
    }
}

#[test]
fn recordings_move_to_an_archive_and_without_it_sessions_go_on_as_long_as_there_is_room() {
    let s = Scene::set();
    let (ada, ben) = s.w.ada_and_ben().unwrap();
    let cleo = s.w.person("cleo", &["auditor"]).unwrap();
    s.w.ssh(&ada).unwrap().command("echo words of the first session").run().unwrap().good().unwrap();
    let first = s.w.sealed_session().unwrap()["id"].as_str().unwrap().to_owned();
    s.shipped(&first);
    let keys: Vec<_> = fs::read_dir(s.folder(&s.archive, &first)).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(keys.iter().all(|n| !n.to_string_lossy().contains("envelope")), "no key leaves the gateway: {keys:?}");

    // Watched and verified as ever.
    let cast = format!("/recordings/{first}/channels/1/cast");
    let shown = cleo.get(&cast).unwrap();
    assert!(shown.status == 200 && shown.body.contains("words of the first session"), "{shown:?}");
    let export = |name: &str| {
        let bundle = s.w.dir.join(name);
        let exported = s.w.cli.run(&["recording", "export", &first, "--output", bundle.to_str().unwrap(), "--as", "cleo"]).unwrap();
        (exported, bundle)
    };
    let (exported, bundle) = export("first.bundle");
    exported.good().unwrap();
    let verified = s.w.cli.good(&["verify", bundle.to_str().unwrap()]).unwrap();
    assert!(!verified.contains("shipped"), "{verified}");
    assert_eq!(s.health(), "ok\n");

    // The archive goes, and the copies that were fetched from it.
    let away = s.archive.with_extension("away");
    fs::rename(&s.archive, &away).unwrap();
    fs::remove_dir_all(s.w.recordings.join(".cache")).unwrap();
    let unseen = cleo.get(&cast).unwrap();
    assert!(unseen.status == 503 && unseen.body.contains("cannot be reached now"), "{unseen:?}");
    let failed = export("second.bundle").0;
    assert!(failed.code != Some(0) && failed.stderr.contains("the archive is away: its directory is not there"), "{}", failed.said());

    // Who works goes on, and a session or two more.
    let noise = "head -c 900000 /dev/urandom | base64";
    let mut long = s.w.ssh(&ada).unwrap().command("echo here; read line; echo \"got $line\"").spawn().unwrap();
    long.expect("here").unwrap();
    s.w.ssh(&ada).unwrap().command(noise).run().unwrap().good().unwrap();
    soon("new sessions to be refused", || Ok(s.health().contains("new sessions are refused"))).unwrap();
    let refused = s.w.ssh(&ada).unwrap().command("echo in").run().unwrap();
    assert!(refused.status == Some(255) && !refused.text().contains("in\n"), "{}", refused.said());
    let why = "cannot be recorded, so it cannot start: ";
    assert!(refused.stderr.contains(why) && refused.stderr.contains("wait for the archive, of 1.0 MiB that may"), "{}", refused.said());
    soon("the log to say so", || Ok(s.w.audited("channel_refused")?.iter().any(|e| e["why"].as_str().is_some_and(|w| w.contains(why)))))
        .unwrap();
    let page = ben.get("/sessions").unwrap().body;
    assert!(page.contains("New sessions are refused") && page.contains("the archive is away"), "{page}");
    long.write("still\n").unwrap();
    long.expect("got still").unwrap();
    assert_eq!(long.finish(Duration::from_secs(20)).unwrap().status, Some(0));

    // It is back.
    fs::rename(&away, &s.archive).unwrap();
    wait_for("new sessions to be taken", Duration::from_secs(90), || Ok((s.health() == "ok\n").then_some(()))).unwrap();
    assert_eq!(s.w.ssh(&ada).unwrap().command("echo in again").run().unwrap().good().unwrap(), "in again\n");
    let all: Vec<String> = s.w.sessions().unwrap().iter().filter_map(|x| Some(x["id"].as_str()?.to_owned())).collect();
    for session in all.iter().filter(|id| s.folder(&s.w.recordings, id).join("manifest.json").exists()) {
        s.shipped(session);
    }
    assert!(cleo.get(&cast).unwrap().body.contains("words of the first session"));
}
