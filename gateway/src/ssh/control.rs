//! What the portal sees and orders of this gateway's sessions.
use super::connection::Shared;
use anteroom_domain::{LiveSession, PersonId, SessionControl, SessionId};
use std::sync::Arc;

pub(super) struct Control(pub(super) Arc<Shared>);

impl SessionControl for Control {
    fn list(&self) -> Vec<LiveSession> {
        self.0.registry.list()
    }

    fn terminate(&self, id: SessionId, by: PersonId) -> bool {
        self.0.registry.terminate(id, by)
    }

    fn pause(&self, id: SessionId, by: PersonId) -> bool {
        self.0.registry.pause(id, by)
    }

    fn resume(&self, id: SessionId, by: PersonId) -> bool {
        self.0.registry.resume(id, by)
    }

    fn message(&self, id: SessionId, from: &str, text: &str) -> bool {
        self.0.registry.message(id, from, text)
    }

    fn refusal(&self) -> Option<String> {
        self.0.recorder.storage().refusal().map(|why| why.to_string())
    }
}
