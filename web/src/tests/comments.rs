//! Writing below a request, and what else its page says before somebody signs.
use super::Site;
use anteroom_domain::Role;
use axum::http::StatusCode;

#[tokio::test]
async fn whoever_sees_a_request_writes_below_it_and_it_is_only_text() {
    let site = Site::new().await;
    let (ada, bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let (eve, max) = (site.world.somebody("eve", Role::Admin).await, site.world.somebody("max", Role::Auditor).await);
    let page = format!("/requests/{}", site.world.request(&ada).await.id);
    let form = format!("{page}/comment");
    let done = site.form(&form, &[("text", "which <b>ward</b>?\r\nand when?")], Some(&bob)).await;
    assert_eq!(done.header("location"), format!("{page}?done=commented"), "{}", done.text);
    for who in [&ada, &bob] {
        let shown = site.get(&page, Some(who)).await.text;
        assert!(shown.contains("which &#60;b&#62;ward&#60;/b&#62;?") && !shown.contains("<b>ward</b>"), "{shown}");
        assert!(shown.contains("<b>BOB</b>") && shown.contains(&format!("action=\"{form}\"")), "{shown}");
    }
    assert!(site.get(&format!("{page}?done=commented"), Some(&bob)).await.text.contains("Your comment stands below the request."));
    for who in [&eve, &max] {
        assert_eq!(site.form(&form, &[("text", "hello")], Some(who)).await.status, StatusCode::NOT_FOUND, "{}", who.person.handle);
        assert_eq!(site.get(&page, Some(who)).await.status, StatusCode::NOT_FOUND);
    }
    for bad in ["", "   ", &"x".repeat(501)] {
        let refused = site.form(&form, &[("text", bad)], Some(&ada)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{} letters: {}", bad.len(), refused.text);
    }
    for n in 0..49 {
        site.form(&form, &[("text", &format!("comment {n}"))], Some(&ada)).await;
    }
    let full = site.form(&form, &[("text", "one more")], Some(&ada)).await;
    assert!(full.status == StatusCode::UNPROCESSABLE_ENTITY && full.text.contains("50"), "{}", full.text);
    assert!(!site.get(&page, Some(&ada)).await.text.contains("one more"));
}

/// Not only in the text that is signed: what ends it, how long it may be, and what it may not go beyond.
#[tokio::test]
async fn an_approver_reads_every_condition_in_words_before_signing() {
    let site = Site::new().await;
    let (ada, bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let r = site.world.request(&ada).await;
    site.world
        .sql(
            r#"update access_request set obligations = obligations || '{"longest": 240, "capabilities": ["shell"], "ticket": true,
               "at_end": {"supervisor_decides": {"minutes": 10}}}'"#,
        )
        .await;
    let shown = site.get(&format!("/requests/{}", r.id), Some(&bob)).await.text;
    for words in [
        "for at most 4 hours at a time",
        "nothing beyond: open an interactive shell",
        "whoever watches may let it go on for 10 minutes after its end, once",
        "with the number of a ticket",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}
