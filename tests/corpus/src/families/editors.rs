//! vim and nano: rows painted by address, line numbers, status lines, typing, scrolling.

use super::pager::{bare, long_document};
use crate::{people::Person, scene::Scene, t, text::Text};

/// `vim` with or without line numbers.
pub(super) fn vim(s: &mut Scene) {
    let lines: Vec<Text> = long_document(s).iter().map(bare).collect();
    let file = s.any(&["patients.csv", "0412.hl7", "notes.txt", "/etc/worklist/last.ini"]);
    s.command(format!("vim {file}"));
    let (cols, rows) = (s.cols, s.rows);
    let numbers = if s.chance(60) { 4 } else { 0 };
    let body = rows - 1;
    s.control(&format!("\x1b[?1049h\x1b[22;0;0t\x1b[>4;2m\x1b[?1h\x1b=\x1b[?2004h\x1b[1;{rows}r\x1b[?12h\x1b[?12l\x1b[22;2t\x1b[22;1t\x1b[27m\x1b[29m\x1b[m\x1b[H\x1b[2J\x1b[?25l"));
    s.goto(rows, 1);
    s.say(format!("\"{file}\" {}L, {}B", lines.len(), lines.iter().map(|line| line.visible().len() + 1).sum::<usize>()));
    let painted = |n: usize, line: &Text| -> Vec<Text> {
        let front = |first: bool| match (numbers, first) {
            (0, _) => t![],
            (_, true) => t![Text::control("\x1b[33m"), format!("{:3} ", n + 1), Text::control("\x1b[m")],
            _ => t!["    "],
        };
        line.wrap(cols - numbers).into_iter().enumerate().map(|(at, piece)| t![front(at == 0), piece]).collect()
    };
    let (mut row, mut top) = (1, 0);
    for (n, line) in lines.iter().enumerate() {
        let pieces = painted(n, line);
        if row + pieces.len() > body + 1 {
            // A line that does not fit is not shown in part.
            while row <= body {
                s.goto(row, 1);
                s.say(t![Text::control("\x1b[94m"), "@", Text::control("\x1b[m")]);
                row += 1;
            }
            break;
        }
        for piece in pieces {
            s.goto(row, 1);
            s.say(piece);
            row += 1;
        }
        top = n + 1;
    }
    while row <= body {
        s.goto(row, 1);
        s.say(t![Text::control("\x1b[94m"), "~", Text::control("\x1b[m")]);
        row += 1;
    }
    ruler(s, "1,1", "Top");
    s.goto(1, numbers + 1);
    s.control("\x1b[?25h");
    s.pause(700);
    // Ctrl-E: the region scrolls and the next line is written at its end.
    for (n, line) in lines.iter().enumerate().skip(top).take(4) {
        let pieces = painted(n, line);
        s.control("\x1b[?25l");
        for piece in pieces {
            s.control(&format!("\x1b[1;{body}r"));
            s.goto(body, 1);
            s.control("\r\n");
            s.control(&format!("\x1b[1;{rows}r"));
            s.goto(body, 1);
            s.say(piece);
        }
        ruler(s, &format!("{},1", n + 1), "50%");
        s.goto(1, numbers + 1);
        s.control("\x1b[?25h");
        s.pause(350);
    }
    if s.chance(60) {
        insert(s, numbers);
    }
    s.goto(rows, 1);
    s.control("\x1b[K");
    s.typed(&t![":q!"]);
    s.control("\x1b[?2004l\x1b[>4;m\x1b[?1l\x1b>\x1b[?1049l\x1b[23;0;0t");
    s.say(s.prompt());
}

fn ruler(s: &mut Scene, at: &str, part: &str) {
    s.goto(s.rows, s.cols - 17);
    s.say(t![Text::from(at).left(14), part]);
}

/// A line opened at the top and typed into.
fn insert(s: &mut Scene, numbers: usize) {
    let p = Person::new(s);
    s.goto(s.rows, 1);
    s.say(t![Text::control("\x1b[1m"), "-- INSERT --", Text::control("\x1b[m\x1b[K")]);
    s.control(&format!("\x1b[1;{}r\x1b[1;1H\x1b[L\x1b[1;{}r", s.rows - 1, s.rows));
    s.goto(1, 1);
    if numbers > 0 {
        s.say(t![Text::control("\x1b[33m"), "  1 ", Text::control("\x1b[m")]);
    }
    let text = match s.shape(3) {
        0 => t!["Patient: ", p.name(0), " MRN: ", p.mrn()],
        1 => t!["call back ", p.phone(), " re: patient ", p.name(1)],
        _ => t!["mrn=", p.mrn(), " dob=", p.born(p.born.iso())],
    };
    s.typed(&text);
    s.pause(500);
    s.goto(s.rows, 1);
    s.control("\x1b[K");
    s.pause(300);
}

pub(super) fn nano(s: &mut Scene) {
    let lines: Vec<Text> = long_document(s).iter().map(bare).collect();
    let file = s.any(&["patients.csv", "letter.txt", "last.ini"]);
    s.command(format!("nano {file}"));
    let (cols, rows) = (s.cols, s.rows);
    s.control(&format!("\x1b[?2004h\x1b[?1049h\x1b[22;0;0t\x1b[1;{rows}r\x1b(B\x1b[m\x1b[4l\x1b[?7h\x1b[39;49m\x1b[?1h\x1b=\x1b[39;49m\x1b(B\x1b[m\x1b[H\x1b[2J"));
    s.say(t![
        Text::control("\x1b[0;7m"),
        t![Text::from("  GNU nano 7.2"), Text::from(file).centred(cols - 14)].cut(cols).left(cols),
        Text::control("\x1b(B\x1b[m")
    ]);
    let help = |s: &mut Scene| {
        for (n, keys) in [
            "^G Help      ^O Write Out ^W Where Is  ^K Cut       ^T Execute   ^C Location",
            "^X Exit      ^R Read File ^\\ Replace   ^U Paste     ^J Justify   ^/ Go To Line",
        ]
        .iter()
        .enumerate()
        {
            s.goto(rows - 1 + n, 1);
            s.say(Text::from(*keys).cut(cols));
        }
    };
    let page = rows - 4;
    for (n, lines) in lines.chunks(page).take(3).enumerate() {
        s.control("\x1b[?25l");
        for at in 0..page {
            s.goto(at + 2, 1);
            if let Some(line) = lines.get(at) {
                // A long line is cut and marked.
                let shown = if line.width() >= cols {
                    t![line.cut_off(cols - 1), Text::control("\x1b[0;7m"), ">", Text::control("\x1b(B\x1b[m")]
                } else {
                    line.clone()
                };
                s.say(shown);
            }
            s.control("\x1b[K");
        }
        if n == 0 {
            help(s);
        }
        s.goto(2, 1);
        s.control("\x1b[?25h");
        s.pause(600);
    }
    s.goto(rows, cols);
    s.control("\x1b[?2004l\x1b[?1049l\x1b[23;0;0t\x1b[?1l\x1b>");
    s.say(s.prompt());
}
