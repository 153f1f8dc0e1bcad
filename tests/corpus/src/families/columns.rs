//! Files of rows: CSV (RFC 4180), TSV, `column -t`.

use crate::{scene::Scene, t, table::Table, text::Text};

fn quoted(cell: &Text, by: &str, always: bool) -> Text {
    let text = cell.visible();
    if always || text.contains(by) || text.contains('"') {
        t!["\"", cell.map(|text| text.replace('"', "\"\"")), "\""]
    } else {
        cell.clone()
    }
}

fn delimited(s: &mut Scene, by: &str, head: bool, file: &str) {
    let rows = s.within(4, 16);
    let table = Table::new(s, 9, rows);
    if s.chance(30) {
        s.without_terminal();
    }
    let always = s.chance(25);
    s.command(match s.roll(3) {
        0 => format!("head -20 {file}"),
        1 => format!("cat /srv/export/{file}"),
        _ => format!("zcat {file}.gz | head"),
    });
    if head {
        let names = table.head.iter().map(|name| if always { format!("\"{name}\"") } else { name.clone() });
        s.line(names.collect::<Vec<_>>().join(by));
    }
    for row in &table.rows {
        s.line(Text::join(row.iter().map(|cell| quoted(cell, by, always)), by));
    }
}

pub(super) fn csv(s: &mut Scene) {
    let by = if s.chance(80) { "," } else { ";" };
    delimited(s, by, true, "patients.csv");
}

pub(super) fn csv_headless(s: &mut Scene) {
    delimited(s, ",", false, "extract_0412.csv");
}

pub(super) fn tsv(s: &mut Scene) {
    delimited(s, "\t", true, "census.tsv");
}

pub(super) fn tsv_headless(s: &mut Scene) {
    delimited(s, "\t", false, "census.txt");
}

pub(super) fn pipes(s: &mut Scene) {
    delimited(s, "|", true, "feed.psv");
}

/// `column -t -s,`: two blanks between columns.
pub(super) fn column_t(s: &mut Scene) {
    let rows = s.within(4, 14);
    let table = Table::fitting(s, s.cols, rows);
    let widths = table.widths();
    s.command(s.any(&["column -t -s, patients.csv", "psql -A -F, -c '\\i q' | column -ts,"]));
    let line = |cells: Vec<Text>| {
        let last = cells.len() - 1;
        Text::join(
            cells.into_iter().zip(&widths).enumerate().map(|(n, (cell, width))| if n == last { cell } else { cell.left(*width) }),
            "  ",
        )
    };
    s.line(line(table.head.iter().map(Text::from).collect()));
    for row in &table.rows {
        // column drops empty cells; exports write something.
        s.line(line(row.iter().map(|cell| if cell.is_empty() { "-".into() } else { cell.clone() }).collect()));
    }
}

/// A fixed-width report: a title, a rule, columns that line up, a page number.
pub(super) fn report(s: &mut Scene) {
    let rows = s.within(4, 14);
    let table = Table::fitting(s, s.cols, rows);
    let widths: Vec<usize> = table.widths().iter().map(|width| width + 1).collect();
    let title = s.pick(&["DAILY CENSUS", "Admissions by Unit", "UNBILLED ACCOUNTS", "Pending Discharges", "MIDNIGHT CENSUS REPORT"]);
    s.command("cat /var/spool/reports/census.lst");
    s.line(Text::from(title).centred(s.cols.min(80)));
    s.line("");
    let line = |cells: Vec<Text>| Text::join(cells.into_iter().zip(&widths).map(|(cell, width)| cell.left(*width)), "  ");
    let upper = s.chance(50);
    s.line(line(
        table
            .head
            .iter()
            .map(|name| {
                let name = name.replace('_', " ");
                Text::from(if upper { name.to_uppercase() } else { name })
            })
            .collect(),
    ));
    let rule = s.pick(&["=", "-", "_"]);
    s.line(rule.repeat(widths.iter().sum::<usize>() + 2 * widths.len()));
    for row in &table.rows {
        s.line(line(row.clone()));
    }
    s.line("");
    s.line(format!("Total: {}    Page 1", table.rows.len()));
}

/// `psql -H`, wikis, chat: a Markdown table.
pub(super) fn markdown(s: &mut Scene) {
    let rows = s.within(3, 8);
    let table = Table::fitting(s, s.cols, rows);
    let widths = table.widths();
    s.command("sqlite3 -markdown clinic.db < q.sql");
    s.line(t!["| ", Text::join(table.head.iter().zip(&widths).map(|(name, width)| Text::from(name).left(*width)), " | "), " |"]);
    s.line(format!("|{}|", widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("|")));
    for row in &table.rows {
        s.line(t!["| ", Text::join(row.iter().zip(&widths).map(|(cell, width)| cell.clone().left(*width)), " | "), " |"]);
    }
}
