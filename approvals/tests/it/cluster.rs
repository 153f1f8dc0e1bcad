//! A private Postgres for this test process: socket only, gone when the process is gone, however it went.
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

/// initdb refuses root: as root the cluster belongs to nobody.
const NOBODY: u32 = 65534;
const TEMPLATE: &str = "anteroom_template";

pub struct Cluster {
    dir: PathBuf,
    bin: PathBuf,
}

/// The one that tests share; each test has its own database in it.
pub fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| {
        let c = Cluster::new();
        // The server dies with the thread that started it (PR_SET_PDEATHSIG), so that thread has to outlive every test.
        let (ready, is_ready) = mpsc::channel();
        let (dir, bin) = (c.dir.clone(), c.bin.clone());
        std::thread::spawn(move || {
            let mut server = Cluster { dir, bin }.start();
            ready.send(()).unwrap();
            server.wait().unwrap();
        });
        is_ready.recv().unwrap();
        c
    })
}

impl Cluster {
    /// An empty one, not running.
    pub fn new() -> Self {
        let bin = std::fs::read_dir("/usr/lib/postgresql").unwrap().map(|d| d.unwrap().path().join("bin")).max().unwrap();
        let dir = tempfile::Builder::new().prefix("anteroom-pg-").tempdir().unwrap().keep();
        // Whoever may enter is let in by the server.
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o700)).unwrap();
        let c = Self { dir, bin };
        if is_root() {
            std::os::unix::fs::chown(&c.dir, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let out = c.command("initdb").arg("-D").arg(c.dir.join("data")).args(INITDB).output().unwrap();
        assert!(out.status.success(), "initdb: {}", String::from_utf8_lossy(&out.stderr));
        // Peer: whoever may enter the directory is one of us.
        std::fs::write(c.dir.join("data/pg_hba.conf"), "local all all peer map=ours\n").unwrap();
        std::fs::write(c.dir.join("data/pg_ident.conf"), "ours /^.*$ anteroom_owner\nours /^.*$ anteroom_app\n").unwrap();
        c
    }

    /// Starts it; it stops when the calling thread ends, or with [`stop`].
    pub fn start(&self) -> Child {
        let postgres = self.bin.join("postgres");
        let script = r#"
            trap 'kill -INT $server; wait $server; rm -rf "$1"; exit' TERM
            trap 'kill -INT $server; wait $server; exit' USR1
            "$2" -D "$1/data" -k "$1" -c listen_addresses= -c fsync=off -c max_connections=200 2>>"$1/log" & server=$!
            wait $server"#;
        let mut c = Command::new("setpriv");
        // Not INT: a shell that was itself started in the background ignores it and can't trap it.
        c.args(["--pdeathsig", "TERM", "bash", "-c", script, "cluster"]).arg(&self.dir).arg(postgres);
        let child = as_nobody(&mut c).spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while !self
            .command("pg_isready")
            .args(["-q", "-U", "anteroom_owner", "-d", "postgres", "-h"])
            .arg(&self.dir)
            .status()
            .unwrap()
            .success()
        {
            assert!(Instant::now() < end, "Postgres did not start: {}", std::fs::read_to_string(self.dir.join("log")).unwrap_or_default());
            std::thread::sleep(Duration::from_millis(50));
        }
        child
    }

    fn command(&self, program: &str) -> Command {
        let mut c = Command::new(self.bin.join(program));
        as_nobody(&mut c);
        c
    }

    fn options(&self, role: &str, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(&self.dir).username(role).database(database)
    }

    /// As the owner of the tables: what an attacker with the database's keys could do.
    pub async fn owner(&self, database: &str) -> PgPool {
        PgPoolOptions::new().max_connections(2).connect_with(self.options("anteroom_owner", database)).await.unwrap()
    }

    /// As the program itself connects.
    pub async fn app(&self, database: &str) -> PgPool {
        anteroom_approvals::pool_options().max_connections(8).connect_with(self.options("anteroom_app", database)).await.unwrap()
    }

    /// The same, and it does not matter whether the server is there.
    pub fn app_later(&self, database: &str) -> PgPool {
        anteroom_approvals::pool_options().max_connections(8).connect_lazy_with(self.options("anteroom_app", database))
    }

    /// A new, migrated database.
    pub async fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        static MAKING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        // Copying a template wants nobody else in it.
        let _one = MAKING.lock().await;
        let admin = self.owner("postgres").await;
        let have: Option<i32> =
            sqlx::query_scalar("select 1 from pg_database where datname = $1").bind(TEMPLATE).fetch_optional(&admin).await.unwrap();
        if have.is_none() {
            sqlx::query("create database anteroom_template").execute(&admin).await.unwrap();
            let template = self.owner(TEMPLATE).await;
            anteroom_approvals::migrate(&template).await.unwrap();
            template.close().await;
        }
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let statement = format!("create database {name} template {TEMPLATE}");
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&admin).await.unwrap();
        admin.close().await;
        name
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Stops the server in good order, its files stay.
pub fn stop(mut server: Child) {
    let pid = rustix::process::Pid::from_child(&server);
    rustix::process::kill_process(pid, rustix::process::Signal::USR1).unwrap();
    server.wait().unwrap();
}

const INITDB: [&str; 8] = ["-U", "anteroom_owner", "-A", "peer", "-E", "UTF8", "--locale=C", "--no-sync"];

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn as_nobody(c: &mut Command) -> &mut Command {
    c.env("LC_ALL", "C").current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
    if is_root() {
        c.uid(NOBODY).gid(NOBODY);
    }
    c
}
