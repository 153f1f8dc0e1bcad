//! A login through the protocol, as the driver does it.
use anteroom_telnet::{
    Received, Telnet, Terminal,
    login::{Answer, Login, Step},
};
use proptest::prelude::*;
use zeroize::Zeroizing;

const IAC: u8 = 255;

/// What a target sends until the next silence, cut into packets of `packet` bytes.
fn silence(telnet: &mut Telnet, login: &mut Login, bytes: &[u8], packet: usize) -> (Step, Received) {
    let mut out = Received::default();
    let mut seen = 0;
    for packet in bytes.chunks(packet) {
        telnet.receive(packet, &mut out);
        login.receive(&out.output[seen..]);
        seen = out.output.len();
    }
    (login.quiet(), out)
}

fn dialogue(banner: &[u8], packet: usize) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let mut telnet = Telnet::new(Terminal { term: "vt100".to_owned(), cols: 80, rows: 24 });
    let mut login = Login::new("operator", Zeroizing::new("pass\u{ff}word".to_owned())).expect("a credential that can be typed");
    let _ = telnet.start();
    let mut first = vec![IAC, 251, 1, IAC, 253, 31];
    first.extend(banner);
    first.extend(b"\r\n\x1b[1mLAB-5 login\x1b[0m: ");
    let (step, mut shown) = silence(&mut telnet, &mut login, &first, packet);
    let Step::Answer(account @ Answer::Account(_)) = step else { panic!("{step:?}") };
    let typed = telnet.send_secret(account.bytes()).to_vec();

    let (step, more) = silence(&mut telnet, &mut login, b"operator\r\0\r\nPassword: ", packet);
    shown.output.extend(more.output);
    let Step::Answer(password @ Answer::Password(_)) = step else { panic!("{step:?}") };
    let secret = telnet.send_secret(password.bytes()).to_vec();

    let (step, _) = silence(&mut telnet, &mut login, b"\r\n\r\nLast login: Mon\r\nLAB-5> ", packet);
    assert_eq!(step, Step::Passed);
    (typed, secret, shown.reply)
}

#[test]
fn a_whole_login_types_the_credential_and_nothing_else() {
    let (typed, secret, reply) = dialogue(b"Blood gas analyser", 1000);
    assert_eq!(typed, b"operator\r\0");
    assert_eq!(secret, "pass\u{ff}word\r\0".as_bytes());
    assert_eq!(reply, [IAC, 253, 1, IAC, 250, 31, 0, 80, 0, 24, IAC, 240]);
}

proptest! {
    #[test]
    fn every_packet_size_logs_in_alike(packet in 1usize..60, banner in "[ -~\r\n]{0,200}") {
        prop_assert_eq!(dialogue(banner.as_bytes(), packet), dialogue(banner.as_bytes(), 10_000));
    }
}
