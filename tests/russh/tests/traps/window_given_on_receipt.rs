//! Window goes back to the peer when bytes arrive, not when somebody has taken them: nothing holds a fast sender.
use anteroom_russh_traps::{
    Switches,
    ends::signed_in,
    relay::give_back,
    wire::{WINDOW_ADJUST, Way, Wire},
};
use bytes::Bytes;
use russh::ChannelMsg;
use std::time::Duration;

async fn bytes_that_nobody_took(s: Switches) -> Result<(), String> {
    let (wire, a, b) = Wire::new();
    let (client, _gateway, mut inside) = signed_in((a, b), Switches::ours(), s).await;
    let sender = client.channel_open_session().await.map_err(|e| e.to_string())?;
    let (mut reads, writes) = inside.channel().await.split();
    // The whole window, and no more.
    sender.data_bytes(Bytes::from(vec![0; 2 << 20])).await.map_err(|e| e.to_string())?;
    let given = |p: &[u8]| (p.first() == Some(&WINDOW_ADJUST)).then_some(());
    if wire.until(Way::Down, Duration::from_millis(500), given).await.is_some() {
        return Err("window was given back for bytes that nobody took".into());
    }
    // And it is given when they are.
    let Some(ChannelMsg::Data { data }) = reads.wait().await else { return Err("no data".into()) };
    give_back(s, &writes, data.len()).await;
    wire.until(Way::Down, s.patience, given).await.ok_or_else(|| "no window was given back".into())
}

trap!(bytes_that_nobody_took, "nobody took");
