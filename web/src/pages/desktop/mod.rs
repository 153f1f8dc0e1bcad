//! A desktop by an RDP client. A passkey confirms this one connection, then a ticket is shown, once; what the client does with it is
//! judged by the gateway when it comes.
pub(crate) mod begin;
mod file;
pub(crate) mod finish;
pub(crate) mod page;
pub(crate) mod waiting;

use crate::{
    errors::Problem,
    guard::Viewer,
    moments::Now,
    pages::terminal::Place,
    state::{App, RdpAddress},
};
use anteroom_domain::{Grant, GrantId, GrantState};

/// The page of a grant's desktop.
pub(crate) fn path(grant: GrantId) -> String {
    format!("/desktop/{grant}")
}

/// The viewer's grant, if it is for a desktop and open, and where its client goes. Only for the page's own words: the ticket's maker
/// judges again.
async fn grant<'a>(app: &'a App, viewer: &Viewer, id: GrantId) -> Result<Option<(Grant, &'a RdpAddress)>, Problem> {
    let Some(rdp) = &app.rdp else { return Ok(None) };
    let grant = app.approvals.grant(id).await?;
    let mine = |g: &Grant| g.person == viewer.person.id && g.capabilities.desktop() && g.state(Now::read().0) == GrantState::Live;
    Ok(grant.filter(mine).map(|g| (g, rdp)))
}

fn place(grant: &Grant) -> Place {
    Place { account: grant.account_name.clone(), target: grant.target_name.clone() }
}
