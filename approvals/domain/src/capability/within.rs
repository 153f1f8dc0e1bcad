//! Whether a capability allows nothing that another does not: ceilings of policies.
//!
//! Every answer `true` is a proof; `false` may only mean that nothing was found, and then less is allowed than might be.
use super::{Capabilities, Capability, FileRule};

impl Capability {
    /// Whether all that this allows is allowed by `ceiling` too: `exec:ls` is within `exec`, `download:/a` within `download`.
    pub fn within(&self, ceiling: &Self) -> bool {
        match (self, ceiling) {
            (a, b) if a == b => true,
            (Self::Exec(_), Self::Exec(None)) => true,
            (Self::Exec(Some(a)), Self::Exec(Some(b))) => a.within(b),
            (Self::Download(a), Self::Download(b)) | (Self::Upload(a), Self::Upload(b)) => a.within(b),
            (Self::LocalForward(a), Self::LocalForward(b)) | (Self::RemoteForward(a), Self::RemoteForward(b)) => a.within(b),
            (Self::LocalSocket(a), Self::LocalSocket(b)) | (Self::RemoteSocket(a), Self::RemoteSocket(b)) => a.within(b),
            (Self::ClipboardToTarget(a), Self::ClipboardToTarget(b)) | (Self::ClipboardFromTarget(a), Self::ClipboardFromTarget(b)) => {
                a.most() <= b.most()
            }
            _ => false,
        }
    }
}

impl FileRule {
    fn within(&self, ceiling: &Self) -> bool {
        let size = match (self.max_bytes, ceiling.max_bytes) {
            (_, None) => true,
            (Some(a), Some(b)) => a <= b,
            (None, Some(_)) => false,
        };
        size && (self.keep || !ceiling.keep) && self.path.within(&ceiling.path)
    }
}

