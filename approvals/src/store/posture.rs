//! Table `posture`: the newest report of each machine. Those of a feed that was revoked count no more.
use super::{Store, json};
use crate::StoreError;
use anteroom_domain::{DeviceName, Machine, Moment, PersonId};
use sqlx::{PgConnection, PgExecutor};
use std::net::IpAddr;
use uuid::Uuid;

struct Row {
    person: Uuid,
    device: String,
    posture: serde_json::Value,
    keys: Vec<String>,
    addresses: Vec<String>,
}

fn machine(r: Row) -> Store<(PersonId, Machine)> {
    const WHERE: StoreError = StoreError::Damaged("posture");
    let posture = serde_json::from_value(r.posture).map_err(|_| WHERE)?;
    let addresses = r.addresses.iter().map(|a| a.parse::<IpAddr>()).collect::<Result<_, _>>().map_err(|_| WHERE)?;
    let device = DeviceName::new(r.device).map_err(|_| WHERE)?;
    Ok((PersonId(r.person), Machine { device, posture, keys: r.keys.into_iter().collect(), addresses }))
}

/// Of any of these people.
pub(crate) async fn of(db: impl PgExecutor<'_>, people: &[Uuid]) -> Store<Vec<(PersonId, Machine)>> {
    let rows = sqlx::query_as!(
        Row,
        "select p.person, p.device, p.posture, p.keys, p.addresses from posture p join feed f on f.id = p.feed
         where p.person = any($1) and f.revoked_at is null order by p.person, p.device",
        people
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(machine).collect()
}

/// What is known of one machine, and who said so.
pub(crate) struct Known {
    pub(crate) feed: Uuid,
    pub(crate) feed_counts: bool,
    pub(crate) machine: Machine,
}

pub(crate) async fn known(tx: &mut PgConnection, person: PersonId, device: &DeviceName) -> Store<Option<Known>> {
    let row = sqlx::query!(
        r#"select p.feed, f.revoked_at is null as "counts!", p.posture, p.keys, p.addresses
         from posture p join feed f on f.id = p.feed where p.person = $1 and p.device = $2 for no key update of p"#,
        person.0,
        device.as_str()
    )
    .fetch_optional(tx)
    .await?;
    let Some(r) = row else { return Ok(None) };
    let row = Row { person: person.0, device: device.as_str().to_owned(), posture: r.posture, keys: r.keys, addresses: r.addresses };
    Ok(Some(Known { feed: r.feed, feed_counts: r.counts, machine: machine(row)?.1 }))
}

pub(crate) async fn count(db: impl PgExecutor<'_>, person: PersonId) -> Store<i64> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "n!" from posture where person = $1"#, person.0).fetch_one(db).await?)
}

pub(crate) async fn put(db: impl PgExecutor<'_>, person: PersonId, feed: Uuid, m: &Machine, received_at: Moment) -> Store<()> {
    let keys: Vec<String> = m.keys.iter().cloned().collect();
    let addresses: Vec<String> = m.addresses.iter().map(ToString::to_string).collect();
    sqlx::query!(
        "insert into posture (person, device, feed, reported_at, received_at, posture, keys, addresses) values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (person, device) do update set feed = excluded.feed, reported_at = excluded.reported_at,
         received_at = excluded.received_at, posture = excluded.posture, keys = excluded.keys, addresses = excluded.addresses",
        person.0,
        m.device.as_str(),
        feed,
        m.posture.reported_at,
        received_at,
        json(&m.posture)?,
        &keys,
        &addresses
    )
    .execute(db)
    .await?;
    Ok(())
}

/// False if there is none.
pub(crate) async fn forget(db: impl PgExecutor<'_>, person: PersonId, device: &DeviceName) -> Store<bool> {
    let done = sqlx::query!("delete from posture where person = $1 and device = $2", person.0, device.as_str()).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// A machine as operators see it.
#[derive(Debug, Clone, serde::Serialize)]
pub struct MachineRow {
    pub person: String,
    pub feed: String,
    #[serde(flatten)]
    pub machine: Machine,
}

/// Those that count, by person and name.
pub(crate) async fn all(db: impl PgExecutor<'_>, person: Option<PersonId>, at_most: i64) -> Store<Vec<MachineRow>> {
    let rows = sqlx::query!(
        "select p.person, p.device, p.posture, p.keys, p.addresses, f.name as feed, w.handle
         from posture p join feed f on f.id = p.feed join person w on w.id = p.person
         where f.revoked_at is null and ($1::uuid is null or p.person = $1) order by w.handle, p.device limit $2",
        person.map(|p| p.0),
        at_most
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|r| {
            let row = Row { person: r.person, device: r.device, posture: r.posture, keys: r.keys, addresses: r.addresses };
            Ok(MachineRow { person: r.handle, feed: r.feed, machine: machine(row)?.1 })
        })
        .collect()
}
