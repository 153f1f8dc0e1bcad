//! HL7 v2.5.1 messages (chapters 2, 3, 4, 6, 7, 10), as interface engines, files and logs show them.

use crate::{
    kind::Kind,
    people::{Day, Person, phone},
    scene::Scene,
    t,
    text::Text,
    words::{
        clinical::{ICD, LOINC, PROBLEMS, STUDIES, TESTS, WARDS},
        people::{FACILITIES, PAYERS, PROVIDERS, PROVIDERS_GIVEN, RELATIONS},
    },
};

/// MSH-1 and MSH-2: field, component, repetition, escape, subcomponent.
#[derive(Debug, Clone, Copy)]
struct Marks {
    field: char,
    part: char,
    again: char,
    escape: char,
    sub: char,
}

const USUAL: Marks = Marks { field: '|', part: '^', again: '~', escape: '\\', sub: '&' };
const ODD: &[Marks] = &[
    Marks { field: '#', part: '*', again: '~', escape: '\\', sub: '&' },
    Marks { field: '|', part: ':', again: '~', escape: '\\', sub: '&' },
    Marks { field: '!', part: '@', again: '~', escape: '\\', sub: '&' },
    Marks { field: '|', part: '~', again: '^', escape: '\\', sub: '&' },
    Marks { field: ';', part: '^', again: '%', escape: '\\', sub: '&' },
    Marks { field: '|', part: '$', again: '*', escape: '/', sub: '%' },
];

/// Fields from number 1.
fn segment(m: Marks, name: &str, fields: &[(usize, Text)]) -> Text {
    let last = fields.iter().map(|(n, _)| *n).max().unwrap_or(0);
    let mut text = t![name];
    for n in 1..=last {
        text.push(m.field);
        if let Some((_, value)) = fields.iter().find(|(at, _)| *at == n) {
            text.push(value);
        }
    }
    text
}

fn parts(m: Marks, values: Vec<Text>) -> Text {
    Text::join(values, &m.part.to_string())
}

fn moment(s: &Scene) -> Text {
    Text::ungraded(format!("{}{}", Day::any(s, 2024, 2025).digits(), s.clock().replace(':', "")))
}

fn doctor(s: &Scene, m: Marks) -> Text {
    let text = [s.digits(10), s.any(PROVIDERS).to_uppercase(), s.any(PROVIDERS_GIVEN).to_uppercase()].join(&m.part.to_string());
    Text::ungraded(text)
}

fn msh(s: &Scene, m: Marks, event: &str) -> Text {
    let Marks { field: f, part, again, escape, sub } = m;
    let (from, to) =
        (s.any(&["EPIC", "CERNER", "MEDITECH", "SUNQUEST", "ADT1", "RIS"]), s.any(&["LAB", "PACS", "MIRTH", "BILLING", "RHAPSODY"]));
    let site = s.any(FACILITIES);
    let event = event.replace('^', &part.to_string());
    t![
        format!("MSH{f}{part}{again}{escape}{sub}{f}{from}{f}{site}{f}{to}{f}{site}{f}"),
        moment(s),
        format!("{f}{f}{event}{f}"),
        Text::ungraded(s.digits(8)),
        format!("{f}P{f}{}", s.any(&["2.3", "2.5.1", "2.4", "2.5"]))
    ]
}

fn name(m: Marks, p: &Person, upper: bool) -> Text {
    let mut text = p.parts(m.part);
    if !p.suffix.is_empty() && !p.middle.is_empty() {
        text.push(m.part);
        text.push(Text::label(Kind::Name, &p.suffix));
    }
    if upper { text.upper() } else { text }
}

fn address(m: Marks, p: &Person) -> Text {
    let by = &Text::ungraded(m.part.to_string());
    t![p.street(), by, by, p.city(), by, p.state(), by, p.zip(), m.part, "USA"]
}

