//! One channel as asciicast v2, a line at a time.
use crate::{
    lines,
    masked_track::{MaskedTrack, damaged_segment, keyframe_parts, shown_text},
    replay::ReplayError,
    safe::SafeText,
    screen::Screen,
};
use anteroom_format::{Body, ChannelEntry, Content, Event, SegmentReader, Track};
use std::{collections::VecDeque, fs::File, io::BufReader};

/// Lines of an asciicast v2 file, each with its line feed. At most a chunk of the recording is in memory.
pub struct Cast {
    pub(crate) track: MaskedTrack,
    pub(crate) channel: ChannelEntry,
    pub(crate) segment: u32,
    reader: Option<SegmentReader<BufReader<File>>>,
    pub(crate) lines: VecDeque<String>,
    filter: SafeText,
    /// Until this time (since the session's start) nothing is told; the screen is followed and then painted.
    pub(crate) quiet: Option<(u64, Screen)>,
    /// What comes at this time or later is not told.
    until_us: u64,
    after_cr: bool,
    done: bool,
}

impl std::fmt::Debug for Cast {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cast").field("channel", &self.channel.channel).finish_non_exhaustive()
    }
}

impl Cast {
    /// `from_us` and `until_us` count from the channel's opening.
    pub(crate) fn open(track: MaskedTrack, channel: ChannelEntry, title: &str, from_us: u64, until_us: u64) -> Result<Self, ReplayError> {
        let start_us = channel.opened_us.saturating_add(from_us);
        let keyframe = if from_us > 0 { track.keyframe(channel.channel, start_us)? } else { None };
        let (cols, rows) = channel.pty.as_ref().map_or((80, 24), |(cols, rows, _)| (*cols, *rows));
        let mut cast = Self {
            segment: 0,
            reader: None,
            lines: VecDeque::new(),
            filter: SafeText::default(),
            quiet: None,
            until_us: channel.opened_us.saturating_add(until_us),
            after_cr: false,
            done: false,
            track,
            channel,
        };
        let mut screen = Screen::new(cols, rows);
        if let Some((segment, at)) = keyframe {
            let mut reader = cast.track.segment(segment)?;
            let name = Track::Masked.file_name(segment);
            reader.seek(at.offset, at.sequence).map_err(|e| damaged_segment(&name, e))?;
            screen = read_keyframe(&mut reader, &name)?;
            (cast.segment, cast.reader) = (segment, Some(reader));
        }
        // After a seek the terminal has the size that it had then.
        let (cols, rows) = if from_us > 0 { (screen.cols, screen.rows) } else { (cols, rows) };
        cast.lines.push_back(cast.header(cols, rows, title));
        cast.quiet = (from_us > 0).then_some((start_us, screen));
        Ok(cast)
    }

    fn header(&self, cols: u16, rows: u16, title: &str) -> String {
        let term = self.channel.pty.as_ref().map_or("dumb", |(_, _, term)| term);
        let opened = self.track.header.session.started_at + std::time::Duration::from_micros(self.channel.opened_us);
        let value = serde_json::json!({
            "version": 2, "width": cols.max(1), "height": rows.max(1), "timestamp": opened.unix_timestamp(), "title": title, "env": {"TERM": term},
        });
        format!("{value}\n")
    }

