//! Sealed break-glass cards. Made in the portal only: two passkeys sign them.
use super::{
    ConfigArg, Done, JsonArg, Out,
    context::{Context, with_context},
    output::moment,
};
use anteroom_approvals::Page;
use anteroom_domain::{Card, CardId};
use anyhow::anyhow;
use clap::Subcommand;

const EXAMPLES: &str = "\
Examples:
  anteroom card list                  cards that can still be signed or used
  anteroom card list --all --json
  anteroom card show ID
  anteroom card revoke ID             the envelope was found open";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    json: JsonArg,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Cards, newest first. Nobody can show their codes.
    List {
        /// Also those that were used, revoked or whose time is over.
        #[arg(long)]
        all: bool,
        /// Part of a target's, a gateway's or an officer's name.
        #[arg(long, default_value = "")]
        search: String,
    },
    /// What a card opens, who signed it, and what became of it.
    Show { card: CardId },
    /// It opens nothing any more, once its gateway hears of it.
    Revoke { card: CardId },
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    with_context!(&a.config, cx => match a.what {
        What::List { all, search } => list(&cx, all, &search, a.json.json, out).await,
        What::Show { card } => show(&cx, card, a.json.json, out).await,
        What::Revoke { card } => {
            cx.approvals.revoke_card(None, card).await?;
            Ok(out.line(format!("card {card} is revoked"))?)
        }
    })
}

fn state(c: &Card) -> String {
    let kept = c.countersigned.is_none() || c.kept;
    if kept { c.state.as_str().into() } else { format!("{}, not yet at its gateway", c.state.as_str()) }
}

async fn list(cx: &Context, all: bool, search: &str, json: bool, out: &mut Out) -> Done {
    let cards = cx.approvals.cards(search, !all, Page { number: 0, size: 500 }).await?.rows;
    if json {
        return Ok(out.json(&cards)?);
    }
    let row = |c: Card| {
        let second = c.countersigned.as_ref().map_or_else(|| "-".to_owned(), |s| s.handle.to_string());
        let (t, state) = (c.terms.clone(), state(&c));
        let place = format!("{}@{}", t.account, t.target_name);
        vec![t.card.to_string(), t.gateway.to_string(), place, moment(t.until), c.begun.handle.to_string(), second, state]
    };
    let rows: Vec<_> = cards.into_iter().map(row).collect();
    let head = ["CARD", "GATEWAY", "OPENS", "UNTIL", "FIRST", "SECOND", "STATE"];
    Ok(out.table(&head, &rows, "no card can be used; two key-holders make one in the portal, under Cards")?)
}

async fn show(cx: &Context, id: CardId, json: bool, out: &mut Out) -> Done {
    let card = cx.approvals.card(id).await?.ok_or_else(|| anyhow!("there is no such card; see: anteroom card list --all"))?;
    if json {
        return Ok(out.json(&card)?);
    }
    let t = &card.terms;
    let mut lines = vec![
        ("opens", format!("{}@{}", t.account, t.target_name)),
        ("gateway", t.gateway.to_string()),
        ("state", state(&card)),
        ("counts", format!("{} to {}", moment(t.from), moment(t.until))),
        ("lasts", format!("{} minutes at most", t.minutes)),
        ("allows", t.capabilities.names().join(" ")),
        ("begun by", format!("{} {}", card.begun.handle, moment(card.begun.at))),
    ];
    if let Some(s) = &card.countersigned {
        lines.push(("signed by", format!("{} {}", s.handle, moment(s.at))));
    }
    lines.push(("fetched", format!("{} last fetched its cards {}", t.gateway, moment(card.fetched_at))));
    if let Some(at) = card.revoked_at {
        let by = card.revoked_by.as_ref().map_or("(command line)", |h| h.as_str());
        lines.push(("revoked", format!("{} by {by}", moment(at))));
    }
    if let Some(u) = &card.used {
        lines.push(("used", format!("{} by {}, request {}", moment(u.at), u.handle, u.request)));
    }
    for (name, value) in lines {
        out.line(format!("{name:<10}{value}"))?;
    }
    Ok(())
}
