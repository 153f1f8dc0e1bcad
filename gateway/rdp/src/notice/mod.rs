//! Words of the gateway on the person's screen: a band at the top, white on dark red; or, while there is no desktop yet, a page in the middle.

pub(crate) mod bitmap;
mod font;

use font::{HEIGHT, WIDTH, glyph};

/// Most characters of one notice.
const MAX_TEXT: usize = 400;
const MAX_LINES: usize = 5;
const MAX_PAGE_LINES: usize = 12;
/// Colours as blue, green, red.
pub(crate) const BACK: [u8; 3] = [0x20, 0x10, 0x8c];
pub(crate) const INK: [u8; 3] = [0xff, 0xff, 0xff];
/// Of a page, and of all around it.
pub(crate) const PAGE: [u8; 3] = [0x33, 0x24, 0x18];

/// A horizontal run of ink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) x: u16,
    pub(crate) y: u16,
    pub(crate) width: u16,
    pub(crate) height: u16,
}

/// A laid out notice: from the left edge, nearly as wide as the desktop, as high as its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Banner {
    /// Of its upper edge, on the desktop.
    pub(crate) top: u16,
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// Within it.
    pub(crate) runs: Vec<Run>,
    pub(crate) back: [u8; 3],
}

impl Banner {
    /// At the upper edge. None on a desktop too small for a word.
    pub(crate) fn new(text: &str, desktop_width: u16, desktop_height: u16) -> Option<Self> {
        Self::laid_out(text, (desktop_width, desktop_height), 0, MAX_LINES)
    }

    /// In the middle, where nothing else is shown.
    pub(crate) fn page(text: &str, desktop_width: u16, desktop_height: u16) -> Option<Self> {
        let page = Self::laid_out(text, (desktop_width, desktop_height), 1, MAX_PAGE_LINES)?;
        Some(Self { top: (desktop_height - page.height) / 2, back: PAGE, ..page })
    }

    /// `larger`: by how much than a notice; `most`: lines.
    fn laid_out(text: &str, (desktop_width, desktop_height): (u16, u16), larger: u16, most: usize) -> Option<Self> {
        // RLE wants widths in fours; not to the very edge, see `relay::notices::ask_to_draw`
        let width = desktop_width.checked_sub(4)? & !3;
        let scale = larger
            + match width {
                0..1900 => 2,
                1900..3200 => 3,
                _ => 4,
            };
        let (advance, line_height, margin) = ((WIDTH + 1) * scale, (HEIGHT + 3) * scale, 4 * scale);
        let columns = usize::from(width.checked_sub(2 * margin)? / advance);
        if columns < 8 {
            return None;
        }
        let lines = wrap(text, columns, most);
        let count = u16::try_from(lines.len()).ok()?;
        let height = count * line_height + 2 * margin - 3 * scale;
        if height > desktop_height {
            return None;
        }
        let mut runs = Vec::new();
        for (line, y) in lines.iter().zip((margin..).step_by(usize::from(line_height))) {
            // in the middle
            let used = u16::try_from(line.chars().count()).ok()? * advance;
            let left = (width - used) / 2;
            for (c, x) in line.chars().zip((left..).step_by(usize::from(advance))) {
                for (row, y) in glyph(c).into_iter().zip((y..).step_by(usize::from(scale))) {
                    runs.extend(ink(row).map(|(at, n)| Run { x: x + at * scale, y, width: n * scale, height: scale }));
                }
            }
        }
        Some(Self { top: 0, width, height, runs, back: BACK })
    }

    /// Which points are ink, row by row.
    pub(crate) fn mask(&self) -> Vec<bool> {
        let width = usize::from(self.width);
        let mut out = vec![false; width * usize::from(self.height)];
        for r in &self.runs {
            for y in r.y..r.y + r.height {
                let at = usize::from(y) * width + usize::from(r.x);
                out[at..at + usize::from(r.width)].fill(true);
            }
        }
        out
    }
}

/// The runs of set bits in a row of five: where, how many.
fn ink(row: u8) -> impl Iterator<Item = (u16, u16)> {
    let set = move |i: u16| i < WIDTH && row & (1 << (WIDTH - 1 - i)) != 0;
    (0..WIDTH).filter(move |&i| set(i) && (i == 0 || !set(i - 1))).map(move |i| (i, (i..).take_while(|&j| set(j)).count() as u16))
}

/// Words in lines of at most so many columns; a word longer than a line is cut.
fn wrap(text: &str, columns: usize, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let chars: Vec<char> = word.chars().take(MAX_TEXT).collect();
            for piece in chars.chunks(columns) {
                let used = line.chars().count();
                if used > 0 && used + 1 + piece.len() > columns {
                    lines.push(std::mem::take(&mut line));
                }
                if !line.is_empty() {
                    line.push(' ');
                }
                line.extend(piece);
            }
        }
        lines.push(line);
    }
    lines.truncate(most);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_not_torn() {
        assert_eq!(wrap("this session ends in 5 minutes", 12, MAX_LINES), ["this session", "ends in 5", "minutes"]);
        assert_eq!(wrap("abcdefghij\nk", 4, MAX_LINES), ["abcd", "efgh", "ij", "k"]);
        assert_eq!(wrap(&"word ".repeat(1000), 20, MAX_LINES).len(), MAX_LINES);
    }

    #[test]
    fn all_ink_is_within_the_band() {
        for (w, h) in [(1280, 800), (1366, 768), (3840, 2160), (200, 200)] {
            let b = Banner::new("Paused by a supervisor: wait, or ask at 4711. ~{|}~ \u{1f600}", w, h).unwrap();
            assert!(b.width <= w && b.height <= h && b.width.is_multiple_of(4));
            assert!(b.runs.iter().all(|r| r.x + r.width <= b.width && r.y + r.height <= b.height));
            assert!(b.mask().iter().filter(|m| **m).count() > 500);
        }
        assert_eq!(Banner::new("x", 40, 40), None);
        assert_eq!(Banner::new(&"x\n".repeat(9), 640, 20), None);
    }

    #[test]
    fn a_page_stands_in_the_middle() {
        let b = Banner::page("Waiting for a supervisor.\n\nKeep this window open.", 1280, 800).unwrap();
        assert!((i32::from(b.top) * 2 + i32::from(b.height) - 800).abs() <= 1, "{} {}", b.top, b.height);
        assert_eq!(b.back, PAGE);
    }

    #[test]
    fn a_letter_looks_like_itself() {
        let b = Banner::new("T", 320, 200).unwrap();
        let (w, left) = (usize::from(b.width), usize::from((b.width - 12) / 2));
        let mask = b.mask();
        let row = |y: usize| (0..10).map(|x| if mask[y * w + left + x] { '#' } else { '.' }).collect::<String>();
        assert_eq!([row(8), row(9), row(10)], ["##########", "##########", "....##...."]);
    }
}
