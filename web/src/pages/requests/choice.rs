//! Which capabilities the form asks for: boxes for what people often need, a text for everything else.
use super::wish::{Wrong, wrong};
use anteroom_domain::{
    Protocol,
    capability::{Capabilities, Capability, CapabilityError, Redirect},
};
use serde::Deserialize;

/// The boxes and fields as they came. Each box is a field of its own: the form decoder reads no repeated names.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Choice {
    /// Set by the form itself. Without it nobody chose, and the usual holds.
    pub(crate) chosen: String,
    pub(crate) shell: String,
    pub(crate) exec: String,
    pub(crate) download: String,
    pub(crate) download_path: String,
    /// MiB.
    pub(crate) download_max: String,
    pub(crate) upload: String,
    pub(crate) upload_path: String,
    pub(crate) upload_max: String,
    pub(crate) forward: String,
    pub(crate) forward_to: String,
    pub(crate) agent: String,
    pub(crate) x11: String,
    /// `rdp` for a desktop: then only what follows counts, and the others are for terminals and files.
    pub(crate) way: String,
    pub(crate) paste: String,
    /// KiB.
    pub(crate) paste_max: String,
    pub(crate) copy: String,
    pub(crate) copy_max: String,
    pub(crate) drives: String,
    pub(crate) printers: String,
    pub(crate) smart_cards: String,
    pub(crate) ports: String,
    pub(crate) usb: String,
    pub(crate) audio_out: String,
    pub(crate) audio_in: String,
    /// One capability a line.
    pub(crate) more: String,
}

impl Choice {
    /// What the empty form has ticked, for a target that speaks `protocol`.
    pub(crate) fn usual(mut self, protocol: Option<Protocol>) -> Self {
        if self.chosen.is_empty() {
            (self.shell, self.exec, self.chosen) = ("on".into(), "on".into(), "yes".into());
            if protocol == Some(Protocol::Rdp) {
                self.way = "rdp".into();
            }
        }
        self
    }

    pub(crate) fn is_desktop(&self) -> bool {
        self.way == "rdp"
    }

