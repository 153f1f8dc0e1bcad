//! MySQL's and MariaDB's client: boxes, `\G`, batch.

use crate::{scene::Scene, t, table::Table, text::Text};

fn prompt(s: &Scene) -> &'static str {
    s.pick(&["mysql> ", "MariaDB [openemr]> ", "MariaDB [(none)]> ", "mysql> "])
}

fn null(cell: &Text) -> Text {
    if cell.is_empty() { "NULL".into() } else { cell.clone() }
}

pub(super) fn boxed(s: &mut Scene) {
    let rows = s.within(3, 14);
    let table = Table::fitting(s, s.cols - 2, rows);
    let widths: Vec<usize> = table.widths().iter().map(|width| (*width).max(4)).collect();
    let query = table.query(s);
    let prompt = prompt(s);
    s.line(format!("{prompt}{query}"));
    let border = format!("+{}+", widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("+"));
    s.line(&border);
    let heads = table.head.iter().zip(&widths).map(|(name, width)| Text::from(name).left(*width));
    s.line(t!["| ", Text::join(heads, " | "), " |"]);
    s.line(&border);
    for row in &table.rows {
        let cells = row
            .iter()
            .zip(&widths)
            .zip(&table.numeric)
            .map(|((cell, width), numeric)| if *numeric { null(cell).right(*width) } else { null(cell).left(*width) });
        s.line(t!["| ", Text::join(cells, " | "), " |"]);
    }
    s.line(&border);
    s.line(format!("{} rows in set (0.{:02} sec)", table.rows.len(), s.within(0, 40)));
    s.line("");
    s.say(prompt);
}

pub(super) fn vertical(s: &mut Scene) {
    let rows = s.within(1, 4);
    let table = Table::new(s, 10, rows);
    let width = table.head.iter().map(String::len).max().unwrap_or(0);
    let query = table.query(s);
    let prompt = prompt(s);
    s.line(format!("{prompt}{}\\G", query.trim_end_matches(';')));
    for (n, row) in table.rows.iter().enumerate() {
        let stars = "*".repeat(27);
        s.line(format!("{stars} {}. row {stars}", n + 1));
        for (name, cell) in table.head.iter().zip(row) {
            s.line(t![Text::from(name).right(width), ": ", null(cell)]);
        }
    }
    s.line(format!("{} rows in set (0.00 sec)", table.rows.len()));
}

/// `mysql -B`, `mysql < file`: tabs and no boxes.
pub(super) fn batch(s: &mut Scene) {
    if s.chance(40) {
        s.without_terminal();
    }
    let rows = s.within(3, 14);
    let table = Table::new(s, 7, rows);
    s.command("mysql -B openemr < report.sql");
    s.line(table.head.join("\t"));
    for row in &table.rows {
        s.line(Text::join(row.iter().map(null), "\t"));
    }
}

/// `mysqldump` and `INSERT` statements in migrations and logs.
pub(super) fn inserts(s: &mut Scene) {
    let rows = s.within(3, 8);
    let table = Table::new(s, 8, rows);
    let quote = if s.chance(50) { "`" } else { "" };
    let name = s.any(&["patient_data", "patients", "person", "members"]);
    let columns = table.head.iter().map(|name| format!("{quote}{name}{quote}")).collect::<Vec<_>>().join(", ");
    let tuple = |row: &Vec<Text>| {
        let values = row.iter().zip(&table.numeric).map(|(cell, numeric)| match cell {
            cell if cell.is_empty() => "NULL".into(),
            cell if *numeric => cell.clone(),
            cell => t!["'", cell.map(|text| text.replace('\'', "''")), "'"],
        });
        t!["(", Text::join(values, s_comma()), ")"]
    };
    s.command("grep INSERT dump.sql | head");
    if s.chance(50) {
        for row in &table.rows {
            s.line(t![format!("INSERT INTO {quote}{name}{quote} ({columns}) VALUES "), tuple(row), ";"]);
        }
    } else {
        s.line(format!("INSERT INTO {quote}{name}{quote} ({columns}) VALUES"));
        let last = table.rows.len() - 1;
        for (n, row) in table.rows.iter().enumerate() {
            s.line(t![tuple(row), if n == last { ";" } else { "," }]);
        }
    }
}

fn s_comma() -> &'static str {
    ", "
}
