//! The program `anteroom`.
#![forbid(unsafe_code)]
mod child;
mod postgres;
fn main() {}
