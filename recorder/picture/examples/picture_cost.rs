//! What the picture costs, without OCR: cargo run -p anteroom-picture --example picture_cost
#![allow(clippy::print_stdout, reason = "it is what it is for")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anteroom_masking::RuleSet;
use anteroom_picture::{
    Clearing, Damage, Decoder, Desktop, Differ, Limits, Ocr, OcrError, Picture, Rect, Region, Tiles, Word, encode_tiles,
};
use ironrdp_graphics::rdp6::{BitmapStreamEncoder, RgbAChannels};

const WIDTH: u16 = 1280;
const HEIGHT: u16 = 800;

/// Lines of made-up letters, with soft edges, on ordinary windows.
fn screen(seed: u32) -> (Picture, Vec<Word>) {
    let mut picture = Picture::new(WIDTH, HEIGHT).expect("an ordinary size");
    picture.fill(picture.area(), [0, 99, 160]);
    picture.fill(Rect::new(40, 40, 1160, 700), [255, 255, 255]);
    picture.fill(Rect::new(40, 40, 1160, 28), [43, 87, 154]);
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    let glyphs: Vec<u64> = (0..26).map(|_| u64::from(next()) << 32 | u64::from(next()) << 16 | u64::from(next())).collect();
    let mut words = Vec::new();
    for line in 0..38 {
        let mut x = 60;
        while x < 1100 {
            let length = 2 + (next() % 8) as u16;
            let mut text = String::new();
            for letter in 0..length {
                let which = next() as usize % 26;
                text.push(char::from(b'a' + which as u8));
                for at in 0..48_u16 {
                    if glyphs[which] >> at & 1 == 1 {
                        let grey = if at % 5 == 0 { 140 } else { 20 };
                        picture.fill(Rect::new(x + letter * 7 + at % 6, 84 + line * 17 + at / 6, 1, 1), [grey, grey, grey]);
                    }
                }
            }
            words.push(Word { text, area: Rect::new(x, 84 + line * 17, length * 7, 9), confidence: 92.0 });
            x += length * 7 + 6;
        }
    }
    (picture, words)
}

struct Known(Vec<Word>);

