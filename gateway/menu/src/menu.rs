//! The state machine: keys, facts and time in; pages and actions out.
use crate::{
    canvas::Style,
    draw,
    facts::{Facts, Key as Name},
    form::{Form, FormStep},
    keys::{Key, Keys},
    list::List,
    screen::{MAX_COLS, MAX_ROWS, Screen},
    text,
    view::{Action, Notice, State, View},
    waiting::{Stage, Turn, Waiting, answered},
};
use std::time::Duration;

/// From an approval to the connection, unless a key is pressed.
pub const COUNTDOWN: Duration = Duration::from_secs(3);
/// Keys that are heard between two ticks; of more, only Ctrl-C and Ctrl-D. It bounds what one packet costs.
pub const MAX_KEYS_PER_TICK: u32 = 1024;

const MAX_STATUS: usize = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Zero is taken as not told: 80 by 24.
    pub cols: u16,
    pub rows: u16,
    /// False if the person's environment has NO_COLOR (no-color.org). Bold and reverse stay.
    pub colour: bool,
}

/// What the driver has to do, in this order: write the bytes, then act.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[must_use]
pub struct Output {
    pub bytes: Vec<u8>,
    pub actions: Vec<Action>,
}

#[derive(Debug)]
pub(crate) enum Page {
    List,
    Form(Form),
    Waiting(Waiting),
}

/// One person's menu on one terminal.
#[derive(Debug)]
pub struct Menu {
    pub(crate) cols: usize,
    pub(crate) rows: usize,
    pub(crate) now: Duration,
    pub(crate) facts: Facts,
    pub(crate) list: List,
    pub(crate) page: Page,
    /// The first line that is seen of the page about keys.
    pub(crate) help: Option<usize>,
    pub(crate) status: Option<(Style, String)>,
    screen: Screen,
    keys: Keys,
    keys_heard: u32,
    /// The reason that was being written when the form was left.
    draft: Option<Form>,
    /// A request that was asked for and that the facts don't show: the form and the request the entry had before.
    sent: Option<(Form, Option<String>)>,
    withdrawn: Option<String>,
}

impl Menu {
    /// Nothing is drawn before [`Menu::start`].
    pub fn new(options: Options, view: View) -> Self {
        let mut menu = Self {
            cols: 0,
            rows: 0,
            now: Duration::ZERO,
            facts: Facts::new(view, Duration::ZERO),
            list: List::new(),
            page: Page::List,
            help: None,
            status: None,
            screen: Screen::new(options.colour),
            keys: Keys::new(),
            keys_heard: 0,
            draft: None,
            sent: None,
            withdrawn: None,
        };
        menu.size(options.cols, options.rows);
        menu.list.renew(&menu.facts, None, draw::list_height(menu.rows));
        menu
    }

    /// Takes the screen. `now` is the driver's monotonic clock, from any beginning, as in [`Menu::tick`]; it is the moment of the view.
    pub fn start(&mut self, now: Duration) -> Output {
        self.now = self.now.max(now);
        self.facts.begin(self.now);
        let enter = self.screen.enter();
        let mut out = Output { bytes: enter.into_bytes(), actions: Vec::new() };
        self.draw(&mut out);
        out
    }

    /// Takes the screen again after [`Action::Connect`], for example because the connection failed or its session is over.
    pub fn resume(&mut self, now: Duration) -> Output {
        self.now = self.now.max(now);
        self.page = Page::List;
        self.keys = Keys::new();
        let enter = if self.running() { String::new() } else { self.screen.enter() };
        let mut out = Output { bytes: enter.into_bytes(), actions: Vec::new() };
        self.draw(&mut out);
        out
    }

    /// Gives the screen back, whatever the person was doing: for a connection that ends. Empty if the menu has left already.
    #[must_use]
    pub fn leave(&mut self) -> Vec<u8> {
        self.screen.leave().as_bytes().to_vec()
    }

    /// True from [`Menu::start`] or [`Menu::resume`] until an action or [`Menu::leave`] has given the screen back.
    pub fn running(&self) -> bool {
        self.screen.entered()
    }

    /// Takes what the person typed; how it was cut into packets makes no difference. What follows the key that leaves is not used.
    pub fn typed(&mut self, bytes: &[u8]) -> Output {
        let mut out = Output::default();
        for byte in bytes {
            for key in self.keys.feed(*byte).into_iter().flatten() {
                if self.running() {
                    self.key(key, &mut out);
                }
            }
        }
        self.draw(&mut out);
        out
    }