    pub(crate) fn read(&self, bad: &mut Vec<Wrong>) -> Option<Capabilities> {
        if self.chosen.is_empty() {
            return Some(Capabilities::interactive());
        }
        let before = bad.len();
        let mut all = Capabilities::default();
        let mut take = |field: &'static str, text: &str| match text.parse::<Capability>() {
            Ok(c) => _ = all.0.insert(c),
            Err(e) => bad.push(wrong(field, said(&e))),
        };
        if self.is_desktop() {
            self.desktop(&mut take)
        } else {
            self.terminal(&mut take)
        }
        for line in self.more.lines().map(str::trim).filter(|l| !l.is_empty()) {
            take("more", line);
        }
        if all.0.is_empty() && bad.len() == before {
            bad.push(wrong("shell", "choose at least one thing you want to do"));
        }
        if all.0.len() > anteroom_domain::capability::MAX_CAPABILITIES {
            bad.push(wrong("more", CapabilityError::TooMany.to_string()));
        }
        (bad.len() == before).then_some(all)
    }

    fn terminal(&self, take: &mut impl FnMut(&'static str, &str)) {
        for (ticked, field, text) in [
            (&self.shell, "shell", "shell"),
            (&self.exec, "exec", "exec"),
            (&self.agent, "agent", "agent-forwarding"),
            (&self.x11, "x11", "x11-forwarding"),
        ] {
            if !ticked.is_empty() {
                take(field, text);
            }
        }
        if !self.download.is_empty() {
            take("download_path", &files("download", &self.download_path, &self.download_max));
        }
        if !self.upload.is_empty() {
            take("upload_path", &files("upload", &self.upload_path, &self.upload_max));
        }
        if !self.forward.is_empty() {
            let places: Vec<_> = self.forward_to.split([' ', ',']).filter(|p| !p.is_empty()).collect();
            // Nothing filled in is said like something that cannot be read.
            for place in if places.is_empty() { vec![""] } else { places } {
                take("forward_to", &format!("local-forward:{place}"));
            }
        }
    }

    fn desktop(&self, take: &mut impl FnMut(&'static str, &str)) {
        take("way", "desktop");
        for (ticked, field, name, max) in [
            (&self.paste, "paste_max", "clipboard-to-target", &self.paste_max),
            (&self.copy, "copy_max", "clipboard-from-target", &self.copy_max),
        ] {
            if !ticked.is_empty() {
                let max = max.trim();
                take(field, &if max.is_empty() { name.to_owned() } else { format!("{name}:max={max}KiB") });
            }
        }
        for (ticked, kind) in [
            (&self.drives, Redirect::Drives),
            (&self.printers, Redirect::Printers),
            (&self.smart_cards, Redirect::SmartCards),
            (&self.ports, Redirect::Ports),
            (&self.usb, Redirect::Usb),
            (&self.audio_out, Redirect::AudioOut),
            (&self.audio_in, Redirect::AudioIn),
        ] {
            if !ticked.is_empty() {
                take("way", kind.as_str());
            }
        }
    }
}

/// `download`, or with a pattern and a largest size in MiB.
fn files(name: &str, path: &str, max: &str) -> String {
    let (path, max) = (path.trim(), max.trim());
    let path = if path.is_empty() { "**" } else { path };
    if max.is_empty() { format!("{name}:{path}") } else { format!("{name}:{path};max={max}MiB") }
}

/// The boxes have their own words for what the text form calls by name.
fn said(e: &CapabilityError) -> String {
    match e {
        CapabilityError::Clipboard(_) => "the most text at once is a whole number of KiB, from 1 to 1024".into(),
        CapabilityError::Option(what @ ("download" | "upload")) => format!("{what}: the largest size is a whole number of MiB"),
        e => e.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(c: &Choice) -> Vec<String> {
        c.read(&mut Vec::new()).unwrap().names()
    }
    fn chosen() -> Choice {
        Choice { chosen: "yes".into(), ..Default::default() }
    }

    #[test]
    fn who_did_not_choose_gets_a_shell_and_commands() {
        assert_eq!(names(&Choice::default()), ["shell", "exec"]);
        assert_eq!(names(&Choice::default().usual(None)), ["shell", "exec"]);
    }

    #[test]
    fn boxes_and_lines_become_capabilities() {
        let c = Choice {
            download: "on".into(),
            download_path: " /var/log/** ".into(),
            download_max: "10".into(),
            upload: "on".into(),
            forward: "on".into(),
            forward_to: "db:5432, db2:5432".into(),
            agent: "on".into(),
            more: "exec:uptime\r\n\r\n  subsystem:netconf ".into(),
            ..chosen()
        };
        assert_eq!(
            names(&c),
            [
                "exec:uptime",
                "download:/var/log/**;max=10MiB",
                "upload",
                "local-forward:db:5432",
                "local-forward:db2:5432",
                "agent-forwarding",
                "subsystem:netconf"
            ]
        );
    }

    #[test]
    fn a_desktop_is_asked_for_with_what_goes_along_and_without_shells() {
        assert_eq!(names(&Choice::default().usual(Some(Protocol::Rdp))), ["desktop"]);
        let c = Choice {
            way: "rdp".into(),
            shell: "on".into(),
            paste: "on".into(),
            paste_max: " 64 ".into(),
            copy: "on".into(),
            smart_cards: "on".into(),
            more: "dynamic-channel:X".into(),
            ..chosen()
        };
        assert_eq!(names(&c), ["desktop", "clipboard-to-target:max=64KiB", "clipboard-from-target", "smart-cards", "dynamic-channel:X"]);
        let mut bad = Vec::new();
        assert!(Choice { paste_max: "9999".into(), ..c }.read(&mut bad).is_none());
        assert_eq!((bad.len(), bad[0].field), (1, "paste_max"));
    }

    #[test]
    fn what_is_filled_in_beside_an_empty_box_asks_for_nothing() {
        let c = Choice { shell: "on".into(), download_path: "/etc/*".into(), forward_to: "db:1".into(), ..chosen() };
        assert_eq!(names(&c), ["shell"]);
    }

    #[test]
    fn each_part_that_cannot_be_understood_is_named() {
        let fields = |c: Choice| {
            let mut bad = Vec::new();
            assert!(c.read(&mut bad).is_none());
            bad.into_iter().map(|w| w.field).collect::<Vec<_>>()
        };
        assert_eq!(fields(chosen()), ["shell"]);
        let c = Choice {
            download: "on".into(),
            download_path: "var/log".into(),
            upload: "on".into(),
            upload_max: "much".into(),
            forward: "on".into(),
            more: "shell\nfly".into(),
            ..chosen()
        };
        assert_eq!(fields(c), ["download_path", "upload_path", "forward_to", "more"]);
        assert_eq!(fields(Choice { more: (0..65).map(|n| format!("exec:x{n}\n")).collect(), ..chosen() }), ["more"]);
    }
}
