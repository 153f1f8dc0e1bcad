//! Sealed break-glass cards: two officers, one gateway, one use, checked without asking anybody.
use crate::world::{Someone, World, account, now};
use anteroom_approvals::{
    CardError, CardForm, CardRefused, CardUse, OfflineCard, Page, StoreError,
    verify::{all_good, verify_evidence},
};
use anteroom_domain::{
    AuditEvent, Capabilities, Card, CardCode, CardId, CardState, GatewayName, Moment, Obligations, PersonId, Reason, RequestId, Role,
    SessionId, TargetName, audit::CardEvent, content::Finding,
};
use anteroom_policy::{
    PolicyFile,
    cards::{NoCard, Useless},
};
use uuid::Uuid;

pub const GATEWAY: &str = "east";

fn anybody() -> PersonId {
    PersonId(Uuid::from_u128(77))
}

/// The gateway's name is known once it has asked for its cards.
async fn world() -> (World, Someone, Someone) {
    let w = World::new().await;
    assert!(w.approvals.offline_cards(GATEWAY).await.unwrap().is_empty());
    let (kim, lee) = (w.somebody("kim", Role::KeyHolder).await, w.somebody("lee", Role::KeyHolder).await);
    (w, kim, lee)
}

fn form() -> CardForm {
    CardForm {
        gateway: GatewayName::new(GATEWAY).unwrap(),
        target: TargetName::new("ehr-db-1").unwrap(),
        account: account("root"),
        capabilities: Capabilities::interactive(),
        minutes: 60,
        days: 90,
    }
}

async fn begin(w: &World, who: &mut Someone, form: CardForm) -> Result<(CardId, CardCode), CardError> {
    let (start, code) = Box::pin(w.approvals.begin_card(&who.person, form)).await?;
    assert!(!start.content.contains(code.printed().expose()), "what is signed holds the hash only");
    let answer = who.passkey.get(&start.options).unwrap();
    Ok((Box::pin(w.approvals.finish_card(&who.person, start.ceremony, &answer)).await?, code))
}

async fn countersign(w: &World, who: &mut Someone, card: CardId) -> Result<CardId, CardError> {
    let start = Box::pin(w.approvals.begin_countersign(&who.person, card)).await?;
    let answer = who.passkey.get(&start.options).unwrap();
    Box::pin(w.approvals.finish_countersign(&who.person, start.ceremony, &answer)).await
}

pub async fn issue(w: &World, kim: &mut Someone, lee: &mut Someone) -> (CardId, CardCode) {
    let (card, code) = begin(w, kim, form()).await.unwrap();
    countersign(w, lee, card).await.unwrap();
    (card, code)
}

async fn one(w: &World, id: CardId) -> Card {
    w.approvals.card(id).await.unwrap().unwrap()
}

async fn kept(w: &World) -> Vec<OfflineCard> {
    w.approvals.offline_cards(GATEWAY).await.unwrap()
}

fn used(card: CardId, who: &Someone, at: Moment) -> CardUse {
    let at = at.replace_microsecond(at.microsecond()).unwrap();
    CardUse {
        card,
        gateway: GatewayName::new(GATEWAY).unwrap(),
        request: RequestId(Uuid::now_v7()),
        grant: Uuid::now_v7().into(),
        person: who.person.id,
        source: "10.0.0.7".into(),
        reason: Reason::new("database cluster is down, ventilator list is stuck").unwrap(),
        capabilities: Capabilities::interactive(),
        obligations: Obligations::default(),
        from: at,
        until: at + time::Duration::minutes(30),
    }
}

async fn events(w: &World) -> Vec<CardEvent> {
    let log = w.log().await;
    log.into_iter().filter_map(|e| if let AuditEvent::Card(c) = e { Some(c) } else { None }).collect()
}

