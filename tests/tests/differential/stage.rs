//! What the scenarios are played on: a target, the gateway before it, and each client's own files for both ways there.
use anteroom_tests::harness::{Person, World, WorldOptions};
use anyhow::{Context, Result, bail};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) direct: Way,
    pub(crate) gateway: Way,
    /// A web server that only the target is near to.
    pub(crate) web_port: u16,
    // Ends everything when the stage is taken down.
    _world: World,
}

/// One way to the same account of the same target.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) name: &'static str,
    dir: PathBuf,
    places: [Place; 2],
}

/// Where to knock: the account itself, or the same one behind a strict sshd.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
    pub(crate) login: String,
}

impl Stage {
    /// Every program that is needed, the gateway, and one confirmed connection that is remembered from then on.
    pub(crate) fn set() -> Result<Self> {
        let many = "Match all\nMaxSessions 200\n";
        let world = World::with(WorldOptions { remember_step_up: "1h".into(), max_channels: 64, sshd: many.into(), ..Default::default() })?;
        let forced = world.dir.join("forced");
        fs::write(&forced, FORCED)?;
        // A new key exchange every megabyte, one channel, one command, no terminal.
        let strict = format!(
            "RekeyLimit 1M\nMatch all\nPermitTTY no\nMaxSessions 1\nAllowTcpForwarding no\nForceCommand /bin/sh {}\n",
            forced.display()
        );
        let strict = world.add_target("strict", &strict)?;
        let (ada, ben) = (world.admin("ada")?, world.person("ben", &["approver"])?);
        for name in [&*world.target.name, "strict"] {
            ask_for_everything(&ada, &ben, name, &strict.account)?;
            let login = format!("{}@{name}", strict.account);
            world.ssh(&ada)?.login(&login).command("cat").run()?.good()?;
        }
        // The strict sshd knows the same key.
        fs::copy(world.target.dir.join("authorized_keys"), strict.dir.join("authorized_keys"))?;
        world
            .cli
            .good_with(&["target", "credential", "strict", &strict.account, "--kind", "key"], world.target.account_key()?.as_bytes())?;
        let account = strict.account.clone();
        let direct = [("target", world.target.port, account.clone()), ("strict", strict.port, account.clone())];
        let port = world.ssh_port();
        let through = [("target", port, world.login()), ("strict", port, format!("{account}@strict"))];
        let own_key = world.target.dir.join("account_key");
        let way = |name, places, key: &Path, keys: [&String; 2]| Way::make(&world.dir, name, places, key, keys.map(String::as_str));
        let at_targets = [&world.target.host_key, &strict.host_key];
        let gateway_key = world.gateway_host_key()?;
        let stage = Self {
            direct: way("direct", direct.clone(), &own_key, at_targets)?,
            gateway: if std::env::var_os("ANTEROOM_DIFFERENTIAL_SELF").is_some() {
                way("itself", direct, &own_key, at_targets)?
            } else {
                way("gateway", through, &ada.ssh_key, [&gateway_key; 2])?
            },
            web_port: web_server()?,
            _world: world,
        };
        // It lives as long as the process.
        std::mem::forget(strict);
        Ok(stage)
    }
}

/// What the strict target runs, whatever it is told to.
const FORCED: &str = r#"case "$SSH_ORIGINAL_COMMAND" in
bulk) head -c 4000000 /dev/zero ;;
cat) exec cat ;;
*) echo "not here: $SSH_ORIGINAL_COMMAND" >&2; exit 9 ;;
esac
"#;

/// What the scenarios do.
const CAPABILITIES: &[&str] = &[
    "shell",
    "exec",
    "download",
    "upload",
    "local-forward:*:*",
    "remote-forward:*:*",
    "agent-forwarding",
    // So that it is the target that does not know it.
    "subsystem:no-such-subsystem",
];

fn ask_for_everything(ada: &Person, ben: &Person, target: &str, account: &str) -> Result<()> {
    ben.approve(&ada.request_for(target, account, CAPABILITIES)?)?;
    Ok(())
}

