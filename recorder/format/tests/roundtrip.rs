//! What was written comes back, from the start and from a keyframe, and only with the right key.
#![allow(clippy::unwrap_used)]
use anteroom_domain::Secret;
use anteroom_format::*;
use std::io::Cursor;

fn start(track: Track) -> SegmentStart {
    SegmentStart { track, segment: 0, session: uuid::Uuid::from_u128(7), recording: [1; 32], link: [0; 32], salt: [2; 32] }
}
fn key() -> SegmentKey {
    Secret::new([9; 32])
}

fn sample(track: Track, big: &[u8]) -> (Vec<u8>, Finished) {
    let (mut out, mut packer) = (Vec::new(), Packer::new().unwrap());
    let mut w = SegmentWriter::start(start(track), &key(), &mut out);
    let mut put = |w: &mut SegmentWriter, at_us, body| w.event(&Event { at_us, channel: 3, body }, &mut packer, &mut out).unwrap();
    put(&mut w, 5, Body::OpenPty { cols: 80, rows: 24, term: "xterm" });
    put(&mut w, 9, Body::Command(b"cat /etc/motd"));
    put(&mut w, 9, Body::Output(big));
    let mut packer = Packer::new().unwrap();
    if track == Track::Masked {
        w.keyframe(&Screen { at_us: 1_000, channel: 3, cols: 80, rows: 24, text: &"é".repeat(100_000) }, &mut packer, &mut out).unwrap();
    }
    // Time went backwards: written as the last one.
    w.event(&Event { at_us: 3, channel: 3, body: Body::Exit { status: 1 } }, &mut packer, &mut out).unwrap();
    let table = [ChannelEntry { channel: 3, opened_us: 5, ended_us: 1_000, exit: Some(1), ..ChannelEntry::default() }];
    let done = w.finish(&table, EndReason::Closed, &mut packer, &mut out).unwrap();
    assert_eq!(done.bytes, out.len() as u64);
    (out, done)
}

fn collect(r: &mut SegmentReader<Cursor<&[u8]>>) -> (Vec<u8>, Vec<u64>, String, Option<End>) {
    let (mut output, mut times, mut screen, mut end) = (Vec::new(), Vec::new(), String::new(), None);
    while let Some((_, content)) = r.next_chunk().unwrap() {
        match content {
            Content::Events(events) => {
                for e in events {
                    let e = e.unwrap();
                    times.push(e.at_us);
                    if let Body::Output(b) = e.body {
                        output.extend_from_slice(b);
                    }
                }
            }
            Content::Keyframe(k) => screen.push_str(k.text),
            Content::Index(_) => {}
            Content::End(e) => end = Some(e),
        }
    }
    (output, times, screen, end)
}

#[test]
fn everything_comes_back_and_the_screen_can_be_sought() {
    let big = "zażółć gęślą jaźń\r\n".repeat(20_000);
    let (file, done) = sample(Track::Masked, big.as_bytes());
    let mut r = SegmentReader::open(Cursor::new(&file[..]), &key(), file.len() as u64).unwrap();
    let (output, times, screen, end) = collect(&mut r);
    assert!(output == big.as_bytes());
    assert_eq!(screen, "é".repeat(100_000));
    assert_eq!((times[0], *times.last().unwrap()), (5, 1_000));
    assert_eq!(end.unwrap().events, done.events);

    let index = r.index().unwrap();
    assert!(matches!(&index[1], IndexEntry::Channel(c) if c.exit == Some(1)));
    let IndexEntry::Keyframe(k) = index[0] else { panic!("no keyframe") };
    r.seek(k.offset, k.sequence).unwrap();
    let (output, times, screen, _) = collect(&mut r);
    assert_eq!((output.len(), times, screen.len()), (0, vec![1_000], 200_000));
}

#[test]
fn incompressible_output_fits_its_chunks() {
    let mut x = 1u32;
    let noise: Vec<u8> = (0..300_000)
        .map(|_| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 24) as u8
        })
        .collect();
    let (file, _) = sample(Track::Sealed, &noise);
    let mut r = SegmentReader::open(Cursor::new(&file[..]), &key(), file.len() as u64).unwrap();
    assert!(collect(&mut r).0 == noise);
}

#[test]
fn the_chain_is_checked_without_a_key() {
    let (file, done) = sample(Track::Sealed, &[b'x'; 200_000]);
    let mut r = ChainReader::open(&file[..]).unwrap();
    while r.next_frame().unwrap().is_some() {}
    assert!(r.finished());
    assert_eq!((*r.head(), r.offset(), r.chunks(), r.events()), (done.head, done.bytes, done.chunks, done.events));
}

#[test]
fn another_key_is_refused_before_anything_is_decrypted() {
    let (file, _) = sample(Track::Sealed, b"secret");
    let e = SegmentReader::open(Cursor::new(&file[..]), &Secret::new([8; 32]), file.len() as u64).unwrap_err();
    assert_eq!(e.to_string(), "header at byte 0: does not decrypt: changed, or made with another key");
}

