//! What nobody has looked at in time, and what became known only after somebody had looked.
use crate::{
    Approvals, Change, StoreError,
    audit::record,
    clock,
    notify::{self, Alarm, Notice, To, What},
    store,
};
use anteroom_domain::{AuditEvent, BreakGlass, GrantId, Moment, Role, SessionId, audit::BreakGlassEvent};
use anteroom_policy::aftermath;

/// Whoever may review is told.
async fn remind(tx: &mut sqlx::PgConnection, glass: &BreakGlass, now: Moment) -> Result<(), StoreError> {
    let what = What::Alarm {
        alarm: Alarm::BreakGlassUnreviewed,
        person: Some(glass.person_handle.clone()),
        target: Some(glass.target_name.clone()),
        session: None,
        grant: Some(glass.grant),
    };
    notify::enqueue(tx, &Notice { to: [Role::Approver, Role::Auditor].map(To::Role).into(), what }, now).await
}

impl Approvals {
    /// Reminds of every emergency that nobody has looked at in time. How many.
    pub async fn remind_of_reviews(&self) -> Result<usize, StoreError> {
        let (now, mut reminded) = (clock::now(), 0);
        for request in store::break_glass::unreviewed(&self.inner.pool).await? {
            let mut tx = self.begin().await?;
            // Asked again with the row held: another process may have reminded, and somebody may have reviewed.
            let Some(glass) = store::break_glass::held(&mut tx, request).await? else { continue };
            let told = store::break_glass::reminded(&mut *tx, glass.grant).await?;
            if aftermath::is_overdue(&glass, told, now) {
                remind(&mut tx, &glass, now).await?;
                reminded += 1;
            }
            self.commit(tx).await?;
        }
        Ok(reminded)
    }

    /// A session was told of afterwards. If it ran under an emergency that somebody has reviewed, that review is over: it did not name it.
    pub(crate) async fn told_late(
        &self,
        tx: &mut sqlx::PgConnection,
        grant: GrantId,
        session: SessionId,
        at: Moment,
    ) -> Result<(), StoreError> {
        let Some(request) = store::break_glass::of_grant(&mut *tx, grant).await? else { return Ok(()) };
        let Some(glass) = store::break_glass::held(tx, request).await? else { return Ok(()) };
        if !aftermath::reopens(&glass) {
            return Ok(());
        }
        store::break_glass::reopen(&mut *tx, request).await?;
        record::write(tx, AuditEvent::BreakGlass(BreakGlassEvent::Reopened { request, session }), None, at).await?;
        remind(tx, &glass, at).await?;
        store::tell(&mut *tx, Change::Request(request)).await
    }
}
