//! The smallest relay there can be: a russh server toward the client, a russh client toward the target, two pumps.
//! Written once with what our patches add and once with what the stock crate has.
use crate::{Switches, ends::Trusting};
use russh::{Channel, ChannelId, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, client, server};
use tokio::task::JoinHandle;

/// How the two pumps of a channel belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pumps {
    /// The first that ends ends the other.
    Tied,
    Apart,
}

/// Relays one channel that a client opened until both pumps are over.
pub async fn relay(
    switches: Switches,
    pumps: Pumps,
    from_client: Channel<server::Msg>,
    client: server::Handle,
    target: &client::Handle<Trusting>,
) -> JoinHandle<()> {
    let (to_target, id) = (target.channel_open_session().await.unwrap(), from_client.id());
    tokio::spawn(async move {
        let ((client_reads, client_writes), (target_reads, target_writes)) = (from_client.split(), to_target.split());
        let up = up(switches, client_reads, &client_writes, &target_writes);
        let down = down(switches, target_reads, &target_writes, &client_writes, (&client, id));
        match pumps {
            Pumps::Tied => tokio::select! { () = up => {}, () = down => {} },
            Pumps::Apart => {
                tokio::join!(up, down);
            }
        }
        let _ = client_writes.close().await;
        let _ = target_writes.close().await;
    })
}

async fn up(switches: Switches, mut from: ChannelReadHalf, client: &ChannelWriteHalf<server::Msg>, to: &ChannelWriteHalf<client::Msg>) {
    while let Some(m) = from.wait().await {
        let sent = match m {
            ChannelMsg::Data { data } => {
                let n = data.len();
                let sent = to.data_bytes(data).await;
                give_back(switches, client, n).await;
                sent
            }
            ChannelMsg::Eof => to.eof().await,
            #[cfg(not(feature = "stock"))]
            ChannelMsg::Close if switches.manual_close => {
                let _ = to.close_ours().await;
                // How it ended comes the other way.
                return std::future::pending().await;
            }
            ChannelMsg::Close => {
                let _ = to.close().await;
                return std::future::pending().await;
            }
            #[cfg(not(feature = "stock"))]
            ChannelMsg::Request { name, want_reply, payload } => to.request(name, want_reply, payload).await,
            ChannelMsg::RequestPty { want_reply, term, col_width, row_height, pix_width, pix_height, terminal_modes } => {
                to.request_pty(want_reply, &term, col_width, row_height, pix_width, pix_height, &terminal_modes).await
            }
            ChannelMsg::SetEnv { want_reply, variable_name, variable_value } => to.set_env(want_reply, variable_name, variable_value).await,
            ChannelMsg::RequestShell { want_reply } => to.request_shell(want_reply).await,
            ChannelMsg::Exec { want_reply, command } => to.exec(want_reply, command).await,
            ChannelMsg::RequestSubsystem { want_reply, name } => to.request_subsystem(want_reply, name).await,
            ChannelMsg::Signal { signal } => to.signal(signal).await,
            ChannelMsg::WindowChange { col_width, row_height, pix_width, pix_height } => {
                to.window_change(col_width, row_height, pix_width, pix_height).await
            }
            _ => Ok(()),
        };
        if sent.is_err() {
            return;
        }
    }
}

async fn down(
    switches: Switches,
    mut from: ChannelReadHalf,
    target: &ChannelWriteHalf<client::Msg>,
    to: &ChannelWriteHalf<server::Msg>,
    (client, id): (&server::Handle, ChannelId),
) {
    while let Some(m) = from.wait().await {
        let sent = match m {
            ChannelMsg::Data { data } => {
                let n = data.len();
                let sent = to.data_bytes(data).await;
                give_back(switches, target, n).await;
                sent
            }
            ChannelMsg::Eof => to.eof().await,
            ChannelMsg::Close => return,
            #[cfg(not(feature = "stock"))]
            ChannelMsg::Request { name, want_reply, payload } => to.request(name, want_reply, payload).await,
            #[cfg(not(feature = "stock"))]
            ChannelMsg::Success | ChannelMsg::Failure if switches.raw_requests => to.reply(matches!(m, ChannelMsg::Success)).await,
            ChannelMsg::Success => client.channel_success(id).await.map_err(|()| russh::Error::SendError),
            ChannelMsg::Failure => client.channel_failure(id).await.map_err(|()| russh::Error::SendError),
            ChannelMsg::ExitStatus { exit_status } => to.exit_status(exit_status).await,
            _ => Ok(()),
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Window for bytes that have been taken, where that is the application's to give.
pub async fn give_back<S>(_switches: Switches, _to: &ChannelWriteHalf<S>, _bytes: usize)
where
    S: From<(ChannelId, ChannelMsg)> + Send + Sync + 'static,
{
    #[cfg(not(feature = "stock"))]
    if _switches.manual_window {
        let _ = _to.grant_window(_bytes as u32).await;
    }
}
