//! What has to be read: changed places, grown until they cut no word.

use crate::{Damage, MAX_REGION_PIXELS, MAX_REGIONS, Picture, Rect};

/// Around what changed, in pixels.
const PAD: u16 = 6;
/// This many columns without ink part words that do not belong together; this many rows part lines.
const GAP_COLUMNS: u16 = 16;
const GAP_ROWS: u16 = 3;
/// How far a region grows to each side.
const MAX_GROW: u16 = 640;
const MAX_GROW_ROWS: u16 = 64;
/// Neighbours differ by more than this where there is ink.
const INK: u8 = 24;
/// Rows that two parts of a region too large for one reading have in common.
const OVERLAP: u16 = 48;

/// The regions to read for what differs between `read` and `raw` in the damaged tiles, disjoint, none empty.
pub(super) fn to_read(raw: &Picture, read: &Picture, damage: &Damage) -> Vec<Rect> {
    let mut regions: Vec<Rect> = Vec::new();
    for at in damage.tiles() {
        let changed = difference(raw, read, at.area(raw.area()));
        if !changed.is_empty() {
            regions.push(changed);
        }
    }
    let mut regions = merged(regions, PAD * 2);
    for region in &mut regions {
        *region = grown(raw, region.padded(PAD, PAD).intersection(&raw.area()));
    }
    let mut regions = merged(regions, 0);
    let covered: usize = regions.iter().map(Rect::area).sum();
    if regions.len() > MAX_REGIONS || covered * 2 > raw.area().area() {
        regions = vec![regions.into_iter().fold(Rect::default(), |all, one| all.union(&one))];
    }
    regions.retain(|region| !region.is_empty());
    regions.iter().flat_map(|region| parts(*region)).collect()
}

/// Where two pictures differ in `area`.
fn difference(raw: &Picture, read: &Picture, area: Rect) -> Rect {
    let (mut left, mut right, mut top, mut bottom) = (u32::MAX, 0, u32::MAX, 0);
    for row in 0..area.height {
        let (new, old) = (raw.row(area, row).as_chunks::<4>().0, read.row(area, row).as_chunks::<4>().0);
        if new == old {
            continue;
        }
        let y = u32::from(area.y) + u32::from(row);
        (top, bottom) = (top.min(y), y + 1);
        let differs = |at: &usize| new.get(*at) != old.get(*at);
        let at = |column: usize| u32::from(area.x) + u32::try_from(column).unwrap_or(0);
        if let (Some(first), Some(last)) = ((0..new.len()).find(differs), (0..new.len()).rev().find(differs)) {
            left = left.min(at(first));
            right = right.max(at(last) + 1);
        }
    }
    Rect::of_edges(left.min(right), top.min(bottom), right, bottom)
}

/// Joins what is nearer than `gap` until nothing is.
fn merged(mut regions: Vec<Rect>, gap: u16) -> Vec<Rect> {
    loop {
        let before = regions.len();
        let mut joined: Vec<Rect> = Vec::with_capacity(before);
        for region in regions {
            match joined.iter_mut().find(|other| other.padded(gap, gap).touches(&region)) {
                Some(other) => *other = other.union(&region),
                None => joined.push(region),
            }
        }
        if joined.len() == before {
            return joined;
        }
        regions = joined;
    }
}

/// Grows each side until there is a gap beyond it.
fn grown(raw: &Picture, start: Rect) -> Rect {
    let whole = raw.area();
    let mut region = start;
    // A side may meet new ink when another has moved.
    for _ in 0..4 {
        let before = region;
        let mut up = region.y;
        let mut down = u16::try_from(region.bottom()).unwrap_or(whole.height);
        let limit = start.y.saturating_sub(MAX_GROW_ROWS);
        while up > limit && !(0..GAP_ROWS).all(|n| up <= n || !row_has_ink(raw, region, up - 1 - n)) {
            up -= 1;
        }
        let limit = u16::try_from(start.bottom()).unwrap_or(whole.height).saturating_add(MAX_GROW_ROWS).min(whole.height);
        while down < limit && !(0..GAP_ROWS).all(|n| down + n >= whole.height || !row_has_ink(raw, region, down + n)) {
            down += 1;
        }
        region = Rect::of_edges(
            region.x.into(),
            up.saturating_sub(GAP_ROWS).into(),
            region.right(),
            u32::from(down + GAP_ROWS).min(whole.bottom()),
        );
        region = Rect { x: grown_left(raw, region, start), ..region };
        region = Rect::of_edges(region.x.into(), region.y.into(), before.right(), region.bottom());
        region = Rect::of_edges(region.x.into(), region.y.into(), grown_right(raw, region, start), region.bottom());
        if region == before {
            break;
        }
    }
    region
}

