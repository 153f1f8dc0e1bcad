//! A released interval as it was: rendered anew, never passed through.
//!
//! The sealed track's bytes go to a terminal emulator here, and what is on its screen is written with text, colours and cursor movements
//! only: a title, a link, a clipboard write has nowhere to go. The masked track is followed beside it, and what stands where that has a
//! mask is marked: exactly what the masked recording hides, whatever rules and whatever was known when it was made.
mod grid;
mod keys;
mod paint;
mod strings;

use crate::{
    cast::Cast,
    lines,
    masked_track::{MaskedTrack, damaged_segment},
    replay::ReplayError,
    unmask::Released,
};
use anteroom_format::{Body, ChannelEntry, Content, ReleasedReader, Track, hex};
use grid::Grid;
use keys::Keys;
use paint::Painter;
use std::{collections::VecDeque, fs::File, io::BufReader, sync::Arc};

/// Rows that are held for one frame at most; then it is shown.
const MAX_SCROLLED: usize = 4_096;

type Reader = ReleasedReader<BufReader<File>>;

/// Lines of an asciicast v2 file, like [`Cast`]'s.
pub(crate) struct Revealed {
    track: MaskedTrack,
    channel: ChannelEntry,
    released: Arc<Released>,
    next: usize,
    reader: Option<(u32, Reader)>,
    masked: Follower,
    /// What a terminal shows of the masked track, and of the sealed one.
    hidden: Grid,
    shown: Grid,
    painter: Painter,
    keys: Keys,
    lines: VecDeque<String>,
    carried: (u64, u64),
    dirty: bool,
    at_us: u64,
    after_cr: bool,
    done: bool,
}

impl Revealed {
    pub(crate) fn open(
        track: MaskedTrack,
        beside: MaskedTrack,
        channel: ChannelEntry,
        released: Arc<Released>,
    ) -> Result<Self, ReplayError> {
        if released.session() != track.header.session.session || released.header_sha256() != hex(&track.recording) {
            return Err(ReplayError::OtherRelease);
        }
        let from_us = micros(released.from());
        let title = format!("{} (as it was)", crate::replay::title(&channel));
        let cast = Cast::open(beside, channel.clone(), &title, from_us.saturating_sub(channel.opened_us), u64::MAX)?;
        let mut masked = Follower { cast, opened_us: channel.opened_us, ahead: None };
        let (header, cols, rows) = masked.header()?;
        let mut this = Self {
            hidden: Grid::new(cols, rows),
            shown: Grid::new(cols, rows),
            painter: Painter::new(rows),
            at_us: from_us.max(channel.opened_us),
            lines: VecDeque::from([header]),
            track,
            channel,
            released,
            next: 0,
            reader: None,
            masked,
            keys: Keys::default(),
            carried: (0, 0),
            dirty: false,
            after_cr: false,
            done: false,
        };
        // The screen as the masked track has it when the interval begins.
        if from_us > this.channel.opened_us {
            while let Some((_, change)) = this.masked.next_until(from_us)? {
                if let Change::Text(text) = &change {
                    this.shown.feed(text.as_bytes());
                }
                this.hide(&change);
            }
            this.dirty = true;
            this.frame(from_us);
        }
        Ok(this)
    }

    /// Opens one chunk and queues what it has for this channel.
    fn advance(&mut self) -> Result<(), ReplayError> {
        if self.released.is_expired() {
            return Err(ReplayError::Expired);
        }
        let released = self.released.clone();
        let Some(chunk) = released.chunks().get(self.next) else { return self.end() };
        self.next += 1;
        let name = Track::Sealed.file_name(chunk.segment);
        let mut reader = match self.reader.take().filter(|(segment, _)| *segment == chunk.segment) {
            Some((_, reader)) => reader,
            None => released_segment(&self.track, chunk.segment)?,
        };
        let (from_us, until_us) = (micros(released.from()), micros(released.until()));
        let (_, content) = reader.chunk(chunk).map_err(|e| damaged_segment(&name, e))?;
        if let Content::Events(events) = content {
            for event in events {
                let event = event.map_err(|p| ReplayError::Damaged(format!("{name}: {p}")))?;
                // A chunk is opened as a whole; what is shown of it is the interval.
                if event.channel == self.channel.channel && (from_us..=until_us).contains(&event.at_us) && !self.done {
                    self.take(event.at_us, &event.body)?;
                }
            }
        }
        self.reader = Some((chunk.segment, reader));
        Ok(())
    }

    fn take(&mut self, at_us: u64, body: &Body<'_>) -> Result<(), ReplayError> {
        self.follow(at_us.saturating_sub(1))?;
        self.at_us = at_us;
        match *body {
            Body::Input(b) if self.channel.carries.is_some() => self.carried.0 += b.len() as u64,
            Body::Output(b) | Body::Stderr(b) if self.channel.carries.is_some() => self.carried.1 += b.len() as u64,
            Body::Input(b) => {
                let typed = self.keys.read(b);
                if !typed.is_empty() {
                    self.line(at_us, "i", &typed);
                }
            }
            Body::Output(b) | Body::Stderr(b) => self.output(b),
            Body::Resize { cols, rows } => {
                self.frame(at_us);
                self.shown.resize(cols, rows);
                self.painter.resized(self.shown.rows());
                self.line(at_us, "r", &format!("{}x{}", self.shown.cols(), self.shown.rows()));
                self.dirty = true;
            }
            Body::Command(command) => {
                let command = lines::clean(&String::from_utf8_lossy(command));
                self.line(at_us, "m", &format!("command: {command}"));
            }
            Body::Close => self.end()?,
            ref body => {
                if let Some(line) = lines::line(body) {
                    self.line(at_us, "m", &line);
                }
            }
        }
        Ok(())
    }

