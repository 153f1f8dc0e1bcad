//! Vendors' people: their company's targets, its contract, one session a device; and who may watch them, for how long that counts, and what
//! the log says about it.
use crate::{
    companies::contract,
    connecting::permit,
    world::{HERE, Someone, World, now},
};
use anteroom_approvals::{Change, ManageError, Prolonged, RequestError, StartError, Watching};
use anteroom_domain::{
    AuditEvent, CompanyId, DisplayName, EndReason, MessageText, Moment, PersonAttributes, Role, SessionId, SupervisionId, TargetAttributes,
    audit::{CompanyEvent, SupervisionEvent},
};
use anteroom_policy::{Decision, Refusal, SecondFactor, Verdict};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

struct Hospital {
    w: World,
    /// Of the company.
    vera: Someone,
    /// Approves, and watches.
    nora: Someone,
    company: CompanyId,
}

impl Hospital {
    async fn new() -> Self {
        let w = World::new().await;
        let (vera, nora) = (w.somebody("vera", Role::Admin).await, w.somebody("nora", Role::Approver).await);
        let name = DisplayName::new("Made-up Imaging").unwrap();
        let company = w.approvals.add_company(None, name, now() + time::Duration::days(30), true).await.unwrap();
        let h = Self { w, vera, nora, company };
        h.employ(&h.vera, company).await;
        h.keeps(Some(company)).await;
        h
    }

    async fn employ(&self, who: &Someone, company: CompanyId) {
        let attributes = PersonAttributes { company: Some(company), ..Default::default() };
        self.w.approvals.set_person_attributes(None, who.person.id, attributes).await.unwrap();
    }

    async fn keeps(&self, vendor: Option<CompanyId>) {
        let attributes = TargetAttributes { vendor, ..Default::default() };
        self.w.approvals.set_target_attributes(None, self.w.target.id, attributes).await.unwrap();
    }

    async fn contract(&self, ends: Moment) {
        self.w.approvals.change_company(None, self.company, contract(ends, true), None).await.unwrap();
    }

    /// People as the database has them now.
    async fn again(&mut self) {
        self.vera.person = self.w.approvals.person(self.vera.person.id).await.unwrap().unwrap();
    }

    /// Asked for, approved, connected.
    async fn session(&mut self) -> Result<SessionId, StartError> {
        self.again().await;
        let s = SessionId(Uuid::now_v7());
        let p = permit(&self.w, &mut self.vera, s).await;
        assert!(p.obligations().supervise && p.obligations().at_once == Some(1));
        self.w.approvals.session_started(&p, [0; 32], "gw").await.map(|()| s)
    }

    async fn join(&self, s: SessionId, who: &Someone) -> Result<SupervisionId, ManageError> {
        self.w.approvals.join_supervision(s, who.person.id, HERE).await
    }

    async fn state(&self, s: SessionId) -> Option<Watching> {
        self.w.approvals.to_supervise().await.unwrap().into_iter().find(|(id, _)| *id == s).map(|(_, state)| state)
    }

    async fn said(&self) -> Vec<SupervisionEvent> {
        let log = self.w.log().await;
        log.into_iter().filter_map(|e| if let AuditEvent::Supervision(s) = e { Some(s) } else { None }).collect()
    }
}

#[tokio::test]
async fn watching_counts_from_joining_to_leaving_and_all_of_it_is_in_the_log() {
    let mut h = Box::pin(Hospital::new()).await;
    h.again().await;
    h.w.grant(&h.vera, &mut h.nora).await;
    let s = h.session().await.unwrap();
    let (a, nora) = (h.w.approvals.clone(), h.nora.person.id);
    assert_eq!((h.state(s).await, a.watched(s).await.unwrap()), (Some(Watching::Lobby), None));

    let stop = CancellationToken::new();
    let mut changes = a.changes();
    let background = tokio::spawn({
        let (a, stop) = (a.clone(), stop.clone());
        async move { a.run(stop).await }
    });
    while changes.recv().await.unwrap() != Change::Resync {}
    let seat = h.join(s, &h.nora).await.unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(3), async { while changes.recv().await.unwrap() != Change::Supervision(s) {} });
    heard.await.expect("every gateway hears that somebody watches");
    assert!(a.watched(s).await.unwrap().unwrap() < Duration::from_secs(4) && a.watches(s, nora).await.unwrap());
    assert!(a.renew_supervision(seat, nora, HERE).await.unwrap());
    assert!(!a.renew_supervision(seat, h.vera.person.id, HERE).await.unwrap(), "somebody else's seat");
    assert_eq!(h.state(s).await, Some(Watching::Watched));

    a.note_supervision(s, nora, HERE, &MessageText::new("coil driver replaced").unwrap()).await.unwrap();
    assert_eq!(a.take_supervision_notes(s).await.unwrap(), [("NORA".to_owned(), "coil driver replaced".to_owned())]);
    assert!(a.take_supervision_notes(s).await.unwrap().is_empty(), "recorded once");
    assert_eq!(a.supervision_notes(s).await.unwrap()[0].text, "coil driver replaced");

    a.leave_supervision(seat, nora).await.unwrap();
    a.leave_supervision(seat, nora).await.unwrap();
    assert_eq!((h.state(s).await, a.watched(s).await.unwrap()), (Some(Watching::Unwatched), None));
    assert!(!a.renew_supervision(seat, nora, HERE).await.unwrap(), "who left has to join again");
    let told = h.said().await;
    let expected = |e: &SupervisionEvent| matches!(e, SupervisionEvent::Joined { session, by } if (*session, *by) == (s, nora));
    assert_eq!(told.iter().filter(|e| expected(e)).count(), 1);
    assert_eq!(told.iter().filter(|e| matches!(e, SupervisionEvent::Left { .. })).count(), 1, "left twice is left once");
    assert!(told.iter().any(|e| matches!(e, SupervisionEvent::Noted { .. })));
    assert!(!format!("{told:?}").contains("coil driver"), "the log has the note's hash and not its words");

    a.session_ended(s, &EndReason::ClientClosed).await;
    assert!(matches!(h.join(s, &h.nora).await, Err(ManageError::Invalid { what: "session", .. })), "it has ended");
    assert_eq!(h.state(s).await, None);
    stop.cancel();
    background.await.unwrap();
}