    /// The terminal's size has changed. Used are at most [`MAX_COLS`] and [`MAX_ROWS`].
    pub fn resize(&mut self, cols: u16, rows: u16) -> Output {
        self.size(cols, rows);
        self.screen.forget();
        self.list.settle(&self.facts, draw::list_height(self.rows));
        let mut out = Output::default();
        self.draw(&mut out);
        out
    }

    /// New facts; they belong to the moment of the last tick.
    pub fn update(&mut self, view: View) -> Output {
        let mut out = Output::default();
        let selected = self.list.selected(&self.facts).map(|k| Name::of(&k.entry));
        let waited: Vec<Name> =
            self.facts.known.iter().filter(|k| matches!(k.entry.state, State::Pending { .. })).map(|k| Name::of(&k.entry)).collect();
        self.facts = Facts::new(view, self.now);
        self.list.renew(&self.facts, selected, draw::list_height(self.rows));
        if let Some((form, before)) = &self.sent
            && self.facts.find(&form.name).is_none_or(|k| answered(&k.entry.state, before.as_deref()))
        {
            self.sent = None;
        }
        let still = |request: &String| self.facts.known.iter().any(|k| k.entry.state.request() == Some(request.as_str()));
        self.withdrawn = self.withdrawn.take().filter(still);
        match &mut self.page {
            Page::Waiting(waiting) => {
                let entry = self.facts.find(&waiting.name).map(|k| &k.entry);
                if waiting.update(entry, self.now + COUNTDOWN) == Turn::Gone {
                    self.status = Some((Style::Plain, format!("{}: there is no request any more", waiting.name.shown())));
                    self.page = Page::List;
                }
            }
            Page::List | Page::Form(_) => {
                let live = |name: &&Name| self.facts.find(name).is_some_and(|k| matches!(k.entry.state, State::Live { .. }));
                if let Some(name) = waited.iter().find(live) {
                    self.status = Some((Style::Good, format!("{} is approved", name.shown())));
                }
            }
        }
        self.draw(&mut out);
        out
    }

    /// Shows a line until the next key. [`Notice::Error`] also brings back the form of a request that is under way.
    pub fn notice(&mut self, notice: Notice) -> Output {
        let mut out = Output::default();
        self.status = Some(match notice {
            Notice::Info(text) => (Style::Plain, text::clean(&text, MAX_STATUS)),
            Notice::Error(text) => {
                self.withdrawn = None;
                if let Some((form, _)) = self.sent.take() {
                    match &self.page {
                        Page::Waiting(waiting) if waiting.name == form.name => self.page = Page::Form(form),
                        _ => self.draft = Some(form),
                    }
                }
                (Style::Bad, format!("Error: {}", text::clean(&text, MAX_STATUS)))
            }
        });
        self.draw(&mut out);
        out
    }

    /// Time has passed: `now` as in [`Menu::start`]. A reading that goes back counts as none.
    pub fn tick(&mut self, now: Duration) -> Output {
        let mut out = Output::default();
        self.now = self.now.max(now);
        self.keys_heard = 0;
        if let Some(key) = self.keys.tick(self.now)
            && self.running()
        {
            self.key(key, &mut out);
        }
        if let Page::Waiting(Waiting { name, stage: Stage::Approved { connects_at: Some(at) }, .. }) = &self.page
            && *at <= self.now
            && self.running()
        {
            let name = name.clone();
            self.connect(&name, &mut out);
        }
        self.draw(&mut out);
        out
    }

    fn size(&mut self, cols: u16, rows: u16) {
        let told = |n: u16, untold: u16, most: u16| usize::from(if n == 0 { untold } else { n.min(most) });
        (self.cols, self.rows) = (told(cols, 80, MAX_COLS), told(rows, 24, MAX_ROWS));
    }

    fn draw(&mut self, out: &mut Output) {
        if self.running() {
            self.list.settle(&self.facts, draw::list_height(self.rows));
            let page = draw::page(self);
            out.bytes.extend(self.screen.draw(page).into_bytes());
        }
    }

    fn key(&mut self, key: Key, out: &mut Output) {
        if key == Key::Leave {
            return self.finish(Action::Leave, out);
        }
        self.keys_heard = self.keys_heard.saturating_add(1);
        if self.keys_heard > MAX_KEYS_PER_TICK {
            return;
        }
        if key == Key::Redraw {
            return self.screen.forget();
        }
        self.status = None;
        if let Some(top) = self.help.take() {
            self.help = draw::next_help(key, top, self.cols, self.rows);
            return;
        }
        match std::mem::replace(&mut self.page, Page::List) {
            Page::List => self.list_key(key, out),
            Page::Form(form) => self.form_key(form, key, out),
            Page::Waiting(waiting) => self.waiting_key(waiting, key, out),
        }
    }

