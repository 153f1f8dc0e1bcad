//! A terminal mode that russh does not know ends the list: those after it never reach the target.
use anteroom_russh_traps::{
    Switches,
    ends::signed_in,
    relay::{Pumps, relay},
    wire::{Way, Wire, asks, string, u32},
};
use russh::Pty;

/// Opcode 200 is nobody's yet; RFC 4254 section 8 leaves up to 159 with one argument, OpenSSH sends what the system has.
const UNKNOWN: u8 = 150;

async fn an_unknown_mode(middle: Switches) -> Result<(), String> {
    let modes = |second: u8| string([&[1][..], &u32(3), &[second], &u32(28), &[129], &u32(38400), &[0]].concat());
    let (known, sent) = (modes(2), modes(UNKNOWN));
    let (_wire, a, b) = Wire::with({
        let sent = sent.clone();
        Box::new(move |way, mut p| {
            if way == Way::Up && asks(&p, "pty-req").is_some() && p.ends_with(&known) {
                let at = p.len() - sent.len();
                p[at..].copy_from_slice(&sent);
            }
            vec![p]
        })
    });
    let (client, gateway, mut inside) = signed_in((a, b), Switches::ours(), middle).await;
    let (to_target, c, d) = Wire::new();
    let (target, _target, mut beyond) = signed_in((c, d), middle, Switches::ours()).await;
    let here = client.channel_open_session().await.map_err(|e| e.to_string())?;
    let _relay = relay(middle, Pumps::Tied, inside.channel().await, gateway.handle(), &target).await;
    let _there = beyond.channel().await;
    let asked = [(Pty::VINTR, 3), (Pty::VQUIT, 28), (Pty::TTY_OP_OSPEED, 38400)];
    here.request_pty(false, "xterm", 80, 24, 0, 0, &asked).await.map_err(|e| e.to_string())?;
    let arrived = to_target.until(Way::Up, middle.patience, |p| asks(p, "pty-req")).await.ok_or("no terminal was asked for")?;
    if arrived.ends_with(&sent) { Ok(()) } else { Err(format!("the modes came changed: {arrived:?}")) }
}

trap!(an_unknown_mode, "the modes came changed");
