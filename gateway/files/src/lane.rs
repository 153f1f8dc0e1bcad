//! What goes on unchanged goes on as slices of what came, neighbours in one piece.
use crate::{Event, Out, violation::Side};
use bytes::Bytes;
use std::ops::Range;

/// Bytes of one side being walked through.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    side: Side,
    data: &'a Bytes,
    /// Of `data`: passed on and not yet in `out`.
    run: Range<usize>,
    out: &'a mut Out,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(side: Side, data: &'a Bytes, out: &'a mut Out) -> Self {
        Self { side, data, run: 0..0, out }
    }

    /// Lets a part of the data go on.
    pub(crate) fn pass(&mut self, part: Range<usize>) {
        if part.is_empty() {
            return;
        }
        if self.run.end != part.start || self.run.is_empty() {
            self.flush();
            self.run = part;
        } else {
            self.run.end = part.end;
        }
    }

    pub(crate) fn send_target(&mut self, b: Bytes) {
        self.put(Side::Target, b);
    }

    pub(crate) fn send_client(&mut self, b: Bytes) {
        self.put(Side::Client, b);
    }

    /// To the other side, after what was passed.
    pub(crate) fn onward(&mut self, b: Bytes) {
        match self.side {
            Side::Client => self.send_target(b),
            Side::Target => self.send_client(b),
        }
    }

    /// To the side whose bytes are walked.
    pub(crate) fn back(&mut self, b: Bytes) {
        match self.side {
            Side::Client => self.send_client(b),
            Side::Target => self.send_target(b),
        }
    }

    pub(crate) fn event(&mut self, e: Event) {
        self.out.events.push(e);
    }

    pub(crate) fn events(&mut self) -> &mut Vec<Event> {
        &mut self.out.events
    }

    /// Has whoever moves the bytes ask what this path is.
    pub(crate) fn ask(&mut self, path: Bytes) {
        self.out.question = Some(path);
    }

    pub(crate) fn finish(mut self) {
        self.flush();
    }

    fn put(&mut self, to: Side, b: Bytes) {
        if to != self.side {
            self.flush();
        }
        if b.is_empty() {
            return;
        }
        match to {
            Side::Target => self.out.to_target.push(b),
            Side::Client => self.out.to_client.push(b),
        }
    }

    fn flush(&mut self) {
        let run = std::mem::replace(&mut self.run, 0..0);
        if run.is_empty() {
            return;
        }
        let part = self.data.slice(run);
        match self.side {
            Side::Client => self.out.to_target.push(part),
            Side::Target => self.out.to_client.push(part),
        }
    }
}
