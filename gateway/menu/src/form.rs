//! Asking for access: why, for how long, what for.
use crate::{facts::Key as Name, facts::Known, field::Field, keys::Key, text, view::Action, words};

/// A reason is read by a person: fewer characters than this say nothing.
pub const MIN_REASON: usize = 10;
pub const MAX_REASON: usize = 500;

const MINUTES: [u32; 5] = [30, 60, 120, 240, 480];
/// Rows of the form before the capabilities.
pub(crate) const REASON: usize = 0;
pub(crate) const DURATION: usize = 1;
const FIRST_CAPABILITY: usize = 2;
/// As many as one request can hold.
const MAX_CAPABILITIES: usize = 64;

#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) name: Name,
    pub(crate) reason: Field,
    /// What is to be known about the last request.
    pub(crate) before: Option<String>,
    minutes: Vec<u32>,
    chosen: usize,
    capabilities: Vec<(String, bool)>,
    pub(crate) focus: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormStep {
    Stay,
    Missing(&'static str),
    Cancel,
    Send,
}

impl Form {
    /// The entry must be one that may be asked for.
    pub(crate) fn new(known: &Known, now: u64) -> Self {
        let entry = &known.entry;
        let mut minutes: Vec<u32> = MINUTES.into_iter().filter(|m| *m <= entry.max_minutes).collect();
        if minutes.is_empty() {
            minutes.push(entry.max_minutes);
        }
        let offered = entry.capabilities.iter().take(MAX_CAPABILITIES);
        let mut capabilities: Vec<(String, bool)> = offered.map(|c| (c.clone(), matches!(c.as_str(), "shell" | "exec"))).collect();
        if let [only] = capabilities.as_mut_slice() {
            only.1 = true;
        }
        Self {
            name: Name::of(entry),
            reason: Field::new(MAX_REASON),
            before: refusal(known, now),
            chosen: minutes.iter().position(|m| *m == 60).unwrap_or(0),
            minutes,
            capabilities,
            focus: REASON,
        }
    }

    pub(crate) fn key(&mut self, key: Key) -> FormStep {
        let last = self.rows() - 1;
        match key {
            Key::Esc => return FormStep::Cancel,
            Key::Tab | Key::Down => self.focus = (self.focus + 1) % self.rows(),
            Key::BackTab | Key::Up => self.focus = (self.focus + last) % self.rows(),
            Key::PageUp => self.focus = 0,
            Key::PageDown => self.focus = last,
            Key::Enter if self.focus == last => return self.complete(),
            Key::Enter => {
                if self.focus == REASON && !self.has_reason() {
                    return self.complete();
                }
                self.focus += 1;
            }
            _ if self.focus == REASON => {
                self.reason.key(key);
            }
            Key::Left if self.focus == DURATION => self.chosen = self.chosen.saturating_sub(1),
            Key::Right | Key::Char(' ') if self.focus == DURATION => self.chosen = (self.chosen + 1).min(self.minutes.len() - 1),
            Key::Char(' ') => {
                if let Some((_, on)) = self.capabilities.get_mut(self.focus - FIRST_CAPABILITY) {
                    *on = !*on;
                }
            }
            _ => {}
        }
        FormStep::Stay
    }

    pub(crate) fn ask(&self) -> Action {
        Action::AskAccess {
            target: self.name.target.clone(),
            account: self.name.account.clone(),
            reason: self.reason.text().trim().to_owned(),
            minutes: self.minutes[self.chosen],
            capabilities: self.capabilities.iter().filter(|(_, on)| *on).map(|(c, _)| c.clone()).collect(),
        }
    }

    /// Reason, duration, each capability, and the row that sends.
    pub(crate) fn rows(&self) -> usize {
        FIRST_CAPABILITY + self.capabilities.len() + 1
    }

    /// What a row says; the reason's own row is drawn with its field.
    pub(crate) fn row(&self, row: usize) -> String {
        match row {
            REASON => "Reason: ".to_owned(),
            DURATION => {
                let less = if self.chosen > 0 { "< " } else { "" };
                let more = if self.chosen + 1 < self.minutes.len() { " >" } else { "" };
                format!("For: {less}{}{more}", words::span(u64::from(self.minutes[self.chosen]) * 60))
            }
            _ => match self.capabilities.get(row - FIRST_CAPABILITY) {
                Some((capability, on)) => format!("[{}] {}", if *on { 'x' } else { ' ' }, label(capability)),
                None => "[ Send the request ]".to_owned(),
            },
        }
    }

    pub(crate) fn hint(&self) -> String {
        match self.focus {
            REASON if !self.has_reason() => format!("Why? At least {MIN_REASON} characters. Esc: back"),
            REASON => "Enter, Tab: next. Esc: back".to_owned(),
            DURATION => "Left, Right: change. Tab: next. Esc: back".to_owned(),
            row if row + 1 == self.rows() => "Enter: send. Esc: back".to_owned(),
            _ => "Space: on or off. Tab: next. Esc: back".to_owned(),
        }
    }

    fn has_reason(&self) -> bool {
        self.reason.text().trim().chars().count() >= MIN_REASON
    }

    /// Goes to what is missing, or is ready to be sent.
    fn complete(&mut self) -> FormStep {
        if !self.has_reason() {
            self.focus = REASON;
            return FormStep::Missing("the reason needs at least 10 characters");
        }
        if !self.capabilities.iter().any(|(_, on)| *on) {
            self.focus = FIRST_CAPABILITY;
            return FormStep::Missing("choose what you need: space switches it on");
        }
        FormStep::Send
    }
}

fn refusal(known: &Known, now: u64) -> Option<String> {
    use crate::view::State;
    match &known.entry.state {
        State::Denied { reason, .. } => Some(format!("Last request {}: {reason}", words::state(&known.entry.state, true, now))),
        State::Expired { .. } => Some("Nobody answered the last request in time.".to_owned()),
        _ => None,
    }
}

fn label(capability: &str) -> String {
    match capability {
        "shell" => "an interactive shell".to_owned(),
        "exec" => "any command".to_owned(),
        "download" => "any file from the target".to_owned(),
        "upload" => "any file to the target".to_owned(),
        "agent-forwarding" => "agent forwarding".to_owned(),
        "x11-forwarding" => "X11 forwarding".to_owned(),
        other => text::clean(other, MAX_REASON),
    }
}
