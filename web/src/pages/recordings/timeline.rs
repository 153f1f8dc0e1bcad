//! What happened when, beside the player: drawn for the eye, and as a list for everybody else.
use super::{
    admit::reading,
    search::{at, clock},
};
use crate::{errors::Problem, indexer, state::App};
use anteroom_approvals::Hit;
use anteroom_domain::{SessionId, SessionRecord};
use anteroom_recorder::{BARS, ChannelInfo, Mark, MarkKind, ReplayError, Timeline};
use tokio_util::sync::CancellationToken;

/// The drawing's own units.
const WIDE: u64 = 1_200;
const BAR_HIGH: u64 = 30;
/// Stretches and marks that are drawn; more would be one grey area.
const MOST_DRAWN: usize = 400;
/// A recording that nobody has read yet is read for its page if it is no longer than this.
const READ_AT_ONCE: u64 = 1 << 20;

/// For the template.
pub(crate) struct View {
    pub(crate) duration_us: u64,
    pub(crate) bars: Vec<Bar>,
    pub(crate) quiet: Vec<(u64, u64)>,
    pub(crate) ticks: Vec<Tick>,
    pub(crate) marks: Vec<Row>,
    pub(crate) more: bool,
    /// For the player: stretches of this channel in ms since its opening.
    pub(crate) skip: String,
    pub(crate) masks: u64,
    /// Of the marks: what was searched for.
    pub(crate) hits: usize,
    /// It showed more than can be searched.
    pub(crate) cut: bool,
}

pub(crate) struct Bar {
    pub(crate) x: u64,
    pub(crate) y: u64,
    pub(crate) high: u64,
}

pub(crate) struct Tick {
    pub(crate) x: u64,
    pub(crate) class: &'static str,
}

pub(crate) struct Row {
    pub(crate) href: String,
    pub(crate) channel: u32,
    pub(crate) at: String,
    pub(crate) clock: String,
    pub(crate) kind: &'static str,
    pub(crate) class: &'static str,
    pub(crate) text: String,
}

/// From the index, or from a short recording itself. None while nobody knows.
/// `hits`: what the reader searched for and found here.
pub(crate) async fn view(app: &App, session: &SessionRecord, channel: Option<&ChannelInfo>, hits: &[Hit]) -> Result<Option<View>, Problem> {
    let found = match app.approvals.indexed(session.id).await? {
        Some(indexed) => serde_json::from_value(indexed.timeline).ok().map(|t| (t, indexed.cut)),
        None => read(app, session.id).await.ok().flatten(),
    };
    Ok(found.map(|(timeline, cut)| draw(&timeline, cut, session.id, channel, hits)))
}

async fn read(app: &App, session: SessionId) -> Result<Option<(Timeline, bool)>, ReplayError> {
    let Some(replayer) = app.replayer.clone() else { return Ok(None) };
    let measured = replayer.clone();
    if reading(move || measured.masked_bytes(session)).await? > READ_AT_ONCE {
        return Ok(None);
    }
    let survey = indexer::survey(&replayer, session, &CancellationToken::new()).await?;
    Ok(survey.map(|s| (s.timeline, s.cut)))
}

