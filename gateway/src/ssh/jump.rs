//! `ssh -J bastion ACCOUNT@TARGET`: the jump's inner connection ends here too. The client believes to be at the target
//! (a host certificate of ours says so), so that ProxyJump just works, and is permitted and recorded like any other.
use super::{connection::Connection, forward, host_certificate, server, socket::socket};
use anteroom_domain::TargetName;
use russh::{Channel, ChannelOpenFailure, server::ChannelOpenHandle, server::Msg};
use std::sync::Arc;

/// Inner connections of one outer one.
pub(super) const MAX_INNER: usize = 16;

pub(super) async fn run(conn: Arc<Connection>, channel: Channel<Msg>, host: String, reply: ChannelOpenHandle) {
    let refuse = |why: &str| ChannelOpenFailure::Other { code: 1, reason: format!("anteroom: {why}") };
    // Whether the target exists, and for whom, is answered inside, in the same way for all names.
    let Ok(target) = TargetName::new(host.to_ascii_lowercase()) else {
        conn.note_refusal("jump", "a jump to something that is no target's name");
        return reply.reject(refuse("jump to a target by its name: ssh -J bastion ACCOUNT@TARGET")).await;
    };
    let Some(place) = conn.inner_place(MAX_INNER) else {
        return reply.reject(ChannelOpenFailure::ResourceShortage).await;
    };
    let config = match host_certificate::config_for(&conn.shared, &target).await {
        Ok(c) => c,
        Err(e) => {
            tracing::error!(error = %e, "no host certificate could be made");
            return reply.reject(refuse("the gateway can't prove to be this target at the moment")).await;
        }
    };
    reply.accept().await;
    let (reads, writes) = forward::sides(channel);
    // The guard closes the channel after the last words, whatever the client still holds open.
    let (stream, guard) = socket(reads, writes, &conn.tasks);
    server::serve_inner(&conn, stream, target, config).await;
    drop((guard, place));
}
