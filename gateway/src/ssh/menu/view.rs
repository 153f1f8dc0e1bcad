//! The facts the menu shows.
use crate::ssh::SshConfig;
use anteroom_approvals::{Approvals, GrantFilter, Page, RequestFilter, StoreError};
use anteroom_domain::{AccessRequest, Capabilities, Grant, GrantState, Moment, Person, Protocol, RequestState, Role, request::MAX_GRANT};
use anteroom_menu::{Entry, State, View};
use std::collections::HashMap;

/// Targets shown; the rest is a matter for the portal's search.
const MAX_TARGETS: u32 = 500;
const NEWEST: Page = Page { number: 0, size: 200 };

pub(super) async fn of(approvals: &Approvals, person: &Person, config: &SshConfig) -> Result<View, StoreError> {
    let now = Moment::now_utc();
    let may_ask = person.roles.has(Role::Admin);
    let targets = approvals.targets_for(person, "", Page { number: 0, size: MAX_TARGETS }).await?.rows;
    let grants = approvals.grants(GrantFilter { person: Some(person.id), live_only: false, search: String::new() }, NEWEST).await?.rows;
    let filter = RequestFilter { requester: Some(person.id), ..RequestFilter::default() };
    let requests = approvals.requests(filter, NEWEST).await?.rows;
    let mut entries: HashMap<(String, String), Entry> = HashMap::new();
    let ask = || if may_ask { Capabilities::interactive().names() } else { Vec::new() };
    let max_minutes = u32::try_from(MAX_GRANT.whole_minutes()).unwrap_or(0);
    let entry = |target: &str, account: &str, description: String, state: State| Entry {
        target: target.to_owned(),
        account: account.to_owned(),
        description,
        state,
        capabilities: ask(),
        max_minutes,
    };
    // A desktop is asked for and reached at the portal.
    for t in targets.iter().filter(|t| may_ask && t.protocol != Protocol::Rdp) {
        for a in &t.accounts {
            let description = if t.description.is_empty() { t.kind.to_string() } else { format!("{}, {}", t.kind, t.description) };
            entries.insert((t.name.to_string(), a.name.to_string()), entry(t.name.as_str(), a.name.as_str(), description, State::Askable));
        }
    }
    // Oldest first, so that what was asked last stands.
    for r in requests.iter().rev() {
        if let (Some(e), Some(state)) = (entries.get_mut(&(r.target_name.to_string(), r.account.to_string())), state_of(r, now)) {
            e.state = state;
        }
    }
    for g in grants.iter().filter(|g| !g.capabilities.desktop()) {
        let Some(state) = held(g, now) else { continue };
        let key = (g.target_name.to_string(), g.account_name.to_string());
        let known =
            entries.entry(key).or_insert_with(|| entry(g.target_name.as_str(), g.account_name.as_str(), String::new(), state.clone()));
        let better = |old: &State| match (old, &state) {
            (State::Live { ends_at: old, .. }, State::Live { ends_at: new, .. }) => new > old,
            (State::Live { .. }, _) => false,
            _ => true,
        };
        if better(&known.state) {
            known.state = state;
        }
    }
    Ok(View {
        person: person.display_name.to_string(),
        bastion: config.public_host.clone(),
        port: config.public_port,
        unix_seconds: seconds(now),
        entries: entries.into_values().collect(),
    })
}

fn state_of(r: &AccessRequest, now: Moment) -> Option<State> {
    match r.state {
        RequestState::Pending if r.until > now => Some(State::Pending { request: r.id.to_string(), since: seconds(r.created_at) }),
        RequestState::Pending => Some(State::Expired { request: r.id.to_string() }),
        // Who denied it and why is told in the portal, where the approver's words are.
        RequestState::Denied if r.created_at > now - time::Duration::hours(12) => {
            Some(State::Denied { request: r.id.to_string(), by: "an approver".into(), reason: String::new() })
        }
        _ => None,
    }
}

fn held(g: &Grant, now: Moment) -> Option<State> {
    match g.state(now) {
        GrantState::Live => Some(State::Live { ends_at: seconds(g.not_after), approved_by: None }),
        GrantState::NotYet => Some(State::NotBegun { begins_at: seconds(g.not_before), ends_at: seconds(g.not_after), approved_by: None }),
        GrantState::Expired | GrantState::Revoked => None,
    }
}

fn seconds(m: Moment) -> u64 {
    u64::try_from(m.unix_timestamp()).unwrap_or(0)
}
