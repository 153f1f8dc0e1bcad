use super::{ConfigArg, Done, Out, Usage, context::Context};
use crate::{cli::context::with_context, config::Checked};
use anteroom_approvals::{Page, Purpose};
use anteroom_domain::Protocol;
use anteroom_gateway::ssh::load_host_key;
use clap::ValueEnum;
use std::net::SocketAddr;

/// Names in one `Host` line; OpenSSH reads longer ones, people don't.
const NAMES_A_LINE: usize = 20;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  anteroom ssh-config                                       both parts, each with a word where it belongs
  anteroom ssh-config --only known-hosts >> /etc/ssh/ssh_known_hosts
  anteroom ssh-config --host gate --only config > gate.conf      to hand out; then:  ssh dba@ehr-db-1")]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// What people call the gateway in their commands: ssh ALIAS.
    #[arg(long, value_name = "ALIAS", default_value = "bastion")]
    host: String,
    /// The port people type, if it is not ssh.public_port nor the first of ssh.listen.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// One part only.
    #[arg(long, value_enum)]
    only: Option<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// For ~/.ssh/config or /etc/ssh/ssh_config.d/.
    Config,
    /// For ~/.ssh/known_hosts or /etc/ssh/ssh_known_hosts.
    KnownHosts,
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    let alias = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if a.host.is_empty() || a.host.starts_with('-') || !a.host.chars().all(alias) {
        return Err(Usage(format!("--host {:?}: an alias is letters, digits, '.', '_' and '-', like bastion", a.host)).into());
    }
    with_context!(&a.config, cx => {
        let way = Way::gather(&cx, a.host, a.port).await?;
        if a.only != Some(Part::KnownHosts) {
            out.bytes(way.config().as_bytes())?;
        }
        if a.only.is_none() {
            out.line("")?;
        }
        if a.only != Some(Part::Config) {
            out.bytes(way.known_hosts().as_bytes())?;
        }
        Ok(())
    })
}

/// What a client has to know to come through this gateway.
struct Way {
    alias: String,
    gateway: String,
    host: String,
    port: u16,
    /// Public key lines without comments.
    host_keys: Vec<String>,
    /// Public key lines of the authorities whose host certificates count.
    authorities: Vec<String>,
    targets: Vec<String>,
}

impl Way {
    async fn gather(cx: &Context, alias: String, port: Option<u16>) -> anyhow::Result<Self> {
        let unknown = || Usage("ssh.listen has port 0, which means another one at every start: set ssh.public_port, or give --port".into());
        let (host, port) = place(&cx.config, port).ok_or_else(unknown)?;
        let mut host_keys = Vec::new();
        for path in &cx.config.ssh.host_keys {
            let mut key = load_host_key(path)?.public_key().clone();
            key.set_comment("");
            host_keys.push(key.to_openssh()?);
        }
        let authorities = cx.approvals.authorities(Purpose::Host).await?;
        let authorities = authorities.into_iter().filter(|a| a.retired_at.is_none()).map(|a| a.public_key).collect();
        let mut targets = Vec::new();
        for number in 0.. {
            let page = cx.approvals.targets("", Page { number, size: 500 }).await?.rows;
            if page.is_empty() {
                break;
            }
            // The portal's menu knows telnet targets too; a jump ends in ssh.
            targets.extend(page.iter().filter(|t| t.protocol == Protocol::Ssh).map(|t| t.name.to_string()));
        }
        Ok(Self { alias, gateway: cx.config.name.clone(), host, port, host_keys, authorities, targets })
    }

    fn config(&self) -> String {
        let Self { alias, host, port, gateway, .. } = self;
        let mut t = format!(
            "# Anteroom \"{gateway}\". Put this into ~/.ssh/config (or /etc/ssh/ssh_config.d/anteroom.conf), above any \"Host *\".\n\
             # Then:  ssh {alias}                     a menu of what you may reach\n\
             #        ssh ACCOUNT@TARGET@{alias}      straight to a target\n\
             #        ssh ACCOUNT@TARGET{pad}      the same, recorded all the same; scp, sftp, rsync and ansible too\n\
             Host {alias}\n\
             \x20   HostName {host}\n\
             \x20   Port {port}\n\
             \x20   CheckHostIP no\n\
             \x20   # Link and number of a confirmation are shown at this level; QUIET and ERROR would hide them.\n\
             \x20   LogLevel INFO\n",
            pad = " ".repeat(alias.len() + 1),
        );
        for names in self.targets.chunks(NAMES_A_LINE) {
            t.push_str(&format!("Host {}\n\x20   ProxyJump {alias}\n\x20   CheckHostIP no\n\x20   LogLevel INFO\n", names.join(" ")));
        }
        // Only where a login left a certificate: a key named here would take the place of people's own.
        let all: Vec<&str> = [alias.as_str()].into_iter().chain(self.targets.iter().map(String::as_str)).collect();
        for names in all.chunks(NAMES_A_LINE) {
            t.push_str(&format!(
                "Match originalhost {} exec \"test -r ~/.ssh/anteroom_ed25519-cert.pub\"\n\
                 \x20   IdentityFile ~/.ssh/anteroom_ed25519\n\
                 \x20   CertificateFile ~/.ssh/anteroom_ed25519-cert.pub\n",
                names.join(",")
            ));
        }
        t
    }

