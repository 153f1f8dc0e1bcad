//! Test vectors in `tests/vectors/recording/`, in the manner of age's CCTV: files that say in their first lines what a reader must find.
//!
//! `ANTEROOM_WRITE_VECTORS=1 cargo test -p anteroom-format vectors` writes them again; otherwise the committed ones are read.
#![allow(clippy::unwrap_used)]
mod cases;
mod raw;
mod whole;

use crate::{layout::*, *};
use anteroom_domain::Secret;
use cases::{Case, cases};
use std::{fmt::Write as _, io::Cursor, path::PathBuf};

const FIRST_LINE: &str = "anteroom recording vector v1";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/recording")
}

fn writing() -> bool {
    std::env::var_os("ANTEROOM_WRITE_VECTORS").is_some()
}
fn key() -> SegmentKey {
    Secret::new(std::array::from_fn(|i| i as u8))
}

fn start(track: Track) -> SegmentStart {
    let session = uuid::Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001);
    SegmentStart { track, segment: 0, session, recording: [0xaa; 32], link: [0; 32], salt: [0x5a; 32] }
}
fn count(n: u64, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

fn read_without_keys(bytes: &[u8]) -> String {
    let mut reader = match ChainReader::open(bytes) {
        Ok(reader) => reader,
        Err(e) => return e.to_string(),
    };
    loop {
        match reader.next_frame() {
            Ok(Some(_)) => {}
            Ok(None) => {
                return format!("{}, {}", if reader.finished() { "finished" } else { "unfinished" }, count(reader.chunks(), "chunk"));
            }
            Err(e) => return e.to_string(),
        }
    }
}

fn read_with_keys(bytes: &[u8], key: &SegmentKey) -> String {
    let mut reader = match SegmentReader::open(Cursor::new(bytes), key, bytes.len() as u64) {
        Ok(reader) => reader,
        Err(e) => return e.to_string(),
    };
    let (mut events, mut output, mut offset) = (0, 0, HEADER_LEN as u64);
    loop {
        match reader.next_chunk() {
            Ok(None) => return format!("{}, {output} bytes of output", count(events, "event")),
            Ok(Some((header, content))) => {
                if let Content::Events(list) = content {
                    for e in list {
                        match e {
                            Ok(e) => {
                                events += 1;
                                if let Body::Output(b) = e.body {
                                    output += b.len();
                                }
                            }
                            Err(p) => return p.at(Some(header.sequence), offset).to_string(),
                        }
                    }
                }
                offset += header.frame_len();
            }
            Err(e) => return e.to_string(),
        }
    }
}

/// The committed form of a case. `{}` in an expectation stands for an offset; the file has the number.
fn encode(c: &Case, wrong: &mut Vec<String>) -> Vec<u8> {
    let mut text = String::new();
    let (without, with) = (read_without_keys(&c.bytes), read_with_keys(&c.bytes, &key()));
    for (expected, found) in [(c.without_keys, &without), (c.with_keys, &with)] {
        if masked_offsets(expected) != masked_offsets(found) {
            wrong.push(format!("{}: {expected:?} is {found:?}", c.name));
        }
    }
    writeln!(text, "{FIRST_LINE}\ncomment: {}\nkey: {}\nwithout-keys: {without}\nwith-keys: {with}\n", c.comment, hex(key().expose()))
        .unwrap();
    [text.as_bytes(), &c.bytes].concat()
}

/// Offsets depend on what zstd makes of a chunk; everything else is said in the case.
fn masked_offsets(s: &str) -> String {
    match (s.find("at byte "), s.rfind(": ")) {
        (Some(a), _) => {
            let rest = &s[a + 8..];
            format!("{}{}", &s[..a], &rest[rest.find(':').unwrap()..])
        }
        _ => s.to_owned(),
    }
}

#[test]
fn every_vector_reads_as_it_says() {
    let wanted = cases();
    if writing() {
        let mut wrong = Vec::new();
        for c in &wanted {
            std::fs::write(folder().join(format!("{}.vector", c.name)), encode(c, &mut wrong)).unwrap();
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
    let mut names: Vec<String> = wanted.iter().map(|c| format!("{}.vector", c.name)).collect();
    names.sort();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.ends_with(".vector") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let at = bytes.windows(2).position(|w| w == b"\n\n").unwrap();
        let (head, body) = (std::str::from_utf8(&bytes[..at]).unwrap(), &bytes[at + 2..]);
        let field = |name: &str| head.lines().find_map(|l| l.strip_prefix(name)).unwrap();
        assert!(head.starts_with(FIRST_LINE));
        assert_eq!(field("key: "), hex(key().expose()), "{name}");
        assert_eq!(read_without_keys(body), field("without-keys: "), "{name}");
        assert_eq!(read_with_keys(body, &key()), field("with-keys: "), "{name}");
        found.push(name);
    }
    found.sort();
    assert_eq!(found, names);
}
/// The hex of the specification is the vector `minimal`, byte by byte.
#[test]
fn the_specification_shows_the_bytes_as_they_are() {
    let spec = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/recording-container.md");
    let spec = std::fs::read_to_string(spec).unwrap();
    let mut bytes = Vec::new();
    for block in spec.split("```hex\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            let digits: String = line.split('#').next().unwrap().split_whitespace().collect();
            bytes.extend((0..digits.len()).step_by(2).map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap()));
        }
    }
    let vector = std::fs::read(folder().join("minimal.vector")).unwrap();
    let at = vector.windows(2).position(|w| w == b"\n\n").unwrap();
    assert_eq!(hex(&bytes), hex(&vector[at + 2..]));
    for number in [MAX_PLAIN, MAX_BODY, HEADER_LEN, FRAME_HEADER_LEN, END_LEN] {
        let shown = number.to_string();
        let spaced = if shown.len() > 3 { format!("{},{}", &shown[..shown.len() - 3], &shown[shown.len() - 3..]) } else { shown };
        assert!(spec.contains(&spaced), "the specification does not say {spaced}");
    }
}
