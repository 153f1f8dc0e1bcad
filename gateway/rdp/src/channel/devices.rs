//! Redirected devices (MS-RDPEFS, MS-RDPEPC): a device the grant does not name is taken out of the client's announcement, and a request for a
//! device that was never announced is answered here. So the target cannot reach what it was not told of.

use super::{Said, Turn};
use crate::{
    config::Policy,
    violation::{Broken, Side},
    wire::{Put as _, Reader, svc::Message},
};
use std::collections::BTreeSet;

const CORE: u16 = 0x4472;
const PRINTER: u16 = 0x5052;

/// PAKID_CORE_*, PAKID_PRN_* (MS-RDPEFS 2.2.1.1).
mod packet {
    pub(super) const SERVER_ANNOUNCE: u16 = 0x496e;
    pub(super) const CLIENT_ID: u16 = 0x4343;
    pub(super) const CLIENT_NAME: u16 = 0x434e;
    pub(super) const SERVER_CAPABILITY: u16 = 0x5350;
    pub(super) const CLIENT_CAPABILITY: u16 = 0x4350;
    pub(super) const ANNOUNCE: u16 = 0x4441;
    pub(super) const REMOVE: u16 = 0x444d;
    pub(super) const REPLY: u16 = 0x6472;
    pub(super) const REQUEST: u16 = 0x4952;
    pub(super) const COMPLETION: u16 = 0x4943;
    pub(super) const LOGGED_ON: u16 = 0x554c;
    pub(super) const PRINTER_CACHE: u16 = 0x5043;
    pub(super) const PRINTER_XPS: u16 = 0x5543;
}

/// STATUS_UNSUCCESSFUL.
const UNSUCCESSFUL: u32 = 0xc000_0001;
const MAX_DEVICES: usize = 256;

#[derive(Debug)]
pub(crate) struct Devices {
    drives: bool,
    printers: bool,
    smart_cards: bool,
    ports: bool,
    /// Announced to the target.
    known: BTreeSet<u32>,
}

impl Devices {
    pub(crate) fn new(policy: &Policy) -> Self {
        let Policy { drives, printers, smart_cards, ports, .. } = *policy;
        Self { drives, printers, smart_cards, ports, known: BTreeSet::new() }
    }

    /// One message. `paused`: nothing new is opened.
    pub(crate) fn take(&mut self, from: Side, message: Message, paused: bool, out: &mut Turn) -> Result<(), Broken> {
        let Message::Whole(bytes) = message else { return Err(Broken("device message is too long")) };
        let mut r = Reader::new(&bytes, "device message");
        let id = (r.u16()?, r.u16()?);
        let passes = match (id, from) {
            ((CORE, packet::ANNOUNCE), Side::Client) => return self.announced(r, out),
            ((CORE, packet::REMOVE), Side::Client) => return self.removed(r, out),
            ((CORE, packet::COMPLETION), Side::Client) => self.known.contains(&r.u32()?),
            ((CORE, packet::REQUEST), Side::Target) => return self.asked(r, bytes.clone(), paused, out),
            // the answer to an announcement
            ((CORE, packet::REPLY), Side::Target) => self.known.contains(&r.u32()?),
            ((CORE, packet::SERVER_ANNOUNCE), Side::Target) => {
                self.known.clear();
                true
            }
            ((CORE, packet::CLIENT_ID), _) => true,
            ((CORE, packet::CLIENT_NAME | packet::CLIENT_CAPABILITY), Side::Client) => true,
            ((CORE, packet::SERVER_CAPABILITY | packet::LOGGED_ON), Side::Target) => true,
            ((PRINTER, packet::PRINTER_CACHE), _) | ((PRINTER, packet::PRINTER_XPS), Side::Target) => self.printers,
            _ => return Err(Broken("unknown device message")),
        };
        if passes {
            out.push(Said::To(from.other(), bytes));
        }
        Ok(())
    }

