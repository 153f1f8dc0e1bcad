//! Searching what recordings show. What is kept are lines of the masked track, put here by whoever holds its key; a gateway does not.
mod query;
mod words;

use crate::{Approvals, SearchError, StoreError, clock, clock::hex, store};
use anteroom_domain::{AccountName, AuditEvent, LineKind, Moment, PersonId, SessionId, TargetId, TargetName};
use anteroom_policy::Action;
use query::Question;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr, time::Duration};
use uuid::Uuid;
pub(crate) use words::vector;

/// Hits of one page.
const HITS: usize = 25;
/// Who took a recording up and says nothing for so long is gone.
const WORKING: Duration = Duration::from_secs(15 * 60);

/// A line to be kept, masked. Longer than 4,096 bytes is cut.
#[derive(Debug, Clone)]
pub struct IndexLine {
    pub channel: u32,
    /// Since the session's start.
    pub at_us: u64,
    pub kind: LineKind,
    pub text: String,
}

/// What is known of a recording that was read.
#[derive(Debug, Clone)]
pub struct Indexed {
    /// As it was given.
    pub timeline: serde_json::Value,
    /// It showed more than can be searched.
    pub cut: bool,
}

#[derive(Debug, Clone, Default)]
pub struct SearchFilter {
    pub person: Option<PersonId>,
    pub target: Option<TargetId>,
    pub session: Option<SessionId>,
    pub kind: Option<LineKind>,
    /// Of the session's start.
    pub from: Option<Moment>,
    pub until: Option<Moment>,
}

/// A line that holds what was asked for.
#[derive(Debug, Clone, Serialize)]
pub struct Hit {
    pub session: SessionId,
    pub person_handle: String,
    pub target_name: TargetName,
    pub account: AccountName,
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: Moment,
    pub channel: u32,
    /// Since the session's start.
    pub at_us: u64,
    pub kind: LineKind,
    /// The line in pieces; true: this was asked for.
    pub pieces: Vec<(bool, String)>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Hits {
    /// Newest session first, in order within one.
    pub rows: Vec<Hit>,
    /// Where the next page begins.
    #[serde(skip)]
    pub next: Option<Place>,
}

/// Which part of what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchPage {
    /// Asked for the first time: the audit log is told.
    New,
    /// The same again, by whoever asked: going back to it, or on to its next page.
    Again(Option<Place>),
}

/// After which line a page begins. Its text names no content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub(crate) started_at: Moment,
    pub(crate) session: Uuid,
    pub(crate) n: i32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.started_at.unix_timestamp_nanos() / 1_000, self.session, self.n)
    }
}

impl FromStr for Place {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        let (at, rest) = s.split_once('.').ok_or(())?;
        let (session, n) = rest.split_once('.').ok_or(())?;
        let micros: i128 = at.parse::<i64>().map_err(|_| ())?.into();
        let started_at = Moment::from_unix_timestamp_nanos(micros * 1_000).map_err(|_| ())?;
        Ok(Self { started_at, session: session.parse().map_err(|_| ())?, n: n.parse().map_err(|_| ())? })
    }
}

impl Approvals {
    /// Lines of recordings that hold what was asked for; recordings whose mask is incomplete have none. Every search is in the audit log,
    /// coming back to it is not.
    pub async fn search_recordings(
        &self,
        by: PersonId,
        question: &str,
        filter: &SearchFilter,
        page: SearchPage,
    ) -> Result<Hits, SearchError> {
        self.check_actor(Some(by), Action::ReplayMasked).await?;
        let asked = Question::parse(question)?;
        let after = match page {
            SearchPage::Again(after) => after,
            SearchPage::New => {
                let query_sha256 = hex(&Sha256::digest(question.trim().as_bytes()));
                self.note(AuditEvent::RecordingsSearched { by, query_sha256 }, Some(by)).await;
                None
            }
        };
        let found = store::recording_lines::search(&self.inner.pool, &asked.tsquery, filter, after, HITS as i64 + 1).await?;
        let mut found = found.ok_or(SearchError::TooMany)?;
        let more = found.len() > HITS;
        found.truncate(HITS);
        let next = found.last().filter(|_| more).map(|line| line.place);
        let rows = found
            .into_iter()
            .map(|line| Hit {
                session: line.place.session.into(),
                person_handle: line.person_handle,
                target_name: line.target_name,
                account: line.account,
                started_at: line.place.started_at,
                channel: line.channel,
                at_us: line.at_us,
                kind: line.kind,
                pieces: asked.mark(&line.body),
            })
            .collect();
        Ok(Hits { rows, next })
    }

    /// Closed recordings that nobody has read for this version of the index, newest first.
    pub async fn unindexed(&self, version: i32, at_most: i64) -> Result<Vec<SessionId>, StoreError> {
        store::recording_lines::unindexed(&self.inner.pool, version, clock::now(), at_most).await
    }

    /// Takes a recording up; false when there is nothing to do: it is not closed, its mask is incomplete, it was read, somebody else
    /// reads it, or it was forgotten.
    pub async fn begin_index(&self, session: SessionId, version: i32) -> Result<bool, StoreError> {
        let now = clock::now();
        store::recording_lines::begin(&self.inner.pool, session, version, now, now + WORKING).await
    }

    /// Keeps what was read, in one transaction. False if it was forgotten meanwhile; then nothing is kept.
    pub async fn finish_index(&self, session: SessionId, lines: &[IndexLine], indexed: &Indexed) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        if !store::recording_lines::finish(&mut tx, session, lines, indexed).await? {
            return Ok(false);
        }
        self.commit(tx).await?;
        Ok(true)
    }

    /// It could not be read; it will be tried again, later each time.
    pub async fn index_failed(&self, session: SessionId) -> Result<(), StoreError> {
        store::recording_lines::failed(&self.inner.pool, session, clock::now()).await
    }

    /// Removes everything that can be found of a recording, for good: for recordings whose keys are destroyed. Copies of the database made
    /// before still have it.
    pub async fn forget_index(&self, session: SessionId) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        store::recording_lines::forget(&mut tx, session).await?;
        self.commit(tx).await
    }

    /// None before it was read, and when it was forgotten.
    pub async fn indexed(&self, session: SessionId) -> Result<Option<Indexed>, StoreError> {
        store::recording_lines::indexed(&self.inner.pool, session).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_place_reads_back_and_nonsense_is_none() {
        let place = Place { started_at: time::macros::datetime!(2026-11-26 08:00:00.123456 UTC), session: Uuid::from_u128(7), n: 41 };
        assert_eq!(place.to_string().parse(), Ok(place));
        for nonsense in ["", ".", "1.2.3", "99999999999999999999.x.1", "9223372036854775807.00000000-0000-0000-0000-000000000007.1"] {
            assert_eq!(nonsense.parse::<Place>(), Err(()), "{nonsense:?}");
        }
    }
}
