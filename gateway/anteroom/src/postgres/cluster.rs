//! Making a cluster: initdb, roles, databases, who may connect as whom.
use crate::child::{RunAs, tied};
use anyhow::{Context, Result, bail};
use std::{
    fmt::Write as _,
    fs::{self, Permissions},
    io::Write as _,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What a cluster holds beside our own database.
#[derive(Debug, Default, Clone)]
pub(crate) struct Layout {
    /// A demo target's database.
    pub(crate) extra: Option<Database>,
    /// The account of the demo target's users; they get a socket of their own.
    pub(crate) guests: Option<RunAs>,
}

/// A database, its owner, and a role that guests connect as.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Database {
    pub(crate) name: &'static str,
    pub(crate) owner: &'static str,
    pub(crate) guest: &'static str,
}

impl Database {
    pub(crate) const ANTEROOM: &'static str = "anteroom";
}

const SETTINGS: &str = "\
# Written by anteroom; what matters is in docs/DATABASE.
listen_addresses = ''
unix_socket_permissions = 0777      # the directory around it decides (0700), then peer authentication
fsync = on
full_page_writes = on
synchronous_commit = on
max_connections = 100
shared_buffers = 64MB
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
# No statement in the log: it could hold what people wrote.
log_statement = 'none'
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_checkpoints = off
";

/// Where the cluster lives: `dir/data`, unless the account that will run it cannot reach that (a home of root, mostly).
pub(super) fn place(dir: &Path, run_as: Option<RunAs>) -> Result<PathBuf> {
    let dir = dir.canonicalize().with_context(|| format!("cannot find {}", dir.display()))?;
    let here = dir.join("data");
    let moved = dir.join("data-elsewhere");
    if let Ok(there) = fs::read_to_string(&moved) {
        return Ok(PathBuf::from(there.trim()));
    }
    let Some(who) = run_as else { return Ok(here) };
    if here.join("PG_VERSION").exists() || reaches(who, &dir) {
        return Ok(here);
    }
    let mut id = [0u8; 8];
    getrandom::fill(&mut id).context("the system gives no random bytes")?;
    let base = Path::new("/var/lib/anteroom");
    let there = base.join(format!("{:016x}", u64::from_be_bytes(id)));
    fs::create_dir_all(base).context("cannot make /var/lib/anteroom")?;
    fs::set_permissions(base, Permissions::from_mode(0o711)).context("cannot open /var/lib/anteroom")?;
    fs::write(&moved, there.display().to_string()).with_context(|| format!("cannot write {}", moved.display()))?;
    Ok(there)
}

