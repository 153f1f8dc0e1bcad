//! The pages, for any size: what matters most stands first and is cut last.
use crate::{
    canvas::{Canvas, Style},
    facts::{Facts, Known},
    form::{Form, REASON},
    keys::Key,
    menu::{Menu, Page},
    text,
    view::State,
    waiting::{Stage, Waiting},
    words,
};

/// From this many rows on there is room for a title, and for details of what is selected.
const TALL: usize = 8;
const TALLER: usize = 12;
/// From this many columns on states are whole sentences.
const WIDE: usize = 60;
const WIDER: usize = 100;
const STATE: usize = 41;
const NAME: usize = 32;
/// Characters of a longer text, such as the reason of a denial.
const MAX_TEXT: usize = 1000;

pub(crate) const HELP: [&str; 13] = [
    "type: search targets, descriptions and accounts",
    "Up, Down, PgUp, PgDn, Home, End: move",
    "Enter: connect if open; else ask, or see the request",
    "Esc: clear the search, go back",
    "Ctrl-U: clear the line",
    "",
    "In the form",
    "Tab, Shift-Tab: next, previous field",
    "Left, Right: change the time",
    "Space: switch on or off",
    "",
    "While waiting: w withdraws the request",
    "Ctrl-L: draw again. Ctrl-C, Ctrl-D: leave",
];

/// The first row of the list and how many it has.
fn list_place(rows: usize) -> (usize, usize) {
    let (top, below) = match rows {
        0..=2 => (1, 0),
        3..TALL => (1, 1),
        TALL..TALLER => (3, 1),
        _ => (3, 4),
    };
    (top, rows.saturating_sub(top + below))
}

pub(crate) fn list_height(rows: usize) -> usize {
    list_place(rows).1
}

pub(crate) fn page(menu: &Menu) -> Canvas {
    let mut canvas = Canvas::blank(menu.cols, menu.rows);
    if let Some(top) = menu.help {
        help(menu, top, &mut canvas);
        return canvas;
    }
    match &menu.page {
        Page::List => list(menu, &mut canvas),
        Page::Form(form) => ask(menu, form, &mut canvas),
        Page::Waiting(waiting) => wait(menu, waiting, &mut canvas),
    }
    canvas
}

/// The last row: what was said, or else which keys there are.
fn status(menu: &Menu, hints: &[&str], canvas: &mut Canvas) {
    if menu.rows < 3 {
        return;
    }
    let hint = hints.iter().find(|h| h.len() < menu.cols).or(hints.last()).copied().unwrap_or_default();
    let (style, said) = menu.status.as_ref().map_or((Style::Plain, hint), |(style, said)| (*style, said.as_str()));
    canvas.put(menu.rows - 1, 0, &text::fit(said, menu.cols), style);
}

fn list(menu: &Menu, canvas: &mut Canvas) {
    let (top, height) = list_place(menu.rows);
    let now = menu.facts.unix(menu.now);
    let search_row = usize::from(menu.rows >= TALL);
    if menu.rows >= TALL {
        canvas.put(0, 0, &text::fit(&format!("Anteroom - {}", menu.facts.person), menu.cols), Style::Title);
        canvas.put(2, 0, &text::fit(&counted(menu), menu.cols), Style::Plain);
    }
    let label = if menu.cols >= 30 { "Search: " } else { ">> " };
    let at = canvas.put(search_row, 0, label, Style::Title);
    let (query, cursor) = menu.list.query.window(menu.cols.saturating_sub(at));
    canvas.put(search_row, at, &query, Style::Plain);
    canvas.point(search_row, at + cursor);

    for (row, (known, selected)) in menu.list.seen(&menu.facts, height).enumerate() {
        line(known, selected, now, top + row, canvas);
        if selected && menu.list.in_list {
            canvas.point(top + row, 0);
        }
    }
    if menu.list.count() == 0 && height > 0 {
        canvas.put(top, 0, &text::fit(empty(&menu.facts), menu.cols), Style::Plain);
    }
    if menu.rows >= TALLER
        && let Some(known) = menu.list.selected(&menu.facts)
    {
        let state = words::state(&known.entry.state, known.may_ask(), now);
        canvas.put(menu.rows - 3, 0, &text::fit(&format!("{}: {}", known.name, text::clean(&state, MAX_TEXT)), menu.cols), Style::Plain);
        canvas.put(menu.rows - 2, 0, &text::fit(&known.description, menu.cols), Style::Plain);
    }
    let hints = [
        "Type to search. Up, Down: move. Enter: connect or ask. ?: keys. Ctrl-D: leave",
        "Enter: open. ?: keys. Ctrl-D: leave",
        "?: keys ^D: leave",
    ];
    status(menu, &hints, canvas);
}

