#![allow(clippy::unwrap_used)]
use super::{
    item::{Item, What},
    mosaic::pieces,
    spool::{Spool, SpoolLimits},
};
use bytes::Bytes;
use std::time::Duration;

fn item(n: u64, what: What) -> Item {
    Item { at: Duration::from_millis(n), channel: 0, what }
}

/// One tile at a place, of so many bytes.
fn tile(n: u64, column: u8, len: usize) -> Item {
    let mut batch = [1280u16.to_le_bytes(), 64u16.to_le_bytes(), 1u16.to_le_bytes()].concat();
    batch.extend([column, 0, 0, 0]);
    batch.extend(u32::try_from(len).unwrap().to_le_bytes());
    batch.extend(vec![u8::try_from(n % 251).unwrap(); len]);
    item(n, What::Tiles(Bytes::from(batch)))
}

fn all(spool: &mut Spool) -> Vec<Item> {
    std::iter::from_fn(|| spool.pop().unwrap()).collect()
}

#[test]
fn what_is_more_than_memory_comes_back_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::new(dir.path().into(), SpoolLimits { memory: 100_000, file: 1 << 30 });
    let (mut sent, mut got) = (Vec::new(), Vec::new());
    for n in 0..3_000u64 {
        let item = if n % 10 == 0 { item(n, What::Note(format!("note {n}"))) } else { tile(n, (n % 20) as u8, 3_000) };
        sent.push(item.clone());
        spool.push(item);
        // Reading goes on meanwhile, at a third of the speed.
        if n % 3 == 0 {
            got.extend(spool.pop().unwrap());
        }
    }
    assert!(spool.waiting() > 4_000_000, "{}", spool.waiting());
    got.extend(all(&mut spool));
    assert!(got == sent && spool.is_empty() && spool.waiting() == 0);
    spool.push(sent[0].clone());
    assert_eq!(all(&mut spool), sent[..1]);
}

#[test]
fn with_the_disk_full_too_the_newest_picture_and_every_text_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::new(dir.path().into(), SpoolLimits { memory: 100_000, file: 1 << 20 });
    for n in 0..4_000u64 {
        spool.push(tile(n, (n % 20) as u8, 3_000));
        if n % 100 == 50 {
            spool.push(item(n, What::Note(format!("note {n}"))));
            spool.push(item(n, What::Pointer { x: 1, y: 1 }));
        }
    }
    assert!(spool.waiting() < 2_000_000, "{}", spool.waiting());
    let got = all(&mut spool);
    assert!(spool.is_empty());
    let notes: Vec<_> = got.iter().filter(|i| matches!(i.what, What::Note(_))).collect();
    assert_eq!(notes.len(), 40);
    assert!(got.is_sorted_by_key(|i| i.at), "time never goes back");
    // The newest image of each of the twenty places is the last one that was told of it.
    let mut newest = std::collections::BTreeMap::new();
    for i in &got {
        if let What::Tiles(batch) = &i.what {
            for (column, _, image) in pieces(batch).unwrap().2 {
                newest.insert(column, image[0]);
            }
        }
    }
    let wanted: std::collections::BTreeMap<u16, u8> = (3_980..4_000u64).map(|n| ((n % 20) as u16, (n % 251) as u8)).collect();
    assert_eq!(newest, wanted);
}

#[test]
fn without_a_place_for_a_file_nothing_breaks() {
    let mut spool = Spool::new("/nonexistent".into(), SpoolLimits { memory: 100_000, file: 1 << 30 });
    for n in 0..1_000 {
        spool.push(tile(n, (n % 20) as u8, 3_000));
    }
    assert!(spool.waiting() < 1_000_000);
    let got = all(&mut spool);
    assert!(spool.is_empty() && got.is_sorted_by_key(|i| i.at));
    assert_eq!(got.last().unwrap().at, Duration::from_millis(999));
}
