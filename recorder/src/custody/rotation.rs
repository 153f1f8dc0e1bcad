//! Rotation: what one key opens is wrapped to others. Envelopes are rewritten; of segments no more is read than their clear headers.
use super::folder::{self, HeldFolder};
use crate::store;
use anteroom_domain::SessionId;
use anteroom_format::{Envelope, EnvelopeError, Opener, PublicKey, SegmentHeader, Track};
use getrandom::rand_core::UnwrapErr;
use serde::Serialize;
use std::{collections::BTreeMap, ops::ControlFlow, path::Path};

/// Failures that are told one by one; the others are counted.
pub const MAX_TOLD: usize = 20;
/// Recipients that are listed; a hospital has a handful.
const MAX_RECIPIENTS: usize = 256;

#[derive(Debug, Clone, Copy)]
pub struct Rotation<'a> {
    /// Root of the recordings.
    pub root: &'a Path,
    pub track: Track,
    /// The key that opens the envelopes today.
    pub old: &'a dyn Opener,
    /// To whom they are wrapped. On the sealed track that is the share of `old`, and no other.
    pub new: &'a [PublicKey],
    /// They stay wrapped to `old` too.
    pub keep_old: bool,
    /// Everything but the writing.
    pub dry_run: bool,
}

/// What became of the envelopes of a track.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Rotated {
    pub rewrapped: u64,
    /// Were as they should be: the rest of a rotation that was interrupted.
    pub already: u64,
    /// Are for other keys.
    pub not_for_key: u64,
    pub failed: u64,
    /// The first [`MAX_TOLD`] of those that failed.
    pub failures: Vec<Failed>,
    /// Why it ended before the last recording, if it did.
    pub stopped: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    pub session: SessionId,
    /// The file, in the recording's folder.
    pub file: String,
    pub why: String,
}

enum Done {
    Rewrapped,
    Already,
    NotForKey,
}

enum Trouble {
    This(String),
    /// No other envelope would fare better.
    Key(String),
}

impl Rotation<'_> {
    /// Goes through every recording; `go_on` is told before each how many there were and how many there are, and may end it. What was
    /// rewrapped stays; doing it again does the rest.
    pub fn run(&self, mut go_on: impl FnMut(u64, u64) -> ControlFlow<()>) -> Rotated {
        let mut r = Rotated::default();
        let all = store::all(self.root);
        for (n, (session, path)) in (0..).zip(&all) {
            if go_on(n, all.len() as u64).is_break() {
                r.stopped = Some("interrupted".into());
                break;
            }
            if let Err(why) = self.recording(*session, path, &mut r) {
                r.stopped = Some(why);
                break;
            }
        }
        r
    }

    fn recording(&self, session: SessionId, path: &Path, r: &mut Rotated) -> Result<(), String> {
        let fail = |r: &mut Rotated, file: &str, why: String| {
            r.failed += 1;
            if r.failures.len() < MAX_TOLD {
                r.failures.push(Failed { session, file: file.into(), why });
            }
        };
        let held = (!self.dry_run).then(|| HeldFolder::hold(path)).transpose();
        let (held, segments) = match held.and_then(|h| Ok((h, folder::segments(path, self.track)?))) {
            Ok(found) => found,
            Err(e) => {
                fail(r, "", e.to_string());
                return Ok(());
            }
        };
        for n in segments {
            match self.envelope(session, path, n, held.as_ref()) {
                Ok(Done::Rewrapped) => r.rewrapped += 1,
                Ok(Done::Already) => r.already += 1,
                Ok(Done::NotForKey) => r.not_for_key += 1,
                Err(Trouble::This(why)) => fail(r, &self.track.envelope_name(n), why),
                Err(Trouble::Key(why)) => return Err(why),
            }
        }
        Ok(())
    }

    fn envelope(&self, session: SessionId, path: &Path, segment: u32, held: Option<&HeldFolder>) -> Result<Done, Trouble> {
        let name = self.track.envelope_name(segment);
        let io = |e: std::io::Error| Trouble::This(e.to_string());
        if let Some(held) = held {
            held.clean(&name).map_err(io)?;
        }
        let bytes = folder::read_envelope(path, &name).map_err(io)?;
        let envelope = Envelope::from_bytes(&bytes).map_err(trouble)?;
        let header = folder::segment_header(path, &self.track.file_name(segment)).map_err(Trouble::This)?;
        let at_home = header.session == session.0 && header.track == self.track && header.segment == segment;
        if !at_home || !envelope.belongs_to(&header) {
            return Err(trouble(EnvelopeError::OtherSegment));
        }
        let share = envelope.share_for(&self.old.public().id());
        let new_have = |share: Option<u8>| {
            self.new.iter().filter_map(|r| envelope.share_for(&r.id())).filter(|s| share.is_none_or(|o| o == *s)).count() == self.new.len()
        };
        match share {
            None if new_have(None) => return Ok(Done::Already),
            None => return Ok(Done::NotForKey),
            Some(_) if self.keep_old && new_have(share) => return Ok(Done::Already),
            Some(_) => {}
        }
        let next = self.rewrapped(&envelope, &header).map_err(trouble)?;
        if let Some(held) = held {
            held.replace(&name, &next).map_err(io)?;
        }
        Ok(Done::Rewrapped)
    }

    fn rewrapped(&self, envelope: &Envelope, header: &SegmentHeader) -> Result<Vec<u8>, EnvelopeError> {
        envelope.rewrap(header, self.old, self.new, self.keep_old, &mut UnwrapErr(getrandom::SysRng))?.to_bytes()
    }
}

fn trouble(e: EnvelopeError) -> Trouble {
    match e {
        EnvelopeError::Away(why) => Trouble::Key(why),
        e => Trouble::This(e.to_string()),
    }
}

/// To whom the envelopes of a track are wrapped, as they say themselves: only its private key proves that one opens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Survey {
    pub envelopes: u64,
    /// [`PublicKey::id`] and how many envelopes.
    pub recipients: BTreeMap<String, u64>,
    /// Damaged, or gone while they were looked at.
    pub unreadable: u64,
}

pub fn survey(root: &Path, track: Track) -> Survey {
    let mut s = Survey::default();
    for (_, path) in store::all(root) {
        for n in folder::segments(&path, track).unwrap_or_default() {
            s.envelopes += 1;
            let read = folder::read_envelope(&path, &track.envelope_name(n)).ok();
            let Some(envelope) = read.and_then(|b| Envelope::from_bytes(&b).ok()) else {
                s.unreadable += 1;
                continue;
            };
            for id in envelope.recipients() {
                if s.recipients.len() < MAX_RECIPIENTS || s.recipients.contains_key(id) {
                    *s.recipients.entry(id.to_owned()).or_default() += 1;
                }
            }
        }
    }
    s
}
