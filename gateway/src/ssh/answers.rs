//! Answers to channel requests leave in the order of the requests (RFC 4254 section 5.4), whoever gives them: the other
//! side, or we ourselves.
use super::side::Writer;
use russh::{ChannelId, ChannelMsg, Error};
use std::collections::VecDeque;
use tokio::sync::Mutex;

/// Requests that may wait for an answer; more are an attack on our memory.
const MAX_WAITING: usize = 256;

/// What was asked, as far as somebody wants to know when it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Terminal,
    /// To start something, in a terminal or not.
    Start {
        terminal: bool,
    },
    Other,
}

/// The answer is none until somebody has given it.
#[derive(Debug, Default)]
pub(super) struct Answers(Mutex<VecDeque<(Asked, Option<bool>)>>);

/// More requests wait for an answer than anybody needs.
#[derive(Debug)]
pub(super) struct TooMany;

impl Answers {
    /// A request went on to the other side, whose answer will come.
    pub(super) async fn passed_on(&self, want_reply: bool, what: Asked) -> Result<(), TooMany> {
        if !want_reply {
            return Ok(());
        }
        let mut waiting = self.0.lock().await;
        if waiting.len() >= MAX_WAITING {
            return Err(TooMany);
        }
        waiting.push_back((what, None));
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
        waiting.push_back((Asked::Other, Some(ok)));
        Self::send_due(&mut waiting, to).await
    }

    /// The other side answered its oldest request: what that was. An answer to nothing is ignored.
    pub(super) async fn theirs<S>(&self, ok: bool, to: &Writer<S>) -> Result<Option<Asked>, Error>
    where
        S: From<(ChannelId, ChannelMsg)> + Send + Sync + 'static,
    {
        let mut waiting = self.0.lock().await;
        let mut what = None;
        if let Some((asked, oldest)) = waiting.iter_mut().find(|(_, a)| a.is_none()) {
            *oldest = Some(ok);
            what = Some(*asked);
        }
        Self::send_due(&mut waiting, to).await?;
        Ok(what)
    }

    async fn send_due<S>(waiting: &mut VecDeque<(Asked, Option<bool>)>, to: &Writer<S>) -> Result<(), Error>
    where
        S: From<(ChannelId, ChannelMsg)> + Send + Sync + 'static,
    {
        while let Some((_, Some(ok))) = waiting.front().copied() {
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
        answers.passed_on(true, Asked::Terminal).await.unwrap();
        answers.ours(true, false, &to).await.unwrap();
        answers.passed_on(false, Asked::Other).await.unwrap();
        answers.passed_on(true, Asked::Start { terminal: true }).await.unwrap();
        assert!(end.from_relay.try_recv().is_err());
        assert_eq!(answers.theirs(true, &to).await.unwrap(), Some(Asked::Terminal));
        assert_eq!(answers.theirs(true, &to).await.unwrap(), Some(Asked::Start { terminal: true }));
        assert_eq!(answers.theirs(true, &to).await.unwrap(), None, "to nothing");
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
            answers.passed_on(true, Asked::Other).await.unwrap();
        }
        assert!(answers.passed_on(true, Asked::Other).await.is_err());
    }
}
