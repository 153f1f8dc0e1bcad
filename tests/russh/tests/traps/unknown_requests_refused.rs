//! `break` (RFC 4335), and whatever else russh has no name for, is refused instead of passed on.
use anteroom_russh_traps::{
    Switches,
    ends::signed_in,
    relay::{Pumps, relay},
    wire::{Way, Wire, asks, request, u32},
};

async fn a_break_and_one_of_tomorrow(middle: Switches) -> Result<(), String> {
    let (wire, a, b) = Wire::new();
    let (client, gateway, mut inside) = signed_in((a, b), Switches::ours(), middle).await;
    let (to_target, c, d) = Wire::new();
    let (target, _target, mut beyond) = signed_in((c, d), middle, Switches::ours()).await;
    let _here = client.channel_open_session().await.map_err(|e| e.to_string())?;
    let number = wire.servers_number().await;
    let _relay = relay(middle, Pumps::Tied, inside.channel().await, gateway.handle(), &target).await;
    let _there = beyond.channel().await;
    for (name, rest) in [("break", u32(500).to_vec()), ("tomorrow@example.org", b"\xff\0?".to_vec())] {
        wire.inject(Way::Up, request(number, name, true, &rest));
        let arrived = to_target.until(Way::Up, middle.patience, |p| asks(p, name)).await;
        if arrived != Some(rest) {
            return Err(format!("{name} is not passed on"));
        }
    }
    Ok(())
}

trap!(a_break_and_one_of_tomorrow, "break is not passed on");
