//! Watching desktops: who may, what comes, that it is masked, and what the log keeps.
use super::{
    Site, painting,
    replay::{Studio, begun, seal, studio},
    unmask::{Scene, scene_of},
};
use crate::{pages::recordings::film::FILM, world::Someone};
use anteroom_domain::{AuditEvent, Role, SessionId};
use anteroom_recorder::{
    Desktop, Event, EventKind, Recording,
    film::{HiddenHow, Shot, ShotKind, tiles},
};
use axum::{body::Body, http::Request, http::StatusCode};
use futures_util::StreamExt as _;
use std::time::Duration;

const RED: [u8; 3] = [200, 30, 20];

/// A window of one colour with something in it that no reader can read: stripes, thin as writing.
async fn paint(recording: &Recording) {
    let desktop = Desktop { width: 320, height: 200, io_channel: 1003, channels: Vec::new(), zones: Vec::new() };
    let mut events = vec![(0, EventKind::OpenDesktop(desktop))];
    events.extend(painting::rectangle(0, 0, 320, 200, RED).into_iter().map(|f| (20, EventKind::Output(f))));
    let stripes: Vec<u8> = (0..64 * 64).flat_map(|n| if n % 3 == 0 { [255; 3] } else { [0; 3] }).collect();
    events.extend(painting::image(128, 64, 64, 64, &stripes).into_iter().map(|f| (1_500, EventKind::Output(f))));
    events.push((2_000, EventKind::Pointer { x: 100, y: 90 }));
    events.push((2_500, EventKind::Note("the target asks for a password".into())));
    events.push((4_000, EventKind::Output(painting::rectangle(0, 0, 64, 64, [1, 2, 3]).remove(0))));
    for (ms, kind) in events {
        recording.record(Event { at: Duration::from_millis(ms), channel: 0, kind }).await.unwrap();
    }
}

pub(super) async fn recorded(site: &Site, studio: &Studio, ada: &mut Someone) -> SessionId {
    let (id, recording) = begun(site, studio, ada).await;
    paint(&recording).await;
    // A desktop that ends long after it was painted, as desktops do: what decoding made of it is in the recording by then.
    while studio.recorder.clearing(id).is_none_or(|c| c.newest < Duration::from_secs(4)) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    recording.record(Event { at: Duration::from_millis(5_000), channel: 0, kind: EventKind::Close }).await.unwrap();
    seal(site, id, recording).await;
    id
}