#[tokio::test]
async fn two_officers_make_a_card_that_its_gateway_checks_without_asking_anybody() {
    let (w, mut kim, mut lee) = world().await;
    let (card, code) = begin(&w, &mut kim, form()).await.unwrap();
    assert_eq!(one(&w, card).await.state, CardState::Begun);
    assert!(kept(&w).await.is_empty(), "one officer is not enough");
    assert_eq!(w.approvals.cards_waiting_for(lee.person.id).await.unwrap(), 1);
    assert_eq!(w.approvals.cards_waiting_for(kim.person.id).await.unwrap(), 0);
    countersign(&w, &mut lee, card).await.unwrap();
    assert!(!one(&w, card).await.kept, "the gateway has not fetched it yet");
    let cards = kept(&w).await;
    assert_eq!((cards.len(), one(&w, card).await.state, one(&w, card).await.kept), (1, CardState::Valid, true));
    assert!(w.approvals.offline_cards("west").await.unwrap().is_empty(), "another gateway does not get it");

    // From here on without the database: what is kept survives being written down.
    let kept: OfflineCard = serde_json::from_str(&serde_json::to_string(&cards[0]).unwrap()).unwrap();
    let (site, code) = (w.approvals.site(), CardCode::parse(&code.printed().expose().to_lowercase()).unwrap());
    let terms = kept.check(&code, anybody(), GATEWAY, now(), &site).unwrap();
    assert_eq!((terms.target_name.as_str(), terms.account.as_str(), terms.minutes), ("ehr-db-1", "root", 60));
    let what: Vec<_> = events(&w).await.iter().map(|e| serde_json::to_value(e).unwrap()["what"].clone()).collect();
    assert_eq!(what, ["begun", "countersigned"]);
}

#[tokio::test]
async fn the_code_is_nowhere_in_the_database() {
    let (w, mut kim, mut lee) = world().await;
    let (_, code) = issue(&w, &mut kim, &mut lee).await;
    let printed = code.printed();
    let plain = printed.expose().replace('-', "");
    let all: Vec<String> = sqlx::query_scalar(
        "select to_jsonb(t)::text from break_glass_card t union all select to_jsonb(t)::text from ceremony t
         union all select body from evidence union all select record from audit_entry union all select body::text from notice",
    )
    .fetch_all(&w.owner)
    .await
    .unwrap();
    assert!(all.len() > 6);
    assert!(!all.iter().any(|row| row.contains(&plain) || row.contains(printed.expose())));
}

#[tokio::test]
async fn who_began_it_cannot_countersign_it_and_who_is_no_officer_can_do_nothing() {
    let (w, mut kim, mut lee) = world().await;
    let mut bob = w.somebody("bob", Role::Approver).await;
    assert_eq!(begin(&w, &mut bob, form()).await.unwrap_err(), CardError::NotAllowed);
    let (card, _) = begin(&w, &mut kim, form()).await.unwrap();
    assert_eq!(countersign(&w, &mut kim, card).await.unwrap_err(), CardError::Life(NoCard::SameOfficer));
    assert_eq!(countersign(&w, &mut bob, card).await.unwrap_err(), CardError::NotAllowed);
    assert_eq!(w.approvals.revoke_card(Some(bob.person.id), card).await.unwrap_err(), CardError::NotAllowed);
    countersign(&w, &mut lee, card).await.unwrap();
    let mut max = w.somebody("max", Role::KeyHolder).await;
    assert_eq!(countersign(&w, &mut max, card).await.unwrap_err(), CardError::Life(NoCard::Countersigned));
    let refused = events(&w).await.into_iter().filter(|e| matches!(e, CardEvent::Refused { .. })).count();
    assert_eq!(refused, 4);
    // Not even with the database's help: the role that the program has cannot change what was signed.
    let mut c = w.owner.acquire().await.unwrap();
    sqlx::query("set role anteroom_app").execute(&mut *c).await.unwrap();
    let e = sqlx::query("update break_glass_card set terms = '{}'").execute(&mut *c).await.unwrap_err();
    assert_eq!(e.as_database_error().unwrap().code().unwrap(), "42501");
    sqlx::query("reset role").execute(&mut *c).await.unwrap();
}

#[tokio::test]
async fn what_no_card_may_say_is_refused_when_it_is_made() {
    let (w, mut kim, _) = world().await;
    for (bad, why) in [
        (CardForm { minutes: 241, ..form() }, "minutes"),
        (CardForm { minutes: 4, ..form() }, "minutes"),
        (CardForm { days: 366, ..form() }, "days"),
        (CardForm { days: 0, ..form() }, "days"),
        (CardForm { target: TargetName::new("no-such").unwrap(), ..form() }, "no such target"),
        (CardForm { account: account("no-such"), ..form() }, "no such target"),
        (CardForm { gateway: GatewayName::new("eats").unwrap(), ..form() }, "no gateway named eats keeps cards"),
        (CardForm { capabilities: Capabilities::parse(["desktop"]).unwrap(), ..form() }, "does not know desktop"),
        (CardForm { capabilities: Capabilities::default(), ..form() }, "at least one thing"),
        (CardForm { capabilities: Capabilities::parse(["shell", "unmask"]).unwrap(), ..form() }, "lifts no masking"),
    ] {
        let e = begin(&w, &mut kim, bad).await.unwrap_err().to_string();
        assert!(e.contains(why), "{e}");
    }
    assert_eq!(w.approvals.cards("", false, Page::default()).await.unwrap().total, 0);
}

