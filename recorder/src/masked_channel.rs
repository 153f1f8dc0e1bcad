//! One channel on its way through masking.
use crate::{EventKind, FileMoved, Pty};
use anteroom_domain::capability::Direction;
use anteroom_format::{Body, FileLine};
use anteroom_masking::{MaskedEvent, MaskedText, Masker, RuleSet, Summary};
use anteroom_picture::{Line, MaskedTiles};
use std::{sync::Arc, time::Duration};

/// How much of a plain channel's end a keyframe shows, in bytes.
const TAIL: usize = 4096;

/// Something for the masked track. Text got here through masking, or it is a fixed word.
pub(crate) struct Piece {
    pub(crate) at: Duration,
    content: Content,
}

enum Content {
    Output(MaskedText),
    Stderr(MaskedText),
    Command(MaskedText),
    Note(MaskedText),
    Message(MaskedText),
    OpenForward { forward: String, place: MaskedText },
    OpenFiles { how: String },
    File { moved: FileMoved, path: MaskedText },
    OpenDesktop(Vec<u8>),
    Tiles(MaskedTiles),
    Words(Line),
    Clipboard { way: Direction, text: MaskedText },
    OpenPty { cols: u16, rows: u16, term: String },
    Signalled(String),
    Bare(Body<'static>),
}

impl Piece {
    pub(crate) fn bare(at: Duration, body: Body<'static>) -> Self {
        Self { at, content: Content::Bare(body) }
    }

    pub(crate) fn tiles(at: Duration, tiles: MaskedTiles) -> Self {
        Self { at, content: Content::Tiles(tiles) }
    }

    pub(crate) fn words(at: Duration, line: Line) -> Self {
        Self { at, content: Content::Words(line) }
    }

    /// Bytes that it takes while it waits, about.
    pub(crate) fn weight(&self) -> usize {
        64 + match self.body() {
            Body::Tiles(b) => b.len(),
            Body::Words { text, .. } | Body::Clipboard { text, .. } | Body::Note(text) | Body::Message(text) => text.len(),
            _ => 0,
        }
    }

    pub(crate) fn body(&self) -> Body<'_> {
        match &self.content {
            Content::Output(t) => Body::Output(t.as_str().as_bytes()),
            Content::Stderr(t) => Body::Stderr(t.as_str().as_bytes()),
            Content::Command(t) => Body::Command(t.as_str().as_bytes()),
            Content::Note(t) => Body::Note(t.as_str()),
            Content::Message(t) => Body::Message(t.as_str()),
            Content::OpenForward { forward, place } => Body::OpenForward { forward, place: place.as_str() },
            Content::OpenFiles { how } => Body::OpenFiles { how },
            Content::File { moved, path } => Body::File(FileLine {
                direction: moved.direction,
                outcome: moved.outcome,
                bytes: moved.bytes,
                sha256: moved.sha256,
                path: path.as_str().as_bytes(),
            }),
            Content::OpenDesktop(coded) => Body::OpenDesktop(coded),
            Content::Tiles(tiles) => Body::Tiles(tiles.as_bytes()),
            Content::Words(Line { text, area }) => {
                Body::Words { x: area.x, y: area.y, width: area.width, height: area.height, text: text.as_str() }
            }
            Content::Clipboard { way, text } => Body::Clipboard { way: *way, more: false, text: text.as_str() },
            Content::OpenPty { cols, rows, term } => Body::OpenPty { cols: *cols, rows: *rows, term },
            Content::Signalled(signal) => Body::Signalled { signal },
            Content::Bare(body) => *body,
        }
    }
}

pub(crate) struct MaskedChannel {
    rules: Arc<RuleSet>,
    masker: Masker,
    /// Standard error is a stream of its own, made when first needed.
    stderr: Option<Masker>,
    view: View,
    /// Its output is bytes between two programs: none of it may come here, and if it does it ends here.
    carries: Option<Carrying>,
    /// Something was shown since the last keyframe.
    changed: bool,
    buffer: Vec<MaskedEvent>,
}

/// What a channel moves that carries bytes and no terminal text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrying {
    Forward,
    /// Standard error is text.
    Files,
    /// What its picture shows comes from clearing.
    Desktop,
}

