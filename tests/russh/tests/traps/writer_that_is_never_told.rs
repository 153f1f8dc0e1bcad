//! Whoever waits for window is not woken when the connection dies. Nothing in the crate cures that: whoever writes has to listen at the
//! same time, as both pumps of our relay do.
use anteroom_russh_traps::{
    Switches,
    ends::signed_in,
    relay::{Pumps, relay},
    wire::{WINDOW_ADJUST, Way, Wire},
};
use bytes::Bytes;
use russh::ChannelMsg;
use std::time::Duration;
use tokio::time::timeout;

async fn client_dies_while_it_gives_no_window(s: Switches, pumps: Pumps) -> Result<(), String> {
    let (to_client, a, b) =
        Wire::with(Box::new(|way, p| if way == Way::Up && p.first() == Some(&WINDOW_ADJUST) { vec![] } else { vec![p] }));
    let (client, gateway, mut inside) = signed_in((a, b), Switches::ours(), s).await;
    let (_to_target, c, d) = Wire::new();
    let (target, _target, mut beyond) = signed_in((c, d), s, Switches::ours()).await;
    let _here = client.channel_open_session().await.map_err(|e| e.to_string())?;
    let relaying = relay(s, pumps, inside.channel().await, gateway.handle(), &target).await;
    let there = beyond.channel().await;
    let (mut reads, writes) = there.split();
    tokio::spawn(async move { while writes.data_bytes(Bytes::from(vec![0; 32 << 10])).await.is_ok() {} });
    // Until the client's window is used up.
    let mut last = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = to_client.seen(Way::Down).len();
        if now == last && now > 20 {
            break;
        }
        last = now;
    }
    to_client.cut();
    timeout(s.patience, relaying).await.map_err(|_| "a pump waits for a client that is gone")?.map_err(|e| e.to_string())?;
    let ended = async { while !matches!(reads.wait().await, Some(ChannelMsg::Close) | None) {} };
    timeout(s.patience, ended).await.map_err(|_| "the target's session goes on".to_owned())
}

#[test]
fn closed_by_tied_pumps() {
    crate::block(client_dies_while_it_gives_no_window(Switches::ours(), Pumps::Tied)).unwrap();
}

#[test]
fn open_with_pumps_apart() {
    let s = Switches { patience: Duration::from_secs(1), ..Switches::ours() };
    let wrong = crate::block(client_dies_while_it_gives_no_window(s, Pumps::Apart)).unwrap_err();
    assert!(wrong.contains("waits for a client that is gone"), "{wrong}");
}
