//! Basic settings exchange: what the client's computer says of itself, rewritten for the target, and the target's answer for the
//! client (MS-RDPBCGR 1.3.1.1, 2.2.1.3, 2.2.1.4).
//!
//! The client is told of every channel it asked for, so that nothing in it breaks; toward the target a denied one does not exist.
use crate::{mcs::Numbers, negotiate::Confirmed};
use bytes::Bytes;
use ironrdp_core::{Decode, Encode, decode, encode_vec};
use ironrdp_pdu::{
    gcc::{
        ClientEarlyCapabilityFlags, ClientGccBlocks, ClientSecurityData, ConferenceCreateRequest, ConferenceCreateResponse, HighColorDepth,
        RdpVersion, RedirectionFlags, ServerCoreData, ServerCoreOptionalData, ServerEarlyCapabilityFlags, ServerGccBlocks,
        ServerMessageChannelData, ServerNetworkData, ServerSecurityData,
    },
    mcs,
    nego::SecurityProtocol,
    x224::{X224, X224Data},
};
use std::borrow::Cow;

/// Longest Connect Initial or Connect Response, bytes. Real ones have some 500; sixteen monitors add 600.
pub const MAX_FRAME: usize = 8 * 1024;
/// MS-RDPBCGR 2.2.1.3.4: channels a client may ask for.
pub const MAX_CHANNELS: usize = 31;
/// What a target sees instead of the name of the person's computer.
const CLIENT_NAME: &str = "anteroom";
/// RDP 5.0 and later (MS-RDPBCGR 2.2.1.4.2); clients do not make more of it.
const VERSION: RdpVersion = RdpVersion(0x0008_0004);
/// Where a target's own numbers begin (MS-RDPBCGR 2.2.1.4.4), and where ours for what it does not know.
const FIRST_ID: u16 = 1003;
const FIRST_FAKE: u16 = 3001;
/// The node that answers a conference; its value means nothing (MS-RDPBCGR 2.2.1.4).
const NODE: u16 = 31219;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    #[error("its {0} is damaged")]
    Damaged(&'static str),
    #[error("{0}")]
    Refused(&'static str),
}

/// A client's Connect Initial.
#[derive(Debug, Clone)]
pub struct Initial {
    blocks: ClientGccBlocks,
    channels: Vec<String>,
}

/// What the target may know of it.
#[derive(Debug, Clone, Copy)]
pub struct ForTarget<'a> {
    pub confirmed: Confirmed,
    /// One for each of [`Initial::channels`]: whether it goes on.
    pub keep: &'a [bool],
    /// The session a server redirection named.
    pub session: Option<u32>,
    /// Whether the client hears autodetection and heartbeats. In the lobby it is past the one and has no use for the other.
    pub messages: bool,
}

impl Initial {
    pub fn read(frame: &[u8]) -> Result<Self, ConnectError> {
        let pdu: mcs::ConnectInitial = inside(frame, "MCS Connect Initial")?;
        let blocks = pdu.conference_create_request.into_gcc_blocks();
        // A name that is not text is one that no policy knows.
        let name = |c: &ironrdp_pdu::gcc::ChannelDef| c.name.as_str().unwrap_or("?").to_ascii_lowercase();
        let channels = blocks.network.iter().flat_map(|n| n.channels.iter().map(name)).collect();
        Ok(Self { blocks, channels })
    }

    /// Names of the static channels it asked for, in lower case, in its order.
    pub fn channels(&self) -> &[String] {
        &self.channels
    }

    /// Width and height it asked for, pixels.
    pub fn desktop(&self) -> (u16, u16) {
        (self.blocks.core.desktop_width, self.blocks.core.desktop_height)
    }

    /// Bits per pixel it wants (MS-RDPBCGR 2.2.1.3.2), which a server that has them all agrees to.
    pub fn depth(&self) -> u16 {
        let optional = &self.blocks.core.optional_data;
        if optional.early_capability_flags.is_some_and(|f| f.contains(ClientEarlyCapabilityFlags::WANT_32_BPP_SESSION)) {
            return 32;
        }
        match optional.high_color_depth {
            Some(HighColorDepth::Bpp24) => 24,
            Some(HighColorDepth::Rgb565Bpp16) => 16,
            Some(HighColorDepth::Rgb555Bpp16) => 15,
            Some(HighColorDepth::Bpp8 | HighColorDepth::Bpp4) | None => 8,
        }
    }

