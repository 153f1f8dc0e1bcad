//! The way through: bytes and their times in, masked events out.

use std::{sync::Arc, time::Duration};

use crate::{MaskedText, RuleSet, Summary};

/// What goes into the masked track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaskedEvent {
    Output { at: Duration, text: MaskedText },
    Resize { at: Duration, cols: u16, rows: u16 },
}

/// Masks the output of one channel.
#[derive(Debug)]
pub struct Masker {
    _rules: Arc<RuleSet>,
}

impl Masker {
    /// For a channel with a terminal of this size.
    pub fn new(rules: Arc<RuleSet>, _cols: u16, _rows: u16) -> Self {
        Self { _rules: rules }
    }

    /// For a command without a terminal: lines, or bytes that are no text at all.
    pub fn plain(rules: Arc<RuleSet>) -> Self {
        Self { _rules: rules }
    }

    /// Also collect `Summary::spans`. Costs memory by the number of masks; off by default.
    pub fn explain(self) -> Self {
        self
    }

    /// Takes output that arrived `at` (since the session's start; never goes back). Pushes what is ready to `out`; the result does not
    /// depend on how bytes of one `at` were split over calls.
    pub fn feed(&mut self, _at: Duration, _bytes: &[u8], _out: &mut Vec<MaskedEvent>) {}

    /// The terminal's size changed.
    pub fn resize(&mut self, _at: Duration, _cols: u16, _rows: u16, _out: &mut Vec<MaskedEvent>) {}

    /// Masks one line out of the stream (an exec's command) and learns from it.
    pub fn mask_line(&mut self, _text: &str) -> MaskedText {
        MaskedText::default()
    }

    /// The channel ended: everything held back is masked and pushed.
    pub fn finish(&mut self, _at: Duration, _out: &mut Vec<MaskedEvent>) -> Summary {
        Summary::default()
    }
}
