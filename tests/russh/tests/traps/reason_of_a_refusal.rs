//! Why a channel was not opened is for people to read, and arrives as a number.
use anteroom_russh_traps::{
    Switches,
    ends::{Trusting, doors, meet},
    wire::Wire,
};
use russh::ChannelOpenFailure;

async fn a_refusal_with_a_reason(s: Switches) -> Result<(), String> {
    let (_wire, a, b) = Wire::new();
    let (doors, _inside) = doors();
    let why = ChannelOpenFailure::Other { code: 2, reason: "no route to pacs-2".into() };
    let (mut client, _target) = meet((a, b), (s, Trusting), (Switches::ours(), doors.refusing(why))).await;
    assert!(client.authenticate_none("ada").await.unwrap().success());
    match client.channel_open_session().await {
        Err(russh::Error::ChannelOpenFailure(why)) if why.description() == "no route to pacs-2" && why.code() == 2 => Ok(()),
        other => Err(format!("the reason is lost: {:?}", other.err())),
    }
}

unswitched_trap!(a_refusal_with_a_reason);
