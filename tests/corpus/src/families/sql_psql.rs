//! PostgreSQL's `psql`: its output formats (psql(1), `\pset format`, `\x`, `\t`, `\gx`).

use crate::{scene::Scene, t, table::Table, text::Text};

fn aligned_rows(table: &Table, head: bool) -> Vec<Text> {
    let widths = table.widths();
    let mut lines = Vec::new();
    if head {
        let names = table.head.iter().zip(&widths).map(|(name, width)| Text::from(name).centred(*width));
        lines.push(t![" ", Text::join(names, " | "), " "]);
        lines.push(widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("+").into());
    }
    for row in &table.rows {
        let cells = row
            .iter()
            .zip(&widths)
            .zip(&table.numeric)
            .map(|((cell, width), numeric)| if *numeric { cell.clone().right(*width) } else { cell.clone().left(*width) });
        lines.push(t![" ", Text::join(cells, " | ")]);
    }
    lines
}

fn footer(rows: usize) -> Text {
    if rows == 1 { "(1 row)".into() } else { format!("({rows} rows)").into() }
}

fn prompt(s: &Scene) -> String {
    let database = s.pick(&["ehr", "openmrs", "pacsdb", "clinic", "lis", "billing_prod"]);
    format!("{database}{} ", s.pick(&["=>", "=#", "=>"]))
}

/// The query in front of a result, sometimes over several lines.
fn ask(s: &mut Scene, query: &str, end: &str) {
    let prompt = prompt(s);
    match query.split_once(" FROM ").or_else(|| query.split_once(" from ")).filter(|_| s.chance(20)) {
        Some((select, from)) => {
            s.line(format!("{prompt}{select}"));
            s.line(format!("{} from {}{end}", prompt.replace('=', "-"), from.trim_end_matches(';')));
        }
        None => s.line(format!("{prompt}{}{end}", query.trim_end_matches(';'))),
    }
}

pub(super) fn aligned(s: &mut Scene) {
    let rows = s.within(3, 14);
    let table = Table::fitting(s, s.cols, rows);
    let query = table.query(s);
    ask(s, &query, ";");
    s.lines(aligned_rows(&table, true));
    s.line(footer(table.rows.len()));
    s.line("");
    s.say(prompt(s).as_str());
}

/// An exec without a terminal.
pub(super) fn piped(s: &mut Scene) {
    s.without_terminal();
    let rows = s.within(3, 20);
    let table = Table::new(s, 9, rows);
    s.lines(aligned_rows(&table, true));
    s.line(footer(table.rows.len()));
    s.line("");
}

/// `\pset border 2` and unicode lines.
pub(super) fn bordered(s: &mut Scene) {
    let rows = s.within(3, 10);
    let table = Table::fitting(s, s.cols - 4, rows);
    let widths = table.widths();
    let query = table.query(s);
    ask(s, &query, ";");
    let unicode = s.shape(3) == 1;
    let (dash, bar) = if unicode { ("─", "│") } else { ("-", "|") };
    let rule = |left: &str, cross: &str, right: &str| {
        let bars = widths.iter().map(|width| dash.repeat(width + 2)).collect::<Vec<_>>();
        Text::from(format!("{left}{}{right}", bars.join(cross)))
    };
    let row = |cells: Vec<Text>| t![bar, " ", Text::join(cells, &format!(" {bar} ")), " ", bar];
    s.line(if unicode { rule("┌", "┬", "┐") } else { rule("+", "+", "+") });
    s.line(row(table.head.iter().zip(&widths).map(|(name, width)| Text::from(name).centred(*width)).collect()));
    s.line(if unicode { rule("├", "┼", "┤") } else { rule("+", "+", "+") });
    for cells in &table.rows {
        s.line(row(cells.iter().zip(&widths).map(|(cell, width)| cell.clone().left(*width)).collect()));
    }
    s.line(if unicode { rule("└", "┴", "┘") } else { rule("+", "+", "+") });
    s.line(footer(table.rows.len()));
}

/// `psql -A`, with a separator.
pub(super) fn unaligned(s: &mut Scene) {
    let rows = s.within(3, 14);
    let table = Table::new(s, 7, rows);
    let by = if s.chance(60) { "|" } else { s.pick(&[";", "\t", "~", ",", "#", "!"]) };
    s.command("psql -A ehr -c \"$(cat q.sql)\"");
    s.line(table.head.join(by));
    for row in &table.rows {
        s.line(Text::join(row.iter().cloned(), by));
    }
    s.line(footer(table.rows.len()));
}

