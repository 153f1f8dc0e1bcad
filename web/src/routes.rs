//! Every route of the portal and what it needs, in one table. The guard enforces the table; a test walks it.
use crate::{
    assets, guard,
    guard::{Answers, Needs},
    pages::{
        absence, approvals, audit, break_glass, cards, companies, desktop, devices, enrol, grants, health, home, keys, live, locks, login,
        notices, offered, people, policies, recordings, requests, sessions, sign_in, step_up, supervise, targets, terminal, unmask,
    },
    state::App,
};
use anteroom_policy::Action::{
    AskUnmask, BreakGlass, ExportRecording, HoldRecording, IssueCards, LiftHold, Lock, ManagePeople, ManagePolicies, ManageTargets,
    ReplayMasked, RequestAccess, ReviewBreakGlass, ReviewRequests, ReviewUnmask, RevokeGrant, SearchAudit, SeePolicies, SeeSessions,
    Supervise, TerminateSession,
};
use axum::{
    Extension, Router,
    http::Method,
    middleware,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post, put},
};
use tokio_util::sync::CancellationToken;

pub(crate) struct Route {
    /// Of `handler`; written down so that tests can call it.
    #[cfg_attr(not(test), allow(dead_code))]
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) needs: Needs,
    pub(crate) answers: Answers,
    handler: MethodRouter<App>,
}

fn route(method: Method, path: &'static str, needs: Needs, answers: Answers, handler: MethodRouter<App>) -> Route {
    Route { method, path, needs, answers, handler }
}
fn page(path: &'static str, needs: Needs, handler: MethodRouter<App>) -> Route {
    route(Method::GET, path, needs, Answers::Page, handler)
}
fn form(path: &'static str, needs: Needs, handler: MethodRouter<App>) -> Route {
    route(Method::POST, path, needs, Answers::Page, handler)
}
fn json(path: &'static str, needs: Needs, handler: MethodRouter<App>) -> Route {
    route(Method::POST, path, needs, Answers::Json, handler)
}
fn data(path: &'static str, needs: Needs, handler: MethodRouter<App>) -> Route {
    route(Method::GET, path, needs, Answers::Json, handler)
}

