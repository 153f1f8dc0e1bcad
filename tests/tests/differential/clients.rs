//! The clients and how each is called.
use super::stage::Way;
use std::{
    ffi::OsStr,
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Client {
    OpenSsh,
    Plink,
    Dbclient,
    Paramiko,
    Asyncssh,
}

use Client::{Asyncssh, Dbclient, OpenSsh, Paramiko, Plink};

impl Client {
    pub(crate) const ALL: [Self; 5] = [OpenSsh, Plink, Dbclient, Paramiko, Asyncssh];

    pub(crate) fn name(self) -> &'static str {
        match self {
            OpenSsh => "openssh",
            Plink => "plink",
            Dbclient => "dbclient",
            Paramiko => "paramiko",
            Asyncssh => "asyncssh",
        }
    }

    /// The program and its fixed words, up to where a host would follow; `options` are the client's own.
    /// Without `host` the words are what rsync and git take for `ssh`.
    fn words(self, way: &Way, place: &str, options: &[&str]) -> Vec<String> {
        let own = options.iter().map(|o| (*o).to_owned());
        let fixed: Vec<String> = match self {
            OpenSsh => vec!["ssh".into(), "-F".into(), way.ssh_config().display().to_string()],
            // A saved session holds what plink has no option for.
            Plink => ["plink", "-batch", "-no-sanitise-stdout", "-no-sanitise-stderr", "-load", place].map(String::from).into(),
            Dbclient => {
                let key = way.file("key.dropbear").display().to_string();
                // As `a@b@host` it would take `b@host` for the host.
                let at = way.place(place);
                ["dbclient", "-q", "-y", "-y", "-i", &key, "-p", &at.port.to_string(), "-l", &at.login].map(String::from).into()
            }
            Paramiko | Asyncssh => vec!["false".into()],
        };
        fixed.into_iter().chain(own).collect()
    }

    /// Runs `command` at the place, or a shell if there is none.
    pub(crate) fn command(self, way: &Way, place: &str, options: &[&str], command: Option<impl AsRef<OsStr>>) -> Command {
        let words = self.words(way, place, options);
        let mut c = Command::new(&words[0]);
        c.args(&words[1..]);
        match self {
            OpenSsh => c.arg(place),
            Dbclient => c.arg("127.0.0.1"),
            _ => &mut c,
        };
        c.args(command);
        way.surroundings(&mut c);
        c
    }

    /// A program that can be called like `ssh HOST COMMAND`, for tools that bring their own words; HOST is ignored by all but
    /// OpenSSH, whose configuration knows it.
    pub(crate) fn as_ssh(self, way: &Way) -> PathBuf {
        let file = way.file(&format!("as-ssh-{}", self.name()));
        if file.exists() {
            return file;
        }
        let mut words = self.words(way, "target", &[]);
        if self == Dbclient {
            words.push("127.0.0.1".into());
        }
        let quoted: Vec<_> = words.iter().map(|w| quoted(w)).collect();
        let (drop, subsystem) = match self {
            OpenSsh => ("", ""),
            // The tool's own options and host are OpenSSH's words; of them only `-s` means anything here.
            _ => (
                "while :; do case \"$1\" in -s) sub=-s; shift;; -l|-o|-p) shift 2;; --) shift;; -*) shift;; *) break;; esac; done; shift; \
                 while [ \"$1\" = -s ]; do sub=-s; shift; done",
                "$sub",
            ),
        };
        // dbclient takes `-s` among its options only, before the host.
        let line = match (self, quoted.split_last()) {
            (Dbclient, Some((host, before))) => format!("exec {} {subsystem} {host} \"$@\"", before.join(" ")),
            _ => format!("exec {} {subsystem} \"$@\"", quoted.join(" ")),
        };
        write_program(&file, &format!("#!/bin/sh\n{drop}\n{line}\n"));
        file
    }
}

/// Appears whole, as other threads may be about to run it.
fn write_program(file: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let new = file.with_extension(format!("{:?}", std::thread::current().id()).replace(['(', ')'], ""));
    std::fs::write(&new, text).unwrap();
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::rename(&new, file).unwrap();
}

/// One word for a shell.
pub(crate) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
