//! `grep` and `rg` with colours: the match is cut out of the value by escape sequences.

use crate::{
    people::Person,
    scene::Scene,
    t,
    text::{Ink, Text},
    words::fields::{Field, columns, labels},
};

/// Paints the columns from `from` to `to`.
fn painted(text: &Text, from: usize, to: usize, on: &str, off: &str) -> Text {
    let mut out = Text::default();
    for (n, (c, ink)) in text.chars().enumerate() {
        if n == from {
            out.push(Text::control(on));
        }
        if n == to {
            out.push(Text::control(off));
        }
        out.push(Text::of_chars([(c, ink)]));
    }
    if to >= text.chars().count() {
        out.push(Text::control(off));
    }
    out
}

/// A line of a file, and the value searched for in it.
fn source(s: &Scene, p: &Person) -> Text {
    let (mrn, last, birth) = (s.pick(columns(Field::Mrn)), s.pick(columns(Field::Last)), s.pick(columns(Field::Birth)));
    match s.shape(6) {
        0 => t!["MRN: ", p.mrn(), "  Name: ", p.last(), ", ", p.first()],
        1 => t![mrn, "=", p.mrn(), " ", last, "=", p.last(), " ", birth, "=", p.born(p.born.iso())],
        2 => t!["\"", last, "\": \"", p.last(), "\", \"", birth, "\": \"", p.born(p.born.iso()), "\""],
        3 => t!["PID|1||", p.mrn(), "^^^H^MR||", p.parts('^').upper(), "||", p.born(p.born.digits()), "|", p.sex()],
        4 => t![s.pick(labels(Field::Phone)), ": ", p.phone(), "   ", s.pick(labels(Field::FullName)), ": ", p.name(0)],
        _ => t!["(0010,0010) PN [", p.parts('^'), "]"],
    }
}

pub(super) fn coloured(s: &mut Scene) {
    let style = s.shape(3);
    s.command(s.any(&["grep -rn --color 'mrn' /srv/hl7", "rg -i name exports/", "zgrep --color=always -i smith *.gz"]));
    for _ in 0..s.within(4, 12) {
        let p = Person::new(s);
        let text = source(s, &p);
        // Something in the line is the match: often part of an identifier.
        let labelled: Vec<usize> =
            text.chars().enumerate().filter(|(_, (_, ink))| matches!(ink, Ink::Label { .. })).map(|(n, _)| n).collect();
        let from = if s.chance(70) { labelled[s.roll(labelled.len() as u64) as usize] } else { s.roll(5) as usize };
        let to = from + s.within(2, 7) as usize;
        let file = s.any(&["/srv/hl7/in/0412.hl7", "exports/patients.csv", "app.log", "queue/7.json"]);
        let n = s.within(1, 900);
        s.line(match style {
            0 => t![
                Text::control("\x1b[35m\x1b[K"),
                file,
                Text::control("\x1b[m\x1b[K\x1b[36m\x1b[K"),
                ":",
                Text::control("\x1b[m\x1b[K\x1b[32m\x1b[K"),
                n,
                Text::control("\x1b[m\x1b[K\x1b[36m\x1b[K"),
                ":",
                Text::control("\x1b[m\x1b[K"),
                painted(&text, from, to, "\x1b[01;31m\x1b[K", "\x1b[m\x1b[K")
            ],
            1 => t![
                Text::control("\x1b[0m\x1b[32m"),
                n,
                Text::control("\x1b[0m"),
                ":",
                painted(&text, from, to, "\x1b[0m\x1b[1m\x1b[31m", "\x1b[0m")
            ],
            _ => t![file, ":", painted(&text, from, to, "\x1b[7m", "\x1b[27m")],
        });
    }
}

/// `diff`, `git diff`: a sign in front, colours around.
pub(super) fn diff(s: &mut Scene) {
    s.command("diff -u --color old.csv new.csv");
    s.line(t![Text::control("\x1b[1m"), "--- old.yml\t2025-04-11", Text::control("\x1b[0m")]);
    s.line(t![Text::control("\x1b[1m"), "+++ new.yml\t2025-04-12", Text::control("\x1b[0m")]);
    s.line(t![Text::control("\x1b[36m"), "@@ -1,6 +1,6 @@", Text::control("\x1b[0m")]);
    let p = Person::new(s);
    let q = Person { street: Person::new(s).street, phone: Person::new(s).phone, ..p.clone() };
    let (phone, street) = (s.pick(columns(Field::Phone)), s.pick(columns(Field::Street)));
    s.line(t![" ", s.pick(columns(Field::Mrn)), ": ", p.mrn()]);
    s.line(t![" ", s.pick(columns(Field::FullName)), ": ", p.name(0)]);
    s.line(t![Text::control("\x1b[31m"), "-", phone, ": ", p.phone(), Text::control("\x1b[0m")]);
    s.line(t![Text::control("\x1b[31m"), "-", street, ": ", p.street(), Text::control("\x1b[0m")]);
    s.line(t![Text::control("\x1b[32m"), "+", phone, ": ", q.phone(), Text::control("\x1b[0m")]);
    s.line(t![Text::control("\x1b[32m"), "+", street, ": ", q.street(), Text::control("\x1b[0m")]);
}