    /// Reads one chunk and queues what it has for this channel.
    fn advance(&mut self) -> Result<(), ReplayError> {
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None if self.segment < self.track.segments => self.first_chunk()?,
            None => {
                self.end();
                return Ok(());
            }
        };
        let number = self.segment;
        match reader.next_chunk() {
            Ok(None) => {
                self.segment += 1;
                return Ok(());
            }
            Ok(Some((chunk, _))) if chunk.first_us >= self.until_us => {
                self.end();
                return Ok(());
            }
            Ok(Some((_, Content::Events(events)))) => {
                for event in events {
                    let event = event.map_err(|p| ReplayError::Damaged(format!("{}: {p}", Track::Masked.file_name(number))))?;
                    if event.channel == self.channel.channel && !self.done {
                        self.hear(&event);
                    }
                }
            }
            Ok(Some(_)) => {}
            Err(e) => {
                self.track.at_chunk(number, e)?;
                self.segment = self.track.segments;
                return Ok(());
            }
        }
        self.reader = Some(reader);
        Ok(())
    }

    /// Opens the current segment and passes over the chunks that ended before the channel was opened.
    pub(crate) fn first_chunk(&mut self) -> Result<SegmentReader<BufReader<File>>, ReplayError> {
        let mut reader = self.track.segment(self.segment)?;
        loop {
            match reader.skip_chunk() {
                Ok(Some(f)) if f.header.last_us < self.channel.opened_us => {}
                Ok(Some(f)) => {
                    reader.seek(f.offset, f.header.sequence).map_err(|e| damaged_segment(&Track::Masked.file_name(self.segment), e))?;
                    return Ok(reader);
                }
                Ok(None) => return Ok(reader),
                Err(e) => {
                    self.track.at_chunk(self.segment, e)?;
                    return Ok(reader);
                }
            }
        }
    }

    pub(crate) fn hear(&mut self, event: &Event<'_>) {
        if event.at_us >= self.until_us {
            self.end();
            return;
        }
        if self.quiet.as_ref().is_some_and(|(until, _)| event.at_us > *until) {
            self.paint();
        }
        match event.body {
            Body::Output(_) | Body::Stderr(_) => {
                let mut text = String::new();
                self.filter.filter(shown_text(&event.body).unwrap_or_default(), &mut text);
                if self.channel.pty.is_none() {
                    text = self.carriage_returns(&text);
                }
                self.show(event.at_us, &text);
            }
            Body::Resize { cols, rows } => match &mut self.quiet {
                Some((_, screen)) => screen.resize(cols, rows),
                None => self.line(event.at_us, "r", &format!("{cols}x{rows}")),
            },
            Body::Close => {
                self.end();
            }
            body => self.beside(event.at_us, &body),
        }
    }

    fn show(&mut self, at_us: u64, text: &str) {
        match &mut self.quiet {
            Some((_, screen)) => screen.feed(text),
            None if text.is_empty() => {}
            None => self.line(at_us, "o", text),
        }
    }

    /// What happened beside the terminal: a marker, and a line of output where there is no text to disturb.
    fn beside(&mut self, at_us: u64, body: &Body<'_>) {
        let carries = self.channel.carries.is_some();
        // A note of the gateway about a terminal is for the list of events, not for the player.
        let Some(line) = lines::line(body).filter(|_| carries || matches!(body, Body::File(_) | Body::Message(_))) else { return };
        if self.quiet.is_none() && !matches!(body, Body::Traffic { .. }) {
            self.line(at_us, "m", &line);
        }
        if self.channel.pty.is_none() {
            self.show(at_us, &format!("{line}\r\n"));
        }
    }

    /// A command without terminal wrote bare line feeds; a terminal needs carriage returns too.
    fn carriage_returns(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 16);
        for c in text.chars() {
            if c == '\n' && !self.after_cr {
                out.push('\r');
            }
            self.after_cr = c == '\r';
            out.push(c);
        }
        out
    }

    fn paint(&mut self) {
        if let Some((until, screen)) = self.quiet.take() {
            let resize = format!("{}x{}", screen.cols.max(1), screen.rows.max(1));
            self.line(until, "r", &resize);
            self.line(until, "o", &screen.paint());
        }
    }

    fn end(&mut self) {
        self.paint();
        self.done = true;
    }

    fn line(&mut self, at_us: u64, kind: &str, text: &str) {
        self.lines.push_back(line(at_us.saturating_sub(self.channel.opened_us), kind, text));
    }
}

impl Iterator for Cast {
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

/// An event of an asciicast v2 file.
pub(crate) fn line(at_us: u64, kind: &str, text: &str) -> String {
    // Text always has a JSON form.
    let text = serde_json::Value::String(text.to_owned());
    format!("[{}.{:06},\"{kind}\",{text}]\n", at_us / 1_000_000, at_us % 1_000_000)
}

/// The screen that starts at the reader's place.
pub(crate) fn read_keyframe(reader: &mut SegmentReader<BufReader<File>>, name: &str) -> Result<Screen, ReplayError> {
    let mut screen: Option<Screen> = None;
    keyframe_parts(reader, name, |k| {
        let screen = screen.get_or_insert_with(|| Screen::new(k.cols, k.rows));
        let mut text = String::new();
        SafeText::default().filter(k.text, &mut text);
        screen.feed(&text);
        Some(())
    })?;
    screen.ok_or_else(|| ReplayError::Damaged(format!("{name}: empty keyframe")))
}
