//! What a running session stands on changes without anybody ending it by name: its second factor grows too old, its network is not let in any
//! more, policy comes to ask for more than it has.
use crate::{
    connecting::{permit, remembered},
    world::{HERE, Someone, World},
};
use anteroom_approvals::{HOSPITAL, ManageError, StartError, Watching};
use anteroom_domain::{AuditEvent, EndReason, Role, SessionId, audit::SupervisionEvent};
use anteroom_policy::{PolicyFile, SecondFactor, Standing, Verdict};
use std::time::Duration;
use uuid::Uuid;

fn session() -> SessionId {
    SessionId(Uuid::now_v7())
}

impl World {
    /// The hospital's policy, and this beside it.
    pub(crate) async fn policy_with(&self, more: &str) {
        let files = vec![PolicyFile { name: "a.cedar".into(), text: format!("{HOSPITAL}\n{more}") }];
        self.approvals.set_policy(None, files, "for a test").await.unwrap();
    }

    /// And this is asked in return for everything.
    async fn asks(&self, annotation: &str) {
        self.policy_with(&format!("@id(\"more\") {annotation} permit (principal, action == Action::\"oblige\", resource);")).await;
    }

    async fn again(&self, s: &Standing) -> Verdict {
        self.approvals.rejudge(s).await.unwrap().0
    }
}

/// ada, who may connect for an hour.
async fn ada(w: &World) -> Someone {
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.grant(&ada, &mut bob).await;
    ada
}

#[tokio::test]
async fn a_second_factor_that_may_not_be_so_old_any_more_ends_its_session() {
    let w = World::remembering(Duration::from_secs(3600)).await;
    let mut ada = ada(&w).await;
    let touched = Box::pin(permit(&w, &mut ada, session())).await.standing();
    let before = Box::pin(remembered(&w, &ada, session())).await.standing();
    assert_eq!(before.second_factor, SecondFactor::Remembered);
    let stays = |v: &Verdict| matches!(v, Verdict::Stays { .. });
    assert!(stays(&w.again(&touched).await) && stays(&w.again(&before).await));

    w.asks("@factor_age(\"10m\")").await;
    let eleven = Standing { factor_at: touched.factor_at - time::Duration::minutes(11), ..touched.clone() };
    let (verdict, known) = w.approvals.rejudge(&touched).await.unwrap();
    let Verdict::Stays { deadline, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(deadline, touched.factor_at + time::Duration::minutes(10), "and ends when it is");
    assert_eq!(w.again(&eleven).await, Verdict::Ends(EndReason::PolicyDenied));
    assert_eq!(w.approvals.judge_by_the_clock(&eleven, &known.unwrap()), Verdict::Ends(EndReason::PolicyDenied), "by the clock too");

    w.asks("@factor_age(\"0s\")").await;
    assert!(stays(&w.again(&touched).await), "made for this connection");
    assert_eq!(w.again(&before).await, Verdict::Ends(EndReason::PolicyDenied), "made for another one");
}

#[tokio::test]
async fn a_session_from_a_network_that_is_not_let_in_any_more_ends_or_waits() {
    let w = World::new().await;
    let mut ada = ada(&w).await;
    let s = Box::pin(permit(&w, &mut ada, session())).await.standing();
    let elsewhere = Standing { source: "192.0.2.7".parse().unwrap(), ..s.clone() };
    let outside = |pause: &str| {
        format!(
            "@id(\"network\") @reason(\"From the hospital's network only.\") {pause} forbid (principal, action == Action::\"connect\", resource) \
             unless {{ context has source && context.source.isInRange(ip(\"10.0.0.0/8\")) }};"
        )
    };
    assert_eq!(HERE, s.source);
    w.policy_with(&outside("")).await;
    assert!(matches!(w.again(&s).await, Verdict::Stays { .. }));
    assert_eq!(w.again(&elsewhere).await, Verdict::Ends(EndReason::PolicyDenied));
    w.policy_with(&outside("@pause")).await;
    assert!(matches!(w.again(&elsewhere).await, Verdict::StandsStill { why, .. } if why == "From the hospital's network only."));
}

#[tokio::test]
async fn a_permit_opens_nothing_once_policy_asks_for_more_than_it_was_made_with() {
    let w = World::new().await;
    let mut ada = ada(&w).await;
    for more in ["@supervise", "@live_mask", "@capabilities(\"shell\")"] {
        w.asks("@ticket").await;
        let early = Box::pin(permit(&w, &mut ada, session())).await;
        w.asks(more).await;
        let refused = w.approvals.session_started(&early, [0; 32], "gw").await.unwrap_err();
        assert_eq!(refused, StartError::NoLonger(EndReason::PolicyAsksMore), "{more}");
        let now = Box::pin(permit(&w, &mut ada, session())).await;
        w.approvals.session_started(&now, [0; 32], "gw").await.unwrap();
        w.asks("@ticket").await;
        let later = Box::pin(permit(&w, &mut ada, session())).await;
        w.approvals.session_started(&later, [0; 32], "gw").await.unwrap();
    }
}

#[tokio::test]
async fn a_session_that_ran_without_anybody_can_be_watched_once_somebody_has_to() {
    let w = World::new().await;
    let mut ada = ada(&w).await;
    let nora = w.somebody("nora", Role::Approver).await;
    let (a, s) = (&w.approvals, session());
    let p = Box::pin(permit(&w, &mut ada, s)).await;
    a.session_started(&p, [0; 32], "gw").await.unwrap();
    let nobody = a.join_supervision(s, nora.person.id, HERE).await.unwrap_err();
    assert!(matches!(&nobody, ManageError::Invalid { why, .. } if why.contains("without a supervisor")), "{nobody:?}");
    assert!(!a.require_supervision(session()).await.unwrap(), "not in the database yet");
    assert!(a.require_supervision(s).await.unwrap() && a.require_supervision(s).await.unwrap());
    let state = async || a.to_supervise().await.unwrap().into_iter().find(|(id, _)| *id == s).map(|(_, state)| state);
    assert_eq!(state().await, Some(Watching::Lobby), "nobody has come yet");
    a.join_supervision(s, nora.person.id, HERE).await.unwrap();
    assert_eq!(state().await, Some(Watching::Watched));
    let required = |e: &AuditEvent| matches!(e, AuditEvent::Supervision(SupervisionEvent::Required { session }) if *session == s);
    assert_eq!(w.log().await.iter().filter(|e| required(e)).count(), 1, "said once");
    let told = "select count(*) from notice where body ->> 'type' = 'session.waiting'";
    assert_eq!(sqlx::query_scalar::<_, i64>(told).fetch_one(&w.owner).await.unwrap(), 1, "and those who could are told, once");
    a.session_ended(s, &EndReason::ClientClosed).await;
    assert!(!a.require_supervision(s).await.unwrap());
}
