//! The same facts as text, for a connection without a terminal.
use crate::{
    facts::{Facts, order},
    text,
    view::{State, View},
    words,
};
use std::time::Duration;

/// Lines that end in `\n`, with the exact commands to type. Descriptions are broken at `width` columns (0: 80); commands never are.
#[must_use]
pub fn plain_list(view: &View, width: u16) -> String {
    let cols = if width == 0 { 80 } else { usize::from(width).max(20) };
    let facts = Facts::new(view.clone(), Duration::ZERO);
    let now = view.unix_seconds;
    let bastion = text::clean(&view.bastion, 300);
    let port = if matches!(view.port, 0 | 22) { String::new() } else { format!("-p {} ", view.port) };
    let mut out = String::new();
    let mut say = |indent: usize, said: &str| {
        for line in text::wrap(said, cols - indent) {
            out.push_str(&" ".repeat(indent));
            out.push_str(&line);
            out.push('\n');
        }
    };
    say(0, &format!("Anteroom: what {} may reach, at {}", facts.person, words::moment(now, now)));
    if facts.known.is_empty() {
        say(0, "Nothing yet: ask whoever keeps the targets.");
    }
    let mut heading = None;
    let mut commands = Vec::new();
    let mut askable = false;
    for known in &facts.known {
        let rank = order(&known.entry.state);
        if heading.replace(rank) != Some(rank) {
            say(0, "");
            say(0, ["Open now", "Not begun yet", "Waiting for approval", "Not open"][usize::from(rank)]);
        }
        let state = words::state(&known.entry.state, known.may_ask(), now);
        say(2, &text::clean(&format!("{}: {state}", known.name), 600));
        if let State::Denied { reason, .. } = &known.entry.state {
            say(4, &text::clean(&format!("reason: {reason}"), 600));
        }
        if !known.description.trim().is_empty() {
            say(4, &known.description);
        }
        if let State::Live { ends_at, .. } = &known.entry.state
            && *ends_at > now
        {
            commands.push(format!("ssh {port}{}", quoted(&format!("{}@{bastion}", known.name))));
        }
        askable |= rank == 3 && known.may_ask();
    }
    if !commands.is_empty() {
        out.push_str("\nTo connect:\n");
        commands.iter().for_each(|c| {
            out.push_str("  ");
            out.push_str(c);
            out.push('\n');
        });
    }
    if askable {
        out.push_str(&format!("\nTo ask for access:\n  ssh -t {port}{}\n", quoted(&bastion)));
    }
    out
}

/// As one word of a shell, which a name from outside might otherwise not be.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@._-:+%".contains(c);
    if word.chars().all(plain) && !word.starts_with('-') { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
