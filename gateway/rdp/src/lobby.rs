//! A desktop of the gateway's own: the words a person reads while their target is not reached yet.
//!
//! It is a target that does nothing, behind a relay of its own. Its share ends (MS-RDPBCGR 1.3.1.3) when the real target begins one.

mod room;

use crate::{
    action::{Action, EndReason, Seen},
    config::{Ids, Limits, Policy, RelayConfig, Start, StaticChannel},
    connect::Initial,
    mcs::Numbers,
    relay::Relay,
    violation::Violation,
};
use bytes::Bytes;
use room::Room;
use std::{collections::VecDeque, time::Duration};

/// The lobby's share. Any number but zero; targets use the MCS user in the upper half.
pub(crate) const SHARE: u32 = 0x0001_03ea;

/// A client whose Client Info was read, and that is told to wait. No clock, no socket; `now` as for [`Relay`].
#[derive(Debug)]
pub struct Lobby {
    relay: Relay,
    room: Room,
    to_client: VecDeque<Bytes>,
    left: bool,
}

impl Lobby {
    /// `text`: lines of words in the middle of the screen.
    pub fn new(initial: &Initial, numbers: &Numbers, text: &str, now: Duration) -> Self {
        let (width, height) = initial.desktop();
        let named = initial.channels().iter().zip(&numbers.statics);
        let mut relay = Relay::new(RelayConfig {
            start: Start::Licensing,
            io: Ids::same(numbers.io),
            user: Some(Ids::same(numbers.user)),
            message: numbers.message.map(Ids::same),
            channels: named.filter_map(|(name, id)| id.map(|client| StaticChannel { name: name.clone(), client, target: None })).collect(),
            policy: Policy::default(),
            width,
            height,
            limits: Limits::default(),
        });
        // Nothing that is typed here is for anybody.
        relay.pause("", now);
        let room = Room::new(numbers.io, (width, height), initial.depth(), text);
        let mut lobby = Self { relay, room, to_client: VecDeque::new(), left: false };
        for frame in lobby.room.welcome() {
            lobby.shown(frame, now);
        }
        lobby.settle(now);
        lobby
    }

    /// One whole frame of the client. An error is final: [`Lobby::end`], and close.
    pub fn from_client(&mut self, frame: Bytes, now: Duration) -> Result<(), Violation> {
        let judged = self.relay.from_client(frame, now);
        self.settle(now);
        judged
    }

    /// A band at the top of the screen until then.
    pub fn say(&mut self, text: &str, until: Duration, now: Duration) {
        self.relay.say(text, Some(until), now);
        self.settle(now);
    }

    /// Other words in the middle.
    pub fn set_text(&mut self, text: &str, now: Duration) {
        self.room.set_text(text);
        self.settle(now);
    }

    pub fn tick(&mut self, now: Duration) {
        self.relay.tick(now);
        self.settle(now);
    }

    /// When [`Lobby::tick`] has something to do, if nothing else happens.
    pub fn next_tick(&self) -> Option<Duration> {
        self.relay.next_tick().into_iter().chain(self.room.next_tick()).min()
    }

    /// What the client gets next; drained after every call of another function.
    pub fn next_frame(&mut self) -> Option<Bytes> {
        self.to_client.pop_front()
    }

    /// The client has its picture: a target may begin ([`Start::Lobby`](crate::Start::Lobby)).
    pub fn is_open(&self) -> bool {
        self.room.is_open()
    }

    /// The client said goodbye.
    pub fn client_left(&self) -> bool {
        self.left
    }

    /// Words on the screen, the reason as an RDP error, and the end. Frames after that are ignored.
    pub fn end(&mut self, reason: EndReason, text: &str, now: Duration) {
        self.relay.end(reason, text, now);
        self.settle(now);
    }

    /// From the room to the client. Its own frames break no rule of the relay.
    fn shown(&mut self, frame: Bytes, now: Duration) {
        let shown = self.relay.from_target(frame, now);
        debug_assert!(shown.is_ok(), "{shown:?}");
    }

    /// Until neither side has anything more to say.
    fn settle(&mut self, now: Duration) {
        loop {
            while let Some(action) = self.relay.next_action() {
                match action {
                    Action::ToClient(frame) => self.to_client.push_back(frame),
                    Action::ToTarget(frame) => self.room.take(&frame),
                    Action::Saw(Seen::ClientLeft) => self.left = true,
                    Action::Saw(_) | Action::ClientInfo(_) => {}
                }
            }
            let frames = self.room.frames(now);
            if frames.is_empty() {
                return;
            }
            frames.into_iter().for_each(|f| self.shown(f, now));
        }
    }
}

/// The body of a Deactivate All that ends the lobby's share (MS-RDPBCGR 2.2.3.1): no source.
pub(crate) fn deactivate() -> Vec<u8> {
    let mut body = SHARE.to_le_bytes().to_vec();
    body.extend_from_slice(&[1, 0, 0]);
    body
}

#[cfg(test)]
mod tests;
