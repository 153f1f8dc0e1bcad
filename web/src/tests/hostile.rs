//! Names and reasons from people who try things.
use super::Site;
use crate::world::{HERE, account, now};
use anteroom_approvals::RequestForm;
use anteroom_domain::{DisplayName, Handle, Reason, Role, Roles};

const NASTY: &str = "<img src=x onerror=alert(1)>\"'&";

#[tokio::test]
async fn a_hostile_name_or_reason_is_only_text() {
    let site = Site::new().await;
    let (ada, bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let op = site.world.somebody("op", Role::Operator).await;
    let form = RequestForm { reason: Reason::new(format!("{NASTY}\n</blockquote>")).unwrap(), ..site.world.form(60) };
    let request = site.world.approvals.submit_request(&ada.person, form, HERE).await.unwrap();
    let name = DisplayName::new(NASTY).unwrap();
    let eve = site.world.approvals.add_person(None, Handle::new("eve").unwrap(), name, Roles::from_iter([Role::Admin])).await.unwrap();
    let q = "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%22'%26";
    for (path, who) in [
        (format!("/requests/{}", request.id), &ada),
        (format!("/requests/{}", request.id), &bob),
        ("/approvals".into(), &bob),
        (format!("/approvals?state=all&q={q}"), &bob),
        (format!("/requests?q={q}"), &ada),
        (format!("/requests/new?target={q}&reason={q}"), &ada),
        (format!("/people?q={q}"), &op),
        ("/people".into(), &op),
        (format!("/people/{}", eve.id), &op),
    ] {
        let page = site.get(&path, Some(who)).await.text;
        assert!(!page.contains("<img src=x") && !page.contains("</blockquote>\n<"), "{path}");
        assert!(page.contains("&#60;img src=x onerror=alert(1)&#62;&#34;&#39;&#38;"), "{path}: {page}");
    }
    let _ = (now(), account("root"));
}

#[tokio::test]
async fn a_link_cannot_put_words_into_our_mouth() {
    let site = Site::new().await;
    let ada = site.world.somebody("ada", Role::Admin).await;
    let page = site.get("/?done=Call%20555-1234%20now", Some(&ada)).await.text;
    assert!(!page.contains("555-1234"));
}
