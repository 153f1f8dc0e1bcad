use crate::{
    action::{Action, EndReason, Seen},
    config::{Ids, Limits, Policy, RelayConfig, Start, StaticChannel},
    violation::{Broken, Side, Violation},
    wire::{
        frame::{self, Frame},
        mcs::{self, Mcs},
        share::SERVER_USER,
    },
};
use bytes::Bytes;
use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

/// Different things that are reported as denied; one more is "and more".
const MAX_DENIED: usize = 64;

/// How far the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Joins,
    /// The client's Client Info is with the driver.
    Info,
    /// Auto-detection, licensing, and whatever comes before Demand Active.
    Licensing,
    Active,
}

/// The active phase of one client connection: the person's client on one side, the target on the other.
///
/// Frames in, [`Action`]s out. It holds no clock and no socket; `now` is any monotonic time, the same for every call.
/// An error is final: the driver takes what actions there are, calls [`Relay::end`] and closes.
pub struct Relay {
    pub(crate) stage: Stage,
    pub(crate) io: Ids,
    pub(crate) user: Option<Ids>,
    pub(crate) message: Option<Ids>,
    pub(crate) channels: Vec<StaticChannel>,
    pub(crate) policy: Policy,
    pub(crate) limits: Limits,
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) share_id: Option<u32>,
    pub(crate) actions: VecDeque<Action>,
    pub(crate) paused: bool,
    denied: BTreeSet<String>,
    ended: bool,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("stage", &self.stage).field("paused", &self.paused).finish_non_exhaustive()
    }
}

impl Relay {
    pub fn new(config: RelayConfig) -> Self {
        Self {
            stage: match config.start {
                Start::Joins => Stage::Joins,
                Start::Licensing => Stage::Licensing,
            },
            io: config.io,
            user: config.user,
            message: config.message,
            channels: config.channels,
            policy: config.policy,
            limits: config.limits,
            width: config.width,
            height: config.height,
            share_id: config.share_id,
            actions: VecDeque::new(),
            paused: false,
            denied: BTreeSet::new(),
            ended: false,
        }
    }

    /// One whole frame of the client ([`crate::frame_length`]).
    pub fn from_client(&mut self, frame: Bytes, now: Duration) -> Result<(), Violation> {
        if self.ended {
            return Ok(());
        }
        self.client_frame(frame, now).map_err(|b| b.by(Side::Client))
    }

    /// One whole frame of the target.
    pub fn from_target(&mut self, frame: Bytes, now: Duration) -> Result<(), Violation> {
        if self.ended {
            return Ok(());
        }
        self.target_frame(frame, now).map_err(|b| b.by(Side::Target))
    }

    /// The target's Client Info, as user data (after [`Action::ClientInfo`]).
    pub fn client_info(&mut self, user_data: &[u8]) {
        if self.stage == Stage::Info {
            self.stage = Stage::Licensing;
            self.send(Side::Target, self.io, user_data);
        }
    }

    /// What to do next; drained after every call of another function.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The clock moved: notices that are over are taken away, those that were painted over are shown again.
    pub fn tick(&mut self, _now: Duration) {}

    /// When [`Relay::tick`] has something to do, if nothing else happens.
    pub fn next_tick(&self) -> Option<Duration> {
        None
    }

    /// What the person does no longer reaches the target; held keys and buttons are released there; `text` stands on their screen.
    pub fn pause(&mut self, text: &str, now: Duration) {
        self.paused = true;
        self.say(text, None, now);
    }

    /// The other way round.
    pub fn resume(&mut self, _now: Duration) {
        self.paused = false;
    }

    /// A banner at the top of the person's screen until then; none is until the next one.
    pub fn say(&mut self, _text: &str, _until: Option<Duration>, _now: Duration) {}

    /// Ends the session for both sides: the words on the screen, the reason as an RDP error, and the end. Frames after that are ignored.
    pub fn end(&mut self, _reason: EndReason, _text: &str, _now: Duration) {
        self.ended = true;
        self.actions.push_back(Action::ToClient(mcs::disconnect()));
        self.actions.push_back(Action::ToTarget(mcs::disconnect()));
    }

    fn client_frame(&mut self, bytes: Bytes, _now: Duration) -> Result<(), Broken> {
        match frame::open(&bytes)? {
            Frame::FastPath { .. } => self.actions.push_back(Action::ToTarget(bytes)),
            Frame::Mcs(pdu) => match mcs::decode(pdu, Side::Client)? {
                Mcs::Disconnect => {
                    self.saw(Seen::ClientLeft);
                    self.actions.push_back(Action::ToTarget(bytes));
                }
                _ => self.actions.push_back(Action::ToTarget(bytes)),
            },
        }
        Ok(())
    }

    fn target_frame(&mut self, bytes: Bytes, _now: Duration) -> Result<(), Broken> {
        match frame::open(&bytes)? {
            Frame::FastPath { .. } => self.actions.push_back(Action::ToClient(bytes)),
            Frame::Mcs(pdu) => match mcs::decode(pdu, Side::Target)? {
                Mcs::Disconnect => {
                    self.saw(Seen::TargetLeft);
                    self.actions.push_back(Action::ToClient(bytes));
                }
                _ => self.actions.push_back(Action::ToClient(bytes)),
            },
        }
        Ok(())
    }

    pub(crate) fn saw(&mut self, seen: Seen) {
        self.actions.push_back(Action::Saw(seen));
    }

    /// Says once that something was kept from passing.
    pub(crate) fn deny(&mut self, what: impl Into<String>) {
        let mut what = what.into();
        if self.denied.len() >= MAX_DENIED {
            what = "and more".to_owned();
        }
        if self.denied.insert(what.clone()) {
            self.saw(Seen::Denied { what });
        }
    }

    /// User data of ours, to a channel of one side.
    pub(crate) fn send(&mut self, to: Side, channel: Ids, data: &[u8]) {
        let frame = match to {
            Side::Client => mcs::send(to, SERVER_USER, channel.client, data),
            Side::Target => self.user.and_then(|u| mcs::send(to, u.target, channel.target, data)),
        };
        let Some(frame) = frame else { return };
        self.actions.push_back(match to {
            Side::Client => Action::ToClient(frame),
            Side::Target => Action::ToTarget(frame),
        });
    }
}
