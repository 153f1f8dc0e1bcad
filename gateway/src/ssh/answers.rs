//! Answers to channel requests leave in the order of the requests (RFC 4254 section 5.4), whoever gives them: the other
//! side, or we ourselves.
use super::side::Writer;
use russh::{ChannelId, ChannelMsg, Error};
use std::collections::VecDeque;
use tokio::sync::Mutex;

/// Requests that may wait for an answer; more are an attack on our memory.
const MAX_WAITING: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Answers(Mutex<VecDeque<Option<bool>>>);

/// More requests wait for an answer than anybody needs.
#[derive(Debug)]
pub(super) struct TooMany;

impl Answers {
    /// A request went on to the other side, whose answer will come.
    pub(super) async fn passed_on(&self, want_reply: bool) -> Result<(), TooMany> {
        if !want_reply {
            return Ok(());
        }
        let mut waiting = self.0.lock().await;
        if waiting.len() >= MAX_WAITING {
            return Err(TooMany);
        }
        waiting.push_back(None);
        Ok(())
    }

    /// We answer this one ourselves, in its turn.
    pub(super) async fn ours<S>(&self, want_reply: bool, ok: bool, to: &Writer<S>) -> Result<(), Error>
    where
        S: From<(ChannelId, ChannelMsg)> + Send + Sync + 'static,
    {
        if !want_reply {
            return Ok(());
        }
        let mut waiting = self.0.lock().await;
        waiting.push_back(Some(ok));
        Self::send_due(&mut waiting, to).await
    }

    /// The other side answered its oldest request. An answer to nothing is ignored.
    pub(super) async fn theirs<S>(&self, ok: bool, to: &Writer<S>) -> Result<(), Error>
    where
        S: From<(ChannelId, ChannelMsg)> + Send + Sync + 'static,
    {
        let mut waiting = self.0.lock().await;
        if let Some(oldest) = waiting.iter_mut().find(|a| a.is_none()) {
            *oldest = Some(ok);
        }
        Self::send_due(&mut waiting, to).await
    }

    async fn send_due<S>(waiting: &mut VecDeque<Option<bool>>, to: &Writer<S>) -> Result<(), Error>
    where
        S: From<(ChannelId, ChannelMsg)> + Send + Sync + 'static,
    {
        while let Some(Some(ok)) = waiting.front().copied() {
            waiting.pop_front();
            to.reply(ok).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::side;
    use super::*;

    #[tokio::test]
    async fn our_own_refusal_waits_for_the_answer_before_it() {
        let (_reads, to, mut end) = side::local::<russh::server::Msg>();
        let answers = Answers::default();
        answers.passed_on(true).await.unwrap();
        answers.ours(true, false, &to).await.unwrap();
        answers.passed_on(false).await.unwrap();
        answers.passed_on(true).await.unwrap();
        assert!(end.from_relay.try_recv().is_err());
        answers.theirs(true, &to).await.unwrap();
        answers.theirs(true, &to).await.unwrap();
        answers.theirs(true, &to).await.unwrap();
        drop(to);
        let mut got = Vec::new();
        while let Some(ChannelMsg::Reply { ok }) = end.from_relay.recv().await {
            got.push(ok);
        }
        assert_eq!(got, [true, false, true]);
    }

    #[tokio::test]
    async fn a_flood_of_requests_is_bounded() {
        let answers = Answers::default();
        for _ in 0..MAX_WAITING {
            answers.passed_on(true).await.unwrap();
        }
        assert!(answers.passed_on(true).await.is_err());
    }
}