/// What a viewer sees of it.
enum View {
    /// Of a terminal of this size; masking knows what it shows.
    Screen { cols: u16, rows: u16 },
    /// The end of what a command without terminal wrote.
    Tail(String),
}

impl MaskedChannel {
    pub(crate) fn open(rules: &Arc<RuleSet>, pty: Option<&Pty>) -> Self {
        let (masker, view) = match pty {
            Some(p) => (Masker::new(rules.clone(), p.cols, p.rows), View::Screen { cols: p.cols, rows: p.rows }),
            None => (Masker::plain(rules.clone()), View::Tail(String::new())),
        };
        Self { rules: rules.clone(), masker, stderr: None, view, carries: None, changed: false, buffer: Vec::new() }
    }

    /// A channel whose input and output are in the sealed track only.
    pub(crate) fn open_carrying(rules: &Arc<RuleSet>, what: Carrying) -> Self {
        Self { carries: Some(what), ..Self::open(rules, None) }
    }

    pub(crate) fn opened(&mut self, at: Duration, pty: Option<&Pty>, command: Option<&[u8]>, out: &mut Vec<Piece>) {
        out.push(match pty {
            Some(p) => Piece { at, content: Content::OpenPty { cols: p.cols, rows: p.rows, term: word(&p.term) } },
            None => Piece::bare(at, Body::Open),
        });
        if let Some(command) = command {
            let masked = self.masker.mask_line(&String::from_utf8_lossy(command));
            out.push(Piece { at, content: Content::Command(masked) });
        }
    }

    /// Everything but open, input and close.
    pub(crate) fn take(&mut self, at: Duration, kind: EventKind, out: &mut Vec<Piece>) {
        match kind {
            EventKind::Output(_) if self.carries.is_some() => {}
            EventKind::Stderr(_) if matches!(self.carries, Some(Carrying::Forward | Carrying::Desktop)) => {}
            EventKind::Output(b) => {
                self.masker.feed(at, &b, &mut self.buffer);
                self.shown(Content::Output, out);
            }
            EventKind::Stderr(b) => {
                let rules = &self.rules;
                self.stderr.get_or_insert_with(|| Masker::plain(rules.clone())).feed(at, &b, &mut self.buffer);
                self.shown(Content::Stderr, out);
            }
            EventKind::Resize { cols, rows } => {
                self.masker.resize(at, cols, rows, &mut self.buffer);
                self.shown(Content::Output, out);
            }
            EventKind::Exit { status } => out.push(Piece::bare(at, Body::Exit { status })),
            EventKind::Signalled { signal } => out.push(Piece { at, content: Content::Signalled(word(&signal)) }),
            EventKind::Eof => out.push(Piece::bare(at, Body::Eof)),
            EventKind::Note(text) => {
                let masked = self.masker.mask_line(&text);
                out.push(Piece { at, content: Content::Note(masked) });
            }
            EventKind::OpenForward { forward, place } => {
                let place = self.masker.mask_line(&place);
                out.push(Piece { at, content: Content::OpenForward { forward: word(&forward), place } });
            }
            EventKind::OpenFiles { how } => out.push(Piece { at, content: Content::OpenFiles { how: word(&how) } }),
            EventKind::File(moved) => {
                let path = self.masker.mask_line(&String::from_utf8_lossy(&moved.path));
                out.push(Piece { at, content: Content::File { moved, path } });
            }
            EventKind::Message(text) => self.message(at, &text, out),
            EventKind::OpenDesktop(desktop) => out.push(Piece { at, content: Content::OpenDesktop(desktop.encode()) }),
            EventKind::Pointer { x, y } => out.push(Piece::bare(at, Body::Pointer { x, y })),
            EventKind::Clipboard { way, text } => {
                let text = self.masker.mask_line(&text);
                out.push(Piece { at, content: Content::Clipboard { way, text } });
            }
            EventKind::Open { .. } | EventKind::Input(_) | EventKind::Close => {}
        }
    }

    /// On a terminal it was shown between the target's output: there it goes the way of output too, so that what follows fits the screen.
    fn message(&mut self, at: Duration, text: &str, out: &mut Vec<Piece>) {
        let masked = self.masker.mask_line(text);
        if matches!(self.view, View::Screen { .. }) {
            let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            self.masker.feed(at, format!("\r\n\x1b[7m {shown} \x1b[0m\r\n").as_bytes(), &mut self.buffer);
            self.shown(Content::Output, out);
        }
        out.push(Piece { at, content: Content::Message(masked) });
    }

