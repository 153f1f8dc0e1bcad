//! What the decoder makes of a target's frames: pictures of what can be followed, errors for all else, nothing for what is harmless.
#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it stands")]

use anteroom_picture::{DecodeError, Decoder, Desktop, Limits, Rect};
use ironrdp_core::encode_vec;
use ironrdp_egfx::pdu::{
    CacheToSurfacePdu, Codec1Type, Color, CreateSurfacePdu, EndFramePdu, GfxPdu, MapSurfaceToOutputPdu, PixelFormat, Point,
    ResetGraphicsPdu, SolidFillPdu, StartFramePdu, SurfaceToCachePdu, SurfaceToSurfacePdu, Timestamp, WireToSurface1Pdu,
};
use ironrdp_graphics::zgfx::wrap_uncompressed;
use ironrdp_pdu::geometry::ExclusiveRectangle;

const IO: u16 = 1003;
const DYNAMIC: u16 = 1005;
const RED: [u8; 3] = [255, 0, 0];

fn desktop() -> Desktop {
    let channels = vec![(1004, "cliprdr".to_owned()), (DYNAMIC, "drdynvc".to_owned())];
    Desktop { width: 320, height: 200, io_channel: IO, channels, zones: Vec::new() }
}

fn decoder() -> Decoder {
    Decoder::new(&desktop(), Limits::default()).unwrap()
}

/// A fast-path frame of one update (code and fragmentation in one byte).
fn fast_path(header: u8, data: &[u8]) -> Vec<u8> {
    let length = (data.len() + 6) as u16;
    let mut frame = vec![0, 0x80 | (length >> 8) as u8, length as u8, header];
    frame.extend((data.len() as u16).to_le_bytes());
    frame.extend(data);
    frame
}