    /// MS-RDPEFS 2.2.2.9. RDPDR_DTYP_*: 1 serial, 2 parallel, 4 printer, 8 drive, 0x20 smart card.
    fn announced(&mut self, mut r: Reader<'_>, out: &mut Turn) -> Result<(), Broken> {
        let count = r.u32()?;
        let mut kept = Vec::new();
        let mut kept_count = 0u32;
        for _ in 0..count {
            let start = r.rest();
            let (kind, device) = (r.u32()?, r.u32()?);
            r.take(8)?; // PreferredDosName
            let length = r.length32()?;
            r.take(length)?;
            let (allowed, name) = match kind {
                1 | 2 => (self.ports, "ports"),
                4 => (self.printers, "printers"),
                8 => (self.drives, "drives"),
                0x20 => (self.smart_cards, "smart cards"),
                _ => (false, "devices of an unknown kind"),
            };
            if !allowed {
                self.known.remove(&device);
                out.push(Said::Denied(name.to_owned()));
                continue;
            }
            if self.known.len() >= MAX_DEVICES {
                return Err(Broken("number of devices"));
            }
            self.known.insert(device);
            kept_count += 1;
            kept.extend_from_slice(&start[..20 + length]);
        }
        let mut message = head(packet::ANNOUNCE);
        message.put32(kept_count);
        message.extend_from_slice(&kept);
        out.push(Said::To(Side::Target, message));
        Ok(())
    }

    /// MS-RDPEFS 2.2.3.2.
    fn removed(&mut self, mut r: Reader<'_>, out: &mut Turn) -> Result<(), Broken> {
        let count = r.u32()?;
        let mut gone = Vec::new();
        for _ in 0..count {
            let device = r.u32()?;
            if self.known.remove(&device) {
                gone.push(device);
            }
        }
        if !gone.is_empty() {
            let mut message = head(packet::REMOVE);
            message.put32(u32::try_from(gone.len()).unwrap_or(u32::MAX));
            gone.into_iter().for_each(|d| message.put32(d));
            out.push(Said::To(Side::Target, message));
        }
        Ok(())
    }

    /// MS-RDPEFS 2.2.1.4.
    fn asked(&mut self, mut r: Reader<'_>, whole: Vec<u8>, paused: bool, out: &mut Turn) -> Result<(), Broken> {
        let (device, _file, completion, major) = (r.u32()?, r.u32()?, r.u32()?, r.u32()?);
        let opens = major == 0; // IRP_MJ_CREATE
        if self.known.contains(&device) && !(paused && opens) {
            out.push(Said::To(Side::Client, whole));
            return Ok(());
        }
        // MS-RDPEFS 2.2.1.5, long enough for the answer to any request
        let mut message = head(packet::COMPLETION);
        [device, completion, UNSUCCESSFUL, 0].into_iter().for_each(|n| message.put32(n));
        message.push(0);
        out.push(Said::To(Side::Target, message));
        Ok(())
    }
}

