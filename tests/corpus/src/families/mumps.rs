//! MUMPS globals as `D ^%G` and ZWRITE show them: VistA's PATIENT file (^DPT, file 2) and its cross references.

use crate::{
    people::{Day, Person},
    scene::Scene,
    t,
    text::Text,
    words::clinical::WARDS,
};

/// FileMan dates: years since 1700, month, day.
fn fileman(day: Day) -> String {
    format!("{}{:02}{:02}", day.0 - 1700, day.1, day.2)
}

fn ssn(p: &Person) -> Text {
    p.ssn().map(|ssn| ssn.replace(['-', ' '], ""))
}

fn nodes(s: &Scene, p: &Person, ien: u64) -> Vec<Text> {
    let name = t![p.last(), ",", p.first()].upper();
    let mut lines = vec![
        t![format!("^DPT({ien},0)=\""), &name, "^", p.sex(), "^", p.born(fileman(p.born)), "^^2^", "^^^", ssn(p), "^^^^^", "1\""],
        t![format!("^DPT({ien},.11)=\""), p.street().upper(), "^^^", p.city().upper(), "^41^", p.zip(), "\""],
        t![format!("^DPT({ien},.13)=\""), p.phone(), "^", p.cell(), "^", p.email(), "\""],
    ];
    if s.chance(60) {
        let kin = p.relative(s);
        lines.push(t![
            format!("^DPT({ien},.21)=\""),
            t![kin.last(), ",", kin.first()].upper(),
            "^SPOUSE^",
            p.street().upper(),
            "^^^",
            p.city().upper(),
            "^41^",
            p.zip(),
            "^",
            kin.phone(),
            "\""
        ]);
    }
    if s.chance(40) {
        lines.push(t![format!("^DPT({ien},.1)=\""), s.any(WARDS), "\""]);
    }
    if s.chance(30) {
        lines.push(t![format!("^DPT({ien},.35)=\""), p.visited(fileman(p.discharged)), "\""]);
    }
    lines
}

pub(super) fn globals(s: &mut Scene) {
    s.line(s.any(&["VISTA>D ^%G", "YDB>ZWR ^DPT", "GTM>zwrite ^DPT(:10)"]));
    s.line("");
    let mut indices = Vec::new();
    for _ in 0..s.within(2, 5) {
        let p = Person::new(s);
        let ien = s.within(2, 90_000);
        s.lines(nodes(s, &p, ien));
        indices.push(t!["^DPT(\"B\",\"", t![p.last(), ",", p.first()].upper(), format!("\",{ien})=\"\"")]);
        indices.push(t!["^DPT(\"SSN\",\"", ssn(&p), format!("\",{ien})=\"\"")]);
        if s.chance(50) {
            indices.push(t![
                "^DPT(\"BS5\",\"",
                Text::ungraded(p.last.chars().take(1).collect::<String>()),
                Text::ungraded(&p.ssn[p.ssn.len() - 4..]),
                format!("\",{ien})=\"\"")
            ]);
        }
    }
    s.lines(indices);
}

/// FileMan's inquire (`DIQ`): captioned output.
pub(super) fn fileman_inquiry(s: &mut Scene) {
    let p = Person::new(s);
    s.line("VISTA>D Q^DI");
    s.line("");
    s.line("OUTPUT FROM WHAT FILE: PATIENT//");
    s.say("Select PATIENT NAME: ");
    s.line(t![p.last(), ",", p.first()].upper());
    s.line("");
    let months = p.born.written(3).to_uppercase();
    let pairs = [
        (t!["NAME: ", t![p.last(), ",", p.first()].upper()], t!["SEX: ", if p.female { "FEMALE" } else { "MALE" }]),
        (t!["DATE OF BIRTH: ", p.born(months)], t!["SOCIAL SECURITY NUMBER: ", ssn(&p)]),
        (t!["STREET ADDRESS [LINE 1]: ", p.street().upper()], t!["CITY: ", p.city().upper()]),
        (t!["PHONE NUMBER [RESIDENCE]: ", p.phone()], t!["WARD LOCATION: ", s.any(WARDS)]),
    ];
    for (left, right) in pairs {
        s.line(t![left.left(40), "  ", right]);
    }
}
