//! The scp protocol, as `scp -t` and `scp -f` speak it on a channel.
//!
//! One side is the source: it sends lines and content. The other is the sink: it answers each with a zero byte, or with
//! 1 or 2 and a message. A file that the grant does not allow is answered by the watcher as the sink would, so that the
//! source goes on with the next one. Where a rule goes by paths, each line waits until the target has told, elsewhere, what its path is.
mod command;
mod lines;
mod rules;

pub use command::{ScpCommand, scp_command};

use crate::{Event, Kind, Out, Real, Side, Violation, lane::Walk, policy::Policy, track::Track};
use anteroom_domain::{Capabilities, capability::Direction};
use bytes::{Bytes, BytesMut};
use lines::Line;
use rules::Place;
use std::collections::VecDeque;

/// Longest line: a name and what stands before it.
const MAX_LINE: usize = crate::MAX_PATH + 64;
/// Bytes a source may send ahead of the answer it should wait for; the window of a channel is less.
const MAX_HELD: usize = 4 << 20;
const MAX_HELD_PIECES: usize = 4096;
/// Directories inside each other.
const MAX_DEPTH: usize = 256;
/// Answers of a sink that nobody has waited for.
const MAX_ANSWERS: usize = 16;
const MAX_REFUSALS: u32 = 10_000;

/// Watches one channel that runs the scp of a [`ScpCommand`]. After an error it lets nothing more through.
#[derive(Debug)]
pub struct Scp {
    command: ScpCommand,
    policy: Policy,
    place: Place,
    state: State,
    /// A rule goes by paths, so that each has to be asked for.
    asks: bool,
    waiting: Option<Waiting>,
    line: BytesMut,
    /// Of the source, while the sink has not answered.
    held: VecDeque<Bytes>,
    held_bytes: usize,
    /// Of the sink, that nobody has waited for: whether each was good.
    answers: VecDeque<bool>,
    /// Of the sink: in the middle of a message.
    message: Option<usize>,
    file: Option<Moving>,
    files: u64,
    refusals: u32,
    ended: Option<Violation>,
}

#[derive(Debug)]
struct Moving {
    path: Bytes,
    track: Track,
    number: u64,
    size: u64,
}

/// What waits for the target to tell what a path is.
#[derive(Debug)]
enum Waiting {
    /// All of it, for the command's own path.
    Start,
    /// A line of the source, and the path it is about.
    Line(Bytes, Bytes),
}

/// What the source's next byte is, or what has to come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The sink's answer to what went through last.
    Answer(After),
    /// What the path of a line is.
    Told,
    Line,
    Content {
        left: u64,
    },
    /// The source's own status byte behind the content.
    Status,
    /// The message behind such a byte, or instead of a line.
    Message {
        after_content: bool,
        length: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Nothing,
    File,
    Directory,
    Content { good: bool },
}

impl Scp {
    pub fn new(command: ScpCommand, granted: &Capabilities) -> Self {
        let policy = Policy::new(granted);
        let way = if command.upload { Direction::Upload } else { Direction::Download };
        // What is not absolute is matched by no rule but `**`, whatever it is.
        let asks = policy.by_path(way) && command.path.starts_with(b"/");
        Self {
            policy,
            asks,
            waiting: asks.then_some(Waiting::Start),
            place: Place::new(&command),
            command,
            state: State::Answer(After::Nothing),
            line: BytesMut::new(),
            held: VecDeque::new(),
            held_bytes: 0,
            answers: VecDeque::new(),
            message: None,
            file: None,
            files: 0,
            refusals: 0,
            ended: None,
        }
    }

    /// The path that has to be told by [`answer`](Self::answer) before the command may start.
    pub fn question(&self) -> Option<&Bytes> {
        matches!(self.waiting, Some(Waiting::Start)).then_some(&self.command.path)
    }

    /// What the path of the last question is; none if the target can't tell.
    ///
    /// # Errors
    /// As for [`client`](Self::client). Before the command has started: it must not.
    pub fn answer(&mut self, real: Option<Real>, out: &mut Out) -> Result<(), Violation> {
        if let Some(ended) = &self.ended {
            return Err(ended.clone());
        }
        let done = match self.waiting.take() {
            Some(Waiting::Start) => return self.begin(real),
            Some(Waiting::Line(line, path)) => {
                self.state = State::Line;
                let nothing = Bytes::new();
                let mut walk = Walk::new(self.source(), &nothing, out);
                let judged = self.told(line, path, real, &mut walk);
                self.answered(walk.events());
                walk.finish();
                judged.and_then(|()| self.release(out))
            }
            None => Ok(()),
        };
        self.closed_if_broken(done, out)
    }