    fn known_hosts(&self) -> String {
        let mut t = format!(
            "# Anteroom \"{}\". Put this into ~/.ssh/known_hosts (or /etc/ssh/ssh_known_hosts for everybody on a machine).\n\
             # The gateway's own key: compare it with your operator by another road before you trust it.\n",
            self.gateway
        );
        for key in &self.host_keys {
            t.push_str(&format!("{} {key}\n", known_name(&self.host, self.port)));
        }
        if self.targets.is_empty() {
            t.push_str("# No ssh target yet; run this again when there are some.\n");
            return t;
        }
        t.push_str(
            "# Connections by ProxyJump end at the gateway too, with a certificate of this authority. Believe it for these names only.\n",
        );
        for key in &self.authorities {
            for names in self.targets.chunks(NAMES_A_LINE) {
                t.push_str(&format!("@cert-authority {} {key}\n", names.join(",")));
            }
        }
        t
    }
}

/// Host and port that people type, as the portal says them. None if the port is given by the system at each start.
fn place(config: &Checked, given: Option<u16>) -> Option<(String, u16)> {
    let s = &config.ssh;
    let host = s.public_host.clone().or_else(|| config.portal.origin.host_str().map(str::to_owned)).unwrap_or_default();
    Some((host, people_type(given.or(s.public_port), &s.listen)?))
}

fn people_type(public: Option<u16>, listen: &[SocketAddr]) -> Option<u16> {
    public.or_else(|| listen.first().map(SocketAddr::port)).filter(|port| *port != 0)
}

/// As sshd(8) writes host names in this file: the port only if it is not 22.
fn known_name(host: &str, port: u16) -> String {
    if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::process::Command;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    fn way(targets: usize) -> Way {
        Way {
            alias: "bastion".into(),
            gateway: "ward-4".into(),
            host: "bastion.example".into(),
            port: 2222,
            host_keys: vec![KEY.into()],
            authorities: vec![format!("{KEY} anteroom-host-ca")],
            targets: (1..=targets).map(|n| format!("db-{n}")).collect(),
        }
    }

    /// What OpenSSH makes of our lines for one destination, in a home of its own.
    fn ssh_reads(way: &Way, destination: &str, home: &std::path::Path) -> String {
        let file = home.join("config");
        std::fs::write(&file, way.config()).unwrap();
        let said = Command::new("ssh").args(["-G", "-F"]).arg(&file).arg(destination).env("HOME", home).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap()
    }

    #[test]
    fn ssh_takes_the_alias_to_the_gateway_and_a_target_through_it() {
        let home = tempfile::tempdir().unwrap();
        let gateway = ssh_reads(&way(45), "bastion", home.path());
        assert!(gateway.contains("\nhostname bastion.example\n") && gateway.contains("\nport 2222\n"), "{gateway}");
        for target in ["root@db-1", "root@db-20", "root@db-45"] {
            assert!(ssh_reads(&way(45), target, home.path()).contains("\nproxyjump bastion\n"), "{target}");
        }
        assert!(!ssh_reads(&way(45), "db-46", home.path()).contains("proxyjump"));
    }

    #[test]
    fn the_known_hosts_lines_are_found_by_ssh_keygen_for_gateway_and_targets_only() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("known_hosts");
        std::fs::write(&file, way(45).known_hosts()).unwrap();
        let found = |name: &str| {
            let said = Command::new("ssh-keygen").args(["-F", name, "-f"]).arg(&file).output().unwrap();
            String::from_utf8(said.stdout).unwrap()
        };
        assert!(found("[bastion.example]:2222").contains(KEY));
        for name in ["db-1", "db-45"] {
            assert!(found(name).contains("CA") && found(name).contains(KEY), "{name}: {}", found(name));
        }
        assert_eq!(found("db-46"), "");
        assert_eq!(found("bastion.example"), "");
    }

    #[test]
    fn a_port_that_only_the_running_gateway_knows_is_not_written() {
        let listen = |port| [SocketAddr::from(([127, 0, 0, 1], port))];
        assert_eq!(people_type(None, &listen(2222)), Some(2222));
        assert_eq!(people_type(Some(22), &listen(2222)), Some(22));
        assert_eq!(people_type(None, &listen(0)), None);
        assert_eq!(people_type(Some(2222), &listen(0)), Some(2222), "behind a balancer");
    }

    #[test]
    fn the_port_is_written_as_ssh_writes_it() {
        assert_eq!(known_name("bastion.example", 22), "bastion.example");
        assert_eq!(known_name("bastion.example", 2222), "[bastion.example]:2222");
    }

    #[test]
    fn without_targets_nothing_is_certified() {
        assert!(!way(0).known_hosts().contains("@cert-authority"));
        assert!(!way(0).config().contains("ProxyJump"));
    }
}
