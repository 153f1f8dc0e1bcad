//! `ssh bastion`: what a person may reach.
use super::{connection::Connection, notice, relay, relay::Say};
use anteroom_domain::{Moment, Person};
use russh::{Channel, server::ChannelOpenHandle, server::Msg};
use std::sync::Arc;

pub(super) async fn run(conn: Arc<Connection>, person: Person, channel: Channel<Msg>, reply: ChannelOpenHandle) {
    let now = Moment::now_utc();
    let say = match conn.shared.approvals.reachable(person.id, now).await {
        Ok(grants) => Say { text: notice::menu(&person, &grants, &conn.shared.config, now), status: 0 },
        Err(e) => Say::refused(notice::refused(&e)),
    };
    relay::say(channel, reply, say).await;
}
