//! The entry of a channel that we close first stays for as long as the connection lives, and with it its queue.
use anteroom_russh_traps::{Switches, ends::signed_in, wire::Wire};
use russh::{Channel, ChannelId, ChannelMsg};
use tokio::time::timeout;

mod of_a_server {
    use super::*;

    async fn closed_by_the_server(s: Switches) -> Result<(), String> {
        let (_wire, a, b) = Wire::new();
        let (client, _gateway, mut inside) = signed_in((a, b), Switches::stock(), s).await;
        let _here = client.channel_open_session().await.map_err(|e| e.to_string())?;
        forgotten(s, inside.channel().await).await
    }

    unswitched_trap!(closed_by_the_server);
}

mod of_a_client {
    use super::*;

    async fn closed_by_the_client(s: Switches) -> Result<(), String> {
        let (_wire, a, b) = Wire::new();
        let (client, _gateway, mut inside) = signed_in((a, b), s, Switches::stock()).await;
        let here = client.channel_open_session().await.map_err(|e| e.to_string())?;
        let _there = inside.channel().await;
        forgotten(s, here).await
    }

    unswitched_trap!(closed_by_the_client);
}

/// Nothing can reach the channel any more once nobody holds the other end of its queue.
async fn forgotten<S: From<(ChannelId, ChannelMsg)> + Send + Sync + 'static>(s: Switches, mut channel: Channel<S>) -> Result<(), String> {
    channel.close().await.map_err(|e| e.to_string())?;
    let over = async { while channel.wait().await.is_some() {} };
    timeout(s.patience, over).await.map_err(|_| "the entry of a closed channel stays".to_owned())
}
