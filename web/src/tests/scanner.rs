//! Reads a QR code off a page as a scanner does that sees it sharply (ISO/IEC 18004): of version 3 with error correction H (Q is asked for, and
//! more fits), as a card's code has it. Damage is not corrected here; what it checks is that the picture says what stands beside it.
use std::collections::BTreeSet;

/// Squares on a side, and the empty ones around it.
const SIDE: usize = 29;
const QUIET: usize = 4;
/// Two blocks, each of so many data codewords (table 9).
const BLOCKS: usize = 2;
const DATA: usize = 13;
const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

type Dark = BTreeSet<(usize, usize)>;

/// The text in the first picture of the page.
pub(super) fn read(page: &str) -> String {
    let side: usize = page.split_once("viewBox=\"0 0 ").unwrap().1.split_once(' ').unwrap().0.parse().unwrap();
    assert_eq!(side, SIDE + 2 * QUIET, "another version than this reads");
    let path = page.split_once("<path d=\"").unwrap().1.split_once('"').unwrap().0;
    let squares = path.split('M').filter(|s| !s.is_empty()).map(|s| s.strip_suffix("h1v1h-1z").unwrap().split_once(' ').unwrap());
    let at = |n: &str| n.parse::<usize>().unwrap() - QUIET;
    let dark: Dark = squares.map(|(x, y)| (at(x), at(y))).collect();
    text(&data(&codewords(&dark)))
}

/// Finders with their format bits, timing and the one alignment pattern: what holds no data.
fn is_pattern(x: usize, y: usize) -> bool {
    let near = |n: usize| n < 9;
    let far = |n: usize| n >= SIDE - 8;
    (near(x) && (near(y) || far(y))) || (far(x) && near(y)) || x == 6 || y == 6 || ((20..=24).contains(&x) && (20..=24).contains(&y))
}

/// Which mask was laid over it (7.9): beside the first finder.
fn mask(dark: &Dark) -> usize {
    let places = (0..6).map(|n| (8, n)).chain([(8, 7), (8, 8), (7, 8)]).chain((9..15).map(|n| (14 - n, 8)));
    let bits = places.enumerate().fold(0, |bits, (n, place)| bits | usize::from(dark.contains(&place)) << n) ^ 0x5412;
    assert_eq!(bits >> 13, 2, "error correction H: more than a quarter may be stained");
    bits >> 10 & 7
}

fn is_masked(mask: usize, x: usize, y: usize) -> bool {
    0 == match mask {
        0 => (x + y) % 2,
        1 => y % 2,
        2 => x % 3,
        3 => (x + y) % 3,
        4 => (x / 3 + y / 2) % 2,
        5 => x * y % 2 + x * y % 3,
        6 => (x * y % 2 + x * y % 3) % 2,
        _ => ((x + y) % 2 + x * y % 3) % 2,
    }
}

/// Two columns at a time, from the right, up and down in turn (7.7.3).
fn codewords(dark: &Dark) -> Vec<u8> {
    let mask = mask(dark);
    let columns = (0..SIDE).rev().filter(|x| *x != 6).collect::<Vec<_>>();
    let mut bits = Vec::new();
    for (n, pair) in columns.chunks(2).enumerate() {
        for step in 0..SIDE {
            let y = if n % 2 == 0 { SIDE - 1 - step } else { step };
            for x in pair.iter().copied().filter(|x| !is_pattern(*x, y)) {
                bits.push(dark.contains(&(x, y)) ^ is_masked(mask, x, y));
            }
        }
    }
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |n, bit| n << 1 | u8::from(*bit))).collect()
}

/// The blocks one after the other; they were laid down in turns (7.6).
fn data(codewords: &[u8]) -> Vec<u8> {
    (0..BLOCKS).flat_map(|block| (0..DATA).map(move |n| codewords[n * BLOCKS + block])).collect()
}

/// One segment of letters and digits (7.4.4).
fn text(data: &[u8]) -> String {
    let bits: Vec<bool> = data.iter().flat_map(|byte| (0..8).rev().map(move |n| byte >> n & 1 == 1)).collect();
    let mut bits = bits.into_iter();
    let mut take = |n: usize| bits.by_ref().take(n).fold(0, |all, bit| all << 1 | usize::from(bit));
    assert_eq!(take(4), 2, "letters and digits");
    let length = take(9);
    let mut text = String::new();
    let letter = |n: usize| char::from(ALPHANUMERIC[n]);
    while text.len() + 1 < length {
        let two = take(11);
        text.extend([letter(two / 45), letter(two % 45)]);
    }
    if text.len() < length {
        text.push(letter(take(6)));
    }
    text
}
