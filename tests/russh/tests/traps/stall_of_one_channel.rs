//! `cat big | ssh gateway cat | cmp - big` stands still: while the client takes nothing for a moment, each loop of the relay comes to wait
//! for the queue of a channel and each pump for a loop, and then nobody is left who could hear that the client goes on.
use anteroom_russh_traps::{
    Switches,
    ends::signed_in,
    relay::{Pumps, give_back, relay},
    wire::{WINDOW_ADJUST, Way, Wire, number},
};
use bytes::Bytes;
use russh::{Channel, ChannelId, ChannelMsg};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use std::time::Duration;

const SIZE: usize = 24 << 20;
const PIECE: usize = 32 << 10;

async fn both_ways_at_once(middle: Switches) -> Result<(), String> {
    // The ends themselves are good ones.
    let end = Switches { patience: middle.patience, ..Switches::ours() };
    // Window that the client would give, while it takes nothing.
    let held = Arc::new(Mutex::new(Some(0)));
    let (to_gateway, a, b) = Wire::with({
        let held = held.clone();
        Box::new(move |way, p| match &mut *held.lock().unwrap() {
            Some(sum) if way == Way::Up && p.first() == Some(&WINDOW_ADJUST) => {
                *sum += number(&p, 5);
                vec![]
            }
            _ => vec![p],
        })
    });
    let (client, gateway, mut inside) = signed_in((a, b), end, middle).await;
    let (_to_target, c, d) = Wire::new();
    let (target, _target, mut beyond) = signed_in((c, d), middle, end).await;

    let opened = client.channel_open_session().await.map_err(|e| e.to_string())?;
    let channel = to_gateway.servers_number().await;
    let _relay = relay(middle, Pumps::Tied, inside.channel().await, gateway.handle(), &target).await;
    let moved = Arc::<AtomicUsize>::default();
    let at_target = beyond.channel().await;
    exchange(end, opened, &moved);
    exchange(end, at_target, &moved);
    until_quiet(&moved, Duration::from_millis(500)).await;
    let given: u32 = held.lock().unwrap().take().unwrap_or_default();
    to_gateway.inject(Way::Up, [&[WINDOW_ADJUST][..], &channel.to_be_bytes(), &given.to_be_bytes()].concat());
    match until_quiet(&moved, middle.patience).await {
        now if now == 2 * SIZE => Ok(()),
        now => Err(format!("stands still after {now} of {} bytes", 2 * SIZE)),
    }
}

/// How much has moved when all has, or nothing more for so long.
async fn until_quiet(moved: &AtomicUsize, quiet: Duration) -> usize {
    let (mut last, mut since) = (0, tokio::time::Instant::now());
    loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let now = moved.load(Ordering::SeqCst);
        if now != last {
            (last, since) = (now, tokio::time::Instant::now());
        } else if now == 2 * SIZE || since.elapsed() > quiet {
            return now;
        }
    }
}

/// Sends and takes, each at its own pace.
fn exchange<S: From<(ChannelId, ChannelMsg)> + Send + Sync + 'static>(end: Switches, channel: Channel<S>, moved: &Arc<AtomicUsize>) {
    let (mut reads, writes) = channel.split();
    let (writes, moved) = (Arc::new(writes), moved.clone());
    let sender = writes.clone();
    tokio::spawn(async move {
        for _ in 0..SIZE / PIECE {
            if sender.data_bytes(Bytes::from(vec![7; PIECE])).await.is_err() {
                return;
            }
        }
        std::future::pending::<()>().await;
    });
    tokio::spawn(async move {
        while let Some(m) = reads.wait().await {
            if let ChannelMsg::Data { data } = m {
                moved.fetch_add(data.len(), Ordering::SeqCst);
                give_back(end, &writes, data.len()).await;
            }
        }
    });
}

trap!(both_ways_at_once, "stands still");
