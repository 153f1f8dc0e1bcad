//! scp's old protocol is held to what its paths lead to on the target, as sftp is (THREATS 3, 10).
use anteroom_tests::harness::{Confirm, Person, SshOutput, SshSession, World, WorldOptions, soon};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// ada may fetch what is under `out` and put what she likes under `in`; beside them is what she may not.
struct Ward {
    w: World,
    ada: Person,
    files: PathBuf,
    own: PathBuf,
}

impl Ward {
    fn open(sshd: &str, rules: &[&str]) -> Self {
        let w = World::with(WorldOptions { sshd: sshd.into(), remember_step_up: "1h".into(), ..Default::default() }).unwrap();
        let (ada, ben) = (w.admin("ada").unwrap(), w.person("ben", &["approver"]).unwrap());
        let (files, own) = (w.dir.join("files"), w.dir.join("own"));
        for dir in ["out/tree/sub", "in", "outside"] {
            fs::create_dir_all(files.join(dir)).unwrap();
        }
        fs::create_dir_all(own.join("tree/sub")).unwrap();
        for (name, text) in [("out/tree/a", "a log"), ("out/tree/sub/b", "b log"), ("outside/secret", "not yours")] {
            fs::write(files.join(name), text).unwrap();
        }
        for name in ["mine", "tree/a", "tree/sub/b"] {
            fs::write(own.join(name), "ada's").unwrap();
        }
        symlink(files.join("outside/secret"), files.join("out/tree/link")).unwrap();
        symlink(files.join("outside"), files.join("out/tree/door")).unwrap();
        symlink("a", files.join("out/tree/alias")).unwrap();
        let at = |rule: &&str| rule.replace("FILES", files.to_str().unwrap());
        let rules: Vec<String> = rules.iter().map(at).collect();
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        ben.approve(&ada.request_for(&w.target.name, &w.target.account, &rules).unwrap()).unwrap();
        Self { w, ada, files, own }
    }

    fn scp(&self, words: &[&str]) -> SshOutput {
        let mut c = Command::new("scp");
        c.arg("-F").arg(self.w.ssh(&self.ada).unwrap().config_file()).arg(format!("-oUser={}", self.w.login()));
        c.arg("-O").args(words).env_remove("SSH_AUTH_SOCK").current_dir(&self.own);
        SshSession::start(c, Some(Confirm::By(self.ada.clone()))).unwrap().finish(Duration::from_secs(60)).unwrap()
    }

    /// As scp writes a place on the target.
    fn there(&self, path: &str) -> String {
        format!("gateway:{}", self.files.join(path).display())
    }

    /// What scp said when it was refused, with the refusal in the log.
    fn refused(&self, words: &[&str], why: &str) {
        let before = self.refusals();
        let out = self.scp(words);
        assert!(out.status != Some(0) && out.stderr.contains(why), "{words:?}: {:?} {}", out.status, out.said());
        soon(&format!("the refusal of {words:?} in the log"), || Ok(self.refusals() > before)).unwrap();
    }

    fn refusals(&self) -> usize {
        self.w.audited("channel_refused").unwrap().iter().filter(|r| r["channel"] == "files").count()
    }
}

const RULES: &[&str] = &["download:FILES/out/**", "upload:FILES/in/**"];

/// Every file below a directory, with what is in it.
fn tree(dir: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(tree(&path));
        } else {
            all.push((path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
    all.sort();
    all
}

fn named(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn a_link_on_the_target_leads_no_download_out_of_its_rule() {
    let h = Ward::open("", RULES);
    let no = "your grant does not allow downloading this file";
    for (way, name) in
        [("", "out/tree/link"), ("", "out/tree/door/secret"), ("-r", "out/tree/door"), ("-r", "outside"), ("", "outside/secret")]
    {
        let from = h.there(name);
        let words: Vec<&str> = [way, &from, "here"].into_iter().filter(|w| !w.is_empty()).collect();
        h.refused(&words, no);
        assert!(!h.own.join("here").exists(), "{name}: something arrived");
    }
    // What stays inside arrives, by whatever name.
    h.scp(&[&h.there("out/tree/alias"), "alias"]).good().unwrap();
    assert_eq!(fs::read_to_string(h.own.join("alias")).unwrap(), "a log");
    // A directory arrives but for what its links lead out to.
    fs::create_dir(h.own.join("got")).unwrap();
    h.refused(&["-r", &h.there("out/tree"), "got"], no);
    assert_eq!(tree(&h.own.join("got")), named(&[("a", "a log"), ("alias", "a log"), ("b", "b log")]));
    assert!(h.w.audited("file_moved").unwrap().iter().all(|m| m["outcome"] != "partial"));
}

#[test]
fn a_link_on_the_target_leads_no_upload_out_of_its_rule() {
    let h = Ward::open("", RULES);
    let no = "your grant does not allow uploading to this path";
    symlink(h.files.join("outside/secret"), h.files.join("in/link")).unwrap();
    symlink(h.files.join("outside/made"), h.files.join("in/dangling")).unwrap();
    symlink(h.files.join("outside"), h.files.join("in/tree")).unwrap();
    for name in ["in/link", "in/dangling", "in/tree", "in/tree/new", "outside/new", "in/../outside/new"] {
        h.refused(&["mine", &h.there(name)], no);
    }
    // A whole directory into one that is a link out of the rule.
    h.refused(&["-r", "tree", &h.there("in")], no);
    assert_eq!(tree(&h.files.join("outside")), named(&[("secret", "not yours")]));
    // What stays inside arrives: a new name, into a directory, all of one.
    h.scp(&["mine", &h.there("in/new")]).good().unwrap();
    h.scp(&["mine", &h.there("in")]).good().unwrap();
    fs::remove_file(h.files.join("in/tree")).unwrap();
    h.scp(&["-r", "tree", &h.there("in")]).good().unwrap();
    h.scp(&["-r", "tree", &h.there("in/another")]).good().unwrap();
    fs::remove_file(h.files.join("in/link")).unwrap();
    fs::remove_file(h.files.join("in/dangling")).unwrap();
    let arrived = [("a", "ada's"), ("a", "ada's"), ("b", "ada's"), ("b", "ada's"), ("mine", "ada's"), ("new", "ada's")];
    assert_eq!(tree(&h.files.join("in")), named(&arrived));
}

#[test]
fn a_target_that_cannot_say_where_paths_lead_gets_no_old_scp_by_paths() {
    let no_sftp = "Subsystem nothing /bin/false";
    let h = Ward::open(no_sftp, RULES);
    let why = "the target has no sftp to ask where they lead";
    h.refused(&[&h.there("out/tree/a"), "here"], why);
    h.refused(&["mine", &h.there("in/new")], why);
    assert!(!h.own.join("here").exists() && !h.files.join("in/new").exists());
    // A grant that goes by no paths asks nothing.
    let h = Ward::open(no_sftp, &["download", "upload"]);
    h.scp(&[&h.there("out/tree/link"), "here"]).good().unwrap();
    h.scp(&["mine", &h.there("in/new")]).good().unwrap();
    assert_eq!(fs::read_to_string(h.own.join("here")).unwrap(), "not yours");
}
