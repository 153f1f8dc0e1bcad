//! Hex dumps. Both columns tell the same: the identifier in hex digits, and in ASCII.

use crate::{
    people::Person,
    scene::Scene,
    t,
    text::{Ink, Text},
    words::people::FACILITIES,
};

/// What is in the file: a message, a record, a data set.
fn content(s: &Scene) -> Text {
    let p = Person::new(s);
    match s.shape(5) {
        0 => t![
            "MSH|^~\\&|ADT1|",
            s.any(FACILITIES),
            "|LAB||20250412||ADT^A08|1|P|2.3\rPID|1||",
            p.mrn(),
            "^^^H^MR||",
            p.parts('^').upper(),
            "||",
            p.born(p.born.digits()),
            "|",
            p.sex(),
            "|||",
            p.street(),
            "^^",
            p.city(),
            "^",
            p.state(),
            "^",
            p.zip(),
            "||",
            p.phone(),
            "\r"
        ],
        1 => t![
            "{\"mrn\":\"",
            p.mrn(),
            "\",\"last_name\":\"",
            p.last(),
            "\",\"first_name\":\"",
            p.first(),
            "\",\"dob\":\"",
            p.born(p.born.iso()),
            "\",\"ssn\":\"",
            p.ssn(),
            "\"}\n"
        ],
        2 => t!["mrn,last_name,first_name,phone\n", p.mrn(), ",", p.last(), ",", p.first(), ",", p.phone(), "\n"],
        3 => t![
            "NM1*IL*1*",
            p.last().upper(),
            "*",
            p.first().upper(),
            "****MI*",
            p.plan(),
            "~N3*",
            p.street().upper(),
            "~DMG*D8*",
            p.born(p.born.digits()),
            "*",
            p.sex(),
            "~"
        ],
        _ => t!["Patient Name: ", p.name(0), "\nMRN: ", p.mrn(), "\nDOB: ", p.born(p.born.written(1)), "\nPhone: ", p.phone(), "\n"],
    }
}

fn bytes(text: &Text) -> Vec<(u8, Ink)> {
    text.runs().iter().flat_map(|run| run.text.bytes().map(|byte| (byte, run.ink))).collect()
}

fn hex(row: &[(u8, Ink)], group: usize, upper: bool) -> Text {
    let mut text = Text::default();
    for (n, (byte, ink)) in row.iter().enumerate() {
        if n > 0 && n % group == 0 {
            text.push(" ");
        }
        let digits = if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
        text.push(Text::of_chars(digits.chars().map(|c| (c, *ink))));
    }
    text
}

fn ascii(row: &[(u8, Ink)]) -> Text {
    Text::of_chars(row.iter().map(|(byte, ink)| (if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' }, *ink)))
}

/// `00000010: 4142 4344 ...  ABCD...`
pub(super) fn xxd(s: &mut Scene) {
    s.command(s.any(&["xxd in.hl7 | head -40", "xxd -l 512 payload.bin"]));
    let text = content(s);
    let upper = s.chance(15);
    // The columns are two identifiers each: one could be masked and the other forgotten.
    for (n, (row, again)) in bytes(&text).chunks(16).zip(bytes(&text.again()).chunks(16)).enumerate() {
        s.line(t![format!("{:08x}: ", n * 16), hex(row, 2, upper).left(39), "  ", ascii(again)]);
    }
}

/// `00000010  41 42 43 44 ...  |ABCD...|`
pub(super) fn hexdump(s: &mut Scene) {
    s.command(s.any(&["hexdump -C in.hl7 | head -40", "hd payload.bin"]));
    let text = content(s);
    for (n, (row, again)) in bytes(&text).chunks(16).zip(bytes(&text.again()).chunks(16)).enumerate() {
        let halves = if row.len() > 8 { t![hex(&row[..8], 1, false), "  ", hex(&row[8..], 1, false)] } else { hex(row, 1, false) };
        s.line(t![format!("{:08x}  ", n * 16), halves.left(48), "  |", ascii(again), "|"]);
    }
    s.line(format!("{:08x}", bytes(&text).len()));
}

/// Packets: `tcpdump -X`.
pub(super) fn tcpdump(s: &mut Scene) {
    s.command("tcpdump -X -r mllp.pcap port 2575");
    s.line(format!(
        "{}.{} IP 192.0.2.17.51122 > 192.0.2.9.2575: Flags [P.], seq 1:412, ack 1, win 502, length 411",
        s.clock(),
        s.digits(6)
    ));
    let text = content(s);
    for (n, (row, again)) in bytes(&text).chunks(16).zip(bytes(&text.again()).chunks(16)).enumerate() {
        s.line(t![format!("\t0x{:04x}:  ", n * 16), hex(row, 2, false).left(39), "  ", ascii(again)]);
    }
}
