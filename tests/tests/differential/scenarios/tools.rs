//! Programs that bring their own protocol and use ssh as a pipe.
use crate::{
    attempt::Attempt,
    clients::Client::{Asyncssh, Dbclient, OpenSsh, Paramiko, Plink},
    outcome::Outcome,
    table::Scenario,
};
use anteroom_tests::harness::venv;
use anyhow::Result;
use std::{fs, path::Path};

pub(crate) fn all() -> Vec<Scenario> {
    let pipe = "rsync and git use it through no program";
    let programs = &[OpenSsh, Plink, Dbclient];
    vec![
        Scenario::new("rsync: up, then only the difference", &["exit 0"], "noise")
            .by(programs, |a| rsync(a, true))
            .not(&[Paramiko, Asyncssh], pipe),
        Scenario::new("rsync: down, then only the difference", &["exit 0"], "noise")
            .by(programs, |a| rsync(a, false))
            .not(&[Paramiko, Asyncssh], pipe),
        Scenario::new("git: clone, push, fetch", &["exit 0"], "second").by(programs, git).not(&[Paramiko, Asyncssh], pipe),
        Scenario::new("ansible with pipelining: ping, shell, copy", &["exit 0"], "copied")
            .by(&[OpenSsh], ansible)
            .not(&[Plink, Dbclient, Paramiko, Asyncssh], "ansible uses OpenSSH"),
        Scenario::new("mosh is refused with a reason", &["exit 0"], "yes")
            .by(&[OpenSsh], mosh)
            .not(&[Plink, Dbclient, Paramiko, Asyncssh], "mosh uses OpenSSH"),
    ]
}

fn rsync(a: &Attempt<'_>, up: bool) -> Result<Outcome> {
    fs::create_dir_all(a.file("here/deeper"))?;
    let mut noise = a.noise("here/noise", 2_000_003)?;
    made_at(&a.file("here/noise"), 1_600_000_000)?;
    fs::write(a.file("here/deeper/empty"), b"")?;
    std::os::unix::fs::symlink("deeper/empty", a.file("here/link"))?;
    let ssh = a.client.as_ssh(a.way).display().to_string();
    let (here, there) = (a.word("here/"), a.word("there/"));
    let (from, to) = if up { (here, format!("target:{there}")) } else { (format!("target:{here}"), there) };
    let mut done = Outcome::default();
    for round in ["first", "second"] {
        let c = a.program("rsync", &["-a", "--delete", "--no-whole-file", "--checksum", "--out-format=%i %n", "-e", &ssh, &from, &to]);
        let o = a.finish(c, b"")?;
        done = Outcome { end: o.end, stderr: [done.stderr, o.stderr].concat(), ..done };
        done = done.fact(round, String::from_utf8_lossy(&o.stdout)).files(&format!("{round} files"), &a.file("there"));
        // A little changes between the rounds.
        noise[1_000_000] ^= 1;
        fs::write(a.file("here/noise"), &noise)?;
        made_at(&a.file("here/noise"), 1_700_000_000)?;
    }
    Ok(done)
}

/// Seconds of the Unix clock.
fn made_at(file: &Path, seconds: u64) -> Result<()> {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    Ok(fs::File::options().write(true).open(file)?.set_modified(time)?)
}

