//! A channel without any target: the gateway says something and closes.
use super::OWN_EXIT;
use crate::ssh::side::Writer;
use bytes::Bytes;
use russh::{Channel, ChannelMsg, server, server::ChannelOpenHandle};
use std::time::Duration;
use tokio::time::timeout;

/// What the gateway itself says on a channel, and the exit status after it.
#[derive(Debug, Clone)]
pub(in crate::ssh) struct Say {
    pub(in crate::ssh) text: String,
    pub(in crate::ssh) status: u32,
}

impl Say {
    pub(in crate::ssh) fn refused(text: String) -> Self {
        Self { text, status: OWN_EXIT }
    }
}

/// Waits for what the client wants to start, then speaks and closes.
pub(in crate::ssh) async fn say(channel: Channel<server::Msg>, reply: ChannelOpenHandle, say: Say) {
    reply.accept().await;
    let (mut from, to) = channel.split();
    let to = Writer::Ssh(to);
    let wanted = async {
        while let Some(m) = from.wait().await {
            match m {
                ChannelMsg::Request { name, want_reply, .. } => {
                    let starts = matches!(name.as_str(), "shell" | "exec" | "subsystem");
                    if want_reply && to.reply(starts || name == "pty-req").await.is_err() {
                        break;
                    }
                    if starts {
                        break;
                    }
                }
                ChannelMsg::Close => break,
                _ => {}
            }
        }
    };
    let spoken = async {
        let _ = timeout(Duration::from_secs(10), wanted).await;
        let _ = if say.status == 0 { to.data(Bytes::from(say.text)).await } else { to.stderr(say.text).await };
        let _ = to.exit_status(say.status).await;
        let _ = to.eof().await;
        let _ = to.close().await;
    };
    // A client that never opens its window must not keep the task.
    let _ = timeout(Duration::from_secs(15), spoken).await;
}
