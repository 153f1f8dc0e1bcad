//! Data by key: JSON, YAML, XML, INI, properties, environment, Python's repr.

use crate::{
    people::Person,
    scene::Scene,
    t,
    table::{Manner, fields, value},
    text::Text,
    tree::{Node, bare, map, word},
    words::fields::{Field, columns},
};

fn is_number(field: Field) -> bool {
    matches!(field, Field::RowId | Field::Value | Field::Count | Field::Age | Field::Flag)
}

fn record(s: &Scene, most: usize) -> Vec<(String, Text, bool)> {
    let p = Person::new(s);
    let manner = Manner::stored(s);
    fields(s, most)
        .into_iter()
        .map(|field| (s.pick(columns(field)).to_owned(), value(s, &p, field, manner), is_number(field)))
        .filter(|(_, value, _)| !value.is_empty())
        .collect()
}

fn node(s: &Scene, most: usize) -> Node {
    let entries = record(s, most);
    let deep = s.chance(35);
    let (mut flat, mut nested) = (Vec::new(), Vec::new());
    for (key, value, number) in entries {
        let leaf = if number && value.visible().chars().all(|c| c.is_ascii_digit() || c == '.') { bare(value) } else { word(value) };
        if deep && s.chance(60) { nested.push((key, leaf)) } else { flat.push((key, leaf)) }
    }
    if !nested.is_empty() {
        flat.push((s.pick(&["patient", "demographics", "person", "subject", "pt", "subscriber"]).to_owned(), Node::Map(nested)));
    }
    Node::Map(flat)
}

pub(super) fn json(s: &mut Scene) {
    s.command(s.any(&["curl -s localhost:3000/api/patients?limit=3 | jq", "cat /tmp/payload.json", "jq . queue/000412.json"]));
    let nodes = (0..s.within(1, 3)).map(|_| node(s, 9)).collect::<Vec<_>>();
    let paint = s.chance(30);
    let all = map([("status", word("ok")), ("count", bare(nodes.len())), (s.any(&["data", "results", "patients"]), Node::List(nodes))]);
    s.lines(all.json_lines(s.any(&[2, 4]), paint));
}

pub(super) fn json_lines(s: &mut Scene) {
    if s.chance(40) {
        s.without_terminal();
    }
    s.command("tail -n 5 /var/log/app/audit.ndjson");
    let loose = s.chance(40);
    for _ in 0..s.within(2, 6) {
        let Node::Map(mut entries) = node(s, 8) else { return };
        let mut all = vec![
            (s.any(&["ts", "@timestamp", "time"]).to_owned(), word(Text::ungraded(format!("2025-04-12T{}.{}Z", s.clock(), s.digits(3))))),
            ("level".to_owned(), word(s.any(&["info", "warn", "debug"]))),
            ("msg".to_owned(), word(s.any(&["record saved", "lookup", "merge candidate", "push to billing", "cache miss"]))),
        ];
        all.append(&mut entries);
        s.line(Node::Map(all).json(loose));
    }
}

pub(super) fn yaml(s: &mut Scene) {
    s.command("cat fixtures/person.yml");
    let quotes = s.chance(40);
    let nodes = (0..s.within(1, 3)).map(|_| node(s, 9)).collect();
    s.line("---");
    s.lines(map([(s.any(&["patients", "people", "records"]), Node::List(nodes))]).yaml(quotes));
}

pub(super) fn xml(s: &mut Scene) {
    s.command("xmllint --format export.xml");
    s.line("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    s.line("<export version=\"3.2.1\">");
    for _ in 0..s.within(1, 3) {
        let one = node(s, 9);
        if s.chance(70) {
            s.lines(one.xml(s.any(&["patient", "Patient", "record", "person"]), 1));
        } else {
            let mut line = t!["  <Patient"];
            for (key, value, _) in record(s, 6) {
                line.push(t![" ", key, "=\"", value, "\""]);
            }
            s.line(t![line, "/>"]);
        }
    }
    s.line("</export>");
}

pub(super) fn ini(s: &mut Scene) {
    s.command("cat /etc/worklist/last_patient.ini");
    let by = s.pick(&["=", " = ", ": ", " : "]);
    for n in 1..=s.within(1, 3) {
        s.line(format!("[{}{n}]", s.pick(&["patient", "Record", "person"])));
        for (key, value, _) in record(s, 9) {
            s.line(t![key, by, value]);
        }
        s.line("");
    }
}

/// `export`, systemd's environment, Java properties: keys in capitals or with dots.
pub(super) fn environment(s: &mut Scene) {
    s.command("env | grep -i pat");
    let shape = s.shape(3);
    for (key, value, _) in record(s, 9) {
        let spaced = value.visible().contains([' ', '\'']);
        s.line(match shape {
            0 => t![key.to_uppercase(), "=", if spaced { t!["\"", value, "\""] } else { value }],
            1 => t!["patient.", key, "=", value],
            _ => t!["export ", key.to_uppercase(), "=\"", value, "\""],
        });
    }
}

/// A debugger's or an interpreter's way: dicts, structs, maps.
pub(super) fn repr(s: &mut Scene) {
    let shape = s.shape(4);
    s.line(s.any(&[">>> print(row)", ">>> p.__dict__", "(Pdb) pp row", "irb> puts Patient.last.inspect"]));
    for _ in 0..s.within(1, 3) {
        let entries = record(s, 8);
        let quote = |value: Text, number: bool| if number { value } else { t!["'", value, "'"] };
        s.line(match shape {
            0 => t!["{", Text::join(entries.into_iter().map(|(key, value, number)| t!["'", key, "': ", quote(value, number)]), ", "), "}"],
            1 => t!["Patient(", Text::join(entries.into_iter().map(|(key, value, number)| t![key, "=", quote(value, number)]), ", "), ")"],
            2 => t!["#<Patient ", Text::join(entries.into_iter().map(|(key, value, _)| t![key, ": \"", value, "\""]), ", "), ">"],
            _ => t!["Patient{", Text::join(entries.into_iter().map(|(key, value, _)| t![key, "=", value]), ", "), "}"],
        });
    }
}
