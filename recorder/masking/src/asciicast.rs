//! Asciicast files (version 2 and 3) through the masking engine: lines in, lines out, a version 2 file comes out.
//!
//! Typed input is left out: passwords are typed. Titles, commands and environments are free text and do not pass either.

use std::{
    io::{self, BufRead, Read as _, Write},
    sync::Arc,
    time::Duration,
};

use serde::Deserialize;
use serde_json::json;

use crate::{MaskedEvent, MaskedText, Masker, RuleSet, Summary};

/// A longer line is no asciicast.
const MAX_LINE_BYTES: u64 = 64 << 20;

/// Why a file was refused.
#[derive(Debug, thiserror::Error)]
pub enum CastError {
    #[error("line {line}: {problem}")]
    Line { line: u64, problem: String },
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The first line, of either version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub version: u8,
    pub cols: u16,
    pub rows: u16,
    /// Seconds since 1970 at the recording's start.
    pub timestamp: Option<u64>,
}

/// One event of a file, at its time since the start (version 3 writes intervals; they are added up here).
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Output {
        at: Duration,
        text: String,
    },
    Resize {
        at: Duration,
        cols: u16,
        rows: u16,
    },
    Marker {
        at: Duration,
        label: String,
    },
    /// Input, exit status and what later versions bring.
    Other {
        at: Duration,
    },
}

/// Reads a file line by line. Comments of version 3 and empty lines are passed over.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    header: Header,
    line: u64,
    last: Duration,
    bytes: u64,
}

impl<R: BufRead> Reader<R> {
    /// # Errors
    /// The first line is no header of version 2 or 3.
    pub fn new(mut input: R) -> Result<Self, CastError> {
        let mut text = String::new();
        let bytes = read_line(&mut input, &mut text, 1)?;
        let header = header(text.trim()).map_err(|problem| CastError::Line { line: 1, problem })?;
        Ok(Self { input, header, line: 1, last: Duration::ZERO, bytes })
    }

    pub fn header(&self) -> Header {
        self.header
    }

    /// Bytes read so far, for a progress bar.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// # Errors
    /// The line is no event; its number is named.
    pub fn event(&mut self) -> Result<Option<Event>, CastError> {
        let mut text = String::new();
        loop {
            text.clear();
            self.line += 1;
            let read = read_line(&mut self.input, &mut text, self.line)?;
            if read == 0 {
                return Ok(None);
            }
            self.bytes += read;
            let trimmed = text.trim();
            if !trimmed.is_empty() && !trimmed.starts_with('#') {
                return self.parse(trimmed).map(Some).map_err(|problem| CastError::Line { line: self.line, problem });
            }
        }
    }

    fn parse(&mut self, text: &str) -> Result<Event, String> {
        let (time, code, data): (f64, String, serde_json::Value) =
            serde_json::from_str(text).map_err(|_| "not an event: [time, code, data] was expected".to_owned())?;
        let time = Duration::try_from_secs_f64(time).map_err(|_| format!("{time} is no time"))?;
        let at = if self.header.version == 3 { self.last.saturating_add(time) } else { time.max(self.last) };
        self.last = at;
        let data = data.as_str().unwrap_or_default();
        Ok(match code.as_str() {
            "o" => Event::Output { at, text: data.to_owned() },
            "m" => Event::Marker { at, label: data.to_owned() },
            "r" => {
                let size = data.split_once('x').and_then(|(cols, rows)| Some((cols.parse().ok()?, rows.parse().ok()?)));
                let (cols, rows) = size.ok_or_else(|| "a resize wants a size like 80x24".to_owned())?;
                Event::Resize { at, cols, rows }
            }
            _ => Event::Other { at },
        })
    }
}

/// Writes a version 2 file. What it takes went through masking.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
}

impl<W: Write> Writer<W> {
    /// # Errors
    /// The output cannot be written.
    pub fn new(mut output: W, header: Header) -> io::Result<Self> {
        let mut line = json!({ "version": 2, "width": header.cols, "height": header.rows });
        if let Some(timestamp) = header.timestamp {
            line["timestamp"] = timestamp.into();
        }
        writeln!(output, "{line}")?;
        Ok(Self { output })
    }

