//! What a grant's capabilities mean to the relay.
use anteroom_domain::{
    Capabilities,
    capability::{Capability, Direction, Redirect},
};
use anteroom_rdp::{Policy, TextRule, client_info::Audio};

pub(super) fn of(c: &Capabilities) -> Policy {
    let text = |way| c.clipboard(way).map(|max| TextRule { max_bytes: Some(max) });
    let named = |c: &Capability| match c {
        Capability::DynamicChannel(n) => Some(n.as_str().to_owned()),
        _ => None,
    };
    Policy {
        clipboard_to_target: text(Direction::Upload),
        clipboard_from_target: text(Direction::Download),
        drives: c.redirects(Redirect::Drives),
        printers: c.redirects(Redirect::Printers),
        smart_cards: c.redirects(Redirect::SmartCards),
        ports: c.redirects(Redirect::Ports),
        usb: c.redirects(Redirect::Usb),
        audio_out: c.redirects(Redirect::AudioOut),
        audio_in: c.redirects(Redirect::AudioIn),
        dynamic_channels: c.0.iter().filter_map(named).filter(|n| c.dynamic_channel(n)).collect(),
        hide_account: true,
    }
}

pub(super) fn audio(p: &Policy) -> Audio {
    Audio { out: p.audio_out, capture: p.audio_in }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_grant_does_not_name_is_not_there() {
        let of = |names: &[&str]| super::of(&Capabilities::parse(names).unwrap());
        let bare = Policy { hide_account: true, ..Policy::default() };
        assert_eq!(of(&["desktop"]), bare);
        // Without a desktop nothing else counts.
        assert_eq!(of(&["drives", "clipboard-to-target", "dynamic-channel:X"]), bare);
        let some = of(&["desktop", "drives", "audio-in", "clipboard-from-target:max=64KiB", "dynamic-channel:X"]);
        let text = Some(TextRule { max_bytes: Some(65_536) });
        assert_eq!(some, Policy { drives: true, audio_in: true, clipboard_from_target: text, dynamic_channels: vec!["X".into()], ..bare });
    }
}