#[tokio::test]
async fn a_browser_that_is_not_heard_of_has_lapsed_and_a_suspended_supervisor_watches_no_more() {
    let mut h = Box::pin(Hospital::new()).await;
    h.again().await;
    h.w.grant(&h.vera, &mut h.nora).await;
    let s = h.session().await.unwrap();
    let (a, nora) = (h.w.approvals.clone(), h.nora.person.id);
    let seat = h.join(s, &h.nora).await.unwrap();
    assert_eq!(h.w.sql("update supervision set renewed_at = renewed_at - interval '5 seconds'").await, 1);
    assert!(a.watched(s).await.unwrap().unwrap() >= Duration::from_secs(4), "older than a lease");
    assert!(!a.renew_supervision(seat, nora, HERE).await.unwrap(), "too late");
    a.end_supervisions(s, false).await.unwrap();
    assert_eq!(a.watched(s).await.unwrap(), None);
    assert!(h.said().await.contains(&SupervisionEvent::Lapsed { session: s, by: nora }));
    let seen = a.supervisions(s).await.unwrap();
    assert!(seen.len() == 1 && seen[0].lapsed && seen[0].left_at.is_some() && seen[0].supervisor == nora);

    let seat = h.join(s, &h.nora).await.unwrap();
    assert!(a.watched(s).await.unwrap().is_some());
    a.suspend_person(None, nora).await.unwrap();
    assert_eq!(a.watched(s).await.unwrap(), None);
    assert!(!a.renew_supervision(seat, nora, HERE).await.unwrap());
}

#[tokio::test]
async fn nobody_watches_themselves_a_colleague_or_without_the_role() {
    let mut h = Box::pin(Hospital::new()).await;
    let (carl, otto) = (h.w.somebody("carl", Role::Approver).await, h.w.somebody("otto", Role::Operator).await);
    // As from before the rule: nobody becomes so today.
    h.w.sql("update person set attributes = (select attributes from person where handle = 'vera') where handle = 'carl'").await;
    h.again().await;
    h.w.grant(&h.vera, &mut h.nora).await;
    let s = h.session().await.unwrap();
    for who in [&h.vera, &carl, &otto] {
        assert_eq!(h.join(s, who).await.unwrap_err(), ManageError::NotAllowed, "{}", who.person.handle);
        let text = MessageText::new("hello").unwrap();
        assert_eq!(h.w.approvals.note_supervision(s, who.person.id, HERE, &text).await.unwrap_err(), ManageError::NotAllowed);
    }
    assert_eq!(h.join(SessionId(Uuid::now_v7()), &h.nora).await.unwrap_err(), ManageError::NoSuch("session"));
    assert_eq!(h.w.approvals.watched(s).await.unwrap(), None);
    assert!(h.said().await.is_empty(), "who may not join is not written down as having joined");
}

#[tokio::test]
async fn of_a_companys_people_one_works_on_a_device_at_a_time() {
    let mut h = Box::pin(Hospital::new()).await;
    h.again().await;
    h.w.grant(&h.vera, &mut h.nora).await;
    let first = h.session().await.unwrap();
    assert!(matches!(h.session().await, Err(StartError::Busy { at_once: 1, .. })));
    h.w.approvals.session_ended(first, &EndReason::ClientClosed).await;
    h.session().await.unwrap();
}