    fn output(&mut self, bytes: &[u8]) {
        self.dirty = true;
        for piece in bytes.chunks(grid::PIECE) {
            if self.channel.pty.is_some() {
                self.shown.feed(piece);
            } else {
                // A command without terminal wrote bare line feeds; a terminal needs carriage returns too.
                let mut whole = Vec::with_capacity(piece.len() + 16);
                for b in piece {
                    if *b == b'\n' && !self.after_cr {
                        whole.push(b'\r');
                    }
                    self.after_cr = *b == b'\r';
                    whole.push(*b);
                }
                self.shown.feed(&whole);
            }
            if self.shown.scrolled() >= MAX_SCROLLED {
                self.frame(self.at_us);
            }
        }
    }

    /// Applies what the masked track shows until then. Each of its frames is one of ours: it has all output up to its time.
    fn follow(&mut self, until_us: u64) -> Result<(), ReplayError> {
        while let Some((at_us, change)) = self.masked.next_until(until_us)? {
            self.hide(&change);
            if matches!(change, Change::Text(_)) {
                self.frame(at_us);
            }
        }
        Ok(())
    }

    fn hide(&mut self, change: &Change) {
        match change {
            Change::Text(text) => self.hidden.feed(text.as_bytes()),
            Change::Size(cols, rows) => self.hidden.resize(*cols, *rows),
        }
    }

    fn frame(&mut self, at_us: u64) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        let text = self.painter.show(self.shown.frame(), self.hidden.frame());
        if !text.as_str().is_empty() {
            self.line(at_us, "o", text.as_str());
        }
    }

    fn end(&mut self) -> Result<(), ReplayError> {
        self.follow(micros(self.released.until()))?;
        self.frame(self.at_us);
        let typed = self.keys.rest();
        if !typed.is_empty() {
            self.line(self.at_us, "i", &typed);
        }
        if self.channel.carries.is_some() {
            let (up, down) = self.carried;
            let line =
                format!("{up} bytes from the client and {down} bytes to the client in this interval; bytes between programs are not shown");
            self.line(self.at_us, "m", &line);
            self.line(self.at_us, "o", &format!("{line}\r\n"));
        }
        self.done = true;
        Ok(())
    }

    fn line(&mut self, at_us: u64, kind: &str, text: &str) {
        self.lines.push_back(crate::cast::line(at_us.saturating_sub(self.channel.opened_us), kind, text));
    }
}

/// A segment of the sealed track, of which no more than the released chunks can be read.
pub(crate) fn released_segment(track: &MaskedTrack, number: u32) -> Result<Reader, ReplayError> {
    let name = Track::Sealed.file_name(number);
    let file = track.open_file(Track::Sealed, number)?;
    let reader = ReleasedReader::open(BufReader::with_capacity(80 << 10, file)).map_err(|e| damaged_segment(&name, e))?;
    let h = reader.header();
    let at_home = h.track == Track::Sealed && h.segment == number && h.recording == track.recording;
    if at_home { Ok(reader) } else { Err(ReplayError::Damaged(format!("{name} belongs to another recording"))) }
}

impl Iterator for Revealed {
    type Item = Result<String, ReplayError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Some(Ok(line));
            }
            if self.done {
                return None;
            }
            if let Err(e) = self.advance() {
                self.done = true;
                return Some(Err(e));
            }
        }
    }
}

/// What changes the masked screen.
enum Change {
    Text(String),
    Size(u16, u16),
}

/// The masked replay of the same channel, read event by event.
struct Follower {
    cast: Cast,
    opened_us: u64,
    ahead: Option<(u64, Change)>,
}

impl Follower {
    /// The cast's first line, and the terminal's size in it.
    fn header(&mut self) -> Result<(String, u16, u16), ReplayError> {
        let broken = || ReplayError::Damaged("the masked track has no beginning".into());
        let line = self.cast.next().ok_or_else(broken)??;
        let header: serde_json::Value = serde_json::from_str(&line).map_err(|_| broken())?;
        let side = |name: &str, default| header[name].as_u64().and_then(|n| u16::try_from(n).ok()).unwrap_or(default);
        let (cols, rows) = (side("width", 80), side("height", 24));
        Ok((line, cols, rows))
    }

    /// The next change, if it is not after `until_us`.
    fn next_until(&mut self, until_us: u64) -> Result<Option<(u64, Change)>, ReplayError> {
        while self.ahead.is_none() {
            let Some(line) = self.cast.next() else { return Ok(None) };
            let line = line?;
            // Our own writing: seconds with six digits.
            let Ok((at, kind, text)) = serde_json::from_str::<(f64, String, String)>(&line) else { continue };
            let at_us = self.opened_us + (at * 1e6).round() as u64;
            let size = || text.split_once('x').and_then(|(cols, rows)| Some((cols.parse().ok()?, rows.parse().ok()?)));
            self.ahead = match kind.as_str() {
                "o" => Some((at_us, Change::Text(text))),
                "r" => size().map(|(cols, rows)| (at_us, Change::Size(cols, rows))),
                _ => None,
            };
        }
        Ok(self.ahead.take_if(|(at_us, _)| *at_us <= until_us))
    }
}

fn micros(at: std::time::Duration) -> u64 {
    u64::try_from(at.as_micros()).unwrap_or(u64::MAX)
}
