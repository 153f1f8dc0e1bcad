//! Nobody's, and harder: tables, keys and labels whose words patients' records have too ("name", "address", "account", "serial number").

use crate::{
    scene::Scene,
    t,
    text::Text,
    tree::{Node, bare, list, map, word},
    words::people::FACILITIES,
};

const HOSTS: &[&str] = &["ehr-db-2", "pacs01", "mirth-a", "lis-prod", "app-3", "fax-1", "ris-test"];
const SERVICES: &[&str] = &["patient-api", "billing", "name-matcher", "orthanc", "scheduler", "worklist", "adt-router"];
const ACCOUNTS: &[&str] = &["svc_backup", "root", "ehr_app", "vendor", "mirth", "postgres", "nagios"];

fn serial(s: &Scene) -> String {
    format!("{}{}", s.letters(3), s.digits(7))
}

fn version(s: &Scene) -> String {
    format!("{}.{}.{}", s.within(1, 20), s.roll(30), s.roll(99))
}

/// Rows about machines and jobs.
pub(super) fn tables(s: &mut Scene) {
    let (query, head): (&str, [&str; 4]) = s.any(&[
        ("select id, name, status, version from services;", ["id", "name", "status", "version"]),
        ("select host, address, serial_number, location from inventory;", ["host", "address", "serial_number", "location"]),
        ("select id, name, owner, size from pg_database_list;", ["id", "name", "owner", "size"]),
        ("select account, last_login, source_ip, role from accounts;", ["account", "last_login", "source_ip", "role"]),
    ]);
    let row = |s: &Scene| -> [String; 4] {
        match (head[1], head[2]) {
            ("name", "status") => {
                [s.within(1, 999).to_string(), s.any(SERVICES).into(), s.any(&["up", "degraded", "down"]).into(), version(s)]
            }
            ("address", _) => {
                [s.any(HOSTS).into(), format!("192.0.2.{}", s.within(1, 254)), serial(s), s.any(&["rack 4", "DC-A", "closet 2"]).into()]
            }
            ("name", _) => [
                s.within(10_000, 99_999).to_string(),
                s.any(&["ehr", "pacsdb", "postgres", "template1"]).into(),
                s.any(ACCOUNTS).into(),
                format!("{} MB", s.within(7, 9000)),
            ],
            _ => [
                s.any(ACCOUNTS).into(),
                format!("2025-04-{:02} {}", s.within(1, 28), s.clock()),
                format!("198.51.100.{}", s.within(1, 254)),
                s.any(&["admin", "reader", "service"]).into(),
            ],
        }
    };
    let rows: Vec<[String; 4]> = (0..s.within(3, 9)).map(|_| row(s)).collect();
    let width = |n: usize| rows.iter().map(|row| row[n].len()).chain([head[n].len()]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..4).map(width).collect();
    let line = |cells: [&str; 4]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!(" {}", cells.collect::<Vec<_>>().join(" | "))
    };
    s.line(format!("ehr=> {query}"));
    s.line(line(head));
    s.line(widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("+"));
    for row in &rows {
        s.line(line([&row[0], &row[1], &row[2], &row[3]]));
    }
    s.line(format!("({} rows)", rows.len()));
}

/// `nslookup`, `dmidecode`, `systemctl`, `lpq`: labels with other meanings.
pub(super) fn labels(s: &mut Scene) {
    s.command("nslookup pacs01.example.org");
    s.line("Server:         192.0.2.53");
    s.line("Address:        192.0.2.53#53");
    s.line("");
    s.line("Name:   pacs01.example.org");
    s.line(format!("Address: 192.0.2.{}", s.within(2, 250)));
    s.command("dmidecode -t system");
    s.line("System Information");
    s.line(format!("        Manufacturer: {}", s.any(&["Example Systems", "QEMU", "ACME"])));
    s.line("        Product Name: PowerRack R740");
    s.line(format!("        Version: {}", version(s)));
    s.line(format!("        UUID: {}", s.uuid()));
    s.line("        Family: Server");
    s.command("systemctl status ehr-app");
    s.line(t![Text::control("\x1b[0;1;32m"), "●", Text::control("\x1b[0m"), " ehr-app.service - Registration front end"]);
    s.line("     Loaded: loaded (/etc/systemd/system/ehr-app.service; enabled; preset: enabled)");
    s.line(format!("     Active: active (running) since Sat 2025-04-12 {} UTC; 3 days ago", s.clock()));
    s.line(format!("   Main PID: {} (java)", s.within(300, 99_999)));
    s.line(format!("      Tasks: {} (limit: 9412)", s.within(4, 99)));
    s.line(format!("     Memory: {}.{}M", s.within(10, 900), s.roll(9)));
    s.command("lpq");
    s.line("Rank    Owner   Job     File(s)                         Total Size");
    s.line(format!("active  root    {}     labels.zpl                      {} bytes", s.within(10, 999), s.within(1000, 99_999)));
}

