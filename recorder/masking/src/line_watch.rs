//! The line somebody is typing, as it stands on their screen: for rules about commands, which are looked at and shown to nobody.

use crate::{
    screen::{Screen, Size},
    tap::is_wrapped,
};

/// Rows of one line that are put together.
const MAX_ROWS: usize = 64;

/// An emulator of the program's terminal. What it knows is lent for a look ([`LineWatch::line`]); it never leaves as text.
#[derive(Debug)]
pub struct LineWatch(Screen);

impl LineWatch {
    pub fn new(cols: u16, rows: u16) -> Self {
        Self(Screen::new(Size::clamped(cols, rows)))
    }

    pub fn feed(&mut self, output: &[u8]) {
        // In pieces: what scrolls off is dropped before it grows.
        for piece in output.chunks(16 << 10) {
            self.0.feed(piece);
            let gone = self.0.take_scrolled();
            self.0.reuse(gone.rows.into_iter().map(|row| row.row));
        }
    }

    pub fn resize(&mut self, cols: u16, rows: u16) {
        self.0.resize(Size::clamped(cols, rows));
    }

    /// Lends the line that the cursor is on, whole if it goes over several rows.
    pub fn line<T>(&self, look: impl FnOnce(&str) -> T) -> T {
        let (row, _) = self.0.cursor();
        let mut first = row;
        while first > 0 && row - first < MAX_ROWS && is_wrapped(self.0.row(first - 1)) {
            first -= 1;
        }
        let mut text = String::new();
        for at in first..(first + 2 * MAX_ROWS).min(self.0.size().rows) {
            let cells = self.0.row(at);
            text.extend(cells.iter().map(|cell| if cell.c == '\t' { ' ' } else { cell.c }));
            if !is_wrapped(cells) {
                break;
            }
        }
        look(text.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_what_stands_on_the_screen_whatever_keys_made_it() {
        let mut watch = LineWatch::new(20, 5);
        watch.feed(b"old\r\nada@ehr$ pg_dmp\x08\x08ump");
        assert_eq!(watch.line(str::to_owned), "ada@ehr$ pg_dump");
        watch.feed(b" --all-of-it-and-more\r");
        assert_eq!(watch.line(str::to_owned), "ada@ehr$ pg_dump --all-of-it-and-more");
        watch.feed(b"\r\n$ ");
        assert_eq!(watch.line(str::to_owned), "$");
        watch.feed(&b"x\r\n".repeat(100_000));
        watch.resize(40, 3);
        assert_eq!(watch.line(str::to_owned), "");
    }
}
