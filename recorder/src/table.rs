//! The table of channels, kept up while a track is written and when a cut one is read.
use anteroom_format::{Body, Carries, ChannelEntry, Desktop, Event};

/// Longest command or place that the table keeps, in bytes; the whole is in the events.
const MAX_COMMAND: usize = 1024;

/// Notes what an event says about its channel.
pub(crate) fn update(table: &mut Vec<ChannelEntry>, event: &Event<'_>) {
    let at = match table.iter().rposition(|c| c.channel == event.channel) {
        Some(i) => i,
        None => {
            table.push(ChannelEntry { channel: event.channel, opened_us: event.at_us, ..ChannelEntry::default() });
            table.len() - 1
        }
    };
    let entry = &mut table[at];
    entry.ended_us = entry.ended_us.max(event.at_us);
    match event.body {
        Body::OpenPty { cols, rows, term } => entry.pty = Some((cols, rows, term.to_owned())),
        Body::Command(piece) => {
            let kept = entry.command.get_or_insert_default();
            kept.extend_from_slice(&piece[..piece.len().min(MAX_COMMAND.saturating_sub(kept.len()))]);
        }
        Body::Exit { status } => entry.exit = Some(status),
        Body::Close => entry.closed = true,
        Body::OpenForward { forward, place } => {
            entry.carries = Some(Carries::Forward { forward: forward.to_owned(), place: beginning(place) });
        }
        Body::OpenFiles { how } => entry.carries = Some(Carries::Files { how: how.to_owned() }),
        Body::Traffic { input, output } => entry.traffic = Some((input, output)),
        Body::OpenDesktop(coded) => entry.desktop = Desktop::parse(coded).ok().map(|d| (d.width, d.height)),
        _ => {}
    }
}

fn beginning(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_COMMAND)].to_owned()
}
