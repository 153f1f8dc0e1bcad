//! Test vectors in `tests/vectors/recording/`, in the manner of age's CCTV: files that say in their first lines what a reader must find.
//!
//! `ANTEROOM_WRITE_VECTORS=1 cargo test -p anteroom-format vectors` writes them again; otherwise the committed ones are read.
#![allow(clippy::unwrap_used)]
use crate::{layout::*, *};
use anteroom_domain::{RecordingState, Secret};
use hpke::rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};
use std::{convert::Infallible, fmt::Write as _, io::Cursor, path::PathBuf};

const FIRST_LINE: &str = "anteroom recording vector v1";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/recording")
}

fn writing() -> bool {
    std::env::var_os("ANTEROOM_WRITE_VECTORS").is_some()
}

struct Case {
    name: &'static str,
    comment: &'static str,
    bytes: Vec<u8>,
    without_keys: &'static str,
    with_keys: &'static str,
}

/// Writes chunks that a `SegmentWriter` would not.
struct Raw {
    out: Vec<u8>,
    id: Hash,
    chain: Hash,
    secret: SegmentSecret,
    track: Track,
    sequence: u64,
}

/// A chunk to be written; everything may be wrong.
struct Chunk<'a> {
    kind: Kind,
    times: (u64, u64),
    plain: &'a [u8],
    count: u32,
    /// What is announced, if not the truth.
    plain_len: Option<u32>,
    /// What is encrypted, if not the zstd frame of `plain`.
    packed: Option<Vec<u8>>,
    tamper: fn(&mut [u8; FRAME_HEADER_LEN]),
}

impl Default for Chunk<'_> {
    fn default() -> Self {
        Self { kind: Kind::Events, times: (0, 0), plain: HELLO, count: 1, plain_len: None, packed: None, tamper: |_| {} }
    }
}

/// Output of channel 0 at the chunk's first time: "hello\n".
const HELLO: &[u8] = b"\x05\x00\x00\x06hello\n";

fn key() -> SegmentKey {
    Secret::new(std::array::from_fn(|i| i as u8))
}

fn start(track: Track) -> SegmentStart {
    let session = uuid::Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001);
    SegmentStart { track, segment: 0, session, recording: [0xaa; 32], link: [0; 32], salt: [0x5a; 32] }
}

impl Raw {
    fn new(track: Track) -> Self {
        let header = start(track).header(&key()).encode();
        let id: Hash = array(&header[160..]);
        Self { out: header.to_vec(), id, chain: id, secret: SegmentSecret::new(&key(), &[0x5a; 32]), track, sequence: 0 }
    }

    fn chunk(mut self, c: Chunk<'_>) -> Self {
        let mut body =
            c.packed.unwrap_or_else(|| if c.kind == Kind::End { c.plain.to_vec() } else { zstd::bulk::compress(c.plain, 1).unwrap() });
        body.resize(body.len() + TAG_LEN, 0);
        let header = FrameHeader {
            body_len: body.len() as u32,
            kind: c.kind,
            track: self.track,
            sequence: self.sequence,
            first_us: c.times.0,
            last_us: c.times.1,
            plain_len: c.plain_len.unwrap_or(c.plain.len() as u32),
            count: c.count,
        };
        let mut frame = header.encode();
        (c.tamper)(&mut frame);
        crypt::seal(&self.secret.chunk_key(self.sequence), &self.id, &header, &frame, &self.chain, &mut body).unwrap();
        self.chain = chain_hash(&self.chain, &frame, &body);
        self.out.extend_from_slice(&frame);
        self.out.extend_from_slice(&body);
        self.out.extend_from_slice(&self.chain);
        self.sequence += 1;
        self
    }

    fn hello(self) -> Self {
        self.chunk(Chunk::default())
    }

    fn end(self) -> Vec<u8> {
        self.end_chunk().out
    }

    fn end_chunk(self) -> Self {
        let end =
            End { index_offset: self.out.len() as u64, index_sequence: self.sequence, events: self.sequence, reason: EndReason::Closed };
        self.chunk(Chunk { kind: Kind::End, plain: &end.encode(), ..Chunk::default() })
    }
}

