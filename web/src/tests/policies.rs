//! The policies in the portal: read, changed in two steps, asked what if.
use super::{Answer, Site};
use crate::world::Someone;
use anteroom_approvals::HOSPITAL;
use anteroom_domain::{AuditEvent, Role, audit::PolicyEvent};
use axum::http::StatusCode;

fn hidden(page: &Answer, name: &str) -> String {
    let at = format!("name=\"{name}\" value=\"");
    page.text.split_once(&at).and_then(|(_, rest)| rest.split_once('"')).map(|(v, _)| v.to_owned()).unwrap_or_default()
}

async fn send(site: &Site, who: &Someone, text: &str, more: &[(&str, &str)]) -> Answer {
    let base = site.world.approvals.policy_version().to_string();
    let fields = [&[("base", &*base), ("name0", "hospital.cedar"), ("text0", text)], more].concat();
    site.form("/policies/edit", &fields, Some(who)).await
}

#[tokio::test]
async fn a_text_counts_only_after_somebody_saw_what_it_changes() {
    let site = Site::new().await;
    let (op, ada) = (site.world.somebody("op", Role::Operator).await, site.world.somebody("ada", Role::Admin).await);
    let mut bob = site.world.somebody("bob", Role::Approver).await;
    let grant = site.world.grant(&ada, &mut bob).await;
    let first = site.get("/policies", Some(&op)).await.text;
    assert!(first.contains("came with the program") && first.contains("vendors-are-watched"), "{first}");

    let closed = format!("{HOSPITAL}\n@id(\"closed\") @reason(\"The databases are closed today.\")\nforbid (principal, action == Action::\"connect\", resource) when {{ resource.name == \"ehr-db-1\" }};\n").replace('\n', "\r\n");
    // Not without the check, whatever the form says.
    for more in [&[("do", "set"), ("note", "audit day")][..], &[("do", "set"), ("note", "audit day"), ("checked", "00")]] {
        let refused = send(&site, &op, &closed, more).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains("another one than was checked"), "{}", refused.text);
    }
    let checked = send(&site, &op, &closed, &[("do", "check"), ("person", "ada"), ("target", "ehr-db-1")]).await;
    assert_eq!(checked.status, StatusCode::OK, "{}", checked.text);
    for shown in ["<ins>+ @id(&#34;closed&#34;)", "root@ehr-db-1", "The databases are closed today.", "Policy denies it.", "unchanged"] {
        assert!(checked.text.contains(shown), "{shown}: {}", checked.text);
    }
    assert_eq!(site.world.approvals.policy_version(), 0, "a check changes nothing");
    let sha = hidden(&checked, "checked");
    let silent = send(&site, &op, &closed, &[("do", "set"), ("checked", &sha)]).await;
    assert!(silent.status == StatusCode::UNPROCESSABLE_ENTITY && silent.text.contains("Say why"), "{}", silent.text);
    let set = send(&site, &op, &closed, &[("do", "set"), ("checked", &sha), ("note", "audit day")]).await;
    assert_eq!(set.header("location"), "/policies?done=policy-set", "{}", set.text);

    let page = site.get("/policies", Some(&op)).await.text;
    assert!(page.contains("Version 1</b> counts") && page.contains("audit day") && page.contains(">OP<"), "{page}");
    let version = site.get("/policies/versions/1", Some(&op)).await.text;
    assert!(version.contains("<ins>+ @id(&#34;closed&#34;)") && version.contains("audit day"), "{version}");
    assert_eq!(site.get("/policies/versions/2", Some(&op)).await.status, StatusCode::NOT_FOUND);
    let log = site.world.log().await;
    assert_eq!(log.iter().filter(|e| matches!(e, AuditEvent::Policy(PolicyEvent::Set { version: 1, .. }))).count(), 1);
    let _ = grant;

    // Somebody else was faster.
    let late = site.form("/policies/edit", &[("base", "0"), ("name0", "a.cedar"), ("text0", HOSPITAL), ("do", "check")], Some(&op)).await;
    assert!(late.status == StatusCode::UNPROCESSABLE_ENTITY && late.text.contains("Somebody else has set version 1"), "{}", late.text);
}

