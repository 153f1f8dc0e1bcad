//! A supervisor's words to somebody who is connected, on whichever gateway the session runs. The text waits in the database for
//! seconds and is gone when the gateway has taken it; what was shown stands in the recording, that somebody wrote in the audit log.
use crate::{Approvals, Change, ManageError, MessageFate, StoreError, TakenMessage, clock, store};
use anteroom_domain::{AuditEvent, MessageId, MessageText, PersonId, SessionId};
use anteroom_policy::Action;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a gateway gets to say what became of it.
const WAIT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);

impl Approvals {
    /// Sends it and waits until the gateway that runs the session has said what became of it; at most five seconds. What nobody
    /// took until then is taken back.
    pub async fn send_message(&self, session: SessionId, by: PersonId, text: &MessageText) -> Result<MessageFate, ManageError> {
        self.check_actor(Some(by), Action::TerminateSession).await?;
        let row = self.session(session).await?.ok_or(ManageError::NoSuch("session"))?;
        if row.ended_at.is_some() {
            return Ok(MessageFate::SessionOver);
        }
        let id: MessageId = clock::new_id();
        let mut tx = self.begin().await?;
        store::messages::insert(&mut *tx, id, session, by, text.as_str(), clock::now()).await?;
        store::tell(&mut *tx, Change::Message { session, message: id }).await?;
        self.commit(tx).await?;
        let until = Instant::now() + WAIT;
        let mut answer = None;
        while answer.is_none() && Instant::now() < until {
            sleep(POLL).await;
            answer = store::messages::answered(&self.inner.pool, id).await?;
        }
        store::messages::remove(&self.inner.pool, id).await?;
        Ok(match answer {
            Some(true) => MessageFate::Shown,
            Some(false) => MessageFate::NobodyReads,
            None => MessageFate::NoAnswer,
        })
    }

    /// For the gateway that runs the session: the words, once.
    pub async fn take_message(&self, id: MessageId) -> Result<Option<TakenMessage>, StoreError> {
        let taken = store::messages::take(&self.inner.pool, id).await?;
        Ok(taken.map(|t| TakenMessage { by: t.author.into(), from: t.author_name, text: t.text }))
    }

    /// The gateway's answer. What was shown is in the audit log whatever happens to the database.
    pub async fn message_answered(&self, id: MessageId, session: SessionId, by: PersonId, shown: bool) -> Result<(), StoreError> {
        if shown {
            self.note(AuditEvent::MessageSent { session, by }, Some(by)).await;
        }
        store::messages::answer(&self.inner.pool, id, shown).await
    }
}