    fn list_key(&mut self, key: Key, out: &mut Output) {
        let height = draw::list_height(self.rows);
        match key {
            Key::Char('?') => self.help = Some(0),
            Key::Enter => {
                self.list.settle(&self.facts, height);
                if let Some(name) = self.list.selected(&self.facts).map(|k| Name::of(&k.entry)) {
                    self.open(name, out);
                }
            }
            Key::Esc if self.list.query.is_empty() => self.status = Some((Style::Plain, "Ctrl-D leaves".to_owned())),
            _ => self.list.key(key, &self.facts, height),
        }
    }

    fn open(&mut self, name: Name, out: &mut Output) {
        let Some(known) = self.facts.find(&name) else { return };
        let unix = self.facts.unix(self.now);
        if let Some((form, before)) = &self.sent
            && form.name == name
        {
            self.page = Page::Waiting(Waiting::new(name, Stage::Sent { before: before.clone() }));
            return;
        }
        match &known.entry.state {
            State::Live { ends_at, .. } if *ends_at > unix => self.connect(&name, out),
            State::NotBegun { .. } | State::Pending { .. } => self.page = Page::Waiting(Waiting::new(name, Stage::Open)),
            _ if !known.may_ask() => self.status = Some((Style::Plain, format!("{} may not be asked for", known.name))),
            _ => {
                let mut form = Form::new(known, unix);
                if let Some(draft) = self.draft.take().filter(|d| d.name == name) {
                    form.reason = draft.reason;
                }
                self.page = Page::Form(form);
            }
        }
    }

    fn form_key(&mut self, mut form: Form, key: Key, out: &mut Output) {
        match form.key(key) {
            FormStep::Stay => self.page = Page::Form(form),
            FormStep::Missing(what) => {
                self.status = Some((Style::Bad, format!("Error: {what}")));
                self.page = Page::Form(form);
            }
            FormStep::Cancel => self.draft = Some(form),
            FormStep::Send if self.sent.is_some() => {
                self.status = Some((Style::Plain, "the request before this one is still being sent".to_owned()));
                self.page = Page::Form(form);
            }
            FormStep::Send => {
                let before = self.facts.find(&form.name).and_then(|k| k.entry.state.request()).map(str::to_owned);
                out.actions.push(form.ask());
                self.page = Page::Waiting(Waiting::new(form.name.clone(), Stage::Sent { before: before.clone() }));
                self.sent = Some((form, before));
            }
        }
    }

    fn waiting_key(&mut self, mut waiting: Waiting, key: Key, out: &mut Output) {
        let known = self.facts.find(&waiting.name);
        let pending = known.and_then(|k| match (&k.entry.state, &waiting.stage) {
            (State::Pending { request, .. }, Stage::Open) => Some(request.clone()),
            _ => None,
        });
        if std::mem::take(&mut waiting.confirm) {
            if let (Key::Char('y' | 'Y'), Some(request)) = (key, pending) {
                self.status = Some((Style::Plain, "withdrawing the request".to_owned()));
                self.withdrawn = Some(request.clone());
                out.actions.push(Action::Withdraw { request });
            }
            self.page = Page::Waiting(waiting);
            return;
        }
        match (key, &mut waiting.stage) {
            (Key::Esc, _) => return,
            (Key::Enter, Stage::Approved { .. }) => {
                let name = waiting.name.clone();
                self.page = Page::Waiting(waiting);
                return self.connect(&name, out);
            }
            (_, Stage::Approved { connects_at }) => *connects_at = None,
            (Key::Char('?'), _) => self.help = Some(0),
            (Key::Char('w' | 'W'), Stage::Open) => waiting.confirm = pending.is_some() && self.withdrawn != pending,
            (Key::Enter, Stage::Open) if known.is_some_and(|k| matches!(k.entry.state, State::Denied { .. } | State::Expired { .. })) => {
                return self.open(waiting.name, out);
            }
            _ => {}
        }
        self.page = Page::Waiting(waiting);
    }

    /// Only if the grant is in force by the facts.
    fn connect(&mut self, name: &Name, out: &mut Output) {
        let unix = self.facts.unix(self.now);
        let open = self.facts.find(name).is_some_and(|k| matches!(k.entry.state, State::Live { ends_at, .. } if ends_at > unix));
        if open {
            self.finish(Action::Connect { account: name.account.clone(), target: name.target.clone() }, out);
        } else {
            self.page = Page::List;
            self.status = Some((Style::Bad, format!("Error: the grant for {} has ended", name.shown())));
        }
    }

    fn finish(&mut self, action: Action, out: &mut Output) {
        // Nothing that was going on may act once more.
        (self.page, self.help) = (Page::List, None);
        out.bytes.extend(self.leave());
        out.actions.push(action);
    }
}
