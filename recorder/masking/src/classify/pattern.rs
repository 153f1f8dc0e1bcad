//! Identifiers that show by their own form, wherever they stand.

use std::ops::Range;

use super::{Found, Rule, keyed::name_continues};
use crate::{
    kind::Kind,
    rules::{Check, RuleSet},
};

/// `in_message`: names between carets are fields, and the message says whose.
pub(super) fn find(line: &str, in_message: bool, rules: &RuleSet, found: &mut Vec<Found>) {
    if rules.pattern_sieve.as_ref().is_some_and(|sieve| !sieve.may_match(line.as_bytes())) {
        return;
    }
    // Asked of every mail address.
    let developers = std::cell::OnceCell::new();
    for hit in rules.pattern_finder.find_iter(line.as_bytes()) {
        let index = hit.pattern().as_usize();
        let pattern = &rules.patterns[index];
        // Patterns are ASCII; one that ends inside a character is no match of what it means.
        if !line.is_char_boundary(hit.start()) || !line.is_char_boundary(hit.end()) {
            continue;
        }
        // A message says of every street whose it is; only its notes and observations are free text.
        if in_message
            && matches!(pattern.kind, Kind::Address | Kind::City | Kind::Zip)
            && !["NTE", "OBX"].iter().any(|id| line.contains(id))
        {
            continue;
        }
        if let Some(range) = checked(line, hit.range(), pattern.check, in_message, rules)
            .filter(|_| pattern.check != Check::Email || !*developers.get_or_init(|| super::prose::of_developers(line)))
        {
            if pattern.check == Check::State
                && let Some((city, zip)) = around_state(line, &range)
            {
                found.push(Found::new(city, Kind::City, Rule::Pattern(index)));
                found.push(Found::new(zip, Kind::Zip, Rule::Pattern(index)));
                continue;
            }
            let value = Found::new(range, pattern.kind, Rule::Pattern(index));
            name_continues(line, &value, found);
            found.push(value);
        }
    }
}

fn checked(line: &str, range: Range<usize>, check: Check, in_message: bool, rules: &RuleSet) -> Option<Range<usize>> {
    let text = &line[range.clone()];
    let before = line[..range.start].chars().next_back();
    let mut following = line[range.end..].chars();
    let after = following.next();
    let beside = |c: Option<char>, joins: &str| c.is_some_and(|c| c.is_alphanumeric() || joins.contains(c));
    let number_goes_on = matches!(after, Some('-' | '.' | ':')) && following.next().is_some_and(|c| c.is_ascii_digit());
    let ok = match check {
        Check::Alone => !beside(before, "_-./") && !beside(after, "_") && !number_goes_on,
        Check::Ssn => !beside(before, "_-./:") && !beside(after, "_") && !number_goes_on && is_ssn(text),
        Check::Phone => {
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            !beside(before, "_-./:+#=") && !beside(after, "_/") && !number_goes_on && (7..=20).contains(&digits)
        }
        Check::Email => {
            // "ssh dba@ehr-db-1@bastion.example"
            let login = before == Some('@') && !in_message;
            !beside(before, "/_") && !login && !is_login(line, &range) && !is_service_mailbox(text)
        }
        Check::State => !beside(before, "_-/") && !beside(after, "_-") && has_state(text),
        Check::Caret => !in_message && !beside(before, "^|&") && !beside(after, "|&"),
        Check::CodeAfterWord => {
            let code = text.rfind([' ', '#'])? + 1;
            let closed = !beside(before, "_-/.") && !beside(after, "_:=/") && !number_goes_on;
            return closed.then(|| range.start + code..range.end);
        }
        Check::NameAfterWord => {
            if beside(before, "_-/") || beside(after, "_/:=") {
                return None;
            }
            // A name begins behind the last word that speaks of it.
            let name = match text.rfind(" of ").or_else(|| text.rfind(" for ")).or_else(|| text.rfind(" on ")) {
                Some(at) => at + text[at + 1..].find(' ')? + 2,
                None => text.find(' ')? + 1,
            };
            let words = text[name..].split([' ', ',']).filter(|word| !word.is_empty());
            // Behind a title every word is a name; "Miss Rate" and "Patient Portal" are none.
            let titled = text.starts_with("Mr") || text.starts_with("Ms");
            let clean = titled
                || words.clone().all(|word| {
                    let lower = word.trim_end_matches('.').to_lowercase();
                    !rules.columns.get(&lower).is_some_and(|label| label.strong) && (lower.len() == 1 || !is_plain_word(&lower, rules))
                });
            return clean.then(|| range.start + name..range.end);
        }
    };
    ok.then_some(range)
}

