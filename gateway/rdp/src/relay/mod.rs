mod client;
mod notices;
mod target;
#[cfg(test)]
mod tests;

use crate::{
    action::{Action, EndReason, Seen},
    channel::{Said, Turn, clipboard::Clipboard, devices::Devices, dynamic::Dynamic},
    config::{Ids, Limits, Policy, RelayConfig, Start, StaticChannel},
    input::Held,
    lobby,
    output::Output,
    violation::{Broken, Side, Violation},
    wire::{
        mcs,
        share::{self, SERVER_USER},
        svc::{self, Reassembly},
    },
};
use bytes::Bytes;
use notices::Notices;
use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

/// Different things that are reported as denied; one more is "and more".
const MAX_DENIED: usize = 64;
/// Most bytes of a dynamic channel's PDU: no server's is longer than a few chunks.
const MAX_DYNAMIC_PDU: usize = 256 << 10;

/// How far the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Joins,
    /// The client's Client Info is with the driver.
    Info,
    /// The target connects; the client still has the gateway's own desktop.
    Lobby,
    /// Auto-detection, licensing, and the capability exchange; again after every Deactivate All.
    Connecting,
    Active,
}

/// The active phase of one client connection: the person's client on one side, the target on the other.
///
/// Frames in, [`Action`]s out. It holds no clock and no socket; `now` is any monotonic time, the same for every call.
/// An error is final: the driver takes what actions there are, calls [`Relay::end`] and closes.
pub struct Relay {
    stage: Stage,
    io: Ids,
    user: Option<Ids>,
    message: Option<Ids>,
    channels: Vec<Channel>,
    policy: Policy,
    limits: Limits,
    size: (u16, u16),
    share_id: Option<u32>,
    /// The target's share has begun: licensing is over.
    demanded: bool,
    /// What the client says still belongs to the share it had in the lobby.
    in_lobby: bool,
    /// Bits per pixel of the session.
    depth: u16,
    fast_path_output: bool,
    fast_path_input: bool,
    refresh: bool,
    suppress: bool,
    output: Output,
    held: Held,
    /// When a pointer was reported last, and the one that was not.
    pointer_at: Option<Duration>,
    pointer_waits: Option<(u16, u16)>,
    paused: bool,
    notices: Notices,
    actions: VecDeque<Action>,
    denied: BTreeSet<String>,
    ended: bool,
}

/// A static channel and what watches over it.
struct Channel {
    ids: StaticChannel,
    client: Reassembly,
    target: Reassembly,
    watch: Watch,
}

enum Watch {
    Clipboard(Clipboard),
    Devices(Devices),
    Dynamic(Box<Dynamic>),
    /// Passed on as it comes (sound).
    Nothing,
    /// The target does not have it.
    Fake,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("stage", &self.stage).field("paused", &self.paused).finish_non_exhaustive()
    }
}

