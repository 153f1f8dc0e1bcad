//! What is known of a desktop when its channel is opened, and its coded form (SPEC section 6).
use crate::{
    damage::Problem,
    event::put_bytes,
    varint::{self, Cursor},
};

/// Static channels of one connection (MS-RDPBCGR 2.2.1.3.4).
pub const MAX_STATIC_CHANNELS: usize = 31;
/// A static channel's name has at most seven characters; some servers use the eighth byte too.
const MAX_NAME: usize = 8;
/// Zones that an operator may draw on a target.
pub const MAX_ZONES: usize = 64;
/// Width or height of a picture, in pixels.
pub const MAX_SIDE: u16 = 8_192;
/// Pixels of a picture.
pub const MAX_PIXELS: u32 = 16 << 20;
/// Longest coded batch of tiles, in bytes.
pub const MAX_TILES: usize = 60 << 10;

/// A desktop: what it takes to decode its output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desktop {
    /// In pixels.
    pub width: u16,
    pub height: u16,
    /// MCS channel of the picture's slow-path PDUs.
    pub io_channel: u16,
    /// MCS ids and names of the static channels as the target knows them.
    pub channels: Vec<(u16, String)>,
    /// Always black in the masked track.
    pub zones: Vec<Zone>,
}

/// A rectangle of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
}

impl Desktop {
    /// What [`Body::OpenDesktop`](crate::Body::OpenDesktop) carries. Channels, names and zones beyond the limits are left out.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        for n in [self.width, self.height, self.io_channel] {
            varint::put(&mut out, n.into());
        }
        let channels = &self.channels[..self.channels.len().min(MAX_STATIC_CHANNELS)];
        varint::put(&mut out, channels.len() as u64);
        for (id, name) in channels {
            varint::put(&mut out, (*id).into());
            put_bytes(&mut out, &name.as_bytes()[..name.floor_char_boundary(MAX_NAME)]);
        }
        let zones = &self.zones[..self.zones.len().min(MAX_ZONES)];
        varint::put(&mut out, zones.len() as u64);
        for z in zones {
            for n in [z.x, z.y, z.width, z.height] {
                varint::put(&mut out, n.into());
            }
        }
        out
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let mut c = Cursor(bytes);
        let (width, height, io_channel) = (c.u16()?, c.u16()?, c.u16()?);
        if !is_size(width, height) {
            return Err(Problem::Content("impossible size of a picture"));
        }
        let channels = (0..count(&mut c, MAX_STATIC_CHANNELS)?)
            .map(|_| {
                let (id, name) = (c.u16()?, c.text()?);
                if name.len() > MAX_NAME { Err(Problem::Content("name of a channel")) } else { Ok((id, name.to_owned())) }
            })
            .collect::<Result<_, _>>()?;
        let zones = (0..count(&mut c, MAX_ZONES)?)
            .map(|_| Ok(Zone { x: c.u16()?, y: c.u16()?, width: c.u16()?, height: c.u16()? }))
            .collect::<Result<_, Problem>>()?;
        if c.is_empty() { Ok(Self { width, height, io_channel, channels, zones }) } else { Err(Problem::Content("more than it announced")) }
    }
}

/// Whether a picture may have this size.
pub fn is_size(width: u16, height: u16) -> bool {
    (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height) && u32::from(width) * u32::from(height) <= MAX_PIXELS
}

fn count(c: &mut Cursor<'_>, most: usize) -> Result<usize, Problem> {
    let n = c.varint()?;
    usize::try_from(n).ok().filter(|n| *n <= most).ok_or(Problem::Content("more of a desktop than there may be"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn desktop() -> Desktop {
        Desktop {
            width: 1280,
            height: 800,
            io_channel: 1003,
            channels: vec![(1004, "rdpdr".into()), (1005, "drdynvc".into())],
            zones: vec![Zone { x: 0, y: 780, width: 1280, height: 20 }],
        }
    }

    #[test]
    fn a_desktop_comes_back() {
        assert_eq!(Desktop::parse(&desktop().encode()).unwrap(), desktop());
        let bare = Desktop { channels: Vec::new(), zones: Vec::new(), ..desktop() };
        assert_eq!(Desktop::parse(&bare.encode()).unwrap(), bare);
    }

    #[test]
    fn no_size_beyond_the_limits_and_no_byte_too_many() {
        for (width, height) in [(0, 800), (1280, 0), (8_193, 100), (8_192, 8_192)] {
            let wrong = Desktop { width, height, ..desktop() };
            assert!(Desktop::parse(&wrong.encode()).is_err(), "{width}x{height}");
        }
        let mut longer = desktop().encode();
        longer.push(0);
        assert!(Desktop::parse(&longer).is_err());
        for end in 0..longer.len() - 1 {
            assert!(Desktop::parse(&longer[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn what_is_too_much_is_left_out() {
        let zone = desktop().zones[0];
        let channels = (0..40).map(|n| (n, "a-long-name".to_owned())).collect();
        let read = Desktop::parse(&Desktop { channels, zones: vec![zone; 100], ..desktop() }.encode()).unwrap();
        assert_eq!((read.channels.len(), read.zones.len()), (MAX_STATIC_CHANNELS, MAX_ZONES));
        assert_eq!(read.channels[0].1, "a-long-n");
        assert!(read.encode().len() < crate::event::MAX_SMALL);
    }
}
