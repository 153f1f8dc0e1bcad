//! What the client sends.

use super::{Relay, Stage};
use crate::{
    action::{Action, Seen},
    caps,
    config::Ids,
    input::{self, Event},
    violation::{Broken, Side},
    wire::{
        frame::{self, Frame},
        mcs::{self, Mcs},
        share::{self, Io, kind, security},
    },
};
use bytes::Bytes;
use std::time::Duration;

impl Relay {
    pub(super) fn client_frame(&mut self, bytes: Bytes, now: Duration) -> Result<(), Broken> {
        let pdu = match frame::open(&bytes)? {
            Frame::FastPath { first, body } => {
                let events = input::fast_path(first, body)?;
                if self.input(&events, now) {
                    self.actions.push_back(Action::ToTarget(bytes));
                }
                return Ok(());
            }
            Frame::Mcs(pdu) => pdu,
        };
        match mcs::decode(pdu, Side::Client)? {
            Mcs::ErectDomain | Mcs::AttachUserRequest if self.stage == Stage::Joins => self.actions.push_back(Action::ToTarget(bytes)),
            Mcs::JoinRequest { user, channel } if self.stage == Stage::Joins => self.join(user, channel, bytes)?,
            Mcs::Send { user, channel, data } => {
                if self.user.is_none_or(|u| u.client != user) {
                    return Err(Broken("MCS user"));
                }
                if channel == self.io.client {
                    self.client_io(user, data, &bytes, now)?;
                } else if let Some(ids) = self.message.filter(|m| m.client == channel) {
                    self.client_message(ids, user, data, bytes.clone())?;
                } else if self.stage == Stage::Lobby {
                    // The target has not opened its end of any of them.
                } else if self.stage == Stage::Joins || !self.channel(Side::Client, channel, user, data, bytes.clone())? {
                    return Err(Broken("unknown channel"));
                }
            }
            Mcs::Disconnect => {
                self.saw(Seen::ClientLeft);
                self.actions.push_back(Action::ToTarget(bytes));
            }
            _ => return Err(Broken("MCS PDU out of turn")),
        }
        Ok(())
    }

    /// A channel the target does not have is joined here.
    fn join(&mut self, user: u16, id: u16, bytes: Bytes) -> Result<(), Broken> {
        let known = [Some(self.io), self.message, self.user].into_iter().flatten().any(|ids| ids.client == id);
        match self.channels.iter().find(|c| c.ids.client == id) {
            Some(c) if c.ids.target.is_none() => self.actions.push_back(Action::ToClient(mcs::join_confirm(user, id))),
            Some(_) => self.actions.push_back(Action::ToTarget(bytes)),
            None if known => self.actions.push_back(Action::ToTarget(bytes)),
            None => return Err(Broken("unknown channel")),
        }
        Ok(())
    }

    fn client_io(&mut self, user: u16, data: &[u8], frame: &Bytes, now: Duration) -> Result<(), Broken> {
        let pieces = share::pieces(data, !self.demanded && !self.in_lobby)?;
        // one PDU that is passed on as it is stays the same frame
        let alone = pieces.len() == 1;
        for piece in pieces {
            let (whole, passes) = match piece {
                Io::Secured { flags, body: _ } => {
                    if self.stage == Stage::Joins && flags & security::INFO != 0 {
                        self.stage = Stage::Info;
                        self.actions.push_back(Action::ClientInfo(Bytes::copy_from_slice(data)));
                        return Ok(());
                    }
                    // licensing comes before the share; to auto-detection a client answers at any time
                    let licence = flags & security::LICENSE != 0 && !self.demanded && !self.in_lobby;
                    let begun = matches!(self.stage, Stage::Lobby | Stage::Connecting | Stage::Active);
                    if !begun || !licence && flags & security::AUTODETECT_RESPONSE == 0 {
                        return Err(Broken("PDU with a security header"));
                    }
                    (data, true)
                }
                Io::Control(c) if c.kind == share::CONFIRM_ACTIVE && self.stage == Stage::Connecting => {
                    let (body, learnt) = caps::confirm(c.body)?;
                    if self.share_id != Some(learnt.share_id) {
                        return Err(Broken("number of the share"));
                    }
                    self.in_lobby = false;
                    self.depth = learnt.depth;
                    self.fast_path_output = learnt.fast_path_output;
                    let source = self.user.map_or(0, |u| u.target);
                    let pdu = share::control(share::CONFIRM_ACTIVE, source, &body);
                    self.send(Side::Target, self.io, &pdu);
                    continue;
                }
                // Said before it heard that the share is over.
                Io::Control(c) if c.kind == share::DATA && self.in_lobby => (c.whole, false),
                Io::Control(c) if c.kind == share::DATA => (c.whole, self.client_data(c.body, now)?),
                Io::Control(_) => return Err(Broken("share control PDU out of turn")),
            };
            match (passes, alone) {
                (true, true) => self.pass(Side::Client, self.io, user, data, frame.clone()),
                (true, false) => self.send(Side::Target, self.io, whole),
                (false, _) => {}
            }
        }
        Ok(())
    }

