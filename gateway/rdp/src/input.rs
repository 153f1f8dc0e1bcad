//! Keyboard and mouse: what is held, where the pointer is, and how to let go (MS-RDPBCGR 2.2.8.1).

use crate::{
    violation::Broken,
    wire::{Put as _, Reader},
};
use std::collections::BTreeSet;

/// One event, whichever road it came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Key {
        code: u8,
        extended: Extended,
        up: bool,
    },
    Unicode {
        code: u16,
        up: bool,
    },
    Pointer {
        flags: u16,
        x: u16,
        y: u16,
    },
    /// The fourth and fifth button.
    PointerX {
        flags: u16,
        x: u16,
        y: u16,
    },
    Relative {
        flags: u16,
    },
    /// The lights of the keyboard.
    Sync(u8),
    /// Nothing that is done: a time stamp, an unused event.
    Other,
}

/// The prefix of a scan code: E0, E1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Extended(pub(crate) u8);

const DOWN: u16 = 0x8000;
const BUTTONS: [u16; 3] = [0x1000, 0x2000, 0x4000];
const MOVE: u16 = 0x0800;
const BUTTONS_X: [u16; 2] = [0x0001, 0x0002];
/// Unicode keys that are remembered as held.
const MAX_UNICODE: usize = 32;

/// MS-RDPBCGR 2.2.8.1.2: `first` is the fast-path header byte.
pub(crate) fn fast_path(first: u8, body: &[u8]) -> Result<Vec<Event>, Broken> {
    // FASTPATH_INPUT_ENCRYPTED, FASTPATH_INPUT_SECURE_CHECKSUM: only without TLS
    if first & 0xc0 != 0 {
        return Err(Broken("encrypted fast-path input"));
    }
    let mut r = Reader::new(body, "fast-path input");
    let count = match (first >> 2) & 0xf {
        0 => r.u8()?,
        n => n,
    };
    let mut events = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let header = r.u8()?;
        let flags = header & 0x1f;
        events.push(match header >> 5 {
            0 => Event::Key { code: r.u8()?, extended: Extended(flags >> 1 & 3), up: flags & 1 != 0 },
            1 => Event::Pointer { flags: r.u16()?, x: r.u16()?, y: r.u16()? },
            2 => Event::PointerX { flags: r.u16()?, x: r.u16()?, y: r.u16()? },
            3 => Event::Sync(flags),
            4 => Event::Unicode { code: r.u16()?, up: flags & 1 != 0 },
            5 => {
                let flags = r.u16()?;
                r.take(4)?;
                Event::Relative { flags }
            }
            6 => {
                r.take(4)?;
                Event::Other
            }
            _ => return Err(Broken("unknown input event")),
        });
    }
    if r.is_empty() { Ok(events) } else { Err(r.broken()) }
}

/// The body of an Input Event PDU (MS-RDPBCGR 2.2.8.1.1.3).
pub(crate) fn slow_path(body: &[u8]) -> Result<Vec<Event>, Broken> {
    let mut r = Reader::new(body, "slow-path input");
    let count = r.u16()?;
    r.u16()?;
    let mut events = Vec::new();
    for _ in 0..count {
        r.u32()?;
        let kind = r.u16()?;
        let (a, b, c) = (r.u16()?, r.u16()?, r.u16()?);
        let up = a & 0x8000 != 0;
        events.push(match kind {
            0x0000 => Event::Sync((b & 0x1f).to_le_bytes()[0]),
            0x0002 => Event::Other,
            0x0004 => {
                let code = u8::try_from(b).map_err(|_| Broken("scan code"))?;
                Event::Key { code, extended: Extended((a >> 8 & 3).to_le_bytes()[0]), up }
            }
            0x0005 => Event::Unicode { code: b, up },
            0x8001 => Event::Pointer { flags: a, x: b, y: c },
            0x8002 => Event::PointerX { flags: a, x: b, y: c },
            0x8004 => Event::Relative { flags: a },
            _ => return Err(Broken("unknown input event")),
        });
    }
    if r.is_empty() { Ok(events) } else { Err(r.broken()) }
}

/// What the person holds down on the target.
#[derive(Debug, Default)]
pub(crate) struct Held {
    keys: BTreeSet<(u8, Extended)>,
    unicode: BTreeSet<u16>,
    buttons: [bool; 3],
    buttons_x: [bool; 2],
    pointer: (u16, u16),
    lights: u8,
}