/// A card says what an emergency may have by policy; more is refused when it is made, not found out in the emergency.
#[tokio::test]
async fn a_card_allows_what_policy_lets_somebody_have_and_both_officers_sign_it() {
    let (w, mut kim, mut lee) = world().await;
    let chosen = |texts: &[&str]| CardForm { capabilities: Capabilities::parse(texts).unwrap(), ..form() };
    let more = ["exec:systemctl restart *", "download:/var/log/**;max=10MiB"];
    let nobody = begin(&w, &mut kim, chosen(&more)).await.unwrap_err();
    assert_eq!(nobody, CardError::Useless(Useless::Denied("there is nobody who may".into())), "no admin yet");
    w.somebody("ada", Role::Admin).await;
    let (card, _) = begin(&w, &mut kim, chosen(&more)).await.unwrap();
    countersign(&w, &mut lee, card).await.unwrap();
    let kept = kept(&w).await;
    assert_eq!(kept[0].terms.capabilities.names(), more);
    for signature in &kept[0].signatures {
        assert!(more.iter().all(|m| signature.content.contains(m)), "in what each officer signed: {}", signature.content);
    }
    // The hospital's own policy lets an emergency last an hour.
    let long = begin(&w, &mut kim, CardForm { minutes: 120, ..form() }).await.unwrap_err();
    assert_eq!(long, CardError::Useless(Useless::Longer(time::Duration::HOUR)));
    let text = r#"@id("logs") @capabilities("shell, download:/var/log/**") permit (principal, action == Action::"break_glass", resource);"#;
    w.approvals.set_policy(None, vec![PolicyFile { name: "a.cedar".into(), text: text.into() }], "narrow").await.unwrap();
    let beyond = begin(&w, &mut kim, form()).await.unwrap_err();
    assert_eq!(beyond, CardError::Useless(Useless::Beyond("shell".into())), "exec too is more than policy gives");
    begin(&w, &mut kim, chosen(&["shell", "download:/var/log/app.log"])).await.unwrap();
    // What changed between showing and signing counts.
    let (start, _) = Box::pin(w.approvals.begin_card(&kim.person, chosen(&["shell"]))).await.unwrap();
    let text = r#"@id("none") @capabilities("exec:uptime") permit (principal, action == Action::"break_glass", resource);"#;
    w.approvals.set_policy(None, vec![PolicyFile { name: "a.cedar".into(), text: text.into() }], "narrower").await.unwrap();
    let answer = kim.passkey.get(&start.options).unwrap();
    let late = Box::pin(w.approvals.finish_card(&kim.person, start.ceremony, &answer)).await.unwrap_err();
    assert_eq!(late, CardError::Useless(Useless::Beyond("nothing".into())));
}

/// Better known when it is made than in the emergency.
#[tokio::test]
async fn what_is_not_reached_while_the_database_is_away_gets_no_card() {
    let (w, ..) = crate::tickets::hospital().await;
    w.approvals.offline_cards(GATEWAY).await.unwrap();
    let mut kim = w.somebody("kim", Role::KeyHolder).await;
    let ct = TargetName::new("ct-2").unwrap();
    let capabilities = Capabilities::parse(["desktop"]).unwrap();
    let desktop = CardForm { target: ct.clone(), account: account("CT\\service"), capabilities, ..form() };
    assert_eq!(begin(&w, &mut kim, desktop).await.unwrap_err(), CardError::NotMeanwhile(ct));
}

