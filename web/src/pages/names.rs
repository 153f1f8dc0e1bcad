//! Display names for the ids on a page.
use crate::state::App;
use anteroom_approvals::StoreError;
use anteroom_domain::{Person, PersonId};
use std::collections::HashMap;

#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<PersonId, Person>);

impl Names {
    /// Looks each id up once. A page holds few people, whatever its number of rows.
    pub(crate) async fn of(app: &App, ids: Vec<PersonId>) -> Result<Self, StoreError> {
        let mut found = HashMap::new();
        for id in ids {
            if !found.contains_key(&id)
                && let Some(p) = app.approvals.person(id).await?
            {
                found.insert(id, p);
            }
        }
        Ok(Self(found))
    }

    pub(crate) fn get(&self, id: &PersonId) -> &str {
        self.0.get(id).map_or("Somebody", |p| p.display_name.as_str())
    }

    pub(crate) fn handle(&self, id: &PersonId) -> &str {
        self.0.get(id).map_or("", |p| p.handle.as_str())
    }
}
