//! Host certificates for the names of targets, for connections that end here in their place.
use super::{algorithms, connection::Shared};
use anteroom_domain::TargetName;
use russh::server;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a certificate is given out, and how much longer it is valid.
const REUSED_FOR: Duration = Duration::from_secs(3600);
const VALID_FOR: Duration = Duration::from_secs(24 * 3600);
/// Names remembered.
const MAX_NAMES: usize = 1024;

/// Configurations by target name, with the moment they were made.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<HashMap<TargetName, (Instant, Arc<server::Config>)>>);

pub(super) async fn config_for(shared: &Shared, target: &TargetName) -> Result<Arc<server::Config>, String> {
    let known = || shared.host_certificates.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((at, config)) = known().get(target)
        && at.elapsed() < REUSED_FOR
    {
        return Ok(config.clone());
    }
    let mut config = super::server::server_config(&shared.config, algorithms::CIPHERS);
    for key in &shared.config.host_keys {
        let principals = [target.to_string()];
        let certificate = shared.approvals.sign_host_certificate(key.public_key(), &principals, VALID_FOR).await;
        config.certificates.push(certificate.map_err(|e| e.to_string())?);
    }
    let config = Arc::new(config);
    let mut all = known();
    if all.len() >= MAX_NAMES {
        all.clear();
    }
    all.insert(target.clone(), (Instant::now(), config.clone()));
    Ok(config)
}
