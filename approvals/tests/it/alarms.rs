//! What somebody has to hear of at once is told, once, with what was done.
use crate::world::World;
use anteroom_domain::{AuditEvent, Lockable, Reason, Role, SessionId, audit::CommandsEvent};
use serde_json::Value;
use uuid::Uuid;

impl World {
    /// Alarms that are to be told, oldest first.
    pub(crate) async fn alarms(&self) -> Vec<Value> {
        let bodies: Vec<Value> =
            sqlx::query_scalar("select to_jsonb(body) from notice order by at, id").fetch_all(&self.owner).await.unwrap();
        let read = |b: Value| b.as_str().map_or(Ok(b.clone()), serde_json::from_str).unwrap();
        bodies.into_iter().map(read).filter(|w| w["type"] == "alarm").collect()
    }
}

#[tokio::test]
async fn a_rule_about_commands_tells_once_a_session_and_a_lock_says_on_whom() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    let matched = |session: SessionId, does: &str| {
        AuditEvent::Commands(CommandsEvent::Matched {
            session,
            rule: "dump".into(),
            does: does.into(),
            way: "typed".into(),
            command_sha256: "00".into(),
            outcome: "passed".into(),
        })
    };
    let (one, other) = (SessionId(Uuid::now_v7()), SessionId(Uuid::now_v7()));
    for event in [matched(one, "alert"), matched(one, "alert"), matched(other, "confirm"), matched(other, "block")] {
        w.approvals.note(event, None).await;
    }
    let reason = Reason::new("laptop stolen").unwrap();
    w.approvals.lock(None, Lockable::Person(ada.person.id), reason.clone()).await.unwrap();
    w.approvals.lock(None, Lockable::Person(ada.person.id), reason).await.unwrap();
    w.approvals.lock(None, Lockable::Target(w.target.id), Reason::new("recall").unwrap()).await.unwrap();
    let told: Vec<_> =
        w.alarms().await.iter().map(|a| [&a["alarm"], &a["session"], &a["person"], &a["target"]].map(Value::clone)).collect();
    let (null, text) = (Value::Null, |s: &dyn std::fmt::Display| Value::String(s.to_string()));
    let expected = [
        [text(&"command"), text(&one), null.clone(), null.clone()],
        [text(&"command"), text(&other), null.clone(), null.clone()],
        [text(&"locked"), null.clone(), text(&"ada"), null.clone()],
        [text(&"locked"), null.clone(), null, text(&"ehr-db-1")],
    ];
    assert_eq!(told, expected);
}
