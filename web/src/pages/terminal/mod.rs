//! A terminal in the browser. A passkey confirms this one terminal, then a WebSocket carries it; who may open what is judged behind
//! [`TerminalDoor`](anteroom_domain::TerminalDoor), as for every SSH connection.
pub(crate) mod begin;
mod carry;
pub(crate) mod finish;
pub(crate) mod open;
pub(crate) mod page;
pub(crate) mod socket;
pub(crate) mod waiting;

use crate::{errors::Problem, guard::Viewer, moments::Now, state::App};
use anteroom_domain::{AccountName, Grant, TargetName};

/// Stands for the SSH key in what the passkey signs: there is none.
const FINGERPRINT: &str = "browser";

/// `root@ehr-db-1`, in the path of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) account: AccountName,
    pub(crate) target: TargetName,
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let (account, target) = text.rsplit_once('@')?;
        Some(Self { account: AccountName::new(account).ok()?, target: TargetName::new(target).ok()? })
    }
}

/// The page of a terminal. Account names hold backslashes and dollars, which a path does not.
pub(crate) fn path(account: &AccountName, target: &TargetName) -> String {
    let account: String = url::form_urlencoded::byte_serialize(account.as_str().as_bytes()).collect();
    format!("/terminal/{account}@{target}")
}

/// The viewer's grant for a shell there, if one is open. Only for the page's own words: the door judges again.
async fn grant(app: &App, viewer: &Viewer, place: &Place) -> Result<Option<Grant>, Problem> {
    if app.terminals.is_none() {
        return Ok(None);
    }
    let mut grants = app.approvals.reachable(viewer.person.id, Now::read().0).await?;
    grants.retain(|g| g.account_name == place.account && g.target_name == place.target && g.capabilities.shell());
    Ok(grants.into_iter().max_by_key(|g| g.not_after))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_place_is_an_account_and_a_target_and_survives_an_address_bar() {
        let place = Place::read("CORP\\svc$@mri-3").unwrap();
        assert_eq!((place.account.as_str(), place.target.as_str()), ("CORP\\svc$", "mri-3"));
        assert_eq!(path(&place.account, &place.target), "/terminal/CORP%5Csvc%24@mri-3");
        for bad in ["", "root", "root@", "@db", "-o@db", "a@b@db", "root@../x"] {
            assert_eq!(Place::read(bad), None, "{bad}");
        }
    }
}