#[tokio::test]
async fn a_forged_card_changes_nothing() {
    let (w, mut kim, mut lee) = world().await;
    let (_, code) = issue(&w, &mut kim, &mut lee).await;
    let (other_id, other_code) = issue(&w, &mut lee, &mut kim).await;
    let site = w.approvals.site();
    let cards = kept(&w).await;
    let (good, other) = (&cards[0], cards.iter().find(|c| c.terms.card == other_id).unwrap());
    let check = |c: &OfflineCard, code: &CardCode| c.check(code, anybody(), GATEWAY, now(), &site);
    assert!(check(good, &code).is_ok() && check(other, &other_code).is_ok());

    assert_eq!(check(good, &other_code), Err(CardRefused::WrongCode));
    assert_eq!(good.check(&code, anybody(), "west", now(), &site), Err(CardRefused::WrongGateway));
    for officer in [&kim, &lee] {
        assert_eq!(good.check(&code, officer.person.id, GATEWAY, now(), &site), Err(CardRefused::OwnCard));
    }
    assert_eq!(good.check(&code, anybody(), GATEWAY, good.terms.until, &site), Err(CardRefused::Expired));
    assert_eq!(good.check(&code, anybody(), GATEWAY, good.terms.from - time::Duration::SECOND, &site), Err(CardRefused::NotYet));
    let elsewhere = anteroom_approvals::Site { origin: "https://gate.attacker.example".into(), ..site.clone() };
    assert_eq!(good.check(&code, anybody(), GATEWAY, now(), &elsewhere), Err(CardRefused::Site));

    // Content that says more than was signed.
    let changed = |f: &dyn Fn(&mut OfflineCard)| {
        let mut c = good.clone();
        f(&mut c);
        check(&c, &code)
    };
    assert_eq!(changed(&|c| c.terms.minutes = 240), Err(CardRefused::Changed));
    assert_eq!(changed(&|c| c.terms.minutes = 100_000), Err(CardRefused::Terms));
    assert_eq!(changed(&|c| c.terms.until += time::Duration::days(30)), Err(CardRefused::Changed));
    assert_eq!(changed(&|c| c.terms.until += time::Duration::days(300)), Err(CardRefused::Terms));
    assert_eq!(changed(&|c| c.terms.account = account("postgres")), Err(CardRefused::Changed));
    // In the signed text too: then the signature does not fit.
    let texts = |c: &mut OfflineCard| {
        c.terms.minutes = 240;
        for s in &mut c.signatures {
            s.content = s.content.replace("\"minutes\":60", "\"minutes\":240");
        }
    };
    assert_eq!(changed(&texts), Err(CardRefused::Signature("the first")));
    // Swapped, doubled, truncated, of another card.
    assert_eq!(changed(&|c| c.signatures.swap(0, 1)), Err(CardRefused::Signature("the first")));
    assert_eq!(
        changed(&|c| {
            c.signatures[1] = c.signatures[0].clone();
            c.officers[1] = c.officers[0].clone();
        }),
        Err(CardRefused::OneOfficer)
    );
    assert_eq!(changed(&|c| c.officers[1].person = c.officers[0].person), Err(CardRefused::Signature("the second")));
    assert_eq!(changed(&|c| c.signatures[1] = other.signatures[1].clone()), Err(CardRefused::Changed));
    assert_eq!(changed(&|c| _ = c.signatures[0].signature.pop()), Err(CardRefused::Signature("the first")));
    assert_eq!(changed(&|c| c.signatures[1].authenticator_data.truncate(20)), Err(CardRefused::Signature("the second")));
    // The code of the attacker's choice: its hash is signed.
    let mine = other_code.sha256();
    let mut c = good.clone();
    c.terms.code_sha256 = mine;
    assert_eq!(check(&c, &other_code), Err(CardRefused::Changed));
    // A passkey that is not the officer's.
    assert_eq!(
        changed(&|c| {
            let key = other.signatures[0].cose_key.clone();
            c.signatures[0].cose_key = key;
        }),
        Err(CardRefused::Signature("the first"))
    );
}

/// What an attacker who can write the database, but owns no passkey, gets: a card that is left out.
#[tokio::test]
async fn a_card_that_the_database_changed_is_not_handed_out() {
    let (w, mut kim, mut lee) = world().await;
    issue(&w, &mut kim, &mut lee).await;
    assert_eq!(kept(&w).await.len(), 1);
    w.sql("update break_glass_card set terms = replace(terms, '\"minutes\":60', '\"minutes\":240')").await;
    assert!(kept(&w).await.is_empty());
    w.sql("update break_glass_card set terms = replace(terms, '\"minutes\":240', '\"minutes\":60')").await;
    assert_eq!(kept(&w).await.len(), 1);
    // One officer's signature in both places.
    w.sql("insert into evidence select gen_random_uuid(), person, body, sha256, now() from evidence where id = (select begun_evidence from break_glass_card)").await;
    w.sql("update break_glass_card c set countersigned_evidence = (select id from evidence order by created_at desc limit 1)").await;
    assert!(kept(&w).await.is_empty());
}