fn pid(s: &Scene, m: Marks, p: &Person, upper: bool) -> Text {
    let site = s.any(FACILITIES);
    let mut ids = parts(m, vec![p.mrn(), "".into(), "".into(), site.into(), "MR".into()]);
    if s.chance(35) {
        ids.push(m.again);
        ids.push(parts(m, vec![Text::label(Kind::Ssn, &p.ssn), "".into(), "".into(), "USA".into(), "SS".into()]));
    }
    let mut phones = parts(m, vec![p.phone(), "PRN".into(), "PH".into()]);
    if s.chance(30) {
        phones = parts(m, vec![p.phone(), "PRN".into(), "PH".into(), p.email()]);
    }
    let mut fields = vec![
        (1, "1".into()),
        (3, ids),
        (5, name(m, p, upper)),
        (7, p.born(p.born.digits())),
        (8, p.sex().into()),
        (11, address(m, p)),
        (13, phones),
        (16, s.any(&["M", "S", "D", "W"]).into()),
        (18, p.account()),
        (19, p.ssn()),
    ];
    if s.chance(30) {
        fields.push((2, p.plan()));
    }
    if s.chance(30) {
        fields.push((14, p.cell()));
    }
    if s.chance(25) {
        fields.push((6, p.relative(s).parts(m.part)));
    }
    if s.chance(25) {
        fields.push((9, Person { first: p.relative(s).first, ..p.clone() }.parts(m.part)));
    }
    if s.chance(20) {
        fields.push((20, parts(m, vec![Text::label(Kind::Licence, &p.licence), p.state()])));
    }
    if s.chance(15) {
        fields.push((29, p.visited(p.discharged.digits())));
    }
    segment(m, "PID", &fields)
}

fn pv1(s: &Scene, m: Marks, p: &Person) -> Text {
    let bed = parts(m, vec![s.any(WARDS).into(), s.within(100, 599).into(), s.any(&["A", "B", "1"]).into(), s.any(FACILITIES).into()]);
    let time = format!("{:02}{:02}", s.roll(24), s.roll(60));
    let stamp = |day: Day| t![p.visited(day.digits()), Text::ungraded(&time)];
    let mut fields = vec![
        (1, "1".into()),
        (2, s.any(&["I", "O", "E", "P"]).into()),
        (3, bed),
        (7, doctor(s, m)),
        (10, s.any(&["MED", "SUR", "CAR", "OBS"]).into()),
        (19, p.visit()),
        (44, stamp(p.admitted)),
    ];
    if s.chance(40) {
        fields.push((45, stamp(p.discharged)));
    }
    segment(m, "PV1", &fields)
}

fn nk1(s: &Scene, m: Marks, p: &Person, upper: bool) -> Text {
    let kin = p.relative(s);
    segment(
        m,
        "NK1",
        &[
            (1, "1".into()),
            (2, name(m, &kin, upper)),
            (3, s.any(RELATIONS).into()),
            (4, address(m, p)),
            (5, Text::label(Kind::Phone, phone(s))),
        ],
    )
}

fn insurance(s: &Scene, m: Marks, p: &Person, upper: bool) -> Text {
    let payer = s.any(PAYERS);
    segment(
        m,
        "IN1",
        &[
            (1, "1".into()),
            (2, s.digits(3).into()),
            (4, payer.into()),
            (16, name(m, p, upper)),
            (17, "SELF".into()),
            (18, p.born(p.born.digits())),
            (19, address(m, p)),
            (36, p.plan()),
        ],
    )
}

fn guarantor(s: &Scene, m: Marks, p: &Person, upper: bool) -> Text {
    segment(m, "GT1", &[(1, "1".into()), (3, name(m, &p.relative(s), upper)), (5, address(m, p)), (6, p.phone()), (12, p.ssn())])
}

fn evn(s: &Scene, m: Marks, event: &str) -> Text {
    segment(m, "EVN", &[(1, event.into()), (2, moment(s))])
}

