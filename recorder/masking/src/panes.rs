//! Panes: a terminal multiplexer or an editor shows several texts beside each other, parted by a line down the screen. Each is read by
//! itself; read across, no row would be a row of anything.

use std::ops::Range;

use crate::row::Row;

/// Rows that a border runs down at least.
const MIN_ROWS: usize = 5;
const MIN_COLUMNS: usize = 8;
const MAX_BORDERS: usize = 7;

/// Rows that are parted at the same columns.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Band {
    pub(crate) rows: Range<usize>,
    /// What is between the borders.
    pub(crate) columns: Vec<Range<usize>>,
}

/// The bands of a screen of this many columns, top to bottom; rows in none of them are whole.
pub(crate) fn bands(rows: &[(&Row, bool)], columns: usize) -> Vec<Band> {
    if rows.iter().filter(|row| row.0.has(is_border)).take(MIN_ROWS).count() < MIN_ROWS {
        return Vec::new();
    }
    let mut borders: Vec<(usize, Range<usize>)> = Vec::new();
    for column in MIN_COLUMNS..columns.saturating_sub(MIN_COLUMNS) {
        let mut row = 0;
        while row < rows.len() {
            let length = rows[row..].iter().take_while(|row| row.0.glyph(column).is_some_and(is_border)).count();
            if length >= MIN_ROWS && parts(&rows[row..row + length], column) {
                borders.push((column, row..row + length));
            }
            row += length.max(1);
        }
    }
    if borders.is_empty() || borders.len() > MAX_BORDERS {
        return Vec::new();
    }
    let mut bands: Vec<Band> = Vec::new();
    for row in 0..rows.len() {
        let here: Vec<usize> = borders.iter().filter(|(_, rows)| rows.contains(&row)).map(|(column, _)| *column).collect();
        if here.is_empty() {
            continue;
        }
        let mut start = 0;
        let mut between: Vec<Range<usize>> = here
            .iter()
            .map(|column| {
                let range = start..*column;
                start = column + 1;
                range
            })
            .collect();
        between.push(start..columns);
        match bands.last_mut() {
            Some(last) if last.rows.end == row && last.columns == between => last.rows.end = row + 1,
            _ => bands.push(Band { rows: row..row + 1, columns: between }),
        }
    }
    bands
}

fn is_border(c: char) -> bool {
    matches!(c, '│' | '|' | '┃' | '├' | '┤' | '┼')
}

/// A table has a blank behind its bars in every row; behind a pane's border a text begins.
fn parts(rows: &[(&Row, bool)], column: usize) -> bool {
    let blank = |c: char| matches!(c, ' ' | '\0' | '─' | '-');
    let texts = rows.iter().filter(|row| (column + 1..row.0.len()).any(|at| row.0.glyph(at).is_some_and(|c| !blank(c))));
    let (all, begin) =
        texts.fold((0, 0), |(all, begin), row| (all + 1, begin + usize::from(row.0.glyph(column + 1).is_some_and(|c| !blank(c)))));
    begin >= 2 && begin * 3 >= all
}

#[cfg(test)]
mod tests {
    use alacritty_terminal::term::cell::Cell;

    use super::*;
    use crate::row::Spare;

    fn found(text: &str) -> Vec<Band> {
        let row = |line: &str| Row::of(&line.chars().map(|c| Cell { c, ..Cell::default() }).collect::<Vec<_>>(), &mut Spare::default());
        let rows: Vec<Row> = text.lines().map(row).collect();
        let rows: Vec<(&Row, bool)> = rows.iter().map(|row| (row, false)).collect();
        bands(&rows, 30)
    }

    #[test]
    fn a_border_parts_two_texts() {
        let text = "$ tail -f log  │top - 08:30   \n".repeat(6) + "[0] 0:bash                    ";
        assert_eq!(found(&text), [Band { rows: 0..6, columns: vec![0..15, 16..30] }]);
    }

    #[test]
    fn a_table_is_one_text() {
        assert_eq!(found(&"│ E004512       │ Whitfield  │\n".repeat(8)), []);
        assert_eq!(found(&" E004512       | Whitfield   \n".repeat(8)), []);
    }
}