    /// Whether it wants a channel for autodetection and heartbeats (MS-RDPBCGR 2.2.1.3.7).
    pub fn wants_messages(&self) -> bool {
        self.blocks.message_channel.is_some()
    }

    /// The Connect Initial for the target: no name of the person's computer, no UDP, no denied channel, no session that the client
    /// chose itself.
    pub fn for_target(&self, f: &ForTarget<'_>) -> Result<Bytes, ConnectError> {
        let mut blocks = self.blocks.clone();
        blocks.core.client_name = CLIENT_NAME.into();
        let optional = &mut blocks.core.optional_data;
        if let Some(id) = &mut optional.dig_product_id {
            id.clear();
        }
        if let Some(selected) = &mut optional.server_selected_protocol {
            *selected = f.confirmed.security.protocol();
        }
        if let Some(early) = &mut optional.early_capability_flags {
            // Joins are always sent: what answers them must not depend on who skips what.
            early.remove(ClientEarlyCapabilityFlags::SUPPORT_SKIP_CHANNELJOIN);
            if !f.confirmed.graphics {
                early.remove(ClientEarlyCapabilityFlags::SUPPORT_DYN_VC_GFX_PROTOCOL);
            }
        }
        blocks.security = ClientSecurityData::no_security();
        blocks.multi_transport_channel = None;
        if !f.confirmed.extended {
            blocks.monitor = None;
            blocks.monitor_extended = None;
        }
        if !f.confirmed.extended || !f.messages {
            blocks.message_channel = None;
        }
        if let Some(cluster) = &mut blocks.cluster {
            cluster.flags.set(RedirectionFlags::REDIRECTED_SESSION_FIELD_VALID, f.session.is_some());
            cluster.redirected_session_id = f.session.unwrap_or(0);
        }
        if let Some(network) = &mut blocks.network {
            let mut keep = f.keep.iter().copied();
            network.channels.retain(|_| keep.next().unwrap_or(false));
        }
        let request = ConferenceCreateRequest::new(blocks).map_err(|_| ConnectError::Damaged("MCS Connect Initial"))?;
        let pdu = mcs::ConnectInitial {
            conference_create_request: request,
            calling_domain_selector: vec![1],
            called_domain_selector: vec![1],
            upward_flag: true,
            target_parameters: mcs::DomainParameters::target(),
            min_parameters: mcs::DomainParameters::min(),
            max_parameters: mcs::DomainParameters::max(),
        };
        outside(&pdu)
    }
}

/// A target's Connect Response.
#[derive(Debug, Clone)]
pub struct Response {
    core: ServerCoreData,
    io: u16,
    message: Option<u16>,
    channels: Vec<u16>,
}

impl Response {
    /// `asked`: how many static channels it was asked for.
    pub fn read(frame: &[u8], asked: usize) -> Result<Self, ConnectError> {
        let pdu: mcs::ConnectResponse = inside(frame, "MCS Connect Response")?;
        let blocks = pdu.conference_create_response.into_gcc_blocks();
        if blocks.security != ServerSecurityData::no_security() {
            // Inside TLS there is no other encryption (MS-RDPBCGR 5.4.1); with it nothing could be recorded.
            return Err(ConnectError::Refused("it wants legacy RDP encryption inside TLS"));
        }
        let (io, channels) = (blocks.network.io_channel, blocks.network.channel_ids);
        let message = blocks.message_channel.map(|m| m.mcs_message_channel_id).filter(|id| *id != 0);
        let mut all: Vec<u16> = channels.iter().copied().chain([io]).chain(message).collect();
        all.sort_unstable();
        all.dedup();
        if channels.len() != asked || all.len() != channels.len() + 1 + usize::from(message.is_some()) || all.first() == Some(&0) {
            return Err(ConnectError::Damaged("list of channels"));
        }
        Ok(Self { core: blocks.core, io, message, channels })
    }

    /// Numbers on the target's side, where `user` was attached. Denied channels have none.
    pub fn numbers(&self, keep: &[bool], user: u16) -> Numbers {
        let mut given = self.channels.iter().copied();
        let statics = keep.iter().map(|k| if *k { given.next() } else { None }).collect();
        Numbers { user, io: self.io, message: self.message, statics }
    }
}

