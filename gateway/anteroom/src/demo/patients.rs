//! The hospital's database: invented patients, so that there is something to mask.
use super::EHR;
use crate::postgres::Postgres;
use anyhow::{Context, Result};
use sqlx::Executor as _;

const SQL: &str = include_str!("patients.sql");

/// Makes the tables once.
pub(super) async fn fill(postgres: &Postgres) -> Result<()> {
    let pool = postgres.pool(EHR.name, EHR.owner, 1).await.context("the hospital's database does not answer")?;
    let there: bool = sqlx::query_scalar("SELECT to_regclass('patient') IS NOT NULL").fetch_one(&pool).await?;
    if !there {
        // One simple-protocol batch is one transaction: all of it or nothing.
        pool.execute(SQL).await.context("cannot fill the hospital's database")?;
    }
    pool.close().await;
    Ok(())
}