/// Removes a cluster that `place` put elsewhere; part of forgetting a state directory.
pub(crate) fn forget(dir: &Path) -> Result<()> {
    match fs::read_to_string(dir.join("data-elsewhere")) {
        Ok(there) if there.starts_with("/var/lib/anteroom/") => match fs::remove_dir_all(there.trim()) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e).with_context(|| format!("cannot remove {}", there.trim())),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Asked of the kernel by somebody with those rights, rather than guessed from mode bits.
fn reaches(who: RunAs, dir: &Path) -> bool {
    let mut c = tied("test", Some(who), "KILL");
    c.arg("-x").arg(dir);
    c.status().is_ok_and(|s| s.success())
}

/// Makes the cluster if there is none. It gets its name only when it is whole, so a run that was killed here leaves nothing behind.
pub(super) async fn ensure(data: &Path, bin: &Path, run_as: Option<RunAs>, layout: &Layout) -> Result<()> {
    if !data.join("PG_VERSION").exists() {
        let (data, bin, layout) = (data.to_owned(), bin.to_owned(), layout.clone());
        tokio::task::spawn_blocking(move || make(&data, &bin, run_as, &layout)).await.context("making the database was interrupted")??;
    }
    Ok(())
}

fn make(data: &Path, bin: &Path, run_as: Option<RunAs>, layout: &Layout) -> Result<()> {
    let new = data.with_extension("new");
    if new.exists() {
        fs::remove_dir_all(&new).with_context(|| format!("cannot remove the unfinished {}", new.display()))?;
    }
    fs::create_dir(&new).with_context(|| format!("cannot make {}", new.display()))?;
    fs::set_permissions(&new, Permissions::from_mode(0o700)).context("cannot make the database directory private")?;
    if let Some(u) = run_as {
        chown(&new, Some(u.uid), Some(u.gid)).context("cannot hand over the database directory")?;
    }
    let mut initdb = tied(bin.join("initdb"), run_as, "KILL");
    initdb.arg("-D").arg(&new).args([
        "-U",
        "postgres",
        "-A",
        "reject",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--data-checksums",
        "--no-instructions",
    ]);
    run(initdb, None, "initdb")?;

    // Roles and databases are made in single-user mode: over the socket nobody is ever superuser.
    for (database, sql) in [("postgres", roles(layout)), ("anteroom", "REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE, CREATE ON SCHEMA public TO anteroom_owner; GRANT USAGE ON SCHEMA public TO anteroom_app;\n".into())] {
        let mut single = tied(bin.join("postgres"), run_as, "KILL");
        single.args(["--single", "-j", "-D"]).arg(&new).arg(database);
        run(single, Some(&sql), "postgres --single")?;
    }
    write_as(&new.join("pg_hba.conf"), &hba(layout), run_as)?;
    write_as(&new.join("pg_ident.conf"), &ident(layout), run_as)?;
    let conf = new.join("postgresql.conf");
    let mut text = fs::read_to_string(&conf).context("initdb wrote no postgresql.conf")?;
    text.push_str(SETTINGS);
    write_as(&conf, &text, run_as)?;
    fs::rename(&new, data).with_context(|| format!("cannot name {}", data.display()))
}

/// One statement a line pair: single-user mode with `-j` ends a statement at a semicolon before an empty line.
fn roles(layout: &Layout) -> String {
    let mut sql = String::from(
        "CREATE ROLE anteroom_owner LOGIN;\n\nCREATE ROLE anteroom_app LOGIN;\n\nCREATE DATABASE anteroom OWNER anteroom_owner;\n\n\
         REVOKE ALL ON DATABASE anteroom FROM PUBLIC;\n\nGRANT CONNECT ON DATABASE anteroom TO anteroom_app;\n\n",
    );
    if let Some(Database { name, owner, guest }) = layout.extra {
        let _ = write!(
            sql,
            "CREATE ROLE {owner} LOGIN;\n\nCREATE ROLE {guest} LOGIN;\n\nCREATE DATABASE {name} OWNER {owner};\n\nREVOKE ALL ON DATABASE {name} FROM PUBLIC;\n\nGRANT CONNECT ON DATABASE {name} TO {guest};\n\n"
        );
    }
    sql
}

fn hba(layout: &Layout) -> String {
    let mut s = String::from("# Unix socket only; nobody is superuser over it.\nlocal anteroom anteroom_owner,anteroom_app peer map=own\n");
    if let Some(Database { name, owner, guest }) = layout.extra {
        let _ = write!(s, "local {name} {owner} peer map=own\nlocal {name} {guest} peer map=guests\n");
    }
    s
}

/// Which account of this machine may connect as which role.
fn ident(layout: &Layout) -> String {
    let me = account_name(rustix::process::geteuid().as_raw());
    let mut s = format!("own {me} anteroom_owner\nown {me} anteroom_app\n");
    if let Some(Database { owner, guest, .. }) = layout.extra {
        let them = layout.guests.map_or_else(|| me.clone(), |g| account_name(g.uid));
        let _ = write!(s, "own {me} {owner}\nguests {them} {guest}\nguests {me} {guest}\n");
    }
    s
}

/// Peer authentication compares names, as the server's `getpwuid` sees them.
fn account_name(uid: u32) -> String {
    let out = Command::new("id").arg("-nu").arg(uid.to_string()).output();
    match out {
        Ok(o) if o.status.success() => format!("\"{}\"", String::from_utf8_lossy(&o.stdout).trim().replace('"', "\"\"")),
        _ => format!("\"{uid}\""),
    }
}

fn write_as(path: &Path, text: &str, run_as: Option<RunAs>) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    fs::set_permissions(path, Permissions::from_mode(0o600)).with_context(|| format!("cannot protect {}", path.display()))?;
    if let Some(u) = run_as {
        chown(path, Some(u.uid), Some(u.gid)).with_context(|| format!("cannot hand over {}", path.display()))?;
    }
    Ok(())
}

fn run(mut command: Command, input: Option<&str>, what: &str) -> Result<()> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {what}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.unwrap_or_default().as_bytes()).with_context(|| format!("{what} took no input"))?;
    }
    let out = child.wait_with_output().with_context(|| format!("{what} was lost"))?;
    let errors = String::from_utf8_lossy(&out.stderr);
    // Single-user mode ends with success even if a statement failed.
    if !out.status.success() || errors.contains("ERROR:") || errors.contains("FATAL:") {
        bail!("{what} failed: {}", errors.trim());
    }
    Ok(())
}
