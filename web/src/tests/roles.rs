//! Every route x every role, through the real guard.
use super::Site;
use crate::{
    guard::{Answers, Needs, Verdict, judge},
    routes::table,
};
use anteroom_domain::Role;
use axum::http::{Method, StatusCode};
use serde_json::json;

const NO_SUCH: &str = "00000000-0000-4000-8000-000000000000";

#[tokio::test]
async fn what_is_not_yours_does_not_exist() {
    let site = Site::new().await;
    let mut people = Vec::new();
    for role in Role::ALL {
        people.push(site.world.somebody(role.as_str(), role).await);
    }
    let nowhere = site.get("/no/such/page", Some(&people[0])).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    for route in table() {
        let path = route.path.replace("{id}", NO_SUCH).replace("{version}", NO_SUCH).replace("{channel}", "0").replace("{file}", "x.js");
        let label = |who: &str| format!("{} {} as {who}", route.method, route.path);
        // Signing out and the event stream are right for everybody, and would end the test. Device managers sign: no cookie counts there.
        if ["/sign-out", "/live", "/api/v1/posture"].contains(&route.path) {
            continue;
        }
        let call =
            async |who| if route.method == Method::GET { site.get(&path, who).await } else { site.json(&path, &json!({}), who).await };
        let stranger = call(None).await;
        match route.needs {
            Needs::Nothing => assert_ne!(stranger.status, StatusCode::UNAUTHORIZED, "{}", label("a stranger")),
            _ => {
                let turned_away = stranger.status == StatusCode::UNAUTHORIZED
                    || stranger.status == StatusCode::SEE_OTHER && stranger.header("location").starts_with("/sign-in");
                assert!(turned_away, "{}: {}", label("a stranger"), stranger.status);
            }
        }
        for someone in &people {
            let answer = call(Some(someone)).await;
            let who = someone.person.handle.as_str();
            if judge(route.needs, Some(&someone.person)) == Verdict::Hide {
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", label(who));
                if route.method == Method::GET && route.answers == Answers::Page {
                    assert_eq!(answer.text, nowhere.text, "{}: forbidden reads like unknown", label(who));
                }
            } else {
                assert!(answer.status != StatusCode::UNAUTHORIZED && !answer.status.is_server_error(), "{}: {}", label(who), answer.status);
                if !path.contains(NO_SUCH) && route.method == Method::GET && route.needs != Needs::Nothing {
                    assert_eq!(answer.status, StatusCode::OK, "{}", label(who));
                }
            }
        }
    }
}

#[tokio::test]
async fn a_suspended_person_is_out_at_the_next_click() {
    let site = Site::new().await;
    let ada = site.world.somebody("ada", Role::Admin).await;
    assert_eq!(site.get("/", Some(&ada)).await.status, StatusCode::OK);
    site.world.approvals.suspend_person(None, ada.person.id).await.unwrap();
    let answer = site.get("/keys", Some(&ada)).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/sign-in?next=%2Fkeys"));
}

#[tokio::test]
async fn somebody_elses_request_does_not_exist_for_an_admin() {
    let site = Site::new().await;
    let (ada, eve) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("eve", Role::Admin).await);
    let request = site.world.request(&ada).await;
    let path = format!("/requests/{}", request.id);
    assert_eq!(site.get(&path, Some(&ada)).await.status, StatusCode::OK);
    let hers = site.get(&path, Some(&eve)).await;
    let unknown = site.get(&format!("/requests/{NO_SUCH}"), Some(&eve)).await;
    assert_eq!((hers.status, hers.text), (StatusCode::NOT_FOUND, unknown.text));
    let no_id = site
        .json("/requests/no-id/review/begin", &json!({ "verdict": "approve" }), Some(&site.world.somebody("bob", Role::Approver).await))
        .await;
    assert_eq!((no_id.status, no_id.json()["error"].as_str()), (StatusCode::NOT_FOUND, Some("there is nothing here for you")));
    let withdraw = site.form(&format!("{path}/withdraw"), &[], Some(&eve)).await;
    assert_eq!(withdraw.status, StatusCode::NOT_FOUND);
}