    /// # Errors
    /// The output cannot be written.
    pub fn event(&mut self, event: &MaskedEvent) -> io::Result<()> {
        match event {
            MaskedEvent::Output { at, text } => self.line(*at, "o", text),
            MaskedEvent::Resize { at, cols, rows } => writeln!(self.output, "{}", json!([seconds(*at), "r", format!("{cols}x{rows}")])),
        }
    }

    /// # Errors
    /// The output cannot be written.
    pub fn marker(&mut self, at: Duration, label: &MaskedText) -> io::Result<()> {
        self.line(at, "m", label)
    }

    fn line(&mut self, at: Duration, code: &str, text: &MaskedText) -> io::Result<()> {
        writeln!(self.output, "{}", json!([seconds(at), code, text.as_str()]))
    }
}

/// Masks a whole file. `progress` is told the bytes read so far. `Summary::spans` stays empty; see [`explain`].
///
/// # Errors
/// A line that is no asciicast, named by its number; or the input or output fails.
pub fn mask(input: impl BufRead, output: impl Write, rules: Arc<RuleSet>, progress: impl FnMut(u64)) -> Result<Summary, CastError> {
    run(input, output, rules, false, progress)
}

/// As [`mask`], and says in `Summary::spans` where and why.
///
/// # Errors
/// As [`mask`].
pub fn explain(input: impl BufRead, output: impl Write, rules: Arc<RuleSet>, progress: impl FnMut(u64)) -> Result<Summary, CastError> {
    run(input, output, rules, true, progress)
}

fn run(
    input: impl BufRead,
    output: impl Write,
    rules: Arc<RuleSet>,
    explain: bool,
    mut progress: impl FnMut(u64),
) -> Result<Summary, CastError> {
    let mut reader = Reader::new(input)?;
    let header = reader.header();
    let mut writer = Writer::new(output, header)?;
    let mut masker = Masker::new(rules, header.cols, header.rows);
    if explain {
        masker = masker.explain();
    }
    let mut events = Vec::new();
    let mut last = Duration::ZERO;
    while let Some(event) = reader.event()? {
        match event {
            Event::Output { at, text } => {
                last = at;
                masker.feed(at, text.as_bytes(), &mut events);
            }
            Event::Resize { at, cols, rows } => {
                last = at;
                masker.resize(at, cols, rows, &mut events);
            }
            Event::Marker { at, label } => {
                // What was on the screen at the mark comes before it.
                last = at;
                masker.settle(at, &mut events);
                write_all(&mut writer, &mut events)?;
                let label = masker.mask_line(&label);
                writer.marker(at, &label)?;
            }
            Event::Other { at } => last = at,
        }
        write_all(&mut writer, &mut events)?;
        progress(reader.bytes());
    }
    let summary = masker.finish(last, &mut events);
    write_all(&mut writer, &mut events)?;
    writer.output.flush()?;
    Ok(summary)
}

fn write_all<W: Write>(writer: &mut Writer<W>, events: &mut Vec<MaskedEvent>) -> io::Result<()> {
    events.drain(..).try_for_each(|event| writer.event(&event))
}

fn seconds(at: Duration) -> f64 {
    // Microseconds are what players and this program's own times have.
    (at.as_secs_f64() * 1e6).round() / 1e6
}

fn read_line(input: &mut impl BufRead, text: &mut String, line: u64) -> Result<u64, CastError> {
    let read = input.take(MAX_LINE_BYTES).read_line(text).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => CastError::Line { line, problem: "not UTF-8".to_owned() },
        _ => CastError::Io(error),
    })?;
    if read as u64 == MAX_LINE_BYTES {
        return Err(CastError::Line { line, problem: format!("longer than {} MiB", MAX_LINE_BYTES >> 20) });
    }
    Ok(read as u64)
}