    /// The command may start if something could move there.
    fn begin(&mut self, real: Option<Real>) -> Result<(), Violation> {
        let way = self.way();
        let leads = |path: &[u8], directory: bool| {
            // Into a directory, or all of it.
            self.policy.terms(way, path).is_some() || (directory && self.policy.leads(way, path))
        };
        let what = match real {
            Some(real) if leads(&real.path, self.command.recursive || (self.command.upload && real.kind == Kind::Directory)) => {
                self.place.tell(&real);
                return Ok(());
            }
            Some(_) => self.place.no(),
            None if leads(&self.command.path, true) => rules::UNKNOWN,
            None => self.place.no(),
        };
        let refused = Violation::NotGranted(what);
        self.ended = Some(refused.clone());
        Err(refused)
    }

    /// Bytes that the client sent.
    ///
    /// # Errors
    /// The channel has to end; what is in `out` by then may still be delivered.
    pub fn client(&mut self, data: &Bytes, out: &mut Out) -> Result<(), Violation> {
        self.feed(Side::Client, data, out)
    }

    /// Bytes that the target sent.
    ///
    /// # Errors
    /// As for [`client`](Self::client).
    pub fn target(&mut self, data: &Bytes, out: &mut Out) -> Result<(), Violation> {
        self.feed(Side::Target, data, out)
    }

    /// The channel is at its end: a file that is on its way becomes partial.
    pub fn finish(&mut self, out: &mut Out) {
        self.over(false, &mut out.events);
        self.held.clear();
        self.ended.get_or_insert(Violation::Scp { side: Side::Client, what: "the channel is at its end" });
    }

    fn way(&self) -> Direction {
        if self.command.upload { Direction::Upload } else { Direction::Download }
    }

    fn source(&self) -> Side {
        if self.command.upload { Side::Client } else { Side::Target }
    }

    fn feed(&mut self, side: Side, data: &Bytes, out: &mut Out) -> Result<(), Violation> {
        if let Some(ended) = &self.ended {
            return Err(ended.clone());
        }
        if matches!(self.waiting, Some(Waiting::Start)) {
            return Err(Violation::NotGranted(rules::UNKNOWN));
        }
        let fed = self.permitted(out).and_then(|()| match side == self.source() {
            true if self.held.is_empty() => self.take_of_source(data, out),
            true => self.hold(data.clone()),
            false => self.take_of_sink(data, out).and_then(|()| self.release(out)),
        });
        self.closed_if_broken(fed, out)
    }

    fn closed_if_broken(&mut self, done: Result<(), Violation>, out: &mut Out) -> Result<(), Violation> {
        if let Err(violation) = &done {
            // Read by the client's scp as a message of the other end: shown, and counted as an error.
            out.to_client.push(format!("\x01anteroom: {violation}\n").into());
            self.ended = Some(violation.clone());
        }
        done
    }

    /// The grant has a rule for this direction at all.
    fn permitted(&mut self, out: &mut Out) -> Result<(), Violation> {
        if self.policy.allows(self.way()) {
            return Ok(());
        }
        let what = if self.command.upload { rules::NO_UPLOAD } else { rules::NO_DOWNLOAD };
        out.events.push(rules::refused(what, &self.command.path));
        Err(Violation::NotGranted(what))
    }

    /// What a source sent early, now that the sink has answered.
    fn release(&mut self, out: &mut Out) -> Result<(), Violation> {
        while !matches!(self.state, State::Answer(_) | State::Told)
            && let Some(data) = self.held.pop_front()
        {
            self.held_bytes -= data.len();
            self.take_of_source(&data, out)?;
        }
        Ok(())
    }

    fn hold(&mut self, data: Bytes) -> Result<(), Violation> {
        self.held_bytes += data.len();
        if self.held_bytes > MAX_HELD || self.held.len() >= MAX_HELD_PIECES {
            return Err(self.broke("it does not wait for answers"));
        }
        self.held.push_back(data);
        Ok(())
    }

    fn broke(&self, what: &'static str) -> Violation {
        Violation::Scp { side: self.source(), what }
    }

