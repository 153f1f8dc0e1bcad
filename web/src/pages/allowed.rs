//! Capabilities as people read them, and what is wide about some of them.
use anteroom_domain::capability::{Capabilities, Capability, FileRule, Redirect};

/// One capability for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// Goes on after "may": "open an interactive shell".
    pub(crate) words: String,
    /// What somebody who allows it should know.
    pub(crate) wide: Option<&'static str>,
}

pub(crate) fn allowed(capabilities: &Capabilities) -> Vec<Allowed> {
    capabilities.0.iter().map(|c| Allowed { words: words(c), wide: wide(c) }).collect()
}

/// The same on one line, for lists.
pub(crate) fn briefly(capabilities: &Capabilities) -> String {
    capabilities.0.iter().map(words).collect::<Vec<_>>().join(", ")
}

/// Whether any of them deserves a second look.
pub(crate) fn any_wide(capabilities: &Capabilities) -> bool {
    capabilities.0.iter().any(|c| wide(c).is_some())
}

fn words(c: &Capability) -> String {
    match c {
        Capability::Shell => "open an interactive shell".into(),
        Capability::Exec(None) => "run any single command".into(),
        Capability::Exec(Some(p)) if p.to_string().contains('*') => {
            format!("run the command “{p}”, where * is one plain word or the rest of one")
        }
        Capability::Exec(Some(p)) => format!("run the command “{p}”"),
        Capability::Download(r) => files("download", r),
        Capability::Upload(r) => files("upload", r),
        Capability::LocalForward(d) if d.to_string() == "*" => "forward to any host and port".into(),
        Capability::LocalForward(d) => format!("forward to {d}"),
        Capability::RemoteForward(d) => format!("let {d} on the target lead back to their own machine"),
        Capability::LocalSocket(p) if p.is_any() => "forward to any socket on the target".into(),
        Capability::LocalSocket(p) => format!("forward to the socket {p} on the target"),
        Capability::RemoteSocket(p) if p.is_any() => "let any socket on the target lead back to their own machine".into(),
        Capability::RemoteSocket(p) => format!("let the socket {p} on the target lead back to their own machine"),
        Capability::AgentForwarding => "use their SSH agent on the target".into(),
        Capability::X11Forwarding => "show graphical windows of the target (X11)".into(),
        Capability::Subsystem(n) => format!("use the subsystem {}", n.as_str()),
        Capability::Unmask => "see patient data where it would be masked for them".into(),
        Capability::Desktop => "use the desktop".into(),
        Capability::ClipboardToTarget(r) => format!("paste text into the desktop, at most {} at once", size(r.most())),
        Capability::ClipboardFromTarget(r) => format!("copy text out of the desktop, at most {} at once", size(r.most())),
        Capability::Redirect(kind) => match kind {
            Redirect::Drives => "use their own drives on the desktop",
            Redirect::Printers => "use their own printers on the desktop",
            Redirect::SmartCards => "use their own smart cards on the desktop",
            Redirect::Ports => "use their own serial and parallel ports on the desktop",
            Redirect::Usb => "use their own USB devices on the desktop",
            Redirect::AudioOut => "hear what the desktop plays",
            Redirect::AudioIn => "speak into the desktop (microphone)",
        }
        .into(),
        Capability::DynamicChannel(n) => format!("open the dynamic channel {}", n.as_str()),
    }
}

fn files(verb: &str, r: &FileRule) -> String {
    let mut text = if r.path.is_any() { format!("{verb} any file") } else { format!("{verb} files: {}", r.path) };
    if let Some(max) = r.max_bytes {
        text.push_str(&format!(", each at most {}", size(max)));
    }
    if r.keep {
        text.push_str(", content kept");
    }
    text
}

/// As the form takes it: binary units, and bytes where none fits.
fn size(n: u64) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.into_iter().find(|(_, k)| n > 0 && n.is_multiple_of(*k)) {
        Some((unit, k)) => format!("{} {unit}", n / k),
        None => format!("{n} bytes"),
    }
}

fn wide(c: &Capability) -> Option<&'static str> {
    match c {
        Capability::Download(r) if r.path.is_any() => Some("Any file the account can read may leave the target, patient data too."),
        Capability::Upload(r) if r.path.is_any() => Some("Any file the account can write may be replaced."),
        Capability::LocalForward(d) if d.to_string().starts_with('*') => {
            Some("Leads to whatever the target can reach in its network, not only to the target.")
        }
        Capability::RemoteForward(d) if d.to_string().starts_with('*') => {
            Some("Others in the target's network can reach the person's own machine through it.")
        }
        Capability::LocalSocket(p) | Capability::RemoteSocket(p) if p.is_any() => {
            Some("Any socket: databases and container engines listen on some.")
        }
        Capability::AgentForwarding => Some("Whoever is root on the target can use the person's keys as long as it lasts."),
        Capability::ClipboardFromTarget(_) => Some("Text may leave the target, patient data too."),
        Capability::Redirect(Redirect::Drives) => {
            Some("Files may go both ways between the target and the person's machine; the recording does not hold them.")
        }
        Capability::Redirect(Redirect::Usb) => Some("The target gets whole devices, and nobody sees what passes."),
        Capability::DynamicChannel(_) => Some("Nobody here knows what such a channel carries."),
        Capability::Unmask => {
            Some("Names, numbers and dates of patients are shown as they are; without it they are masked in the terminal.")
        }
        Capability::X11Forwarding => Some("The target can see and type into the person's other windows."),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn said(text: &str) -> Allowed {
        allowed(&Capabilities::parse([text]).unwrap()).remove(0)
    }

    #[test]
    fn each_capability_is_said_in_plain_words() {
        for (text, words) in [
            ("shell", "open an interactive shell"),
            ("exec:systemctl restart *", "run the command “systemctl restart *”, where * is one plain word or the rest of one"),
            ("download:/var/log/**;max=10MiB", "download files: /var/log/**, each at most 10 MiB"),
            ("upload:**;max=1500;keep", "upload any file, each at most 1500 bytes, content kept"),
            ("local-forward:[2001:db8::1]:443", "forward to [2001:db8::1]:443"),
            ("local-forward:*", "forward to any host and port"),
            ("subsystem:netconf", "use the subsystem netconf"),
            ("desktop", "use the desktop"),
            ("clipboard-from-target:max=64KiB", "copy text out of the desktop, at most 64 KiB at once"),
            ("smart-cards", "use their own smart cards on the desktop"),
        ] {
            assert_eq!(said(text).words, words);
        }
    }

    #[test]
    fn what_is_wide_is_warned_of_and_what_is_narrow_is_not() {
        for text in [
            "download",
            "upload:**;max=1KiB",
            "local-forward:*:443",
            "local-forward:*.lan:22",
            "remote-forward:*:80",
            "local-socket:**",
            "agent-forwarding",
            "clipboard-from-target",
            "drives",
            "dynamic-channel:X",
        ] {
            assert!(said(text).wide.is_some(), "{text}");
        }
        for text in [
            "desktop",
            "clipboard-to-target",
            "audio-out",
            "shell",
            "exec",
            "download:/var/log/**",
            "local-forward:db:5432",
            "remote-forward:localhost:80",
            "local-socket:/run/x",
        ] {
            assert!(said(text).wide.is_none(), "{text}");
        }
    }
}
