//! Searching what recordings show: who may, what is found in which order, and what no question can do.
use crate::{
    connecting::{permit, sealed},
    world::{Someone, World},
};
use anteroom_approvals::{IndexLine, Indexed, SearchError, SearchFilter, SearchPage};
use anteroom_domain::{AuditEvent, LineKind, Role, SessionId};
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};
use uuid::Uuid;

const V: i32 = 1;

struct Archive {
    w: World,
    ada: Someone,
    max: Someone,
}

impl Archive {
    async fn new() -> Self {
        let w = World::new().await;
        let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
        let max = w.somebody("max", Role::Auditor).await;
        w.grant(&ada, &mut bob).await;
        Self { w, ada, max }
    }

    /// A closed recording, not indexed yet.
    async fn closed(&mut self) -> SessionId {
        let id = SessionId(Uuid::now_v7());
        let p = permit(&self.w, &mut self.ada, id).await;
        self.w.approvals.session_started(&p, [3; 32], "gw-1").await.unwrap();
        self.w.approvals.session_ended(id, &anteroom_domain::EndReason::ClientClosed).await;
        self.w.approvals.recording_sealed(sealed(id)).await;
        id
    }

    async fn keep(&self, id: SessionId, lines: &[(u64, LineKind, &str)]) -> bool {
        let lines: Vec<_> = lines
            .iter()
            .map(|(at, kind, text)| IndexLine { channel: 1, at_us: at * 1_000_000, kind: *kind, text: (*text).into() })
            .collect();
        let indexed = Indexed { timeline: serde_json::json!({"marks": []}), cut: false };
        self.w.approvals.begin_index(id, V).await.unwrap() && self.w.approvals.finish_index(id, &lines, &indexed).await.unwrap()
    }

    async fn with(&mut self, lines: &[(u64, LineKind, &str)]) -> SessionId {
        let id = self.closed().await;
        assert!(self.keep(id, lines).await);
        id
    }

    async fn ask(&self, question: &str) -> Result<Vec<String>, SearchError> {
        self.ask_with(question, SearchFilter::default()).await
    }

    async fn ask_with(&self, question: &str, filter: SearchFilter) -> Result<Vec<String>, SearchError> {
        let hits = self.w.approvals.search_recordings(self.max.person.id, question, &filter, SearchPage::New).await?;
        Ok(hits.rows.into_iter().map(|h| h.pieces.into_iter().map(|(_, t)| t).collect()).collect())
    }
}

#[tokio::test]
async fn words_phrases_beginnings_and_exclusions_find_lines_and_the_log_keeps_a_hash() {
    let mut a = Box::pin(Archive::new()).await;
    a.with(&[
        (3, LineKind::Screen, "root@ehr:~# vacuum full ward4.visit"),
        (9, LineKind::Screen, "full backup of ward 5, /var/log/hl7/in.log"),
        (12, LineKind::Screen, "name ████████ ward 7"),
        (20, LineKind::Command, "systemctl restart hl7-engine"),
    ])
    .await;
    for (question, expected) in [
        ("vacuum", &[0][..]),
        ("VACUUM", &[0]),
        ("vac", &[0]),
        ("full", &[0, 1]),
        ("\"full backup\"", &[1]),
        ("\"backup full\"", &[]),
        ("full -backup", &[0]),
        ("vacuum or restart", &[0, 3]),
        ("hl7", &[1, 3]),
        ("/var/log/hl7", &[1]),
        ("war", &[0, 1, 2]),
        ("\"name ward\"", &[]),
        ("fausto", &[]),
    ] {
        let all = [
            "root@ehr:~# vacuum full ward4.visit",
            "full backup of ward 5, /var/log/hl7/in.log",
            "name ████████ ward 7",
            "systemctl restart hl7-engine",
        ];
        let expected: Vec<_> = expected.iter().map(|n: &usize| all[*n].to_owned()).collect();
        assert_eq!(a.ask(question).await.unwrap(), expected, "{question}");
    }
    let log = a.w.log().await;
    let asked: Vec<_> = log
        .iter()
        .filter_map(|e| if let AuditEvent::RecordingsSearched { by, query_sha256 } = e { Some((by, query_sha256)) } else { None })
        .collect();
    assert_eq!(asked.len(), 13);
    let hash: String = Sha256::digest(b"fausto").iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(asked[12], (&a.max.person.id, &hash));
    assert!(!format!("{log:?}").contains("fausto"));
}

