//! Masking: terminal output in, readable output without patient identifiers out.
//!
//! Output feeds a terminal emulator; what is on its grid is classified cell by cell, and only classified cells are rendered again.
//! No byte of the input reaches the output by another road: titles, hyperlinks, clipboard writes, sixel and DCS have nowhere to go.
//!
//! `masker` takes bytes; `plain` and `pty` are its two ways. Bytes go through `strings`, `utf8`, `parser` and `tap` to the grid of `screen`,
//! come from it as `row`s (`scrolled`), are put together to lines and classified by `reading` and `classify`, and are written again by
//! `render` and `masked`. What a session taught is in `learned`, what stayed readable in `emitted`; rules, their words and their sieve are in
//! `rules`, `vocabulary` and `sieve`.
//!
//! The crate is pure: no clock, no I/O, no randomness. Time is what the caller says it was (`at`), so the same recording gives the same
//! masked recording however its bytes were split.
#![forbid(unsafe_code)]

pub mod asciicast;
mod classify;
mod emitted;
mod folded;
mod kind;
mod learned;
mod line_text;
mod line_watch;
mod live;
mod masked;
mod masker;
mod packed;
mod page;
mod panes;
mod parser;
mod plain;
mod pty;
mod reading;
mod render;
mod row;
mod rules;
mod screen;
mod scrolled;
mod sieve;
mod stages;
mod strings;
mod summary;
mod tap;
mod utf8;
mod vocabulary;
mod words;

pub use line_watch::LineWatch;
pub use live::LiveMask;
pub use masked::{MASK, MaskedText, WIDE_MASK};
pub use masker::{MaskedEvent, Masker};
pub use page::{PageLine, PageMasker};
pub use rules::{RuleError, RuleSet};
#[doc(hidden)]
pub use stages::Spent;
pub use summary::{Span, Summary};