impl Way {
    fn make(world: &Path, name: &'static str, places: [(&'static str, u16, String); 2], key: &Path, host_keys: [&str; 2]) -> Result<Self> {
        let dir = world.join("ways").join(name);
        let places = places.map(|(name, port, login)| Place { name, port, login });
        let way = Self { name, dir, places };
        fs::create_dir_all(way.file("putty/sessions"))?;
        fs::create_dir_all(way.file("home"))?;
        fs::copy(key, way.file("key"))?;
        run("puttygen", &[way.word("key"), "-O".into(), "private".into(), "-o".into(), way.word("key.ppk")])?;
        run("dropbearconvert", &["openssh".into(), "dropbear".into(), way.word("key"), way.word("key.dropbear")])?;
        let mut config = String::new();
        let mut known = String::new();
        for (place, host_key) in way.places.iter().zip(host_keys) {
            let host_key = host_key.split_ascii_whitespace().take(2).collect::<Vec<_>>().join(" ");
            known += &format!("{} {host_key}\n", place.name);
            config += &format!("Host {0}\n  Port {1}\n  User {2}\n  HostKeyAlias {0}\n", place.name, place.port, place.login);
            way.putty_session(place, &host_key)?;
        }
        config += &format!(
            "Host *\n  HostName 127.0.0.1\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  \
             CheckHostIP no\n  IdentityFile {}\n  IdentitiesOnly yes\n  IdentityAgent none\n  BatchMode yes\n  ControlPath none\n  \
             ConnectTimeout 20\n  LogLevel ERROR\n",
            way.word("known_hosts"),
            way.word("key")
        );
        fs::write(way.file("known_hosts"), known)?;
        fs::write(way.ssh_config(), config)?;
        Ok(way)
    }

    /// What plink has no option for is in a session's file; one for each need.
    fn putty_session(&self, place: &Place, host_key: &str) -> Result<()> {
        let file = self.file("fingerprint.pub");
        fs::write(&file, format!("{host_key}\n"))?;
        let out = Command::new("ssh-keygen").args(["-l", "-E", "sha256", "-f"]).arg(&file).output()?;
        let text = String::from_utf8(out.stdout)?;
        let print = text.split_ascii_whitespace().nth(1).context("no fingerprint")?;
        let all = format!(
            "Protocol=ssh\nHostName=127.0.0.1\nPortNumber={}\nUserName={}\nPublicKeyFile={}\nSSHManualHostKeys={print}\nTryAgent=0\n\
             SshBanner=0\nTerminalType=xterm\n",
            place.port,
            place.login,
            self.word("key.ppk")
        );
        for (need, extra) in [
            ("", ""),
            ("-env", "Environment=LANG=C.UTF-8,LC_ALL=POSIX,FOO=bar,LD_PRELOAD=/nowhere\n"),
            ("-rekey", "RekeyBytes=1M\n"),
            ("-alive", "PingInterval=0\nPingIntervalSecs=1\n"),
        ] {
            fs::write(self.file("putty/sessions").join(format!("{}{need}", place.name)), format!("{all}{extra}"))?;
        }
        Ok(())
    }

    pub(crate) fn place(&self, name: &str) -> &Place {
        self.places.iter().find(|p| p.name == name).unwrap_or(&self.places[0])
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn word(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    pub(crate) fn ssh_config(&self) -> PathBuf {
        self.file("ssh_config")
    }

    /// Nobody's agent, home or language leaks in.
    pub(crate) fn surroundings(&self, c: &mut Command) {
        c.env("HOME", self.file("home")).env("PUTTYDIR", self.file("putty")).env("LC_ALL", "C.UTF-8").env("TERM", "xterm");
        for name in ["SSH_AUTH_SOCK", "DISPLAY", "LANG", "GIT_DIR", "GIT_SSH", "GIT_SSH_COMMAND"] {
            c.env_remove(name);
        }
    }

    /// What is allowed to be different in what is said: longest first.
    pub(crate) fn own_names(&self) -> Vec<(String, &'static str)> {
        let mut names = vec![(self.dir.display().to_string(), "DIR"), (format!("{:?}", self.dir).trim_matches('"').into(), "DIR")];
        // A login of the gateway holds the account's own.
        for (before, after) in [("", "@127.0.0.1"), ("username \"", "\"")] {
            names.extend(self.places.iter().map(|p| (format!("{before}{}{after}", p.login), "LOGIN")));
        }
        names.extend(self.places.iter().map(|p| (format!("port {}", p.port), "port PORT")));
        names.extend(self.places.iter().map(|p| (format!(":{}", p.port), ":PORT")));
        names
    }
}

fn run(program: &str, args: &[String]) -> Result<()> {
    let out = Command::new(program).args(args).output().with_context(|| format!("cannot run {program}; deploy/setup installs it"))?;
    if !out.status.success() {
        bail!("{program}: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(())
}

/// Answers every request with the path that was asked for, as long as the process lives.
fn web_server() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for mut visitor in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut request = [0; 2048];
                let n = visitor.read(&mut request).unwrap_or(0);
                let text = String::from_utf8_lossy(&request[..n]).into_owned();
                let path = text.split(' ').nth(1).unwrap_or_default();
                let body = format!("near the target: {path}\n");
                let _ = write!(visitor, "HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            });
        }
    });
    Ok(port)
}
