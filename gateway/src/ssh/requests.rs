//! Channel requests: what may pass and what never does (THREATS 3 and 12).
use anteroom_domain::{Capabilities, Capability};

/// Environment variables that may be passed on; everything else could change what programs on the target load.
pub(super) fn env_allowed(name: &str, value: &str) -> bool {
    let known = matches!(name, "LANG" | "LANGUAGE" | "TZ" | "COLORTERM" | "NO_COLOR")
        || name.strip_prefix("LC_").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_uppercase()));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.@-+:/,=".contains(&b);
    known && value.len() <= 128 && value.bytes().all(plain)
}

/// Why a shell or a command is refused, if it is.
pub(super) fn refusal(wanted: Capability, granted: &Capabilities) -> Option<String> {
    (!granted.allows(wanted)).then(|| format!("your grant does not allow {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_language_and_time_zone_pass_as_environment() {
        assert!(env_allowed("LANG", "en_US.UTF-8") && env_allowed("LC_TIME", "C") && env_allowed("TZ", "Europe/Zurich"));
        for (n, v) in [
            ("LD_PRELOAD", "/tmp/x.so"),
            ("PATH", "/tmp"),
            ("BASH_ENV", "/tmp/x"),
            ("LC_", "C"),
            ("LC_A=B", "C"),
            ("LANG", "() { :;}; id"),
            ("LANG", "a\nb"),
        ] {
            assert!(!env_allowed(n, v), "{n}={v}");
        }
    }

    #[test]
    fn nothing_is_allowed_that_was_not_granted() {
        let none = Capabilities::default();
        assert!(refusal(Capability::Exec, &none).is_some());
        assert!(refusal(Capability::Exec, &Capabilities::interactive()).is_none());
    }
}
