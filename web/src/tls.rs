//! Certificate files: loaded at start, read again when they change or when asked.
use crate::{PortalError, Tls};
use axum_server::tls_rustls::RustlsConfig;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{path::Path, sync::Arc, time::SystemTime};

/// The live configuration and what it was made of.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    files: Tls,
    pub(crate) live: RustlsConfig,
}

impl Certificate {
    pub(crate) fn load(files: Tls) -> Result<Self, PortalError> {
        let live = RustlsConfig::from_config(read(&files)?);
        Ok(Self { files, live })
    }

    /// Reads the files again. On an error the old certificate stays in use.
    pub(crate) fn reload(&self) -> Result<(), PortalError> {
        self.live.reload_from_config(read(&self.files)?);
        Ok(())
    }

    /// When the files were last written; None while one is missing (half-way through being replaced).
    pub(crate) fn modified(&self) -> Option<(SystemTime, SystemTime)> {
        let at = |p: &Path| std::fs::metadata(p).and_then(|m| m.modified()).ok();
        Some((at(&self.files.cert)?, at(&self.files.key)?))
    }
}

fn read(files: &Tls) -> Result<Arc<ServerConfig>, PortalError> {
    let bad = |path: &Path, why: String| PortalError::Certificate { path: path.to_owned(), why };
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(|certs| certs.collect())
        .map_err(|e| bad(&files.cert, format!("cannot read certificates: {e}")))?;
    if chain.is_empty() {
        return Err(bad(&files.cert, "holds no certificate".into()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| bad(&files.key, format!("cannot read a private key: {e}")))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|b| b.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|e| bad(&files.cert, format!("certificate and key do not make a server: {e}")))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
