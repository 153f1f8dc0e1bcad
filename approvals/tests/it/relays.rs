//! Targets behind relays: who may stand before whom, and whose credentials a permit opens.
use crate::{
    connecting::permit,
    world::{KEY, Someone, World, account, now},
};
use anteroom_approvals::{AuthorityError, Credential, ManageError, NewTarget, Relay, TargetChange};
use anteroom_domain::{Profile, Protocol, Reason, Role, Secret, SessionId, Target, TargetKind, TargetName, content::Verdict};
use anteroom_policy::Permit;
use uuid::Uuid;

fn name(n: &str) -> TargetName {
    TargetName::new(n).unwrap()
}
fn behind(n: &str, relay: &str) -> NewTarget {
    NewTarget { via: Some((name(relay), account("jump"))), ..NewTarget::ssh(name(n), TargetKind::Server, "10.1.0.5", 22) }
}

impl World {
    pub(crate) async fn relay(&self, new: NewTarget) -> Target {
        let t = self.approvals.add_target(None, new).await.unwrap();
        let password = Credential::Password(Secret::new(format!("jump at {}", t.name)));
        self.approvals.set_credential(None, t.id, account("jump"), password).await.unwrap();
        t
    }

    /// `outer`, then `inner` behind it, then the world's target behind that.
    pub(crate) async fn two_relays(&self) -> (Target, Target) {
        let outer = self.relay(NewTarget::ssh(name("outer"), TargetKind::Server, "10.0.0.1", 22)).await;
        let inner = self.relay(behind("inner", "outer")).await;
        let change = TargetChange { via: Some(Some((name("inner"), account("jump")))), ..Default::default() };
        self.approvals.change_target(None, self.target.id, change).await.unwrap();
        (outer, inner)
    }

    async fn allowed(&self, ada: &mut Someone, bob: &mut Someone) -> Permit {
        self.grant(ada, bob).await;
        Box::pin(permit(self, ada, SessionId(Uuid::now_v7()))).await
    }
}

fn invalid(e: &ManageError) -> bool {
    matches!(e, ManageError::Invalid { what: "relay", .. })
}

#[tokio::test]
async fn a_permit_opens_the_logins_on_its_way_outermost_first() {
    let w = World::new().await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.two_relays().await;
    let p = w.allowed(&mut ada, &mut bob).await;
    let way = w.approvals.open_relay(&p).await.unwrap();
    let seen: Vec<_> = way.iter().map(|r| (r.target.name.as_str(), r.account.as_str())).collect();
    assert_eq!(seen, [("outer", "jump"), ("inner", "jump")]);
    assert!(matches!(&way[0].credential, Credential::Password(x) if x.expose() == "jump at outer"));
    assert!(matches!(&way[1].credential, Credential::Password(x) if x.expose() == "jump at inner"));
}

