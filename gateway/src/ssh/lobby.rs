//! A person in the lobby: their session is written down and recorded, its target is not touched, and they are told why they wait.
//!
//! The channel is accepted first, for only an open channel can be told anything. What the client asks for is kept and goes to the target when
//! it is reached; what is typed meanwhile goes nowhere.
use super::{
    connection::Connection,
    notice,
    relay::OWN_EXIT,
    session::Session,
    side::{Reader, Writer},
};
use anteroom_domain::EndReason;
use russh::{ChannelMsg, server};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::time::timeout;

/// Requests kept for the target; a client needs a handful.
const MOST: usize = 64;
const SAY: Duration = Duration::from_secs(5);

const WAITING: &str = "anteroom: waiting for a supervisor to join. Nothing reaches the target before. Ctrl-C gives up.\r\n";

/// Whether the session of this connection has to wait for somebody, or does so already.
pub(super) fn leads_through(conn: &Connection) -> bool {
    let supervised = conn.permitted().is_some_and(|p| p.permit.obligations().supervise);
    supervised && conn.started().is_none()
}

/// The session, when somebody watches it; and the client's side with all it asked for. None: it is over, and the client was told.
pub(super) async fn wait(
    conn: &Arc<Connection>,
    mut reads: Reader,
    client: Writer<server::Msg>,
) -> Option<(Arc<Session>, (Reader, Writer<server::Msg>))> {
    let opening = {
        let conn = conn.clone();
        // A task of the connection: whoever gives up waiting does not stop it in the middle.
        conn.tasks.clone().spawn(async move { conn.session().await })
    };
    tokio::pin!(opening);
    let mut kept = VecDeque::new();
    let (mut terminal, mut told) = (false, false);
    let opened = loop {
        tokio::select! {
            opened = &mut opening => break opened.unwrap_or_else(|_| Err("the session could not be opened".to_owned())),
            // Without a terminal what the client sends waits for the target, and its window holds it back.
            m = reads.next(), if kept.len() < MOST && (terminal || !told) => match m {
                Some(ChannelMsg::Data { data }) if terminal => {
                    let _ = client.grant(u32::try_from(data.len()).unwrap_or(0)).await;
                    if data.contains(&3) || data.contains(&4) {
                        conn.end.end(EndReason::ClientClosed);
                        break Err("you gave up waiting".to_owned());
                    }
                    let _ = timeout(SAY, client.data("\x07".into())).await;
                }
                Some(ChannelMsg::Close) | None => {
                    conn.end.end(EndReason::ClientClosed);
                    return None;
                }
                Some(m) => {
                    if let ChannelMsg::Request { name, .. } = &m {
                        terminal |= name == "pty-req";
                        if matches!(name.as_str(), "shell" | "exec" | "subsystem") && !std::mem::replace(&mut told, true) {
                            let _ = timeout(SAY, client.stderr(WAITING.to_owned())).await;
                        }
                    }
                    kept.push_back(m);
                }
            },
        }
    };
    match opened {
        Ok(session) => Some((session, (Reader::Again(kept, Box::new(reads)), client))),
        Err(why) => {
            let words = async {
                // OpenSSH shows what it was sent only after its request succeeded.
                for m in &kept {
                    if let ChannelMsg::Request { want_reply: true, .. } = m {
                        let _ = client.reply(true).await;
                    }
                }
                let _ = client.stderr(notice::refused(&why)).await;
                let _ = client.exit_status(OWN_EXIT).await;
                let _ = client.eof().await;
                let _ = client.close().await;
            };
            let _ = timeout(SAY, words).await;
            None
        }
    }
}
