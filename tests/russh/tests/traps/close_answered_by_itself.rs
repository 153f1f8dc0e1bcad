//! The client closes first (2 to 25 of 100 multiplexed commands do): russh answers CLOSE at once, and how it ended has nowhere to go.
use anteroom_russh_traps::{
    Switches,
    ends::signed_in,
    relay::{Pumps, relay},
    wire::{CLOSE, Way, Wire, asks, number},
};
use russh::ChannelMsg;

async fn client_closes_first(middle: Switches) -> Result<(), String> {
    let (wire, a, b) = Wire::new();
    let (client, gateway, mut inside) = signed_in((a, b), Switches::ours(), middle).await;
    let (_to_target, c, d) = Wire::new();
    let (target, _target, mut beyond) = signed_in((c, d), middle, Switches::ours()).await;
    let opened = client.channel_open_session().await.map_err(|e| e.to_string())?;
    let _relay = relay(middle, Pumps::Tied, inside.channel().await, gateway.handle(), &target).await;
    let mut there = beyond.channel().await;

    opened.close().await.map_err(|e| e.to_string())?;
    // The command over there ends when its input does.
    while !matches!(there.wait().await, Some(ChannelMsg::Close) | None) {}
    let _ = there.exit_status(7).await;
    let _ = there.close().await;
    let closed = |p: &[u8]| (p.first() == Some(&CLOSE)).then_some(());
    wire.until(Way::Down, middle.patience, closed).await.ok_or("CLOSE is never answered")?;
    let said = wire.seen(Way::Down);
    let status = said.iter().position(|p| asks(p, "exit-status").is_some_and(|rest| number(&rest, 0) == 7));
    let close = said.iter().position(|p| p.first() == Some(&CLOSE));
    if status.is_some() && status < close { Ok(()) } else { Err("CLOSE was answered before the exit status".into()) }
}

trap!(client_closes_first, "before the exit status");
