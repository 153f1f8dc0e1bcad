//! A second net under masking: whatever a masked track says, replay prints text, colours and cursor movements and nothing else
//! (THREATS 9). Nothing passes that makes a terminal answer, keep a title, follow a link or touch the clipboard.

/// Filters one channel's text; keeps its state between pieces, so that a sequence cut in two is one sequence.
#[derive(Debug, Default)]
pub(crate) struct SafeText {
    state: State,
    /// Parameters of the control sequence being read.
    params: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Text,
    Escape,
    /// `ESC (` and the like: one more character belongs to it.
    Designate,
    Control,
    /// OSC, DCS, APC, PM, SOS: dropped up to their end.
    String,
    StringEscape,
}

/// Control sequences by their final character: cursor, erase, insert, delete, scroll, tabs, repeat, SGR, margins (ECMA-48 section 8.3).
const FINALS: &str = "ABCDEFGHIJKLMPSTXZ@`abdefgmr";
/// DEC and ANSI modes that may be set and reset: cursor keys aside, those that change what is seen.
const MODES: [&str; 8] = ["?7", "?25", "?47", "?1047", "?1048", "?1049", "?6", "4"];
const MAX_PARAMS: usize = 128;

impl SafeText {
    /// Appends what may be shown of `text` to `out`.
    pub(crate) fn filter(&mut self, text: &str, out: &mut String) {
        for c in text.chars() {
            self.state = self.step(c, out);
        }
    }

    fn step(&mut self, c: char, out: &mut String) -> State {
        match self.state {
            State::Text => self.text(c, out),
            State::Escape => match c {
                '[' => {
                    self.params.clear();
                    State::Control
                }
                ']' | 'P' | 'X' | '^' | '_' => State::String,
                ' '..='/' => State::Designate,
                // Save, restore, index, next line, reverse index.
                '7' | '8' | 'D' | 'E' | 'M' => {
                    out.extend(['\x1b', c]);
                    State::Text
                }
                '\x1b' => State::Escape,
                _ => State::Text,
            },
            State::Designate => State::Text,
            State::Control => match c {
                '0'..='?' | ' '..='/' => {
                    if self.params.len() < MAX_PARAMS {
                        self.params.push(c);
                    }
                    State::Control
                }
                '@'..='~' => {
                    if self.params.len() < MAX_PARAMS && allowed(&self.params, c) {
                        out.push_str("\x1b[");
                        out.push_str(&self.params);
                        out.push(c);
                    }
                    State::Text
                }
                _ => self.text(c, out),
            },
            State::String => match c {
                '\x07' | '\u{9c}' => State::Text,
                '\x1b' => State::StringEscape,
                _ => State::String,
            },
            State::StringEscape => match c {
                '\\' => State::Text,
                '\x1b' => State::StringEscape,
                _ => State::String,
            },
        }
    }

    fn text(&mut self, c: char, out: &mut String) -> State {
        match c {
            '\x1b' => return State::Escape,
            // C1 forms of OSC, DCS, APC, PM, SOS.
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => return State::String,
            '\r' | '\n' | '\t' | '\x08' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
        State::Text
    }
}

fn allowed(params: &str, last: char) -> bool {
    match last {
        'h' | 'l' => match params.strip_prefix('?') {
            Some(rest) => rest.split(';').all(|m| MODES.iter().any(|ok| ok.strip_prefix('?') == Some(m))),
            None => params.split(';').all(|m| MODES.contains(&m)),
        },
        _ => FINALS.contains(last) && params.chars().all(|c| matches!(c, '0'..='9' | ';' | ':')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut out = String::new();
        SafeText::default().filter(text, &mut out);
        out
    }

    #[test]
    fn text_colours_and_movement_pass() {
        for fine in [
            "plain\r\n\ttext é日本",
            "\x1b[1;31mred\x1b[0m\x1b[2;5H\x1b[2J\x1b[K",
            "\x1b[?25l\x1b[?1049h\x1b7\x1b8",
            "\x1b[38:2::1:2:3mrgb",
        ] {
            assert_eq!(shown(fine), fine);
        }
    }

    #[test]
    fn nothing_that_acts_on_the_viewer_passes() {
        let hostile = [
            ("\x1b]52;c;aGk=\x07", ""),
            ("\x1b]0;title\x1b\\after", "after"),
            ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\x1bPq#0;2;0;0;0\x1b\\sixel", "sixel"),
            ("\x1b_Gf=100;AAAA\x1b\\", ""),
            ("\u{9d}52;c;x\u{9c}y", "y"),
            ("\x1b[6n\x1b[c\x1b[>c\x1b[21t\x1b[?1000h\x1b[?2004h\x1b[5i", ""),
            ("\x1b[?25;1000h", ""),
            ("\x07\x05\x0e\x0f\u{85}\u{9b}31m", "31m"),
            ("\x1bc\x1b(0x\x1b#8", "x"),
            ("\x1b]never ends", ""),
        ];
        for (text, expected) in hostile {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_sequence_cut_in_two_is_still_one() {
        let (mut filter, mut out) = (SafeText::default(), String::new());
        for piece in ["\x1b", "]52;c;", "aGk=", "\x1b", "\\ok \x1b[3", "1mred"] {
            filter.filter(piece, &mut out);
        }
        assert_eq!(out, "ok \x1b[31mred");
    }
}
