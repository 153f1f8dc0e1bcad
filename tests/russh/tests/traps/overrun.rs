//! A peer that sends more than its window is not stopped: what is over it is taken all the same.
use anteroom_russh_traps::{
    Switches,
    ends::signed_in,
    wire::{DATA, Way, Wire, string},
};
use tokio::time::timeout;

async fn more_than_the_window(s: Switches) -> Result<(), String> {
    let (wire, a, b) = Wire::new();
    // A queue that holds all of it: this is not about the stall.
    let s = Switches { queue: 1 << 16, ..s };
    let (client, gateway, mut inside) = signed_in((a, b), Switches::ours(), s).await;
    let _sender = client.channel_open_session().await.map_err(|e| e.to_string())?;
    let channel = wire.servers_number().await;
    let _nobody_reads = inside.channel().await;
    let piece = [&[DATA][..], &channel.to_be_bytes(), &string(vec![0; 32 << 10])].concat();
    // The window is 2 MiB.
    for _ in 0..96 {
        wire.inject(Way::Up, piece.clone());
    }
    match timeout(s.patience, gateway).await {
        Ok(Err(russh::Error::Inconsistent)) => Ok(()),
        Ok(other) => Err(format!("it ended with {other:?}")),
        Err(_) => Err("a window that was overrun is no error".into()),
    }
}

trap!(more_than_the_window, "is no error");