fn results(s: &Scene, m: Marks) -> Vec<Text> {
    let number = s.digits(7);
    let mut lines = vec![segment(
        m,
        "OBR",
        &[
            (1, "1".into()),
            (2, Text::ungraded(format!("P{number}"))),
            (3, Text::ungraded(format!("F{number}"))),
            (4, parts(m, vec![s.any(LOINC).into(), "PANEL".into(), "LN".into()])),
            (7, moment(s)),
            (16, doctor(s, m)),
            (25, "F".into()),
        ],
    )];
    for n in 1..=s.within(2, 6) {
        let (test, unit, low, high, range) = s.any(TESTS);
        lines.push(segment(
            m,
            "OBX",
            &[
                (1, n.into()),
                (2, "NM".into()),
                (3, parts(m, vec![s.any(LOINC).into(), test.into(), "LN".into()])),
                (5, crate::table::decimal(s.within(low, high)).into()),
                (6, unit.replace('*', "").into()),
                (7, range.into()),
                (8, s.any(&["N", "H", "L", ""]).into()),
                (11, "F".into()),
            ],
        ));
    }
    lines
}

/// A message's segments.
fn message(s: &Scene, m: Marks) -> Vec<Text> {
    let p = Person::new(s);
    let upper = s.chance(60);
    let mut lines = Vec::new();
    match s.roll(5) {
        0 | 1 => {
            let event = s.any(&["A01", "A03", "A04", "A08", "A31", "A28"]);
            lines.extend([msh(s, m, &format!("ADT^{event}")), evn(s, m, event), pid(s, m, &p, upper)]);
            if s.chance(60) {
                lines.push(nk1(s, m, &p, upper));
            }
            lines.push(pv1(s, m, &p));
            if s.chance(50) {
                lines.push(segment(
                    m,
                    "DG1",
                    &[(1, "1".into()), (3, parts(m, vec![s.any(ICD).into(), s.any(PROBLEMS).into(), "I10".into()]))],
                ));
            }
            if s.chance(30) {
                lines.push(guarantor(s, m, &p, upper));
            }
            if s.chance(50) {
                lines.push(insurance(s, m, &p, upper));
            }
        }
        2 => {
            lines.extend([msh(s, m, "ORU^R01"), pid(s, m, &p, upper), pv1(s, m, &p)]);
            lines.extend(results(s, m));
        }
        3 => {
            lines.extend([msh(s, m, "ORM^O01"), pid(s, m, &p, upper), pv1(s, m, &p)]);
            lines.push(segment(m, "ORC", &[(1, "NW".into()), (2, Text::ungraded(s.digits(8))), (9, moment(s)), (12, doctor(s, m))]));
            lines.push(segment(
                m,
                "OBR",
                &[
                    (1, "1".into()),
                    (2, Text::ungraded(s.digits(8))),
                    (4, parts(m, vec![s.digits(5).into(), s.any(STUDIES).into()])),
                    (16, doctor(s, m)),
                ],
            ));
        }
        _ => {
            lines.push(msh(s, m, "SIU^S12"));
            lines.push(segment(
                m,
                "SCH",
                &[
                    (1, Text::ungraded(s.digits(7))),
                    (7, s.any(&["FOLLOW UP", "NEW PATIENT", "CONSULT"]).into()),
                    (9, 30u64.into()),
                    (10, "MIN".into()),
                ],
            ));
            lines.extend([pid(s, m, &p, upper), pv1(s, m, &p)]);
            lines.push(segment(m, "AIL", &[(1, "1".into()), (3, s.any(WARDS).into())]));
        }
    }
    lines
}

pub(super) fn lines(s: &mut Scene) {
    s.command(s.any(&["tr '\\r' '\\n' < adt_in.hl7", "sed 's/\\r/\\n/g' /var/spool/hl7/in/0412.hl7", "hl7cat last.hl7"]));
    for _ in 0..s.within(1, 3) {
        s.lines(message(s, USUAL));
        s.line("");
    }
}

pub(super) fn odd_marks(s: &mut Scene) {
    let m = s.pick(ODD);
    s.command("tr '\\r' '\\n' < odd.hl7");
    for _ in 0..s.within(1, 2) {
        s.lines(message(s, m));
        s.line("");
    }
}

/// What `cat` makes of a file: each segment ends with a carriage return only.
pub(super) fn bare_returns(s: &mut Scene) {
    s.command("cat /var/spool/hl7/in/adt_0412.hl7");
    let m = if s.chance(80) { USUAL } else { s.pick(ODD) };
    for segment in message(s, m) {
        s.say(t![segment, "\r"]);
    }
    s.say("\n");
}

