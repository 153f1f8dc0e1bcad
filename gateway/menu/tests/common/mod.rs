// What the tests share: facts, and a terminal to look at what a person sees.
use alacritty_terminal::{
    Term,
    event::VoidListener,
    grid::Dimensions,
    index::{Column, Line},
    term::{Config, TermMode, cell::Flags},
    vte::ansi::Processor,
};
use anteroom_menu::{Action, Entry, Menu, Options, Output, State, View};
use std::time::Duration;

/// 2026-12-02 15:08:00 UTC.
pub const NOW: u64 = 1_796_224_080;

pub fn entry(account: &str, target: &str, description: &str, state: State) -> Entry {
    Entry {
        target: target.to_owned(),
        account: account.to_owned(),
        description: description.to_owned(),
        state,
        capabilities: ["shell", "exec", "download"].map(str::to_owned).to_vec(),
        max_minutes: 240,
    }
}

pub fn live() -> State {
    State::Live { ends_at: NOW + 52 * 60, approved_by: Some("ben".to_owned()) }
}

pub fn pending(request: &str) -> State {
    State::Pending { request: request.to_owned(), since: NOW - 180 }
}

pub fn view(entries: Vec<Entry>) -> View {
    View { person: "Ada".to_owned(), bastion: "gate.example".to_owned(), port: 22, unix_seconds: NOW, entries }
}

/// One of each kind.
pub fn some() -> View {
    view(vec![
        entry("root", "mri-3", "MRI, ward 4", State::Askable),
        entry("service", "lab-1", "Blood gas analyser", live()),
        entry("root", "pacs-db", "Image archive", pending("r1")),
        entry("oracle", "ris", "Radiology", State::NotBegun { begins_at: NOW + 3600, ends_at: NOW + 7200, approved_by: None }),
        entry("root", "ct-2", "CT, cellar", State::Denied { request: "r0".to_owned(), by: "eve".to_owned(), reason: "not now".to_owned() }),
    ])
}

struct Size(usize, usize);

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        self.1
    }
    fn screen_lines(&self) -> usize {
        self.1
    }
    fn columns(&self) -> usize {
        self.0
    }
}

/// A person: a menu, and the terminal they look at.
pub struct Desk {
    pub menu: Menu,
    pub actions: Vec<Action>,
    pub raw: Vec<u8>,
    pub now: Duration,
    term: Term<VoidListener>,
    parser: Processor,
}

impl Desk {
    pub fn new(cols: u16, rows: u16, view: View) -> Self {
        Self::with(Options { cols, rows, colour: true }, view)
    }

    pub fn with(options: Options, view: View) -> Self {
        let size = Size(options.cols.into(), options.rows.into());
        let mut desk = Self {
            menu: Menu::new(options, view),
            actions: Vec::new(),
            raw: Vec::new(),
            now: Duration::from_secs(1000),
            term: Term::new(Config::default(), &size, VoidListener),
            parser: Processor::new(),
        };
        desk.parser.advance(&mut desk.term, b"$ ssh gate.example\r\n");
        let out = desk.menu.start(desk.now);
        desk.take(out);
        desk
    }

    pub fn take(&mut self, out: Output) {
        self.parser.advance(&mut self.term, &out.bytes);
        self.raw.extend(out.bytes);
        self.actions.extend(out.actions);
    }

    pub fn types(&mut self, text: &str) -> &mut Self {
        let out = self.menu.typed(text.as_bytes());
        self.take(out);
        self
    }

    pub fn hears(&mut self, view: View) -> &mut Self {
        let out = self.menu.update(view);
        self.take(out);
        self
    }

    pub fn waits(&mut self, milliseconds: u64) -> &mut Self {
        for _ in 0..milliseconds / 50 {
            self.now += Duration::from_millis(50);
            let out = self.menu.tick(self.now);
            self.take(out);
        }
        self
    }

    pub fn resizes(&mut self, cols: u16, rows: u16) -> &mut Self {
        self.term.resize(Size(cols.into(), rows.into()));
        let out = self.menu.resize(cols, rows);
        self.take(out);
        self
    }

    /// The rows as they stand on the screen.
    pub fn rows(&self) -> Vec<String> {
        let grid = self.term.grid();
        (0..grid.screen_lines())
            .map(|row| {
                let mut text = String::new();
                for col in 0..grid.columns() {
                    let cell = &grid[Line(row as i32)][Column(col)];
                    if !cell.flags.contains(Flags::WIDE_CHAR_SPACER) {
                        text.push(cell.c);
                        text.extend(cell.zerowidth().unwrap_or_default());
                    }
                }
                text.trim_end().to_owned()
            })
            .collect()
    }

    pub fn screen(&self) -> String {
        self.rows().join("\n")
    }

    #[track_caller]
    pub fn sees(&mut self, text: &str) -> &mut Self {
        assert!(self.screen().contains(text), "{text:?} is not on the screen:\n{}", self.screen());
        self
    }

    #[track_caller]
    pub fn sees_no(&mut self, text: &str) -> &mut Self {
        assert!(!self.screen().contains(text), "{text:?} is on the screen:\n{}", self.screen());
        self
    }

    /// Row and column, if it is to be seen.
    pub fn cursor(&self) -> Option<(i32, usize)> {
        let point = self.term.grid().cursor.point;
        self.term.mode().contains(TermMode::SHOW_CURSOR).then_some((point.line.0, point.column.0))
    }

    pub fn alternate(&self) -> bool {
        self.term.mode().contains(TermMode::ALT_SCREEN)
    }

    pub fn marks_pastes(&self) -> bool {
        self.term.mode().contains(TermMode::BRACKETED_PASTE)
    }
}
