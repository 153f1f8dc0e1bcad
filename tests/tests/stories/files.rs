//! Files move only where the grant's paths lead, and each one is in the log with its hash and without its name (THREATS 3).
use anteroom_tests::harness::{Confirm, Person, SshOutput, SshSession, World, soon};
use serde_json::Value;
use std::{fs, os::unix::fs::symlink, path::PathBuf, process::Command, time::Duration};

/// ada may fetch what is in `out` and put texts into `in`.
struct Hospital {
    w: World,
    ada: Person,
    files: PathBuf,
    own: PathBuf,
}

impl Hospital {
    fn open() -> Self {
        let w = World::start().unwrap();
        let (ada, ben) = (w.admin("ada").unwrap(), w.person("ben", &["approver"]).unwrap());
        let (files, own) = (w.dir.join("files"), w.dir.join("own"));
        for dir in [files.join("out/sub"), files.join("in"), own.clone()] {
            fs::create_dir_all(dir).unwrap();
        }
        fs::write(files.join("out/report-of-jane-doe.pdf"), noise(300_000)).unwrap();
        fs::write(files.join("out/sub/empty"), b"").unwrap();
        fs::write(files.join("out/too-large"), noise((1 << 20) + 1)).unwrap();
        fs::write(files.join("secret"), b"not yours").unwrap();
        fs::write(files.join("in/there.txt"), b"cannot be fetched").unwrap();
        symlink(files.join("secret"), files.join("out/link")).unwrap();
        symlink(&files, files.join("out/up")).unwrap();
        symlink(files.join("secret"), files.join("in/link.txt")).unwrap();
        for (name, size) in [("notes.txt", 200_000), ("script.sh", 100)] {
            fs::write(own.join(name), noise(size)).unwrap();
        }
        let (down, up) = (format!("download:{}/out/**;max=1MiB", files.display()), format!("upload:{}/in/*.txt", files.display()));
        ben.approve(&ada.request_for(&w.target.name, &w.target.account, &[&down, &up]).unwrap()).unwrap();
        Self { w, ada, files, own }
    }

    fn run(&self, program: &str, words: &[&str]) -> SshOutput {
        self.run_with(program, words, "")
    }

    fn run_with(&self, program: &str, words: &[&str], input: &str) -> SshOutput {
        let mut c = Command::new(program);
        c.arg("-F").arg(self.w.ssh(&self.ada).unwrap().config_file()).arg(format!("-oUser={}", self.w.login()));
        // A batch of sftp's would otherwise not show the link.
        c.args(["-oBatchMode=no"]).args(words).env_remove("SSH_AUTH_SOCK").current_dir(&self.own);
        let mut s = SshSession::start(c, Some(Confirm::By(self.ada.clone()))).unwrap();
        s.write(input).unwrap();
        s.finish(Duration::from_secs(60)).unwrap()
    }

    fn sftp(&self, batch: &str) -> SshOutput {
        self.run_with("sftp", &["-b", "-", "gateway"], batch)
    }

    fn moved(&self, count: usize) -> Vec<Value> {
        soon("all files in the log", || Ok(self.w.audited("file_moved")?.len() >= count)).unwrap();
        let all = self.w.audited("file_moved").unwrap();
        assert_eq!(all.len(), count, "{all:#?}");
        all
    }

    fn refusals(&self) -> Vec<String> {
        let all = self.w.audited("channel_refused").unwrap();
        all.iter().filter(|r| r["channel"] == "files").map(ToString::to_string).collect()
    }
}

fn noise(bytes: usize) -> Vec<u8> {
    use std::io::Read as _;
    let mut noise = Vec::new();
    fs::File::open("/dev/urandom").unwrap().take(bytes as u64).read_to_end(&mut noise).unwrap();
    noise
}

