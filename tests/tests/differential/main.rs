//! The same work directly and through the gateway, with clients that we did not write: same bytes, same end, same files, same
//! errors. The table is printed and kept in `target/differential.txt`.
//!
//! `ANTEROOM_DIFFERENTIAL=rsync` plays only scenarios whose name holds `rsync`. `ANTEROOM_DIFFERENTIAL_SELF=1` compares the target with
//! itself: what differs then is this test's own noise.
#![allow(clippy::unwrap_used)]

mod attempt;
mod clients;
mod known;
mod outcome;
mod scenarios;
mod stage;
mod table;

use std::io::Write as _;

#[test]
fn every_scenario_is_the_same_through_the_gateway() {
    let stage = stage::Stage::set().unwrap();
    let wanted = std::env::var("ANTEROOM_DIFFERENTIAL").unwrap_or_default();
    let table = table::Table::new(scenarios::all(), &wanted);
    table.play(&stage);
    let judged = table.judged();
    let (Ok(text) | Err(text)) = &judged;
    let kept = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target").join("differential.txt");
    std::fs::write(&kept, text).unwrap();
    // Past the test runner, which would keep it to itself.
    let _ = writeln!(std::io::stderr(), "\n{text}");
    assert!(judged.is_ok(), "the gateway is not transparent: see above, or {}", kept.display());
}