fn draw(t: &Timeline, cut: bool, session: SessionId, channel: Option<&ChannelInfo>, hits: &[Hit]) -> View {
    let whole = t.duration_us.max(1);
    let x = |us: u64| u64::try_from(u128::from(us.min(whole)) * u128::from(WIDE) / u128::from(whole)).unwrap_or(WIDE);
    let most = t.masks.iter().copied().max().unwrap_or_default().max(1);
    let bar = |(n, count): (usize, &u32)| {
        let high = (u64::from(*count) * BAR_HIGH).div_ceil(u64::from(most));
        Bar { x: n as u64 * WIDE / BARS as u64, y: BAR_HIGH - high, high }
    };
    let (mine, opened) = channel.map_or((None, 0), |c| (Some(c.id), u64::try_from(c.opened_at.as_micros()).unwrap_or_default()));
    let of_channel: Vec<_> = t.quiet.iter().filter(|q| mine == Some(q.channel)).collect();
    let skip: Vec<[u64; 2]> = of_channel.iter().map(|q| [q.from_us, q.until_us].map(|us| us.saturating_sub(opened) / 1_000)).collect();
    let stretch = |q: &&anteroom_recorder::Quiet| (x(q.from_us), x(q.until_us).saturating_sub(x(q.from_us)));
    let mut marks: Vec<(u64, Row)> = t.marks.iter().map(|m| (m.at_us, row(m, session))).collect();
    marks.extend(hits.iter().map(|h| (h.at_us, found(h, session))));
    marks.sort_by_key(|(at_us, _)| *at_us);
    let hit_ticks = hits.iter().map(|h| Tick { x: x(h.at_us), class: "hit" });
    View {
        duration_us: t.duration_us,
        bars: t.masks.iter().enumerate().take(BARS).filter(|(_, n)| **n > 0).map(bar).collect(),
        quiet: of_channel.iter().map(stretch).filter(|(_, wide)| *wide > 1).take(MOST_DRAWN).collect(),
        ticks: t.marks.iter().take(MOST_DRAWN).map(|m| Tick { x: x(m.at_us), class: class(m.kind) }).chain(hit_ticks).collect(),
        marks: marks.into_iter().map(|(_, row)| row).collect(),
        hits: hits.len(),
        more: t.more_marks,
        skip: serde_json::to_string(&skip).unwrap_or_default(),
        masks: t.masks.iter().copied().map(u64::from).sum(),
        cut,
    }
}

fn row(m: &Mark, session: SessionId) -> Row {
    Row {
        href: format!("/recordings/{session}?channel={}&at={}", m.channel, at(m.at_us)),
        channel: m.channel,
        at: at(m.at_us),
        clock: clock(m.at_us),
        kind: words(m.kind),
        class: class(m.kind),
        text: m.text.clone(),
    }
}

fn found(h: &Hit, session: SessionId) -> Row {
    Row {
        href: format!("/recordings/{session}?channel={}&at={}", h.channel, at(h.at_us)),
        channel: h.channel,
        at: at(h.at_us),
        clock: clock(h.at_us),
        kind: "Found",
        class: "hit",
        text: h.pieces.iter().map(|(_, text)| text.as_str()).collect(),
    }
}

fn words(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Shell => "Terminal",
        MarkKind::Desktop => "Desktop",
        MarkKind::Command => "Command",
        MarkKind::Forward => "Forward",
        MarkKind::Files | MarkKind::File => "File",
        MarkKind::Resize => "Resize",
        MarkKind::Message => "Message",
        MarkKind::Note => "Note",
        MarkKind::Failed => "Failed",
    }
}

fn class(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Shell | MarkKind::Desktop | MarkKind::Command => "run",
        MarkKind::Forward | MarkKind::Files | MarkKind::File => "move",
        MarkKind::Resize => "size",
        MarkKind::Message | MarkKind::Note => "say",
        MarkKind::Failed => "fail",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_stays_within_its_frame_whatever_a_recording_says() {
        let mark = |at_us, kind| Mark { at_us, channel: 1, kind, text: "x".into() };
        let t = Timeline {
            duration_us: 10_000_000,
            marks: vec![mark(0, MarkKind::Shell), mark(u64::MAX, MarkKind::Failed)],
            more_marks: false,
            masks: (0..BARS as u32).collect(),
            quiet: vec![anteroom_recorder::Quiet { channel: 1, from_us: 2_000_000, until_us: u64::MAX }],
        };
        let view = draw(&t, false, SessionId(uuid::Uuid::from_u128(1)), None, &[]);
        assert!(view.bars.iter().all(|b| b.x < WIDE && b.y + b.high == BAR_HIGH && b.high >= 1));
        assert!(view.ticks.iter().all(|t| t.x <= WIDE) && view.quiet.is_empty() && view.skip == "[]");
        assert_eq!((view.bars.len(), view.marks[0].clock.as_str()), (BARS - 1, "0:00"));
    }
}
