//! What a person sees who connects without naming a target: what they may reach, and how to ask for the rest.
//!
//! Sans-io: typed bytes, sizes, facts and clock readings in; bytes to draw and [`Action`]s out. The driver owns the connection, the clock and
//! the facts: it calls [`Menu::typed`] with what comes, [`Menu::update`] when facts change, [`Menu::tick`] about four times a second, and
//! does what the actions say.
//!
//! Nothing that comes from a database or from the person reaches the screen as anything but visible characters: all text goes through one
//! grid of cells that holds no other. States are words; colour only repeats them.
#![forbid(unsafe_code)]

mod canvas;
mod draw;
mod facts;
mod field;
mod form;
#[cfg(any(test, feature = "fuzz"))]
mod fuzz;
mod keys;
mod list;
mod menu;
mod plain;
mod screen;
mod text;
mod view;
mod waiting;
mod words;

pub use form::{MAX_REASON, MIN_REASON};
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub use fuzz::fuzz;
pub use keys::ESCAPE_DELAY;
pub use list::MAX_QUERY;
pub use menu::{COUNTDOWN, MAX_KEYS_PER_TICK, Menu, Options, Output};
pub use plain::plain_list;
pub use screen::{MAX_COLS, MAX_ROWS};
pub use view::{Action, Entry, MAX_ENTRIES, Notice, State, View};
