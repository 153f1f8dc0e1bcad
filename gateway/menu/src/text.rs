//! Text as cells of a terminal: what may be shown, how wide it is, how it is cut.
use unicode_width::UnicodeWidthChar;

/// Columns of a character; none for one that a screen must not get: controls, and what turns, joins or hides its neighbours.
pub(crate) fn columns(c: char) -> Option<usize> {
    let formats = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
        | '\u{1160}'..='\u{11ff}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{d7b0}'..='\u{d7ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}');
    if formats { None } else { c.width().filter(|w| *w <= 2) }
}

/// One line of at most `max` visible characters: a control is a space, what cannot be shown is left out.
pub(crate) fn clean(text: &str, max: usize) -> String {
    let spaced = text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c });
    spaced.filter(|c| columns(*c).is_some()).take(max).collect()
}

/// Of a cleaned text.
pub(crate) fn width(text: &str) -> usize {
    text.chars().filter_map(columns).sum()
}

/// Cut to `cols` columns; two dots tell that it was, where there is room for them.
pub(crate) fn fit(text: &str, cols: usize) -> String {
    if width(text) <= cols {
        return text.to_owned();
    }
    let dots = if cols >= 6 { ".." } else { "" };
    let mut out = String::new();
    let mut used = dots.len();
    for c in text.chars() {
        used += columns(c).unwrap_or(0);
        if used > cols {
            break;
        }
        out.push(c);
    }
    out + dots
}

/// Lines of at most `cols` columns, broken at spaces where there are any.
pub(crate) fn wrap(text: &str, cols: usize) -> Vec<String> {
    let cols = cols.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        if used > 0 && used + 1 + width(word) <= cols {
            line.push(' ');
            used += 1;
        } else if used > 0 {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        for c in word.chars() {
            let w = columns(c).unwrap_or(0);
            if used + w > cols {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += w;
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn controls_and_characters_that_hide_or_turn_text_are_gone() {
        assert_eq!(clean("a\x1b[31mb\r\nc\u{9b}d\u{202e}e\u{200b}f\u{2028}g\u{e0041}h", 100), "a [31mb  c def gh");
        assert_eq!(clean(&"x".repeat(1000), 10), "xxxxxxxxxx");
    }

    #[test]
    fn a_cut_text_says_so() {
        assert_eq!(fit("analyser", 8), "analyser");
        assert_eq!(fit("analysers", 8), "analys..");
        assert_eq!(fit("漢字漢字漢字", 7), "漢字..");
        assert_eq!(fit("analyser", 3), "ana");
    }

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(wrap("denied by ben: not today", 10), ["denied by", "ben: not", "today"]);
        assert_eq!(wrap("abcdefghijk", 4), ["abcd", "efgh", "ijk"]);
        assert_eq!(wrap("", 4), [""]);
    }

    proptest! {
        #[test]
        fn what_is_cut_or_wrapped_fits(text in "\\PC{0,80}", cols in 2usize..60) {
            let text = clean(&text, 200);
            prop_assert!(width(&fit(&text, cols)) <= cols);
            for line in wrap(&text, cols) {
                prop_assert!(width(&line) <= cols, "{line:?}");
            }
        }
    }
}