/// Default deny: what is not here does not exist.
pub(crate) fn table() -> Vec<Route> {
    use Needs::{May, MayEither, Nothing, SignedIn};
    vec![
        // Anybody
        data("/healthz", Nothing, get(health::show)),
        data("/assets/{file}", Nothing, get(assets::serve)),
        page("/sign-in", Nothing, get(sign_in::page::show)),
        json("/sign-in/begin", Nothing, post(sign_in::begin::begin)),
        json("/sign-in/finish", Nothing, post(sign_in::finish::finish)),
        page("/enrol", Nothing, get(enrol::page::show)),
        json("/enrol/begin", Nothing, post(enrol::begin::begin)),
        json("/enrol/finish", Nothing, post(enrol::finish::finish)),
        // Programs that ask for a certificate: what they ask for waits for a passkey
        json("/api/login", Nothing, post(login::ask::ask)),
        json("/api/login/{id}/poll", Nothing, post(login::poll::poll)),
        // Programs that know whether a patient depends on a device; the handler asks for their token
        route(Method::PUT, "/api/v1/devices/{name}/clinical-use", Nothing, Answers::Json, put(devices::clinical_use::put)),
        // Device managers; the handler checks their signature
        json("/api/v1/posture", Nothing, post(devices::posture::post)),
        // Everybody who is signed in: their own things
        page("/", SignedIn, get(home::show)),
        form("/sign-out", SignedIn, post(sign_in::out::sign_out)),
        data("/live", SignedIn, get(live::stream)),
        page("/keys", SignedIn, get(keys::page::show)),
        json("/keys/ssh/begin", SignedIn, post(keys::ssh_begin::begin)),
        json("/keys/ssh/finish", SignedIn, post(keys::ssh_finish::finish)),
        form("/keys/ssh/{id}/remove", SignedIn, post(keys::ssh_remove::remove)),
        json("/keys/passkey/begin", SignedIn, post(keys::passkey_begin::begin)),
        json("/keys/passkey/finish", SignedIn, post(keys::passkey_finish::finish)),
        page("/step-up/{id}", SignedIn, get(step_up::page::show)),
        json("/step-up/{id}/begin", SignedIn, post(step_up::begin::begin)),
        json("/step-up/{id}/finish", SignedIn, post(step_up::finish::finish)),
        form("/step-up/{id}/refuse", SignedIn, post(step_up::refuse::refuse)),
        // Asking
        page("/requests", May(RequestAccess), get(requests::list::show)),
        form("/requests", May(RequestAccess), post(requests::submit::submit)),
        page("/requests/new", May(RequestAccess), get(requests::new::show)),
        page("/requests/targets", May(RequestAccess), get(requests::targets::show)),
        // What their forms offer while somebody types
        page("/offered", MayEither(RequestAccess, IssueCards), get(offered::show)),
        // In an emergency. A person sees only their own; the handler checks whose it is.
        page("/break-glass", May(BreakGlass), get(break_glass::page::show)),
        json("/break-glass/begin", May(BreakGlass), post(break_glass::begin::begin)),
        json("/break-glass/finish", May(BreakGlass), post(break_glass::finish::finish)),
        page("/break-glass/all", May(ReviewBreakGlass), get(break_glass::all::show)),
        page("/break-glass/{id}", MayEither(BreakGlass, ReviewBreakGlass), get(break_glass::show::show)),
        json("/break-glass/{id}/review/begin", May(ReviewBreakGlass), post(break_glass::review::begin)),
        json("/break-glass/{id}/review/finish", May(ReviewBreakGlass), post(break_glass::review::finish)),
        // Sealed cards for when nobody can be asked. Whoever reviews emergencies sees them too.
        page("/cards", MayEither(IssueCards, ReviewBreakGlass), get(cards::list::show)),
        page("/cards/new", May(IssueCards), get(cards::new::show)),
        json("/cards/begin", May(IssueCards), post(cards::begin::begin)),
        json("/cards/finish", May(IssueCards), post(cards::finish::finish)),
        page("/cards/{id}", MayEither(IssueCards, ReviewBreakGlass), get(cards::show::show)),
        form("/cards/{id}/print", May(IssueCards), post(cards::print::print)),
        json("/cards/{id}/sign/begin", May(IssueCards), post(cards::sign::begin)),
        json("/cards/{id}/sign/finish", May(IssueCards), post(cards::sign::finish)),
        page("/cards/{id}/revoke", May(IssueCards), get(cards::revoke::confirm)),
        form("/cards/{id}/revoke", May(IssueCards), post(cards::revoke::revoke)),
        // A terminal in the browser. {id} is account@target for its page, and this one terminal afterwards.
        page("/terminal/{id}", May(RequestAccess), get(terminal::page::show)),
        json("/terminal/{id}/begin", May(RequestAccess), post(terminal::begin::begin)),
        json("/terminal/{id}/finish", May(RequestAccess), post(terminal::finish::finish)),
        data("/terminal/{id}/socket", May(RequestAccess), get(terminal::socket::socket)),
        // A desktop by an RDP client. {id} is the grant.
        page("/desktop/{id}", May(RequestAccess), get(desktop::page::show)),
        json("/desktop/{id}/begin", May(RequestAccess), post(desktop::begin::begin)),
        json("/desktop/{id}/finish", May(RequestAccess), post(desktop::finish::finish)),
        data("/desktop/{id}/waiting", May(RequestAccess), get(desktop::waiting::waiting)),
        page("/login/{id}", May(RequestAccess), get(login::page::show)),
        json("/login/{id}/begin", May(RequestAccess), post(login::begin::begin)),
        json("/login/{id}/finish", May(RequestAccess), post(login::finish::finish)),
        form("/login/{id}/refuse", May(RequestAccess), post(login::refuse::refuse)),
        json("/keys/certificate/begin", May(RequestAccess), post(login::here::begin)),
        json("/keys/certificate/finish", May(RequestAccess), post(login::here::finish)),
        // Answering. A requester sees only their own; the handler checks whose it is.
        page("/requests/{id}", MayEither(RequestAccess, ReviewRequests), get(requests::show::show)),
        form("/requests/{id}/withdraw", May(RequestAccess), post(requests::withdraw::withdraw)),
        form("/requests/{id}/comment", MayEither(RequestAccess, ReviewRequests), post(requests::comment::add)),
        page("/approvals", May(ReviewRequests), get(approvals::show)),
        page("/absence", May(ReviewRequests), get(absence::show)),
        form("/absence", May(ReviewRequests), post(absence::set)),
        form("/absence/end", May(ReviewRequests), post(absence::end)),
        json("/requests/{id}/review/begin", May(ReviewRequests), post(requests::review_begin::begin)),
        json("/requests/{id}/review/finish", May(ReviewRequests), post(requests::review_finish::finish)),
        page("/grants", May(RevokeGrant), get(grants::list::show)),
        page("/grants/{id}/revoke", May(RevokeGrant), get(grants::confirm::show)),
        form("/grants/{id}/revoke", May(RevokeGrant), post(grants::revoke::revoke)),
        // Watching
        page("/sessions", May(SeeSessions), get(sessions::list::show)),
        page("/sessions/{id}/terminate", May(TerminateSession), get(sessions::confirm::show)),
        form("/sessions/{id}/terminate", May(TerminateSession), post(sessions::terminate::terminate)),
        form("/sessions/{id}/pause", May(TerminateSession), post(sessions::pause::pause)),
        form("/sessions/{id}/resume", May(TerminateSession), post(sessions::pause::resume)),
        page("/sessions/{id}/message", May(TerminateSession), get(sessions::message::show)),
        form("/sessions/{id}/message", May(TerminateSession), post(sessions::message::send)),
        page("/supervise", May(Supervise), get(supervise::list::show)),
        page("/supervise/{id}", May(Supervise), get(supervise::show::show)),
        json("/supervise/{id}/join", May(Supervise), post(supervise::seat::join)),
        json("/supervise/{id}/renew", May(Supervise), post(supervise::seat::renew)),
        json("/supervise/{id}/leave", May(Supervise), post(supervise::seat::leave)),
        json("/supervise/{id}/note", May(Supervise), post(supervise::seat::note)),
        json("/supervise/{id}/prolong", May(Supervise), post(supervise::seat::prolong)),
        page("/recordings", May(ReplayMasked), get(recordings::list::show)),
        page("/recordings/search", May(ReplayMasked), get(recordings::search::form)),
        form("/recordings/search", May(ReplayMasked), post(recordings::search::ask)),
        page("/recordings/search/{id}", May(ReplayMasked), get(recordings::search::show)),
        page("/recordings/{id}", May(ReplayMasked), get(recordings::show::show)),
        data("/recordings/{id}/channels/{channel}/cast", May(ReplayMasked), get(recordings::cast::cast)),
        data("/recordings/{id}/channels/{channel}/parts", May(ReplayMasked), get(recordings::parts::index)),
        data("/recordings/{id}/channels/{channel}/parts/{part}", May(ReplayMasked), get(recordings::parts::part)),
        // Also for who watches a session that may not run unwatched, while they do; the handler asks.
        data("/recordings/{id}/channels/{channel}/live", MayEither(ReplayMasked, Supervise), get(recordings::live::follow)),
        data("/recordings/{id}/channels/{channel}/film", May(ReplayMasked), get(recordings::film::index)),
        data("/recordings/{id}/channels/{channel}/film/live", MayEither(ReplayMasked, Supervise), get(recordings::film_live::follow)),
        data("/recordings/{id}/channels/{channel}/film/{part}", May(ReplayMasked), get(recordings::film::part)),
        data("/recordings/{id}/channels/{channel}/masked.cast", May(ExportRecording), get(recordings::cast::export)),
        page("/recordings/{id}/hold", May(HoldRecording), get(recordings::keeping::show)),
        form("/recordings/{id}/hold", May(HoldRecording), post(recordings::keeping::place)),
        form("/recordings/{id}/hold/lift", May(LiftHold), post(recordings::keeping::lift)),
        page("/audit", May(SearchAudit), get(audit::show)),
        // Seeing an interval as it was. A requester sees only their own; the handler checks whose it is.
        page("/recordings/{id}/unmask", May(AskUnmask), get(unmask::ask::show)),
        form("/recordings/{id}/unmask", May(AskUnmask), post(unmask::ask::ask)),
        page("/unmask", May(AskUnmask), get(unmask::list::show)),
        page("/key-holder", May(ReviewUnmask), get(unmask::waiting::show)),
        page("/unmask/{id}", MayEither(AskUnmask, ReviewUnmask), get(unmask::show::show)),
        form("/unmask/{id}/withdraw", May(AskUnmask), post(unmask::withdraw::withdraw)),
        json("/unmask/{id}/review/begin", May(ReviewUnmask), post(unmask::review_begin::begin)),
        json("/unmask/{id}/review/finish", May(ReviewUnmask), post(unmask::review_finish::finish)),
        json("/unmask/{id}/open/begin", May(AskUnmask), post(unmask::open_begin::begin)),
        json("/unmask/{id}/open/finish", May(AskUnmask), post(unmask::open_finish::finish)),
        form("/unmask/{id}/close", May(AskUnmask), post(unmask::close::close)),
        page("/unmask/{id}/watch", May(AskUnmask), get(unmask::watch::show)),
        data("/unmask/{id}/channels/{channel}/cast", May(AskUnmask), get(unmask::cast::cast)),
        data("/unmask/{id}/channels/{channel}/film", May(AskUnmask), get(unmask::cast::film)),
        // Keeping
        page("/people", May(ManagePeople), get(people::list::show)),
        form("/people", May(ManagePeople), post(people::add::add)),
        page("/people/{id}", May(ManagePeople), get(people::show::show)),
        form("/people/{id}/suspend", May(ManagePeople), post(people::suspend::suspend)),
        form("/people/{id}/reinstate", May(ManagePeople), post(people::reinstate::reinstate)),
        form("/people/{id}/link", May(ManagePeople), post(people::link::make)),
        page("/notices", May(ManagePeople), get(notices::show)),
        form("/notices/again", May(ManagePeople), post(notices::again)),
        // Vendor companies: whoever may shut them out may see them
        page("/companies", May(Lock), get(companies::list::show)),
        form("/companies", May(ManagePeople), post(companies::add::add)),
        page("/companies/{id}", May(Lock), get(companies::show::show)),
        form("/companies/{id}/contract", May(ManagePeople), post(companies::contract::change)),
        form("/companies/{id}/people", May(ManagePeople), post(companies::people::set)),
        form("/companies/{id}/targets", May(ManageTargets), post(companies::targets::set)),
        // Shutting out, and letting in again
        page("/locks", May(Lock), get(locks::list::show)),
        form("/locks", May(Lock), post(locks::set::lock)),
        form("/locks/lift", May(Lock), post(locks::set::lift)),
        page("/policies", May(SeePolicies), get(policies::show::show)),
        page("/policies/what-if", May(SeePolicies), get(policies::what_if::show)),
        page("/policies/versions/{version}", May(SeePolicies), get(policies::version::show)),
        page("/policies/edit", May(ManagePolicies), get(policies::edit::show)),
        form("/policies/edit", May(ManagePolicies), post(policies::edit::submit)),
        page("/targets", May(ManageTargets), get(targets::list::show)),
        form("/targets", May(ManageTargets), post(targets::add::add)),
        page("/targets/{id}", May(ManageTargets), get(targets::show::show)),
        page("/components", May(ManageTargets), get(targets::components::show)),
        form("/targets/{id}/reach", May(ManageTargets), post(targets::change::change)),
        form("/targets/{id}/clinical-use", May(ManageTargets), post(targets::clinical_use::turn)),
        form("/targets/{id}/test", May(ManageTargets), post(targets::test::test)),
        form("/targets/{id}/pin", May(ManageTargets), post(targets::pin::pin)),
        form("/targets/{id}/credential", May(ManageTargets), post(targets::credential::store)),
    ]
}