fn header(text: &str) -> Result<Header, String> {
    #[derive(Deserialize)]
    struct Line {
        version: u8,
        width: Option<u16>,
        height: Option<u16>,
        term: Option<Term>,
        timestamp: Option<u64>,
    }
    #[derive(Deserialize)]
    struct Term {
        cols: u16,
        rows: u16,
    }
    let line: Line = serde_json::from_str(text).map_err(|_| "not the header of an asciicast".to_owned())?;
    let size = match line.version {
        2 => line.width.zip(line.height),
        3 => line.term.map(|term| (term.cols, term.rows)),
        version => return Err(format!("asciicast version {version} is not known; versions 2 and 3 are")),
    };
    match size {
        Some((cols, rows)) if cols > 0 && rows > 0 => Ok(Header { version: line.version, cols, rows, timestamp: line.timestamp }),
        _ => Err("the header does not tell the terminal's size".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn masked(cast: &str) -> Result<(String, Summary), CastError> {
        let mut out = Vec::new();
        let summary = explain(cast.as_bytes(), &mut out, Arc::new(RuleSet::builtin()), |_| {})?;
        Ok((String::from_utf8(out).unwrap(), summary))
    }

    #[test]
    fn both_versions_come_out_as_version_2() {
        let two = "{\"version\":2,\"width\":80,\"height\":24,\"title\":\"Whitfield\",\"timestamp\":5}\n[0.5,\"o\",\"MRN: E004512\\r\\n\"]\n[0.7,\"i\",\"secret\"]\n[1.5,\"m\",\"mrn: E004512\"]\n[2.5,\"r\",\"40x10\"]\n[3.0,\"o\",\"$ \"]\n";
        let three = "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24},\"timestamp\":5}\n# a comment\n[0.5,\"o\",\"MRN: E004512\\r\\n\"]\n[0.2,\"i\",\"secret\"]\n[0.8,\"m\",\"mrn: E004512\"]\n[1.0,\"r\",\"40x10\"]\n[0.5,\"o\",\"$ \"]\n[0.1,\"x\",\"0\"]\n";
        let (text, summary) = masked(two).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        // In whatever order: another crate may switch serde_json to that of insertion.
        let header: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
        assert_eq!(header, serde_json::json!({ "version": 2, "width": 80, "height": 24, "timestamp": 5 }));
        assert_eq!(lines[1], "[0.5,\"o\",\"MRN: ███████\\r\\n\"]");
        assert_eq!(lines[2], "[1.5,\"m\",\"mrn: ███████\"]");
        assert_eq!(lines[3], "[2.5,\"r\",\"40x10\"]");
        assert_eq!(summary.counts["mrn"], 1);
        assert_eq!((summary.spans[0].row, summary.spans[0].column, summary.spans[0].width), (0, 5, 7));
        let again = masked(three).unwrap().0;
        assert_eq!(again.lines().skip(1).collect::<Vec<_>>(), lines[1..]);
        assert_eq!(serde_json::from_str::<serde_json::Value>(again.lines().next().unwrap()).unwrap(), header);
    }

    #[test]
    fn what_is_no_asciicast_is_refused_with_its_line() {
        for (text, expected) in [
            ("", "line 1: not the header of an asciicast"),
            ("{\"version\":1,\"width\":80,\"height\":24}\n", "line 1: asciicast version 1 is not known; versions 2 and 3 are"),
            ("{\"version\":2}\n", "line 1: the header does not tell the terminal's size"),
            ("{\"version\":2,\"width\":80,\"height\":24}\n\n[1,\"o\"]\n", "line 3: not an event: [time, code, data] was expected"),
            ("{\"version\":2,\"width\":80,\"height\":24}\n[-1,\"o\",\"x\"]\n", "line 2: -1 is no time"),
            ("{\"version\":2,\"width\":80,\"height\":24}\n[1,\"r\",\"big\"]\n", "line 2: a resize wants a size like 80x24"),
        ] {
            assert_eq!(masked(text).unwrap_err().to_string(), expected);
        }
    }
}