/// What a writer makes of a short session: three chunks of output, a screen, an index.
fn session(track: Track) -> Vec<u8> {
    let (mut out, mut packer) = (Vec::new(), Packer::new().unwrap());
    let mut w = SegmentWriter::start(start(track), &key(), &mut out);
    let mut put =
        |w: &mut SegmentWriter, at_us, body, out: &mut Vec<u8>| w.event(&Event { at_us, channel: 0, body }, &mut packer, out).unwrap();
    put(&mut w, 0, Body::OpenPty { cols: 80, rows: 24, term: "xterm" }, &mut out);
    put(&mut w, 1_000, Body::Output(b"$ "), &mut out);
    if track == Track::Sealed {
        put(&mut w, 500_000, Body::Input(b"id\r"), &mut out);
    }
    let mut packer2 = Packer::new().unwrap();
    w.flush(&mut packer2, &mut out).unwrap();
    put(&mut w, 501_000, Body::Output("id\r\nuid=0(root)\r\n$ é".as_bytes()), &mut out);
    w.flush(&mut packer2, &mut out).unwrap();
    if track == Track::Masked {
        w.keyframe(&Screen { at_us: 10_000_000, channel: 0, cols: 80, rows: 24, text: "\x1b[H$ id" }, &mut packer2, &mut out).unwrap();
    }
    put(&mut w, 11_000_000, Body::Exit { status: 0 }, &mut out);
    put(&mut w, 11_000_001, Body::Close, &mut out);
    let table = [ChannelEntry {
        pty: Some((80, 24, "xterm".into())),
        ended_us: 11_000_001,
        closed: true,
        exit: Some(0),
        ..ChannelEntry::default()
    }];
    w.finish(&table, EndReason::Closed, &mut packer2, &mut out).unwrap();
    out
}

/// Start and end of each chunk of a good segment.
fn places(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut reader = ChainReader::open(bytes).unwrap();
    let mut all = Vec::new();
    while let Some((frame, _)) = reader.next_frame().unwrap() {
        all.push((frame.offset as usize, (frame.offset + frame.header.frame_len()) as usize));
    }
    all
}

fn flipped(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    bytes[at] ^= 1;
    bytes
}

