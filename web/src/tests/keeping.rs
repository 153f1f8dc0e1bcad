//! A hold is placed and lifted in the portal; what was shredded says so, wherever it would have played.
use super::{
    Site,
    replay::{Studio, recorded, studio},
};
use crate::world::Someone;
use anteroom_domain::{AuditEvent, Reason, Role, SessionId};
use anteroom_recorder::shred::{destroy, envelopes};
use axum::http::StatusCode;

struct Scene {
    site: Site,
    studio: Studio,
    session: SessionId,
    max: Someone,
    olga: Someone,
}

async fn scene() -> Scene {
    let studio = studio();
    let site = Site::with(Some(studio.replayer.clone())).await;
    let (mut ada, mut bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let (max, olga) = (site.world.somebody("max", Role::Auditor).await, site.world.somebody("olga", Role::Operator).await);
    site.world.grant(&ada, &mut bob).await;
    let session = recorded(&site, &studio, &mut ada).await;
    Scene { site, studio, session, max, olga }
}

#[tokio::test(flavor = "multi_thread")]
async fn auditors_and_operators_place_holds_and_auditors_lift_them() {
    let s = Box::pin(scene()).await;
    let path = format!("/recordings/{}/hold", s.session);
    assert!(s.site.get(&format!("/recordings/{}", s.session), Some(&s.max)).await.text.contains(&path));
    let empty = s.site.form(&path, &[("reason", "  ")], Some(&s.olga)).await;
    assert!(empty.status == StatusCode::UNPROCESSABLE_ENTITY && empty.text.contains("say why"), "{}", empty.text);
    let placed = s.site.form(&path, &[("reason", "case 17\r\nsecond line")], Some(&s.olga)).await;
    assert_eq!(placed.header("location"), format!("{path}?done=hold-placed"));
    let hold = s.site.world.approvals.keeping(s.session).await.unwrap().holds[0].id.to_string();
    let seen = s.site.get(&path, Some(&s.olga)).await.text;
    assert!(seen.contains("case 17") && seen.contains("by OLGA") && !seen.contains("Lift this hold"), "{seen}");
    assert!(s.site.get("/recordings", Some(&s.max)).await.text.contains("Legal hold"));

    let lift = [("hold", hold.as_str()), ("reason", "closed")];
    assert_eq!(s.site.form(&format!("{path}/lift"), &lift, Some(&s.olga)).await.status, StatusCode::NOT_FOUND);
    assert!(s.site.get(&path, Some(&s.max)).await.text.contains("Lift this hold"));
    assert_eq!(s.site.form(&format!("{path}/lift"), &lift, Some(&s.max)).await.header("location"), format!("{path}?done=hold-lifted"));
    let twice = s.site.form(&format!("{path}/lift"), &lift, Some(&s.max)).await;
    assert!(twice.status == StatusCode::UNPROCESSABLE_ENTITY && twice.text.contains("no legal hold"), "{}", twice.text);
    assert!(s.site.get(&path, Some(&s.max)).await.text.contains("Nothing holds this recording"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_nobody_decided_to_destroy_are_not_called_shredded() {
    let s = Box::pin(scene()).await;
    let folder = anteroom_recorder::find(&s.studio.dir.path().join("recordings"), s.session).unwrap();
    std::fs::remove_file(folder.join("masked.0.envelope")).unwrap();
    let page = s.site.get(&format!("/recordings/{}", s.session), Some(&s.max)).await.text;
    assert!(page.contains("nobody decided to destroy them") && !page.contains("was shredded on"), "{page}");
    let cast = s.site.get(&format!("/recordings/{}/channels/0/cast", s.session), Some(&s.max)).await;
    assert!(cast.status == StatusCode::GONE && cast.text.contains("nobody decided"), "{}", cast.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shredded_recording_says_by_whom_and_why_wherever_it_would_play() {
    let s = Box::pin(scene()).await;
    let id = s.session;
    let root = s.studio.dir.path().join("recordings");
    let a = &s.site.world.approvals;
    let why = Reason::new("asked for by the patient").unwrap();
    a.shred_recording(s.olga.person.id, id, why, envelopes(&root, id).unwrap()).await.unwrap();
    // Decided, and a moment later carried out.
    for carried_out in [false, true] {
        if carried_out {
            destroy(&root, id).unwrap();
        }
        for data in ["cast", "parts", "parts/0-end", "masked.cast", "live"] {
            let refused = s.site.get(&format!("/recordings/{id}/channels/0/{data}"), Some(&s.max)).await;
            assert_eq!(refused.status, StatusCode::GONE, "{data}: {}", refused.text);
            assert!(refused.text.contains("by OLGA: asked for by the patient"), "{data}: {}", refused.text);
        }
        for page in [format!("/recordings/{id}"), format!("/recordings/{id}/hold"), format!("/recordings/{id}/unmask")] {
            let page = s.site.get(&page, Some(&s.max)).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(page.text.contains("This recording was shredded on") && page.text.contains("by OLGA: asked for"), "{}", page.text);
            assert!(!page.text.contains("data-place") && !page.text.contains("<form class=\"stack\""), "{}", page.text);
        }
    }
    assert!(s.site.get("/recordings", Some(&s.max)).await.text.contains("Shredded"));
    let held = s.site.form(&format!("/recordings/{id}/hold"), &[("reason", "case 17")], Some(&s.max)).await;
    assert!(held.status == StatusCode::UNPROCESSABLE_ENTITY && held.text.contains("nothing to keep"), "{}", held.text);
    let fields = [("from", "0:00:00"), ("until", "0:00:01"), ("reason", "complaint 17"), ("hours", "8")];
    let asked = s.site.form(&format!("/recordings/{id}/unmask"), &fields, Some(&s.max)).await;
    assert!(asked.status == StatusCode::UNPROCESSABLE_ENTITY && asked.text.contains("This recording was shredded on"), "{}", asked.text);
    let viewed = s
        .site
        .world
        .log()
        .await
        .into_iter()
        .any(|e| matches!(e, AuditEvent::RecordingViewed { .. } | AuditEvent::RecordingExported { .. }));
    assert!(!viewed, "nobody watched it");
    let others = s.site.get(&format!("/recordings/{id}/channels/0/cast"), Some(&s.olga)).await;
    assert_eq!(others.status, StatusCode::NOT_FOUND, "who may not watch learns nothing");
}