fn head(packet: u16) -> Vec<u8> {
    let mut out = Vec::new();
    out.put16(CORE);
    out.put16(packet);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(kind: u32, id: u32, name: &[u8; 8]) -> Vec<u8> {
        let mut out = Vec::new();
        out.put32(kind);
        out.put32(id);
        out.extend_from_slice(name);
        out.put32(4);
        out.extend_from_slice(b"data");
        out
    }

    fn announcement(devices: &[Vec<u8>]) -> Vec<u8> {
        let mut out = head(packet::ANNOUNCE);
        out.put32(u32::try_from(devices.len()).unwrap());
        out.extend(devices.concat());
        out
    }

    fn request(id: u32, major: u32) -> Vec<u8> {
        let mut out = head(packet::REQUEST);
        [id, 0, 42, major, 0].into_iter().for_each(|n| out.put32(n));
        out
    }

    fn refused(id: u32) -> Said {
        let mut out = head(packet::COMPLETION);
        [id, 42, UNSUCCESSFUL, 0].into_iter().for_each(|n| out.put32(n));
        out.push(0);
        Said::To(Side::Target, out)
    }

    fn say(d: &mut Devices, from: Side, message: &[u8], paused: bool) -> Turn {
        let mut out = Turn::new();
        d.take(from, Message::Whole(message.to_vec()), paused, &mut out).unwrap();
        out
    }

    #[test]
    fn a_drive_is_announced_and_never_reaches_the_target() {
        let mut d = Devices::new(&Policy { printers: true, ..Policy::default() });
        let (drive, printer) = (device(8, 1, b"HOME\0\0\0\0"), device(4, 2, b"PRN1\0\0\0\0"));
        let got = say(&mut d, Side::Client, &announcement(&[drive, printer.clone()]), false);
        assert_eq!(got, vec![Said::Denied("drives".into()), Said::To(Side::Target, announcement(&[printer]))]);
        assert_eq!(say(&mut d, Side::Target, &request(1, 0), false), vec![refused(1)], "and cannot be opened by guessing its number");
        assert_eq!(say(&mut d, Side::Target, &request(2, 0), false), vec![Said::To(Side::Client, request(2, 0))]);
    }

    #[test]
    fn each_kind_needs_its_own_word_in_the_grant() {
        let all = [(1, "ports"), (2, "ports"), (4, "printers"), (8, "drives"), (0x20, "smart cards"), (0x40, "devices of an unknown kind")];
        for (kind, name) in all {
            let mut none = Devices::new(&Policy::default());
            let got = say(&mut none, Side::Client, &announcement(&[device(kind, 1, b"x\0\0\0\0\0\0\0")]), false);
            assert_eq!(got, vec![Said::Denied(name.into()), Said::To(Side::Target, announcement(&[]))]);
            let allowed = Policy {
                ports: name == "ports",
                printers: name == "printers",
                drives: name == "drives",
                smart_cards: name == "smart cards",
                ..Policy::default()
            };
            let got = say(&mut Devices::new(&allowed), Side::Client, &announcement(&[device(kind, 1, b"x\0\0\0\0\0\0\0")]), false);
            assert_eq!(got.len(), if kind == 0x40 { 2 } else { 1 }, "{name}");
        }
    }

    #[test]
    fn a_drive_that_was_taken_away_is_gone() {
        let mut d = Devices::new(&Policy { drives: true, ..Policy::default() });
        say(&mut d, Side::Client, &announcement(&[device(8, 1, b"HOME\0\0\0\0")]), false);
        let mut remove = head(packet::REMOVE);
        [2, 1, 9].into_iter().for_each(|n| remove.put32(n));
        let mut known = head(packet::REMOVE);
        [1, 1].into_iter().for_each(|n| known.put32(n));
        assert_eq!(say(&mut d, Side::Client, &remove, false), vec![Said::To(Side::Target, known)]);
        assert_eq!(say(&mut d, Side::Target, &request(1, 3), false), vec![refused(1)]);
    }

    #[test]
    fn nothing_is_opened_while_paused() {
        let mut d = Devices::new(&Policy { drives: true, ..Policy::default() });
        say(&mut d, Side::Client, &announcement(&[device(8, 1, b"HOME\0\0\0\0")]), false);
        assert_eq!(say(&mut d, Side::Target, &request(1, 0), true), vec![refused(1)]);
        assert_eq!(say(&mut d, Side::Target, &request(1, 2), true).len(), 1, "what is open can be closed");
    }

    #[test]
    fn what_is_unknown_ends_the_session() {
        let mut d = Devices::new(&Policy { drives: true, ..Policy::default() });
        let mut out = Turn::new();
        let mut lie = head(packet::ANNOUNCE);
        lie.put32(3);
        for (from, m) in [(Side::Client, head(0x1234)), (Side::Target, announcement(&[])), (Side::Client, lie)] {
            assert!(d.take(from, Message::Whole(m), false, &mut out).is_err());
        }
        assert!(d.take(Side::Client, Message::TooLong { head: vec![], length: 1 << 30 }, false, &mut out).is_err());
    }
}
