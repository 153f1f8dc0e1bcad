//! Target to client. Nothing is shown that the recorder has not taken.
use super::{Credit, Over, Pair};
use crate::ssh::{answers::Asked, side::Reader};
use anteroom_domain::capability::Direction;
use anteroom_recorder::EventKind;
use bytes::Bytes;
use russh::ChannelMsg;

impl Pair {
    pub(super) async fn down(&self, mut from: Reader) -> Over {
        let mut credit = Credit::default();
        loop {
            let m = tokio::select! {
                biased;
                m = from.next() => m,
                () = self.live.due() => match self.show_masked().await {
                    Ok(()) => continue,
                    Err(over) => return over,
                },
            };
            let Some(m) = m else { break };
            let sent = match m {
                ChannelMsg::Close => {
                    self.live.finish();
                    if let Err(over) = self.show_masked().await {
                        return over;
                    }
                    self.transfer.to_client.drained().await;
                    return Over::Target;
                }
                ChannelMsg::Data { data } => {
                    self.may_pass_down().await;
                    let n = data.len();
                    if let Err(over) = self.shown(data).await {
                        return over;
                    }
                    // A target that is gone ends this loop by its own message.
                    let _ = credit.took(n, &self.target).await;
                    Ok(())
                }
                ChannelMsg::ExtendedData { data, ext } => {
                    self.may_pass_down().await;
                    let n = data.len();
                    if let Err(over) = self.record(EventKind::Stderr(data.clone())).await {
                        return over;
                    }
                    self.session.entry.sent(n);
                    if self.live.is_on() {
                        self.live.stderr(&data);
                        if let Err(over) = self.show_masked().await {
                            return over;
                        }
                        let _ = credit.took(n, &self.target).await;
                        continue;
                    }
                    let sent = tokio::select! {
                        biased;
                        () = self.client_closed.cancelled() => Ok(()),
                        sent = self.client.extended(ext, data) => sent,
                    };
                    let _ = credit.took(n, &self.target).await;
                    sent
                }
                ChannelMsg::Eof => {
                    self.live.finish();
                    if let Err(over) = self.show_masked().await {
                        return over;
                    }
                    self.transfer.to_client.drained().await;
                    self.client.eof().await
                }
                ChannelMsg::Request { name, want_reply, payload } => match self.asked_by_target(&name, want_reply, payload).await {
                    Ok(()) => Ok(()),
                    Err(over) => return over,
                },
                // A local end answers by the last one.
                m @ (ChannelMsg::Success | ChannelMsg::Failure | ChannelMsg::Reply { .. }) => {
                    match self.answered(matches!(m, ChannelMsg::Success | ChannelMsg::Reply { ok: true })).await {
                        Ok(()) => Ok(()),
                        Err(over) => return over,
                    }
                }
                _ => Ok(()),
            };
            if sent.is_err() {
                return Over::Client;
            }
        }
        Over::Target
    }

    async fn shown(&self, data: Bytes) -> Result<(), Over> {
        if let Some(passed) = self.transfer.target(&data) {
            return self.passed(passed, Direction::Download).await;
        }
        self.record(EventKind::Output(data.clone())).await?;
        self.session.entry.sent(data.len());
        self.commands.output(&data);
        if self.live.is_on() {
            self.live.output(&data);
            return self.show_masked().await;
        }
        self.show(data).await.map_err(|_| Over::Client)
    }

    /// To the client, unless it has closed its side: what comes then is recorded and dropped, as an sshd does.
    pub(super) async fn show(&self, data: Bytes) -> Result<(), russh::Error> {
        tokio::select! {
            biased;
            () = self.client_closed.cancelled() => Ok(()),
            sent = self.client.data(data) => sent,
        }
    }

    /// What a target may ask of a client on a session channel (RFC 4254 sections 6.8 and 6.10, OpenSSH PROTOCOL).
    async fn asked_by_target(&self, name: &str, want_reply: bool, payload: Bytes) -> Result<(), Over> {
        let record = match (name, payload.split_first_chunk::<4>()) {
            ("exit-status", Some((status, []))) => Some(EventKind::Exit { status: u32::from_be_bytes(*status) }),
            ("exit-signal", Some((n, rest))) => {
                let n = usize::try_from(u32::from_be_bytes(*n)).unwrap_or(usize::MAX).min(rest.len());
                let signal = rest[..n].iter().filter(|b| b.is_ascii_alphanumeric()).take(32).map(|b| char::from(*b)).collect();
                Some(EventKind::Signalled { signal })
            }
            ("xon-xoff" | "keepalive@openssh.com" | "eow@openssh.com", _) => None,
            _ => return self.to_target.ours(want_reply, false, &self.target).await.map_err(|_| Over::Target),
        };
        if let Some(kind) = record {
            self.record(kind).await?;
        }
        self.transfer.to_client.drained().await;
        self.to_target.passed_on(want_reply, Asked::Other).await.map_err(|_| Over::Target)?;
        self.client.request(name.to_owned(), want_reply, payload).await.map_err(|_| Over::Client)
    }
}