#[tokio::test]
async fn a_vendors_person_learns_of_no_other_device_and_nothing_lasts_beyond_the_contract() {
    let mut h = Box::pin(Hospital::new()).await;
    h.again().await;
    let a = h.w.approvals.clone();
    h.keeps(None).await;
    assert_eq!(
        a.submit_request(&h.vera.person, h.w.form(60), HERE).await.unwrap_err(),
        RequestError::NoSuchTarget,
        "as one that is not there"
    );
    h.keeps(Some(h.company)).await;
    let ends = now() + time::Duration::minutes(30);
    h.contract(ends).await;
    assert!(matches!(a.submit_request(&h.vera.person, h.w.form(60), HERE).await, Err(RequestError::Contract { .. })));
    h.contract(now() + time::Duration::days(2)).await;
    let grant = h.w.grant(&h.vera, &mut h.nora).await;
    assert!(grant.obligations.supervise, "frozen with the request");

    h.contract(ends).await;
    let p = permit(&h.w, &mut h.vera, SessionId(Uuid::now_v7())).await;
    let (verdict, _) = a.rejudge(&p.standing()).await.unwrap();
    assert!(matches!(verdict, anteroom_policy::Verdict::Stays { deadline, .. } if deadline == p.not_after()), "{verdict:?}");
    assert!(p.not_after() <= ends && p.not_after() > ends - time::Duration::seconds(1), "cut to the contract");
    assert!(a.contract_left(h.vera.person.id).await.unwrap().unwrap() <= Duration::from_secs(1800));

    h.contract(now() - time::Duration::seconds(1)).await;
    assert_eq!(a.session_started(&p, [0; 32], "gw").await.unwrap_err(), StartError::NoLonger(EndReason::PolicyDenied), "ended in between");
    let (verdict, _) = a.rejudge(&p.standing()).await.unwrap();
    assert_eq!(verdict, anteroom_policy::Verdict::Ends(EndReason::PolicyDenied));
    assert_eq!(a.contract_left(h.vera.person.id).await.unwrap(), Some(Duration::ZERO));
    let asked = a.authorize(&h.vera.person, SessionId(Uuid::now_v7()), "ehr-db-1", "root", HERE, SecondFactor::Missing).await.unwrap();
    assert!(matches!(asked, Decision::Deny(Refusal::ContractEnded)), "{asked:?}");
    let changes = h.w.log().await.into_iter().filter(|e| matches!(e, AuditEvent::Company(CompanyEvent::Changed { .. }))).count();
    assert_eq!(changes, 4);
}

#[tokio::test]
async fn companies_have_names_of_their_own_and_are_kept_by_operators() {
    let h = Box::pin(Hospital::new()).await;
    let name = || DisplayName::new("Made-up Imaging").unwrap();
    let (a, ends) = (&h.w.approvals, now() + time::Duration::days(1));
    assert_eq!(a.add_company(None, name(), ends, true).await.unwrap_err(), ManageError::Taken("company name"));
    assert_eq!(a.add_company(Some(h.vera.person.id), name(), ends, true).await.unwrap_err(), ManageError::NotAllowed);
    assert_eq!(
        a.change_company(Some(h.nora.person.id), h.company, contract(ends, false), None).await.unwrap_err(),
        ManageError::NotAllowed
    );
    let unknown = CompanyId(Uuid::now_v7());
    assert_eq!(a.change_company(None, unknown, contract(ends, false), None).await.unwrap_err(), ManageError::NoSuch("company"));
    let found = a.company_by_name("made-up imaging").await.unwrap().unwrap();
    assert!(found.id == h.company && found.supervised && a.companies().await.unwrap() == [found]);
}

#[tokio::test]
async fn whoever_watches_lets_it_go_on_after_its_end_if_that_was_signed_and_for_no_longer() {
    let mut h = Box::pin(Hospital::new()).await;
    h.again().await;
    h.w.grant(&h.vera, &mut h.nora).await;
    let s = SessionId(Uuid::now_v7());
    let p = permit(&h.w, &mut h.vera, s).await;
    h.w.approvals.session_started(&p, [0; 32], "gw").await.unwrap();
    let (a, nora) = (h.w.approvals.clone(), h.nora.person.id);
    h.join(s, &h.nora).await.unwrap();
    let left = async || a.time_left(s).await.unwrap().map(|l| (l.ends, l.minutes, l.prolonged));
    let end = p.circumstances().grant.not_after;
    assert_eq!(left().await, Some((end, None, None)));
    assert!(a.prolong_session(s, nora, HERE).await.is_err(), "nobody signed that it may");

    h.w.sql(r#"update access_grant set obligations = obligations || '{"at_end": {"supervisor_decides": {"minutes": 10}}}'"#).await;
    assert_eq!(left().await, Some((end, Some(10), None)));
    assert!(a.prolong_session(s, h.vera.person.id, HERE).await.is_err(), "not the one who is watched");
    assert_eq!(a.prolong_session(s, nora, HERE).await.unwrap(), 10);
    assert!(a.prolong_session(s, nora, HERE).await.is_err(), "once");
    assert!(h.said().await.contains(&SupervisionEvent::Prolonged { session: s, by: nora, minutes: 10 }));
    let (verdict, _) = a.rejudge(&p.standing()).await.unwrap();
    let until = end + time::Duration::minutes(10);
    assert_eq!(left().await, Some((end, Some(10), Some(Prolonged { by: h.nora.person.display_name.to_string(), until }))));
    let kept: Vec<_> = a.take_supervision_notes(s).await.unwrap();
    assert_eq!(kept, [(h.nora.person.display_name.to_string(), "let the session go on for 10 minutes after its grant's end".to_owned())]);
    assert!(matches!(verdict, Verdict::Stays { deadline, .. } if deadline == until), "{verdict:?}");
}
