//! Output that was made to hurt. Each stream stays within stated memory, and within a factor of the time that plain output of the same size
//! takes; never within an absolute time, which says more about the machine.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

mod common;

use anteroom_masking::{MaskedEvent, Masker};
use common::{Terminal, ms, rules, text};

const MIB: usize = 1 << 20;
/// How much slower than plain output a byte may be. Short lines of a dump of bytes, read anew with what stands above them, take 80 times as
/// long; what reads the rest of a line again and again takes many hundred.
const SLOWER: f64 = 120.0;
/// Resident memory a masker may add while it takes any of this: two grids of 192,000 cells and their rows, a million scrolled cells, the
/// filter of what was emitted, and what the allocator keeps.
const MEMORY_KIB: u64 = 128 << 10;

/// Memory is of the whole process: one at a time.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn repeated(piece: impl AsRef<[u8]>, total: usize) -> Vec<u8> {
    let piece = piece.as_ref();
    piece.repeat(total / piece.len())
}

/// Feeds at 64 KiB a call, all at one moment. Returns what came out, in bytes.
fn survive(mut masker: Masker, bytes: &[u8]) -> usize {
    let mut out: Vec<MaskedEvent> = Vec::new();
    let mut written = 0;
    for part in bytes.chunks(64 << 10) {
        masker.feed(ms(0), part, &mut out);
        written += text(&out).len();
        out.clear();
    }
    masker.finish(ms(0), &mut out);
    written + text(&out).len()
}

/// Nanoseconds on the processor: what else the machine does costs nothing. Wall time where that cannot be told.
fn busy(work: impl FnOnce()) -> f64 {
    let of_thread = || std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse::<f64>().ok();
    let (before, start) = (of_thread(), std::time::Instant::now());
    work();
    match (before, of_thread()) {
        (Some(before), Some(after)) => after - before,
        _ => start.elapsed().as_nanos() as f64,
    }
}

/// Resident memory now, and its peak since the last call, in KiB (proc(5)).
fn resident() -> Option<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let both = (line("VmRSS:")?, line("VmHWM:")?);
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    Some(both)
}

fn assert_within(before: Option<(u64, u64)>) {
    if let (Some((before, _)), Some((_, peak))) = (before, resident()) {
        assert!(peak.saturating_sub(before) < MEMORY_KIB, "{} MiB more", peak.saturating_sub(before) >> 10);
    }
}

fn plain_output(total: usize) -> Vec<u8> {
    let line =
        |n: usize| format!("2024-01-15T08:30:{:02}Z INFO api-{} request id={n:08x} status=200 bytes={}\r\n", n % 60, n % 7, n * 37 % 9973);
    (0..).map(line).flat_map(String::into_bytes).take(total).collect()
}