    fn take_of_source(&mut self, data: &Bytes, out: &mut Out) -> Result<(), Violation> {
        let mut walk = Walk::new(self.source(), data, out);
        let mut at = 0;
        let walked = loop {
            if at == data.len() {
                break Ok(());
            }
            if let State::Answer(_) | State::Told = self.state {
                let rest = data.slice(at..);
                self.held_bytes += rest.len();
                self.held.push_front(rest);
                break if self.held_bytes > MAX_HELD { Err(self.broke("it does not wait for answers")) } else { Ok(()) };
            }
            if let Err(e) = self.step(data, &mut at, &mut walk) {
                break Err(e);
            }
        };
        walk.finish();
        walked
    }

    fn step(&mut self, data: &Bytes, at: &mut usize, walk: &mut Walk<'_>) -> Result<(), Violation> {
        let rest = &data[*at..];
        match self.state {
            State::Answer(_) | State::Told => {}
            State::Content { left } => {
                let n = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                self.content(data.slice(*at..*at + n), walk.events());
                walk.pass(*at..*at + n);
                *at += n;
                let left = left - n as u64;
                self.state = if left == 0 { State::Status } else { State::Content { left } };
            }
            State::Status => {
                let good = rest[0] == 0;
                if !good && rest[0] > 2 {
                    return Err(self.broke("content is not followed by a status"));
                }
                walk.pass(*at..*at + 1);
                *at += 1;
                self.state = if good { State::Answer(After::Content { good }) } else { State::Message { after_content: true, length: 0 } };
            }
            State::Message { after_content, length } => {
                let end = rest.iter().position(|b| *b == b'\n');
                let n = end.map_or(rest.len(), |e| e + 1);
                if length + n > MAX_LINE {
                    return Err(self.broke("a message is too long"));
                }
                walk.pass(*at..*at + n);
                *at += n;
                self.state = match end {
                    None => State::Message { after_content, length: length + n },
                    Some(_) if after_content => State::Answer(After::Content { good: false }),
                    Some(_) => State::Line,
                };
            }
            State::Line if self.line.is_empty() && matches!(rest[0], 1 | 2) => {
                walk.pass(*at..*at + 1);
                *at += 1;
                self.state = State::Message { after_content: false, length: 0 };
            }
            State::Line => {
                let end = rest.iter().position(|b| *b == b'\n');
                let n = end.map_or(rest.len(), |e| e + 1);
                if self.line.len() + n > MAX_LINE {
                    return Err(self.broke("a line is too long"));
                }
                self.line.extend_from_slice(&rest[..n]);
                *at += n;
                if end.is_some() {
                    let line = std::mem::take(&mut self.line).freeze();
                    self.line(line, walk)?;
                }
            }
        }
        self.answered(walk.events());
        Ok(())
    }

    fn line(&mut self, line: Bytes, walk: &mut Walk<'_>) -> Result<(), Violation> {
        let paths = match self.parsed(&line)? {
            Line::File { name, .. } => self.place.of_file(name),
            Line::Directory { .. } if !self.command.recursive => Err("a directory comes without -r"),
            Line::Directory { name } => self.place.of_directory(name),
            Line::Up | Line::Times => Ok(Vec::new()),
        };
        let paths = paths.map_err(|what| self.broke(what))?;
        if self.asks
            && let Some(path) = paths.first()
        {
            walk.ask(path.clone());
            self.state = State::Told;
            self.waiting = Some(Waiting::Line(line, path.clone()));
            return Ok(());
        }
        self.judge(line, paths, walk)
    }

    /// A line whose path the target was asked about.
    fn told(&mut self, line: Bytes, path: Bytes, real: Option<Real>, walk: &mut Walk<'_>) -> Result<(), Violation> {
        // What is sent and yet not there was there under another name.
        match real.filter(|r| self.command.upload || r.kind != Kind::Absent) {
            Some(real) => self.judge(line, vec![real.path], walk),
            None => {
                let is_file = matches!(self.parsed(&line)?, Line::File { .. });
                self.skip(path, rules::UNKNOWN, is_file, walk)
            }
        }
    }

