//! Cards in every state that a page shows.
use super::Someone;
use anteroom_approvals::{Approvals, CardForm};
use anteroom_domain::{Capabilities, CardId};
use std::time::Duration;

pub(super) async fn seed(a: &Approvals, kim: &mut Someone, lee: &mut Someone) {
    a.offline_cards("east").await.unwrap();
    a.offline_cards("west").await.unwrap();
    let valid = begin(a, lee, "ehr-db-1", "east").await;
    countersign(a, kim, valid).await;
    a.offline_cards("east").await.unwrap();
    let begun = begin(a, kim, "mri-3", "east").await;
    let revoked = begin(a, kim, "ehr-db-1", "west").await;
    a.revoke_card(None, revoked).await.unwrap();
    println!("card {begun}");
    println!("card-valid {valid}");
    println!("card-revoked {revoked}");
    let link = a.make_enrol_link(None, kim.person.id, Duration::from_secs(6_000)).await.unwrap();
    println!("enrol-kim {}", link.expose());
}

async fn begin(a: &Approvals, who: &mut Someone, target: &str, gateway: &str) -> CardId {
    let form = CardForm {
        gateway: gateway.parse().unwrap(),
        target: target.parse().unwrap(),
        account: "root".parse().unwrap(),
        capabilities: Capabilities::interactive(),
        minutes: 60,
        days: 90,
    };
    let (start, _) = Box::pin(a.begin_card(&who.person, form)).await.unwrap();
    let answer = who.passkey.get(&start.options).unwrap();
    Box::pin(a.finish_card(&who.person, start.ceremony, &answer)).await.unwrap()
}

async fn countersign(a: &Approvals, who: &mut Someone, card: CardId) {
    let start = Box::pin(a.begin_countersign(&who.person, card)).await.unwrap();
    let answer = who.passkey.get(&start.options).unwrap();
    Box::pin(a.finish_countersign(&who.person, start.ceremony, &answer)).await.unwrap();
}
