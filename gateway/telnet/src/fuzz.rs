//! What a fuzzer calls: any bytes, cut anywhere, between any calls.
use crate::{Received, Telnet, Terminal, login::Login};
use zeroize::Zeroizing;

/// The first byte of each round says what is done with the bytes that follow it, the second how many they are.
///
/// # Panics
/// If a promise of this crate is broken.
pub fn fuzz(mut data: &[u8]) {
    let mut telnet = Telnet::new(Terminal { term: "xterm".to_owned(), cols: 80, rows: 24 });
    let Ok(mut login) = Login::new("service", Zeroizing::new("secret".to_owned())) else { return };
    let mut replied = telnet.start().len();
    let mut answers = 0;
    let mut out = Received::default();
    while let [what, length, rest @ ..] = data {
        let (bytes, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        data = rest;
        match what % 6 {
            0 => assert!(telnet.send(bytes).len() <= 2 * bytes.len(), "what is typed at most doubles"),
            1 => {
                let _ = telnet.resize(u16::from(*length), u16::from(*what) << 8);
            }
            2 => answers += usize::from(matches!(login.quiet(), crate::login::Step::Answer(_))),
            3 => {
                let _ = telnet.local_echo(bytes);
            }
            _ => {
                out.clear();
                telnet.receive(bytes, &mut out);
                assert!(out.output.len() <= bytes.len(), "output is never more than input");
                replied += out.reply.len();
                login.receive(&out.output);
            }
        }
    }
    assert!(replied <= MOST_REPLIED, "negotiation is answered a bounded number of times");
    assert!(answers <= 2, "each prompt is answered once");
}

/// 512 options, 32 answers of three bytes, and sizes and names by their own bounds.
const MOST_REPLIED: usize = 9 + 512 * 32 * 3 + 17 * 13 + 16 * 46;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_keep_every_promise(data in prop::collection::vec(prop_oneof![3 => any::<u8>(), 1 => 240..=255u8, 1 => 0..=5u8], 0..2000)) {
            super::fuzz(&data);
        }
    }
}
