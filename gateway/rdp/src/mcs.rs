//! Channel connection (MS-RDPBCGR 1.3.1.1): the gateway is the MCS provider for the client and a user toward the target, so each side has
//! its own numbers, which the relay turns into each other.
use crate::{
    config::{Ids, StaticChannel},
    connect::ConnectError,
};
use bytes::Bytes;
use ironrdp_core::{decode, encode_vec};
use ironrdp_pdu::{
    mcs::{AttachUserConfirm, AttachUserRequest, ChannelJoinConfirm, ChannelJoinRequest, ErectDomainPdu, McsMessage, SendDataRequest},
    x224::X224,
};
use std::borrow::Cow;

/// Numbers of one side. A static channel that this side does not have has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    /// The client as a user of the conference; known when it has attached.
    pub user: u16,
    pub io: u16,
    pub message: Option<u16>,
    /// In the order the client asked for them.
    pub statics: Vec<Option<u16>>,
}

impl Numbers {
    /// All channels that can be joined, the user's own excepted.
    pub fn all(&self) -> Vec<u16> {
        [self.io].into_iter().chain(self.message).chain(self.statics.iter().flatten().copied()).collect()
    }
}

/// The numbers of both sides together, as the relay takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paired {
    pub user: Ids,
    pub io: Ids,
    /// Where both sides have one.
    pub message: Option<Ids>,
    pub channels: Vec<StaticChannel>,
}

/// `names`: of the static channels, in the order of their numbers.
pub fn pair(names: &[String], client: &Numbers, target: &Numbers) -> Paired {
    let ids = |client, target| Ids { client, target };
    let statics = names.iter().zip(&client.statics).enumerate();
    let channel = |(i, (name, client)): (usize, (&String, &Option<u16>))| {
        client.map(|client| StaticChannel { name: name.clone(), client, target: target.statics.get(i).copied().flatten() })
    };
    Paired {
        user: ids(client.user, target.user),
        io: ids(client.io, target.io),
        message: client.message.zip(target.message).map(|(c, t)| ids(c, t)),
        channels: statics.filter_map(channel).collect(),
    }
}

/// What a client's message asks of the provider.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    Nothing,
    Answer(Bytes),
    /// The first data on the I/O channel: Client Info.
    Info(Vec<u8>),
}

/// The provider's side until the client sends data.
#[derive(Debug)]
pub struct Provider {
    ids: Numbers,
    attached: bool,
    steps: usize,
}

/// Messages a client may need: erect, attach, a join for each channel.
const MAX_STEPS: usize = 64;

impl Provider {
    pub fn new(ids: Numbers) -> Self {
        Self { ids, attached: false, steps: 0 }
    }

    pub fn step(&mut self, frame: &[u8]) -> Result<Step, ConnectError> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(ConnectError::Refused("it joins channels without end"));
        }
        let X224(message) = decode::<X224<McsMessage<'_>>>(frame).map_err(|_| ConnectError::Damaged("MCS message"))?;
        match message {
            McsMessage::ErectDomainRequest(_) => Ok(Step::Nothing),
            McsMessage::AttachUserRequest(_) => {
                self.attached = true;
                answer(McsMessage::AttachUserConfirm(AttachUserConfirm { result: 0, initiator_id: self.ids.user }))
            }
            McsMessage::ChannelJoinRequest(j) if self.attached => {
                let known = j.channel_id == self.ids.user || self.ids.all().contains(&j.channel_id);
                answer(McsMessage::ChannelJoinConfirm(ChannelJoinConfirm {
                    // rt-no-such-channel
                    result: if known { 0 } else { 3 },
                    initiator_id: self.ids.user,
                    requested_channel_id: j.channel_id,
                    channel_id: j.channel_id,
                }))
            }
            McsMessage::SendDataRequest(d) if self.attached && d.channel_id == self.ids.io => Ok(Step::Info(d.user_data.into_owned())),
            _ => Err(ConnectError::Refused("it does not join its channels as the protocol says")),
        }
    }
}

fn answer(message: McsMessage<'_>) -> Result<Step, ConnectError> {
    encoded(message).map(Step::Answer)
}

fn encoded(message: McsMessage<'_>) -> Result<Bytes, ConnectError> {
    encode_vec(&X224(message)).map(Bytes::from).map_err(|_| ConnectError::Damaged("MCS message"))
}

/// What a user begins with.
pub fn erect_domain() -> Result<Bytes, ConnectError> {
    encoded(McsMessage::ErectDomainRequest(ErectDomainPdu { sub_height: 0, sub_interval: 0 }))
}

