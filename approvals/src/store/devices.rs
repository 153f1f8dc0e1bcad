//! Tables `device` and `component`, and the clinical use of a target.
use super::{Store, json, total};
use crate::{Inventory, SbomInfo, StoreError};
use anteroom_domain::{ClinicalUse, Moment, PersonId, TargetId};
use anteroom_sbom::Component;
use sqlx::{PgConnection, PgExecutor};

pub(crate) async fn put_inventory(db: impl PgExecutor<'_>, target: TargetId, i: &Inventory) -> Store<()> {
    sqlx::query!(
        "insert into device (target, inventory) values ($1, $2) on conflict (target) do update set inventory = excluded.inventory",
        target.0,
        json(i)?
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn by_target(db: &sqlx::PgPool, target: TargetId) -> Store<(Inventory, Option<SbomInfo>)> {
    let row = sqlx::query!(
        r#"select inventory, sbom_format, sbom_sha256, sbom_at, (select count(*) from component c where c.target = d.target) as components
         from device d where target = $1"#,
        target.0
    )
    .fetch_optional(db)
    .await?;
    let Some(r) = row else { return Ok((Inventory::default(), None)) };
    let inventory = serde_json::from_value(r.inventory).map_err(|_| StoreError::Damaged("device"))?;
    let sbom = match (r.sbom_format, r.sbom_sha256, r.sbom_at) {
        (Some(format), Some(sha256), Some(at)) => {
            Some(SbomInfo { format, sha256: crate::clock::hex(&sha256), at, components: total(r.components) })
        }
        _ => None,
    };
    Ok((inventory, sbom))
}

/// Replaces what was known of its components.
pub(crate) async fn put_sbom(
    tx: &mut PgConnection,
    target: TargetId,
    format: &str,
    sha256: &[u8],
    components: &[Component],
    by: Option<PersonId>,
    at: Moment,
) -> Store<()> {
    sqlx::query!(
        "insert into device (target, sbom_format, sbom_sha256, sbom_at, sbom_by) values ($1, $2, $3, $4, $5)
         on conflict (target) do update set sbom_format = excluded.sbom_format, sbom_sha256 = excluded.sbom_sha256,
         sbom_at = excluded.sbom_at, sbom_by = excluded.sbom_by",
        target.0,
        format,
        sha256,
        at,
        by.map(|p| p.0)
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from component where target = $1", target.0).execute(&mut *tx).await?;
    let names: Vec<String> = components.iter().map(|c| c.name.clone()).collect();
    let versions: Vec<String> = components.iter().map(|c| c.version.clone()).collect();
    // None as the empty text: an array of texts that may be null has no type of its own here.
    let purls: Vec<String> = components.iter().map(|c| c.purl.clone().unwrap_or_default()).collect();
    sqlx::query!(
        "insert into component (target, number, name, version, purl)
         select $1, n, name, version, nullif(purl, '')
         from unnest($2::text[], $3::text[], $4::text[]) with ordinality as u(name, version, purl, n)",
        target.0,
        &names,
        &versions,
        &purls
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A component and the target it is on.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Found {
    pub target: String,
    pub name: String,
    pub version: String,
    pub purl: Option<String>,
}

/// Those with `name` anywhere in their name and a version that begins with `version`; both as LIKE patterns.
pub(crate) async fn find(db: &sqlx::PgPool, name: &str, version: &str, at_most: i64) -> Store<Vec<Found>> {
    Ok(sqlx::query_as!(
        Found,
        "select t.name as target, c.name, c.version, c.purl from component c join target t on t.id = c.target
         where lower(c.name) like lower($1) and c.version like $2 order by t.name, c.name, c.version limit $3",
        name,
        version,
        at_most
    )
    .fetch_all(db)
    .await?)
}

/// None: there is no such target. Otherwise whether it was something else before.
pub(crate) async fn set_clinical_use(tx: &mut PgConnection, target: TargetId, use_: ClinicalUse) -> Store<Option<bool>> {
    let before = sqlx::query_scalar!("select attributes ->> 'clinical_use' from target where id = $1 for no key update", target.0)
        .fetch_optional(&mut *tx)
        .await?;
    let Some(before) = before else { return Ok(None) };
    // Only this one field: whoever sets the others at the same time loses nothing.
    sqlx::query!(
        "update target set attributes = jsonb_set(attributes, '{clinical_use}', to_jsonb($2::text)) where id = $1",
        target.0,
        use_.as_str()
    )
    .execute(tx)
    .await?;
    Ok(Some(before.as_deref().unwrap_or(ClinicalUse::default().as_str()) != use_.as_str()))
}

/// When a device's switch was turned, and by whom: somebody, or a program by its name; neither: the operator at the command line.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Turned {
    #[serde(with = "time::serde::rfc3339")]
    pub at: Moment,
    pub by: Option<PersonId>,
    pub feed: Option<String>,
}

pub(crate) async fn put_turned(
    db: impl PgExecutor<'_>,
    target: TargetId,
    by: Option<PersonId>,
    feed: Option<&str>,
    at: Moment,
) -> Store<()> {
    sqlx::query!(
        "insert into device (target, clinical_use_at, clinical_use_by, clinical_use_feed) values ($1, $2, $3, $4)
         on conflict (target) do update set clinical_use_at = excluded.clinical_use_at, clinical_use_by = excluded.clinical_use_by,
         clinical_use_feed = excluded.clinical_use_feed",
        target.0,
        at,
        by.map(|p| p.0),
        feed
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(crate) async fn turned(db: impl PgExecutor<'_>, target: TargetId) -> Store<Option<Turned>> {
    let row = sqlx::query!("select clinical_use_at, clinical_use_by, clinical_use_feed from device where target = $1", target.0)
        .fetch_optional(db)
        .await?;
    Ok(row.and_then(|r| Some(Turned { at: r.clinical_use_at?, by: r.clinical_use_by.map(PersonId), feed: r.clinical_use_feed })))
}