#[tokio::test]
async fn only_auditors_search_and_closed_masks_stay_closed() {
    let mut a = Box::pin(Archive::new()).await;
    let id = a.with(&[(1, LineKind::Screen, "the marker word")]).await;
    let filter = SearchFilter::default();
    for role in [Role::Admin, Role::Approver, Role::Operator, Role::KeyHolder] {
        let who = a.w.somebody(&format!("x{}", role.as_str().replace('_', "")), role).await;
        let refused = a.w.approvals.search_recordings(who.person.id, "marker", &filter, SearchPage::New).await.unwrap_err();
        assert_eq!(refused, SearchError::NotAllowed, "{role}");
    }
    assert_eq!(a.ask("marker").await.unwrap().len(), 1);
    a.w.sql("update session set mask_incomplete = true").await;
    assert!(a.ask("marker").await.unwrap().is_empty());
    // Nor is such a recording ever taken up.
    a.w.sql("delete from recording_index").await;
    assert!(!a.w.approvals.begin_index(id, V).await.unwrap() && a.w.approvals.unindexed(V, 10).await.unwrap().is_empty());
    a.w.approvals.suspend_person(None, a.max.person.id).await.unwrap();
    assert_eq!(a.ask("marker").await.unwrap_err(), SearchError::NotAllowed);
}

#[tokio::test]
async fn filters_narrow_and_pages_go_on_where_the_last_one_ended() {
    let mut a = Box::pin(Archive::new()).await;
    let text: Vec<String> = (0..40).map(|n| format!("needle number {n}")).collect();
    let lines: Vec<_> = text.iter().enumerate().map(|(n, t)| (n as u64, LineKind::Screen, t.as_str())).collect();
    let old = a.with(&lines).await;
    let new = a.with(&[(5, LineKind::Command, "find needle"), (6, LineKind::File, "download /srv/needle.csv")]).await;
    let who = a.max.person.id;
    let first = a.w.approvals.search_recordings(who, "needle", &SearchFilter::default(), SearchPage::New).await.unwrap();
    let sessions: Vec<_> = first.rows.iter().map(|h| h.session).collect();
    assert!(sessions[..2] == [new, new] && sessions[2..].iter().all(|s| *s == old) && sessions.len() == 25);
    let second = a.w.approvals.search_recordings(who, "needle", &SearchFilter::default(), SearchPage::Again(first.next)).await.unwrap();
    assert!(second.next.is_none() && second.rows.len() == 17);
    let times: Vec<_> = first.rows.iter().chain(&second.rows).skip(2).map(|h| h.at_us / 1_000_000).collect();
    assert_eq!(times, (0..40).collect::<Vec<_>>());
    assert_eq!(first.rows[0].pieces, [(false, "find ".into()), (true, "needle".into())]);

    let count = async |f: SearchFilter| a.ask_with("needle", f).await.unwrap().len();
    let (ada, now) = (a.ada.person.id, crate::world::now());
    let all = SearchFilter::default;
    assert_eq!(count(SearchFilter { kind: Some(LineKind::Command), ..all() }).await, 1);
    assert_eq!(count(SearchFilter { session: Some(new), ..all() }).await, 2);
    assert_eq!(count(SearchFilter { person: Some(ada), target: Some(a.w.target.id), ..all() }).await, 25);
    assert_eq!(count(SearchFilter { person: Some(who), ..all() }).await, 0);
    assert_eq!(count(SearchFilter { from: Some(now + Duration::from_secs(60)), ..all() }).await, 0);
    assert_eq!(count(SearchFilter { until: Some(now - Duration::from_secs(3600)), ..all() }).await, 0);
    assert_eq!(
        count(SearchFilter { from: Some(now - Duration::from_secs(3600)), until: Some(now + Duration::from_secs(60)), ..all() }).await,
        25
    );
}