fn grown_left(raw: &Picture, region: Rect, start: Rect) -> u16 {
    let limit = start.x.saturating_sub(MAX_GROW);
    let (mut at, mut clear) = (region.x, 0);
    let mut edge = region.x;
    while at > limit && clear < GAP_COLUMNS {
        at -= 1;
        if column_has_ink(raw, region, at) {
            clear = 0;
            edge = at;
        } else {
            clear += 1;
        }
    }
    edge.saturating_sub(PAD)
}

fn grown_right(raw: &Picture, region: Rect, start: Rect) -> u32 {
    let whole = raw.area();
    let limit = (start.right() + u32::from(MAX_GROW)).min(whole.right());
    let (mut at, mut clear) = (region.right(), 0);
    let mut edge = region.right();
    while at < limit && clear < GAP_COLUMNS {
        if column_has_ink(raw, region, u16::try_from(at).unwrap_or(u16::MAX)) {
            clear = 0;
            edge = at + 1;
        } else {
            clear += 1;
        }
        at += 1;
    }
    (edge + u32::from(PAD)).min(whole.right())
}

fn row_has_ink(raw: &Picture, region: Rect, y: u16) -> bool {
    let row = raw.row(Rect { y, height: 1, ..region }, 0).as_chunks::<4>().0;
    row.windows(2).any(|two| differ(&two[0], &two[1]))
}

fn column_has_ink(raw: &Picture, region: Rect, x: u16) -> bool {
    let column = Rect { x, width: 1, ..region };
    let mut last: Option<&[u8; 4]> = None;
    for row in 0..column.height {
        let Some(pixel) = raw.row(column, row).first_chunk::<4>() else { return false };
        if last.is_some_and(|last| differ(last, pixel)) {
            return true;
        }
        last = Some(pixel);
    }
    false
}

fn differ(one: &[u8; 4], other: &[u8; 4]) -> bool {
    (0..3).any(|channel| one[channel].abs_diff(other[channel]) > INK)
}

/// Parts that are small enough for one reading, one below the other, with some rows in common.
pub(super) fn parts(region: Rect) -> Vec<Rect> {
    let rows = u16::try_from(MAX_REGION_PIXELS / usize::from(region.width).max(1)).unwrap_or(u16::MAX).max(2 * OVERLAP);
    if region.height <= rows {
        return vec![region];
    }
    let end = region.bottom();
    let tops = (region.y..).step_by((rows - OVERLAP).into()).take_while(|top| u32::from(*top) + u32::from(OVERLAP) < end);
    tops.map(|top| Rect::of_edges(region.x.into(), top.into(), region.right(), (u32::from(top) + u32::from(rows)).min(end))).collect()
}

/// Regions that are read at once: no more than an [`crate::Ocr`] is asked for.
pub(super) fn sheets(regions: &[Rect]) -> Vec<&[Rect]> {
    let mut sheets = Vec::new();
    let (mut start, mut pixels) = (0, 0);
    for (at, region) in regions.iter().enumerate() {
        if at > start && (at - start == MAX_REGIONS || pixels + region.area() > MAX_REGION_PIXELS) {
            sheets.push(&regions[start..at]);
            (start, pixels) = (at, 0);
        }
        pixels += region.area();
    }
    if start < regions.len() {
        sheets.push(&regions[start..]);
    }
    sheets
}

/// Is there nothing that could be read? (Faint writing is not, so it stays blurred.)
pub(super) fn is_blank(raw: &Picture, region: Rect) -> bool {
    !(0..region.height).any(|row| row_has_ink(raw, region, region.y.saturating_add(row)))
}