/// What is repeated without end: on a line of 128 KiB, and on lines as short as the piece.
const PIECES: &[&str] = &[
    "id=",
    "Patient[id=",
    "[id=1 ",
    "a=b&",
    "a:",
    "mrn: ",
    "mrn=1 ",
    "name: Ann ",
    "Patient Name: Ann Whitfield MRN: E004512 ",
    "Whitfield,",
    "Whitfield ",
    "WHITFIELD^ANN^",
    "patient ",
    "Patient A ",
    "of A B ",
    "Mr. ",
    "son ",
    "<a ",
    "<a b=\"",
    "<a>",
    "</a>",
    "<a b='c'/>",
    "{\"a\":",
    "{\"",
    "[\"",
    "[{",
    "\"a\":\"b\",",
    "{\"name\":\"Ann\"},",
    "}",
    "]",
    "\\\"",
    "(",
    "((",
    "(0010,0010) ",
    "(0010,0010) PN [A\\",
    "VR: ",
    "^DPT(",
    "^A(1)=\"",
    "^",
    "^A(\"",
    "|",
    "a|",
    "PID|",
    "PID|1^2~3&",
    "MSH|^~\\&|",
    "MSHMSH",
    "PID-5 ",
    "PID-5: ",
    "PID.5.1 = ",
    "\\rPID|",
    "ISA*",
    "NM1*IL*1*A*B~",
    "NM1*",
    "*",
    "~",
    "ST*",
    "select ",
    "select a,",
    "values (",
    "values ('a',",
    " in (",
    " in ('",
    " like '",
    " between '",
    "insert into a (b) values (",
    "'",
    "''",
    "\"",
    "\"\"",
    "....",
    "____",
    "Unit No ....",
    "a....: ",
    "Dear ",
    "Re: ",
    "1 Elm Street ",
    "1 A ",
    "12 A B C D ",
    "Ann, VA 20147 ",
    "A, ",
    "AA 12345 ",
    "a@",
    "a@b.",
    "a.",
    "@",
    "1",
    "1-",
    "123-45-",
    "555-123-",
    "(555) ",
    "+1 ",
    "01/02/",
    "1/1/2020 ",
    "1999-01-02 ",
    " on ",
    " on 1 Feb 2020",
    "92M ",
    "99 y",
    ", ",
    ",",
    ", 1 Jan 2020",
    ";",
    "\t",
    "a\t",
    " ",
    "  ",
    "a  ",
    "Ann  ",
    "Ann Whitfield  ",
    "-",
    "- ",
    "--+",
    "-[ RECORD 1 ]",
    "***",
    "http://a/patient/",
    "/patients/1",
    "atient/",
    "grep ",
    "grep 'a",
    "sed | ",
    "awk '",
    "0000000",
    "00000000: ",
    "0000000   a",
    "00000010: 6d72 6e3d ",
    "a_b_c=",
    "last_name | ",
    "mrn | last_name | ",
    "E004512 | Whitfield | ",
    "\u{301}",
    "e\u{301}",
    "山",
    "山田 ",
    "：",
    "名：",
    "é",
    "\u{fffd}",
    "x: 山 ",
    "’",
    "mrn ",
    "dob 1 ",
    "date of birth is ",
    "patientMrn",
    "aA",
    "Aa",
    "a.csv:1:",
    "a/b:",
    "1:",
    "> ",
    "key:\n",
    "# ",
    "a: b\r\n  c: d\r\n",
    "\u{1b}[31mred \u{1b}[0m",
    "x\r",
    "PID|\r",
    "\u{8}",
    "x\u{8}",
    "\u{7}",
    "\u{1b}",
    "\u{1b}[",
    "\u{1b}[;",
    "\u{1b}[9;",
    "\u{1b}[1:2:3m",
    "\u{1b}[38;2;1;2;3m",
    "\u{1b}(0a",
    "\u{1b}]0;",
    "\u{1b}P",
    "\u{1b}_",
    "\u{1b}[H",
    "\u{1b}[Kx",
    "\u{1b}[1;1Hx",
    "\u{1b}7\u{1b}8",
    "\u{1b}H\t",
    "\u{1b}[3g",
    "\u{1b}[2;4r",
    "\n",
    "x\n",
    "\r\n",
];

/// Sequences that ask the terminal for much more than they have bytes, and for how many cells on a screen of 200 x 50.
const ASKING: [(&str, usize); 16] = [
    ("x\u{1b}[9999b", 9_999),
    ("x\u{1b}[65535b", 65_535),
    ("x\u{1b}[9999S", 10_000),
    ("x\u{1b}[99T", 10_000),
    ("\u{1b}[2J", 10_000),
    ("\u{1b}[3J", 10_000),
    ("\u{1b}c", 20_000),
    ("\u{1b}#8", 10_000),
    ("\u{1b}[99L\u{1b}[99M", 20_000),
    ("\u{1b}[9999P\u{1b}[9999@", 400),
    ("\u{1b}[4hx\r", 200),
    ("\u{1b}[9999X", 200),
    ("\u{1b}[2K\u{1b}[1K", 400),
    ("\u{1b}[99Z\u{1b}[99I", 400),
    ("\u{1b}M\u{1b}[S", 400),
    ("\u{1b}[?1049h\u{1b}[?1049l", 10_000),
];

type Kind = fn() -> Masker;