/// The same with its returns made visible: `cat -v`, `less`, an engine's escapes.
pub(super) fn visible_returns(s: &mut Scene) {
    let end = s.pick(&["^M", "\\r", "<CR>", "\\x0D", "\\X0D\\", "<0x0d>"]);
    let (begin, stop) = if s.chance(40) { s.any(&[("^K", "^\\^M"), ("<VT>", "<FS><CR>"), ("\\x0B", "\\x1C\\x0D")]) } else { ("", "") };
    s.command("cat -v adt_0412.hl7");
    for _ in 0..s.within(1, 2) {
        s.line(t![begin, Text::join(message(s, USUAL), end), end, stop]);
    }
}

/// A log that quotes messages, each on one line or segments on their own behind the logger's front.
pub(super) fn logged(s: &mut Scene) {
    s.command(s.any(&["tail -f /opt/mirth/logs/mirth.log", "journalctl -u hl7-listener -n 40", "tail -n 50 interface.log"]));
    let joined = s.pick(&["\\r", " ", "<cr>", "\\n"]);
    for _ in 0..s.within(1, 4) {
        let front = match s.shape(4) {
            0 => format!("2025-04-12 {},{} INFO  (adt-in:{}) ", s.clock(), s.digits(3), s.within(1, 40)),
            1 => format!("Apr 12 {} iface-1 hl7-listener[{}]: ", s.clock(), s.within(300, 30_000)),
            2 => format!("[{}] DEBUG MLLP RX: ", s.clock()),
            _ => format!("2025-04-12T{}.{}Z [pool-3-thread-{}] TRACE received: ", s.clock(), s.digits(3), s.roll(9)),
        };
        if s.chance(70) {
            s.line(t![front, Text::join(message(s, USUAL), joined)]);
        } else {
            s.line(t![&front, "message follows"]);
            for segment in message(s, USUAL) {
                s.line(t![&front, segment]);
            }
        }
        s.line(format!("2025-04-12 {},{} INFO  ACK AA sent in {} ms", s.clock(), s.digits(3), s.within(2, 90)));
    }
}

/// Field by field, as viewers and parsers print a message.
pub(super) fn pretty(s: &mut Scene) {
    let p = Person::new(s);
    let m = USUAL;
    let shape = s.shape(4);
    s.command("hl7dump adt_0412.hl7");
    let mut fields: Vec<(&str, &str, Text)> = vec![
        ("MSH.9", "Message Type", "ADT^A08".into()),
        ("MSH.10", "Message Control ID", Text::ungraded(s.digits(8))),
        ("PID.3", "Patient Identifier List", t![p.mrn(), "^^^", s.any(FACILITIES), "^MR"]),
        ("PID.5", "Patient Name", name(m, &p, true)),
        ("PID.7", "Date/Time of Birth", p.born(p.born.digits())),
        ("PID.8", "Administrative Sex", p.sex().into()),
        ("PID.11", "Patient Address", address(m, &p)),
        ("PID.13", "Phone Number - Home", p.phone()),
        ("PID.18", "Patient Account Number", p.account()),
        ("PID.19", "SSN Number - Patient", p.ssn()),
        ("PV1.2", "Patient Class", "I".into()),
        ("PV1.3", "Assigned Patient Location", s.any(WARDS).into()),
        ("PV1.19", "Visit Number", p.visit()),
        ("PV1.44", "Admit Date/Time", p.visited(p.admitted.digits())),
    ];
    if s.chance(50) {
        fields.remove(8);
    }
    for (code, title, value) in fields {
        let dash = code.replace('.', "-");
        s.line(match shape {
            0 => t![Text::from(code).left(8), Text::from(title).left(28), ": ", value],
            1 => t![Text::from(dash).left(8), "(", title, ") = ", value],
            2 => t!["  ", code, " ", title, ": [", value, "]"],
            _ => t![dash, "\t", value],
        });
    }
}
