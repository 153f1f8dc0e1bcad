//! Full-screen forms of hospital systems: a frame, labels, values painted by address, cell by cell, record after record.

use crate::{
    people::Person,
    scene::Scene,
    t,
    table::{entry, fields},
    text::{Ink, Text},
    words::fields::Field,
};

struct Place {
    row: usize,
    column: usize,
    width: usize,
    field: Field,
}

fn places(s: &Scene) -> Vec<(Place, String)> {
    let two = s.cols >= 100 || s.chance(50);
    let p = Person::new(s);
    let mut places = Vec::new();
    let fields: Vec<Field> = fields(s, 14).into_iter().filter(|field| *field != Field::RowId).collect();
    for (n, field) in fields.into_iter().enumerate() {
        let (row, column) = if two { (4 + n / 2 * 2, 3 + n % 2 * (s.cols / 2)) } else { (4 + n, 3) };
        if row + 3 > s.rows {
            break;
        }
        let (label, _) = entry(s, &p, field);
        let width = if two { s.cols / 2 - 32 } else { 30 };
        places.push((Place { row, column, width, field }, label));
    }
    places
}

/// The order a screen library writes in is its own: by rows, by fields, by what changed.
fn shuffled<T>(s: &Scene, mut items: Vec<T>) -> Vec<T> {
    for n in (1..items.len()).rev() {
        items.swap(n, s.roll(n as u64 + 1) as usize);
    }
    items
}

fn frame(s: &mut Scene, title: &str) {
    let (cols, rows) = (s.cols, s.rows);
    let lines = s.chance(50);
    s.control("\x1b[?1049h\x1b[H\x1b[2J\x1b(B\x1b[0;37;44m");
    s.goto(1, 1);
    s.say(Text::from(title).centred(cols));
    s.control("\x1b[0m");
    s.goto(2, 1);
    if lines {
        // Line drawing by the terminal's second character set.
        s.say(t![Text::control("\x1b(0"), "l", "q".repeat(cols - 2), "k", Text::control("\x1b(B")]);
    } else {
        s.say(format!("+{}+", "-".repeat(cols - 2)));
    }
    s.goto(rows, 1);
    s.say(t![
        Text::control("\x1b[7m"),
        Text::from(" F1 Help  F3 Exit  F5 Refresh  F7 Prev  F8 Next  F12 Cancel").left(cols),
        Text::control("\x1b[0m")
    ]);
}

pub(super) fn form(s: &mut Scene) {
    let title = s.pick(&["PATIENT INQUIRY", "ADT Registration", "MASTER PATIENT INDEX", "BED BOARD - DETAIL", "Demographics Update"]);
    s.command("adt");
    frame(s, title);
    let places = places(s);
    let gap = 3 + places.iter().map(|(_, label)| label.len()).max().unwrap_or(0);
    for (place, label) in &places {
        s.goto(place.row, place.column);
        s.say(t![Text::control("\x1b[36m"), label.as_str(), Text::control("\x1b[0m"), if s.any(&[true, false]) { ":" } else { " :" }]);
    }
    s.pause(200);
    for _ in 0..s.within(1, 3) {
        let p = Person::new(s);
        let mut values = Vec::new();
        for (place, _) in &places {
            let (_, value) = entry(s, &p, place.field);
            let value = value.cut_off(place.width).left(place.width);
            values.push(value.chars().enumerate().map(|(n, (c, ink))| (place.row, place.column + gap + n, c, ink)).collect());
        }
        paint(s, values);
        s.goto(4, 3 + gap);
        s.pause(900);
    }
    s.control("\x1b[?1049l");
    s.line("Goodbye.");
}

type Cells = Vec<(usize, usize, char, Ink)>;

/// Cell by cell or value by value, in the order of the form, in another one, now and then in no order at all.
fn paint(s: &mut Scene, values: Vec<Cells>) {
    let (ordered, addressed, torn) = (s.chance(50), s.chance(50), s.chance(10));
    let values = if ordered { values } else { shuffled(s, values) };
    let cells: Cells = values.into_iter().flatten().collect();
    let cells = if torn { shuffled(s, cells) } else { cells };
    let mut cursor = (0, 0);
    for (row, column, c, ink) in cells {
        if addressed || cursor != (row, column) {
            s.goto(row, column);
        }
        s.say(Text::of_chars([(c, ink)]));
        cursor = (row, column + 1);
    }
}

/// A list with a bar that moves over it: rows are painted again in reverse.
pub(super) fn list(s: &mut Scene) {
    s.command("census");
    frame(s, "WARD CENSUS");
    let count = (s.rows - 6).min(12);
    s.goto(3, 2);
    let head = [
        s.pick(&["Bed", "Room", "Loc"]),
        s.pick(&["Patient", "Name", "Patient Name"]),
        s.pick(&["MRN", "Pt ID", "Chart #"]),
        s.pick(&["DOB", "Born", "Birth Date"]),
        "Dx",
    ];
    let line = |cells: [Text; 5]| Text::join(cells.into_iter().zip([6, 28, 14, 13, 8]).map(|(cell, width)| cell.left(width)), " ");
    s.say(t![Text::control("\x1b[1;4m"), line(head.map(Text::from)), Text::control("\x1b[0m")]);
    let rows: Vec<Text> = (0..count)
        .map(|n| {
            let p = Person::new(s);
            line([
                format!("{}-{}", 401 + n, s.any(&["A", "B"])).into(),
                p.name(0),
                p.mrn(),
                p.born(p.born.written(1)),
                s.any(&["CHF", "COPD", "CAP", "DKA", "AKI"]).into(),
            ])
        })
        .collect();
    for (n, row) in rows.iter().enumerate() {
        s.goto(4 + n, 2);
        s.say(row);
    }
    s.pause(600);
    for n in 0..s.within(1, 4) as usize {
        if n > 0 {
            s.goto(3 + n, 2);
            s.say(t![Text::control("\x1b[0m"), &rows[n - 1]]);
        }
        s.goto(4 + n, 2);
        s.say(t![Text::control("\x1b[7m"), &rows[n], Text::control("\x1b[0m")]);
        s.pause(400);
    }
    s.control("\x1b[?1049l");
}