impl Relay {
    pub fn new(config: RelayConfig) -> Self {
        let RelayConfig { start, io, user, message, channels, policy, width, height, limits } = config;
        let in_lobby = start == Start::Lobby;
        Self {
            stage: match start {
                Start::Joins => Stage::Joins,
                Start::Licensing => Stage::Connecting,
                Start::Lobby => Stage::Lobby,
            },
            io,
            user,
            message,
            channels: channels.into_iter().map(|c| Channel::new(c, &policy, &limits)).collect(),
            policy,
            limits,
            size: (width, height),
            share_id: in_lobby.then_some(lobby::SHARE),
            demanded: false,
            in_lobby,
            depth: 0,
            fast_path_output: false,
            fast_path_input: false,
            refresh: false,
            suppress: false,
            output: Output::default(),
            held: Held::default(),
            pointer_at: None,
            pointer_waits: None,
            paused: false,
            notices: Notices::default(),
            actions: VecDeque::new(),
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
        self.target_frame(frame, now).map_err(|b| b.by(Side::Target))?;
        self.show(now);
        Ok(())
    }

    /// The target's Client Info, as user data (after [`Action::ClientInfo`]).
    pub fn client_info(&mut self, user_data: &[u8]) {
        if self.stage == Stage::Info {
            self.stage = Stage::Connecting;
            self.send(Side::Target, self.io, user_data);
        }
    }

    /// What to do next; drained after every call of another function.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The clock moved: notices that are over are taken away, those that were painted over are shown again.
    pub fn tick(&mut self, now: Duration) {
        if self.ended {
            return;
        }
        if self.pointer_at.is_none_or(|at| now >= at + self.limits.pointer_every) {
            self.flush_pointer(now);
        }
        self.show(now);
    }

    /// When [`Relay::tick`] has something to do, if nothing else happens.
    pub fn next_tick(&self) -> Option<Duration> {
        let pointer = self.pointer_waits.and(self.pointer_at).map(|at| at + self.limits.pointer_every);
        let notice = self.notices.next().filter(|_| self.stage == Stage::Active);
        [pointer, notice].into_iter().flatten().min().filter(|_| !self.ended)
    }

    /// What the person does no longer reaches the target; held keys and buttons are released there; `text` stands on their screen.
    pub fn pause(&mut self, text: &str, now: Duration) {
        self.paused = true;
        let released = self.held.release();
        if !released.is_empty() {
            self.send_input(&released);
        }
        self.notices.pause(Some(text));
        self.show(now);
    }

    /// The other way round: the words go, the keyboard's lights are told to the target, and it is asked to draw again.
    pub fn resume(&mut self, now: Duration) {
        if !std::mem::take(&mut self.paused) {
            return;
        }
        if self.stage == Stage::Active {
            self.send_input(&[self.held.synchronize()]);
        }
        self.notices.pause(None);
        self.show(now);
    }

    /// Whether [`Relay::pause`] holds.
    pub fn paused(&self) -> bool {
        self.paused
    }

    /// A band at the top of the person's screen until then; none is until the next one. An empty text takes it away.
    pub fn say(&mut self, text: &str, until: Option<Duration>, now: Duration) {
        self.notices.say(text, until);
        self.show(now);
    }

    /// Ends the session for both sides: the words on the screen, the reason as an RDP error, and the end. Frames after that are ignored.
    pub fn end(&mut self, reason: EndReason, text: &str, now: Duration) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.notices.pause(None);
        self.notices.say(text, None);
        self.show(now);
        let released = self.held.release();
        if !released.is_empty() {
            self.send_input(&released);
        }
        if matches!(self.stage, Stage::Lobby | Stage::Connecting | Stage::Active) {
            // MS-RDPBCGR 2.2.5.1: also before a share is there, whose number is zero then
            let pdu = share::data_pdu(self.share_id.unwrap_or(0), SERVER_USER, share::kind::SET_ERROR_INFO, &reason.code().to_le_bytes());
            self.send(Side::Client, self.io, &pdu);
        }
        self.actions.push_back(Action::ToClient(mcs::disconnect()));
        self.actions.push_back(Action::ToTarget(mcs::disconnect()));
    }

    fn saw(&mut self, seen: Seen) {
        self.actions.push_back(Action::Saw(seen));
    }

    /// Says once that something was kept from passing.
    fn deny(&mut self, what: impl Into<String>) {
        let mut what = what.into();
        if self.denied.len() >= MAX_DENIED {
            what = "and more".to_owned();
        }
        if self.denied.insert(what.clone()) {
            self.saw(Seen::Denied { what });
        }
    }

    /// User data of ours, to a channel of one side.
    fn send(&mut self, to: Side, channel: Ids, data: &[u8]) {
        let frame = match to {
            Side::Client => mcs::send(to, SERVER_USER, channel.client, data),
            Side::Target => self.user.and_then(|u| mcs::send(to, u.target, channel.target, data)),
        };
        self.actions.extend(frame.map(|frame| match to {
            Side::Client => Action::ToClient(frame),
            Side::Target => Action::ToTarget(frame),
        }));
    }

