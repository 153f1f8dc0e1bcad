//! Which capabilities the form asks for: boxes for what people often need, a text for everything else.
use super::wish::{Wrong, wrong};
use anteroom_domain::capability::{Capabilities, Capability, CapabilityError};
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
    /// One capability a line.
    pub(crate) more: String,
}

impl Choice {
    /// What the empty form has ticked.
    pub(crate) fn usual(mut self) -> Self {
        if self.chosen.is_empty() {
            (self.shell, self.exec, self.chosen) = ("on".into(), "on".into(), "yes".into());
        }
        self
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
        assert_eq!(names(&Choice::default().usual()), ["shell", "exec"]);
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