async fn site() -> (Studio, Site, Someone, Someone, Someone) {
    let studio = studio();
    let site = Site::with(Some(studio.replayer.clone())).await;
    let (ada, mut bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
    let max = site.world.somebody("max", Role::Auditor).await;
    site.world.grant(&ada, &mut bob).await;
    (studio, site, ada, bob, max)
}

/// The last bytes of one tile's image among these shots.
fn tile(shots: &[Shot], column: u16, row: u16) -> Option<Vec<u8>> {
    shots
        .iter()
        .filter_map(|s| if let ShotKind::Tiles(batch) = &s.kind { Some(tiles(batch).unwrap()) } else { None })
        .flatten()
        .filter(|(c, r, _)| (*c, *r) == (column, row))
        .map(|(.., webp)| webp.to_vec())
        .last()
}

async fn shots(site: &Site, path: &str, who: &Someone) -> Vec<Shot> {
    let answer = site.get(path, Some(who)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!((answer.header("content-type"), answer.header("cache-control")), (FILM, "no-store"));
    Shot::read_all(&answer.bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_watches_a_desktop_masked_and_the_log_says_so_once() {
    let (studio, site, mut ada, bob, max) = Box::pin(site()).await;
    let id = recorded(&site, &studio, &mut ada).await;
    let place = format!("/recordings/{id}/channels/0/film");

    let page = site.get(&format!("/recordings/{id}?at=2"), Some(&max)).await;
    assert!(page.text.contains("id=\"desktop\"") && page.text.contains("/assets/desktop.") && page.text.contains("data-at=\"2\""));
    assert!(!page.header("content-security-policy").contains("unsafe"), "a desktop needs no WebAssembly");
    assert!(page.text.contains("recognised as patient data") && page.text.contains("export-video"), "{}", page.text);

    let index = site.get(&place, Some(&max)).await.json();
    assert_eq!(index["parts"][0]["start"], 0);
    let duration = index["duration"].as_u64().unwrap();
    assert!((4_900..=5_100).contains(&duration), "{index}");
    let mut all = Vec::new();
    for part in index["parts"].as_array().unwrap() {
        let part = shots(&site, &format!("/recordings/{id}/channels/0/{}", part["url"].as_str().unwrap()), &max).await;
        assert!(matches!(part[0].kind, ShotKind::Size { width: 320, height: 200 }), "{:?}", part[0]);
        all.extend(part);
    }
    assert!(all.is_sorted_by_key(|s| s.at));
    assert!(all.iter().any(|s| s.kind == ShotKind::Pointer { x: 100, y: 90 }));
    assert!(all.iter().any(|s| s.kind == ShotKind::Note("the target asks for a password".into())));
    let hidden = |s: &Shot| matches!(s.kind, ShotKind::Typed(_) | ShotKind::Hidden(_) | ShotKind::Damaged(_));
    assert!(!all.iter().any(hidden));
    assert!(tile(&all, 4, 2).is_some(), "what is flat is shown");
    let stripes = tile(&all, 2, 1).unwrap();
    assert!(stripes.len() < 200, "what nobody can read is shown in coarse blocks: {} bytes", stripes.len());

    let viewings = site.world.log().await.into_iter().filter(|e| matches!(e, AuditEvent::RecordingViewed { .. })).count();
    assert_eq!(viewings, 1);
    let part = format!("{place}/0-end");
    for path in [&place, &part, &format!("{place}/live")] {
        for who in [&ada, &bob] {
            assert_eq!(site.get(path, Some(who)).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(site.get(path, None).await.status, StatusCode::UNAUTHORIZED, "{path}");
        let foreign = Request::get(path).header("host", "gate.example").header("sec-fetch-site", "cross-site");
        let foreign = foreign.header("cookie", format!("__Host-anteroom={}", max.token.expose())).body(Body::empty()).unwrap();
        assert_eq!(site.send(foreign).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for bad in ["5", "-", "a-b", "-5-9", "99999999999999999999999-end", "5-1x"] {
        let status = site.get(&format!("{place}/{bad}"), Some(&max)).await.status;
        assert_eq!(status, StatusCode::NOT_FOUND, "{bad}");
    }
    // What makes no sense is answered, and never with somebody's error.
    for odd in ["9000000000-end", "4000000-1000000", "0-0"] {
        let status = site.get(&format!("{place}/{odd}"), Some(&max)).await.status;
        assert!(!status.is_server_error(), "{odd}: {status}");
    }
    assert_eq!(site.get(&format!("/recordings/{id}/channels/7/film"), Some(&max)).await.status, StatusCode::NOT_FOUND);

    site.world.sql("update session set mask_incomplete = true").await;
    for path in [&place, &part] {
        assert_eq!(site.get(path, Some(&max)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_desktop_is_followed_until_it_is_over() {
    let (studio, site, mut ada, _, max) = Box::pin(site()).await;
    let (id, recording) = begun(&site, &studio, &mut ada).await;
    paint(&recording).await;
    // A viewer comes when something was written; clearing takes its time.
    let path = format!("/recordings/{id}/channels/0/film/live");
    let mut answer = None;
    for _ in 0..100 {
        let request = site.request("GET", &path, Some(&max)).body(Body::empty()).unwrap();
        let sent = tower::ServiceExt::oneshot(site.router.clone(), connected(request)).await.unwrap();
        if sent.status() == StatusCode::OK {
            answer = Some(sent);
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut body = answer.expect("it can be watched").into_body().into_data_stream();
    let page = site.get(&format!("/recordings/{id}"), Some(&max)).await.text;
    assert!(page.contains("data-live-view") && page.contains("id=\"behind\"") && !page.contains("/terminate"), "an auditor watches only");

    let mut seen = Vec::new();
    let mut finished = Some(recording);
    while let Ok(Some(piece)) = tokio::time::timeout(Duration::from_secs(30), body.next()).await {
        seen.extend(Shot::read_all(&piece.unwrap()).unwrap());
        if tile(&seen, 0, 0).is_some()
            && seen.iter().any(|s| matches!(s.kind, ShotKind::Now(_)))
            && let Some(recording) = finished.take()
        {
            recording.record(Event { at: Duration::from_millis(5_000), channel: 0, kind: EventKind::Close }).await.unwrap();
            seal(&site, id, recording).await;
        }
    }
    assert!(matches!(seen[0].kind, ShotKind::Size { width: 320, height: 200 }), "{:?}", seen[0]);
    assert_eq!(seen.iter().filter(|s| s.kind == ShotKind::Over).count(), 1);
    assert!(!seen.iter().any(|s| matches!(s.kind, ShotKind::Typed(_) | ShotKind::Damaged(_))));
}

fn connected(request: Request<Body>) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(axum::extract::ConnectInfo(std::net::SocketAddr::from(([10, 0, 0, 7], 50_000))));
    Request::from_parts(parts, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desktop_as_it_was_is_seen_by_who_was_allowed_and_each_time_is_in_the_log() {
    let mut s: Scene = scene_of(async |site, studio, ada| recorded(site, studio, ada).await).await;
    let path = s.approved("0:00:00", "0:00:05").await;
    let film = format!("{path}/channels/0/film");
    assert_eq!(s.site.get(&film, Some(&s.max)).await.status, StatusCode::GONE, "nothing is released before it is opened");
    assert_eq!(s.open(&path).await.status, StatusCode::OK);
    let page = s.site.get(&format!("{path}/watch"), Some(&s.max)).await;
    assert!(page.text.contains(&format!("data-film=\"{film}\"")) && !page.header("content-security-policy").contains("unsafe"));
    assert!(page.text.contains("recognised as patient data"), "{}", page.text);

    let masked = shots(&s.site, &format!("/recordings/{}/channels/0/film/0-end", s.session), &s.max).await;
    let shown = shots(&s.site, &film, &s.max).await;
    assert!(matches!(shown[0].kind, ShotKind::Size { width: 320, height: 200 }), "{:?}", shown[0]);
    let (before, after) = (tile(&masked, 2, 1).unwrap(), tile(&shown, 2, 1).unwrap());
    assert!(after.len() > before.len() && after != before, "the stripes are there: {} and {} bytes", before.len(), after.len());
    let areas = shown.iter().filter_map(|s| if let ShotKind::Hidden(areas) = &s.kind { Some(areas) } else { None });
    let stripes = areas.flatten().find(|a| a.x < 190 && a.x + a.width > 130 && a.y < 126 && a.y + a.height > 66);
    assert!(stripes.is_some_and(|a| a.how == HiddenHow::Blurred), "and they are marked: {stripes:?}");

    let mona = s.site.world.somebody("mona", Role::Auditor).await;
    for who in [&mona, &s.kim, &s.lee] {
        assert_eq!(s.site.get(&film, Some(who)).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(s.kinds().await.iter().filter(|k| *k == "unmask_viewed").count(), 1);
    assert_eq!(s.site.form(&format!("{path}/close"), &[], Some(&s.max)).await.status, StatusCode::SEE_OTHER);
    assert_eq!(s.site.get(&film, Some(&s.max)).await.status, StatusCode::GONE);
}
