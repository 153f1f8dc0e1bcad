//! What a client is told: the `.rdp` file of mstsc and the options of xfreerdp, for what a grant allows. The gateway holds every client
//! to the grant whatever it was told; this only keeps clients from asking for what they will not get.
use crate::state::RdpAddress;
use anteroom_domain::capability::{Capabilities, Direction, Redirect};
use std::fmt::Write as _;

/// The file, as "Supported RDP properties" of Microsoft's documentation names them. It holds no secret: its reader asks for one, and is told
/// not to keep it. Plain ASCII with CR LF: every reader takes that, also those that expect UTF-16.
pub(super) fn rdp(at: &RdpAddress, user: &str, may: &Capabilities) -> String {
    let clipboard = [Direction::Download, Direction::Upload].into_iter().any(|w| may.clipboard(w).is_some());
    let all = |kind| if may.redirects(kind) { "*" } else { "" };
    let mut file = String::new();
    let mut text = |key: &str, value: &str| _ = write!(file, "{key}:s:{value}\r\n");
    text("full address", &at.place());
    text("username", user);
    text("drivestoredirect", all(Redirect::Drives));
    text("usbdevicestoredirect", all(Redirect::Usb));
    text("devicestoredirect", "");
    text("camerastoredirect", "");
    text("gatewayhostname", "");
    text("alternate shell", "");
    let mut number = |key: &str, value: u8| _ = write!(file, "{key}:i:{value}\r\n");
    // Network Level Authentication, and a warning where the certificate is not known.
    number("enablecredsspsupport", 1);
    number("negotiate security layer", 1);
    number("authentication level", 2);
    number("prompt for credentials", 1);
    number("promptcredentialonce", 0);
    // Nothing of this connection is kept on the machine.
    number("public mode", 1);
    number("bitmapcachepersistenable", 0);
    number("disableconnectionsharing", 1);
    number("gatewayusagemethod", 0);
    number("enablerdsaadauth", 0);
    number("use redirection server name", 0);
    // The ticket opens its session again for two minutes.
    number("autoreconnection enabled", 1);
    number("redirectclipboard", clipboard.into());
    number("redirectprinters", may.redirects(Redirect::Printers).into());
    number("redirectsmartcards", may.redirects(Redirect::SmartCards).into());
    number("redirectcomports", may.redirects(Redirect::Ports).into());
    number("redirectposdevices", 0);
    number("redirectwebauthn", 0);
    number("redirectlocation", 0);
    // 0 plays here, 2 plays nowhere.
    number("audiomode", if may.redirects(Redirect::AudioOut) { 0 } else { 2 });
    number("audiocapturemode", may.redirects(Redirect::AudioIn).into());
    number("videoplaybackmode", 0);
    number("screen mode id", 1);
    number("session bpp", 32);
    number("dynamic resolution", 1);
    number("compression", 0);
    number("networkautodetect", 0);
    number("bandwidthautodetect", 0);
    number("connection type", 6);
    file
}

/// The same for xfreerdp: each with a blank before it.
pub(super) fn options(may: &Capabilities) -> String {
    let clipboard = [Direction::Download, Direction::Upload].into_iter().any(|w| may.clipboard(w).is_some());
    let mut options = String::from(if clipboard { " +clipboard" } else { " -clipboard" });
    for (kind, option) in [
        (Redirect::Drives, " /drive:shared,$HOME/shared"),
        (Redirect::Printers, " /printer"),
        (Redirect::SmartCards, " /smartcard"),
        (Redirect::AudioOut, " /sound"),
        (Redirect::AudioIn, " /microphone"),
    ] {
        if may.redirects(kind) {
            options.push_str(option);
        }
    }
    options
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(host: &str) -> RdpAddress {
        RdpAddress { host: host.into(), port: 3390, certificate: None }
    }
    fn may(what: &[&str]) -> Capabilities {
        Capabilities::parse(what).unwrap()
    }

    #[test]
    fn a_file_is_lines_of_key_kind_and_value_that_every_reader_takes() {
        let f = rdp(&at("bastion.example"), "t-abcdefgh23", &may(&["desktop"]));
        assert!(f.is_ascii() && f.ends_with("\r\n"));
        let mut keys = std::collections::HashSet::new();
        for line in f.strip_suffix("\r\n").unwrap().split("\r\n") {
            let (key, rest) = line.split_once(':').unwrap();
            let (kind, value) = rest.split_once(':').unwrap();
            assert!(!line.contains(['\r', '\n']) && keys.insert(key), "{line}");
            assert!(kind == "s" || (kind == "i" && value.parse::<u8>().is_ok()), "{line}");
        }
        assert!(f.contains("full address:s:bastion.example:3390\r\n") && f.contains("username:s:t-abcdefgh23\r\n"));
        assert!(rdp(&at("2001:db8::7"), "t-abcdefgh23", &may(&["desktop"])).contains("full address:s:[2001:db8::7]:3390\r\n"));
    }

    #[test]
    fn it_asks_for_the_secret_and_keeps_none() {
        let f = rdp(&at("b"), "t-abcdefgh23", &may(&["desktop"]));
        for line in ["prompt for credentials:i:1", "enablecredsspsupport:i:1", "public mode:i:1", "autoreconnection enabled:i:1"] {
            assert!(f.contains(&format!("{line}\r\n")), "{line}");
        }
        assert!(!f.contains("password"));
    }

    #[test]
    fn what_is_not_granted_is_off() {
        let f = rdp(&at("b"), "t-abcdefgh23", &may(&["desktop"]));
        for line in [
            "redirectclipboard:i:0",
            "drivestoredirect:s:",
            "redirectprinters:i:0",
            "redirectsmartcards:i:0",
            "redirectcomports:i:0",
            "usbdevicestoredirect:s:",
            "audiomode:i:2",
            "audiocapturemode:i:0",
        ] {
            assert!(f.contains(&format!("{line}\r\n")), "{line}");
        }
        assert_eq!(options(&may(&["desktop"])), " -clipboard");
        let f = rdp(&at("b"), "t-abcdefgh23", &may(&["desktop", "clipboard-from-target", "drives", "audio-out", "smart-cards"]));
        for line in ["redirectclipboard:i:1", "drivestoredirect:s:*", "audiomode:i:0", "redirectsmartcards:i:1", "redirectprinters:i:0"] {
            assert!(f.contains(&format!("{line}\r\n")), "{line}");
        }
        assert_eq!(options(&may(&["desktop", "clipboard-to-target", "audio-in"])), " +clipboard /microphone");
    }
}