fn git(a: &Attempt<'_>) -> Result<Outcome> {
    let ssh = a.client.as_ssh(a.way).display().to_string();
    let mut said = Outcome::default();
    let mut run = |dir: &Path, args: &[&str]| -> Result<()> {
        let mut c = a.program("git", &["-c", "init.defaultBranch=main", "-c", "protocol.version=2"]);
        c.args(args).current_dir(dir).env("GIT_SSH", &ssh).env("GIT_SSH_VARIANT", "simple").env("GIT_TERMINAL_PROMPT", "0");
        for who in ["AUTHOR", "COMMITTER"] {
            let (name, email, date) = (format!("GIT_{who}_NAME"), format!("GIT_{who}_EMAIL"), format!("GIT_{who}_DATE"));
            c.env(name, "a test").env(email, "test@example.org").env(date, "2024-01-01T00:00:00Z");
        }
        let o = a.finish(c, b"")?;
        said.stdout.extend(o.stdout);
        said.stderr.extend(o.stderr);
        if said.end.is_empty() || said.end == "exit 0" {
            said.end = o.end;
        }
        Ok(())
    };
    let (one, two, bare) = (a.file("one"), a.file("two"), a.word("bare.git"));
    let url = format!("target:{bare}");
    run(&a.dir, &["init", "-q", "--bare", "bare.git"])?;
    run(&a.dir, &["clone", "-q", &url, "one"])?;
    fs::write(one.join("noise"), crate::attempt::noise(500_000))?;
    for step in [&["add", "."][..], &["commit", "-q", "-m", "first"], &["push", "-q", "origin", "HEAD:main"]] {
        run(&one, step)?;
    }
    run(&a.dir, &["clone", "-q", "-b", "main", &url, "two"])?;
    fs::write(two.join("text"), "second\n")?;
    for step in [&["add", "."][..], &["commit", "-q", "-m", "second"], &["push", "-q", "origin", "HEAD:main"]] {
        run(&two, step)?;
    }
    run(&one, &["pull", "-q", "--ff-only", "origin", "main"])?;
    run(&one, &["log", "--format=%H %s"])?;
    Ok(said)
}

fn ansible(a: &Attempt<'_>) -> Result<Outcome> {
    let python = venv("python")?.display().to_string();
    let (config, short) = (a.way.ssh_config().display().to_string(), tempfile::Builder::new().prefix("c").tempdir()?);
    fs::write(
        a.file("ansible.cfg"),
        format!(
            "[defaults]\ninventory = {}\nnocows = 1\nlocal_tmp = {}\n[ssh_connection]\npipelining = True\nssh_args = -F {config} -o ControlMaster=auto \
             -o ControlPersist=5s\ncontrol_path = {}/%%C\n",
            a.word("inventory"),
            a.word("local"),
            short.path().display()
        ),
    )?;
    fs::write(a.file("inventory"), format!("target ansible_python_interpreter={python} ansible_remote_tmp={}\n", a.word("remote")))?;
    fs::write(a.file("source"), "copied\n")?;
    fs::write(
        a.file("play.yml"),
        format!(
            "- hosts: target\n  gather_facts: false\n  tasks:\n    - ping:\n    - shell: echo out; echo err >&2\n      register: said\n    - debug: var=said.stdout\n    \
             - debug: var=said.stderr\n    - copy: {{ src: {}, dest: {}, mode: '0640' }}\n    - shell: cat {}; exit 3\n      register: failed\n      \
             failed_when: failed.rc != 3\n    - debug: var=failed.stdout\n",
            a.word("source"),
            a.word("there"),
            a.word("there")
        ),
    )?;
    let mut c = a.program(&venv("ansible-playbook")?.display().to_string(), &["play.yml"]);
    c.env("ANSIBLE_CONFIG", a.file("ansible.cfg")).env("ANSIBLE_NOCOLOR", "1").env("ANSIBLE_HOME", a.file("ansible-home"));
    let done = a.finish(c, b"")?;
    // The master that it leaves ends by itself; sooner is better.
    for socket in fs::read_dir(short.path())?.flatten() {
        let path = format!("-oControlPath={}", socket.path().display());
        let _ = a.finish(a.command("target", &[&path, "-O", "exit"], None::<&str>), b"")?;
    }
    let copied = fs::read_to_string(a.file("there")).unwrap_or_default();
    Ok(done.fact("file", copied))
}

/// What mosh runs first. It would go on over UDP, past every recording: the gateway says so. Directly nothing is asked.
fn mosh(a: &Attempt<'_>) -> Result<Outcome> {
    let reason = if a.way.name == "gateway" {
        let o = a.exec(&["-n", "-tt"], "mosh-server new -c 256 -s -l LANG=C.UTF-8", b"")?;
        let said = String::from_utf8_lossy(&[o.stdout, o.stderr].concat()).to_lowercase();
        if o.end != "exit 0" && said.contains("anteroom") && said.contains("mosh") && said.contains("udp") { "yes".into() } else { said }
    } else {
        "yes".to_owned()
    };
    Ok(Outcome { end: "exit 0".into(), ..Default::default() }.fact("a reason", reason))
}
