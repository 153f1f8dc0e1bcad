//! One line of text that is being typed.
use crate::{keys::Key, text};

#[derive(Debug, Clone)]
pub(crate) struct Field {
    characters: Vec<char>,
    cursor: usize,
    max: usize,
}

impl Field {
    /// Holds at most `max` characters.
    pub(crate) fn new(max: usize) -> Self {
        Self { characters: Vec::new(), cursor: 0, max }
    }

    pub(crate) fn text(&self) -> String {
        self.characters.iter().collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.characters.is_empty()
    }

    /// True if the text is another now.
    pub(crate) fn key(&mut self, key: Key) -> bool {
        match key {
            Key::Char(c) | Key::Pasted(c) => return self.insert(c),
            Key::Backspace if self.cursor > 0 => {
                let from = self.before();
                self.characters.drain(from..self.cursor);
                self.cursor = from;
                return true;
            }
            Key::Delete if self.cursor < self.characters.len() => {
                self.characters.drain(self.cursor..self.after());
                return true;
            }
            Key::Clear if !self.is_empty() => {
                self.characters.clear();
                self.cursor = 0;
                return true;
            }
            Key::Left => self.cursor = self.before(),
            Key::Right => self.cursor = self.after(),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = self.characters.len(),
            _ => {}
        }
        false
    }

    /// What is seen in `cols` columns, and the cursor's column in it: the beginning, or if the cursor is beyond, what ends at it.
    pub(crate) fn window(&self, cols: usize) -> (String, usize) {
        let wide = |c: &char| text::columns(*c).unwrap_or(0);
        let mut used: usize = self.characters[..self.cursor].iter().map(wide).sum();
        let mut from = 0;
        while used >= cols.max(1) && from < self.cursor {
            used -= wide(&self.characters[from]);
            from += 1;
        }
        while from < self.cursor && wide(&self.characters[from]) == 0 {
            from += 1;
        }
        (self.characters[from..].iter().collect(), used)
    }

    fn insert(&mut self, c: char) -> bool {
        let fits = self.characters.len() < self.max && text::columns(c).is_some();
        if fits {
            self.characters.insert(self.cursor, c);
            self.cursor += 1;
        }
        fits
    }

    /// Where the character before the cursor begins, with the marks that stand on it.
    fn before(&self) -> usize {
        let base = self.characters[..self.cursor].iter().rposition(|c| text::columns(*c) != Some(0));
        base.unwrap_or(0)
    }

    fn after(&self) -> usize {
        let next = (self.cursor + 1).min(self.characters.len());
        let marks = self.characters[next..].iter().take_while(|c| text::columns(**c) == Some(0)).count();
        next + marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Field {
        let mut field = Field::new(20);
        text.chars().for_each(|c| {
            field.key(Key::Char(c));
        });
        field
    }

    #[test]
    fn backspace_takes_a_letter_with_its_marks() {
        let mut field = typed("ae\u{301}");
        assert!(field.key(Key::Backspace));
        assert_eq!(field.text(), "a");
        assert!(field.key(Key::Backspace) && !field.key(Key::Backspace));
    }

    #[test]
    fn the_window_follows_the_cursor() {
        let mut field = typed("漢字漢字");
        assert_eq!(field.window(6), ("漢字".to_owned(), 4));
        field.key(Key::Home);
        assert_eq!(field.window(6).1, 0);
        field.key(Key::Right);
        field.key(Key::Delete);
        assert_eq!(field.text(), "漢漢字");
    }

    #[test]
    fn what_is_too_long_or_invisible_is_not_taken() {
        let mut field = typed(&"x".repeat(30));
        assert_eq!(field.text().len(), 20);
        assert!(!field.key(Key::Char('y')));
        field.key(Key::Clear);
        assert!(!field.key(Key::Char('\u{202e}')) && field.is_empty());
    }
}
