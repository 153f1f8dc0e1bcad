use super::{
    ConfigArg, Done, JsonArg, Out,
    context::{Context, with_context},
    output::moment,
};
use anteroom_approvals::{GrantFilter, Page};
use anteroom_domain::{GrantId, GrantState, Handle};
use clap::Subcommand;

#[derive(Debug, clap::Args)]
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
    /// Grants, newest first.
    List {
        /// Only those that work now.
        #[arg(long)]
        live: bool,
        /// Only one person's.
        #[arg(long)]
        person: Option<Handle>,
    },
    /// Take a grant back; its sessions end within a second.
    Revoke { grant: GrantId },
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    with_context!(&a.config, cx => match a.what {
        What::List { live, person } => list(&cx, live, person, a.json.json, out).await,
        What::Revoke { grant } => {
            cx.approvals.revoke_grant(None, grant).await?;
            Ok(out.line(format!("grant {grant} is revoked"))?)
        }
    })
}

async fn list(cx: &Context, live_only: bool, person: Option<Handle>, json: bool, out: &mut Out) -> Done {
    let person = match person {
        Some(h) => Some(cx.person(&h).await?.id),
        None => None,
    };
    let grants = cx.approvals.grants(GrantFilter { person, live_only, ..Default::default() }, Page { number: 0, size: 500 }).await?.rows;
    if json {
        return Ok(out.json(&grants)?);
    }
    let now = time::OffsetDateTime::now_utc();
    let mut rows = Vec::new();
    for g in &grants {
        let who = cx.approvals.person(g.person).await?.map_or_else(|| g.person.to_string(), |p| p.handle.to_string());
        let state = match g.state(now) {
            GrantState::NotYet => "not yet",
            GrantState::Live => "live",
            GrantState::Expired => "ended",
            GrantState::Revoked => "revoked",
        };
        rows.push(vec![
            g.id.to_string(),
            who,
            format!("{}@{}", g.account_name, g.target_name),
            moment(g.not_before),
            moment(g.not_after),
            state.into(),
            g.capabilities.names().join(" "),
        ]);
    }
    Ok(out.table(&["GRANT", "PERSON", "ACCESS", "FROM", "UNTIL", "STATE", "ALLOWS"], &rows, "no grants")?)
}
