//! An exam for the masking engine: a labelled corpus made from a seed, and a scorer.
//!
//! Every capture is written through [`text::Text`], which records what identifies somebody as it is written; nothing is found again by
//! searching. The scorer plays raw and masked bytes through a terminal emulator and compares cells at every moment something was shown.
//! Families are written from how programs print, not from what the engine can do. Everybody here is made up.
#![forbid(unsafe_code)]

pub mod dice;
pub mod families;
pub mod kind;
pub mod people;
pub mod replay;
pub mod report;
pub mod scene;
pub mod score;
pub mod table;
pub mod text;
pub mod tree;
pub mod words;

pub use families::{FAMILIES, Family};
pub use report::{Exam, examine};
pub use scene::{Capture, Part, Scene};