fn counted(menu: &Menu) -> String {
    let (seen, all) = (menu.list.count(), menu.facts.known.len());
    if menu.list.query.is_empty() { format!("{all} you may reach or ask for") } else { format!("{seen} of {all} match") }
}

fn empty(facts: &Facts) -> &'static str {
    if facts.known.is_empty() { "Nothing to reach yet: ask an administrator for a place in a group" } else { "Nothing matches. Esc: all" }
}

fn line(known: &Known, selected: bool, now: u64, row: usize, canvas: &mut Canvas) {
    let cols = canvas.cols;
    let style = |style: Style| if selected { Style::Selected } else { style };
    let may_ask = known.may_ask();
    let (name_cols, state, state_cols) = if cols >= WIDE {
        let name = if cols >= WIDER { NAME } else { cols - 4 - STATE };
        (name, words::state(&known.entry.state, may_ask, now), STATE)
    } else {
        let state = words::short_state(&known.entry.state, may_ask, now);
        let wide = state.len();
        (cols.saturating_sub(3 + wide), state, wide)
    };
    let shown = match &known.entry.state {
        State::Live { .. } => Style::Good,
        State::Pending { .. } | State::NotBegun { .. } => Style::Wait,
        State::Denied { .. } => Style::Bad,
        State::Expired { .. } | State::Askable => Style::Plain,
    };
    let gap = if cols >= WIDE { 2 } else { 1 };
    canvas.put(row, 0, if selected { "> " } else { "  " }, style(Style::Plain));
    let mut at = canvas.put(row, 2, &text::fit(&known.name, name_cols), style(Style::Plain));
    at = pad(canvas, row, at, 2 + name_cols + gap, style(Style::Plain));
    at = canvas.put(row, at, &text::fit(&text::clean(&state, MAX_TEXT), state_cols), style(shown));
    if cols >= WIDER {
        at = pad(canvas, row, at, 2 + name_cols + gap + state_cols + gap, style(Style::Plain));
        at = canvas.put(row, at, &text::fit(&known.description, cols.saturating_sub(at)), style(Style::Plain));
    }
    if selected {
        pad(canvas, row, at, cols, Style::Selected);
    }
}

fn pad(canvas: &mut Canvas, row: usize, from: usize, to: usize, style: Style) -> usize {
    canvas.put(row, from, &" ".repeat(to.saturating_sub(from)), style)
}

fn ask(menu: &Menu, form: &Form, canvas: &mut Canvas) {
    canvas.put(0, 0, &text::fit(&format!("Ask for {}", form.name.shown()), menu.cols), Style::Title);
    let mut top = 1;
    if menu.rows >= TALLER {
        top = 2;
        for said in form.before.iter().flat_map(|b| text::wrap(&text::clean(b, MAX_TEXT), menu.cols)).take(3) {
            canvas.put(top - 1, 0, &said, Style::Bad);
            top += 1;
        }
    }
    let height = menu.rows.saturating_sub(top + 1).max(1);
    let first = (form.focus + 1).saturating_sub(height);
    for row in first..form.rows().min(first + height) {
        let (at_row, focused) = (top + row - first, row == form.focus);
        let style = if focused { Style::Title } else { Style::Plain };
        canvas.put(at_row, 0, if focused { "> " } else { "  " }, style);
        let at = canvas.put(at_row, 2, &text::fit(&form.row(row), menu.cols.saturating_sub(2)), style);
        let room = menu.cols.saturating_sub(at);
        if row == REASON && !focused {
            canvas.put(at_row, at, &text::fit(&form.reason.text(), room), Style::Plain);
        } else if row == REASON {
            let (reason, cursor) = form.reason.window(room);
            canvas.put(at_row, at, &reason, Style::Plain);
            canvas.point(at_row, at + cursor);
        } else if focused {
            canvas.point(at_row, 0);
        }
    }
    status(menu, &[&form.hint()], canvas);
}

