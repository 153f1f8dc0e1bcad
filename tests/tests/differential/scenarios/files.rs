//! Files: both protocols of scp, sftp, and the same with other people's programs.
use crate::{
    attempt::Attempt,
    clients::{
        Client,
        Client::{Asyncssh, Dbclient, OpenSsh, Paramiko, Plink},
    },
    outcome::Outcome,
    table::Scenario,
};
use anyhow::Result;
use serde_json::json;
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

const SIZE: usize = 3_000_001;
const FAMILY: &[Client] = &[OpenSsh, Dbclient];

pub(crate) fn all() -> Vec<Scenario> {
    let no_scp = "it has no scp";
    vec![
        Scenario::new("scp, old protocol: up", &["exit 0"], "noise")
            .by(FAMILY, |a| scp(a, &["-O"], Way::Up))
            .by(&[Plink], |a| pscp(a, "-scp", Way::Up))
            .not(&[Paramiko], no_scp)
            .driven(Asyncssh, json!({ "do": "scp", "way": "up" })),
        Scenario::new("scp, old protocol: down", &["exit 0"], "noise")
            .by(FAMILY, |a| scp(a, &["-O"], Way::Down))
            .by(&[Plink], |a| pscp(a, "-scp", Way::Down))
            .not(&[Paramiko], no_scp)
            .driven(Asyncssh, json!({ "do": "scp", "way": "down" })),
        Scenario::new("scp, old protocol: what is not there", &["exit 1"], "No such file")
            .by(FAMILY, |a| scp_missing(a, "-O"))
            .by(&[Plink], |a| pscp_missing(a, "-scp"))
            .not(&[Paramiko, Asyncssh], "its errors are in the sftp row"),
        Scenario::new("scp over sftp: up", &["exit 0"], "noise")
            .by(FAMILY, |a| scp(a, &["-s"], Way::Up))
            .by(&[Plink], |a| pscp(a, "-sftp", Way::Up))
            .not(&[Paramiko, Asyncssh], no_scp),
        Scenario::new("scp over sftp: down", &["exit 0"], "noise")
            .by(FAMILY, |a| scp(a, &["-s"], Way::Down))
            .by(&[Plink], |a| pscp(a, "-sftp", Way::Down))
            .not(&[Paramiko, Asyncssh], no_scp),
        Scenario::new("scp over sftp: what is not there", &["exit 1"], "o such file")
            .by(FAMILY, |a| scp_missing(a, "-s"))
            .by(&[Plink], |a| pscp_missing(a, "-sftp"))
            .not(&[Paramiko, Asyncssh], no_scp),
        Scenario::new("sftp: put, get, ls, rename, mkdir, rm, errors", &["exit 0", "exit 1"], "noise")
            .by(FAMILY, sftp)
            .by(&[Plink], psftp)
            .driver(json!({ "do": "sftp" })),
        Scenario::new("sftp: twenty small files at once", &["exit 0"], "small-19")
            .by(FAMILY, many_small)
            .not(&[Plink], "psftp sends one after another, as above")
            .driver(json!({ "do": "sftp_many" })),
        Scenario::new("a subsystem nobody knows", &["exit 255", "exit 1", "exit 0"], "")
            .by(&[OpenSsh, Plink], |a| a.exec(&["-s"], "no-such-subsystem", b"x"))
            .not(&[Dbclient], "it waits for ever when a subsystem is refused")
            .driver(json!({ "do": "subsystem", "subsystem": "no-such-subsystem" })),
    ]
}

#[derive(Clone, Copy)]
enum Way {
    Up,
    Down,
}

/// A small tree with what copies get wrong: noise, nothing at all, names with spaces, modes, a directory.
fn tree(at: &Path) -> Result<()> {
    fs::create_dir_all(at.join("deep er"))?;
    fs::write(at.join("noise"), crate::attempt::noise(SIZE))?;
    fs::write(at.join("empty"), b"")?;
    fs::write(at.join("deep er/name with ä"), b"text\n")?;
    fs::set_permissions(at.join("empty"), fs::Permissions::from_mode(0o640))?;
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
    for name in ["noise", "empty", "deep er/name with ä"] {
        fs::File::options().write(true).open(at.join(name))?.set_modified(old)?;
    }
    Ok(())
}

/// Times as `-p` keeps them.
fn times(at: &Path) -> String {
    let of = |name: &str| fs::metadata(at.join(name)).and_then(|m| m.modified()).ok();
    let whole = of("noise").and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok()).map(|d| d.as_secs());
    format!("{whole:?}")
}

fn both_ends(a: &Attempt<'_>) -> Result<(String, String)> {
    tree(&a.file("here"))?;
    Ok((a.word("here"), a.word("there")))
}