pub(crate) fn router(app: App, stop: &CancellationToken) -> Router {
    let mut router = Router::new();
    for Route { path, needs, answers, handler, .. } in table() {
        router = router.route(path, handler.route_layer(middleware::from_fn_with_state((app.clone(), needs, answers), guard::guard)));
    }
    router.fallback(nothing_here).layer(Extension(live::Stop(stop.clone()))).with_state(app)
}

async fn nothing_here() -> Response {
    crate::errors::Problem::not_found().into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::guard::{Verdict, judge};
    use anteroom_domain::{DisplayName, Handle, Moment, Person, PersonId, Role, Roles};
    use anteroom_policy::may;

    fn person(roles: &[Role], suspended: bool) -> Person {
        Person {
            id: PersonId(Default::default()),
            handle: Handle::new("p").unwrap(),
            display_name: DisplayName::new("P").unwrap(),
            roles: Roles::from_iter(roles.iter().copied()),
            attributes: Default::default(),
            suspended_at: suspended.then_some(Moment::UNIX_EPOCH),
            created_at: Moment::UNIX_EPOCH,
        }
    }

    /// What a stranger may call is written down here a second time: a new public route has to be added in both places.
    const PUBLIC: [&str; 12] = [
        "/healthz",
        "/assets/{file}",
        "/sign-in",
        "/sign-in/begin",
        "/sign-in/finish",
        "/enrol",
        "/enrol/begin",
        "/enrol/finish",
        "/api/login",
        "/api/login/{id}/poll",
        "/api/v1/devices/{name}/clinical-use",
        "/api/v1/posture",
    ];

    #[test]
    fn every_route_is_judged_for_every_role() {
        for r in table() {
            let public = PUBLIC.contains(&r.path);
            let label = format!("{} {}", r.method, r.path);
            assert_eq!(judge(r.needs, None) == Verdict::Pass, public, "{label}: a stranger");
            assert_eq!(judge(r.needs, Some(&person(&Role::ALL, true))) == Verdict::Pass, public, "{label}: suspended");
            for role in Role::ALL {
                let p = person(&[role], false);
                let expected = match r.needs {
                    Needs::Nothing | Needs::SignedIn => Verdict::Pass,
                    Needs::May(a) if may(&p, a) => Verdict::Pass,
                    Needs::MayEither(a, b) if may(&p, a) || may(&p, b) => Verdict::Pass,
                    _ => Verdict::Hide,
                };
                assert_eq!(judge(r.needs, Some(&p)), expected, "{label}: {role}");
            }
        }
    }

    #[test]
    fn each_role_reaches_exactly_its_own_rooms() {
        let rooms = |role: Role| -> Vec<&'static str> {
            let p = person(&[role], false);
            let special = |r: &Route| !matches!(r.needs, Needs::Nothing | Needs::SignedIn) && r.method == Method::GET;
            table().iter().filter(|r| special(r) && judge(r.needs, Some(&p)) == Verdict::Pass).map(|r| r.path).collect()
        };
        assert_eq!(
            rooms(Role::Admin),
            [
                "/requests",
                "/requests/new",
                "/requests/targets",
                "/offered",
                "/break-glass",
                "/break-glass/{id}",
                "/terminal/{id}",
                "/terminal/{id}/socket",
                "/desktop/{id}",
                "/desktop/{id}/waiting",
                "/login/{id}",
                "/requests/{id}"
            ]
        );
        assert_eq!(
            rooms(Role::Approver),
            [
                "/break-glass/all",
                "/break-glass/{id}",
                "/cards",
                "/cards/{id}",
                "/requests/{id}",
                "/approvals",
                "/absence",
                "/grants",
                "/grants/{id}/revoke",
                "/sessions",
                "/sessions/{id}/terminate",
                "/sessions/{id}/message",
                "/supervise",
                "/supervise/{id}",
                "/recordings/{id}/channels/{channel}/live",
                "/recordings/{id}/channels/{channel}/film/live",
                "/companies",
                "/companies/{id}",
                "/locks"
            ]
        );
        assert_eq!(
            rooms(Role::Auditor),
            [
                "/break-glass/all",
                "/break-glass/{id}",
                "/cards",
                "/cards/{id}",
                "/sessions",
                "/recordings",
                "/recordings/search",
                "/recordings/search/{id}",
                "/recordings/{id}",
                "/recordings/{id}/channels/{channel}/cast",
                "/recordings/{id}/channels/{channel}/parts",
                "/recordings/{id}/channels/{channel}/parts/{part}",
                "/recordings/{id}/channels/{channel}/live",
                "/recordings/{id}/channels/{channel}/film",
                "/recordings/{id}/channels/{channel}/film/live",
                "/recordings/{id}/channels/{channel}/film/{part}",
                "/recordings/{id}/channels/{channel}/masked.cast",
                "/recordings/{id}/hold",
                "/audit",
                "/recordings/{id}/unmask",
                "/unmask",
                "/unmask/{id}",
                "/unmask/{id}/watch",
                "/unmask/{id}/channels/{channel}/cast",
                "/unmask/{id}/channels/{channel}/film",
                "/policies",
                "/policies/what-if",
                "/policies/versions/{version}"
            ]
        );
        assert_eq!(
            rooms(Role::KeyHolder),
            ["/offered", "/cards", "/cards/new", "/cards/{id}", "/cards/{id}/revoke", "/key-holder", "/unmask/{id}"]
        );
        assert_eq!(
            rooms(Role::Operator),
            [
                "/sessions",
                "/sessions/{id}/terminate",
                "/sessions/{id}/message",
                "/recordings/{id}/hold",
                "/people",
                "/people/{id}",
                "/notices",
                "/companies",
                "/companies/{id}",
                "/locks",
                "/policies",
                "/policies/what-if",
                "/policies/versions/{version}",
                "/policies/edit",
                "/targets",
                "/targets/{id}",
                "/components"
            ]
        );
    }

    #[test]
    fn what_changes_something_is_never_a_get() {
        for r in table().iter().filter(|r| r.method == Method::GET) {
            assert!(
                !["/begin", "/finish", "/withdraw", "/suspend", "/refuse", "/remove", "/test"].iter().any(|end| r.path.ends_with(end)),
                "{}",
                r.path
            );
        }
    }
}
