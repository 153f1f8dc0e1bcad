//! What a family writes on: a terminal of some size, a seed, a part of the vocabulary.

use crate::{
    dice::Dice,
    kind::Kind,
    t,
    text::{Ink, Text},
};

/// Which part of the vocabulary a capture is made of. A third of every list (words, names, shapes) is only ever in the held-out part, the
/// rest only in the open one, so that a rule learned by looking at the open part is examined on what it has not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Open,
    HeldOut,
}

/// What a scene's bytes are: with labels as byte ranges, never overlapping, in order.
#[derive(Debug, Clone, Default)]
pub struct Capture {
    pub cols: u16,
    pub rows: u16,
    /// Without a terminal: an exec's standard output.
    pub plain: bool,
    pub bytes: Vec<u8>,
    pub marks: Vec<Mark>,
    /// Labels by number.
    pub labels: Vec<Label>,
    /// Times since the start in milliseconds, and the end of what had arrived then.
    pub chunks: Vec<(u64, usize)>,
    /// What stood in titles, links and the clipboard: must never come out.
    pub payloads: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub start: usize,
    pub end: usize,
    /// Into `Capture::labels`; none: not graded.
    pub label: Option<usize>,
}

#[derive(Debug, Clone)]
pub struct Label {
    pub kind: Kind,
    pub text: String,
    id: u64,
}

#[derive(Debug)]
pub struct Scene {
    seed: u64,
    dice: Dice,
    part: Part,
    pub cols: usize,
    pub rows: usize,
    capture: Capture,
    /// Byte offset and milliseconds.
    pauses: Vec<(usize, u64)>,
    marks: Vec<(usize, usize, Ink)>,
    /// Lines are kept here instead of being shown.
    kept: Option<Vec<Text>>,
}

const SIZES: [(u16, u16); 4] = [(80, 24), (100, 30), (132, 43), (200, 50)];

impl Scene {
    pub fn new(seed: u64, part: Part) -> Self {
        let dice = Dice::new(seed);
        let (cols, rows) = SIZES[dice.roll(4) as usize];
        let capture = Capture { cols, rows, ..Capture::default() };
        Self { seed, dice, part, cols: cols.into(), rows: rows.into(), capture, pauses: Vec::new(), marks: Vec::new(), kept: None }
    }

    /// No terminal: what an exec writes.
    pub fn without_terminal(&mut self) {
        self.capture.plain = self.kept.is_none();
    }

    // Chance

    pub fn roll(&self, sides: u64) -> u64 {
        self.dice.roll(sides)
    }

    pub fn within(&self, low: u64, high: u64) -> u64 {
        low + self.roll(high - low + 1)
    }

    pub fn chance(&self, percent: u64) -> bool {
        self.roll(100) < percent
    }

    /// One of this part's share of a vocabulary.
    pub fn pick<T: Copy>(&self, from: &[T]) -> T {
        from[self.shape(from.len())]
    }

    /// The number of one of this part's shapes.
    pub fn shape(&self, shapes: usize) -> usize {
        let held = (shapes / 3) as u64;
        match self.part {
            _ if shapes < 3 => self.roll(shapes as u64) as usize,
            Part::HeldOut => self.roll(held) as usize * 3 + 2,
            Part::Open => {
                let n = self.roll(shapes as u64 - held) as usize;
                n / 2 * 3 + n % 2
            }
        }
    }

    /// The number of one of this part's shapes, the same throughout the capture: a hospital numbers all its patients in one way.
    pub fn habit(&self, what: u64, shapes: usize) -> usize {
        let (now, own) = (self.dice.clone(), Dice::new(self.seed ^ what));
        self.dice.become_like(&own);
        let shape = self.shape(shapes);
        self.dice.become_like(&now);
        shape
    }

