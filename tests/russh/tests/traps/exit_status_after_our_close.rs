//! A channel that we close first is forgotten at once: what the target says after that, how its command ended, is dropped.
use anteroom_russh_traps::{
    Switches,
    ends::signed_in,
    wire::{CLOSE, Way, Wire, number, request, u32},
};
use russh::{ChannelMsg, ChannelWriteHalf, client};
use tokio::time::timeout;

async fn the_target_answers_our_close(s: Switches) -> Result<(), String> {
    // As sshd does it: the exit status, then its CLOSE.
    let (_wire, a, b) = Wire::with(Box::new(|way, payload| {
        if way == Way::Down && payload.first() == Some(&CLOSE) {
            let status = request(number(&payload, 1), "exit-status", false, &u32(9));
            return vec![status, payload];
        }
        vec![payload]
    }));
    let (gateway, _target, mut inside) = signed_in((a, b), s, Switches::stock()).await;
    let (mut reads, writes) = gateway.channel_open_session().await.map_err(|e| e.to_string())?.split();
    let _there = inside.channel().await;
    close_ours(s, &writes).await;
    let told = async {
        loop {
            match reads.wait().await {
                Some(ChannelMsg::ExitStatus { exit_status: 9 }) => return Ok(()),
                #[cfg(not(feature = "stock"))]
                Some(ChannelMsg::Request { name, payload, .. }) if name == "exit-status" && number(&payload, 0) == 9 => return Ok(()),
                Some(ChannelMsg::Close) | None => return Err("the exit status is lost".to_owned()),
                Some(_) => {}
            }
        }
    };
    // Stock russh keeps the channel's entry, too, so that nobody is told anything.
    timeout(s.patience, told).await.unwrap_or_else(|_| Err("the exit status is lost".into()))
}

async fn close_ours(_s: Switches, writes: &ChannelWriteHalf<client::Msg>) {
    #[cfg(not(feature = "stock"))]
    if _s.manual_close {
        let _ = writes.close_ours().await;
        return;
    }
    let _ = writes.close().await;
}

trap!(the_target_answers_our_close, "is lost");