    fn parsed<'a>(&self, line: &'a [u8]) -> Result<Line<'a>, Violation> {
        lines::parse(line.strip_suffix(b"\n").unwrap_or(line)).map_err(|what| self.broke(what))
    }

    /// `paths` is where the line's file or directory may be.
    fn judge(&mut self, line: Bytes, paths: Vec<Bytes>, walk: &mut Walk<'_>) -> Result<(), Violation> {
        let way = self.way();
        let after = match self.parsed(&line)? {
            Line::File { size, name } => match self.place.file(&paths, name, &self.policy, way, size) {
                Ok((path, terms)) => {
                    self.files += 1;
                    self.file = Some(Moving { path, track: Track::new(self.way(), terms, true), number: self.files, size });
                    After::File
                }
                Err((path, what)) => return self.skip(path, what, true, walk),
            },
            Line::Directory { name } => match self.place.directory(paths, name, &self.policy, way) {
                Ok(()) if self.place.depth() > MAX_DEPTH => return Err(self.broke("directories are too deep inside each other")),
                Ok(()) => After::Directory,
                Err((path, what)) => return self.skip(path, what, false, walk),
            },
            Line::Up if self.place.depth() == 0 => return Err(self.broke("a directory ends that did not begin")),
            Line::Up => {
                self.place.up();
                After::Nothing
            }
            Line::Times => After::Nothing,
        };
        walk.onward(line);
        self.state = State::Answer(after);
        Ok(())
    }

    /// Answers the source as a sink that does not want it, and tells the client.
    fn skip(&mut self, path: Bytes, what: &'static str, is_file: bool, walk: &mut Walk<'_>) -> Result<(), Violation> {
        self.refusals += 1;
        if is_file {
            let (direction, path, outcome) = (self.way(), path.clone(), crate::Outcome::Refused);
            walk.event(Event::Moved { direction, path, bytes: 0, sha256: None, outcome });
        }
        walk.event(rules::refused(what, &path));
        let told = Bytes::from(format!("\x01anteroom: {what}\n"));
        walk.back(told.clone());
        if self.source() == Side::Target {
            walk.send_client(told);
        }
        if self.refusals >= MAX_REFUSALS { Err(Violation::Refusals(self.refusals)) } else { Ok(()) }
    }

    fn take_of_sink(&mut self, data: &Bytes, out: &mut Out) -> Result<(), Violation> {
        let sink = if self.command.upload { Side::Target } else { Side::Client };
        let broke = |what| Violation::Scp { side: sink, what };
        let mut walk = Walk::new(sink, data, out);
        let mut at = 0;
        let walked = loop {
            let Some(rest) = data.get(at..).filter(|r| !r.is_empty()) else { break Ok(()) };
            let (n, answer) = match self.message {
                Some(length) => {
                    let end = rest.iter().position(|b| *b == b'\n');
                    let n = end.map_or(rest.len(), |e| e + 1);
                    if length + n > MAX_LINE {
                        break Err(broke("a message is too long"));
                    }
                    self.message = end.is_none().then_some(length + n);
                    (n, end.map(|_| false))
                }
                None if rest[0] == 0 => (1, Some(true)),
                None if rest[0] <= 2 => {
                    self.message = Some(0);
                    (1, None)
                }
                None => break Err(broke("an answer is none of 0, 1 and 2")),
            };
            walk.pass(at..at + n);
            at += n;
            if let Some(good) = answer {
                if self.answers.len() >= MAX_ANSWERS {
                    break Err(broke("it answers what nobody asked"));
                }
                self.answers.push_back(good);
                self.answered(walk.events());
            }
        };
        walk.finish();
        walked
    }

    /// Goes on if the sink's answer is there.
    fn answered(&mut self, events: &mut Vec<Event>) {
        let State::Answer(after) = self.state else { return };
        let Some(good) = self.answers.pop_front() else { return };
        self.state = State::Line;
        match after {
            After::Nothing => {}
            After::Directory if good => {}
            // The source does not enter a directory that the sink does not want.
            After::Directory => self.place.up(),
            After::File if good => {
                let size = self.file.as_ref().map_or(0, |f| f.size);
                self.state = if size == 0 { State::Status } else { State::Content { left: size } };
            }
            After::File => self.over(false, events),
            After::Content { good: sent } => self.over(good && sent, events),
        }
    }

    fn content(&mut self, data: Bytes, events: &mut Vec<Event>) {
        let direction = self.way();
        let Some(f) = &mut self.file else { return };
        let offset = f.track.bytes();
        // In order, so nothing is ever ahead.
        f.track.moved(offset, &data, &mut 0);
        if f.track.terms.keep && !data.is_empty() {
            events.push(Event::Content { direction, handle: f.number, path: f.path.clone(), offset, bytes: data });
        }
    }

    fn over(&mut self, good: bool, events: &mut Vec<Event>) {
        let Some(mut f) = self.file.take() else { return };
        let whole = good && f.track.bytes() == f.size;
        if whole {
            f.track.no_more(f.size);
        }
        events.push(f.track.close(&f.path, whole, &mut 0));
    }
}