#[test]
fn a_released_chunk_key_opens_its_chunk_and_no_other() {
    let (file, _) = sample(Track::Sealed, &[b'x'; 200_000]);
    let secret = SegmentSecret::new(&key(), &[2; 32]);
    let released = secret.chunk_key(1);
    let mut r = ChainReader::open(&file[..]).unwrap();
    let id = *r.id();
    let mut unpacker = Unpacker::new().unwrap();
    let mut opened = Vec::new();
    while let Some((frame, body)) = r.next_frame().unwrap() {
        if unpacker.open(&released, &id, &frame.header, &frame.previous, body).is_ok() {
            opened.push(frame.header.sequence);
        }
    }
    assert_eq!(opened, [1]);
}

#[test]
fn what_was_typed_cannot_be_written_to_the_masked_track() {
    let (mut out, mut packer) = (Vec::new(), Packer::new().unwrap());
    let mut w = SegmentWriter::start(start(Track::Masked), &key(), &mut out);
    for body in [Body::Input(b"hunter2"), Body::Output(&[0xff])] {
        assert!(w.event(&Event { at_us: 0, channel: 0, body }, &mut packer, &mut out).is_err());
    }
}

#[test]
fn a_long_clipboard_comes_in_pieces_and_too_many_tiles_are_refused() {
    use anteroom_domain::capability::Direction;
    let (mut out, mut packer) = (Vec::new(), Packer::new().unwrap());
    let mut w = SegmentWriter::start(start(Track::Masked), &key(), &mut out);
    let long = "zażółć ".repeat(5_000);
    let body = Body::Clipboard { way: Direction::Upload, more: false, text: &long };
    w.event(&Event { at_us: 1, channel: 0, body }, &mut packer, &mut out).unwrap();
    let tiles = vec![7; MAX_TILES + 1];
    assert!(w.event(&Event { at_us: 2, channel: 0, body: Body::Tiles(&tiles) }, &mut packer, &mut out).is_err());
    w.event(&Event { at_us: 2, channel: 0, body: Body::Tiles(&tiles[1..]) }, &mut packer, &mut out).unwrap();
    for (width, tiles) in [(8_193, vec![vec![1]]), (64, vec![tiles.clone()]), (64, vec![vec![1]; 1_025])] {
        let picture = Picture { at_us: 3, channel: 0, width, height: 64, tiles: &tiles };
        assert!(w.picture(&picture, &mut packer, &mut out).is_err(), "{width}");
    }
    w.finish(&[], EndReason::Closed, &mut packer, &mut out).unwrap();
    let mut r = SegmentReader::open(Cursor::new(&out[..]), &key(), out.len() as u64).unwrap();
    let (mut text, mut pieces, mut read) = (String::new(), 0, 0);
    while let Some((_, content)) = r.next_chunk().unwrap() {
        let Content::Events(events) = content else { continue };
        for event in events {
            match event.unwrap().body {
                Body::Clipboard { way: Direction::Upload, more, text: piece } => {
                    text.push_str(piece);
                    pieces += 1;
                    assert_eq!(more, text.len() < long.len());
                }
                Body::Tiles(b) => read = b.len(),
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(text == long && pieces > 10 && read == MAX_TILES);
}

#[test]
fn a_picture_can_be_sought_in_both_tracks() {
    for track in Track::ALL {
        let (mut out, mut packer) = (Vec::new(), Packer::new().unwrap());
        let mut w = SegmentWriter::start(start(track), &key(), &mut out);
        let tiles = vec![vec![1; 50_000], vec![2; 60_000], vec![3; 10]];
        w.event(&Event { at_us: 1, channel: 4, body: Body::Tiles(b"before") }, &mut packer, &mut out).unwrap();
        w.picture(&Picture { at_us: 9, channel: 4, width: 1280, height: 800, tiles: &tiles }, &mut packer, &mut out).unwrap();
        w.event(&Event { at_us: 10, channel: 4, body: Body::Tiles(b"after") }, &mut packer, &mut out).unwrap();
        let table = [ChannelEntry { channel: 4, desktop: Some((1280, 800)), ..ChannelEntry::default() }];
        w.finish(&table, EndReason::Closed, &mut packer, &mut out).unwrap();
        let mut r = SegmentReader::open(Cursor::new(&out[..]), &key(), out.len() as u64).unwrap();
        let index = r.index().unwrap();
        assert!(matches!(&index[1], IndexEntry::Channel(c) if c.desktop == Some((1280, 800))));
        let IndexEntry::Keyframe(k) = index[0] else { panic!("no keyframe") };
        r.seek(k.offset, k.sequence).unwrap();
        for (number, wanted) in (0..).zip(&tiles) {
            let Some((_, Content::Keyframe(part))) = r.next_chunk().unwrap() else { panic!("no part") };
            assert_eq!((part.part, part.last, part.cols, part.rows), (number, number == 2, 1280, 800));
            assert!(part.tiles == Some(&wanted[..]));
        }
        let Some((_, Content::Events(mut events))) = r.next_chunk().unwrap() else { panic!("nothing follows") };
        assert_eq!(events.next().unwrap().unwrap().body, Body::Tiles(b"after"));
    }
}
