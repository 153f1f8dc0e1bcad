//! Tiles: which changed, and that they come back from bytes as they were; that bytes of others do no harm.
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it stands")]

use anteroom_picture::{Damage, Differ, MAX_BATCH_BYTES, Picture, Rect, TileAt, TileError, Tiles, encode_tiles};
use proptest::prelude::*;

fn noise(width: u16, height: u16, seed: u32) -> Picture {
    let mut picture = Picture::new(width, height).unwrap();
    let mut state = seed | 1;
    let pixels: Vec<u8> = (0..usize::from(width) * usize::from(height) * 4)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    picture.paint(picture.area(), &pixels, usize::from(width) * 4);
    picture
}

fn all(picture: &Picture) -> Vec<TileAt> {
    Damage::all(picture.width(), picture.height()).tiles().collect()
}

fn painted(batches: &[Vec<u8>]) -> Picture {
    let mut picture = None;
    batches.iter().for_each(|batch| Tiles::decode(batch).unwrap().paint(&mut picture).unwrap());
    picture.unwrap()
}

#[test]
fn the_first_picture_changed_all_over_and_then_only_where_it_was_painted() {
    let mut picture = Picture::new(200, 130).unwrap();
    let mut differ = Differ::new();
    assert_eq!(differ.changed(&picture, &Damage::none(200, 130)).len(), 4 * 3);
    let everywhere = Damage::all(200, 130);
    assert_eq!(differ.changed(&picture, &everywhere), []);
    picture.fill(Rect::new(63, 0, 2, 1), [9, 9, 9]);
    picture.fill(Rect::new(199, 129, 1, 1), [9, 9, 9]);
    let changed = [TileAt { column: 0, row: 0 }, TileAt { column: 1, row: 0 }, TileAt { column: 3, row: 2 }];
    assert_eq!(differ.changed(&picture, &everywhere), changed);
    assert_eq!(differ.changed(&picture, &everywhere), []);
    assert_eq!(differ.changed(&Picture::new(64, 64).unwrap(), &Damage::none(64, 64)).len(), 1);
}

#[test]
fn damage_marks_every_tile_it_touches() {
    let mut damage = Damage::none(640, 480);
    assert!(damage.is_empty());
    damage.mark(Rect::new(64, 127, 65, 2));
    let tiles: Vec<(u16, u16)> = damage.tiles().map(|at| (at.column, at.row)).collect();
    assert_eq!(tiles, [(1, 1), (2, 1), (1, 2), (2, 2)]);
    damage.mark(Rect::new(9999, 9999, 60000, 60000));
    damage.mark(Rect::new(5, 5, 0, 9));
    assert_eq!(damage.tiles().count(), 4);
}

#[test]
fn tiles_of_noise_come_back_in_batches_that_are_not_too_long() {
    let picture = noise(700, 500, 7);
    let batches = encode_tiles(&picture, &all(&picture)).unwrap();
    assert!(batches.len() > 1 && batches.iter().all(|batch| batch.len() <= MAX_BATCH_BYTES));
    assert!(painted(&batches) == picture);
}

#[test]
fn plain_tiles_are_few_bytes() {
    let picture = Picture::new(1280, 800).unwrap();
    let batches = encode_tiles(&picture, &all(&picture)).unwrap();
    assert!(batches.iter().map(Vec::len).sum::<usize>() < 260 * 120);
    assert!(painted(&batches) == picture);
}

#[test]
fn what_is_no_batch_is_refused() {
    let picture = noise(100, 70, 3);
    let good = encode_tiles(&picture, &all(&picture)).unwrap().remove(0);
    let with = |at: usize, bytes: &[u8]| {
        let mut batch = good.clone();
        batch[at..at + bytes.len()].copy_from_slice(bytes);
        Tiles::decode(&batch)
    };
    assert!(Tiles::decode(&good).is_ok());
    assert_eq!(Tiles::decode(&[]), Err(TileError::Length));
    assert_eq!(Tiles::decode(&[&good[..], &[0]].concat()), Err(TileError::Length));
    assert_eq!(Tiles::decode(&vec![0; MAX_BATCH_BYTES + 1]), Err(TileError::Length));
    assert!(matches!(with(0, &[0, 0]), Err(TileError::Picture(_))));
    assert!(matches!(with(0, &[1, 0x20]), Err(TileError::Picture(_))));
    assert_eq!(with(4, &[0, 0]), Err(TileError::Count(0)));
    assert_eq!(with(4, &[1, 1]), Err(TileError::Count(257)));
    assert_eq!(with(6, &[9, 0]), Err(TileError::Place));
    assert_eq!(with(10, &[0xff, 0xff, 0xff, 0x7f]), Err(TileError::Length));
    // A tile of another size than its place, a lossy file, one with alpha.
    assert_eq!(with(6, &[1, 0]), Err(TileError::Image));
    assert_eq!(with(14 + 12, b"VP8 "), Err(TileError::Image));
    assert_eq!(with(14 + 24, &[0x10]), Err(TileError::Image));
    assert_eq!(encode_tiles(&picture, &[TileAt { column: 2, row: 0 }]), Err(TileError::Place));
}

#[test]
fn a_picture_has_limits() {
    assert!(Picture::new(8192, 2048).is_ok());
    assert!(Picture::new(8192, 2049).is_err() && Picture::new(8193, 10).is_err() && Picture::new(0, 10).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn tiles_come_back_as_they_were(width in 1_u16..200, height in 1_u16..200, seed: u32) {
        let picture = noise(width, height, seed);
        prop_assert!(painted(&encode_tiles(&picture, &all(&picture)).unwrap()) == picture);
    }

    #[test]
    fn a_batch_cut_short_or_with_a_byte_changed_is_refused_or_read_and_nothing_else(seed: u32, at: prop::sample::Index, byte: u8) {
        let picture = noise(130, 70, seed);
        let good = encode_tiles(&picture, &all(&picture)).unwrap().remove(0);
        let cut = at.index(good.len());
        prop_assert!(Tiles::decode(&good[..cut]).is_err());
        let mut changed = good;
        changed[cut] = byte;
        if let Ok(tiles) = Tiles::decode(&changed) {
            let mut picture = None;
            prop_assert!(tiles.paint(&mut picture).is_ok());
        }
    }
}