/// What the client is told, and the numbers that stand in it. `requested` is echoed: clients compare it (MS-RDPBCGR 3.2.5.3.4).
/// Where the target was joined already, its numbers and its version are used; what it does not know gets numbers of ours.
pub fn answer(
    initial: &Initial,
    requested: SecurityProtocol,
    target: Option<(&Response, &Numbers)>,
) -> Result<(Bytes, Numbers), ConnectError> {
    let core = match target {
        Some((response, _)) => response.core.clone(),
        None => ServerCoreData { version: VERSION, optional_data: ServerCoreOptionalData::default() },
    };
    let known = target.map(|(_, ids)| ids);
    let taken: Vec<u16> = known.map_or_else(Vec::new, |k| k.all().into_iter().chain([k.user]).collect());
    let first = if known.is_some() { FIRST_FAKE } else { FIRST_ID };
    let mut free = (first..).filter(|id| !taken.contains(id));
    let mut or_new = |id: Option<u16>| id.or_else(|| free.next());
    let io = or_new(known.map(|k| k.io));
    let statics: Vec<Option<u16>> =
        (0..initial.channels.len()).map(|i| or_new(known.and_then(|k| k.statics.get(i).copied().flatten()))).collect();
    let message = initial.wants_messages().then(|| or_new(known.and_then(|k| k.message))).flatten();
    let user = or_new(known.map(|k| k.user));
    let (Some(io), Some(user)) = (io, user) else { return Err(ConnectError::Refused("it asked for too many channels")) };
    let mut optional = core.optional_data;
    optional.client_requested_protocols = Some(requested);
    if let Some(early) = &mut optional.early_capability_flags {
        early.remove(ServerEarlyCapabilityFlags::SKIP_CHANNELJOIN_SUPPORTED);
    }
    let blocks = ServerGccBlocks {
        core: ServerCoreData { version: core.version, optional_data: optional },
        network: ServerNetworkData { channel_ids: statics.iter().flatten().copied().collect(), io_channel: io },
        security: ServerSecurityData::no_security(),
        message_channel: message.map(|id| ServerMessageChannelData { mcs_message_channel_id: id }),
        multi_transport_channel: None,
    };
    let response = ConferenceCreateResponse::new(NODE, blocks).map_err(|_| ConnectError::Damaged("MCS Connect Initial"))?;
    let pdu = mcs::ConnectResponse {
        conference_create_response: response,
        called_connect_id: 0,
        domain_parameters: mcs::DomainParameters::target(),
    };
    Ok((outside(&pdu)?, Numbers { user, io, message, statics }))
}

fn inside<'a, T: Decode<'a>>(frame: &'a [u8], what: &'static str) -> Result<T, ConnectError> {
    if frame.len() > MAX_FRAME {
        return Err(ConnectError::Damaged(what));
    }
    let X224(x) = decode::<X224<X224Data<'a>>>(frame).map_err(|_| ConnectError::Damaged(what))?;
    match x.data {
        Cow::Borrowed(data) => decode(data).map_err(|_| ConnectError::Damaged(what)),
        // The decoder borrows; anything else is not what came.
        Cow::Owned(_) => Err(ConnectError::Damaged(what)),
    }
}