fn family(a: &Attempt<'_>, name: &str, options: &[&str]) -> std::process::Command {
    let config = a.way.ssh_config().display().to_string();
    let ssh = a.client.as_ssh(a.way).display().to_string();
    let own: &[&str] = if a.client == OpenSsh { &["-F", &config] } else { &["-S", &ssh] };
    a.program(name, &[own, options].concat())
}

fn scp(a: &Attempt<'_>, options: &[&str], way: Way) -> Result<Outcome> {
    let (here, there) = both_ends(a)?;
    let mut c = family(a, "scp", options);
    c.args(["-r", "-p", "-q"]);
    match way {
        Way::Up => c.args([here, format!("target:{there}")]),
        Way::Down => c.args([format!("target:{here}"), there]),
    };
    let done = a.finish(c, b"")?;
    Ok(done.fact("times", times(&a.file("there"))).files("files", &a.file("there")))
}

fn scp_missing(a: &Attempt<'_>, option: &str) -> Result<Outcome> {
    let mut c = family(a, "scp", &[option]);
    c.args([format!("target:{}", a.word("missing")), a.word("there")]);
    a.finish(c, b"")
}

fn pscp_words(a: &Attempt<'_>, protocol: &str) -> std::process::Command {
    a.program("pscp", &["-batch", "-q", "-r", "-p", "-no-sanitise-stderr", protocol])
}

fn pscp(a: &Attempt<'_>, protocol: &str, way: Way) -> Result<Outcome> {
    let (here, there) = both_ends(a)?;
    let mut c = pscp_words(a, protocol);
    match way {
        // pscp makes no directory of another name.
        Way::Up => {
            fs::create_dir_all(&there)?;
            c.args([here, format!("target:{there}")])
        }
        Way::Down => {
            fs::create_dir_all(&there)?;
            c.args([format!("target:{here}"), there])
        }
    };
    let done = a.finish(c, b"")?;
    Ok(done.fact("times", times(&a.file("there/here"))).files("files", &a.file("there")))
}

fn pscp_missing(a: &Attempt<'_>, protocol: &str) -> Result<Outcome> {
    let mut c = pscp_words(a, protocol);
    c.args([format!("target:{}", a.word("missing")), a.word("there")]);
    a.finish(c, b"")
}

fn sftp(a: &Attempt<'_>) -> Result<Outcome> {
    let (here, there) = both_ends(a)?;
    // A line that begins with `-` may fail.
    let batch = format!(
        "mkdir {there}\ncd {there}\nput -p {here}/noise\nput {here}/empty\nput -r \"{here}/deep er\"\nrename empty full\n-rename nothing x\n\
         -get nothing\n-mkdir full\nls -1\nls -n full\nchmod 600 full\nln -s noise link\nget -p noise {here}/back\nrm full\n-rmdir \"deep er\"\n\
         -cd /nowhere\npwd\ndf -h /proc\nls -1\n"
    );
    fs::write(a.file("batch"), batch)?;
    let mut c = family(a, "sftp", &["-b", &a.word("batch")]);
    c.arg("target");
    let mut done = a.finish(c, b"")?;
    done.stdout = without_times(&done.stdout);
    Ok(done.files("here", &a.file("here")).files("there", &a.file("there")))
}

/// `ls -n` shows when a file was made.
fn without_times(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let keep = |l: &str| {
        if l.starts_with("-rw") {
            l.split_ascii_whitespace().take(1).chain(l.split_ascii_whitespace().last()).collect::<Vec<_>>().join(" ")
        } else {
            l.to_owned()
        }
    };
    text.lines().map(|l| keep(l) + "\n").collect::<String>().into_bytes()
}

fn psftp(a: &Attempt<'_>) -> Result<Outcome> {
    let (here, there) = both_ends(a)?;
    let batch = format!(
        "mkdir {there}\ncd {there}\nput {here}/noise\nput {here}/empty\nmv empty full\nmv nothing x\nget nothing\nmkdir full\n\
         chmod 600 full\nget noise {here}/back\nrm full\ncd /nowhere\npwd\nls no*\n"
    );
    fs::write(a.file("batch"), batch)?;
    let c = a.program("psftp", &["-batch", "-be", "-b", &a.word("batch"), "target"]);
    let mut done = a.finish(c, b"")?;
    done.stdout = without_times(&done.stdout);
    Ok(done.files("here", &a.file("here")).files("there", &a.file("there")))
}

fn many_small(a: &Attempt<'_>) -> Result<Outcome> {
    fs::create_dir_all(a.file("here"))?;
    for n in 0..20 {
        fs::write(a.file("here").join(format!("small-{n}")), format!("{n}\n").repeat(n * 50))?;
    }
    fs::write(a.file("batch"), format!("put -r {} {}\n", a.word("here"), a.word("there")))?;
    let mut c = family(a, "sftp", &["-q", "-b", &a.word("batch")]);
    c.arg("target");
    Ok(a.finish(c, b"")?.files("there", &a.file("there")))
}
