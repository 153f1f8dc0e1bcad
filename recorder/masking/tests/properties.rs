//! What holds for every output of every program.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

mod common;

use alacritty_terminal::term::cell::{Cell, Flags};
use anteroom_masking::{MASK, Masker, WIDE_MASK};
use common::{Terminal, mask, ms, rules, text};
use proptest::prelude::*;

const COLS: u16 = 34;
const ROWS: u16 = 9;

/// A piece of a terminal program's output.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-zA-Z0-9 .:=|,-]{1,20}".prop_map(String::into_bytes),
        2 => Just(b"\r\n".to_vec()),
        1 => Just(b"MRN: E004512 ".to_vec()),
        1 => Just(b" mrn    | last_name \r\n--------+-----------\r\n E77123 | Whitfield \r\n".to_vec()),
        1 => Just("山田 é̈ e\u{301} ß\t".as_bytes().to_vec()),
        1 => (0..4u8, 0..40u8).prop_map(|(what, n)| format!("\x1b[{}{}", n, ["A", "B", "C", "D"][usize::from(what)]).into_bytes()),
        1 => (0..12u8, 0..40u8).prop_map(|(row, col)| format!("\x1b[{row};{col}H").into_bytes()),
        1 => prop::sample::select(vec!["0", "1", "7", "31", "38;5;99", "48;2;1;2;3", "4;42", "9", "90"]).prop_map(|sgr| format!("\x1b[{sgr}m").into_bytes()),
        1 => prop::sample::select(vec!["J", "1J", "2J", "K", "1K", "2K", "3P", "4@", "5X", "L", "M", "2S", "2T", "?25l", "?25h", "4h", "4l", "5b"])
            .prop_map(|end| format!("\x1b[{end}").into_bytes()),
        1 => Just(b"\x1b[2;6r\x1b[6;1H\n\n".to_vec()),
        1 => Just(b"\x1b[r".to_vec()),
        1 => prop_oneof![Just(b"\x1b[?1049h".to_vec()), Just(b"\x1b[?1049l".to_vec())],
        1 => Just(b"\x1b]0;title\x07\x1b]8;;http://x\x1b\\l\x1b]8;;\x1b\\\x1bPq#0\x1b\\".to_vec()),
        1 => prop_oneof![Just(b"\x1b7".to_vec()), Just(b"\x1b8".to_vec()), Just(b"\x1bM".to_vec()), Just(b"\x08".to_vec()), Just(b"\r".to_vec()), Just(b"\x1bc".to_vec())],
        1 => prop::collection::vec(any::<u8>(), 1..6),
    ]
}

/// Chunks with the milliseconds since the one before.
fn chunks() -> impl Strategy<Value = Vec<(u64, Vec<u8>)>> {
    prop::collection::vec(
        (prop_oneof![Just(0), Just(5), Just(29), Just(30), Just(200), Just(1000)], prop::collection::vec(piece(), 1..6)),
        1..12,
    )
    .prop_map(|chunks| {
        let mut at = 0;
        chunks
            .into_iter()
            .map(|(gap, pieces)| {
                at += gap;
                (at, pieces.concat())
            })
            .collect()
    })
}

fn borrowed(chunks: &[(u64, Vec<u8>)]) -> Vec<(u64, &[u8])> {
    chunks.iter().map(|(at, bytes)| (*at, bytes.as_slice())).collect()
}

/// Halves of wide characters that were torn apart cannot be written by anybody: they count as blanks.
fn whole_characters(mut row: Vec<Cell>) -> Vec<Cell> {
    let flags: Vec<Flags> = row.iter().map(|cell| cell.flags).collect();
    let is = |column: Option<usize>, flag| column.and_then(|column| flags.get(column)).is_some_and(|flags: &Flags| flags.contains(flag));
    for (column, cell) in row.iter_mut().enumerate() {
        let lone_left = is(Some(column), Flags::WIDE_CHAR) && !is(Some(column + 1), Flags::WIDE_CHAR_SPACER);
        let lone_right = is(Some(column), Flags::WIDE_CHAR_SPACER) && !is(column.checked_sub(1), Flags::WIDE_CHAR);
        if lone_left || lone_right {
            cell.c = ' ';
            cell.flags.remove(Flags::WIDE_CHAR | Flags::WIDE_CHAR_SPACER);
        }
    }
    row
}