#[tokio::test]
async fn a_target_reached_directly_opens_no_relay() {
    let w = World::new().await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.relay(NewTarget::ssh(name("outer"), TargetKind::Server, "10.0.0.1", 22)).await;
    let p = w.allowed(&mut ada, &mut bob).await;
    assert!(w.approvals.open_relay(&p).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_relay_certificate_is_only_for_the_relays_on_the_way() {
    let w = World::new().await;
    let (mut ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.two_relays().await;
    let other = w.relay(NewTarget::ssh(name("elsewhere"), TargetKind::Server, "10.9.0.1", 22)).await;
    let p = w.allowed(&mut ada, &mut bob).await;
    let key = ssh_key::PublicKey::from_openssh(KEY).unwrap();
    let mut way = w.approvals.open_relay(&p).await.unwrap();
    for relay in &way {
        let c = w.approvals.sign_relay_certificate(&p, relay, &key).await.unwrap();
        assert_eq!(c.valid_principals(), ["jump"]);
        assert_eq!(c.extensions().keys().collect::<Vec<_>>(), ["permit-port-forwarding"], "it lets through and does nothing else");
    }
    let invented = Relay { target: other, account: account("jump"), credential: Credential::GatewayCa };
    assert_eq!(w.approvals.sign_relay_certificate(&p, &invented, &key).await.unwrap_err(), AuthorityError::NotAllowed);
    let inner = way.pop().unwrap();
    let raised = Relay { account: account("root"), ..inner };
    assert_eq!(w.approvals.sign_relay_certificate(&p, &raised, &key).await.unwrap_err(), AuthorityError::NotAllowed);
}

#[tokio::test]
async fn no_way_leads_through_itself_or_through_four() {
    let w = World::new().await;
    let (outer, inner) = w.two_relays().await;
    let via = |n: &str| TargetChange { via: Some(Some((name(n), account("jump")))), ..Default::default() };
    let change = |t: &Target, n: &str| {
        let (a, id, c) = (w.approvals.clone(), t.id, via(n));
        async move { a.change_target(None, id, c).await }
    };
    assert!(invalid(&change(&inner, "inner").await.unwrap_err()), "itself");
    assert!(invalid(&change(&outer, "inner").await.unwrap_err()), "a circle");
    let third = w.relay(behind("third", "inner")).await;
    w.relay(behind("behind-three", "third")).await;
    let fourth = w.approvals.add_target(None, behind("behind-four", "behind-three")).await.unwrap_err();
    assert!(invalid(&fourth), "{fourth}");
    assert_eq!(change(&third, "nowhere").await.unwrap_err(), ManageError::NoSuch("relay"));
    let nobody = TargetChange { via: Some(Some((name("outer"), account("nobody")))), ..Default::default() };
    assert_eq!(w.approvals.change_target(None, third.id, nobody).await.unwrap_err(), ManageError::NoSuch("account on the relay"));
    let direct = w.approvals.change_target(None, third.id, TargetChange { via: Some(None), ..Default::default() }).await.unwrap();
    assert!(direct.via.is_none());
}

#[tokio::test]
async fn a_longer_way_is_not_made_by_changing_its_beginning() {
    let w = World::new().await;
    let outer = w.relay(NewTarget::ssh(name("outer"), TargetKind::Server, "10.0.0.1", 22)).await;
    w.relay(behind("second", "outer")).await;
    w.relay(behind("third", "second")).await;
    w.approvals.add_target(None, behind("last", "third")).await.unwrap();
    w.relay(NewTarget::ssh(name("edge"), TargetKind::Server, "10.0.0.9", 22)).await;
    let change = TargetChange { via: Some(Some((name("edge"), account("jump")))), ..Default::default() };
    let refused = w.approvals.change_target(None, outer.id, change).await.unwrap_err();
    assert!(invalid(&refused), "last would stand behind four: {refused}");
}

#[tokio::test]
async fn telnet_is_no_relay_and_has_none() {
    let w = World::new().await;
    let telnet = |n: &str| NewTarget {
        protocol: Protocol::Telnet,
        profile: Profile::Quarantine,
        ..NewTarget::ssh(name(n), TargetKind::MedicalDevice, "10.0.0.3", 23)
    };
    w.relay(telnet("pump")).await;
    assert!(invalid(&w.approvals.add_target(None, behind("db", "pump")).await.unwrap_err()));
    w.relay(NewTarget::ssh(name("outer"), TargetKind::Server, "10.0.0.1", 22)).await;
    let hidden = NewTarget { via: Some((name("outer"), account("jump"))), ..telnet("pump-2") };
    assert!(invalid(&w.approvals.add_target(None, hidden).await.unwrap_err()));
}

#[tokio::test]
async fn a_grant_for_a_target_is_none_for_its_relay() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.two_relays().await;
    w.grant(&ada, &mut bob).await;
    let asked = w
        .approvals
        .authorize(&ada.person, SessionId(Uuid::now_v7()), "outer", "jump", crate::world::HERE, anteroom_policy::SecondFactor::SecurityKey)
        .await
        .unwrap();
    assert!(matches!(asked, anteroom_policy::Decision::Deny(_)));
    let form = anteroom_approvals::RequestForm {
        target: name("outer"),
        account: account("jump"),
        reason: Reason::new("the relay itself").unwrap(),
        until: now() + time::Duration::hours(1),
        ..w.form(60)
    };
    let r = w.approvals.submit_request(&ada.person, form, crate::world::HERE).await.unwrap();
    assert!(w.review(&mut bob, &r, Verdict::Approve).await.unwrap().is_some(), "it has to be asked for by its own name");
}
