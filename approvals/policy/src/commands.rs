//! Rules about commands: what is alerted, asked, held or kept from a target. Pure.
//!
//! ```toml
//! [[rule]]
//! name = "no dumps"             # what the audit log and the person read
//! does = "block"                # alert, confirm, pause or block
//! matches = 'pg_dump|mysqldump' # a regular expression, found anywhere in the command
//! targets = ["ehr-db-*"]        # optional: names, `*` for anything
//! labels = ["phi"]              # optional: targets with any of these labels
//! ```
use anteroom_domain::Target;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;

/// Rules of one file, and bytes of it.
const MAX_RULES: usize = 200;
const MAX_BYTES: usize = 256 << 10;
/// Of one compiled expression.
const MAX_COMPILED: usize = 256 << 10;
/// Bytes of a command that are looked at. A longer one is matched by every rule that could have matched its end.
const MAX_COMMAND: usize = 64 << 10;

/// What a rule does, the milder first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// Passes it on and writes it down.
    Alert,
    /// Asks the person whether they mean it.
    Confirm,
    /// Holds it back until somebody with the right to looks.
    Pause,
    /// It never reaches the target.
    Block,
}

impl Does {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Confirm => "confirm",
            Self::Pause => "pause",
            Self::Block => "block",
        }
    }
}

#[derive(Debug, Clone)]
pub struct CommandRule {
    pub name: String,
    pub does: Does,
    matches: Regex,
    targets: Vec<String>,
    labels: Vec<String>,
}

/// Checked rules, in the order of the file. None: every command passes.
#[derive(Debug, Clone, Default)]
pub struct CommandRules(Vec<CommandRule>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandRulesError {
    #[error("line {line}: {problem}")]
    Toml { line: usize, problem: String },
    #[error("rule {number} ({name:?}): {problem}")]
    Rule { number: usize, name: String, problem: String },
    #[error("at most {MAX_RULES} rules and {} KiB in one file", MAX_BYTES >> 10)]
    TooMuch,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    does: Does,
    matches: String,
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default)]
    labels: Vec<String>,
}