fn words(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A bitmap update of one rectangle without compression, 16 bits a pixel.
fn bitmap(left: u16, top: u16, width: u16, height: u16, colour: u16) -> Vec<u8> {
    let size = width * height * 2;
    let mut data = words(&[1, 1, left, top, left + width - 1, top + height - 1, width, height, 16, 0, size]);
    (0..width * height).for_each(|_| data.extend(colour.to_le_bytes()));
    data
}

fn tpkt(channel: u16, data: &[u8]) -> Vec<u8> {
    let mut mcs = vec![26 << 2];
    mcs.extend(1002_u16.to_be_bytes());
    mcs.extend(channel.to_be_bytes());
    mcs.push(0x70);
    mcs.extend((0x8000 | data.len() as u16).to_be_bytes());
    mcs.extend(data);
    let length = (mcs.len() + 7) as u16;
    [&[3, 0][..], &length.to_be_bytes(), &[2, 0xf0, 0x80], &mcs].concat()
}

fn share_control(kind: u16, body: &[u8]) -> Vec<u8> {
    [&words(&[(body.len() + 6) as u16, kind | 0x10, 1002])[..], body].concat()
}

fn share_data(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut data = vec![0, 0, 1, 0, 0, 1];
    data.extend((body.len() as u16).to_le_bytes());
    data.extend([kind, 0, 0, 0]);
    data.extend(body);
    tpkt(IO, &share_control(7, &data))
}

fn demand_active(width: u16, height: u16) -> Vec<u8> {
    let bitmap = [&words(&[2, 28, 16, 1, 1, 1])[..], &words(&[width, height, 0, 1, 1, 0, 1, 0])].concat();
    let mut body = vec![0, 0, 1, 0];
    body.extend(words(&[4, (bitmap.len() + 4) as u16]));
    body.extend(b"RDP\0");
    body.extend(words(&[1, 0]));
    body.extend(bitmap);
    tpkt(IO, &share_control(1, &body))
}

/// One PDU of the dynamic channel, in one chunk.
fn dynamic(pdu: &[u8]) -> Vec<u8> {
    let mut data = (pdu.len() as u32).to_le_bytes().to_vec();
    data.extend(3_u32.to_le_bytes());
    data.extend(pdu);
    tpkt(DYNAMIC, &data)
}

fn create(id: u8) -> Vec<u8> {
    dynamic(&[&[0x10, id][..], b"Microsoft::Windows::RDS::Graphics\0"].concat())
}

fn graphics(pdus: Vec<GfxPdu>) -> Vec<u8> {
    let all: Vec<u8> = pdus.iter().flat_map(|pdu| encode_vec(pdu).unwrap()).collect();
    dynamic(&[&[0x30, 7][..], &wrap_uncompressed(&all)].concat())
}

fn start() -> GfxPdu {
    GfxPdu::StartFrame(StartFramePdu { timestamp: Timestamp { milliseconds: 0, seconds: 0, minutes: 0, hours: 0 }, frame_id: 1 })
}

fn end() -> GfxPdu {
    GfxPdu::EndFrame(EndFramePdu { frame_id: 1 })
}

fn surface(id: u16, width: u16, height: u16) -> GfxPdu {
    GfxPdu::CreateSurface(CreateSurfacePdu { surface_id: id, width, height, pixel_format: PixelFormat::XRgb })
}

fn place(left: u16, top: u16, right: u16, bottom: u16) -> ExclusiveRectangle {
    ExclusiveRectangle { left, top, right, bottom }
}

fn fill(id: u16, area: ExclusiveRectangle) -> GfxPdu {
    GfxPdu::SolidFill(SolidFillPdu { surface_id: id, fill_pixel: Color { b: 0, g: 0, r: 255, xa: 0 }, rectangles: vec![area] })
}

fn set_up(width: u16, height: u16) -> Vec<GfxPdu> {
    vec![
        GfxPdu::ResetGraphics(ResetGraphicsPdu { width: width.into(), height: height.into(), monitors: Vec::new() }),
        surface(1, width, height),
        GfxPdu::MapSurfaceToOutput(MapSurfaceToOutputPdu { surface_id: 1, output_origin_x: 0, output_origin_y: 0 }),
    ]
}

#[test]
fn a_bitmap_is_painted_and_its_tiles_are_damaged() {
    let mut decoder = decoder();
    let _first = decoder.take_damage();
    let fed = decoder.feed(&fast_path(1, &bitmap(10, 20, 4, 3, 0xf800))).unwrap();
    assert!(fed.painted && fed.resized.is_none());
    assert_eq!((decoder.picture().at(10, 20), decoder.picture().at(13, 22), decoder.picture().at(14, 22)), (RED, RED, [0; 3]));
    assert_eq!(decoder.take_damage().tiles().count(), 1);
    // The same by the slow path.
    let _fed = decoder.feed(&share_data(2, &bitmap(100, 100, 4, 3, 0xf800))).unwrap();
    assert_eq!(decoder.picture().at(102, 102), RED);
}

#[test]
fn rows_come_from_the_bottom_and_what_is_outside_is_left_out() {
    let mut decoder = decoder();
    let mut data = words(&[1, 1, 318, 199, 319, 200, 4, 2, 16, 0, 16]);
    data.extend(words(&[1, 1, 1, 1, 0xf800, 0xf800, 0, 0]));
    let _fed = decoder.feed(&fast_path(1, &data)).unwrap();
    assert_eq!((decoder.picture().at(318, 199), decoder.picture().at(319, 199), decoder.picture().at(317, 199)), (RED, RED, [0; 3]));
}

#[test]
fn an_update_in_fragments_is_painted_when_it_is_whole() {
    let mut decoder = decoder();
    let data = bitmap(0, 0, 8, 8, 0xf800);
    assert!(!decoder.feed(&fast_path(1 | 2 << 4, &data[..50])).unwrap().painted);
    assert!(!decoder.feed(&fast_path(1 | 3 << 4, &data[50..90])).unwrap().painted);
    assert!(decoder.feed(&fast_path(1 | 1 << 4, &data[90..])).unwrap().painted);
    assert_eq!(decoder.picture().at(7, 7), RED);
}

#[test]
fn a_new_active_phase_with_another_size_begins_with_a_black_picture() {
    let mut decoder = decoder();
    let _fed = decoder.feed(&fast_path(1, &bitmap(0, 0, 8, 8, 0xf800))).unwrap();
    assert!(!decoder.feed(&tpkt(IO, &share_control(6, &words(&[0, 0, 1, 0])))).unwrap().painted);
    assert_eq!(decoder.feed(&demand_active(320, 200)).unwrap().resized, None);
    assert_eq!(decoder.picture().at(7, 7), RED, "the same size keeps its picture");
    assert_eq!(decoder.feed(&demand_active(640, 480)).unwrap().resized, Some((640, 480)));
    assert_eq!((decoder.picture().width(), decoder.picture().at(7, 7)), (640, [0; 3]));
    assert_eq!(decoder.take_damage().tiles().count(), 10 * 8);
}

#[test]
fn what_paints_nothing_is_passed_by() {
    let mut decoder = decoder();
    let licence = tpkt(IO, &words(&[0x80, 0, 1, 2, 3]));
    let mut harmless = vec![
        licence,
        tpkt(1004, b"clipboard, which is nobody's business here"),
        tpkt(1099, b"a channel nobody knows"),
        vec![3, 0, 0, 9, 2, 0xf0, 0x80, 0x21, 0x80],
        vec![3, 0, 0, 11, 6, 0xd0, 0, 0, 0, 0, 0],
        fast_path(5, &[]),
        fast_path(3, &[]),
        fast_path(9, b"a pointer's shape"),
        fast_path(0, &[0, 0]),
        tpkt(IO, &share_control(10, &[0; 8])),
        dynamic(&[0x50, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        dynamic(b"\x10\x03AUDIO_PLAYBACK_DVC\0"),
        dynamic(b"\x30\x03sound"),
    ];
    harmless.extend([0x14, 0x1b, 0x1f, 0x22, 0x26, 0x28, 0x29, 0x2f, 0x36, 0x37].map(|kind| share_data(kind, &[0; 12])));
    for frame in harmless {
        let fed = decoder.feed(&frame);
        assert_eq!(fed, Ok(anteroom_picture::Fed::default()), "{frame:02x?}");
    }
}

#[test]
fn xrdps_licensing_is_known_by_its_length_and_only_before_the_share() {
    // The upper half of its flags is what was in the buffer (xrdp 0.9.21).
    let licence = |flags: u16| tpkt(IO, &[&words(&[0x80, flags])[..], &[0xff, 3, 16, 0, 7, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0]].concat());
    let mut d = decoder();
    for flags in [0, 0x013e, 0xa817] {
        assert!(!d.feed(&licence(flags)).unwrap().painted);
    }
    assert!(d.feed(&demand_active(320, 200)).is_ok());
    assert!(d.feed(&licence(0x013e)).is_err(), "nothing of that kind comes later");
}

#[test]
fn what_cannot_be_followed_ends_the_recording() {
    let surface_command = |codec: u8| {
        let mut data = words(&[1, 0, 0, 8, 8]);
        data.extend([32, 0, 0, codec]);
        data.extend(words(&[8, 8, 4, 0]));
        data.extend([0; 4]);
        fast_path(4, &data)
    };
    let wire = |codec| {
        let wire = WireToSurface1Pdu {
            surface_id: 1,
            codec_id: codec,
            pixel_format: PixelFormat::XRgb,
            destination_rectangle: place(0, 0, 64, 64),
            bitmap_data: vec![0xff; 16],
        };
        graphics([set_up(64, 64), vec![start(), GfxPdu::WireToSurface1(wire), end()]].concat())
    };
    let unknown: Vec<(Vec<u8>, &str)> = vec![
        (fast_path(0, &[1, 0, 9, 9]), "drawing order cannot be recorded"),
        (fast_path(0xf, &[]), "fast-path update cannot be recorded"),
        (vec![0x80, 2], "standard RDP security cannot be recorded"),
        ([&fast_path(1, &[])[..3], &[1 | 2 << 6, 0x21, 0, 0]].concat(), "malformed fast-path frame"),
        (surface_command(1), "codec of a surface command cannot be recorded"),
        (surface_command(3), "malformed RemoteFX message"),
        (share_data(0x77, &[]), "share data PDU cannot be recorded"),
        (tpkt(IO, &share_control(5, &[])), "share control PDU cannot be recorded"),
        (tpkt(IO, &words(&[8, 0, 0])), "standard RDP security cannot be recorded"),
        (fast_path(1, &words(&[1, 1, 0, 0, 7, 7, 4, 4, 16, 0, 0])), "malformed bitmap"),
        (fast_path(1, &words(&[1, 1, 0, 0, 7, 7, 8, 8, 16, 1, 12, 0, 4, 8, 8, 0xffff, 0xffff])), "malformed bitmap"),
        (demand_active(9000, 100), "desktop size beyond the limits of a recording"),
        (b"GET / HTTP/1.1".to_vec(), "malformed frame"),
        (b"\x03\x00\x00\xffshort".to_vec(), "malformed TPKT"),
        (vec![], "malformed frame"),
        (wire(Codec1Type::Avc420), "H.264 cannot be recorded"),
        (wire(Codec1Type::ClearCodec), "malformed graphics update"),
        (wire(Codec1Type::Planar), "malformed graphics update"),
    ];
    for (frame, error) in unknown {
        let mut decoder = decoder();
        let _fed = decoder.feed(&create(7)).unwrap();
        let refused = decoder.feed(&frame).unwrap_err();
        assert_eq!(refused.to_string(), error, "{frame:02x?}");
        assert_eq!(decoder.feed(&fast_path(3, &[])), Err(DecodeError::Failed), "it does not go on");
    }
}

#[test]
fn surfaces_are_shown_when_their_frame_ends() {
    let mut decoder = decoder();
    let _fed = decoder.feed(&create(7)).unwrap();
    let fed = decoder.feed(&graphics(set_up(400, 300))).unwrap();
    assert_eq!(fed.resized, Some((400, 300)));
    let fed = decoder.feed(&graphics(vec![start(), fill(1, place(10, 10, 20, 20))])).unwrap();
    assert!(!fed.painted && !fed.frame_end);
    assert_eq!(decoder.picture().at(15, 15), [0; 3]);
    let fed = decoder.feed(&graphics(vec![end()])).unwrap();
    assert!(fed.painted && fed.frame_end);
    assert_eq!((decoder.picture().at(15, 15), decoder.picture().at(20, 20)), (RED, [0; 3]));
    // Copied, cached and pasted.
    let copy = SurfaceToSurfacePdu {
        source_surface_id: 1,
        destination_surface_id: 1,
        source_rectangle: place(10, 10, 20, 20),
        destination_points: vec![Point { x: 100, y: 100 }],
    };
    let cache = SurfaceToCachePdu { surface_id: 1, cache_key: 1, cache_slot: 1, source_rectangle: place(10, 10, 20, 20) };
    let paste = CacheToSurfacePdu { cache_slot: 1, surface_id: 1, destination_points: vec![Point { x: 200, y: 200 }] };
    let pdus = vec![start(), GfxPdu::SurfaceToSurface(copy), GfxPdu::SurfaceToCache(cache), GfxPdu::CacheToSurface(paste), end()];
    let _fed = decoder.feed(&graphics(pdus)).unwrap();
    assert_eq!((decoder.picture().at(105, 105), decoder.picture().at(205, 205)), (RED, RED));
}

#[test]
fn a_hostile_target_gets_no_memory_and_no_time() {
    let cases: Vec<(Vec<GfxPdu>, &str)> = vec![
        (vec![surface(1, 65535, 65535)], "size of a surface beyond the limits of a recording"),
        (
            (0..15).map(|id| surface(id, 2048, 2048)).chain([fill(1, place(0, 0, 9, 9))]).collect(),
            "memory of the graphics pipeline beyond the limits of a recording",
        ),
        (
            vec![
                surface(1, 64, 64),
                GfxPdu::WireToSurface1(WireToSurface1Pdu {
                    surface_id: 1,
                    codec_id: Codec1Type::Planar,
                    pixel_format: PixelFormat::XRgb,
                    destination_rectangle: place(0, 0, 65535, 65535),
                    bitmap_data: vec![0; 8],
                }),
            ],
            "malformed place on a surface",
        ),
        (
            vec![
                surface(1, 2048, 2048),
                GfxPdu::SurfaceToSurface(SurfaceToSurfacePdu {
                    source_surface_id: 1,
                    destination_surface_id: 1,
                    source_rectangle: place(0, 0, 2048, 2048),
                    destination_points: vec![Point { x: 0, y: 0 }; 2000],
                }),
            ],
            "work of a frame beyond the limits of a recording",
        ),
        (
            vec![
                surface(1, 64, 64),
                GfxPdu::CacheToSurface(CacheToSurfacePdu { cache_slot: 9, surface_id: 1, destination_points: vec![] }),
            ],
            "bitmap of an earlier connection cannot be recorded",
        ),
        (
            vec![GfxPdu::ResetGraphics(ResetGraphicsPdu { width: 32766, height: 32766, monitors: Vec::new() })],
            "desktop size beyond the limits of a recording",
        ),
    ];
    for (pdus, error) in cases {
        let mut decoder = decoder();
        let _fed = decoder.feed(&create(7)).unwrap();
        assert_eq!(decoder.feed(&graphics(pdus)).unwrap_err().to_string(), error);
    }
    let mut decoder = decoder();
    let _fed = decoder.feed(&create(7)).unwrap();
    assert_eq!(decoder.feed(&create(8)).unwrap_err().to_string(), "second graphics pipeline cannot be recorded");
    assert!(Decoder::new(&Desktop { width: 8192, height: 8192, ..desktop() }, Limits::default()).is_err());
}

#[test]
fn a_long_session_of_small_frames_needs_no_more_than_a_short_one() {
    let mut decoder = decoder();
    let _fed = decoder.feed(&create(7)).unwrap();
    let _fed = decoder.feed(&graphics(set_up(1920, 1080))).unwrap();
    for at in 0..400_u16 {
        let fed = decoder.feed(&graphics(vec![start(), fill(1, place(0, 0, 1920, 1080)), fill(1, place(at, 0, at + 9, 9)), end()]));
        assert!(fed.is_ok_and(|fed| fed.painted), "frame {at}");
    }
    assert_eq!(decoder.picture().area(), Rect::new(0, 0, 1920, 1080));
}

/// What a codec's bytes are put into.
fn wire(codec: Codec1Type, data: &[u8]) -> Vec<u8> {
    let wire = WireToSurface1Pdu {
        surface_id: 1,
        codec_id: codec,
        pixel_format: PixelFormat::XRgb,
        destination_rectangle: place(0, 0, 128, 64),
        bitmap_data: data.to_vec(),
    };
    graphics(vec![start(), GfxPdu::WireToSurface1(wire), end()])
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(
        std::env::var("DECODER_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300)
    ))]

    /// A panic inside would come out as `Failed`. Coverage-guided: `make fuzz TARGETS=desktop`.
    #[test]
    fn no_bytes_of_a_target_break_the_decoder(kind in 0_u8..12, mut data in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), small: bool) {
        // Small numbers are lengths and flags more often than others.
        if small {
            data.iter_mut().for_each(|byte| *byte &= 0x83);
        }
        let mut decoder = decoder();
        let _fed = decoder.feed(&create(7)).unwrap();
        let _fed = decoder.feed(&graphics(set_up(128, 64))).unwrap();
        let frame = match kind {
            0 => data,
            1 => fast_path(1, &[&words(&[1, 1]), &data[..]].concat()),
            2 => fast_path(1, &[&words(&[1, 1, 0, 0, 15, 15, 16, 16, 16, 0x401, data.len() as u16]), &data[..]].concat()),
            3 => fast_path(1, &[&words(&[1, 1, 0, 0, 15, 15, 16, 16, 32, 0x401, data.len() as u16]), &data[..]].concat()),
            4 => fast_path(4, &data),
            5 => share_data(2, &data),
            6 => dynamic(&[&[0x30, 7, 0xe0, 0x24], &data[..]].concat()),
            7 => dynamic(&[&[0x30, 7, 0xe0, 4], &data[..]].concat()),
            8 => wire(Codec1Type::ClearCodec, &data),
            9 => wire(Codec1Type::Planar, &data),
            10 => wire(Codec1Type::RemoteFx, &data),
            _ => wire(Codec1Type::Alpha, &data),
        };
        proptest::prop_assert_ne!(decoder.feed(&frame), Err(DecodeError::Failed));
    }
}
