//! In clear only at home; certificates that change while the portal runs.
use super::Control;
use crate::{Clipboard, Portal, PortalConfig, PortalError, SshAddress, Tls, world::World};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, Stream,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
    sync::Arc,
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use url::Url;

fn config(listen: &str, origin: &str, tls: Option<Tls>) -> PortalConfig {
    let ssh = SshAddress { host: "localhost".into(), port: 22 };
    PortalConfig {
        listen: listen.parse().unwrap(),
        origin: Url::parse(origin).unwrap(),
        tls,
        ssh,
        rdp: None,
        clipboard: Clipboard::Both,
        search: true,
    }
}

fn bind(world: &World, config: PortalConfig) -> Result<Portal, PortalError> {
    Portal::bind(config, world.approvals.clone(), None, Arc::new(Control::default()), None, None, None)
}

fn make_certificate(dir: &Path) -> Tls {
    let tls = Tls { cert: dir.join("cert.pem"), key: dir.join("key.pem") };
    let mut c = Command::new("openssl");
    c.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost"]);
    c.args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]);
    let out = c.arg("-out").arg(&tls.cert).arg("-keyout").arg(&tls.key).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    tls
}

/// What a client that trusts only this certificate gets.
fn fetch(addr: SocketAddr, trusted: &[u8]) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let mut socket = TcpStream::connect(addr)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut stream = Stream::new(&mut client, &mut socket);
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

#[tokio::test]
async fn in_clear_only_on_loopback() {
    let world = World::new().await;
    let open = bind(&world, config("0.0.0.0:0", "http://bastion.example", None));
    assert!(open.unwrap_err().to_string().contains("refuses to serve in clear on 0.0.0.0:0; set tls_cert and tls_key"));
    let pretended = bind(&world, config("127.0.0.1:0", "https://bastion.example", None));
    assert!(matches!(pretended.unwrap_err(), PortalError::SecureOriginInClear));
    assert!(bind(&world, config("127.0.0.1:0", "http://localhost:8080", None)).is_ok());
    assert!(bind(&world, config("[::1]:0", "http://localhost:8080", None)).is_ok());
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_names_its_file() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    let tls = make_certificate(dir.path());
    std::fs::write(&tls.key, "nonsense").unwrap();
    let e = bind(&world, config("127.0.0.1:0", "https://localhost", Some(tls))).unwrap_err().to_string();
    assert!(e.contains("key.pem: cannot read a private key"), "{e}");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_renewed_while_it_runs() {
    let (world, dir) = (World::new().await, tempfile::tempdir().unwrap());
    let tls = make_certificate(dir.path());
    let first = std::fs::read(&tls.cert).unwrap();
    let portal = bind(&world, config("127.0.0.1:0", "https://localhost", Some(tls.clone()))).unwrap();
    let (addr, reload, stop) = (portal.local_addr(), portal.reload_handle(), CancellationToken::new());
    let running = tokio::spawn(portal.run(stop.clone()));
    let get = async |trusted: Vec<u8>| tokio::task::spawn_blocking(move || fetch(addr, &trusted)).await.unwrap();
    let answer = get(first.clone()).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("strict-transport-security"), "{answer}");

    make_certificate(dir.path());
    reload.reload().unwrap();
    let second = std::fs::read(&tls.cert).unwrap();
    assert!(get(second.clone()).await.is_ok());
    assert!(get(first).await.is_err(), "the old one is gone");

    std::fs::write(&tls.cert, "half a fi").unwrap();
    assert!(reload.reload().is_err());
    assert!(get(second).await.is_ok(), "a broken file changes nothing");
    stop.cancel();
    running.await.unwrap().unwrap();
}
