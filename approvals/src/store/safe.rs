//! What safe mode decides by: people and grants in one picture, then where those and the cards lead.
use super::{Store, authorities, break_glass, grants, locks, people, posture, targets};
use crate::{Purpose, safe::Known, vault, workflow::MAX_RELAYS};
use anteroom_domain::{Moment, PersonId, Role};
use anteroom_policy::PolicyFile;
use sqlx::PgPool;
use std::collections::HashSet;
use time::Duration;
use uuid::Uuid;

/// The hospital's own people who have a key and may connect or break the glass, grants that could count within `ahead`, and where all
/// of that leads. Vendors' people are left out. Cards are not read here.
pub(crate) async fn read(pool: &PgPool, log: &str, policy: &[PolicyFile], now: Moment, ahead: Duration) -> Store<Known> {
    let mut tx = pool.begin().await?;
    // One picture: what changes while we look is in the next one.
    sqlx::query!("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
    let rows = sqlx::query!(
        "select k.fingerprint, k.person from ssh_key k join person p on p.id = k.person where p.suspended_at is null order by k.fingerprint"
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut ids: Vec<Uuid> = rows.iter().map(|r| r.person).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut people = people::by_ids(&mut *tx, &ids).await?;
    people.retain(|p| p.roles.has(Role::Admin) && p.attributes.company.is_none());
    let keys = rows.into_iter().map(|r| (r.fingerprint, r.person.into()));
    let kept: HashSet<PersonId> = people.iter().map(|p| p.id).collect();
    let keys = keys.filter(|(_, id)| kept.contains(id)).collect();
    let ids: Vec<Uuid> = kept.into_iter().map(|id| id.0).collect();
    let found: Vec<Uuid> = sqlx::query_scalar!(
        "select id from access_grant where revoked_at is null and not_after > $1 and not_before < $2 and person = any($3)",
        now,
        now.saturating_add(ahead),
        &ids
    )
    .fetch_all(&mut *tx)
    .await?;
    let grants = grants::by_ids(&mut *tx, &found).await?;
    let emergencies = break_glass::among(&mut *tx, &grants.iter().map(|g| g.id.0).collect::<Vec<_>>()).await?;
    let locks = locks::counting(&mut *tx).await?;
    let machines = posture::of(&mut *tx, &ids).await?;
    tx.rollback().await?;
    Ok(Known {
        log: log.to_owned(),
        at: now,
        policy: policy.to_vec(),
        people,
        keys,
        targets: Vec::new(),
        credentials: Vec::new(),
        authority: None,
        grants,
        emergencies,
        locks,
        machines,
        cards: Vec::new(),
    })
}

/// Targets that grants and cards lead to, the relays on the way, and what opens their accounts, as it is sealed.
pub(crate) async fn read_places(pool: &PgPool, known: &mut Known) -> Store<()> {
    let mut ids: Vec<Uuid> = known.grants.iter().map(|g| g.target.0).chain(known.cards.iter().map(|c| c.terms.target.0)).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut tx = pool.begin().await?;
    let mut wanted = ids.clone();
    for _ in 0..=MAX_RELAYS {
        let found = targets::by_ids(&mut *tx, &wanted).await?;
        wanted = found.iter().filter_map(|t| t.via.as_ref()).map(|v| v.target.0).filter(|id| !ids.contains(id)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        ids.extend(&wanted);
        known.targets.extend(found);
        if wanted.is_empty() {
            break;
        }
    }
    let rows = sqlx::query!(
        "select c.account, c.kind, c.key_version, c.nonce, c.sealed from credential c join account a on a.id = c.account
         where a.target = any($1)",
        &ids
    )
    .fetch_all(&mut *tx)
    .await?;
    let sealed = rows
        .into_iter()
        .map(|r| (r.account.into(), targets::Sealed { kind: r.kind, key_version: r.key_version, nonce: r.nonce, sealed: r.sealed }));
    known.credentials = sealed.collect();
    if known.credentials.iter().any(|(_, s)| s.kind == vault::GATEWAY_CA) {
        known.authority = authorities::current(&mut *tx, Purpose::Target).await?;
    }
    tx.rollback().await?;
    Ok(())
}