/// Manifests and settings.
pub(super) fn manifests(s: &mut Scene) {
    s.command("kubectl get deploy patient-api -o yaml");
    let container = map([
        ("name", word("app")),
        ("image", word(format!("registry.example.org/ehr/api:{}", version(s)))),
        ("ports", list([map([("containerPort", bare("8080"))])])),
    ]);
    let metadata =
        map([("name", word(s.any(SERVICES))), ("namespace", word("ehr")), ("uid", word(s.uuid())), ("resourceVersion", word(s.digits(8)))]);
    let node = map([
        ("apiVersion", word("apps/v1")),
        ("kind", word("Deployment")),
        ("metadata", metadata),
        ("spec", map([("replicas", bare(s.within(1, 9))), ("template", map([("containers", list([container]))]))])),
        ("status", map([("availableReplicas", bare(s.within(0, 4))), ("phase", word("Running"))])),
    ]);
    let paint = s.chance(30);
    if s.chance(50) {
        s.lines(node.yaml(false));
    } else {
        s.lines(node.json_lines(2, paint));
    }
    s.command("curl -s localhost:8080/actuator/info");
    let info: Node = map([
        ("name", word(s.any(SERVICES))),
        ("version", word(version(s))),
        ("address", word("0.0.0.0:8080")),
        ("build", map([("commit", word(s.hex(40))), ("number", bare(s.digits(4)))])),
    ]);
    s.line(info.json(s.chance(50)));
}

/// Messages without a patient: acknowledgements, capabilities.
pub(super) fn messages(s: &mut Scene) {
    s.command("tail ack.log");
    for _ in 0..s.within(2, 5) {
        let (from, to, time) = (s.any(FACILITIES), s.any(FACILITIES), s.clock().replace(':', ""));
        s.line(format!("MSH|^~\\&|LAB|{from}|EPIC|{to}|20250412{time}||ACK^A08|{}|P|2.5.1", s.digits(8)));
        let why = s.any(&["", "Required field missing", "Unknown segment ZPI"]);
        s.line(format!("MSA|{}|{}|{why}", s.any(&["AA", "AE", "AR"]), s.digits(8)));
    }
    let number = s.digits(9);
    s.line(format!("ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *250412*1319*^*00501*{number}*0*P*:~"));
    s.line("ST*999*0001*005010X231A1~AK1*HC*1*005010X222A1~AK9*A*1*1*1~SE*4*0001~");
    s.command("curl -s $FHIR/metadata");
    let parameters =
        list([map([("name", word("birthdate")), ("type", word("date"))]), map([("name", word("family")), ("type", word("string"))])]);
    let capability = map([
        ("resourceType", word("CapabilityStatement")),
        ("status", word("active")),
        ("software", map([("name", word("HAPI FHIR Server")), ("version", word(version(s)))])),
        ("implementation", map([("description", word("Test server")), ("url", word("http://ehr.example.org/fhir"))])),
        (
            "rest",
            list([map([("mode", word("server")), ("resource", list([map([("type", word("Patient")), ("searchParam", parameters)])]))])]),
        ),
    ]);
    s.line(capability.json(false));
}

/// Files of machines and jobs.
pub(super) fn inventories(s: &mut Scene) {
    s.command("cat assets.csv");
    let by = if s.chance(70) { "," } else { "\t" };
    s.line(["asset_tag", "hostname", "model", "location", "status", "last_seen"].join(by));
    for _ in 0..s.within(4, 10) {
        let tag = format!("IT-{}", s.digits(4));
        let seen = format!("2025-04-{:02}", s.within(1, 28));
        let model = s.any(&["R740", "ThinCenter", "Zebra ZD421"]);
        s.line([tag.as_str(), s.any(HOSTS), model, s.any(FACILITIES), s.any(&["ok", "retired"]), &seen].join(by));
    }
    s.command("crontab -l");
    s.line(format!("{} 2 * * * /usr/local/bin/backup.sh --db ehr --keep 14", s.roll(60)));
    s.line("*/5 * * * * /opt/hl7/bin/poll.sh >> /var/log/hl7/poll.log 2>&1");
    s.line("30 4 * * sun find /srv/export -name 'patients_*.csv' -mtime +30 -delete");
}