    /// Whether it passes.
    fn client_data(&mut self, body: &[u8], now: Duration) -> Result<bool, Broken> {
        let pdu = share::data(body)?;
        if !self.demanded {
            return Err(Broken("share data before a share"));
        }
        Ok(match pdu.kind {
            kind::INPUT => {
                let events = input::slow_path(pdu.body)?;
                self.input(&events, now)
            }
            kind::CONTROL
            | kind::SYNCHRONIZE
            | kind::REFRESH_RECT
            | kind::SUPPRESS_OUTPUT
            | kind::SHUTDOWN_REQUEST
            | kind::FONT_LIST
            | kind::PERSISTENT_LIST
            | kind::BITMAP_CACHE_ERROR
            | kind::FRAME_ACKNOWLEDGE => true,
            // of caches that were taken out of the capabilities
            kind::OFFSCREEN_CACHE_ERROR | kind::NINE_GRID_ERROR | kind::GDI_PLUS_ERROR => false,
            _ => return Err(Broken("unknown share data")),
        })
    }

    fn client_message(&mut self, ids: Ids, user: u16, data: &[u8], frame: Bytes) -> Result<(), Broken> {
        match share::pieces(data, false)?.as_slice() {
            [Io::Secured { flags, .. }] if flags & security::AUTODETECT_RESPONSE != 0 => self.pass(Side::Client, ids, user, data, frame),
            // to a request that it never got
            [Io::Secured { flags, .. }] if flags & security::TRANSPORT_RESPONSE != 0 => {}
            _ => return Err(Broken("unknown PDU on the message channel")),
        }
        Ok(())
    }

    /// Whether the events reach the target.
    fn input(&mut self, events: &[Event], now: Duration) -> bool {
        if self.paused || self.stage != Stage::Active {
            for event in events {
                if let Event::Sync(lights) = event {
                    self.held.lights(*lights);
                }
            }
            return false;
        }
        let mut at = None;
        for event in events {
            at = self.held.saw(*event).or(at);
        }
        if at.is_some() {
            self.pointer_waits = at;
            if self.pointer_at.is_none_or(|t| now >= t + self.limits.pointer_every) {
                self.flush_pointer(now);
            }
        }
        true
    }

    /// Events of ours, the way the target takes them.
    pub(super) fn send_input(&mut self, events: &[Event]) {
        for events in events.chunks(255) {
            if self.fast_path_input {
                let (first, body) = input::as_fast_path(events);
                self.actions.extend(frame::fast_path(first, &body).map(|f| Action::ToTarget(Bytes::from(f))));
            } else {
                self.send_data(kind::INPUT, &input::as_slow_path(events));
            }
        }
    }

    /// A share data PDU of ours for the target.
    pub(super) fn send_data(&mut self, kind: u8, body: &[u8]) {
        if let (Some(share_id), Some(user)) = (self.share_id, self.user) {
            self.send(Side::Target, self.io, &share::data_pdu(share_id, user.target, kind, body));
        }
    }
}
