//! A channel that nobody reads stops all others of its connection: the loop waits for its full queue.
use anteroom_russh_traps::{Switches, ends::signed_in, wire::Wire};
use bytes::Bytes;
use russh::ChannelMsg;
use tokio::time::timeout;

async fn one_that_nobody_reads(s: Switches) -> Result<(), String> {
    let (_wire, a, b) = Wire::new();
    let (client, _gateway, mut inside) = signed_in((a, b), Switches::ours(), s).await;
    let flooded = client.channel_open_session().await.map_err(|e| e.to_string())?;
    let _nobody_reads = inside.channel().await;
    tokio::spawn(async move { while flooded.data_bytes(Bytes::from(vec![0; 32 << 10])).await.is_ok() {} });
    let neighbour = async {
        for _ in 0..50 {
            let mut here = client.channel_open_session().await.map_err(|e| e.to_string())?;
            let there = inside.channel().await;
            there.data_bytes(Bytes::from_static(b"hello")).await.map_err(|e| e.to_string())?;
            while !matches!(here.wait().await, Some(ChannelMsg::Data { .. })) {}
            // Until the flood has filled what there is to fill.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        Ok(())
    };
    timeout(s.patience, neighbour).await.unwrap_or_else(|_| Err("the second channel stands still".into()))
}

trap!(one_that_nobody_reads, "the second channel stands still");
