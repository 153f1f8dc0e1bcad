//! The test kit: what stories, lab and benchmarks start and drive.
#![forbid(unsafe_code)]

pub mod bench;
pub mod harness;
pub mod lab;