fn cases() -> Vec<Case> {
    let good = session(Track::Sealed);
    let p = places(&good);
    let part = |i: usize| &good[p[i].0..p[i].1];
    let head = &good[..HEADER_LEN];
    let bomb = zstd::bulk::compress(&vec![0; 50_000_000], 1).unwrap();
    let raw = || Raw::new(Track::Sealed);
    let case = |name, comment, bytes, without_keys, with_keys| Case { name, comment, bytes, without_keys, with_keys };
    vec![
        case(
            "minimal",
            "one event; the example of the specification",
            raw().hello().end(),
            "finished, 2 chunks",
            "1 event, 6 bytes of output",
        ),
        case("sealed", "a short session", good.clone(), "finished, 5 chunks", "6 events, 23 bytes of output"),
        case("masked", "the same, with a keyframe", session(Track::Masked), "finished, 6 chunks", "5 events, 23 bytes of output"),
        case("nothing-happened", "a final chunk and nothing before it", raw().end(), "finished, 1 chunk", "0 events, 0 bytes of output"),
        case("no-chunk", "a header and nothing after it", head.to_vec(), "unfinished, 0 chunks", "0 events, 0 bytes of output"),
        case("no-final", "cut between two chunks", good[..p[4].0].to_vec(), "unfinished, 4 chunks", "6 events, 23 bytes of output"),
        case(
            "empty",
            "no bytes at all",
            vec![],
            "header at byte 0: the file ends in the middle of it",
            "header at byte 0: the file ends in the middle of it",
        ),
        case(
            "cut-header",
            "cut in the header",
            good[..100].to_vec(),
            "header at byte 0: the file ends in the middle of it",
            "header at byte 0: the file ends in the middle of it",
        ),
        case(
            "cut-frame-header",
            "cut in a chunk's header",
            good[..p[1].0 + 39].to_vec(),
            "chunk 1 at byte 310: the file ends in the middle of it",
            "chunk 1 at byte 310: the file ends in the middle of it",
        ),
        case(
            "cut-body",
            "cut in a chunk's ciphertext",
            good[..p[1].0 + 50].to_vec(),
            "chunk 1 at byte 310: the file ends in the middle of it",
            "chunk 1 at byte 310: the file ends in the middle of it",
        ),
        case(
            "cut-hash",
            "cut in the last chain hash",
            good[..good.len() - 1].to_vec(),
            "chunk 4 at byte {}: the file ends in the middle of it",
            "chunk 4 at byte {}: the file ends in the middle of it",
        ),
        case(
            "not-ours",
            "another kind of file",
            [&b"\x89PNG\r\n\x1a\n"[..], &[0; 300]].concat(),
            "header at byte 0: not a recording segment",
            "header at byte 0: not a recording segment",
        ),
        case(
            "flipped-header",
            "a bit of the salt",
            flipped(good.clone(), 100),
            "header at byte 0: the header was changed",
            "header at byte 0: the header was changed",
        ),
        case(
            "flipped-time",
            "a bit of a chunk's time, in clear",
            flipped(good.clone(), p[1].0 + 31),
            "chunk 1 at byte 310: changed after it was written (chain hash differs)",
            "chunk 1 at byte 310: changed after it was written (chain hash differs)",
        ),
        case(
            "flipped-body",
            "a bit of a chunk's ciphertext",
            flipped(good.clone(), p[1].0 + 45),
            "chunk 1 at byte 310: changed after it was written (chain hash differs)",
            "chunk 1 at byte 310: changed after it was written (chain hash differs)",
        ),
        case(
            "flipped-hash",
            "a bit of a chain hash",
            flipped(good.clone(), p[0].1 - 1),
            "chunk 0 at byte 192: changed after it was written (chain hash differs)",
            "chunk 0 at byte 192: changed after it was written (chain hash differs)",
        ),
        case(
            "missing-chunk",
            "chunk 1 left out",
            [head, part(0), part(2), part(3), part(4)].concat(),
            "chunk 1 at byte 310: out of order: chunk 2 where 1 belongs",
            "chunk 1 at byte 310: out of order: chunk 2 where 1 belongs",
        ),
        case(
            "reordered",
            "chunks 0 and 1 swapped",
            [head, part(1), part(0), part(2), part(3), part(4)].concat(),
            "chunk 0 at byte 192: out of order: chunk 1 where 0 belongs",
            "chunk 0 at byte 192: out of order: chunk 1 where 0 belongs",
        ),
        case(
            "doubled",
            "chunk 0 twice",
            [head, part(0), part(0)].concat(),
            "chunk 1 at byte 310: out of order: chunk 0 where 1 belongs",
            "chunk 1 at byte 310: out of order: chunk 0 where 1 belongs",
        ),
        case(
            "double-final",
            "a second final chunk, correctly chained",
            raw().hello().end_chunk().end(),
            "chunk 2 at byte {}: bytes follow the final chunk",
            "chunk 2 at byte {}: bytes follow the final chunk",
        ),
        case(
            "byte-after-final",
            "one byte too many",
            [&good[..], b"\0"].concat(),
            "chunk 5 at byte {}: bytes follow the final chunk",
            "chunk 5 at byte {}: bytes follow the final chunk",
        ),
        case(
            "events-after-final",
            "it went on after the end",
            raw().end_chunk().hello().out,
            "chunk 1 at byte 344: bytes follow the final chunk",
            "chunk 1 at byte 344: bytes follow the final chunk",
        ),
        case(
            "empty-last",
            "a chunk without events before the end",
            raw().hello().chunk(Chunk { plain: &[], count: 0, ..Chunk::default() }).end(),
            "chunk 1 at byte {}: impossible length",
            "chunk 1 at byte {}: impossible length",
        ),
        case(
            "final-flag-on-events",
            "the final flag on a chunk that is not the final one",
            raw().chunk(Chunk { tamper: |b| b[5] = 1, ..Chunk::default() }).out,
            "chunk 0 at byte 192: unknown flags",
            "chunk 0 at byte 192: unknown flags",
        ),
        case(
            "end-without-flag",
            "a final chunk without the final flag",
            raw().chunk(Chunk { kind: Kind::End, plain: &[0; 64], tamper: |b| b[5] = 0, ..Chunk::default() }).out,
            "chunk 0 at byte 192: unknown flags",
            "chunk 0 at byte 192: unknown flags",
        ),
        case(
            "huge-length",
            "a length that would take 4 GiB",
            raw().chunk(Chunk { tamper: |b| b[..4].fill(0xff), ..Chunk::default() }).out,
            "chunk 0 at byte 192: impossible length",
            "chunk 0 at byte 192: impossible length",
        ),
        case(
            "other-track",
            "a chunk that says it is of the masked track",
            raw().chunk(Chunk { tamper: |b| b[6] = 1, ..Chunk::default() }).out,
            "chunk 0 at byte 192: belongs to another track",
            "chunk 0 at byte 192: belongs to another track",
        ),
        case(
            "backwards",
            "a chunk that is older than the one before it",
            raw().chunk(Chunk { times: (9, 9), ..Chunk::default() }).hello().end(),
            "chunk 1 at byte {}: impossible time",
            "chunk 1 at byte {}: impossible time",
        ),
        case(
            "spliced",
            "another segment's chunk, chained in by somebody without the key",
            spliced(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: does not decrypt: changed, or made with another key",
        ),
        case(
            "other-key",
            "the header commits to another key",
            Raw::new(Track::Sealed).other_key(),
            "finished, 2 chunks",
            "header at byte 0: does not decrypt: changed, or made with another key",
        ),
        case(
            "zstd-bomb",
            "50 MB in a small chunk",
            raw().chunk(Chunk { packed: Some(bomb), ..Chunk::default() }).end(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: does not decompress to the length it announced",
        ),
        case(
            "zstd-two-frames",
            "two frames where one belongs",
            raw()
                .chunk(Chunk {
                    packed: Some([zstd::bulk::compress(&HELLO[..5], 1).unwrap(), zstd::bulk::compress(&HELLO[5..], 1).unwrap()].concat()),
                    ..Chunk::default()
                })
                .end(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: does not decompress to the length it announced",
        ),
        case(
            "too-short",
            "decompresses to less than announced",
            raw().chunk(Chunk { plain_len: Some(4096), ..Chunk::default() }).end(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: does not decompress to the length it announced",
        ),
        case(
            "cut-event",
            "an event longer than its chunk",
            raw().chunk(Chunk { plain: b"\x05\x00\x00\x07hello\n", ..Chunk::default() }).end(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: holds an event that no writer makes: cut short",
        ),
        case(
            "unknown-event",
            "an event of a later version",
            raw().chunk(Chunk { plain: b"\x63\x00\x00", ..Chunk::default() }).end(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: holds an event that no writer makes: unknown event",
        ),
        case(
            "trailing-event",
            "more events than announced",
            raw().chunk(Chunk { plain: b"\x0a\x00\x00\x0a\x00\x00", ..Chunk::default() }).end(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: holds an event that no writer makes: more than it announced",
        ),
        case(
            "long-number",
            "a number that ends in a needless zero byte",
            raw().chunk(Chunk { plain: b"\x0a\x80\x00\x00", ..Chunk::default() }).end(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: holds an event that no writer makes: number with padding",
        ),
        case(
            "late-event",
            "an event after its chunk's last time",
            raw().chunk(Chunk { plain: b"\x0a\x01\x00", ..Chunk::default() }).end(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: impossible time",
        ),
        case(
            "masked-input",
            "typed input in the masked track",
            Raw::new(Track::Masked).chunk(Chunk { plain: b"\x04\x00\x00\x02pw", ..Chunk::default() }).end(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: holds an event that no writer makes: input in the masked track",
        ),
        case(
            "masked-bytes",
            "output that is no text in the masked track",
            Raw::new(Track::Masked).chunk(Chunk { plain: b"\x05\x00\x00\x01\xff", ..Chunk::default() }).end(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: holds an event that no writer makes: text that is not UTF-8",
        ),
    ]
}

/// What somebody can do who has another segment and no key: hashes are right, authentication is not.
fn spliced() -> Vec<u8> {
    let donor = Raw { secret: SegmentSecret::new(&Secret::new([7; 32]), &[0x5a; 32]), ..Raw::new(Track::Sealed) };
    donor.hello().end()
}

impl Raw {
    /// Made with a key that is not the one of the vectors.
    fn other_key(self) -> Vec<u8> {
        let key = Secret::new([7; 32]);
        let header = start(self.track).header(&key).encode();
        let id: Hash = array(&header[160..]);
        Self { out: header.to_vec(), id, chain: id, secret: SegmentSecret::new(&key, &[0x5a; 32]), ..self }.hello().end()
    }
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

/// Deterministic "randomness" for the folder of a whole recording.
struct Counter(u64);
impl TryRng for Counter {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|n| n as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut b = [0; 8];
        self.try_fill_bytes(&mut b)?;
        Ok(u64::from_be_bytes(b))
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for piece in out.chunks_mut(32) {
            self.0 += 1;
            piece.copy_from_slice(&Sha256::digest(self.0.to_be_bytes())[..piece.len()]);
        }
        Ok(())
    }
}
impl TryCryptoRng for Counter {}

/// Keys of `whole/`: the masked recipient, then the two key-holders.
fn recipients() -> [PrivateKey; 3] {
    [1u8, 2, 3].map(|n| PrivateKey::from_seed(&[n; 32]))
}

fn whole() -> Vec<(String, Vec<u8>)> {
    let signer = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let id = uuid::Uuid::from_u128;
    let header = RecordingHeader {
        format: RecordingHeader::FORMAT.into(),
        gateway: "gw-example".into(),
        session: SessionHeader {
            session: start(Track::Masked).session.into(),
            person: id(2).into(),
            person_handle: "casey".into(),
            target: id(3).into(),
            target_name: anteroom_domain::TargetName::new("ehr-db-1").unwrap(),
            account: anteroom_domain::AccountName::new("root").unwrap(),
            source: "192.0.2.7".parse().unwrap(),
            started_at: time::macros::datetime!(2026-11-23 15:00 UTC),
            grant: id(4).into(),
        },
        rules_sha256: hex(&[0; 32]),
        manifest_key: public_text(&signer),
    };
    let recording = header.sha256().unwrap();
    let mut files = vec![("header.json".to_owned(), header.to_bytes().unwrap())];
    let publics = recipients().map(|k| k.public().unwrap());
    let holders: [&[&[PublicKey]]; 2] = [&[&publics[..1]], &[&publics[1..2], &publics[2..]]];
    let mut tracks = Vec::new();
    for (track, holders) in Track::ALL.into_iter().zip(holders) {
        let start = SegmentStart { recording, ..start(track) };
        let (mut out, mut packer) = (Vec::new(), Packer::new().unwrap());
        let envelope = Envelope::wrap(&start.clone().header(&key()), &key(), holders, &mut Counter(track.code().into())).unwrap();
        let mut w = SegmentWriter::start(start, &key(), &mut out);
        w.event(&Event { at_us: 5, channel: 0, body: Body::Open }, &mut packer, &mut out).unwrap();
        w.event(&Event { at_us: 6, channel: 0, body: Body::Output(b"hello\n") }, &mut packer, &mut out).unwrap();
        let table = [ChannelEntry { opened_us: 5, ended_us: 6, ..ChannelEntry::default() }];
        let done = w.finish(&table, EndReason::Closed, &mut packer, &mut out).unwrap();
        let segment = SegmentSummary {
            segment: 0,
            bytes: done.bytes,
            chunks: done.chunks,
            events: done.events,
            head: hex(&done.head),
            finished: true,
        };
        tracks.push(TrackSummary { track, segments: vec![segment] });
        files.push((track.envelope_name(0), envelope.to_bytes().unwrap()));
        files.push((track.file_name(0), out));
    }
    let manifest = Manifest {
        format: Manifest::FORMAT.into(),
        session: header.session.session,
        gateway: header.gateway.clone(),
        header_sha256: hex(&recording),
        rules_sha256: header.rules_sha256.clone(),
        state: RecordingState::Complete,
        duration_us: 6,
        tracks,
        channels: vec![ChannelCount { channel: 0, events: 2, input_bytes: 0, output_bytes: 6 }],
        mask_check: MaskCheck::Passed,
        mask_counts: [("name".to_owned(), 0)].into(),
    };
    files.push(("manifest.json".into(), SignedManifest::sign(manifest, &signer).unwrap().to_bytes().unwrap()));
    let names = ["masked", "holder-a", "holder-b"];
    files.extend(names.iter().zip(recipients()).map(|(n, k)| (format!("{n}.key"), format!("{}\n", *k.to_line()).into_bytes())));
    files
}

#[test]
fn the_whole_recording_opens_with_the_keys_beside_it() {
    let folder = folder().join("whole");
    if writing() {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in whole() {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let private = |name: &str| String::from_utf8(read(name)).unwrap().parse::<PrivateKey>().unwrap();
    let header: RecordingHeader = strict::decode(&read("header.json")).unwrap();
    let manifest = SignedManifest::verify(&read("manifest.json"), &header.manifest_key).unwrap().manifest;
    assert_eq!(manifest.header_sha256, hex(&Sha256::digest(read("header.json"))));
    for track in Track::ALL {
        let file = read(&track.file_name(0));
        let segment = ChainReader::open(&file[..]).unwrap().header().clone();
        let envelope = Envelope::from_bytes(&read(&track.envelope_name(0))).unwrap();
        let opened = match track {
            Track::Masked => envelope.open(&segment, &private("masked.key")).unwrap(),
            Track::Sealed => {
                let shares = ["holder-a.key", "holder-b.key"].map(|k| envelope.open_share(&segment, &private(k)).unwrap());
                envelope.combine(&segment, &shares).unwrap()
            }
        };
        assert_eq!(read_with_keys(&file, &opened), "2 events, 6 bytes of output");
        assert_eq!(read_without_keys(&file), "finished, 3 chunks");
    }
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