    /// Nothing came until `now`: what masking held back for more to come is pushed.
    pub(crate) fn settle(&mut self, now: Duration, out: &mut Vec<Piece>) {
        self.masker.settle(now, &mut self.buffer);
        self.shown(Content::Output, out);
        if let Some(stderr) = &mut self.stderr {
            stderr.settle(now, &mut self.buffer);
            self.shown(Content::Stderr, out);
        }
        self.masker.rest();
    }

    /// Distinct identifiers masked so far, by type.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.masker.counts().chain(self.stderr.iter().flat_map(Masker::counts))
    }

    /// Pushes what masking held back.
    pub(crate) fn finish(&mut self, at: Duration, out: &mut Vec<Piece>) -> Vec<Summary> {
        let mut summaries = vec![self.masker.finish(at, &mut self.buffer)];
        self.shown(Content::Output, out);
        if let Some(mut stderr) = self.stderr.take() {
            summaries.push(stderr.finish(at, &mut self.buffer));
            self.shown(Content::Stderr, out);
        }
        summaries
    }

    /// Size and text of the screen, when something was shown since the last time, or in any case with `anyway`.
    pub(crate) fn keyframe(&mut self, anyway: bool) -> Option<(u16, u16, String)> {
        if !std::mem::take(&mut self.changed) && !anyway {
            return None;
        }
        Some(match &self.view {
            View::Screen { cols, rows } => (*cols, *rows, self.masker.screen().map(String::from).unwrap_or_default()),
            View::Tail(tail) => (80, 24, tail.clone()),
        })
    }

    fn shown(&mut self, content: fn(MaskedText) -> Content, out: &mut Vec<Piece>) {
        for event in self.buffer.drain(..) {
            self.changed = true;
            match event {
                MaskedEvent::Output { at, text } => {
                    self.view.feed(text.as_str());
                    out.push(Piece { at, content: content(text) });
                }
                MaskedEvent::Resize { at, cols, rows } => {
                    self.view.resize(cols, rows);
                    out.push(Piece::bare(at, Body::Resize { cols, rows }));
                }
            }
        }
    }
}

impl View {
    fn feed(&mut self, text: &str) {
        match self {
            Self::Screen { .. } => {}
            Self::Tail(tail) => {
                let text = &text[text.ceil_char_boundary(text.len().saturating_sub(TAIL))..];
                tail.push_str(text);
                if tail.len() > 2 * TAIL {
                    // Starts with a whole line where there is one.
                    let from = tail.ceil_char_boundary(tail.len() - TAIL);
                    let from = tail[from..].find('\n').map_or(from, |n| from + n + 1);
                    tail.drain(..from);
                }
            }
        }
    }

    fn resize(&mut self, cols: u16, rows: u16) {
        if let Self::Screen { cols: wide, rows: high } = self {
            (*wide, *high) = (cols, rows);
        }
    }
}

/// Names that come from a client or a target: what a terminal type or a signal may look like, and nothing else.
fn word(s: &str) -> String {
    s.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.+@:".contains(*c)).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The handle does not offer these; this is the second lock on the same door.
    #[test]
    fn bytes_that_were_offered_all_the_same_go_nowhere() {
        let rules = Arc::new(RuleSet::builtin());
        let at = Duration::from_secs(1);
        for (what, kinds) in [
            (Carrying::Forward, vec![EventKind::Output("plain text\n".into()), EventKind::Stderr("plain text\n".into())]),
            (Carrying::Files, vec![EventKind::Output("plain text\n".into())]),
        ] {
            let mut channel = MaskedChannel::open_carrying(&rules, what);
            let mut pieces = Vec::new();
            for kind in kinds {
                channel.take(at, kind, &mut pieces);
            }
            channel.settle(at * 2, &mut pieces);
            channel.finish(at * 3, &mut pieces);
            assert!(pieces.is_empty() && channel.keyframe(true).is_some_and(|(_, _, text)| text.is_empty()), "{what:?}");
        }
    }
}
