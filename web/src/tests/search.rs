//! Searching recordings, playing them piece by piece, watching them live and taking them away, through the portal.
use super::{
    Site,
    replay::{Studio, begun, recorded_saying, studio},
};
use crate::{indexer, world::Someone};
use anteroom_domain::{AuditEvent, EndReason, Role, SessionId};
use anteroom_recorder::{Event, EventKind, Pty};
use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const OUTPUT: &str = "root@ehr:~# vacuum <b>visit</b>\r\nexport of ward 4 is late\r\nSSN: 536-22-8726\r\n";

async fn site() -> (Studio, Site, Someone, Someone) {
    let studio = studio();
    let site = Site::with(Some(studio.replayer.clone())).await;
    let (ada, mut bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let max = site.world.somebody("max", Role::Auditor).await;
    site.world.grant(&ada, &mut bob).await;
    (studio, site, ada, max)
}

/// As the portal does beside its requests.
async fn index(site: &Site, studio: &Studio, id: SessionId) {
    let stop = CancellationToken::new();
    let running = tokio::spawn(indexer::run(site.world.approvals.clone(), studio.replayer.clone(), stop.clone()));
    for _ in 0..200 {
        if site.world.approvals.indexed(id).await.unwrap().is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(site.world.approvals.indexed(id).await.unwrap().is_some(), "it was never read");
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn an_auditor_finds_what_was_shown_and_no_address_tells_what_was_looked_for() {
    let (studio, site, mut ada, max) = Box::pin(site()).await;
    let id = recorded_saying(&site, &studio, &mut ada, OUTPUT).await;
    index(&site, &studio, id).await;
    let eve = site.world.somebody("eve", Role::Auditor).await;

    let page = site.get("/recordings/search", Some(&max)).await.text;
    assert!(page.contains("name=\"words\"") && page.contains("method=\"post\""), "{page}");
    let asked = site.form("/recordings/search", &[("words", "WARD exp"), ("person", "ada"), ("target", "ehr-db-1")], Some(&max)).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER);
    let place = asked.header("location").to_owned();
    assert!(place.starts_with("/recordings/search/") && !place.contains("ward") && !place.contains('?'), "{place}");
    for _ in 0..2 {
        let found = site.get(&place, Some(&max)).await.text;
        assert!(found.contains("<mark>export</mark> of <mark>ward</mark> 4 is late"), "{found}");
        assert!(
            found.contains(&format!("href=\"/recordings/{id}?channel=0&#38;at="))
                || found.contains(&format!("/recordings/{id}?channel=0&amp;at=")),
            "{found}"
        );
    }
    // The player's timeline has what was found, for who looked for it.
    let marked = format!("/recordings/{id}?channel=0&at=0&found={}", place.rsplit('/').next().unwrap());
    let page = site.get(&marked, Some(&max)).await.text;
    assert!(page.contains("class=\"hit\"") && page.contains("<span class=\"what\">Found</span>"), "{page}");
    assert!(!site.get(&marked, Some(&eve)).await.text.contains("Found</span>"));
    let count =
        |log: &[AuditEvent]| log.iter().filter(|e| matches!(e, AuditEvent::RecordingsSearched { by, .. } if *by == max.person.id)).count();
    let log = site.world.log().await;
    assert_eq!(count(&log), 1, "coming back to it is no new search");
    assert!(!format!("{log:?}").to_lowercase().contains("ward exp"));
    // Somebody else's search is nobody's.
    assert!(site.get(&place, Some(&eve)).await.text.contains("not kept any more"));
    for path in ["/recordings/search", &place] {
        assert_eq!(site.get(path, Some(&ada)).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(site.form("/recordings/search", &[("words", "ward")], Some(&ada)).await.status, StatusCode::NOT_FOUND);

    let find = async |fields: &[(&str, &str)]| {
        let asked = site.form("/recordings/search", fields, Some(&max)).await;
        if asked.status != StatusCode::SEE_OTHER {
            assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", asked.text);
            return asked.text;
        }
        site.get(asked.header("location"), Some(&max)).await.text
    };
    assert!(find(&[("words", "vacuum")]).await.contains("vacuum</mark> &#60;b&#62;visit"), "what was shown is text");
    for hidden in ["536-22-8726", "8726"] {
        assert!(find(&[("words", hidden)]).await.contains("Nothing that was shown holds this"), "{hidden}");
    }
    let session = id.to_string();
    assert!(find(&[("words", "late"), ("session", &session)]).await.contains("Back to it"));
    for (fields, why) in [
        (&[("words", " ")][..], "at least one word"),
        (&[("words", "-ward")], "at least one word"),
        (&[("words", "ward"), ("person", "nobody-here")], "nobody with the handle"),
        (&[("words", "ward"), ("target", "nothing")], "there is no target"),
    ] {
        let text = find(fields).await;
        assert!(text.contains(why), "{fields:?}: {text}");
    }
    let long = "x".repeat(100_000);
    assert!(find(&[("words", &long)]).await.contains("at most 200 characters"));

    site.world.sql("update session set mask_incomplete = true").await;
    assert!(find(&[("words", "ward")]).await.contains("Nothing that was shown holds this"));
}

#[tokio::test]
async fn the_player_gets_parts_that_fit_and_a_timeline_with_marks() {
    let (studio, site, mut ada, max) = Box::pin(site()).await;
    let id = recorded_saying(&site, &studio, &mut ada, OUTPUT).await;
    // Before it is indexed a short recording is read for its page; afterwards the index has it.
    for indexed in [false, true] {
        if indexed {
            index(&site, &studio, id).await;
        }
        let page = site.get(&format!("/recordings/{id}?channel=0&at=0.25"), Some(&max)).await.text;
        for part in ["id=\"timeline\"", "data-seek=\"0.000\"", "data-at=\"0.25\"", "Terminal", "masked.cast", "class=\"bar\""] {
            assert!(page.contains(part), "{part} with index {indexed}: {page}");
        }
    }
    let base = format!("/recordings/{id}/channels/0");
    let index = site.get(&format!("{base}/parts"), Some(&max)).await.json();
    assert_eq!((&index["version"], &index["term"]["cols"], &index["segments"][0]["start"]), (&1.into(), &80.into(), &0.0.into()));
    assert_eq!(index["markers"][0][1], "80x24");
    let duration = index["duration"].as_f64().unwrap();
    let url = index["segments"][0]["url"].as_str().unwrap();
    let part = site.get(&format!("{base}/{url}"), Some(&max)).await;
    let part: serde_json::Value = serde_json::from_str(&part.text).unwrap();
    let events = part["events"].as_array().unwrap();
    assert_eq!((events[0][0].as_f64(), events.last().unwrap()[0].as_f64()), (Some(0.0), Some(duration)));
    assert!(events.iter().all(|e| e[1] != "m") && part.to_string().contains("is late") && !part.to_string().contains("536-22"));
    for wrong in ["parts/x-end", "parts/0", "parts/-5-9", "parts/0-99999999999999999999999"] {
        assert_eq!(site.get(&format!("{base}/{wrong}"), Some(&max)).await.status, StatusCode::NOT_FOUND, "{wrong}");
    }
    for path in ["parts", "parts/0-end", "live", "masked.cast"] {
        assert_eq!(site.get(&format!("{base}/{path}"), Some(&ada)).await.status, StatusCode::NOT_FOUND, "{path}");
        let foreign = Request::get(format!("{base}/{path}")).header("host", "gate.example").header("sec-fetch-site", "cross-site");
        let foreign = foreign.header("cookie", format!("__Host-anteroom={}", max.token.expose())).body(Body::empty()).unwrap();
        assert_eq!(site.send(foreign).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    site.world.sql("update session set mask_incomplete = true").await;
    for path in ["parts", "parts/0-end", "live", "masked.cast"] {
        assert_eq!(site.get(&format!("{base}/{path}"), Some(&max)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_masked_recording_that_is_taken_away_is_an_export_in_the_log() {
    let (studio, site, mut ada, max) = Box::pin(site()).await;
    let id = recorded_saying(&site, &studio, &mut ada, OUTPUT).await;
    let got = site.get(&format!("/recordings/{id}/channels/0/masked.cast"), Some(&max)).await;
    assert_eq!(got.header("content-disposition"), format!("attachment; filename=\"{id}-0-masked.cast\""));
    assert!(got.text.lines().next().unwrap().contains("\"version\":2") && got.text.contains("is late") && !got.text.contains("536-22"));
    let log = site.world.log().await;
    let exported = AuditEvent::RecordingExported { session: id, by: max.person.id, masked_channel: Some(0) };
    assert_eq!(log.iter().filter(|e| **e == exported).count(), 1, "{log:?}");
}

#[tokio::test]
async fn a_running_session_is_watched_masked_until_it_ends() {
    let (studio, site, mut ada, max) = Box::pin(site()).await;
    let (id, recording) = begun(&site, &studio, &mut ada).await;
    let at = |ms, kind| Event { at: Duration::from_millis(ms), channel: 0, kind };
    let pty = Pty { cols: 80, rows: 24, term: "xterm".into() };
    recording.record(at(0, EventKind::Open { pty: Some(pty), command: None })).await.unwrap();
    recording.record(at(5, EventKind::Output("before anybody looked\r\n".into()))).await.unwrap();
    let mut page = String::new();
    for _ in 0..200 {
        page = site.get(&format!("/recordings/{id}"), Some(&max)).await.text;
        if page.contains("data-live-view") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(page.contains("data-live-view") && page.contains("Watch from the beginning") && !page.contains("masked.cast"), "{page}");
    assert!(!site.get(&format!("/recordings/{id}?replay=1"), Some(&max)).await.text.contains("data-live-view"));
    site.world.settle().await;

    let session = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        recording.record(at(2_000, EventKind::Output("SSN: 536-22-8726 and more\r\n".into()))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(600)).await;
        recording.record(at(3_000, EventKind::Close)).await.unwrap();
        recording.finish().await.unwrap();
        site.world.approvals.session_ended(id, &EndReason::ClientClosed).await;
    };
    let path = format!("/recordings/{id}/channels/0/live");
    let (seen, ()) = tokio::join!(site.get(&path, Some(&max)), session);
    assert_eq!((seen.status, seen.header("content-type")), (StatusCode::OK, "text/event-stream"));
    let first = seen.text.lines().find_map(|l| l.strip_prefix("data: ")).unwrap();
    let first: serde_json::Value = serde_json::from_str(first).unwrap();
    assert!(first["cols"] == 80 && first["init"].is_string(), "{first}");
    assert!(
        seen.text.contains("before anybody looked")
            && seen.text.contains("and more")
            && seen.text.contains("event: done")
            && !seen.text.contains("536-22"),
        "{}",
        seen.text
    );
    let viewings = site.world.log().await.into_iter().filter(|e| matches!(e, AuditEvent::RecordingViewed { .. })).count();
    assert_eq!(viewings, 1);
}
