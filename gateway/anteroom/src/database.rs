//! The database a command works on: one that others run, our private one, or the private one of a gateway that is running.
use crate::{
    config::DatabaseConfig,
    postgres::{Database as Name, Layout, Postgres},
};
use anyhow::{Context, Result};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{path::Path, time::Duration};

pub(crate) const APP: &str = "anteroom_app";
pub(crate) const OWNER: &str = "anteroom_owner";

#[derive(Debug)]
pub(crate) struct Database {
    app: PgConnectOptions,
    owner: PgConnectOptions,
    connections: u32,
    /// Ours to stop.
    private: Option<Postgres>,
}

impl Database {
    pub(crate) async fn open(config: &DatabaseConfig) -> Result<Self> {
        match config {
            DatabaseConfig::Url { app, owner, connections } => {
                Ok(Self { app: (**app).clone(), owner: (**owner).clone(), connections: *connections, private: None })
            }
            DatabaseConfig::Private { dir, connections } => match Postgres::running_socket(dir) {
                Some(socket) => Ok(Self::at_socket(&socket, *connections)),
                None => Ok(Self::private(Postgres::start(dir, &Layout::default()).await?, *connections)),
            },
        }
    }

    pub(crate) fn private(postgres: Postgres, connections: u32) -> Self {
        let at = Self::at_socket(postgres.socket(), connections);
        Self { private: Some(postgres), ..at }
    }

    fn at_socket(socket: &Path, connections: u32) -> Self {
        let as_role = |role| PgConnectOptions::new_without_pgpass().socket(socket).username(role).database(Name::ANTEROOM);
        Self { app: as_role(APP), owner: as_role(OWNER), connections, private: None }
    }

    pub(crate) fn postgres(&self) -> Option<&Postgres> {
        self.private.as_ref()
    }

    /// For everything but migrations: the role that can only add to the audit log. Connects when first used.
    pub(crate) fn pool(&self) -> PgPool {
        anteroom_approvals::pool_options().max_connections(self.connections).connect_lazy_with(self.app.clone())
    }

    /// Brings the schema up to date, as its owner.
    pub(crate) async fn migrate(&self) -> Result<()> {
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(10)).connect_with(self.owner.clone()).await;
        let pool = pool.context("the database does not answer")?;
        anteroom_approvals::migrate(&pool).await.context("the schema could not be brought up to date")?;
        pool.close().await;
        Ok(())
    }

    pub(crate) async fn stop(self) {
        if let Some(p) = self.private {
            p.stop().await;
        }
    }
}
