//! A target asks the client on a channel (OpenSSH's `keepalive@openssh.com`): the client's answer never reaches the application.
use anteroom_russh_traps::{
    Switches,
    ends::signed_in,
    wire::{CHANNEL_OPEN, Way, Wire, number, request},
};
use russh::ChannelMsg;
use tokio::time::timeout;

async fn a_keepalive_on_a_channel(s: Switches) -> Result<(), String> {
    let (wire, a, b) = Wire::new();
    let (client, _gateway, mut inside) = signed_in((a, b), Switches::stock(), s).await;
    let _here = client.channel_open_session().await.map_err(|e| e.to_string())?;
    let mut there = inside.channel().await;
    // The client's number of it: what follows the kind of channel.
    let opened = |p: &[u8]| (p.first() == Some(&CHANNEL_OPEN)).then(|| number(p, 5 + number(p, 1) as usize));
    let clients = wire.until(Way::Up, s.patience, opened).await.ok_or("no channel")?;
    wire.inject(Way::Down, request(clients, "keepalive@openssh.com", true, b""));
    let told = async { while !matches!(there.wait().await, Some(ChannelMsg::Success | ChannelMsg::Failure)) {} };
    timeout(s.patience, told).await.map_err(|_| "the client's answer is lost".to_owned())
}

trap!(a_keepalive_on_a_channel, "is lost");
