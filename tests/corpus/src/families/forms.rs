//! Forms with labels: one or two to a line, dotted, boxed, in columns; wristbands, face sheets, fax covers.

use crate::{
    people::{Day, Person},
    scene::Scene,
    t,
    table::{entry, fields},
    text::Text,
    words::{
        clinical::{PROBLEMS, STATUS, WARDS},
        fields::Field,
    },
};

const TITLES: &[&str] =
    &["PATIENT REGISTRATION", "FACE SHEET", "Patient Information", "ADMISSION RECORD", "DEMOGRAPHICS", "Registration Summary"];

fn entries(s: &Scene, p: &Person, most: usize) -> Vec<(String, Text)> {
    fields(s, most)
        .into_iter()
        .filter(|field| *field != Field::RowId)
        .map(|field| entry(s, p, field))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

/// `Label: value`, aligned or not.
pub(super) fn labelled(s: &mut Scene) {
    s.command(s.any(&["lpq -v | head -40", "cat facesheet.txt", "pdftotext -layout admit.pdf - | head"]));
    let p = Person::new(s);
    s.line(s.pick(TITLES));
    let width = if s.chance(50) { 26 } else { 0 };
    let by = s.pick(&[": ", ":", " : ", ":  "]);
    for (label, value) in entries(s, &p, 14) {
        s.line(t![Text::from(label).left(width), by, value]);
    }
}

pub(super) fn dotted(s: &mut Scene) {
    s.command("cat intake.txt");
    let p = Person::new(s);
    let fill = s.pick(&['.', '_', '-', '.']);
    for (label, value) in entries(s, &p, 12) {
        let dots: String = std::iter::repeat_n(fill, 30_usize.saturating_sub(label.len())).collect();
        s.line(t![label, if fill == '.' { " " } else { ": " }, dots, " ", value]);
    }
}

/// Two entries to a line, as face sheets print.
pub(super) fn two_columns(s: &mut Scene) {
    s.command("lp -d screen facesheet");
    let p = Person::new(s);
    let title = s.pick(TITLES);
    s.line(Text::from(title).centred(80));
    s.line("=".repeat(78));
    let entries = entries(s, &p, 14);
    for pair in entries.chunks(2) {
        let cells = pair.iter().map(|(label, value)| t![t![label, ": ", value].left(38), "  "]);
        s.line(Text::join(cells, ""));
    }
}

/// The label above its value, as tables of forms are.
pub(super) fn above(s: &mut Scene) {
    s.command("cat scan_0412.txt");
    let p = Person::new(s);
    s.line(s.pick(TITLES));
    let entries = entries(s, &p, 12);
    for group in entries.chunks(3) {
        let widths: Vec<usize> = group.iter().map(|(label, value)| label.len().max(value.width()) + 4).collect();
        s.line(Text::join(group.iter().zip(&widths).map(|((label, _), width)| Text::from(label).left(*width)), ""));
        s.line(Text::join(group.iter().zip(&widths).map(|((_, value), width)| value.clone().left(*width)), ""));
        s.line("");
    }
}

pub(super) fn boxed(s: &mut Scene) {
    let p = Person::new(s);
    let wide = 76;
    s.command("regviewer --text 813");
    s.line(format!("┌{}┐", "─".repeat(wide)));
    let title = s.pick(TITLES);
    s.line(t!["│", Text::control("\x1b[1m"), Text::from(title).centred(wide), Text::control("\x1b[0m"), "│"]);
    s.line(format!("├{}┤", "─".repeat(wide)));
    for pair in entries(s, &p, 12).chunks(2) {
        let cells = pair.iter().map(|(label, value)| {
            t![Text::control("\x1b[36m"), label, ":", Text::control("\x1b[0m"), " ", value].cut(wide / 2 - 1).left(wide / 2 - 1)
        });
        s.line(t!["│ ", Text::join(cells, " ").left(wide - 2), " │"]);
    }
    s.line(format!("└{}┘", "─".repeat(wide)));
}

/// Wristbands and specimen labels: hardly any words.
pub(super) fn wristband(s: &mut Scene) {
    s.command("lpstat -o zebra-4; cat /var/spool/zpl/last.txt");
    for _ in 0..s.within(1, 4) {
        let p = Person::new(s);
        let shape = s.shape(3);
        let day = p.born.written(Day::written_shape(s));
        s.line(match shape {
            0 => t![p.name(2), "  ", p.sex(), "  DOB: ", p.born(day)],
            1 => t![p.name(0), "   DOB ", p.born(day), "  (", p.sex(), ")"],
            _ => t!["PT: ", p.name(6), " / ", p.sex(), " / ", p.born(day)],
        });
        s.line(t![s.any(&["MRN ", "MRN: ", "MR# "]), p.mrn(), "   ", s.any(&["ACCT ", "FIN ", "Acct#: "]), p.account()]);
        s.line(t![s.any(WARDS), "  Adm: ", p.visited(p.admitted.written(1)), "  ", s.any(STATUS)]);
        s.line("");
    }
}

/// A schedule or worklist read down the page.
pub(super) fn worklist(s: &mut Scene) {
    s.command("schedule --clinic cardiology --today");
    s.line("Cardiology Clinic    12-APR-2025");
    for hour in 8..8 + s.within(3, 8) {
        let p = Person::new(s);
        let name = p.name(s.shape(Person::NAMES));
        s.line(t![
            format!("{hour:02}:{:02}  ", s.any(&[0, 15, 30, 45])),
            name.left(28),
            " ",
            p.mrn().left(12),
            t![" ", p.age(), s.any(&["F", "M"])].left(6),
            p.phone().left(18),
            s.any(PROBLEMS)
        ]);
    }
}

/// One record in a line of labels.
pub(super) fn banner(s: &mut Scene) {
    s.command("chart --banner");
    for _ in 0..s.within(2, 6) {
        let p = Person::new(s);
        let by = s.pick(&["  ", " | ", "; ", ", "]);
        let entries: Vec<Text> = entries(s, &p, 5).into_iter().map(|(label, value)| t![label, ": ", value]).collect();
        s.line(Text::join(entries, by));
    }
}
