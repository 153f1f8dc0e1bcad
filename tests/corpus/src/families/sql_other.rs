//! SQLite's shell, SQL Server's sqlcmd, Oracle's SQL*Plus, and `pg_dump`.

use crate::{scene::Scene, t, table::Table, text::Text};

pub(super) fn sqlite_list(s: &mut Scene) {
    let rows = s.within(3, 12);
    let table = Table::new(s, 6, rows);
    s.line("sqlite> .headers on");
    let query = table.query(s);
    s.line(format!("sqlite> {query}"));
    s.line(table.head.join("|"));
    for row in &table.rows {
        s.line(Text::join(row.iter().cloned(), "|"));
    }
    s.say("sqlite> ");
}

/// The shell's default: values between bars, no names.
pub(super) fn sqlite_headerless(s: &mut Scene) {
    let rows = s.within(3, 12);
    let table = Table::new(s, 6, rows);
    s.line(format!("sqlite> select {} from patients;", table.head.join(", ")));
    for row in &table.rows {
        s.line(Text::join(row.iter().cloned(), "|"));
    }
    s.say("sqlite> ");
}

pub(super) fn sqlite_column(s: &mut Scene) {
    let rows = s.within(3, 12);
    let table = Table::fitting(s, s.cols, rows);
    let widths = table.widths();
    s.line("sqlite> .mode column");
    let query = table.query(s);
    s.line(format!("sqlite> {query}"));
    let trimmed = |cells: Vec<Text>| -> Text {
        let last = cells.len() - 1;
        Text::join(
            cells.into_iter().zip(&widths).enumerate().map(|(n, (cell, width))| if n == last { cell } else { cell.left(*width) }),
            "  ",
        )
    };
    s.line(trimmed(table.head.iter().map(Text::from).collect()));
    s.line(widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join("  "));
    for row in &table.rows {
        s.line(trimmed(row.clone()));
    }
    s.say("sqlite> ");
}

pub(super) fn sqlite_box(s: &mut Scene) {
    let rows = s.within(3, 10);
    let table = Table::fitting(s, s.cols - 2, rows);
    let widths = table.widths();
    let unicode = s.shape(3) != 1;
    let (h, v) = if unicode { ("─", "│") } else { ("-", "|") };
    let rule = |a: &str, b: &str, c: &str| {
        let parts = widths.iter().map(|width| h.repeat(width + 2)).collect::<Vec<_>>();
        if unicode { format!("{a}{}{c}", parts.join(b)) } else { format!("+{}+", parts.join("+")) }
    };
    s.line(if unicode { "sqlite> .mode box" } else { "sqlite> .mode table" });
    let query = table.query(s);
    s.line(format!("sqlite> {query}"));
    s.line(rule("┌", "┬", "┐"));
    let heads = table.head.iter().zip(&widths).map(|(name, width)| Text::from(name).centred(*width));
    s.line(t![v, " ", Text::join(heads, &format!(" {v} ")), " ", v]);
    s.line(rule("├", "┼", "┤"));
    for row in &table.rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| cell.clone().left(*width));
        s.line(t![v, " ", Text::join(cells, &format!(" {v} ")), " ", v]);
    }
    s.line(rule("└", "┴", "┘"));
}

pub(super) fn sqlite_line(s: &mut Scene) {
    let rows = s.within(1, 4);
    let table = Table::new(s, 9, rows);
    let width = table.head.iter().map(String::len).max().unwrap_or(0).max(5);
    s.line("sqlite> .mode line");
    let query = table.query(s);
    s.line(format!("sqlite> {query}"));
    for (n, row) in table.rows.iter().enumerate() {
        if n > 0 {
            s.line("");
        }
        for (name, cell) in table.head.iter().zip(row) {
            s.line(t![Text::from(name).right(width), " = ", cell]);
        }
    }
}

/// Columns as wide as their type, dashes under each, `(n rows affected)`.
pub(super) fn sqlcmd(s: &mut Scene) {
    let rows = s.within(3, 10);
    let table = Table::fitting(s, s.cols.saturating_sub(20), rows);
    let spare = s.within(0, 5) as usize;
    let widths: Vec<usize> = table.widths().iter().map(|width| width + spare).collect();
    s.line(t!["1> ", table.query(s).trim_end_matches(';')]);
    s.line("2> GO");
    let cells = |cells: Vec<Text>| Text::join(cells.into_iter().zip(&widths).map(|(cell, width)| cell.left(*width)), " ");
    s.line(cells(table.head.iter().map(Text::from).collect()));
    s.line(widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join(" "));
    for row in &table.rows {
        s.line(cells(row.iter().map(|cell| if cell.is_empty() { "NULL".into() } else { cell.clone() }).collect()));
    }
    s.line("");
    s.line(format!("({} rows affected)", table.rows.len()));
    s.say("1> ");
}

/// SQL*Plus: names cut to the width of their column and in capitals.
pub(super) fn sqlplus(s: &mut Scene) {
    let rows = s.within(3, 10);
    let table = Table::fitting(s, s.cols.saturating_sub(4), rows);
    let widths = table.widths();
    s.line(t!["SQL> ", table.query(s)]);
    s.line("");
    let cells = |cells: Vec<Text>| Text::join(cells.into_iter().zip(&widths).map(|(cell, width)| cell.left(*width)), " ");
    s.line(cells(table.head.iter().map(|name| Text::from(name.to_uppercase())).collect()));
    s.line(widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join(" "));
    for row in &table.rows {
        s.line(cells(row.clone()));
    }
    s.line("");
    s.line(format!("{} rows selected.", table.rows.len()));
}

pub(super) fn pg_dump(s: &mut Scene) {
    let rows = s.within(3, 10);
    let table = Table::new(s, 8, rows);
    s.command("zcat ehr.sql.gz | less +/COPY | head -30");
    s.line("--");
    s.line("-- Data for Name: patients; Type: TABLE DATA; Schema: public; Owner: ehr_app");
    s.line("--");
    s.line("");
    s.line(format!("COPY public.patients ({}) FROM stdin;", table.head.join(", ")));
    for row in &table.rows {
        s.line(Text::join(row.iter().map(|cell| if cell.is_empty() { "\\N".into() } else { cell.clone() }), "\t"));
    }
    s.line("\\.");
    s.line("");
}