fn sha256(content: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(content).iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn what_the_grant_names_arrives_whole_and_is_in_the_log_without_its_name() {
    let h = Hospital::open();
    let (out, into) = (h.files.join("out"), h.files.join("in"));
    let report = fs::read(out.join("report-of-jane-doe.pdf")).unwrap();
    let notes = fs::read(h.own.join("notes.txt")).unwrap();

    let batch = format!(
        "ls {0}\nget {0}/report-of-jane-doe.pdf by-sftp\nget {0}/sub/empty empty\nput notes.txt {1}/by-sftp.txt\n",
        out.display(),
        into.display()
    );
    let listed = h.sftp(&batch).good().unwrap();
    assert!(listed.contains("report-of-jane-doe.pdf"), "{listed}");
    // scp's old dialect; to a directory, for only the target knows what a name without a slash is.
    h.run("scp", &["-O", &format!("gateway:{}/report-of-jane-doe.pdf", out.display()), "by-old-scp"]).good().unwrap();
    fs::write(h.own.join("by-old-scp.txt"), &notes).unwrap();
    h.run("scp", &["-O", "by-old-scp.txt", &format!("gateway:{}/", into.display())]).good().unwrap();
    h.run("scp", &[&format!("gateway:{}/report-of-jane-doe.pdf", out.display()), "by-scp"]).good().unwrap();
    fs::write(h.own.join("by-scp.txt"), &notes).unwrap();
    h.run("scp", &["by-scp.txt", &format!("gateway:{}/", into.display())]).good().unwrap();
    for name in ["by-sftp", "by-old-scp", "by-scp"] {
        assert!(fs::read(h.own.join(name)).unwrap() == report, "{name}: another file arrived here");
        assert!(fs::read(into.join(format!("{name}.txt"))).unwrap() == notes, "{name}: another file arrived there");
    }
    assert_eq!(fs::read(h.own.join("empty")).unwrap(), b"");

    let all = h.moved(7);
    assert!(all.iter().all(|m| m["outcome"] == "complete"), "{all:#?}");
    let hashed = |direction: &str, content: &[u8]| {
        let same = |m: &&Value| m["direction"] == direction && m["sha256"] == sha256(content) && m["bytes"] == content.len();
        all.iter().filter(same).count()
    };
    assert_eq!((hashed("download", &report), hashed("upload", &notes), hashed("download", b"")), (3, 3, 1), "{all:#?}");
    assert!(h.refusals().is_empty(), "{:?}", h.refusals());
    let log = h.w.cli.good(&["audit", "tail", "-n", "500", "--json"]).unwrap();
    assert!(!log.contains("jane-doe") && !log.contains("by-sftp"), "a file's name is in the log");
}

#[test]
fn what_the_grant_does_not_name_does_not_move_by_sftp() {
    let h = Hospital::open();
    let (out, into) = (h.files.join("out").display().to_string(), h.files.join("in").display().to_string());
    let large = format!("get {out}/too-large here");
    let cases = [
        format!("get {}/secret here", h.files.display()),
        format!("get {out}/../secret here"),
        format!("get {out}/link here"),
        format!("get {out}/up/secret here"),
        format!("get {into}/there.txt here"),
        large.clone(),
        format!("put script.sh {into}/script.sh"),
        format!("put notes.txt {out}/notes.txt"),
        format!("put notes.txt {into}/link.txt"),
        format!("put notes.txt {into}/sub/notes.txt"),
        format!("rm {out}/report-of-jane-doe.pdf"),
        format!("rename {out}/report-of-jane-doe.pdf {into}/report.txt"),
        format!("ln -s {}/secret {into}/new.txt", h.files.display()),
    ];
    for (n, command) in cases.iter().enumerate() {
        let done = h.sftp(&format!("{command}\n"));
        assert_ne!(done.status, Some(0), "{command}: {}", done.said());
        let words = ["your grant does not allow", "ermission denied", "larger than", "not found"];
        assert!(words.iter().any(|w| done.said().contains(w)), "{command}: {}", done.said());
        assert!(!h.own.join("here").exists() || fs::read(h.own.join("here")).unwrap().is_empty(), "{command}: something arrived");
        soon(&format!("the refusal in the log: {command}: {}", done.said()), || Ok(h.refusals().len() > n)).unwrap();
    }
    assert_eq!(fs::read(h.files.join("secret")).unwrap(), b"not yours");
    for missing in ["in/script.sh", "in/new.txt", "in/report.txt", "out/notes.txt"] {
        assert!(!h.files.join(missing).exists(), "{missing} was made");
    }
    assert!(h.files.join("out/report-of-jane-doe.pdf").exists());
    let moved = h.w.audited("file_moved").unwrap();
    assert!(moved.iter().all(|m| m["outcome"] == "refused"), "{moved:#?}");
    assert!(h.refusals().iter().all(|r| !r.contains("jane-doe") && !r.contains(&out)), "{:?}", h.refusals());
}

#[test]
fn what_the_grant_does_not_name_does_not_move_by_scp_in_either_of_its_dialects() {
    let h = Hospital::open();
    let (out, into) = (format!("gateway:{}/out", h.files.display()), format!("gateway:{}/in", h.files.display()));
    let secret = format!("gateway:{}/secret", h.files.display());
    let mut n = 0;
    for legacy in [&[][..], &["-O"]] {
        for (from, to) in [
            (&secret, &"here".to_owned()),
            (&format!("{into}/there.txt"), &"here".to_owned()),
            (&format!("{out}/too-large"), &"here".to_owned()),
            (&format!("{out}/../secret"), &"here".to_owned()),
            (&format!("{out}/link"), &"here".to_owned()),
            (&format!("{out}/up/secret"), &"here".to_owned()),
            (&"notes.txt".to_owned(), &format!("{into}/link.txt")),
            (&"script.sh".to_owned(), &format!("{into}/script.sh")),
            (&"notes.txt".to_owned(), &format!("{out}/notes.txt")),
        ] {
            let done = h.run("scp", &[legacy, &[from, to]].concat());
            let case = format!("{legacy:?} {from} {to}: {:?} {}", done.status, done.said());
            assert_ne!(done.status, Some(0), "{case}");
            let words = ["your grant does not allow", "ermission denied", "larger than", "No such file"];
            assert!(words.iter().any(|w| done.said().contains(w)), "{case}");
            assert!(!h.own.join("here").exists() || fs::read(h.own.join("here")).unwrap().is_empty(), "{case}");
            n += 1;
            soon(&format!("the refusal in the log: {case}"), || Ok(h.refusals().len() >= n)).unwrap();
        }
    }
    assert!(!h.files.join("in/script.sh").exists() && !h.files.join("out/notes.txt").exists());
    assert_eq!(fs::read(h.files.join("secret")).unwrap(), b"not yours");
}

#[test]
fn a_grant_for_files_gives_no_shell_and_no_command() {
    let h = Hospital::open();
    for command in ["echo in", "scp -f / ; echo in"] {
        let out = h.w.ssh(&h.ada).unwrap().command(command).run().unwrap();
        assert!(out.status != Some(0) && !out.text().contains("in"), "{command}: {}", out.said());
        assert!(out.stderr.contains("your grant does not allow"), "{command}: {}", out.said());
    }
}