fn outside(pdu: &impl Encode) -> Result<Bytes, ConnectError> {
    let damaged = |_| ConnectError::Refused("its settings cannot be written");
    let data = encode_vec(pdu).map_err(damaged)?;
    encode_vec(&X224(X224Data { data: Cow::Owned(data) })).map(Bytes::from).map_err(damaged)
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::negotiate::Security;
    use ironrdp_pdu::gcc::{
        ChannelDef, ChannelName, ChannelOptions, ClientClusterData, ClientCoreData, ClientCoreOptionalData, ClientMessageChannelData,
        ClientNetworkData, ColorDepth, ConnectionType, KeyboardType, MultiTransportChannelData, MultiTransportFlags, RedirectionVersion,
        SecureAccessSequence, SupportedColorDepths,
    };
    use proptest::prelude::*;

    const NAMES: [&str; 4] = ["rdpdr", "cliprdr", "rdpsnd", "drdynvc"];
    const KEEP: [bool; 4] = [false, true, false, true];
    const CONFIRMED: Confirmed = Confirmed { security: Security::Nla, extended: true, graphics: true };

    fn blocks(names: &[&str]) -> ClientGccBlocks {
        let channel = |n: &&str| ChannelDef { name: ChannelName::from_utf8(n).unwrap(), options: ChannelOptions::INITIALIZED };
        ClientGccBlocks {
            core: ClientCoreData {
                version: RdpVersion(0x0008_000d),
                desktop_width: 1280,
                desktop_height: 800,
                color_depth: ColorDepth::Bpp8,
                sec_access_sequence: SecureAccessSequence::Del,
                keyboard_layout: 0x407,
                client_build: 22621,
                client_name: "LAPTOP-OF-ADA".into(),
                keyboard_type: KeyboardType::IBM_ENHANCED,
                keyboard_subtype: 0,
                keyboard_functional_keys_count: 12,
                ime_file_name: String::new(),
                optional_data: ClientCoreOptionalData {
                    post_beta2_color_depth: Some(ColorDepth::Bpp8),
                    client_product_id: Some(1),
                    serial_number: Some(0),
                    high_color_depth: Some(HighColorDepth::Bpp24),
                    supported_color_depths: Some(SupportedColorDepths::BPP24),
                    early_capability_flags: Some(
                        ClientEarlyCapabilityFlags::SUPPORT_SKIP_CHANNELJOIN | ClientEarlyCapabilityFlags::SUPPORT_DYN_VC_GFX_PROTOCOL,
                    ),
                    dig_product_id: Some("69712-783-0357974-42714".into()),
                    connection_type: Some(ConnectionType::Lan),
                    server_selected_protocol: Some(SecurityProtocol::HYBRID_EX),
                    ..Default::default()
                },
            },
            security: ClientSecurityData::no_security(),
            network: Some(ClientNetworkData { channels: names.iter().map(channel).collect() }),
            cluster: Some(ClientClusterData {
                flags: RedirectionFlags::REDIRECTION_SUPPORTED | RedirectionFlags::REDIRECTED_SESSION_FIELD_VALID,
                redirection_version: RedirectionVersion::V5,
                redirected_session_id: 7,
            }),
            monitor: None,
            message_channel: Some(ClientMessageChannelData),
            multi_transport_channel: Some(MultiTransportChannelData { flags: MultiTransportFlags::TRANSPORT_TYPE_UDP_FECR }),
            monitor_extended: None,
        }
    }

    pub(crate) fn initial(names: &[&str]) -> Initial {
        Initial::read(&outside(&mcs::ConnectInitial::with_gcc_blocks(blocks(names)).unwrap()).unwrap()).unwrap()
    }

    fn response(channels: &[u16], message: Option<u16>) -> Vec<u8> {
        let blocks = ServerGccBlocks {
            core: ServerCoreData {
                version: RdpVersion(0x0008_0010),
                optional_data: ServerCoreOptionalData {
                    client_requested_protocols: Some(SecurityProtocol::SSL),
                    early_capability_flags: Some(ServerEarlyCapabilityFlags::SKIP_CHANNELJOIN_SUPPORTED),
                },
            },
            network: ServerNetworkData { channel_ids: channels.to_vec(), io_channel: 1003 },
            security: ServerSecurityData::no_security(),
            message_channel: message.map(|m| ServerMessageChannelData { mcs_message_channel_id: m }),
            multi_transport_channel: Some(MultiTransportChannelData { flags: MultiTransportFlags::TRANSPORT_TYPE_UDP_FECR }),
        };
        let conference_create_response = ConferenceCreateResponse::new(NODE, blocks).unwrap();
        let domain_parameters = mcs::DomainParameters::target();
        outside(&mcs::ConnectResponse { conference_create_response, called_connect_id: 0, domain_parameters }).unwrap().to_vec()
    }

    fn server_blocks(frame: &[u8]) -> ServerGccBlocks {
        inside::<mcs::ConnectResponse>(frame, "").unwrap().conference_create_response.into_gcc_blocks()
    }

    #[test]
    fn the_target_sees_no_denied_channel_no_udp_and_no_name_of_the_computer() {
        let ask = ForTarget { confirmed: CONFIRMED, keep: &KEEP, session: None, messages: true };
        let seen = Initial::read(&initial(&NAMES).for_target(&ask).unwrap()).unwrap();
        assert_eq!(seen.channels(), ["cliprdr", "drdynvc"]);
        assert_eq!(seen.desktop(), (1280, 800));
        let b = seen.blocks;
        assert_eq!(b.core.client_name, "anteroom");
        assert_eq!(b.core.optional_data.dig_product_id.as_deref(), Some(""));
        assert_eq!(b.core.optional_data.server_selected_protocol, Some(SecurityProtocol::HYBRID));
        assert_eq!(b.multi_transport_channel, None);
        let early = b.core.optional_data.early_capability_flags.unwrap();
        assert!(!early.contains(ClientEarlyCapabilityFlags::SUPPORT_SKIP_CHANNELJOIN));
        assert!(early.contains(ClientEarlyCapabilityFlags::SUPPORT_DYN_VC_GFX_PROTOCOL));
        // A person cannot pick another session on the target; a redirection can.
        assert!(!b.cluster.unwrap().flags.contains(RedirectionFlags::REDIRECTED_SESSION_FIELD_VALID));
        let again = initial(&NAMES).for_target(&ForTarget { session: Some(9), ..ask }).unwrap();
        assert_eq!(Initial::read(&again).unwrap().blocks.cluster.unwrap().redirected_session_id, 9);
    }

    #[test]
    fn a_target_that_knows_less_is_sent_less() {
        let confirmed = Confirmed { extended: false, graphics: false, ..CONFIRMED };
        let ask = ForTarget { confirmed, keep: &KEEP, session: None, messages: true };
        let b = Initial::read(&initial(&NAMES).for_target(&ask).unwrap()).unwrap().blocks;
        assert!(b.message_channel.is_none() && b.monitor.is_none());
        let early = b.core.optional_data.early_capability_flags.unwrap();
        assert!(!early.contains(ClientEarlyCapabilityFlags::SUPPORT_DYN_VC_GFX_PROTOCOL));
    }

    #[test]
    fn the_client_keeps_every_channel_and_hears_what_it_had_asked_for() {
        let client = initial(&NAMES);
        let target = Response::read(&response(&[1004, 1005], Some(1006)), 2).unwrap();
        let ids = target.numbers(&KEEP, 1007);
        assert_eq!(ids.statics, [None, Some(1004), None, Some(1005)]);
        let asked = SecurityProtocol::SSL | SecurityProtocol::HYBRID;
        let (frame, told) = answer(&client, asked, Some((&target, &ids))).unwrap();
        let b = server_blocks(&frame);
        assert_eq!(b.core.optional_data.client_requested_protocols, Some(asked));
        assert!(!b.core.optional_data.early_capability_flags.unwrap().contains(ServerEarlyCapabilityFlags::SKIP_CHANNELJOIN_SUPPORTED));
        assert_eq!(b.multi_transport_channel, None);
        assert_eq!(b.network.channel_ids, [3001, 1004, 3002, 1005]);
        assert_eq!((told.user, told.io, told.message), (1007, 1003, Some(1006)));
    }

    #[test]
    fn before_the_target_is_known_all_numbers_are_ours() {
        let (frame, told) = answer(&initial(&NAMES), SecurityProtocol::SSL, None).unwrap();
        assert_eq!(server_blocks(&frame).network.channel_ids, [1004, 1005, 1006, 1007]);
        assert_eq!((told.io, told.message, told.user), (1003, Some(1008), 1009));
    }

    #[test]
    fn a_target_that_does_not_answer_what_it_was_asked_is_left() {
        assert!(Response::read(&response(&[1004], None), 2).is_err());
        assert!(Response::read(&response(&[1004, 1004], None), 2).is_err());
        assert!(Response::read(&response(&[1004, 1003], None), 2).is_err());
        assert!(Response::read(&response(&[1004, 0], None), 2).is_err());
        assert!(Response::read(&vec![0; MAX_FRAME + 1], 2).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_stumble(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = (Initial::read(&bytes), Response::read(&bytes, 2));
        }

        #[test]
        fn a_real_message_with_any_byte_changed_is_read_or_refused(at in any::<prop::sample::Index>(), to in any::<u8>()) {
            let ask = ForTarget { confirmed: CONFIRMED, keep: &KEEP, session: None, messages: true };
            let mut frame = outside(&mcs::ConnectInitial::with_gcc_blocks(blocks(&NAMES)).unwrap()).unwrap().to_vec();
            let i = at.index(frame.len());
            frame[i] = to;
            if let Ok(read) = Initial::read(&frame) {
                let keep = vec![true; read.channels().len()];
                let _ = read.for_target(&ForTarget { keep: &keep, ..ask });
                let _ = answer(&read, SecurityProtocol::SSL, None);
            }
            let mut frame = response(&[1004, 1005], Some(1006));
            let i = at.index(frame.len());
            frame[i] = to;
            if let Ok(read) = Response::read(&frame, 2) {
                let ids = read.numbers(&KEEP, 1007);
                let (_, told) = answer(&initial(&NAMES), SecurityProtocol::SSL, Some((&read, &ids))).unwrap();
                let mut all = told.all();
                all.sort_unstable();
                all.dedup();
                prop_assert_eq!(all.len(), 6, "no two channels of a client have one number");
            }
        }
    }
}
