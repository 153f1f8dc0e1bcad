//! xfreerdp through the gateway to FreeRDP's shadow server: NLA on both sides, nothing faked.
use crate::gate::{Gate, LOOPBACK, Setting, VAULTED};
use anteroom_domain::{AuditEvent, CertificateFingerprint};
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Killed when the test is over, however it went.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(c: &mut Command) -> Running {
    Running(c.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// An X server of our own; the number it took.
fn display(size: &str) -> (Running, String) {
    for n in 170..400 {
        if Path::new(&format!("/tmp/.X{n}-lock")).exists() {
            continue;
        }
        let mut x = start(Command::new("Xvfb").arg(format!(":{n}")).args(["-screen", "0", size, "-nolisten", "tcp"]));
        for _ in 0..100 {
            if Path::new(&format!("/tmp/.X11-unix/X{n}")).exists() {
                return (x, format!(":{n}"));
            }
            if x.0.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    panic!("no display");
}

/// FreeRDP's shadow of a display, with NLA and one account.
async fn shadow(display: &str, dir: &Path) -> (Running, SocketAddr, CertificateFingerprint) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let hash = Command::new("winpr-hash").args(["-u", "service", "-p", VAULTED, "-f", "sam"]).output().unwrap();
    let sam = dir.join("sam");
    std::fs::write(&sam, hash.stdout).unwrap();
    let server = start(
        Command::new("freerdp-shadow-cli")
            .env("DISPLAY", display)
            .env("HOME", dir)
            .args(["+auth", "/sec:nla", "/bind-address:127.0.0.1"])
            .arg(format!("/port:{port}"))
            .arg(format!("/sam-file:{}", sam.display())),
    );
    let address = SocketAddr::new(LOOPBACK, port);
    for _ in 0..200 {
        if let Ok(shown) = anteroom_gateway::rdp::look("127.0.0.1", port, Duration::from_secs(5)).await {
            assert!(shown.nla);
            return (server, address, shown.certificate);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the shadow server did not start");
}

/// Different colours on the screen.
fn colours(display: &str, dir: &Path) -> usize {
    let shot = dir.join("shot.png");
    let taken = Command::new("import").args(["-display", display, "-window", "root"]).arg(&shot).output().unwrap();
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
    let counted = Command::new("identify").args(["-format", "%k"]).arg(&shot).output().unwrap();
    String::from_utf8_lossy(&counted.stdout).trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn xfreerdp_sees_the_targets_desktop_with_a_ticket_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (_x1, there) = display("1024x768x24");
    let _picture = start(Command::new("xterm").env("DISPLAY", &there).args([
        "-geometry",
        "120x40+0+0",
        "-e",
        "ls -R --color=always /usr/share; sleep 600",
    ]));
    let (_server, address, certificate) = shadow(&there, dir.path()).await;
    let mut gate = Gate::open(Setting::of(address, vec![certificate])).await;
    let t = gate.ticket(LOOPBACK).await;
    let (_x2, here) = display("1024x768x24");
    assert_eq!(colours(&here, dir.path()), 1, "an empty screen");
    let mut client = start(
        Command::new("xfreerdp")
            .env("DISPLAY", &here)
            .env("HOME", dir.path())
            .arg(format!("/v:{}", gate.address()))
            .arg(format!("/u:{}", t.name))
            .arg(format!("/p:{}", t.secret.expose()))
            .args(["/size:1024x768", "/cert:ignore", "/log-level:ERROR", "-wallpaper"]),
    );
    gate.logged("a session", |e| matches!(e, AuditEvent::SessionStarted { .. })).await;
    let mut seen = 0;
    for _ in 0..300 {
        seen = colours(&here, dir.path());
        if seen > 10 || client.0.try_wait().unwrap().is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let log = gate.world.log().await;
    assert!(seen > 10, "{seen} colours; client: {:?}; log: {log:#?}", client.0.try_wait());
    let control = gate.ssh.control();
    let session = control.list().pop().unwrap();
    assert!(session.bytes_out > 10_000, "{session:?}");
    assert!(control.terminate(session.id, gate.ada.person.id));
    assert_eq!(gate.why_ended().await, "terminated");
    for _ in 0..50 {
        if client.0.try_wait().unwrap().is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(client.0.try_wait().unwrap().is_some(), "the client has left");
    let sealed = gate.logged("a sealed recording", |e| matches!(e, AuditEvent::RecordingSealed { .. })).await;
    assert!(format!("{sealed:?}").contains("\"complete\""), "{sealed:?}");
    gate.stop().await;
}
