//! Nobody's: addresses of hosts, routes, sockets, certificates.

use crate::{scene::Scene, t, text::Text};

fn address(s: &Scene) -> String {
    match s.roll(4) {
        0 => format!("192.0.2.{}", s.within(1, 254)),
        1 => format!("10.{}.{}.{}", s.roll(255), s.roll(255), s.within(1, 254)),
        2 => format!("198.51.100.{}", s.within(1, 254)),
        _ => format!("172.16.{}.{}", s.roll(255), s.within(1, 254)),
    }
}

fn mac(s: &Scene) -> String {
    (0..6).map(|_| s.hex(2)).collect::<Vec<_>>().join(":")
}

pub(super) fn interfaces(s: &mut Scene) {
    s.command("ip addr");
    for n in 1..=s.within(1, 4) {
        s.line(format!(
            "{n}: {}{n}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP group default qlen 1000",
            s.any(&["eth", "ens19", "veth"])
        ));
        s.line(format!("    link/ether {} brd ff:ff:ff:ff:ff:ff", mac(s)));
        s.line(format!("    inet {}/24 brd 192.0.2.255 scope global dynamic eth{n}", address(s)));
        s.line(format!("       valid_lft {}sec preferred_lft {}sec", s.within(1000, 99_999), s.within(1000, 99_999)));
        s.line(format!("    inet6 2001:db8:{}:{}::{}/64 scope link", s.hex(4), s.hex(4), s.hex(2)));
    }
    s.command("ip route");
    s.line(format!("default via {} dev eth1 proto dhcp metric 100", address(s)));
    s.line(format!("{}/16 dev eth1 proto kernel scope link src {}", address(s), address(s)));
}

pub(super) fn sockets(s: &mut Scene) {
    s.command("ss -tnp");
    s.line("State      Recv-Q Send-Q   Local Address:Port     Peer Address:Port   Process");
    for _ in 0..s.within(5, 14) {
        let (local, peer) =
            (format!("{}:{}", address(s), s.any(&[22, 443, 2575, 5432, 104])), format!("{}:{}", address(s), s.within(32_768, 60_999)));
        s.line(format!(
            "ESTAB      0      {:<6}   {local:<21}  {peer:<19} users:((\"{}\",pid={},fd={}))",
            s.roll(200),
            s.any(&["sshd", "postgres", "java", "nginx"]),
            s.within(300, 32_000),
            s.within(3, 90)
        ));
    }
}

pub(super) fn hosts(s: &mut Scene) {
    s.command("cat /etc/hosts");
    s.line("127.0.0.1\tlocalhost");
    for name in ["ehr-db-2", "pacs01.example.org", "mirth.example.org mirth", "lis-prod", "ntp.example.net"] {
        s.line(format!("{}\t{name}", address(s)));
    }
    s.command("dig +short mail.example.org; ping -c 2 pacs01");
    s.line(address(s));
    let target = address(s);
    s.line(format!("PING pacs01 ({target}) 56(84) bytes of data."));
    for n in 1..=2 {
        s.line(format!("64 bytes from {target}: icmp_seq={n} ttl=64 time=0.{} ms", s.within(100, 999)));
    }
}

pub(super) fn web_log(s: &mut Scene) {
    s.command("tail /var/log/nginx/access.log");
    for _ in 0..s.within(5, 14) {
        let path =
            s.any(&["/healthz", "/static/app.3fa81c.js", "/api/v2/queue/depth", "/login", "/metrics", "/favicon.ico", "/api/version"]);
        s.line(format!(
            "{} - - [12/Apr/2025:{} +0000] \"GET {path} HTTP/1.1\" {} {} \"-\" \"curl/7.88.1\"",
            address(s),
            s.clock(),
            s.any(&[200, 204, 301, 404, 500]),
            s.within(9, 90_000)
        ));
    }
}

pub(super) fn certificates(s: &mut Scene) {
    s.command("openssl x509 -noout -text -in server.pem | head");
    s.line("Certificate:");
    s.line("        Version: 3 (0x2)");
    s.line(format!("        Serial Number: {}", (0..12).map(|_| s.hex(2)).collect::<Vec<_>>().join(":")));
    s.line("        Issuer: C = US, O = Example Trust, CN = Example R3");
    s.line(format!("            Not Before: Apr {:>2} {} 2025 GMT", s.within(1, 28), s.clock()));
    s.line("        Subject: CN = ehr.example.org");
    s.line(format!("SHA256 Fingerprint={}", (0..32).map(|_| s.hex(2).to_uppercase()).collect::<Vec<_>>().join(":")));
    s.command("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub");
    s.line(format!("256 SHA256:{} root@ehr-db-2 (ED25519)", s.hex(43)));
    s.line(t![Text::control("\x1b[32m"), "verification ok", Text::control("\x1b[0m")]);
}