#[tokio::test]
async fn what_does_not_type_check_is_told_beside_the_text_and_changes_nothing() {
    let site = Site::new().await;
    let op = site.world.somebody("op", Role::Operator).await;
    let bad = "@id(\"x\")\npermit (principal, action, resource)\nwhen { principal.rolls.contains(Role::\"admin\") };";
    for verb in ["check", "set"] {
        let page = send(&site, &op, bad, &[("do", verb), ("note", "n")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        for shown in ["Line 3, column 8", "rolls", "when { principal.rolls", "aria-invalid", "still do", "name=\"text0\""] {
            assert!(page.text.contains(shown), "{shown}: {}", page.text);
        }
        assert!(!page.text.contains("value=\"set\""), "nothing to let count");
    }
    let nasty = format!("{bad}</textarea><script>alert(1)</script>");
    assert!(!send(&site, &op, &nasty, &[("do", "check")]).await.text.contains("<script>alert"));
    let nothing = site.form("/policies/edit", &[("base", "0"), ("do", "set"), ("note", "n")], Some(&op)).await;
    assert!(nothing.status == StatusCode::UNPROCESSABLE_ENTITY && nothing.text.contains("nobody could do anything"), "{}", nothing.text);
    assert_eq!(site.world.approvals.policy_version(), 0);
}

#[tokio::test]
async fn an_auditor_reads_and_asks_and_nobody_else_sees_any_of_it() {
    let site = Site::new().await;
    let (eve, ada) = (site.world.somebody("eve", Role::Auditor).await, site.world.somebody("ada", Role::Admin).await);
    let page = site.get("/policies", Some(&eve)).await;
    assert!(page.status == StatusCode::OK && !page.text.contains("/policies/edit"), "{}", page.text);
    assert_eq!(site.get("/policies/edit", Some(&eve)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(send(&site, &eve, HOSPITAL, &[("do", "check")]).await.status, StatusCode::NOT_FOUND);
    for path in ["/policies", "/policies/what-if", "/policies/versions/1"] {
        assert_eq!(site.get(path, Some(&ada)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let asked = site.get("/policies/what-if?person=ada&target=ehr-db-1&at=2026-11-27T02:00&from=10.1.2.3", Some(&eve)).await;
    for shown in ["Policy permits it", "No grant for root@ehr-db-1 counts then", "admins-ask"] {
        assert!(asked.text.contains(shown), "{shown}: {}", asked.text);
    }
    // Other capabilities and an old factor of another kind; what was typed is still there.
    let asked = "/policies/what-if?person=ada&target=ehr-db-1&capabilities=shell%0D%0Adesktop&factor=certificate&age=600";
    let asked = site.get(asked, Some(&eve)).await.text;
    for shown in ["speaks SSH, which knows no desktop", "shell\r\ndesktop</textarea>", "value=\"certificate\" selected", "value=\"600\""] {
        assert!(asked.contains(shown), "{shown}: {asked}");
    }
    let eves = site.get("/policies/what-if?ask=request&person=eve&target=ehr-db-1", Some(&eve)).await.text;
    assert!(eves.contains("Policy denies it") && eves.contains("eve has not the role admin"), "{eves}");
    for (query, said) in [
        ("person=nobody&target=ehr-db-1", "There is no such person."),
        ("person=ada&target=nowhere", "There is no such target."),
        ("person=ada&target=ehr-db-1&from=here", "Address:"),
        ("person=ada&target=ehr-db-1&capabilities=fly", "What for:"),
    ] {
        let wrong = site.get(&format!("/policies/what-if?{query}"), Some(&eve)).await;
        assert!(wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.text.contains(said), "{said}: {}", wrong.text);
    }
}
