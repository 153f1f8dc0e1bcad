//! A value that is not UTF-8 (RFC 4254 section 6.4 promises no text) ends the whole connection.
use anteroom_russh_traps::{
    Switches,
    ends::signed_in,
    wire::{Way, Wire, asks},
};
use russh::ChannelMsg;
use tokio::time::timeout;

async fn latin_1(s: Switches) -> Result<(), String> {
    let (_wire, a, b) = Wire::with(Box::new(|way, mut p| {
        if way == Way::Up && asks(&p, "env").is_some() {
            let end = p.len();
            p[end - 4..].copy_from_slice(b"\xe4\xf6\xfc.");
        }
        vec![p]
    }));
    let (client, mut gateway, mut inside) = signed_in((a, b), Switches::ours(), s).await;
    let here = client.channel_open_session().await.map_err(|e| e.to_string())?;
    let mut there = inside.channel().await;
    here.set_env(false, "LANG", "abcd").await.map_err(|e| e.to_string())?;
    here.exec(false, "id").await.map_err(|e| e.to_string())?;
    let asked = async {
        loop {
            match there.wait().await {
                Some(ChannelMsg::Exec { .. }) => return Ok(()),
                #[cfg(not(feature = "stock"))]
                Some(ChannelMsg::Request { name, .. }) if name == "exec" => return Ok(()),
                Some(_) => {}
                None => return Err("the connection ended".to_owned()),
            }
        }
    };
    tokio::select! {
        end = timeout(s.patience, asked) => end.unwrap_or_else(|_| Err("nothing comes after it".into())),
        _ = &mut gateway => Err("the connection ended".into()),
    }
}

trap!(latin_1, "the connection ended");