fn looks_alike(raw: &Cell, masked: &Cell) -> bool {
    let style = Flags::BOLD
        | Flags::DIM
        | Flags::ITALIC
        | Flags::INVERSE
        | Flags::HIDDEN
        | Flags::STRIKEOUT
        | Flags::WIDE_CHAR
        | Flags::WIDE_CHAR_SPACER;
    let blank = |c: char| c == ' ' || c == '\t';
    let same_char = raw.c == masked.c || (blank(raw.c) && blank(masked.c)) || (!blank(raw.c) && [MASK, WIDE_MASK].contains(&masked.c));
    same_char
        && raw.fg == masked.fg
        && raw.bg == masked.bg
        && raw.flags & style == masked.flags & style
        && raw.flags.intersects(Flags::ALL_UNDERLINES) == masked.flags.intersects(Flags::ALL_UNDERLINES)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn however_the_bytes_were_split_the_events_are_the_same(chunks in chunks(), splits in prop::collection::vec(any::<prop::sample::Index>(), 0..12), plain: bool) {
        let masker = || if plain { Masker::plain(rules()) } else { Masker::new(rules(), COLS, ROWS) };
        let whole = mask(masker(), &borrowed(&chunks));
        let mut split: Vec<(u64, &[u8])> = Vec::new();
        for (n, (at, bytes)) in chunks.iter().enumerate() {
            let mut cuts: Vec<usize> = splits.iter().skip(n % 3).map(|split| split.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            split.extend(cuts.windows(2).map(|cut| (*at, &bytes[cut[0]..cut[1]])));
        }
        let parts = mask(masker(), &split);
        prop_assert_eq!(&whole.0, &parts.0);
        prop_assert_eq!(&whole.1, &parts.1);
        let bytes: Vec<(u64, &[u8])> = chunks.iter().flat_map(|(at, bytes)| bytes.chunks(1).map(move |byte| (*at, byte))).collect();
        prop_assert_eq!(&whole, &mask(masker(), &bytes));
    }

    #[test]
    fn a_rest_changes_nothing(chunks in chunks(), sizes in prop::collection::vec(any::<bool>(), 12)) {
        let run = |rests: bool| {
            let (mut masker, mut out) = (Masker::new(rules(), COLS, ROWS), Vec::new());
            for ((at, bytes), resized) in chunks.iter().zip(&sizes) {
                masker.feed(ms(*at), bytes, &mut out);
                let last = chunks.iter().rfind(|chunk| chunk.0 == *at).unwrap().1.as_ptr() == bytes.as_ptr();
                if last && chunks.iter().find(|chunk| chunk.0 > *at).is_none_or(|next| next.0 >= at + 30) {
                    masker.settle(ms(at + 30), &mut out);
                    if rests {
                        masker.rest();
                        masker.settle(ms(at + 30), &mut out);
                    }
                    if *resized {
                        masker.resize(ms(at + 30), COLS + 3, ROWS - 1, &mut out);
                        masker.resize(ms(at + 30), COLS, ROWS, &mut out);
                    }
                }
            }
            let summary = masker.finish(ms(100_000), &mut out);
            (out, summary)
        };
        prop_assert_eq!(run(false), run(true));
    }

    #[test]
    fn raw_and_masked_look_alike_when_output_settled(chunks in chunks()) {
        let mut masker = Masker::new(rules(), COLS, ROWS);
        let (mut raw, mut shown) = (Terminal::new(COLS.into(), ROWS.into()), Terminal::new(COLS.into(), ROWS.into()));
        let mut out = Vec::new();
        for (at, bytes) in &chunks {
            masker.feed(ms(*at), bytes, &mut out);
            let settled = chunks.iter().find(|chunk| chunk.0 > *at).is_none_or(|next| next.0 >= at + 30);
            raw.feed(bytes);
            // Several chunks of one moment settle together.
            if !settled || chunks.iter().rfind(|chunk| chunk.0 == *at).unwrap().1.as_ptr() != bytes.as_ptr() {
                continue;
            }
            masker.settle(ms(at + 30), &mut out);
            if at % 2 == 0 {
                masker.rest();
            }
            shown.play(&std::mem::take(&mut out));
            prop_assert_eq!(raw.cursor(), shown.cursor(), "cursor at {} ms", at);
            // A keyframe paints the same, whatever was there before.
            let mut painted = Terminal::new(COLS.into(), ROWS.into());
            painted.feed(b"\x1b[1;7;31mwhat was here before\x1b[9;9H");
            painted.feed(masker.screen().unwrap().as_str().as_bytes());
            prop_assert_eq!(painted.cursor(), shown.cursor(), "painted cursor at {} ms", at);
            for row in 0..usize::from(ROWS) {
                prop_assert_eq!(painted.row(row), shown.row(row), "painted row {} at {} ms", row, at);
            }
            for row in 0..usize::from(ROWS) {
                for (column, (raw, shown)) in whole_characters(raw.row(row)).iter().zip(shown.row(row)).enumerate() {
                    prop_assert!(looks_alike(raw, &shown), "at {at} ms row {row} column {column}: {raw:?} became {shown:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_but_text_and_our_own_sequences_comes_out(chunks in chunks()) {
        let (events, _) = mask(Masker::new(rules(), COLS, ROWS), &borrowed(&chunks));
        let shown = text(&events);
        let mut rest = shown.as_str();
        while let Some(escape) = rest.find('\x1b') {
            prop_assert!(rest[..escape].chars().all(|c| !c.is_control() || c == '\r' || c == '\n'));
            rest = rest[escape + 1..].strip_prefix('[').unwrap();
            let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap();
            let own = matches!(&rest[end..=end], "m" | "H") || ["K", "2J", "?25l", "?25h", "?1049l", "?1049h"].contains(&&rest[..=end]);
            prop_assert!(own, "{:?}", &rest[..=end]);
            rest = &rest[end + 1..];
        }
    }

    #[test]
    fn a_planted_identifier_is_never_readable(number in 100_000..999_999u32, name in "[A-Z][a-z]{5,9}", gaps in prop::collection::vec(0..60u64, 6), cut in any::<prop::sample::Index>()) {
        let name = format!("Q{}", name.to_lowercase());
        let planted = format!("\r\n  mrn   | last_name  | hgb\r\n--------+------------+-----\r\n {number} | {name:10} | 9.1\r\n(1 row)\r\n\r\nPatient Name: {name}, Ann\r\nsaw {name} ({number}) today\r\n");
        let mut chunks: Vec<(u64, Vec<u8>)> = vec![(0, b"\x1bc\x1b[r\x1b[?1049l\x1b[4l".to_vec())];
        let (first, second) = planted.as_bytes().split_at(cut.index(planted.len()));
        let mut at = 100;
        for (gap, part) in gaps.iter().zip(first.chunks(first.len() / 3 + 1).chain(second.chunks(second.len() / 3 + 1))) {
            at += gap;
            chunks.push((at, part.to_vec()));
        }
        let (events, summary) = mask(Masker::new(rules(), 80, 24), &borrowed(&chunks));
        let shown = text(&events);
        prop_assert!(!shown.contains(&name) && !shown.contains(&number.to_string()), "{shown}");
        prop_assert!(!summary.incomplete);
        let (events, _) = mask(Masker::plain(rules()), &borrowed(&chunks[1..]));
        prop_assert!(!text(&events).contains(&name) && !text(&events).contains(&number.to_string()));
    }
}

/// A few lines of every format that is parsed.
const FORMATS: [&str; 16] = [
    "MSH|^~\\&|A|B|C|D|20240115||ADT^A01|1|P|2.5\rPID|1||E004512||WHITFIELD^ANN||19540311\rPV1|1|I\r\n",
    "ISA*00*          *00*          *ZZ*A              *ZZ*B              *240115*0830*^*00501*000000905*0*P*:~NM1*IL*1*WHITFIELD*ANN****MI*E004512~\r\nN3*12 ELM ST~\r\n",
    "{\"resourceType\":\"Patient\",\r\n \"name\":[{\"family\":\"Whitfield\"}],\r\n \"birthDate\":\"1954-03-11\"}\r\n",
    "<patientRole>\r\n <id extension=\"E004512\"/>\r\n <name><family>Whitfield</family></name>\r\n</patientRole>\r\n",
    "patient:\r\n  name:\r\n    - Whitfield\r\n  mrn: E004512\r\n",
    "(0010,0010) PN [WHITFIELD^ANN]   #  14, 1 PatientName\r\n",
    "^DPT(123,0)=\"WHITFIELD,ANN^F^2540311\"\r\n",
    "00000000: 6d72 6e3d 4530 3034 3531 3220 6162 6320  mrn=E004512 abc \r\n00000010: 6d72 6e3d 4530 3034 3531 3220 6162 6320  mrn=E004512 abc \r\n",
    "0000000   m   r   n   =   E   0   0   4   5   1   2\r\n",
    "mrn,last_name,dob\r\nE004512,Whitfield,1954-03-11\r\n",
    " mrn     | last_name \r\n---------+-----------\r\n E004512 | Whitfield \r\n\r\n",
    "name: Ann Whitfield\r\nsex: F\r\nmrn: E004512\r\n",
    "select mrn, last_name from p;\r\n E004512 | Whitfield \r\n",
    "E004512|Whitfield|Ann|1954-03-11|F\r\n",
    "Ann Whitfield\r\n12 Elm Street\r\nAshburn, VA 20147\r\nDear Ann,\r\n",
    "$ grep 'Whitfield' patients.csv\r\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_format_is_masked_the_same_however_it_was_split(picks in prop::collection::vec(0..FORMATS.len(), 1..5), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20), plain: bool) {
        let bytes: Vec<u8> = picks.iter().flat_map(|pick| FORMATS[*pick].bytes()).collect();
        let masker = || if plain { Masker::plain(rules()) } else { Masker::new(rules(), 80, 24) };
        let whole = mask(masker(), &[(0, &bytes)]);
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        let split: Vec<(u64, &[u8])> = at.windows(2).map(|cut| (0, &bytes[cut[0]..cut[1]])).collect();
        prop_assert_eq!(&whole, &mask(masker(), &split));
        // Every format has one of the two, and neither is readable.
        let shown = text(&whole.0).to_lowercase();
        prop_assert!(!shown.contains("whitfield") && !shown.contains("e004512"), "{}", shown);
    }

    #[test]
    fn damaged_formats_do_not_stop_the_masker(pick in 0..FORMATS.len(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8), times in 1..3usize) {
        let mut bytes = FORMATS[pick].repeat(times).into_bytes();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        mask(Masker::plain(rules()), &[(0, &bytes)]);
        mask(Masker::new(rules(), 40, 10), &[(0, &bytes)]);
    }
}
