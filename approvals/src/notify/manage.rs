//! Where people are written to, and what could not be delivered: for operators.
use super::{Channels, MailAddress, TroubledNotice, Undelivered, What};
use crate::{Approvals, ManageError, StoreError, audit::record, clock, store};
use anteroom_domain::{AuditEvent, PersonId, audit::RequestsEvent};
use anteroom_policy::Action;
use uuid::Uuid;

/// Shown at once.
const MOST: i64 = 200;

impl Approvals {
    /// None: nowhere.
    pub async fn set_mail_address(
        &self,
        actor: Option<PersonId>,
        person: PersonId,
        address: Option<&MailAddress>,
    ) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManagePeople).await?;
        let mut tx = self.begin().await?;
        store::people::held(&mut *tx, person).await?.ok_or(ManageError::NoSuch("person"))?;
        store::notices::set_mail(&mut *tx, person, address.map(MailAddress::to_string).as_deref()).await?;
        record::write(&mut tx, AuditEvent::Requests(RequestsEvent::MailAddress { person }), actor, clock::now()).await?;
        Ok(self.commit(tx).await?)
    }

    pub async fn mail_address(&self, person: PersonId) -> Result<Option<String>, StoreError> {
        store::notices::mail_of(&self.inner.pool, &person.to_string()).await
    }

    /// What was given up and what failed and is tried again, newest first.
    pub async fn troubled_notices(&self, actor: Option<PersonId>) -> Result<Vec<TroubledNotice>, ManageError> {
        self.check_actor(actor, Action::ManagePeople).await?;
        Ok(store::notices::troubled(&self.inner.pool, MOST).await?)
    }

    /// One that was given up is tried again from the start.
    pub async fn retry_notice(&self, actor: Option<PersonId>, id: Uuid) -> Result<(), ManageError> {
        self.check_actor(actor, Action::ManagePeople).await?;
        let again = store::notices::again(&self.inner.pool, id, clock::now()).await?;
        if again { Ok(()) } else { Err(ManageError::NoSuch("notice that was given up")) }
    }

    /// Sends a test over every channel, at once and without the database; by channel what came of it.
    pub async fn test_notices(&self, channels: &Channels, mail_to: Option<&MailAddress>) -> Vec<(String, Result<(), Undelivered>)> {
        let (portal, now, id) = (&self.inner.options.origin, clock::now(), Uuid::now_v7().to_string());
        let mut done = Vec::new();
        for hook in &channels.webhooks {
            let sent = match super::payload(&What::Test, now, portal) {
                Ok(body) => hook.post(&id, now, &body).await,
                Err(e) => Err(e),
            };
            done.push((format!("webhook {}", hook.name), sent));
        }
        if let (Some(server), Some(to)) = (&channels.mail, mail_to) {
            let sent = match super::link(&What::Test, None, portal) {
                Ok(link) => server.send(&id, to, &What::Test, &link).await,
                Err(e) => Err(e),
            };
            done.push((format!("mail to {to}"), sent));
        }
        done
    }
}