impl Capabilities {
    /// Those that no capability of `ceiling` covers.
    pub fn beyond<'a>(&'a self, ceiling: &Self) -> Vec<&'a Capability> {
        self.0.iter().filter(|c| !ceiling.covers(c)).collect()
    }

    fn covers(&self, c: &Capability) -> bool {
        self.0.iter().any(|mine| c.within(mine))
    }

    /// What both allow: of `exec` and `exec:ls` the latter.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        let of = |a: &Self, b: &Self| a.0.iter().filter(|c| b.covers(c)).cloned().collect::<Vec<_>>();
        Self(of(self, other).into_iter().chain(of(other, self)).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::capability::Direction;
    use proptest::prelude::*;

    fn c(s: &str) -> Capability {
        s.parse().unwrap()
    }
    fn set(s: &[&str]) -> Capabilities {
        Capabilities::parse(s).unwrap()
    }

    #[test]
    fn the_narrower_is_within_the_wider_and_not_the_other_way_round() {
        for (narrow, wide) in [
            ("exec:systemctl restart *", "exec"),
            ("exec:systemctl restart nginx", "exec:systemctl restart *"),
            ("download:/var/log/app.log", "download"),
            ("download:/var/log/app.log", "download:/var/log/*"),
            ("download:/var/log/app/*.log", "download:/var/log/**"),
            ("download:/a;max=1KiB", "download:/a;max=1MiB"),
            ("download:/a;keep", "download:/a"),
            ("upload:/srv/in/x.hl7;max=1MiB;keep", "upload:/srv/**;max=2MiB;keep"),
            ("local-forward:db.internal:5432", "local-forward:*.internal:5432"),
            ("local-forward:*.a.internal:5432", "local-forward:*.internal:*"),
            ("local-forward:db:1", "local-forward:*"),
            ("local-socket:/run/app.sock", "local-socket:/run/*"),
            ("clipboard-to-target:max=64KiB", "clipboard-to-target"),
        ] {
            assert!(c(narrow).within(&c(wide)), "{narrow} within {wide}");
            assert!(!c(wide).within(&c(narrow)), "{wide} not within {narrow}");
            assert!(c(wide).within(&c(wide)));
        }
    }

    #[test]
    fn what_looks_alike_is_not_within() {
        for (a, b) in [
            ("shell", "exec"),
            ("upload:/a", "download:/a"),
            ("download:/a", "download:/a;keep"),
            ("download:/a", "download:/a;max=1MiB"),
            ("download:/var/log/../x*", "download:/var/log/**"),
            ("download:/var/logs/x", "download:/var/log/**"),
            ("download:/var/**", "download:/var/*"),
            ("exec:ls -*", "exec:ls *"),
            ("exec:ls; reboot", "exec:ls *"),
            ("local-forward:dbinternal:1", "local-forward:*.internal:1"),
            ("local-forward:*:1", "local-forward:*.internal:1"),
            ("local-forward:db.internal:*", "local-forward:*.internal:1"),
        ] {
            let (Ok(a), Ok(b)) = (a.parse::<Capability>(), b.parse::<Capability>()) else { continue };
            assert!(!a.within(&b), "{a} is not within {b}");
        }
    }

    #[test]
    fn what_lies_beyond_is_named_and_what_both_allow_is_kept() {
        let ceiling = set(&["shell", "exec:ls *", "download:/var/log/**"]);
        let asked = set(&["shell", "exec", "download:/var/log/a", "agent-forwarding"]);
        let beyond: Vec<_> = asked.beyond(&ceiling).iter().map(ToString::to_string).collect();
        assert_eq!(beyond, ["exec", "agent-forwarding"]);
        assert_eq!(asked.meet(&ceiling), set(&["shell", "exec:ls *", "download:/var/log/a"]));
        assert_eq!(asked.meet(&Capabilities::default()), Capabilities::default(), "nothing allowed is nothing");
    }

    const TEXTS: &[&str] = &[
        "shell",
        "exec",
        "exec:ls *",
        "exec:ls /tmp",
        "exec:*",
        "download",
        "download:/a/**",
        "download:/a/*",
        "download:/a/b",
        "download:/a/b;max=4",
        "download:/a/*/c",
        "download:/a/b*",
        "upload:**;keep",
        "upload:/a/b",
        "local-forward:*:1",
        "local-forward:*.b:1",
        "local-forward:a.b:1",
        "local-forward:a.b:*",
        "local-socket:/a/*",
        "local-socket:/a/b",
    ];
    fn some() -> impl Strategy<Value = Capabilities> {
        proptest::sample::subsequence(TEXTS, 0..TEXTS.len())
            .prop_map(|t| Capabilities(t.into_iter().filter_map(|t| t.parse().ok()).collect()))
    }

    proptest! {
        /// Whatever the meeting of two sets allows, each of them allows.
        #[test]
        fn a_meeting_allows_nothing_that_either_refuses(a in some(), b in some(), command in "(ls|rm) (/tmp|-x|a)", path in "/a(/b|/c|/bb){0,2}") {
            let both = a.meet(&b);
            for one in [&a, &b] {
                prop_assert!(!both.shell() || one.shell());
                prop_assert!(!both.exec(command.as_bytes()) || one.exec(command.as_bytes()));
                for way in [Direction::Download, Direction::Upload] {
                    if let Some(r) = both.file(way, path.as_bytes()) {
                        let theirs = one.file(way, path.as_bytes());
                        prop_assert!(theirs.is_some_and(|t| r.max_bytes.unwrap_or(u64::MAX) <= t.max_bytes.unwrap_or(u64::MAX)));
                    }
                }
                prop_assert!(!both.local_forward("a.b", 1) || one.local_forward("a.b", 1));
                prop_assert!(!both.local_forward("x.b", 2) || one.local_forward("x.b", 2));
                prop_assert!(!both.local_socket(&path) || one.local_socket(&path));
                prop_assert!(both.beyond(one).is_empty());
            }
            prop_assert_eq!(a.meet(&a), a);
        }
    }
}
