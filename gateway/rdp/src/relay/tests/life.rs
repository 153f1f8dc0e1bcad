//! From the first PDU to the last.

use super::*;
use ironrdp_core::encode_vec;
use ironrdp_pdu::{
    mcs::{AttachUserConfirm, AttachUserRequest, ChannelJoinConfirm, ChannelJoinRequest, ErectDomainPdu},
    x224::X224,
};

fn iron<T>(pdu: T) -> Bytes
where
    X224<T>: ironrdp_core::Encode,
{
    encode_vec(&X224(pdu)).unwrap().into()
}

#[test]
fn joins_pass_and_fake_channels_are_joined_here() {
    let mut r = Relay::new(RelayConfig { start: Start::Joins, user: None, ..config(Policy::default()) });
    let domain = feed(&mut r, Side::Client, iron(ErectDomainPdu { sub_height: 0, sub_interval: 0 }), NOW).unwrap();
    assert!(matches!(domain[..], [Action::ToTarget(_)]));
    feed(&mut r, Side::Client, iron(AttachUserRequest), NOW).unwrap();
    feed(&mut r, Side::Target, iron(AttachUserConfirm { result: 0, initiator_id: USER }), NOW).unwrap();
    for id in [USER, IO, CLIP, MESSAGE] {
        let asked = feed(&mut r, Side::Client, iron(ChannelJoinRequest { initiator_id: USER, channel_id: id }), NOW).unwrap();
        assert!(matches!(asked[..], [Action::ToTarget(_)]), "{id}");
        let yes = ChannelJoinConfirm { result: 0, initiator_id: USER, requested_channel_id: id, channel_id: id };
        assert!(matches!(feed(&mut r, Side::Target, iron(yes), NOW).unwrap()[..], [Action::ToClient(_)]));
    }
    let asked = feed(&mut r, Side::Client, iron(ChannelJoinRequest { initiator_id: USER, channel_id: FAKE }), NOW).unwrap();
    let yes = ChannelJoinConfirm { result: 0, initiator_id: USER, requested_channel_id: FAKE, channel_id: FAKE };
    let [Action::ToClient(answer)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(*answer, iron(yes));
    let other = feed(&mut r, Side::Client, iron(ChannelJoinRequest { initiator_id: USER, channel_id: 1500 }), NOW);
    assert_eq!(other.unwrap_err().what, "unknown channel");
    let info = [&[0x40, 0, 0, 0][..], b"the ticket"].concat();
    let got_info = say(&mut r, Side::Client, IO, &info).unwrap();
    let [Action::ClientInfo(held)] = &got_info[..] else { panic!("{got_info:?}") };
    assert_eq!(held[..], info[..]);
    assert_eq!(format!("{got_info:?}"), "[ClientInfo(14 bytes)]");
    r.client_info(b"the vault's");
    assert_eq!(got(&all(&mut r), Side::Target, IO), [b"the vault's"]);
}

#[test]
fn licensing_passes_until_the_share_begins() {
    let mut r = Relay::new(config(Policy::default()));
    let licence = [&security::LICENSE.to_le_bytes()[..], &[0, 0], b"valid client"].concat();
    assert_eq!(got(&say(&mut r, Side::Target, IO, &licence).unwrap(), Side::Client, IO), [&licence[..]]);
    assert_eq!(got(&say(&mut r, Side::Client, IO, &licence).unwrap(), Side::Target, IO), [&licence[..]]);
    let mut r = active(Policy::default());
    assert_eq!(say(&mut r, Side::Target, IO, &licence).unwrap_err().side, Side::Target);
}

#[test]
fn a_second_transport_is_refused_and_the_client_never_hears_of_it() {
    let mut r = Relay::new(config(Policy::default()));
    let mut request = vec![2, 0, 0, 0];
    request.put32(77);
    request.extend_from_slice(&[1; 20]);
    for channel in [MESSAGE, IO] {
        let did = say(&mut r, Side::Target, channel, &request).unwrap();
        assert!(got(&did, Side::Client, channel).is_empty());
        assert_eq!(got(&did, Side::Target, channel), [[4, 0, 0, 0, 77, 0, 0, 0, 4, 0x40, 0, 0x80]]);
    }
}

#[test]
fn a_desktop_changes_its_size() {
    let mut r = active(Policy::default());
    let off = share::control(share::DEACTIVATE_ALL, SERVER_USER, &[0; 7]);
    assert_eq!(got(&say(&mut r, Side::Target, IO, &off).unwrap(), Side::Client, IO), [off]);
    let key = frame::fast_path(1 << 2, &[0, 0x1e]).unwrap();
    assert!(feed(&mut r, Side::Client, key.into(), NOW).unwrap().is_empty(), "no input meanwhile");
    say(&mut r, Side::Target, IO, &demand(1920, 1080)).unwrap();
    say(&mut r, Side::Client, IO, &confirm(16, true)).unwrap();
    let did = say(&mut r, Side::Target, IO, &data(Side::Target, kind::FONT_MAP, &[0; 8])).unwrap();
    assert_eq!(seen(&did), [Seen::Activated { width: 1920, height: 1080 }]);
}

#[test]
fn the_account_is_hidden_where_policy_says_so_and_the_cookie_is_kept() {
    let named = [&0u32.to_le_bytes()[..], &[b'v'; 576]].concat();
    let cookie = [&3u32.to_le_bytes()[..], &[9; 40]].concat();
    for hide in [false, true] {
        let mut r = active(Policy { hide_account: hide, ..Policy::default() });
        let did = say(&mut r, Side::Target, IO, &data(Side::Target, kind::SAVE_SESSION_INFO, &named)).unwrap();
        assert_eq!(seen(&did), [Seen::LogonDone]);
        let to_client = got(&did, Side::Client, IO).concat();
        assert_eq!(to_client.contains(&b'v'), !hide);
        assert_eq!(to_client.len(), 18 + 580);
        let pdu = data(Side::Target, kind::SAVE_SESSION_INFO, &cookie);
        assert_eq!(got(&say(&mut r, Side::Target, IO, &pdu).unwrap(), Side::Client, IO), [pdu]);
    }
}

#[test]
fn a_redirection_is_told_to_the_driver_only() {
    let mut r = active(Policy::default());
    // LB_TARGET_NET_ADDRESS (MS-RDPBCGR 2.2.13.1): SEC_REDIRECTION_PKT, length, session, flags, address
    let address: Vec<u8> = "10.0.0.9\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut packet = Vec::new();
    packet.put16(0x0400);
    packet.put16(u16::try_from(16 + address.len()).unwrap());
    packet.put32(5);
    packet.put32(1);
    packet.put32(u32::try_from(address.len()).unwrap());
    packet.extend_from_slice(&address);
    let pdu = share::control(share::SERVER_REDIRECTION, SERVER_USER, &[&[0, 0][..], &packet].concat());
    let did = say(&mut r, Side::Target, IO, &pdu).unwrap();
    let [Action::Saw(Seen::Redirect(to))] = &did[..] else { panic!("{did:?}") };
    assert_eq!(to.session_id, 5);
}

#[test]
fn an_end_says_why_and_is_the_end() {
    for (reason, code) in [(EndReason::Terminated, 1), (EndReason::Idle, 3), (EndReason::GrantEnded, 4), (EndReason::Refused, 7)] {
        let mut r = active(Policy::default());
        r.end(reason, "Your grant is over.", NOW);
        let did = all(&mut r);
        let [.., Action::ToClient(last), Action::ToTarget(_)] = &did[..] else { panic!("{did:?}") };
        assert_eq!(*last, mcs::disconnect());
        let info = got(&did, Side::Client, IO).pop().unwrap();
        assert_eq!(info, share::data_pdu(SHARE, SERVER_USER, kind::SET_ERROR_INFO, &u32::to_le_bytes(code)));
        let band = did.iter().position(|a| matches!(a, Action::ToClient(f) if f[0] == 0)).unwrap();
        assert!(band < did.len() - 3, "the words come first");
        assert!(feed(&mut r, Side::Client, wire(Side::Client, IO, b"late"), NOW).unwrap().is_empty());
    }
}

#[test]
fn what_each_side_says_of_the_end_is_seen() {
    let mut r = active(Policy::default());
    let did = say(&mut r, Side::Target, IO, &data(Side::Target, kind::SET_ERROR_INFO, &[12, 0, 0, 0])).unwrap();
    assert_eq!(seen(&did), [Seen::ErrorInfo(12)]);
    assert_eq!(seen(&feed(&mut r, Side::Target, mcs::disconnect(), NOW).unwrap()), [Seen::TargetLeft]);
    assert_eq!(seen(&feed(&mut r, Side::Client, mcs::disconnect(), NOW).unwrap()), [Seen::ClientLeft]);
}

#[test]
fn ids_may_differ_on_both_sides() {
    let mut c = config(everything());
    c.io = Ids { client: 1003, target: 1103 };
    c.user = Some(Ids { client: 1007, target: 1107 });
    c.channels[0].target = Some(1104);
    let mut r = Relay::new(c);
    say(&mut r, Side::Target, 1103, &demand(1280, 800)).unwrap();
    let did = say(&mut r, Side::Client, IO, &confirm(16, true)).unwrap();
    let [Action::ToTarget(f)] = &did[..] else { panic!("{did:?}") };
    let Frame::Mcs(pdu) = frame::open(f).unwrap() else { panic!("fast-path") };
    assert!(matches!(mcs::decode(pdu, Side::Client).unwrap(), Mcs::Send { user: 1107, channel: 1103, .. }));
    let ready = svc::chunks(&[1, 0, 0, 0, 0, 0, 0, 0]).next().unwrap();
    assert_eq!(got(&say(&mut r, Side::Target, 1104, &ready).unwrap(), Side::Client, CLIP).len(), 1);
}

#[test]
fn what_is_unknown_ends_the_session() {
    let unknown = |from: Side, channel: u16, bytes: &[u8], what: &str| {
        let mut r = active(everything());
        let err = say(&mut r, from, channel, bytes).unwrap_err();
        assert_eq!((err.side, err.what), (from, what));
    };
    unknown(Side::Client, IO, &data(Side::Client, 0x77, &[]), "unknown share data");
    unknown(Side::Target, IO, &data(Side::Target, 0x77, &[]), "unknown share data");
    unknown(Side::Target, IO, &data(Side::Target, kind::UPDATE, &[0, 0, 0, 0, 1, 0]), "drawing orders");
    unknown(Side::Client, 1500, b"12345678", "unknown channel");
    unknown(Side::Target, FAKE, b"12345678", "unknown channel");
    unknown(Side::Client, IO, &demand(1, 1), "share control PDU out of turn");
    unknown(Side::Target, CLIP, &[0, 0], "channel chunk");
    unknown(Side::Target, DYNAMIC, &svc::chunks(&[0xf0]).next().unwrap(), "unknown dynamic channel PDU");
    let mut r = active(Policy::default());
    let orders = frame::fast_path(0, &[0, 2, 0, 1, 0]).unwrap();
    assert_eq!(feed(&mut r, Side::Target, orders.into(), NOW).unwrap_err().what, "drawing orders");
    let text = r.from_client(Bytes::from_static(&[3, 0, 0, 8, 2, 0xf0, 0x80, 0xff]), NOW).unwrap_err().to_string();
    assert_eq!(text, "client sent what this gateway does not let pass: unknown MCS PDU");
}