    /// User data of the other side as it came: the same frame, if the ids are the same.
    fn pass(&mut self, from: Side, ids: Ids, user: u16, data: &[u8], frame: Bytes) {
        let same_user = from == Side::Target || self.user.is_some_and(|u| u.target == user);
        match from {
            _ if ids.client != ids.target || !same_user => self.send(from.other(), ids, data),
            Side::Client => self.actions.push_back(Action::ToTarget(frame)),
            Side::Target => self.actions.push_back(Action::ToClient(frame)),
        }
    }

    /// A chunk of a static channel. Whether it is one.
    fn channel(&mut self, from: Side, id: u16, user: u16, data: &[u8], frame: Bytes) -> Result<bool, Broken> {
        let of = |c: &Channel| if from == Side::Client { c.ids.client == id } else { c.ids.target == Some(id) };
        let Some(channel) = self.channels.iter_mut().find(|c| of(c)) else { return Ok(false) };
        let Some(target) = channel.ids.target.filter(|_| !matches!(channel.watch, Watch::Fake)) else { return Ok(true) };
        let ids = Ids { client: channel.ids.client, target };
        let chunk = svc::chunk(data)?;
        if let Watch::Nothing = channel.watch {
            self.pass(from, ids, user, data, frame);
            return Ok(true);
        }
        let whole = chunk.whole();
        let reassembly = if from == Side::Client { &mut channel.client } else { &mut channel.target };
        let Some(message) = reassembly.take(chunk)? else { return Ok(true) };
        let mut turn = Turn::new();
        let mut drawn = None;
        match &mut channel.watch {
            Watch::Clipboard(c) => c.take(from, message, self.paused, &mut turn)?,
            Watch::Devices(d) => d.take(from, message, self.paused, &mut turn)?,
            Watch::Dynamic(d) => {
                let svc::Message::Whole(pdu) = message else { return Err(Broken("dynamic channel PDU is too long")) };
                drawn = Some(d.take(from, pdu, self.paused, &mut turn)?);
            }
            Watch::Nothing | Watch::Fake => {}
        }
        if let Some(drawn) = drawn {
            self.notices.painted(drawn.shown, drawn.reset);
        }
        for said in turn {
            match said {
                // one chunk that went through unchanged is the same frame
                Said::To(to, message) if whole && to != from && data.get(8..) == Some(&message[..]) => {
                    self.pass(from, ids, user, data, frame.clone());
                }
                Said::To(to, message) => svc::chunks(&message).for_each(|c| self.send(to, ids, &c)),
                Said::Saw(seen) => self.saw(seen),
                Said::Denied(what) => self.deny(what),
            }
        }
        Ok(true)
    }

    fn dynamic(&mut self) -> Option<(Ids, &mut Dynamic)> {
        self.channels.iter_mut().find_map(|c| match &mut c.watch {
            Watch::Dynamic(d) => Some((Ids { client: c.ids.client, target: c.ids.target? }, &mut **d)),
            _ => None,
        })
    }

    fn flush_pointer(&mut self, now: Duration) {
        if let Some((x, y)) = self.pointer_waits.take() {
            self.pointer_at = Some(now);
            self.saw(Seen::Pointer { x, y });
        }
    }
}

impl Channel {
    fn new(ids: StaticChannel, policy: &Policy, limits: &Limits) -> Self {
        let watch = match ids.name.as_str() {
            // what policy denies is not there, whatever connecting thought
            _ if ids.target.is_none() || !policy.static_channel(&ids.name) => Watch::Fake,
            "cliprdr" => Watch::Clipboard(Clipboard::new(policy, limits)),
            "rdpdr" => Watch::Devices(Devices::new(policy)),
            "drdynvc" => Watch::Dynamic(Box::new(Dynamic::new(policy, limits))),
            _ => Watch::Nothing,
        };
        let limit = |side| match &watch {
            Watch::Clipboard(c) => c.limit(side),
            Watch::Devices(_) => limits.device_message,
            _ => MAX_DYNAMIC_PDU,
        };
        Self { client: Reassembly::new(limit(Side::Client)), target: Reassembly::new(limit(Side::Target)), watch, ids }
    }
}
