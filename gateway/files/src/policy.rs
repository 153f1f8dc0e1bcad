//! Which of the grant's rules speaks for a path.
use anteroom_domain::{Capabilities, Capability, capability::Direction};

/// What a rule says about a file it allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) max: Option<u64>,
    pub(crate) keep: bool,
}

#[derive(Debug)]
pub(crate) struct Policy {
    granted: Capabilities,
    /// Every path on the way to a possible match, and the matches, per direction.
    download_reach: Capabilities,
    upload_reach: Capabilities,
    download_by_path: bool,
    upload_by_path: bool,
    upload_any: bool,
    any: bool,
}

impl Policy {
    pub(crate) fn new(granted: &Capabilities) -> Self {
        let rules = |way| granted.file_rules(way);
        let upload_any = rules(Direction::Upload).any(|r| r.path.is_any());
        Self {
            download_reach: reach(granted, Direction::Download),
            upload_reach: reach(granted, Direction::Upload),
            download_by_path: rules(Direction::Download).any(|r| !r.path.is_any()),
            upload_by_path: rules(Direction::Upload).any(|r| !r.path.is_any()),
            upload_any,
            any: upload_any || rules(Direction::Download).any(|r| r.path.is_any()),
            granted: granted.clone(),
        }
    }

    /// Default deny: `None` is no.
    pub(crate) fn terms(&self, way: Direction, path: &[u8]) -> Option<Terms> {
        self.granted.file(way, path).map(|r| Terms { max: r.max_bytes, keep: r.keep })
    }

    /// Whether a path has to be resolved before a rule can speak for it.
    pub(crate) fn by_path(&self, way: Direction) -> bool {
        match way {
            Direction::Download => self.download_by_path,
            Direction::Upload => self.upload_by_path,
        }
    }

    pub(crate) fn allows(&self, way: Direction) -> bool {
        self.granted.files(way)
    }

    /// A rule for uploads is `**`: links and copies inside of the target may be made.
    pub(crate) fn upload_anywhere(&self) -> bool {
        self.upload_any
    }

    /// A rule is `**`: everything may be listed.
    pub(crate) fn list_anywhere(&self) -> bool {
        self.any
    }

    /// A directory that may lead to something a rule names, or that itself.
    pub(crate) fn may_list(&self, path: &[u8]) -> bool {
        self.any || self.leads(Direction::Download, path) || self.leads(Direction::Upload, path)
    }

    pub(crate) fn leads(&self, way: Direction, path: &[u8]) -> bool {
        let reach = match way {
            Direction::Download => &self.download_reach,
            Direction::Upload => &self.upload_reach,
        };
        reach.file(Direction::Download, path).is_some()
    }
}

/// The prefixes of each rule's pattern that end at a '/' or at its first `**`, as rules of their own.
fn reach(granted: &Capabilities, way: Direction) -> Capabilities {
    let mut all = Capabilities::default();
    for rule in granted.file_rules(way) {
        let pattern = rule.path.to_string();
        let slashes = pattern.match_indices('/').map(|(at, _)| at.max(1));
        let double = pattern.find("**").map(|at| at + 2);
        let ends = slashes.take_while(|at| double.is_none_or(|d| *at < d)).chain([double.unwrap_or(pattern.len()), pattern.len()]);
        for prefix in ends.map(|end| &pattern[..end]) {
            // A text that a capability would trim is another path; without it less can be listed.
            if prefix.trim() == prefix
                && let Ok(c @ Capability::Download(_)) = format!("download:{prefix}").parse()
            {
                all.0.insert(c);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(texts: &[&str]) -> Policy {
        Policy::new(&Capabilities::parse(texts).unwrap())
    }

    #[test]
    fn what_leads_to_a_match_may_be_listed_and_nothing_beside_it() {
        let p = policy(&["download:/var/log/**", "upload:/srv/*/in/*.hl7"]);
        for yes in ["/", "/var", "/var/log", "/var/log/a/b", "/srv", "/srv/x", "/srv/x/in", "/srv/x/in/a.hl7"] {
            assert!(p.may_list(yes.as_bytes()), "{yes}");
        }
        for no in ["/etc", "/var/lib", "/var/logs", "/srv/x/out", "/srv/x/in/a.txt", "/srv/x/in/a.hl7/b", "var", ".", "/var/../etc", ""] {
            assert!(!p.may_list(no.as_bytes()), "{no}");
        }
        assert!(p.leads(Direction::Download, b"/var") && !p.leads(Direction::Upload, b"/var"));
    }

    #[test]
    fn a_pattern_with_stars_inside_of_a_name_reaches_no_further() {
        let p = policy(&["download:/a/x**y/b"]);
        assert!(p.may_list(b"/a") && p.may_list(b"/a/x1/2") && !p.may_list(b"/a/z") && !p.may_list(b"/b"));
    }

    #[test]
    fn everything_may_be_listed_when_a_rule_is_any() {
        let p = policy(&["upload", "download:/a/*"]);
        assert!(p.may_list(b"relative/../x") && p.upload_anywhere() && p.by_path(Direction::Download) && !p.by_path(Direction::Upload));
        assert!(!policy(&["shell", "exec"]).may_list(b"/"));
    }
}
