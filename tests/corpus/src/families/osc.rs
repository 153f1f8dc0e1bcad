//! Operating system commands and device strings that carry identifiers beside the text: none may come out.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{people::Person, scene::Scene, t, text::Text};

fn payload(s: &mut Scene, p: &Person) {
    let end = s.pick(&["\x07", "\x1b\\", "\x07"]);
    match s.roll(6) {
        0 => s.payload("\x1b]0;", &format!("Chart {}, {} ({})", p.last, p.first, p.mrn), end),
        1 => s.payload("\x1b]2;", &format!("{} {} DOB {}", p.first, p.last, p.born.iso()), end),
        2 => s.payload("\x1b]52;c;", &STANDARD.encode(format!("{} {} {}", p.mrn, p.last, p.ssn)), end),
        3 => s.payload("\x1b]1337;SetUserVar=patient=", &STANDARD.encode(&p.mrn), end),
        4 => s.payload("\x1bP+q", &p.mrn.bytes().map(|byte| format!("{byte:02x}")).collect::<String>(), "\x1b\\"),
        _ => s.payload("\x1b]777;notify;Results;", &format!("for {} {}", p.first, p.last), end),
    }
}

/// Titles and clipboards around ordinary work.
pub(super) fn titles(s: &mut Scene) {
    s.command("chart-tool");
    for _ in 0..s.within(2, 5) {
        let p = Person::new(s);
        payload(s, &p);
        s.line(t!["Patient: ", p.name(0), "   MRN: ", p.mrn(), "   DOB: ", p.born(p.born.iso())]);
        s.line(t!["status ready, 4 results, none critical"]);
    }
}

/// `ls --hyperlink`, systemd, GitLab runners: the link's target is not shown, its text is.
pub(super) fn links(s: &mut Scene) {
    s.command("worklist --links");
    for _ in 0..s.within(3, 7) {
        let p = Person::new(s);
        s.say(t![s.within(1, 9), ". "]);
        s.payload("\x1b]8;;", &format!("https://ehr.example.org/chart?mrn={}&name={}", p.mrn, p.last.replace(' ', "+")), "\x1b\\");
        s.say(t!["Name: ", p.name(0)]);
        s.say(Text::control("\x1b]8;;\x1b\\"));
        s.line(t!["  MRN ", p.mrn()]);
    }
}