pub fn attach_user() -> Result<Bytes, ConnectError> {
    encoded(McsMessage::AttachUserRequest(AttachUserRequest))
}

/// The number the provider gave us.
pub fn attached(frame: &[u8]) -> Result<u16, ConnectError> {
    match decode::<X224<McsMessage<'_>>>(frame) {
        Ok(X224(McsMessage::AttachUserConfirm(c))) if c.result == 0 && c.initiator_id != 0 => Ok(c.initiator_id),
        _ => Err(ConnectError::Damaged("answer to MCS Attach User")),
    }
}

pub fn join(user: u16, channel: u16) -> Result<Bytes, ConnectError> {
    encoded(McsMessage::ChannelJoinRequest(ChannelJoinRequest { initiator_id: user, channel_id: channel }))
}

/// Checks that the channel was joined.
pub fn joined(frame: &[u8], channel: u16) -> Result<(), ConnectError> {
    match decode::<X224<McsMessage<'_>>>(frame) {
        Ok(X224(McsMessage::ChannelJoinConfirm(c))) if c.result == 0 && c.requested_channel_id == channel => Ok(()),
        _ => Err(ConnectError::Damaged("answer to MCS Channel Join")),
    }
}

/// Data of the user on a channel.
pub fn send(user: u16, channel: u16, data: &[u8]) -> Result<Bytes, ConnectError> {
    encoded(McsMessage::SendDataRequest(SendDataRequest { initiator_id: user, channel_id: channel, user_data: Cow::Borrowed(data) }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn client() -> Numbers {
        Numbers { user: 1009, io: 1003, message: Some(1008), statics: vec![Some(1004), Some(1005)] }
    }
    fn target() -> Numbers {
        Numbers { user: 1007, io: 1010, message: None, statics: vec![None, Some(1004)] }
    }
    #[test]
    fn a_client_attaches_joins_and_says_who_it_is() {
        let mut p = Provider::new(client());
        assert!(p.step(&join(1009, 1003).unwrap()).is_err(), "nobody joins before they have attached");
        assert_eq!(p.step(&erect_domain().unwrap()), Ok(Step::Nothing));
        let Ok(Step::Answer(a)) = p.step(&attach_user().unwrap()) else { panic!() };
        assert_eq!(attached(&a), Ok(1009));
        for channel in [1009, 1003, 1008, 1004, 1005] {
            let Ok(Step::Answer(a)) = p.step(&join(1009, channel).unwrap()) else { panic!() };
            assert_eq!(joined(&a, channel), Ok(()));
        }
        let Ok(Step::Answer(a)) = p.step(&join(1009, 2000).unwrap()) else { panic!() };
        assert!(joined(&a, 2000).is_err(), "there is no such channel");
        assert!(p.step(&send(1009, 1004, b"early").unwrap()).is_err());
        assert_eq!(p.step(&send(1009, 1003, b"info").unwrap()), Ok(Step::Info(b"info".to_vec())));
    }

    #[test]
    fn nobody_joins_without_end() {
        let mut p = Provider::new(client());
        p.step(&attach_user().unwrap()).unwrap();
        assert!((0..MAX_STEPS).any(|_| p.step(&join(1009, 1003).unwrap()).is_err()));
    }

    #[test]
    fn both_sides_numbers_are_put_together_and_what_is_denied_has_none_there() {
        let names = ["rdpdr".to_owned(), "drdynvc".to_owned()];
        let p = pair(&names, &client(), &target());
        assert_eq!((p.user, p.io), (Ids { client: 1009, target: 1007 }, Ids { client: 1003, target: 1010 }));
        assert_eq!(p.message, None, "the target has none");
        let channel = |name: &str, client, target| StaticChannel { name: name.into(), client, target };
        assert_eq!(p.channels, [channel("rdpdr", 1004, None), channel("drdynvc", 1005, Some(1004))]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_stumble(bytes in proptest::collection::vec(any::<u8>(), 0..64), head in any::<bool>()) {
            let mut frame = if head { vec![3, 0, 0, 0, 2, 0xf0, 0x80] } else { vec![] };
            frame.extend(bytes);
            if head {
                frame[3] = frame.len() as u8;
            }
            let mut p = Provider::new(client());
            p.step(&attach_user().unwrap()).unwrap();
            let _ = (p.step(&frame), attached(&frame), joined(&frame, 1003));
        }
    }
}
