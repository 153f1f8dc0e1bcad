//! What is in the vectors, and what a reader must say about each.
#![allow(clippy::unwrap_used)]
use super::{
    key,
    raw::{Chunk, HELLO, Raw, spliced},
    start,
};
use crate::{layout::*, *};

pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) comment: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) without_keys: &'static str,
    pub(super) with_keys: &'static str,
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

/// A transfer of files and a forward: what both tracks say about them, and the bytes that the sealed track has besides.
fn carried(track: Track) -> Vec<u8> {
    use anteroom_domain::capability::Direction;
    let (mut out, mut packer) = (Vec::new(), Packer::new().unwrap());
    let mut w = SegmentWriter::start(start(track), &key(), &mut out);
    let file = |direction, outcome, sha256, path| Body::File(FileLine { direction, outcome, bytes: 6, sha256, path });
    let mut bodies = vec![
        (1, Body::OpenFiles { how: "sftp" }),
        (1, file(Direction::Download, Outcome::Complete, Some([0xbb; 32]), b"/var/log/app.log")),
        (1, file(Direction::Upload, Outcome::Partial, None, "/tmp/é".as_bytes())),
        (1, file(Direction::Download, Outcome::Refused, None, b"/etc/shadow")),
        (2, Body::OpenForward { forward: "local-forward", place: "db-1:5432" }),
        (2, Body::Message("please stop at three")),
    ];
    let mut table = [
        ChannelEntry { channel: 1, closed: true, carries: Some(Carries::Files { how: "sftp".into() }), ..ChannelEntry::default() },
        ChannelEntry {
            channel: 2,
            opened_us: 4,
            carries: Some(Carries::Forward { forward: "local-forward".into(), place: "db-1:5432".into() }),
            ..ChannelEntry::default()
        },
    ];
    if track == Track::Sealed {
        bodies.push((2, Body::Input(&[0, 1, 0xff])));
        bodies.push((2, Body::Output(&[0xfe, 0])));
    } else {
        bodies.push((2, Body::Traffic { input: 3, output: 2 }));
        table[1].traffic = Some((3, 2));
    }
    for (at_us, (channel, body)) in (0..).zip(bodies) {
        w.event(&Event { at_us, channel, body }, &mut packer, &mut out).unwrap();
    }
    w.finish(&table, EndReason::Closed, &mut packer, &mut out).unwrap();
    out
}

/// A desktop: what both tracks say about it, its picture in both, and what each has that the other must not have.
fn desktop(track: Track) -> Vec<u8> {
    use anteroom_domain::capability::Direction;
    let (mut out, mut packer) = (Vec::new(), Packer::new().unwrap());
    let mut w = SegmentWriter::start(start(track), &key(), &mut out);
    let opened = Desktop {
        width: 100,
        height: 64,
        io_channel: 1003,
        channels: vec![(1004, "drdynvc".into())],
        zones: vec![Zone { x: 0, y: 48, width: 100, height: 16 }],
    };
    let opened = opened.encode();
    // Two tiles, of which the second is as narrow as the picture's edge. The container does not look into images.
    let batch: &[u8] = b"\x64\0\x40\0\x02\0\0\0\0\0\x03\0\0\0one\x01\0\0\0\x03\0\0\0two";
    let (way, text) = (Direction::Download, if track == Track::Sealed { "ward 4" } else { "\u{2588}\u{2588}\u{2588}\u{2588} 4" });
    let mut bodies = vec![Body::OpenDesktop(&opened), Body::Resize { cols: 100, rows: 64 }, Body::Pointer { x: 99, y: 0 }];
    if track == Track::Sealed {
        bodies.push(Body::Input(&[4, 4, 0, 0x1e]));
        bodies.push(Body::Output(&[0, 4, 3, 0]));
    }
    bodies.push(Body::Clipboard { way, more: false, text });
    bodies.push(Body::Tiles(batch));
    if track == Track::Masked {
        bodies.push(Body::Words { x: 3, y: 4, width: 60, height: 12, text: "Chart" });
        bodies.push(Body::Cleared { until_us: 5 });
    }
    for (at_us, body) in (0..).zip(bodies) {
        w.event(&Event { at_us, channel: 0, body }, &mut packer, &mut out).unwrap();
    }
    let tiles = [batch.to_vec()];
    w.picture(&Picture { at_us: 10_000_000, channel: 0, width: 100, height: 64, tiles: &tiles }, &mut packer, &mut out).unwrap();
    w.event(&Event { at_us: 10_000_001, channel: 0, body: Body::Close }, &mut packer, &mut out).unwrap();
    let table = [ChannelEntry { ended_us: 10_000_001, closed: true, desktop: Some((100, 64)), ..ChannelEntry::default() }];
    w.finish(&table, EndReason::Closed, &mut packer, &mut out).unwrap();
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

pub(super) fn cases() -> Vec<Case> {
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
        case("sealed-carried", "files and a forward", carried(Track::Sealed), "finished, 3 chunks", "8 events, 2 bytes of output"),
        case(
            "masked-carried",
            "the same, without the bytes of the forward",
            carried(Track::Masked),
            "finished, 3 chunks",
            "7 events, 0 bytes of output",
        ),
        case(
            "sealed-desktop",
            "a desktop, with its frames and its picture",
            desktop(Track::Sealed),
            "finished, 5 chunks",
            "8 events, 4 bytes of output",
        ),
        case("masked-desktop", "the same, cleared", desktop(Track::Masked), "finished, 5 chunks", "8 events, 0 bytes of output"),
        case(
            "sealed-words",
            "words of a picture in the sealed track",
            raw().chunk(Chunk { plain: b"\x16\x00\x00\x01\x01\x08\x08\x02hi", ..Chunk::default() }).end(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: holds an event that no writer makes: what was cleared, in the sealed track",
        ),
        case(
            "sealed-screen",
            "a terminal's screen in the sealed track",
            raw().chunk(Chunk { kind: Kind::Keyframe, plain: b"\x00\x50\x18\x00\x01\x01a", ..Chunk::default() }).end(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: holds an event that no writer makes: a screen in the sealed track",
        ),
        case(
            "huge-desktop",
            "a desktop of more pixels than there may be",
            raw().chunk(Chunk { plain: b"\x12\x00\x00\x08\x80\x40\x80\x40\xeb\x07\x00\x00", ..Chunk::default() }).end(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: holds an event that no writer makes: impossible size of a picture",
        ),
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
        case(
            "masked-path",
            "a file's path that is no text in the masked track",
            Raw::new(Track::Masked).chunk(Chunk { plain: b"\x0f\x00\x00\x01\x01\x06\x00\x01\xff", ..Chunk::default() }).end(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: holds an event that no writer makes: text that is not UTF-8",
        ),
        case(
            "file-sideways",
            "a file that was moved in no direction",
            raw().chunk(Chunk { plain: b"\x0f\x00\x00\x03\x01\x06\x00\x01a", ..Chunk::default() }).end(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: holds an event that no writer makes: unknown direction or outcome of a file",
        ),
        case(
            "file-half-a-hash",
            "a file whose hash is cut",
            raw().chunk(Chunk { plain: b"\x0f\x00\x00\x01\x01\x06\x01abc", ..Chunk::default() }).end(),
            "finished, 2 chunks",
            "chunk 0 at byte 192: holds an event that no writer makes: cut short",
        ),
    ]
}