impl Ocr for Known {
    fn read(&mut self, regions: &[Region<'_>]) -> Result<Vec<Vec<Word>>, OcrError> {
        Ok(regions.iter().map(|region| self.0.iter().filter(|word| region.area.covers(&word.area)).cloned().collect()).collect())
    }
}

fn times(count: u32, mut of: impl FnMut()) -> Duration {
    let start = Instant::now();
    (0..count).for_each(|_| of());
    start.elapsed() / count
}

fn fast_path(code: u8, data: &[u8]) -> Vec<u8> {
    let length = (data.len() + 6) as u16;
    let mut frame = vec![0, 0x80 | (length >> 8) as u8, length as u8, code];
    frame.extend((data.len() as u16).to_le_bytes());
    frame.extend(data);
    frame
}

/// The screen in frames of 64 x 64 bitmaps: as they are, or in RDP 6.0 planes.
fn frames(picture: &Picture, planes: bool) -> Vec<Vec<u8>> {
    let all = Damage::all(WIDTH, HEIGHT);
    all.tiles()
        .map(|at| {
            let area = at.area(picture.area());
            let rows: Vec<&[u8]> = (0..area.height).rev().map(|row| picture.row(area, row)).collect();
            let data = if planes {
                let pixels: Vec<u8> = rows.concat();
                let mut coded = vec![0; pixels.len() * 2 + 64];
                let mut encoder = BitmapStreamEncoder::new(area.width.into(), area.height.into());
                let length = encoder.encode_bitmap::<RgbAChannels>(&pixels, &mut coded, true).expect("room enough");
                coded.truncate(length);
                coded
            } else {
                rows.iter().flat_map(|row| row.as_chunks::<4>().0).flat_map(|[r, g, b, _]| [*b, *g, *r, 0]).collect()
            };
            let (right, bottom) = (area.x + area.width - 1, area.y + area.height - 1);
            // Compressed, without the header that says the same again.
            let flags = if planes { 0x401 } else { 0 };
            let head = [1, 1, area.x, area.y, right, bottom, area.width, area.height, 32, flags, data.len() as u16];
            let mut update: Vec<u8> = head.iter().flat_map(|word| word.to_le_bytes()).collect();
            update.extend(data);
            fast_path(1, &update)
        })
        .collect()
}

fn main() {
    let (picture, words) = screen(1);
    let (other, _) = screen(2);
    let megapixels = f64::from(WIDTH) * f64::from(HEIGHT) / 1e6;
    let raw = usize::from(WIDTH) * usize::from(HEIGHT) * 3;
    for (name, planes) in [("bitmaps as they are", false), ("bitmaps in planes", true)] {
        let frames = frames(&picture, planes);
        let bytes: usize = frames.iter().map(Vec::len).sum();
        let desktop = Desktop { width: WIDTH, height: HEIGHT, io_channel: 1003, ..Desktop::default() };
        let mut decoder = Decoder::new(&desktop, Limits::default()).expect("an ordinary size");
        let took = times(10, || frames.iter().for_each(|frame| assert!(decoder.feed(frame).expect("our own frames").painted)));
        assert!(*decoder.picture() == picture, "what was sent is what is seen");
        let seconds = took.as_secs_f64();
        println!(
            "decode, {name:<20} {:>6.0} MB/s of {:>5} KiB, {:>5.0} Mpx/s",
            bytes as f64 / 1e6 / seconds,
            bytes >> 10,
            megapixels / seconds
        );
    }
    let everywhere = Damage::all(WIDTH, HEIGHT);
    let mut differ = Differ::new();
    differ.changed(&picture, &everywhere);
    println!(
        "diff of 1280 x 800, nothing changed    {:>8.2} ms",
        times(50, || assert!(differ.changed(&picture, &everywhere).is_empty())).as_secs_f64() * 1e3
    );
    let mut turn = false;
    let took = times(20, || {
        turn = !turn;
        assert!(!differ.changed(if turn { &other } else { &picture }, &everywhere).is_empty());
    });
    println!("diff of 1280 x 800, all text changed   {:>8.2} ms", took.as_secs_f64() * 1e3);
    let tiles: Vec<_> = everywhere.tiles().collect();
    let batches = encode_tiles(&picture, &tiles).expect("its own tiles");
    let size: usize = batches.iter().map(Vec::len).sum();
    let took = times(5, || assert!(!encode_tiles(&picture, &tiles).expect("its own tiles").is_empty()));
    println!("tiles to WebP   {:>6.0} MB/s, {:>5} KiB of {} KiB", raw as f64 / 1e6 / took.as_secs_f64(), size >> 10, raw >> 10);
    let took = times(5, || batches.iter().for_each(|batch| assert!(!Tiles::decode(batch).expect("our own batch").tiles.is_empty())));
    println!("tiles from WebP {:>6.0} MB/s", raw as f64 / 1e6 / took.as_secs_f64());
    for level in [1, 3] {
        let rgb: Vec<Vec<u8>> = tiles.iter().map(|at| Region { picture: &picture, area: at.area(picture.area()) }.rgb()).collect();
        let coded = |tile: &Vec<u8>| zstd::bulk::compress(tile, level).expect("memory").len();
        let size: usize = rgb.iter().map(coded).sum();
        let took = times(5, || assert!(rgb.iter().map(coded).sum::<usize>() > 0));
        println!(
            "tiles to zstd -{level} {:>5.0} MB/s, {:>5} KiB (no browser shows that)",
            raw as f64 / 1e6 / took.as_secs_f64(),
            size >> 10
        );
    }
    clearing(&picture, words);
}

fn clearing(picture: &Picture, words: Vec<Word>) {
    let mut clearing = Clearing::new(Arc::new(RuleSet::builtin()), Vec::new());
    let tiles: Vec<_> = Damage::all(WIDTH, HEIGHT).tiles().collect();
    let batches = encode_tiles(picture, &tiles).expect("its own tiles");
    batches.iter().for_each(|batch| clearing.take(batch).expect("our own batch"));
    let count = words.len();
    let mut ocr = Known(words);
    let start = Instant::now();
    let shown = clearing.settle(&mut ocr);
    println!("clearing of a whole screen of {count} words {:>6.1} ms ({} lines)", start.elapsed().as_secs_f64() * 1e3, shown.lines.len());
    let mut changed = picture.clone();
    let mut number = 0_u16;
    let took = times(20, || {
        number += 1;
        changed.fill(Rect::new(300, 86 + number * 17, 60, 8), [20, 20, 20]);
        let damage = [
            anteroom_picture::TileAt { column: 4, row: (86 + number * 17) / 64 },
            anteroom_picture::TileAt { column: 5, row: (86 + number * 17) / 64 },
        ];
        encode_tiles(&changed, &damage).expect("its own tiles").iter().for_each(|batch| clearing.take(batch).expect("our own batch"));
        let _shown = clearing.settle(&mut ocr);
    });
    println!("clearing of a small change among them    {:>6.1} ms", took.as_secs_f64() * 1e3);
    let took = times(20, || {
        number += 1;
        encode_tiles(if number.is_multiple_of(2) { picture } else { &changed }, &tiles[40..44]).expect("its own tiles").iter().for_each(
            |batch| {
                clearing.take(batch).expect("our own batch");
            },
        );
        let _shown = clearing.blurred();
    });
    println!("blurring of a small change at once       {:>6.1} ms", took.as_secs_f64() * 1e3);
}
