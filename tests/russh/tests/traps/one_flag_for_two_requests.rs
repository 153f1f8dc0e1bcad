//! A channel remembers one `want_reply`: a second request that comes before the first is answered takes the first one's answer away.
use anteroom_russh_traps::{
    Switches,
    ends::signed_in,
    wire::{FAILURE, SUCCESS, Way, Wire},
};
use russh::{ChannelMsg, ChannelWriteHalf, server};

async fn two_quick_requests(s: Switches) -> Result<(), String> {
    let (wire, a, b) = Wire::new();
    let (client, gateway, mut inside) = signed_in((a, b), Switches::ours(), s).await;
    let here = client.channel_open_session().await.map_err(|e| e.to_string())?;
    let (mut there, writes) = inside.channel().await.split();
    here.exec(true, "id").await.map_err(|e| e.to_string())?;
    here.window_change(90, 20, 0, 0).await.map_err(|e| e.to_string())?;
    // Whoever answers has to ask somebody else first, and meanwhile the second came.
    let mut came = 0;
    while came < 2 {
        match there.wait().await {
            Some(ChannelMsg::Exec { .. } | ChannelMsg::WindowChange { .. }) => came += 1,
            #[cfg(not(feature = "stock"))]
            Some(ChannelMsg::Request { .. }) => came += 1,
            Some(_) => {}
            None => return Err("the connection ended".into()),
        }
    }
    answer(s, &writes, &gateway.handle()).await;
    let answered = |p: &[u8]| matches!(p.first(), Some(&(SUCCESS | FAILURE))).then_some(());
    wire.until(Way::Down, s.patience, answered).await.ok_or_else(|| "the answer to the first request is lost".into())
}

async fn answer(_s: Switches, writes: &ChannelWriteHalf<server::Msg>, gateway: &server::Handle) {
    #[cfg(not(feature = "stock"))]
    if _s.raw_requests {
        let _ = writes.reply(true).await;
        return;
    }
    let _ = gateway.channel_success(writes.id()).await;
}

trap!(two_quick_requests, "is lost");
