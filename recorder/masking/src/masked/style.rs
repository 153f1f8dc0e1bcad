//! How text looks, and how that is said.

use alacritty_terminal::{
    term::cell::{Cell, Flags},
    vte::ansi::{Color, NamedColor},
};

/// Colours and attributes: the part of a cell that says nothing about its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    fg: Color,
    bg: Color,
    flags: Flags,
}

const STYLE_FLAGS: Flags = Flags::BOLD
    .union(Flags::DIM)
    .union(Flags::ITALIC)
    .union(Flags::ALL_UNDERLINES)
    .union(Flags::INVERSE)
    .union(Flags::HIDDEN)
    .union(Flags::STRIKEOUT);

impl Style {
    pub(crate) const PLAIN: Self =
        Self { fg: Color::Named(NamedColor::Foreground), bg: Color::Named(NamedColor::Background), flags: Flags::empty() };

    /// Does the cell have no style? Without an end before the last question, for rows of many.
    #[inline]
    pub(crate) fn is_plain(cell: &Cell) -> bool {
        matches!(cell.fg, Color::Named(NamedColor::Foreground))
            & matches!(cell.bg, Color::Named(NamedColor::Background))
            & !cell.flags.intersects(STYLE_FLAGS)
    }

    #[inline]
    pub(crate) fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, flags: cell.flags.intersection(STYLE_FLAGS) }
    }

    /// Writes the sequence after which text looks like this, whatever it looked like before.
    pub(super) fn write(self, text: &mut String) {
        text.push_str("\x1b[0");
        for (flag, code) in [
            (Flags::BOLD, ";1"),
            (Flags::DIM, ";2"),
            (Flags::ITALIC, ";3"),
            (Flags::ALL_UNDERLINES, ";4"),
            (Flags::INVERSE, ";7"),
            (Flags::HIDDEN, ";8"),
            (Flags::STRIKEOUT, ";9"),
        ] {
            if self.flags.intersects(flag) {
                text.push_str(code);
            }
        }
        colour(text, self.fg, 30);
        colour(text, self.bg, 40);
        text.push('m');
    }
}

/// SGR parameters of a colour (ECMA-48 8.3.117; 38/48 from ITU-T T.416 as xterm writes them). `base` is 30 or 40.
fn colour(text: &mut String, colour: Color, base: usize) {
    let mut parameter = |value: usize| {
        text.push(';');
        number(text, value);
    };
    match colour {
        Color::Named(name) => match name as usize {
            n @ 0..=7 => parameter(base + n),
            n @ 8..=15 => parameter(base + 60 + n - 8),
            _ => {}
        },
        Color::Indexed(n) => [base + 8, 5, n.into()].into_iter().for_each(parameter),
        Color::Spec(rgb) => [base + 8, 2, rgb.r.into(), rgb.g.into(), rgb.b.into()].into_iter().for_each(parameter),
    }
}

/// Decimal digits, without the machinery that formats anything: positions are in every line of a full-screen program.
pub(super) fn number(text: &mut String, value: usize) {
    if value >= 10 {
        number(text, value / 10);
    }
    text.push(char::from(b'0' + (value % 10) as u8));
}
