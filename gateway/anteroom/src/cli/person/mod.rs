mod set;

use super::{
    ConfigArg, Done, JsonArg, Out,
    context::{Context, with_context},
    output::moment,
};
use crate::config::parse_duration;
use anteroom_approvals::Page;
use anteroom_domain::{DisplayName, Handle, Person, Role};
use clap::Subcommand;
use std::time::Duration;

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
    /// Add somebody; prints their one-time enrolment link.
    #[command(after_help = "Example:\n  anteroom person add ada --name \"Ada Example\" --role admin --role auditor")]
    Add {
        /// What they are called here: a-z, 0-9, '.', '_', '-'.
        handle: Handle,
        /// As people read it.
        #[arg(long)]
        name: DisplayName,
        /// admin, approver, auditor or operator; may be given several times.
        #[arg(long = "role", required = true)]
        roles: Vec<Role>,
    },
    /// Change what somebody may do here, who employs them, and what policies ask about them. Running sessions are judged again at once: those of
    /// somebody who is no admin any more, or whose company does not keep the target, end.
    #[command(after_help = set::EXAMPLES)]
    Set(set::Args),
    /// Put somebody out everywhere at once: portal, ssh, running sessions.
    Suspend { handle: Handle },
    /// Let a suspended person in again.
    Reinstate { handle: Handle },
    /// A one-time link that enrols a passkey; the former link stops working.
    EnrollLink {
        handle: Handle,
        /// How long it works.
        #[arg(long, default_value = "24h", value_parser = |s: &str| parse_duration(s).ok_or("not a time like 30m, 24h or 2d"))]
        ttl: Duration,
    },
    /// Everybody, suspended ones too.
    List {
        /// Part of a handle or name.
        #[arg(default_value = "")]
        search: String,
    },
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    with_context!(&a.config, cx => match a.what {
        What::Add { handle, name, roles } => {
            let person = cx.approvals.add_person(None, handle, name, roles.into_iter().collect()).await?;
            print_link(&cx, &person, Duration::from_secs(24 * 3600), a.json.json, out).await
        }
        What::Set(args) => set::run(&cx, args, out).await,
        What::Suspend { handle } => {
            let person = cx.person(&handle).await?;
            cx.approvals.suspend_person(None, person.id).await?;
            Ok(out.line(format!("{handle} is suspended: signed out, sessions end within a second"))?)
        }
        What::Reinstate { handle } => {
            let person = cx.person(&handle).await?;
            cx.approvals.reinstate_person(None, person.id).await?;
            Ok(out.line(format!("{handle} may sign in again"))?)
        }
        What::EnrollLink { handle, ttl } => {
            let person = cx.person(&handle).await?;
            print_link(&cx, &person, ttl, a.json.json, out).await
        }
        What::List { search } => list(&cx, &search, a.json.json, out).await,
    })
}

async fn print_link(cx: &Context, person: &Person, ttl: Duration, json: bool, out: &mut Out) -> Done {
    let token = cx.approvals.make_enrol_link(None, person.id, ttl).await?;
    let link = enrol_link(&cx.config.portal.origin, token.expose());
    if json {
        out.json(&serde_json::json!({ "person": person, "enroll_link": link }))?;
    } else {
        out.line(link)?;
    }
    Ok(())
}

/// The token stands in the fragment: browsers send it to nobody, so it is in no log.
pub(crate) fn enrol_link(origin: &url::Url, token: &str) -> String {
    format!("{}/enrol#{token}", origin.as_str().trim_end_matches('/'))
}

async fn list(cx: &Context, search: &str, json: bool, out: &mut Out) -> Done {
    let people = cx.approvals.people(search, Page { number: 0, size: 500 }).await?.rows;
    if json {
        return Ok(out.json(&people)?);
    }
    let rows: Vec<_> = people
        .iter()
        .map(|p| {
            let state = p.suspended_at.map_or_else(|| "active".into(), |at| format!("suspended {}", moment(at)));
            vec![p.handle.to_string(), p.display_name.to_string(), p.roles.names().join(","), state]
        })
        .collect();
    Ok(out.table(&["HANDLE", "NAME", "ROLES", "STATE"], &rows, "nobody yet; add somebody with: anteroom person add")?)
}