/// Words that follow "Patient" in titles of pages and systems.
fn is_plain_word(word: &str, rules: &RuleSet) -> bool {
    const TITLES: [&str; 34] = [
        "portal",
        "login",
        "access",
        "safety",
        "registration",
        "demographics",
        "search",
        "information",
        "summary",
        "details",
        "list",
        "tracking",
        "transport",
        "accounting",
        "billing",
        "financial",
        "education",
        "monitoring",
        "management",
        "database",
        "index",
        "master",
        "identity",
        "flow",
        "experience",
        "relations",
        "representative",
        "advocate",
        "scheduling",
        "admission",
        "discharge",
        "chart",
        "lookup",
        "view",
    ];
    TITLES.contains(&word) || rules.common.contains(word)
}

/// SSA: no area 000 or 666, no group 00, no serial 0000.
fn is_ssn(text: &str) -> bool {
    !text.starts_with("000") && !text.starts_with("666") && &text[4..6] != "00" && &text[7..] != "0000"
}

/// `user@host:path`, a shell prompt, a URL's user: a login, not a mailbox.
fn is_login(line: &str, range: &Range<usize>) -> bool {
    let rest = &line[range.end..];
    let path = rest.strip_prefix(':').is_some_and(|rest| !rest.is_empty() && !rest.starts_with([' ', '"', '\'', ',']));
    let before = &line[..range.start];
    let command = ["ssh ", "scp ", "sftp ", "rsync ", "git clone "].iter().any(|command| before.ends_with(command));
    path || command || before.ends_with("://") || rest.starts_with(['/', '#', '$', '~'])
}

/// Mailboxes of systems and roles, by RFC 2142 and custom.
fn is_service_mailbox(text: &str) -> bool {
    let local = text.split('@').next().unwrap_or_default().to_ascii_lowercase();
    const SERVICES: [&str; 32] = [
        "ops",
        "alerts",
        "alert",
        "monitoring",
        "oncall",
        "devops",
        "sysadmin",
        "notifications",
        "it",
        "cron",
        "root",
        "git",
        "admin",
        "administrator",
        "noreply",
        "no-reply",
        "donotreply",
        "do-not-reply",
        "postmaster",
        "webmaster",
        "hostmaster",
        "abuse",
        "security",
        "support",
        "helpdesk",
        "info",
        "daemon",
        "mailer-daemon",
        "nobody",
        "postgres",
        "www-data",
        "build",
    ];
    SERVICES.contains(&local.as_str())
        || ["@users.noreply.", "@lists.", "@list.", "@openssh.com", "@libssh.org"].iter().any(|host| text.contains(host))
}

/// City and ZIP; the state between them identifies nobody (164.514(b)(2)(i)(B)).
fn around_state(line: &str, range: &Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let text = &line[range.clone()];
    let zip = text.rfind([' ', ','])? + 1;
    let state = text[..zip].trim_end_matches([' ', ',']).rfind([' ', ','])?;
    let city = text[..state].trim_end_matches([' ', ',']).len();
    Some((range.start..range.start + city, range.start + zip..range.end))
}

fn has_state(text: &str) -> bool {
    let mut words = text.rsplit([' ', ',']).filter(|word| !word.is_empty());
    let _zip = words.next();
    words.next().is_some_and(super::value::is_state)
}
