//! A batch of tiles: refused, or read and painted; what was painted can be written and comes back the same.
#![no_main]

use anteroom_picture::{Tiles, encode_tiles};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(tiles) = Tiles::decode(data) else { return };
    // A picture of the largest size takes too long to be made for each try.
    if usize::from(tiles.width) * usize::from(tiles.height) > 1 << 20 {
        return;
    }
    let mut picture = None;
    let painted = tiles.paint(&mut picture);
    assert!(painted.is_ok());
    let Some(picture) = picture else { panic!("a picture was painted") };
    let at: Vec<_> = tiles.tiles.iter().map(|tile| tile.at).collect();
    let Ok(batches) = encode_tiles(&picture, &at) else { panic!("tiles of the picture") };
    let mut again = None;
    for batch in &batches {
        let Ok(tiles) = Tiles::decode(batch) else { panic!("a batch of ours") };
        assert!(tiles.paint(&mut again).is_ok());
    }
    let Some(again) = again else { panic!("a picture was painted") };
    for at in at {
        let area = at.area(picture.area());
        assert!((0..area.height).all(|row| picture.row(area, row) == again.row(area, row)));
    }
});
