//! What holds for any keys, sizes and packets.
#[allow(dead_code, unreachable_pub)]
mod common;

use anteroom_menu::State;
use common::{Desk, entry, live, some, view};
use proptest::prelude::*;

fn typed() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<u8>().prop_map(|b| vec![b]),
        Just(b"\x1b[B".to_vec()),
        Just(b"\x1bOA".to_vec()),
        Just(b"\x1b[6~".to_vec()),
        Just(b"\x1b[5~".to_vec()),
        Just(b"\x1b[200~pasted\r\n\x1b[201~".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\t".to_vec()),
        Just(b"\x1b\x1b".to_vec()),
        Just(b"\x7f".to_vec()),
        Just("mri ö漢e\u{301}".as_bytes().to_vec()),
        Just(b"because it is broken\r".to_vec()),
        Just(b"w".to_vec()),
        Just(b"y".to_vec()),
        Just(b"?".to_vec()),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Every place that is named lies on the screen.
fn places(raw: &[u8]) -> Vec<(usize, usize)> {
    let text = String::from_utf8_lossy(raw);
    let sequences = text.split("\x1b[").skip(1);
    sequences
        .filter_map(|s| {
            let (place, _) = s.split_once('H')?;
            let (row, col) = place.split_once(';')?;
            Some((row.parse().ok()?, col.parse().ok()?))
        })
        .collect()
}

fn many() -> anteroom_menu::View {
    let mut all = some();
    all.entries.extend((0..40).map(|n| entry("root", &format!("host-{n}"), "spare 検査", State::Askable)));
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_split_of_the_keys_ends_in_the_same_screen_and_actions(bytes in typed(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12), cols in 20u16..120, rows in 4u16..40) {
        let mut whole = Desk::new(cols, rows, many());
        let out = whole.menu.typed(&bytes);
        whole.take(out);
        let mut cuts: Vec<usize> = cuts.iter().map(|i| i.index(bytes.len() + 1)).collect();
        cuts.push(bytes.len());
        cuts.sort_unstable();
        let (mut pieces, mut from) = (Desk::new(cols, rows, many()), 0);
        for cut in cuts {
            let out = pieces.menu.typed(&bytes[from..cut]);
            pieces.take(out);
            from = cut;
        }
        prop_assert_eq!(whole.screen(), pieces.screen());
        prop_assert_eq!(whole.cursor(), pieces.cursor());
        prop_assert_eq!(whole.actions, pieces.actions);
    }

    #[test]
    fn drawing_the_difference_shows_what_drawing_all_shows(rounds in prop::collection::vec(typed(), 1..6), cols in 1u16..100, rows in 1u16..30) {
        let mut desk = Desk::new(cols, rows, many());
        for (n, bytes) in rounds.iter().enumerate() {
            let out = desk.menu.typed(bytes);
            desk.take(out);
            desk.waits(150);
            if n % 2 == 1 {
                let mut changed = many();
                changed.entries[n].state = live();
                desk.hears(changed);
            }
        }
        if desk.menu.running() {
            let (seen, cursor) = (desk.screen(), desk.cursor());
            desk.resizes(cols, rows);
            prop_assert_eq!(seen, desk.screen());
            prop_assert_eq!(cursor, desk.cursor());
        }
    }

    #[test]
    fn any_keys_and_sizes_stay_on_the_screen_and_give_it_back(rounds in prop::collection::vec((typed(), 0u16..400, 0u16..200), 1..6)) {
        let mut desk = Desk::new(80, 24, many());
        for (bytes, cols, rows) in rounds {
            desk.raw.clear();
            let out = desk.menu.resize(cols, rows);
            desk.take(out);
            let out = desk.menu.typed(&bytes);
            desk.take(out);
            let most = |n: u16, untold: usize, most: usize| if n == 0 { untold } else { usize::from(n).min(most) };
            for (row, col) in places(&desk.raw) {
                prop_assert!((1..=most(rows, 24, 100)).contains(&row) && (1..=most(cols, 80, 300)).contains(&col), "{row};{col} of {cols}x{rows}");
            }
        }
        let last = desk.menu.leave();
        desk.take(anteroom_menu::Output { bytes: last, actions: Vec::new() });
        prop_assert!(desk.cursor().is_some(), "the cursor is to be seen");
        prop_assert!(!desk.alternate() && !desk.marks_pastes());
        prop_assert!(desk.menu.leave().is_empty(), "it is given back once");
    }

    #[test]
    fn a_plain_list_has_no_line_that_is_too_long(width in 20u16..200, description in "\\PC{0,300}") {
        let list = anteroom_menu::plain_list(&view(vec![entry("root", "mri-3", &description, State::Askable)]), width);
        for line in list.lines().filter(|l| !l.starts_with("  ssh ")) {
            let columns: usize = line.chars().filter_map(unicode_width::UnicodeWidthChar::width).sum();
            prop_assert!(columns <= usize::from(width), "{line:?}");
        }
    }
}

#[test]
fn a_flood_of_keys_between_two_ticks_is_not_heard_but_leaving_is() {
    let mut desk = Desk::new(80, 24, many());
    desk.types(&"\x1b[B".repeat(5000)).sees("> root@mri-3").types("\x1b[H").sees("> root@mri-3");
    desk.waits(50).types("\x1b[H").sees("> service@lab-1");
    desk.types(&"\x1b[B".repeat(5000)).types("\x04");
    assert_eq!(desk.actions, [anteroom_menu::Action::Leave]);
}