fn wait(menu: &Menu, waiting: &Waiting, canvas: &mut Canvas) {
    canvas.put(0, 0, &text::fit(&waiting.name.shown(), menu.cols), Style::Title);
    let top = if menu.rows >= TALL { 2 } else { 1 };
    let (style, said, hints) = standing(menu, waiting);
    let lines = said.iter().flat_map(|s| text::wrap(&text::clean(s, MAX_TEXT), menu.cols));
    for (row, said) in lines.take(menu.rows.saturating_sub(top + 1)).enumerate() {
        canvas.put(top + row, 0, &said, if row == 0 { style } else { Style::Plain });
    }
    status(menu, hints, canvas);
}

fn standing(menu: &Menu, waiting: &Waiting) -> (Style, Vec<String>, &'static [&'static str]) {
    let now = menu.facts.unix(menu.now);
    let turning = ["|", "/", "-", "\\"][(menu.now.as_millis() / 250 % 4) as usize];
    let back: &[&str] = &["Esc: back. Ctrl-D: leave"];
    let known = menu.facts.find(&waiting.name);
    let state = known.map(|k| &k.entry.state);
    match (&waiting.stage, state) {
        (Stage::Approved { connects_at }, state) => {
            let by = match state {
                Some(State::Live { approved_by: Some(by), .. }) => format!("Approved by {by}"),
                _ => "Approved".to_owned(),
            };
            let mut said = vec![format!("{by}: Enter connects.")];
            if let Some(at) = connects_at {
                let left = at.saturating_sub(menu.now).as_millis().div_ceil(1000);
                said.push(format!("Connecting in {left} s; any other key stops that."));
            }
            (Style::Good, said, &["Enter: connect. Esc: back"])
        }
        (Stage::Sent { .. }, _) | (Stage::Open, None) => (Style::Wait, vec![format!("{turning} sending the request")], back),
        (Stage::Open, Some(State::Denied { by, reason, .. })) => {
            (Style::Bad, vec![format!("Denied by {by}."), format!("Reason: {reason}")], &["Enter: ask again. Esc: back"])
        }
        (Stage::Open, Some(State::Expired { .. })) => {
            (Style::Bad, vec!["Nobody answered the request in time.".to_owned()], &["Enter: ask again. Esc: back"])
        }
        (Stage::Open, Some(State::Pending { .. })) if waiting.confirm => {
            (Style::Plain, vec!["Withdraw this request? y: yes. Any other key: no.".to_owned()], &["y: withdraw"])
        }
        (Stage::Open, Some(state)) => {
            let mut said = vec![format!("{turning} {}", words::state(state, true, now))];
            if let State::NotBegun { approved_by: Some(by), .. } = state {
                said.push(format!("Approved by {by}."));
            }
            said.push("This page goes on by itself.".to_owned());
            let hints: &[&str] =
                if matches!(state, State::Pending { .. }) { &["w: withdraw. Esc: back. Ctrl-D: leave", "w: withdraw"] } else { back };
            (Style::Wait, said, hints)
        }
    }
}

fn help_lines(cols: usize) -> Vec<String> {
    HELP.iter().flat_map(|line| text::wrap(line, cols)).collect()
}

fn help(menu: &Menu, top: usize, canvas: &mut Canvas) {
    let height = menu.rows.saturating_sub(1).max(1);
    for (row, line) in help_lines(menu.cols).iter().skip(top).take(height).enumerate() {
        canvas.put(row, 0, line, Style::Plain);
    }
    status(menu, &["Enter: go on. Esc: back"], canvas);
}

/// The next page of the help, if the key asks for it and there is one.
pub(crate) fn next_help(key: Key, top: usize, cols: usize, rows: usize) -> Option<usize> {
    let next = top + rows.saturating_sub(1).max(1);
    let on = matches!(key, Key::Enter | Key::Down | Key::PageDown | Key::Char(' '));
    (on && next < help_lines(cols).len()).then_some(next)
}
