//! Full-screen programs fold long lines themselves: vim, tmux and pagers write the next row where they want it, so that the terminal does not
//! know that the two are one line. A row that is full to its last column and goes on in the first column of the next one is read with it.

use std::ops::Range;

/// Narrower texts are menus and columns.
const MIN_COLUMNS: usize = 20;
/// Characters by which two records are alike.
const ALIKE: usize = 6;

/// Does the line that begins in row `first` and fills row `above` go on in row `below`? Each gives the character at a column.
pub(crate) fn goes_on(
    first: impl Fn(usize) -> char,
    above: impl Fn(usize) -> char,
    below: impl Fn(usize) -> char,
    columns: Range<usize>,
) -> bool {
    if columns.len() < MIN_COLUMNS {
        return false;
    }
    let (last, next) = (above(columns.end - 1), below(columns.start));
    let text = |c: char| c.is_alphanumeric() || c.is_ascii_punctuation();
    // Programs that cut a line mark it so.
    if !text(last) || !text(next) || matches!(last, '>' | '<' | '$') || (next == '|' && first(columns.start) == '|') {
        return false;
    }
    let start = |row: &dyn Fn(usize) -> char| -> [char; ALIKE] { std::array::from_fn(|n| class(row(columns.start + n))) };
    // Another record, cut at the same column.
    start(&first) != start(&below) && !is_segment(&below, columns.start)
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
fn is_segment(row: &dyn Fn(usize) -> char, at: usize) -> bool {
    let id = (0..3).take_while(|n| row(at + n).is_ascii_uppercase() || row(at + n).is_ascii_digit()).count();
    id >= 2 && row(at).is_ascii_uppercase() && matches!(row(at + id), '|' | '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folds(above: &str, below: &str) -> bool {
        let at = |text: &str| {
            let chars: Vec<char> = text.chars().collect();
            move |column: usize| chars.get(column).copied().unwrap_or(' ')
        };
        goes_on(at(above), at(above), at(below), 0..above.chars().count())
    }

    #[test]
    fn a_value_goes_on_in_the_next_row() {
        assert!(folds("mrn=E004512 lname=Whitfield dob=195", "4-03-11 phone=555-014-2231"));
        assert!(folds("PID|1||E004512^^^HOSP^MR||WHITF", "IELD^MARGUERITE||19540311|F"));
    }

    #[test]
    fn another_record_does_not() {
        for (above, below) in [
            ("E004512,Whitfield,Marguerite,195", "E004513,Okonkwo,Tobias,1987-11-30"),
            ("PID|1||E004512^^^HOSP^MR||WHITFI", "PV1|1|O|4W"),
            ("| E004512 | Whitfield | 1954-03 |", "| E004513 | Okonkwo   | 1987-11 |"),
            ("mrn=E004512 lname=Whitfield do", ""),
            ("E004512,Whitfield,Marguerite,19>", "next line"),
        ] {
            assert!(!folds(above, below), "{above} / {below}");
        }
    }
}