#[tokio::test]
async fn any_officer_revokes_and_a_suspended_officer_unmakes_nothing() {
    let (w, mut kim, mut lee) = world().await;
    let (card, _) = issue(&w, &mut kim, &mut lee).await;
    w.approvals.suspend_person(None, kim.person.id).await.unwrap();
    assert_eq!(kept(&w).await.len(), 1, "what two officers signed stays");
    let max = w.somebody("max", Role::KeyHolder).await;
    w.approvals.revoke_card(Some(max.person.id), card).await.unwrap();
    assert_eq!((one(&w, card).await.state, kept(&w).await.len()), (CardState::Revoked, 0));
    assert_eq!(w.approvals.revoke_card(None, card).await.unwrap_err(), CardError::Life(NoCard::Revoked));
    let told: i64 = sqlx::query_scalar("select count(*) from notice where body ->> 'alarm' in ('card_issued', 'card_revoked')")
        .fetch_one(&w.owner)
        .await
        .unwrap();
    assert_eq!(told, 2);
    // Before the second signature too.
    let (card, _) = begin(&w, &mut lee, form()).await.unwrap();
    w.approvals.revoke_card(None, card).await.unwrap();
    let mut max = max;
    assert_eq!(countersign(&w, &mut max, card).await.unwrap_err(), CardError::Life(NoCard::Revoked));
}

#[tokio::test]
async fn a_use_is_told_afterwards_once_however_often_and_somebody_looks_at_it() {
    let (w, mut kim, mut lee) = world().await;
    let (ada, mut max) = (w.somebody("ada", Role::Admin).await, w.somebody("max", Role::Auditor).await);
    let (card, _) = issue(&w, &mut kim, &mut lee).await;
    let use_ = used(card, &ada, now());
    let grant = w.approvals.merge_used_card(&use_).await.unwrap();
    assert_eq!((grant.id, grant.request, grant.person, grant.not_after), (use_.grant, use_.request, ada.person.id, use_.until));
    for _ in 0..3 {
        assert_eq!(w.approvals.merge_used_card(&use_).await.unwrap().id, grant.id);
    }
    let shown = one(&w, card).await;
    assert_eq!((shown.state, shown.used.unwrap().request), (CardState::Used, use_.request));
    assert!(kept(&w).await.is_empty(), "used up");
    let log = events(&w).await;
    assert_eq!(log.iter().filter(|e| matches!(e, CardEvent::Used { irregular: None, .. })).count(), 1);
    let alarms: i64 =
        sqlx::query_scalar("select count(*) from notice where body ->> 'alarm' = 'break_glass'").fetch_one(&w.owner).await.unwrap();
    assert_eq!(alarms, 1, "everybody is told, once");
    // The look afterwards, as at any emergency.
    let glass = w.approvals.break_glass(use_.request).await.unwrap().unwrap();
    assert_eq!((glass.person, glass.card), (ada.person.id, Some(card)));
    w.approvals.revoke_grant(Some(ada.person.id), grant.id).await.unwrap();
    let findings = Reason::new("watched it: as said").unwrap();
    let start = Box::pin(w.approvals.begin_glass_review(&max.person, use_.request, Finding::Justified, findings)).await.unwrap();
    let answer = max.passkey.get(&start.options).unwrap();
    Box::pin(w.approvals.finish_glass_review(&max.person, start.ceremony, &answer)).await.unwrap();
    assert_eq!(w.approvals.broken_glass(true, Page::default()).await.unwrap().total, 0);
}

#[tokio::test]
async fn what_should_not_have_been_is_kept_marked_and_alarmed() {
    let (w, mut kim, mut lee) = world().await;
    let ada = w.somebody("ada", Role::Admin).await;
    let (card, _) = issue(&w, &mut kim, &mut lee).await;
    w.approvals.merge_used_card(&used(card, &ada, now())).await.unwrap();
    // A journal that was lost: the same card again.
    let again = used(card, &ada, now());
    w.approvals.merge_used_card(&again).await.unwrap();
    assert_ne!(one(&w, card).await.used.unwrap().request, again.request, "the first use stays the first");
    // Revoked while the gateway could not hear of it.
    let (revoked, _) = issue(&w, &mut kim, &mut lee).await;
    w.approvals.revoke_card(None, revoked).await.unwrap();
    w.approvals.merge_used_card(&used(revoked, &ada, now())).await.unwrap();
    // An officer who had signed it.
    let (own, _) = issue(&w, &mut kim, &mut lee).await;
    w.approvals.merge_used_card(&used(own, &lee, now())).await.unwrap();
    let irregular: Vec<String> =
        events(&w).await.into_iter().filter_map(|e| if let CardEvent::Used { irregular, .. } = e { irregular } else { None }).collect();
    assert_eq!(irregular, ["the card was used", "the card was revoked", "the card was used by an officer who had signed it"]);
    assert_eq!(w.approvals.broken_glass(true, Page::default()).await.unwrap().total, 4, "each waits for a look");
    let alarms: i64 =
        sqlx::query_scalar("select count(*) from notice where body ->> 'alarm' = 'card_misused'").fetch_one(&w.owner).await.unwrap();
    assert_eq!(alarms, 3);
}

