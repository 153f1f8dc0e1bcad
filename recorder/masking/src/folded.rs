//! Full-screen programs fold long lines themselves: vim, tmux and pagers write the next row where they want it, so that the terminal does not
//! know that the two are one line. A row that is full to its last column and goes on in the first column of the next one is read with it.

use std::ops::Range;

/// Narrower texts are menus and columns.
const MIN_COLUMNS: usize = 20;
/// Characters by which two records are alike.
const ALIKE: usize = 6;

/// The character at a column of a row.
pub(crate) type Glyphs<'a> = &'a dyn Fn(usize) -> char;

/// Does the line that begins in row `first` and fills row `above` go on in row `below`, which row `next` follows?
pub(crate) fn goes_on(first: Glyphs<'_>, above: Glyphs<'_>, below: Glyphs<'_>, next: Glyphs<'_>, columns: Range<usize>) -> bool {
    if columns.len() < MIN_COLUMNS {
        return false;
    }
    let (last, begin) = (above(columns.end - 1), below(columns.start));
    let text = |c: char| c.is_alphanumeric() || c.is_ascii_punctuation();
    // Programs that cut a line mark it so.
    if !text(last) || !text(begin) || matches!(last, '>' | '<' | '$') || (begin == '|' && first(columns.start) == '|') {
        return false;
    }
    let start = |row: Glyphs<'_>| -> [char; ALIKE] { std::array::from_fn(|n| class(row(columns.start + n))) };
    // Records that were cut at the same column begin alike; so do those below a header.
    let begins = start(below);
    let record = [first, above, next].into_iter().any(|row| start(row) == begins);
    !record && !is_segment(below, columns.start) && !has_clock(below, columns.start)
}

/// The line of a log begins with its time.
fn has_clock(row: Glyphs<'_>, at: usize) -> bool {
    let digit = |n: usize| row(at + n).is_ascii_digit();
    (0..16).any(|n| row(at + n + 2) == ':' && row(at + n + 5) == ':' && [0, 1, 3, 4, 6, 7].iter().all(|d| digit(n + d)))
}

fn class(c: char) -> char {
    match c {
        _ if c.is_ascii_digit() => '9',
        _ if c.is_uppercase() => 'A',
        _ if c.is_alphabetic() => 'a',
        _ => c,
    }
}

/// "PV1|", "NM1*": a segment of HL7 v2 or X12 begins.
fn is_segment(row: Glyphs<'_>, at: usize) -> bool {
    let id = (0..3).take_while(|n| row(at + n).is_ascii_uppercase() || row(at + n).is_ascii_digit()).count();
    id >= 2 && row(at).is_ascii_uppercase() && matches!(row(at + id), '|' | '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folds(rows: &str) -> bool {
        let rows: Vec<Vec<char>> = rows.lines().map(|row| row.chars().collect()).collect();
        let at = |row: usize| {
            let rows = &rows;
            move |column: usize| rows_at(rows, row, column)
        };
        goes_on(&at(0), &at(0), &at(1), &at(2), 0..rows[0].len())
    }

    fn rows_at(rows: &[Vec<char>], row: usize, column: usize) -> char {
        rows.get(row).and_then(|row| row.get(column)).copied().unwrap_or(' ')
    }

    #[test]
    fn a_value_goes_on_in_the_next_row() {
        assert!(folds("mrn=E004512 lname=Whitfield dob=195\n4-03-11 phone=555-014-2231\nmrn=E004513"));
        assert!(folds("PID|1||E004512^^^HOSP^MR||WHITF\nIELD^MARGUERITE||19540311|F\nPV1|1"));
    }

    #[test]
    fn another_record_does_not() {
        for rows in [
            "E004512,Whitfield,Marguerite,195\nE004513,Okonkwo,Tobias,1987-11-30",
            "mrn,last_name,first_name,dob,phone\nE004512,Whitfield,Marguerite,1954\nE004513,Okonkwo,Tobias,1987-11",
            "PID|1||E004512^^^HOSP^MR||WHITFI\nPV1|1|O|4W",
            "| E004512 | Whitfield | 1954-03 |\n| E004513 | Okonkwo   | 1987-11 |",
            "Apr 12 10:15:01 ehr: patient E004\n2025-04-12T10:15:02 ehr: saved",
            "mrn=E004512 lname=Whitfield do\n",
            "E004512,Whitfield,Marguerite,19>\nnext line",
        ] {
            assert!(!folds(rows), "{rows}");
        }
    }
}