#[tokio::test]
async fn no_question_is_anything_but_words() {
    let mut a = Box::pin(Archive::new()).await;
    a.with(&[(1, LineKind::Screen, "a quiet line about dropped tables and o'brien's 'quote'")]).await;
    for hostile in [
        "'; drop table recording_line; --",
        "x' | !'y",
        "a:*A & (quiet)",
        "\\' quiet",
        "quiet\0line",
        "(((quiet",
        "quiet <-> ",
        "%_quiet",
        "\u{202e}quiet",
        "'::tsquery quiet",
    ] {
        let answer = a.ask(hostile).await;
        assert!(matches!(answer, Ok(_) | Err(SearchError::NoWord)), "{hostile:?}: {answer:?}");
    }
    assert_eq!(a.ask("o'brien").await.unwrap().len(), 1);
    for nothing in ["", "   ", "-quiet", "\"\"", "****", "████"] {
        assert_eq!(a.ask(nothing).await.unwrap_err(), SearchError::NoWord, "{nothing:?}");
    }
    for huge in ["q".repeat(1 << 20), "a ".repeat(100), "\"a ".repeat(60), "-".repeat(100_000)] {
        assert_eq!(a.ask(&huge).await.unwrap_err(), SearchError::TooLong);
    }
    assert_eq!(a.ask("quiet").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_recording_is_read_once_is_read_again_by_a_newer_version_and_forgotten_for_good() {
    let mut a = Box::pin(Archive::new()).await;
    let id = a.closed().await;
    let w = &a.w.approvals;
    assert_eq!(w.unindexed(V, 10).await.unwrap(), [id]);
    assert!(w.begin_index(id, V).await.unwrap());
    assert!(!w.begin_index(id, V).await.unwrap(), "somebody is at it");
    assert!(w.unindexed(V, 10).await.unwrap().is_empty());
    // It cannot be read now: later, and each time later.
    w.index_failed(id).await.unwrap();
    assert!(!w.begin_index(id, V).await.unwrap());
    a.w.sql("update recording_index set next_at = now() - interval '1 second'").await;
    assert_eq!(w.unindexed(V, 10).await.unwrap(), [id]);
    assert!(a.keep(id, &[(1, LineKind::Screen, "first reading")]).await);
    assert!(!a.keep(id, &[(1, LineKind::Screen, "never")]).await && w.unindexed(V, 10).await.unwrap().is_empty());
    assert_eq!(w.indexed(id).await.unwrap().unwrap().timeline["marks"], serde_json::json!([]));
    // A newer version replaces what an older one made.
    assert_eq!(w.unindexed(V + 1, 10).await.unwrap(), [id]);
    assert!(w.begin_index(id, V + 1).await.unwrap());
    let lines =
        [IndexLine { channel: u32::MAX, at_us: 1, kind: LineKind::Screen, text: format!("second\0reading {}", "é".repeat(9_000)) }];
    let indexed = Indexed { timeline: serde_json::json!({}), cut: true };
    assert!(w.finish_index(id, &lines, &indexed).await.unwrap());
    assert!(a.ask("first").await.unwrap().is_empty() && a.ask("second").await.unwrap().len() == 1);

    // Shredded while somebody reads it: nothing comes back.
    assert!(w.begin_index(id, V + 2).await.unwrap());
    w.forget_index(id).await.unwrap();
    assert!(!w.finish_index(id, &lines, &indexed).await.unwrap());
    assert!(a.ask("second").await.unwrap().is_empty() && w.indexed(id).await.unwrap().is_none());
    assert!(!w.begin_index(id, V + 3).await.unwrap() && w.unindexed(V + 3, 10).await.unwrap().is_empty());
    assert_eq!(a.w.sql("delete from recording_line").await, 0);
    w.forget_index(SessionId(Uuid::now_v7())).await.unwrap();
}

#[tokio::test]
async fn a_large_recording_is_kept_and_found_quickly() {
    let mut a = Box::pin(Archive::new()).await;
    let text: Vec<String> = (0..20_000).map(|n| format!("line {n} of a long log, unit-{} said ok", n % 977)).collect();
    let lines: Vec<_> = text.iter().enumerate().map(|(n, t)| (n as u64, LineKind::Screen, t.as_str())).collect();
    a.with(&lines).await;
    let began = Instant::now();
    assert_eq!(a.ask("\"unit 976\" said").await.unwrap().len(), 20);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