#[tokio::test]
async fn a_use_that_no_two_officers_signed_is_refused_and_written_down() {
    let (w, mut kim, mut lee) = world().await;
    let ada = w.somebody("ada", Role::Admin).await;
    let (card, _) = issue(&w, &mut kim, &mut lee).await;
    let good = used(card, &ada, now());
    let refused = async |u: CardUse| w.approvals.merge_used_card(&u).await.unwrap_err();
    assert_eq!(refused(used(CardId(Uuid::now_v7()), &ada, now())).await, CardError::NoSuch);
    let long = CardUse { until: good.from + time::Duration::minutes(61), ..good.clone() };
    assert!(matches!(refused(long).await, CardError::NotOfCard(_)));
    let more = Capabilities::parse(["shell", "exec", "desktop"]).unwrap();
    assert!(matches!(refused(CardUse { capabilities: more, ..good.clone() }).await, CardError::NotOfCard(_)));
    let west = GatewayName::new("west").unwrap();
    assert!(matches!(refused(CardUse { gateway: west, ..good.clone() }).await, CardError::NotOfCard(_)));
    let (begun, _) = begin(&w, &mut kim, form()).await.unwrap();
    assert_eq!(refused(used(begun, &ada, now())).await, CardError::Life(NoCard::OneOfficer));
    w.sql("update break_glass_card set terms = replace(terms, '\"minutes\":60', '\"minutes\":240')").await;
    assert_eq!(refused(good).await, CardError::Forged(CardRefused::Changed));
    assert_eq!(w.approvals.broken_glass(false, Page::default()).await.unwrap().total, 0);
    assert!(events(&w).await.iter().filter(|e| matches!(e, CardEvent::Refused { .. })).count() >= 5);
    assert_eq!(w.approvals.offline_cards("No Name").await.unwrap_err(), StoreError::Damaged("card_gateway"));
}

/// What anybody can check later, from the bundle alone.
#[tokio::test]
async fn the_evidence_of_a_card_names_both_officers_and_cannot_be_changed() {
    let (w, mut kim, mut lee) = world().await;
    let mut ada = w.somebody("ada", Role::Admin).await;
    let (card, _) = issue(&w, &mut kim, &mut lee).await;
    w.approvals.merge_used_card(&used(card, &ada, now())).await.unwrap();
    let s = SessionId(Uuid::now_v7());
    let permit = Box::pin(crate::connecting::permit(&w, &mut ada, s)).await;
    w.approvals.session_started(&permit, [3; 32], GATEWAY).await.unwrap();
    w.settle().await;
    let good = w.approvals.evidence(s).await.unwrap().unwrap();
    let findings = verify_evidence(&good, Some(&w.approvals.log_public_key()));
    assert!(all_good(&findings), "{findings:?}");
    assert!(findings.iter().any(|f| f.detail.contains("a sealed card, signed by kim and lee, opened root@ehr-db-1")), "{findings:?}");
    let bad = |f: &dyn Fn(&mut anteroom_approvals::Evidence)| {
        let mut e = good.clone();
        f(&mut e);
        !all_good(&verify_evidence(&e, None))
    };
    assert!(bad(&|e| {
        e.request.until += time::Duration::HOUR;
        e.grant.not_after += time::Duration::HOUR;
    }));
    assert!(bad(&|e| e.more_approvals.clear()), "one officer");
    assert!(bad(&|e| e.more_approvals = vec![e.approval.clone()]), "one officer twice");
    assert!(bad(&|e| e.approval.content = e.approval.content.replace("\"minutes\":60", "\"minutes\":240")));
    assert!(bad(&|e| e.session.person_handle = "eve".into()));
    for silent in ["\"what\":\"begun\"", "\"what\":\"countersigned\"", "\"what\":\"used\""] {
        assert!(bad(&|e| e.records.retain(|r| !r.record.contains(silent))), "{silent}");
    }
}