impl Held {
    /// An event that reaches the target. Some: the pointer is there now.
    pub(crate) fn saw(&mut self, event: Event) -> Option<(u16, u16)> {
        match event {
            Event::Key { code, extended, up: false } => drop(self.keys.insert((code, extended))),
            Event::Key { code, extended, up: true } => drop(self.keys.remove(&(code, extended))),
            Event::Unicode { code, up: false } if self.unicode.len() < MAX_UNICODE => drop(self.unicode.insert(code)),
            Event::Unicode { code, up } => drop(up && self.unicode.remove(&code)),
            Event::Pointer { flags, x, y } => {
                press(&mut self.buttons, &BUTTONS, flags);
                // a turn of the wheel has no place
                if flags & (MOVE | BUTTONS[0] | BUTTONS[1] | BUTTONS[2]) != 0 {
                    self.pointer = (x, y);
                    return Some(self.pointer);
                }
            }
            Event::PointerX { flags, x, y } => {
                press(&mut self.buttons_x, &BUTTONS_X, flags);
                self.pointer = (x, y);
                return Some(self.pointer);
            }
            Event::Relative { flags } => press(&mut self.buttons, &BUTTONS, flags),
            Event::Sync(lights) => {
                // MS-RDPBCGR 3.3.5.8.1: a synchronize lets go of every key
                self.keys.clear();
                self.unicode.clear();
                self.lights = lights;
            }
            Event::Other => {}
        }
        None
    }

    /// The lights as the person's keyboard has them now, though the event did not pass.
    pub(crate) fn lights(&mut self, lights: u8) {
        self.lights = lights;
    }

    pub(crate) fn synchronize(&self) -> Event {
        Event::Sync(self.lights)
    }

    /// Everything is let go.
    pub(crate) fn release(&mut self) -> Vec<Event> {
        let (x, y) = self.pointer;
        let mut out: Vec<Event> = Vec::new();
        out.extend(std::mem::take(&mut self.keys).into_iter().map(|(code, extended)| Event::Key { code, extended, up: true }));
        out.extend(std::mem::take(&mut self.unicode).into_iter().map(|code| Event::Unicode { code, up: true }));
        out.extend(let_go(&mut self.buttons, &BUTTONS).map(|flags| Event::Pointer { flags, x, y }));
        out.extend(let_go(&mut self.buttons_x, &BUTTONS_X).map(|flags| Event::PointerX { flags, x, y }));
        out
    }
}

fn press<const N: usize>(held: &mut [bool; N], buttons: &[u16; N], flags: u16) {
    for (held, button) in held.iter_mut().zip(buttons) {
        if flags & button != 0 {
            *held = flags & DOWN != 0;
        }
    }
}

fn let_go<const N: usize>(held: &mut [bool; N], buttons: &'static [u16; N]) -> impl Iterator<Item = u16> {
    std::mem::replace(held, [false; N]).into_iter().zip(buttons).filter_map(|(held, button)| held.then_some(*button))
}

/// Events of ours as fast-path input: header byte and body. At most 255.
pub(crate) fn as_fast_path(events: &[Event]) -> (u8, Vec<u8>) {
    let mut out = vec![u8::try_from(events.len()).unwrap_or(u8::MAX)];
    for event in events.iter().take(255) {
        match *event {
            Event::Key { code, extended, up } => out.extend_from_slice(&[u8::from(up) | extended.0 << 1, code]),
            Event::Unicode { code, up } => {
                out.push(4 << 5 | u8::from(up));
                out.put16(code);
            }
            Event::Pointer { flags, x, y } => put_pointer(&mut out, 1, flags, x, y),
            Event::PointerX { flags, x, y } => put_pointer(&mut out, 2, flags, x, y),
            Event::Relative { flags } => put_pointer(&mut out, 5, flags, 0, 0),
            Event::Sync(lights) => out.push(3 << 5 | lights & 0x1f),
            Event::Other => {
                out.push(6 << 5);
                out.put32(0);
            }
        }
    }
    (0, out)
}

fn put_pointer(out: &mut Vec<u8>, kind: u8, flags: u16, x: u16, y: u16) {
    out.push(kind << 5);
    [flags, x, y].into_iter().for_each(|n| out.put16(n));
}

