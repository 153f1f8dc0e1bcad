//! What a fuzzer calls: any bytes typed, sizes, facts and times, in any order.
use crate::{Entry, MAX_COLS, MAX_ROWS, Menu, Notice, Options, Output, State, View, plain_list};
use std::time::Duration;

/// The first byte of each round says what is done with the bytes that follow it, the second how many they are.
///
/// # Panics
/// If a promise of this crate is broken.
pub fn fuzz(mut data: &[u8]) {
    let mut menu = Menu::new(Options { cols: 80, rows: 24, colour: true }, view(&[]));
    let mut now = Duration::ZERO;
    judge(&menu.start(now), b"\x1b[?1049h");
    while let [what, length, rest @ ..] = data {
        let (bytes, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        data = rest;
        let out = match what % 8 {
            0 => menu.resize(u16::from(*length) * 3, u16::from(*what)),
            1 => menu.update(view(bytes)),
            2 => menu.notice(Notice::Error(String::from_utf8_lossy(bytes).into_owned())),
            3 => {
                now += Duration::from_millis(u64::from(*length) * 20);
                menu.tick(now)
            }
            4 if !menu.running() => menu.resume(now),
            5 => {
                let listed = plain_list(&view(bytes), u16::from(*what));
                assert!(listed.chars().all(|c| c == '\n' || !c.is_control()), "a list is lines of text");
                continue;
            }
            _ => menu.typed(bytes),
        };
        judge(&out, b"");
    }
    let last = menu.leave();
    assert!(!menu.running() && (last.is_empty() || last.windows(6).any(|w| w == b"\x1b[?25h")), "the cursor is given back");
}

/// Bytes of a cell at worst: its place, its style, a letter and two marks.
const MOST_BYTES: usize = MAX_COLS as usize * MAX_ROWS as usize * 40 + 200;

fn judge(out: &Output, begins: &[u8]) {
    assert!(out.bytes.starts_with(begins));
    assert!(out.bytes.len() <= MOST_BYTES, "a page is bounded");
    assert!(
        std::str::from_utf8(&out.bytes).is_ok_and(|t| t.chars().all(|c| c == '\x1b' || !c.is_control())),
        "no control but escape is drawn"
    );
}

/// Facts made of the bytes, hostile names included.
fn view(bytes: &[u8]) -> View {
    let entry = |chunk: &[u8]| {
        let text = String::from_utf8_lossy(chunk).into_owned();
        let number = u64::from(chunk[0]);
        let state = match number % 6 {
            0 => State::Live { ends_at: number * 40, approved_by: Some(text.clone()) },
            1 => State::NotBegun { begins_at: number * 40, ends_at: u64::MAX, approved_by: None },
            2 => State::Pending { request: text.clone(), since: number * 50 },
            3 => State::Denied { request: text.clone(), by: text.clone(), reason: text.clone() },
            4 => State::Expired { request: text.clone() },
            _ => State::Askable,
        };
        let capabilities = ["shell", "exec", &text].into_iter().take(usize::from(chunk[0] / 64)).map(str::to_owned).collect();
        Entry {
            target: text.clone(),
            account: format!("{}", number % 5),
            description: text,
            state,
            capabilities,
            max_minutes: u32::from(chunk[0]),
        }
    };
    let entries = bytes.chunks(7).map(entry).collect();
    View { person: String::from_utf8_lossy(bytes).into_owned(), bastion: "bastion".to_owned(), port: 22, unix_seconds: 5000, entries }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    fn round() -> impl Strategy<Value = Vec<u8>> {
        let typed = prop_oneof![
            4 => Just(b"\r".to_vec()),
            2 => Just(b"\x1b[B".to_vec()),
            2 => Just(b"need it for work\r".to_vec()),
            1 => Just(b"\t \x1b".to_vec()),
            1 => Just(b"?wy".to_vec()),
            3 => prop::collection::vec(any::<u8>(), 0..40),
        ];
        (any::<u8>(), typed).prop_map(|(what, typed)| [&[what, typed.len() as u8], &typed[..]].concat())
    }

    proptest! {
        #[test]
        fn any_rounds_keep_every_promise(rounds in prop::collection::vec(round(), 0..60)) {
            super::fuzz(&rounds.concat());
        }

        #[test]
        fn any_bytes_keep_every_promise(data in prop::collection::vec(any::<u8>(), 0..1000)) {
            super::fuzz(&data);
        }
    }
}
