//! A target's frames: whatever they are, the decoder says what it thinks of them and stays within its limits. So that the fuzzer need not guess
//! lengths, each piece of its bytes becomes a frame of one of the kinds that can paint.
#![no_main]

use anteroom_picture::{Decoder, Desktop, Limits};

const IO: u16 = 1003;
const DYNAMIC: u16 = 1005;
const PIXELS: usize = 1 << 20;

fn fast_path(piece: &[u8]) -> Vec<u8> {
    let (header, data) = piece.split_first().unwrap_or((&1, &[]));
    // No compression, which is refused at once.
    let length = (data.len() + 6) as u16;
    let mut frame = vec![0, 0x80 | (length >> 8) as u8, length as u8, header & 0x3f];
    frame.extend((data.len() as u16).to_le_bytes());
    frame.extend(data);
    frame
}

fn tpkt(channel: u16, data: &[u8]) -> Vec<u8> {
    let mut frame = vec![3, 0];
    frame.extend((data.len() as u16 + 15).to_be_bytes());
    frame.extend([2, 0xf0, 0x80, 26 << 2, 0, 1]);
    frame.extend(channel.to_be_bytes());
    frame.push(0x70);
    frame.extend((0x8000 | data.len() as u16).to_be_bytes());
    frame.extend(data);
    frame
}

fn share_data(kind: u8, piece: &[u8]) -> Vec<u8> {
    let mut data = ((piece.len() + 18) as u16).to_le_bytes().to_vec();
    data.extend([0x17, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, kind, 0, 0, 0]);
    data.extend(piece);
    tpkt(IO, &data)
}

fn dynamic(pdu: &[u8]) -> Vec<u8> {
    let mut data = (pdu.len() as u32).to_le_bytes().to_vec();
    data.extend([3, 0, 0, 0]);
    data.extend(pdu);
    tpkt(DYNAMIC, &data)
}

/// A graphics command that begins with its header.
fn command(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut command = vec![kind, 0, 0, 0];
    command.extend((body.len() as u32 + 8).to_le_bytes());
    command.extend(body);
    command
}

fn graphics(commands: &[u8]) -> Vec<u8> {
    dynamic(&[&[0x30, 7, 0xe0, 4][..], commands].concat())
}

/// A surface of 256 x 192 that is shown, so that the fuzzer can paint on it.
fn surface() -> Vec<u8> {
    let mut reset = [0; 332];
    reset[..8].copy_from_slice(&[0, 1, 0, 0, 192, 0, 0, 0]);
    graphics(&[command(14, &reset), command(9, &[1, 0, 0, 1, 192, 0, 0x20]), command(15, &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])].concat())
}

/// What a codec's bytes are put into.
fn wire(codec: u8, piece: &[u8]) -> Vec<u8> {
    let mut body = vec![1, 0, codec, 0, 0x20, 0, 0, 0, 0, 0, 1, 192, 0];
    body.extend((piece.len() as u32).to_le_bytes());
    body.extend(piece);
    graphics(&[command(11, &[0; 8]), command(1, &body), command(12, &[0; 4])].concat())
}

fn progressive(piece: &[u8]) -> Vec<u8> {
    let mut body = vec![1, 0, 9, 0, 1, 0, 0, 0, 0x20];
    body.extend((piece.len() as u32).to_le_bytes());
    body.extend(piece);
    graphics(&[command(11, &[0; 8]), command(2, &body), command(12, &[0; 4])].concat())
}

fn remotefx(piece: &[u8]) -> Vec<u8> {
    let mut data = vec![4, 1, 0, 0, 0, 0, 0, 0, 1, 192, 0, 32, 0, 0, 3, 0, 1, 192, 0];
    data.extend((piece.len() as u32).to_le_bytes());
    data.extend(piece);
    fast_path(&data)
}

fn frame(kind: u8, piece: &[u8]) -> Vec<u8> {
    match kind % 16 {
        0 => piece.to_vec(),
        1 | 2 => fast_path(piece),
        3 => tpkt(IO, piece),
        4 => share_data(2, piece),
        5 => dynamic(piece),
        6 => dynamic(&[&[0x30, 7][..], piece].concat()),
        7 | 8 => graphics(piece),
        9 => wire(8, piece),
        10 => wire(10, piece),
        11 => wire(3, piece),
        12 => wire(12, piece),
        13 => progressive(piece),
        14 => remotefx(piece),
        _ => {
            let (kind, body) = piece.split_first().unwrap_or((&4, &[]));
            graphics(&[command(11, &[0; 8]), command(kind % 0x19, body), command(12, &[0; 4])].concat())
        }
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let channels = vec![(DYNAMIC, "drdynvc".to_owned())];
    let desktop = Desktop { width: 256, height: 192, io_channel: IO, channels, zones: Vec::new() };
    let limits = Limits { pixels: PIXELS, graphics: 64 << 20, work: 8 * PIXELS };
    let Ok(mut decoder) = Decoder::new(&desktop, limits) else { panic!("an ordinary desktop") };
    let _fed = decoder.feed(&dynamic(b"\x10\x07Microsoft::Windows::RDS::Graphics\0"));
    let _fed = decoder.feed(&surface());
    let mut rest = data;
    while let Some(([kind, low, high], behind)) = rest.split_first_chunk::<3>() {
        let length = usize::from(u16::from_le_bytes([*low, high & 0x1f])).min(behind.len());
        let (piece, behind) = behind.split_at(length);
        rest = behind;
        if decoder.feed(&frame(*kind, piece)).is_err() {
            return;
        }
        let picture = decoder.picture();
        assert!(picture.area().area() <= PIXELS && picture.pixels().len() == picture.area().area() * 4);
        decoder.take_damage();
    }
});