    /// One of all: for what no rule could depend on.
    pub fn any<T: Copy>(&self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize]
    }

    pub fn digits(&self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + self.roll(10) as u8)).collect()
    }

    pub fn hex(&self, count: usize) -> String {
        (0..count).map(|_| char::from(b"0123456789abcdef"[self.roll(16) as usize])).collect()
    }

    pub fn letters(&self, count: usize) -> String {
        (0..count).map(|_| char::from(b"ABCDEFGHJKMNPQRTUVWXY"[self.roll(21) as usize])).collect()
    }

    pub fn uuid(&self) -> String {
        let (a, b, c, d, e) = (self.hex(8), self.hex(4), self.hex(3), self.hex(3), self.hex(12));
        format!("{a}-{b}-4{c}-9{d}-{e}")
    }

    pub fn clock(&self) -> String {
        format!("{:02}:{:02}:{:02}", self.roll(24), self.roll(60), self.roll(60))
    }

    // Writing

    pub fn say(&mut self, text: impl Into<Text>) {
        let text = text.into();
        if let Some(kept) = &mut self.kept {
            match kept.last_mut() {
                Some(line) => line.push(text),
                None => kept.push(text),
            }
            return;
        }
        for run in text.runs() {
            let start = self.capture.bytes.len();
            self.capture.bytes.extend(run.text.as_bytes());
            if matches!(run.ink, Ink::Label { .. } | Ink::Ungraded) {
                self.marks.push((start, self.capture.bytes.len(), run.ink));
            }
        }
    }

    pub fn line(&mut self, text: impl Into<Text>) {
        self.say(text);
        match &mut self.kept {
            Some(kept) => kept.push(Text::default()),
            None => self.say(if self.capture.plain { "\n" } else { "\r\n" }),
        }
    }

    /// What a family would write, as the lines of a document for a pager or an editor.
    pub fn document(&mut self, make: fn(&mut Self)) -> Vec<Text> {
        self.kept = Some(Vec::new());
        make(self);
        let mut lines = self.kept.take().unwrap_or_default();
        lines.pop();
        lines
    }

    pub fn lines(&mut self, lines: impl IntoIterator<Item = Text>) {
        for line in lines {
            self.line(line);
        }
    }

    /// Nothing comes for so long.
    pub fn pause(&mut self, milliseconds: u64) {
        self.pauses.push((self.capture.bytes.len(), milliseconds));
    }

    /// A prompt, a command echoed, its line end.
    pub fn command(&mut self, command: impl Into<Text>) {
        if self.capture.plain || self.kept.is_some() {
            return;
        }
        let prompt = self.prompt();
        self.line(t![prompt, command]);
        self.pause(40);
    }

    pub fn prompt(&self) -> Text {
        let host = self.any(&["ehr-db-2", "pacs01", "mirth", "app-3", "lis-prod"]);
        match self.shape(6) {
            0 => t!["$ "],
            1 => t![format!("[root@{host} ~]# ")],
            2 => t![
                Text::control("\x1b[01;32m"),
                format!("svc@{host}"),
                Text::control("\x1b[00m"),
                ":",
                Text::control("\x1b[01;34m"),
                "~",
                Text::control("\x1b[00m"),
                "$ "
            ],
            3 => t![format!("vendor@{host}:/var/log$ ")],
            4 => t![Text::control("\x1b[?2004h"), format!("{host}% ")],
            _ => t![format!("{host}:~ # ")],
        }
    }

    /// Somebody types: each character is echoed by itself, with mistakes taken back now and then.
    pub fn typed(&mut self, text: &Text) {
        for (c, ink) in text.chars() {
            if self.chance(4) && c.is_ascii_alphabetic() {
                self.say(self.any_letter());
                self.pause_key();
                self.say("\x08 \x08");
                self.pause_key();
            }
            self.say(Text::of_chars([(c, ink)]));
            self.pause_key();
        }
    }

    fn any_letter(&self) -> Text {
        Text::ungraded("q")
    }

    pub fn pause_key(&mut self) {
        let gap = 35 + self.roll(150);
        self.pause(gap);
    }

    /// Row and column from 1.
    pub fn goto(&mut self, row: usize, column: usize) {
        self.say(Text::control(format!("\x1b[{row};{column}H")));
    }

    pub fn control(&mut self, sequence: &str) {
        self.say(Text::control(sequence));
    }

    /// An operating system command whose payload must never come out.
    pub fn payload(&mut self, before: &str, payload: &str, after: &str) {
        if self.kept.is_some() {
            return;
        }
        self.say(Text::control(format!("{before}{payload}{after}")));
        self.capture.payloads.push(payload.to_owned());
    }

    /// Everything is written: numbers the labels and cuts the bytes at random.
    pub fn finish(mut self) -> Capture {
        for (start, end, ink) in std::mem::take(&mut self.marks) {
            let text = String::from_utf8_lossy(&self.capture.bytes[start..end]).into_owned();
            let label = match ink {
                Ink::Label { id, kind } => {
                    let known = self.capture.labels.iter().position(|label| label.id == id);
                    let at = known.unwrap_or(self.capture.labels.len());
                    match self.capture.labels.get_mut(at) {
                        Some(label) if label.text.len() < 200 => label.text.push_str(&text),
                        Some(_) => {}
                        None => self.capture.labels.push(Label { kind, text, id }),
                    }
                    Some(at)
                }
                _ => None,
            };
            self.capture.marks.push(Mark { start, end, label });
        }
        self.cut();
        self.capture
    }

    fn cut(&mut self) {
        // A local network, a slow link, a very slow one.
        let (most, gaps): (u64, &[u64]) = match self.roll(3) {
            0 => (8192, &[0]),
            1 => (1400, &[0, 1, 3, 8]),
            _ => (300, &[0, 0, 3, 12, 45]),
        };
        let (mut at, mut from) = (0, 0);
        let length = self.capture.bytes.len();
        let pauses = std::mem::take(&mut self.pauses);
        for (stop, pause) in pauses.into_iter().chain([(length, 0)]) {
            while from < stop {
                from = (from + 1 + self.roll(most) as usize).min(stop);
                self.capture.chunks.push((at, from));
                if from < stop {
                    at += self.any(gaps);
                }
            }
            at += pause;
        }
    }
}