fn records(s: &mut Scene, table: &Table) {
    let name_width = table.head.iter().map(String::len).max().unwrap_or(0);
    let value_width = table.rows.iter().flatten().map(Text::width).max().unwrap_or(0);
    for (n, row) in table.rows.iter().enumerate() {
        let title = format!("-[ RECORD {} ]", n + 1);
        let mut rule: Vec<char> = title.chars().collect();
        rule.extend(std::iter::repeat_n('-', (name_width + value_width + 3).saturating_sub(rule.len())));
        if rule.len() > name_width + 1 && name_width + 1 >= title.len() {
            rule[name_width + 1] = '+';
        }
        s.line(rule.into_iter().collect::<String>());
        for (name, cell) in table.head.iter().zip(row) {
            s.line(t![Text::from(name).left(name_width), " | ", cell]);
        }
    }
}

pub(super) fn expanded(s: &mut Scene) {
    let rows = s.within(1, 5);
    let table = Table::new(s, 10, rows);
    let prompt = prompt(s);
    s.line(format!("{prompt}\\x"));
    s.line("Expanded display is on.");
    let query = table.query(s);
    ask(s, &query, ";");
    records(s, &table);
    s.line("");
    s.say(prompt.as_str());
}

pub(super) fn gx(s: &mut Scene) {
    let rows = s.within(1, 2);
    let table = Table::new(s, 12, rows);
    let query = table.query(s);
    ask(s, &query, " \\gx");
    records(s, &table);
    s.line("");
}

/// `psql -t` and `\t`: the query is all there is to know what stands where.
pub(super) fn headerless(s: &mut Scene) {
    let rows = s.within(4, 12);
    let table = Table::fitting(s, s.cols, rows);
    let prompt = prompt(s);
    s.line(format!("{prompt}\\t"));
    s.line("Tuples only is on.");
    let columns = table.head.join(", ");
    ask(s, &format!("select {columns} from patients"), ";");
    s.lines(aligned_rows(&table, false));
    s.line("");
}

/// `\pset format wrapped`: values go on in the next line, marked by `.`.
pub(super) fn wrapped(s: &mut Scene) {
    let rows = s.within(3, 8);
    let table = Table::new(s, 5, rows);
    let fair = (s.cols - table.head.len() * 3) / table.head.len();
    let widths: Vec<usize> = table.widths().iter().map(|width| (*width).clamp(4, fair.clamp(6, 14))).collect();
    let prompt = prompt(s);
    s.line(format!("{prompt}\\pset format wrapped"));
    s.line("Output format is wrapped.");
    let query = table.query(s);
    ask(s, &query, ";");
    // "A dot is shown in the right-hand margin of the first line, and again in the left-hand margin of the following line."
    let folded = |cells: &[Text]| -> Vec<Text> {
        let mut rest: Vec<(Text, bool)> = cells.iter().map(|cell| (cell.clone(), false)).collect();
        let mut lines = Vec::new();
        while lines.is_empty() || rest.iter().any(|(cell, _)| !cell.is_empty()) {
            let columns = rest.iter_mut().zip(&widths).map(|((cell, goes_on), width)| {
                let (head, tail) = cell.split(*width);
                let (before, after) = (if *goes_on { "." } else { " " }, if tail.is_empty() { " " } else { "." });
                *goes_on = !tail.is_empty();
                *cell = tail;
                t![before, head.left(*width), after]
            });
            lines.push(Text::join(columns, "|"));
        }
        lines
    };
    let head: Vec<Text> = table.head.iter().map(Text::from).collect();
    s.lines(folded(&head));
    s.line(widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("+"));
    for row in &table.rows {
        s.lines(folded(row));
    }
    s.line(footer(table.rows.len()));
}

/// The table does not begin at the first column: behind a container's name, inside a log, quoted in a mail.
pub(super) fn shifted(s: &mut Scene) {
    let before: Text = match s.shape(4) {
        0 => t![Text::control("\x1b[36m"), "db-1  | ", Text::control("\x1b[0m")],
        1 => t!["> "],
        2 => t![" ".repeat(s.within(4, 20) as usize)],
        _ => t!["    | "],
    };
    let rows = s.within(3, 8);
    let table = Table::fitting(s, s.cols - before.width(), rows);
    s.command("docker compose logs --tail 20 db");
    for line in aligned_rows(&table, true) {
        s.line(t![&before, line]);
    }
    s.line(t![&before, footer(table.rows.len())]);
}
