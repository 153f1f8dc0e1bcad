//! Nobody's: people who are no patients (developers, packagers, writers of manuals), and words that look like people.

use crate::scene::Scene;

const DEVELOPERS: &[&str] = &["Matthias Keller", "Rosa Quandt", "Tomasz Wilk", "Ingrid Solberg", "Paul Achterberg", "Jonas Vogel"];

/// Packages and their changelogs, copyright lines, patches by mail.
pub(super) fn developers(s: &mut Scene) {
    s.command(s.any(&["apt show zip", "git format-patch -1 --stdout", "rpm -q --changelog bash | head", "dmesg | grep -i copyright"]));
    for _ in 0..s.within(3, 7) {
        let name = s.any(DEVELOPERS);
        let address = format!("{}@example.org", name.split(' ').next().unwrap_or_default().to_lowercase());
        s.line(match s.roll(8) {
            0 => format!("Maintainer: {name} <{address}>"),
            1 => format!("    Signed-off-by: {name} <{address}>"),
            2 => format!("    Reviewed-by: {name} <{address}>"),
            3 => format!("* Mon Jan 0{} 2024 {name} <{address}> - 5.2.{}", s.within(1, 9), s.within(1, 30)),
            4 => format!(" -- {name} <{address}>  Fri, 14 Mar 2025 10:12:44 +0100"),
            5 => format!("[    0.31{}] pps_core: Software ver. 5.3.6 - Copyright 2005-2007 {name} <{address}>", s.digits(4)),
            6 => format!(
                "ii  {:14} {}.{}-{}  amd64  De-archiver for .zip files",
                s.any(&["zip", "mail", "city", "phone"]),
                s.within(1, 9),
                s.within(0, 30),
                s.within(1, 9)
            ),
            _ => format!("Author: {name} <{address}>"),
        });
    }
}

/// Manuals with placeholders, titles of products, sentences with capitals.
pub(super) fn placeholders(s: &mut Scene) {
    s.command(s.any(&["man git-log | head", "curl --help all", "cat README"]));
    for _ in 0..s.within(4, 9) {
        s.line(s.any(&[
            "       formats by setting a pretty.<name> config option to either another",
            "       format name, or a format: string, as described below",
            "       --dns-ipv4-addr <address>",
            "              (DNS) Tell curl to bind to <ip-address> when making IPv4 requests",
            "       coproc NAME { command; } is always named COPROC, and simpler",
            "This is GNU Bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)",
            "License for Visual Studio and for Red Hat Enterprise Linux",
            "Report on General Electric scanners: see the vendor's page",
            "radius-acct     1813/tcp                        # Radius Accounting",
            "ssh dba@ehr-db-1@bastion.example.org -p 2222",
            "Waiting for Java Runtime; retry for Docker Desktop in 5 s",
            "UPDATE patients SET HomePhone = NULL WHERE FALSE",
            "metrics: patients=120455 encounters=88123 rows=5512",
            "Release Date: 04/01/2014   Homepage: https://example.org/zip/3.0",
        ]));
    }
}
