//! Search and selection.
use crate::{
    facts::{Facts, Key as Name, Known},
    field::Field,
    keys::Key,
};

/// Characters that can be searched for.
pub const MAX_QUERY: usize = 64;

#[derive(Debug)]
pub(crate) struct List {
    pub(crate) query: Field,
    /// The person moved in the list last, not in the search box: the cursor is where they look, for those who hear the screen.
    pub(crate) in_list: bool,
    matches: Vec<usize>,
    /// The query has changed since `matches` were found.
    stale: bool,
    selected: usize,
    top: usize,
}

impl List {
    pub(crate) fn new() -> Self {
        Self { query: Field::new(MAX_QUERY), in_list: false, matches: Vec::new(), stale: false, selected: 0, top: 0 }
    }

    /// Finds the matches if they are not those of the query, and keeps the selected one among the `height` that are seen.
    pub(crate) fn settle(&mut self, facts: &Facts, height: usize) {
        if std::mem::take(&mut self.stale) {
            self.matches = search(facts, &self.query.text());
            (self.selected, self.top) = (0, 0);
        }
        let height = height.max(1);
        self.selected = self.selected.min(self.matches.len().saturating_sub(1));
        let lowest = (self.selected + 1).saturating_sub(height);
        self.top = self.top.clamp(lowest, self.selected).min(self.matches.len().saturating_sub(height).max(lowest));
    }

    /// After the facts have changed: the same entry stays selected.
    pub(crate) fn renew(&mut self, facts: &Facts, selected: Option<Name>, height: usize) {
        self.matches = search(facts, &self.query.text());
        self.stale = false;
        let same = selected.and_then(|name| self.matches.iter().position(|at| name.is(&facts.known[*at].entry)));
        self.selected = same.unwrap_or(self.selected);
        self.settle(facts, height);
    }

    pub(crate) fn key(&mut self, key: Key, facts: &Facts, height: usize) {
        let last = |list: &Self| list.matches.len().saturating_sub(1);
        let moves = matches!(key, Key::Up | Key::Down | Key::Tab | Key::BackTab | Key::PageUp | Key::PageDown | Key::Home | Key::End);
        if !moves {
            self.in_list = false;
            let key = if key == Key::Esc { Key::Clear } else { key };
            self.stale |= self.query.key(key);
            return;
        }
        self.settle(facts, height);
        self.in_list = true;
        let page = height.max(1);
        self.selected = match key {
            Key::Up | Key::BackTab => self.selected.saturating_sub(1),
            Key::PageUp => self.selected.saturating_sub(page),
            Key::PageDown => self.selected.saturating_add(page).min(last(self)),
            Key::Home => 0,
            Key::End => last(self),
            _ => (self.selected + 1).min(last(self)),
        };
        self.settle(facts, height);
    }

    /// Of settled lists.
    pub(crate) fn selected<'a>(&self, facts: &'a Facts) -> Option<&'a Known> {
        self.matches.get(self.selected).map(|at| &facts.known[*at])
    }

    pub(crate) fn count(&self) -> usize {
        self.matches.len()
    }

    /// The entries in sight, and whether each is the selected one.
    pub(crate) fn seen<'a>(&'a self, facts: &'a Facts, height: usize) -> impl Iterator<Item = (&'a Known, bool)> {
        let rows = self.matches.iter().enumerate().skip(self.top).take(height);
        rows.map(|(row, at)| (&facts.known[*at], row == self.selected))
    }
}

/// All words of the query somewhere in name or description; the best places first. If there is none, names that have the letters in order.
fn search(facts: &Facts, query: &str) -> Vec<usize> {
    let query = query.trim().to_lowercase();
    let words: Vec<&str> = query.split_whitespace().collect();
    if words.is_empty() {
        return (0..facts.known.len()).collect();
    }
    let mut found: Vec<(u8, usize)> = Vec::new();
    for (at, known) in facts.known.iter().enumerate() {
        if words.iter().all(|w| known.searched.contains(w)) {
            let name = &known.searched[..known.name_length];
            let target = name.split_once('@').map_or(name, |(_, target)| target);
            let place = if target.starts_with(words[0]) || name.starts_with(words[0]) { 0 } else { u8::from(!name.contains(words[0])) + 1 };
            found.push((place, at));
        }
    }
    if found.is_empty() {
        let in_order = |known: &Known| {
            let mut name = known.searched[..known.name_length].chars();
            query.chars().filter(|c| !c.is_whitespace()).all(|c| name.any(|n| n == c))
        };
        return (0..facts.known.len()).filter(|at| in_order(&facts.known[*at])).collect();
    }
    found.sort();
    found.into_iter().map(|(_, at)| at).collect()
}