impl CommandRules {
    /// All of the file or nothing of it.
    pub fn parse(text: &str) -> Result<Self, CommandRulesError> {
        if text.len() > MAX_BYTES {
            return Err(CommandRulesError::TooMuch);
        }
        let file: File = toml::from_str(text).map_err(|e| {
            let at = e.span().map_or(0, |s| s.start).min(text.len());
            CommandRulesError::Toml {
                line: text.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1,
                problem: e.message().to_owned(),
            }
        })?;
        if file.rule.len() > MAX_RULES {
            return Err(CommandRulesError::TooMuch);
        }
        let mut rules: Vec<CommandRule> = Vec::new();
        for (n, written) in file.rule.into_iter().enumerate() {
            let wrong = |problem: String| CommandRulesError::Rule { number: n + 1, name: written.name.chars().take(64).collect(), problem };
            if written.name.is_empty() || written.name.len() > 64 || written.name.chars().any(char::is_control) {
                return Err(wrong("a name has 1 to 64 characters".into()));
            }
            if rules.iter().any(|r| r.name == written.name) {
                return Err(wrong("two rules have this name; the audit log could not tell them apart".into()));
            }
            let matches = RegexBuilder::new(&written.matches)
                .size_limit(MAX_COMPILED)
                .dfa_size_limit(MAX_COMPILED)
                .build()
                .map_err(|e| wrong(format!("matches: {}", e.to_string().lines().last().unwrap_or_default().trim())))?;
            if matches.is_match("") {
                return Err(wrong("matches: this fits every command, even none; name what it is about".into()));
            }
            let Written { name, does, targets, labels, .. } = written;
            rules.push(CommandRule { name, does, matches, targets, labels });
        }
        Ok(Self(rules))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Those that count on this target.
    #[must_use]
    pub fn of(&self, target: &Target) -> Self {
        let counts = |r: &&CommandRule| {
            (r.targets.is_empty() || r.targets.iter().any(|glob| fits(glob, target.name.as_str())))
                && (r.labels.is_empty() || target.attributes.labels.iter().any(|l| r.labels.iter().any(|w| w == l.as_str())))
        };
        Self(self.0.iter().filter(counts).cloned().collect())
    }

    /// The strictest rule that matches this command. Of equally strict ones the first in the file.
    pub fn judge(&self, command: &[u8]) -> Option<&CommandRule> {
        let looked_at = &command[..command.len().min(MAX_COMMAND)];
        // What is no text is looked at as far as it is some.
        let text = String::from_utf8_lossy(looked_at);
        let too_long = command.len() > MAX_COMMAND;
        let hits = self.0.iter().filter(|r| too_long || r.matches.is_match(&text));
        hits.fold(None, |best: Option<&CommandRule>, r| if best.is_some_and(|b| b.does >= r.does) { best } else { Some(r) })
    }
}

/// `*` stands for anything.
fn fits(glob: &str, name: &str) -> bool {
    let mut parts = glob.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const RULES: &str = r#"
[[rule]]
name = "leaves"
does = "alert"
matches = 'scp|rsync|curl'

[[rule]]
name = "no dumps"
does = "block"
matches = '\b(pg_dump|mysqldump)\b'

[[rule]]
name = "restarts"
does = "confirm"
matches = '^\s*(sudo\s+)?(reboot|shutdown)\b'
targets = ["ehr-*"]

[[rule]]
name = "all patients"
does = "pause"
matches = '(?i)select .* from patients'
"#;

    fn does(rules: &CommandRules, command: &str) -> Option<(Does, String)> {
        rules.judge(command.as_bytes()).map(|r| (r.does, r.name.clone()))
    }

    #[test]
    fn of_all_rules_that_match_the_strictest_counts() {
        let rules = CommandRules::parse(RULES).unwrap();
        assert_eq!(rules.len(), 4);
        assert_eq!(does(&rules, "uptime"), None);
        assert_eq!(does(&rules, "curl https://x"), Some((Does::Alert, "leaves".into())));
        assert_eq!(does(&rules, "pg_dump ehr | curl -T - https://x"), Some((Does::Block, "no dumps".into())));
        assert_eq!(does(&rules, "sudo reboot"), Some((Does::Confirm, "restarts".into())));
        assert_eq!(does(&rules, "psql -c 'SELECT * FROM patients'"), Some((Does::Pause, "all patients".into())));
        assert_eq!(rules.judge(b"\xff\xfe pg_dump \0").map(|r| r.does), Some(Does::Block), "what is no text is looked at too");
    }

    #[test]
    fn a_command_too_long_to_be_looked_at_is_taken_for_the_worst() {
        let rules = CommandRules::parse(RULES).unwrap();
        assert_eq!(rules.judge(&vec![b'x'; MAX_COMMAND + 1]).map(|r| r.does), Some(Does::Block));
    }

    #[test]
    fn a_file_that_is_wrong_says_where_and_counts_not_at_all() {
        for (text, says) in [
            ("[[rule]]\nname = 'a'\ndoes = 'explode'\nmatches = 'x'", "line 3"),
            ("[[rule]]\nname = 'a'\ndoes = 'block'\nmatches = '('", "rule 1 (\"a\"): matches: error"),
            ("[[rule]]\nname = 'a'\ndoes = 'block'\nmatches = 'x*'", "fits every command"),
            ("[[rule]]\nname = 'a'\ndoes = 'block'\nmatches = '(a{1000}){1000}'", "rule 1"),
            ("[[rule]]\nname = 'a'\ndoes = 'block'\nmatches = 'x'\n[[rule]]\nname = 'a'\ndoes = 'alert'\nmatches = 'y'", "two rules"),
            ("[[rule]]\nname = 'a'\ndoes = 'block'\nmatchs = 'x'", "matchs"),
        ] {
            let error = CommandRules::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert!(CommandRules::parse("").unwrap().is_empty());
    }

    #[test]
    fn names_of_targets_may_have_stars() {
        for (glob, name, yes) in [
            ("ehr-db-1", "ehr-db-1", true),
            ("ehr-db-1", "ehr-db-12", false),
            ("ehr-*", "ehr-db-1", true),
            ("*-1", "ehr-db-1", true),
            ("e*-*1", "ehr-db-1", true),
            ("*", "x", true),
            ("mri-*", "ehr-db-1", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(fits(glob, name), yes, "{glob} {name}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_reading_and_no_bytes_break_matching(text in ".{0,300}", command in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = CommandRules::parse(&text);
            let _ = CommandRules::parse(RULES).unwrap().judge(&command);
        }
    }
}
