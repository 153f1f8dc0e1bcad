//! `less`: the alternate screen, a page at a time, lines cut or folded, what was searched for in reverse.

use super::{columns, fhir, forms, hl7, letters, logs, sql_mysql, sql_psql};
use crate::{
    scene::Scene,
    t,
    text::{Ink, Text},
};

/// What people open: long enough for some pages.
pub(super) fn long_document(s: &mut Scene) -> Vec<Text> {
    let make: fn(&mut Scene) = match s.roll(10) {
        0 => columns::csv,
        1 => hl7::lines,
        2 => fhir::pretty,
        3 => forms::labelled,
        4 => letters::discharge,
        5 => logs::syslog,
        6 => sql_psql::aligned,
        7 => logs::key_value,
        8 => sql_mysql::vertical,
        _ => forms::two_columns,
    };
    let mut lines = s.document(make);
    while lines.len() < s.rows * 3 / 2 && s.chance(85) {
        lines.push(t![]);
        lines.extend(s.document(make));
    }
    lines
}

/// Escape sequences in a file are shown by `less`, not obeyed: take them out.
pub(super) fn bare(line: &Text) -> Text {
    Text::of_chars(line.chars().filter(|(c, ink)| *ink != Ink::Control && !c.is_control()))
}

pub(super) fn less(s: &mut Scene) {
    let lines: Vec<Text> = long_document(s).iter().map(bare).collect();
    let chopped = s.chance(50);
    let numbered = s.chance(25);
    let file = s.any(&["patients.csv", "/var/log/app.log", "0412.hl7", "notes.txt"]);
    s.command(format!("less {}{file}", if chopped { "-S " } else { "" }));
    s.control("\x1b[?1049h\x1b[22;0;0t\x1b[?1h\x1b=\r");
    let (width, page) = (s.cols, s.rows - 1);
    let mut rows: Vec<Text> = Vec::new();
    for (n, line) in lines.into_iter().enumerate() {
        let line = if numbered { t![format!("{:7} ", n + 1), line] } else { line };
        if chopped && line.width() > width {
            rows.push(t![line.cut_off(width - 1), Text::control("\x1b[7m"), ">", Text::control("\x1b[27m")]);
        } else {
            rows.extend(line.wrap(width));
        }
    }
    for row in rows.iter().take(page) {
        s.line(row);
    }
    let mut bottom = page.min(rows.len());
    for _ in rows.len()..page {
        s.line("~");
    }
    s.say(t![Text::control("\x1b[7m"), file, Text::control("\x1b[27m\x1b[K")]);
    s.pause(600);
    // Down by pages and lines, and back up.
    while bottom < rows.len() {
        let step = if s.chance(60) { page } else { s.within(1, 4) as usize };
        s.control("\r\x1b[K");
        for row in rows.iter().skip(bottom).take(step) {
            s.line(row);
        }
        bottom = (bottom + step).min(rows.len());
        s.say(if bottom == rows.len() {
            t![Text::control("\x1b[7m"), "(END)", Text::control("\x1b[27m\x1b[K")]
        } else {
            t![":", Text::control("\x1b[K")]
        });
        s.pause(500);
        if s.chance(20) && bottom > page + 1 {
            // One line back: the screen scrolls down, the line is written at the top.
            s.control("\r\x1b[K\x1b[H\x1bM");
            let row = rows[bottom - page - 1].clone();
            s.say(row);
            s.goto(page + 1, 1);
            s.control("\x1b[K:");
            s.pause(400);
            s.control("\r\x1b[K\x1b[H\x1b[M");
            s.goto(page, 1);
            let row = rows[bottom - 1].clone();
            s.line(row);
            s.say(":");
            s.pause(300);
        }
    }
    s.control("\r\x1b[K\x1b[?1l\x1b>\x1b[?1049l\x1b[23;0;0t");
    s.say(s.prompt());
}