/// The same as the body of an Input Event PDU.
pub(crate) fn as_slow_path(events: &[Event]) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 + events.len() * 12);
    out.put16(u16::try_from(events.len()).unwrap_or(u16::MAX));
    out.put16(0);
    for event in events.iter().take(usize::from(u16::MAX)) {
        let release = |up| if up { 0xc000 } else { 0 };
        let (kind, a, b, c) = match *event {
            Event::Key { code, extended, up } => (4, release(up) | u16::from(extended.0) << 8, u16::from(code), 0),
            Event::Unicode { code, up } => (5, release(up) & 0x8000, code, 0),
            Event::Pointer { flags, x, y } => (0x8001, flags, x, y),
            Event::PointerX { flags, x, y } => (0x8002, flags, x, y),
            Event::Relative { flags } => (0x8004, flags, 0, 0),
            Event::Sync(lights) => (0, 0, u16::from(lights & 0x1f), 0),
            Event::Other => (2, 0, 0, 0),
        };
        out.put32(0);
        [kind, a, b, c].into_iter().for_each(|n| out.put16(n));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ironrdp_core::{decode, encode_vec};
    use ironrdp_pdu::input::{
        InputEventPdu, MousePdu,
        fast_path::{FastPathInput, FastPathInputEvent, KeyboardFlags, SynchronizeFlags},
        mouse::PointerFlags,
    };

    fn split(frame: &[u8]) -> (u8, &[u8]) {
        match crate::wire::frame::open(frame).unwrap() {
            crate::wire::frame::Frame::FastPath { first, body } => (first, body),
            crate::wire::frame::Frame::Mcs(_) => panic!("not fast-path"),
        }
    }

    fn mouse(flags: PointerFlags, x: u16, y: u16) -> FastPathInputEvent {
        FastPathInputEvent::MouseEvent(MousePdu { flags, number_of_wheel_rotation_units: 0, x_position: x, y_position: y })
    }

    fn held() -> (Held, Vec<Event>) {
        let made = FastPathInput::new(vec![
            FastPathInputEvent::KeyboardEvent(KeyboardFlags::empty(), 0x1d),
            FastPathInputEvent::KeyboardEvent(KeyboardFlags::EXTENDED, 0x38),
            FastPathInputEvent::KeyboardEvent(KeyboardFlags::empty(), 0x1e),
            FastPathInputEvent::KeyboardEvent(KeyboardFlags::RELEASE, 0x1e),
            FastPathInputEvent::UnicodeKeyboardEvent(KeyboardFlags::empty(), 0xe4),
            mouse(PointerFlags::LEFT_BUTTON | PointerFlags::DOWN, 300, 200),
        ])
        .unwrap();
        let bytes = encode_vec(&made).unwrap();
        let (first, body) = split(&bytes);
        let events = fast_path(first, body).unwrap();
        let mut held = Held::default();
        let mut at = None;
        for e in &events {
            at = held.saw(*e).or(at);
        }
        assert_eq!(at, Some((300, 200)));
        (held, events)
    }

    #[test]
    fn what_is_held_is_let_go_once() {
        let (mut held, events) = held();
        assert_eq!(events.len(), 6);
        let released = held.release();
        let ctrl = Event::Key { code: 0x1d, extended: Extended(0), up: true };
        let right_alt = Event::Key { code: 0x38, extended: Extended(1), up: true };
        let umlaut = Event::Unicode { code: 0xe4, up: true };
        let button = Event::Pointer { flags: 0x1000, x: 300, y: 200 };
        assert_eq!(released, vec![ctrl, right_alt, umlaut, button]);
        assert_eq!(held.release(), vec![]);
    }

    #[test]
    fn releases_are_read_by_others() {
        let (mut held, _) = held();
        let released = held.release();
        let (first, body) = as_fast_path(&released);
        let frame = crate::wire::frame::fast_path(first, &body).unwrap();
        let read: FastPathInput = decode(&frame).unwrap();
        assert_eq!(
            read.input_events(),
            &[
                FastPathInputEvent::KeyboardEvent(KeyboardFlags::RELEASE, 0x1d),
                FastPathInputEvent::KeyboardEvent(KeyboardFlags::RELEASE | KeyboardFlags::EXTENDED, 0x38),
                FastPathInputEvent::UnicodeKeyboardEvent(KeyboardFlags::RELEASE, 0xe4),
                mouse(PointerFlags::LEFT_BUTTON, 300, 200),
            ]
        );
        let slow = as_slow_path(&released);
        assert_eq!(decode::<InputEventPdu>(&slow).unwrap().0.len(), 4);
        assert_eq!(slow_path(&slow).unwrap(), released);
    }

    #[test]
    fn a_synchronize_lets_go_of_keys_and_sets_the_lights() {
        let (mut held, _) = held();
        held.saw(Event::Sync(0b100));
        assert_eq!(held.release(), vec![Event::Pointer { flags: 0x1000, x: 300, y: 200 }]);
        let (first, body) = as_fast_path(&[held.synchronize()]);
        let frame = crate::wire::frame::fast_path(first, &body).unwrap();
        let read: FastPathInput = decode(&frame).unwrap();
        assert_eq!(read.input_events(), &[FastPathInputEvent::SyncEvent(SynchronizeFlags::CAPS_LOCK)]);
    }

    #[test]
    fn input_that_is_not_whole_is_refused() {
        let (first, body) = as_fast_path(&[Event::Pointer { flags: MOVE, x: 1, y: 2 }]);
        assert!(fast_path(first, &body[..body.len() - 1]).is_err());
        assert!(fast_path(first, &[&body[..], &[0]].concat()).is_err());
        assert!(fast_path(0x40, &body).is_err(), "encrypted");
        assert!(fast_path(1 << 2, &[7 << 5]).is_err(), "unknown");
    }
}
