//! What waits for clearing, and its bytes while it waits in a file.
use anteroom_domain::capability::Direction;
use anteroom_format::Desktop;
use bytes::Bytes;
use std::time::Duration;

/// Something that the masked track has to get, in order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) at: Duration,
    pub(crate) channel: u32,
    pub(crate) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Open(Desktop),
    /// The picture is so large from here on.
    Size {
        width: u16,
        height: u16,
    },
    /// A batch of tiles as they were shown.
    Tiles(Bytes),
    Pointer {
        x: u16,
        y: u16,
    },
    Clipboard {
        way: Direction,
        text: String,
    },
    Note(String),
    Message(String),
    Close,
}

/// What an item takes in memory besides its data.
const COST: usize = 96;
const HEAD: usize = 8 + 4 + 1 + 4;

impl Item {
    pub(crate) fn cost(&self) -> usize {
        COST + match &self.what {
            What::Tiles(b) => b.len(),
            What::Clipboard { text, .. } | What::Note(text) | What::Message(text) => text.len(),
            What::Open(_) | What::Size { .. } | What::Pointer { .. } | What::Close => 0,
        }
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.extend(u64::try_from(self.at.as_micros()).unwrap_or(u64::MAX).to_le_bytes());
        out.extend(self.channel.to_le_bytes());
        let code = match &self.what {
            What::Open(_) => 1,
            What::Size { .. } => 2,
            What::Tiles(_) => 3,
            What::Pointer { .. } => 4,
            What::Clipboard { way: Direction::Download, .. } => 5,
            What::Clipboard { way: Direction::Upload, .. } => 6,
            What::Note(_) => 7,
            What::Message(_) => 8,
            What::Close => 9,
        };
        out.push(code);
        let length_at = out.len();
        out.extend([0; 4]);
        match &self.what {
            What::Open(desktop) => out.extend(desktop.encode()),
            What::Size { width: a, height: b } | What::Pointer { x: a, y: b } => out.extend([a.to_le_bytes(), b.to_le_bytes()].concat()),
            What::Tiles(b) => out.extend_from_slice(b),
            What::Clipboard { text, .. } | What::Note(text) | What::Message(text) => out.extend(text.bytes()),
            What::Close => {}
        }
        // A clipboard of 4 GiB does not get here.
        let length = u32::try_from(out.len() - length_at - 4).unwrap_or(u32::MAX);
        out[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    }

    /// The next item of `bytes`, and what follows it. None for what `put` never made.
    pub(crate) fn take(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let (at, rest_of_head) = head.split_first_chunk::<8>()?;
        let (channel, rest_of_head) = rest_of_head.split_first_chunk::<4>()?;
        let (code, length) = rest_of_head.split_first()?;
        let length = u32::from_le_bytes(length.try_into().ok()?);
        let (data, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        let text = || String::from_utf8(data.to_vec()).ok();
        let pair = || Some((u16::from_le_bytes(data.get(..2)?.try_into().ok()?), u16::from_le_bytes(data.get(2..4)?.try_into().ok()?)));
        let what = match code {
            1 => What::Open(Desktop::parse(data).ok()?),
            2 => pair().map(|(width, height)| What::Size { width, height })?,
            3 => What::Tiles(Bytes::copy_from_slice(data)),
            4 => pair().map(|(x, y)| What::Pointer { x, y })?,
            5 => What::Clipboard { way: Direction::Download, text: text()? },
            6 => What::Clipboard { way: Direction::Upload, text: text()? },
            7 => What::Note(text()?),
            8 => What::Message(text()?),
            9 => What::Close,
            _ => return None,
        };
        Some((Self { at: Duration::from_micros(u64::from_le_bytes(*at)), channel: u32::from_le_bytes(*channel), what }, rest))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_item_comes_back() {
        let desktop = Desktop { width: 640, height: 480, io_channel: 1003, channels: vec![(1004, "cliprdr".into())], zones: Vec::new() };
        let all = [
            What::Open(desktop),
            What::Size { width: 800, height: 600 },
            What::Tiles(Bytes::from_static(&[1, 2, 3])),
            What::Pointer { x: 9, y: 700 },
            What::Clipboard { way: Direction::Download, text: "zażółć".into() },
            What::Clipboard { way: Direction::Upload, text: String::new() },
            What::Note("paused".into()),
            What::Message("please stop".into()),
            What::Close,
        ]
        .map(|what| Item { at: Duration::from_micros(7_000_001), channel: 3, what });
        let mut bytes = Vec::new();
        all.iter().for_each(|i| i.put(&mut bytes));
        let mut rest = &bytes[..];
        for wanted in &all {
            let (item, behind) = Item::take(rest).unwrap();
            assert_eq!(&item, wanted);
            rest = behind;
        }
        assert!(rest.is_empty());
        assert!(Item::take(&bytes[..HEAD - 1]).is_none());
    }
}