#[test]
fn hostile_output_stays_within_bounds() {
    let _alone = ALONE.lock();
    let kinds: [(&str, Kind); 2] = [("terminal", || Masker::new(rules(), 200, 50)), ("no terminal", || Masker::plain(rules()))];
    survive(kinds[0].1(), b"the rules are loaded\n");
    let before = resident();
    let mut slow = Vec::new();
    for (kind, masker) in kinds {
        let plain = plain_output(MIB);
        // The first run warms up.
        let base = (0..3).map(|_| busy(|| _ = survive(masker(), &plain))).fold(f64::INFINITY, f64::min) / MIB as f64;
        for piece in PIECES {
            for (bytes, what) in [(repeated(piece, MIB / 8), "one line"), (repeated(format!("{piece}\r\n"), MIB / 32), "lines")] {
                let factor = busy(|| _ = survive(masker(), &bytes)) / bytes.len() as f64 / base;
                if factor > SLOWER {
                    slow.push(format!("{kind}, {what} of {piece:?}: {factor:.0} times as slow a byte as plain output"));
                }
            }
        }
        for (piece, cells) in ASKING {
            let bytes = repeated(piece, 2 << 10);
            let asked = bytes.len() / piece.len() * cells + bytes.len();
            let factor = busy(|| _ = survive(masker(), &bytes)) / asked as f64 / base;
            if factor > SLOWER {
                slow.push(format!("{kind}, {piece:?}: {factor:.0} times as slow a cell as plain output"));
            }
        }
    }
    assert_eq!(slow, Vec::<String>::new());
    assert_within(before);
}

#[test]
fn what_has_no_end_shows_nothing() {
    let _alone = ALONE.lock();
    let terminal = || Masker::new(rules(), 200, 50);
    // A title, a picture, a message without end; its start again and again; parameters without end, and beyond any number.
    for start in ["\x1b]0;", "\x1bP", "\x1b_", "\x1b^", "\x1bX"] {
        assert!(survive(terminal(), &[start.as_bytes(), &repeated("A", 8 * MIB)].concat()) < 100, "{start:?}");
        assert!(survive(terminal(), &repeated(start, MIB)) < 100, "{start:?}");
    }
    for piece in ["9;", "9:", "9", ";", "\x1b["] {
        assert!(survive(terminal(), &[b"\x1b[".as_slice(), &repeated(piece, MIB), b"m"].concat()) < 100, "{piece:?}");
    }
    // Marks on one cell are six at most, on every cell too.
    assert!(survive(terminal(), &["a".as_bytes(), &repeated("\u{301}", MIB)].concat()) < 1000);
    assert!(survive(terminal(), &repeated("a\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}", MIB)) < 8 * MIB);
}

#[test]
fn a_terminal_may_say_it_is_of_any_size() {
    let _alone = ALONE.lock();
    let line = "Patient Name: Ann Whitfield MRN: E004512\t";
    for (cols, rows) in [(10_000, 1_000), (u16::MAX, u16::MAX), (0, 0), (1, u16::MAX), (u16::MAX, 1)] {
        let mut masker = Masker::new(rules(), cols, rows);
        let mut out = Vec::new();
        masker.feed(ms(0), &repeated(line, MIB / 8), &mut out);
        masker.feed(ms(100), &repeated("wide \u{5c71} text\r\n", 10_000), &mut out);
        masker.finish(ms(200), &mut out);
        // A word that fills more than a screen two columns wide is cut everywhere.
        assert!(cols < 40 || (!text(&out).contains("Whitfield") && !text(&out).contains("E004512")), "{cols} x {rows}");
    }
}

#[test]
fn a_storm_of_resizes_is_survived() {
    let _alone = ALONE.lock();
    let mut masker = Masker::new(rules(), 80, 24);
    let mut out = Vec::new();
    let before = resident();
    for n in 0..1500u64 {
        masker.feed(ms(n), b"MRN: E004512 \xe5\xb1\xb1\xe5\xb1\xb1 some text that wraps\r\n", &mut out);
        let side = |n: u64, most: u64| u16::try_from(n % most).unwrap();
        masker.resize(ms(n), side(n * 37, 300), side(n * 11, 90), &mut out);
    }
    masker.finish(ms(3000), &mut out);
    assert_within(before);
    let mut terminal = Terminal::new(80, 24);
    terminal.play(&out);
    assert!(!text(&out).contains("E004512"));
}
