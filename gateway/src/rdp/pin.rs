//! TLS toward a target: it is who it should be if it has the key of a certificate that is pinned (THREATS 11). Nothing else of the
//! certificate counts: not its names, not its dates, not who signed it.
use super::tls::public_key;
use anteroom_domain::CertificateFingerprint;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
    version::{TLS12, TLS13},
};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    #[error("TLS with it failed: {0}")]
    Failed(io::Error),
    #[error("no TLS answer within {} s", .0.as_secs())]
    Late(Duration),
    /// It showed a certificate that is not pinned.
    #[error("it showed the certificate {0}")]
    Other(CertificateFingerprint),
    #[error("its certificate is damaged")]
    Damaged,
}

/// TLS to a target that has one of these certificates, and the public key that NLA binds to.
pub(super) async fn connect(
    stream: TcpStream,
    pins: &[CertificateFingerprint],
    limit: Duration,
) -> Result<(TlsStream<TcpStream>, Vec<u8>), TlsError> {
    let shown = Arc::default();
    let verifier = Pinned {
        pins: pins.to_vec(),
        shown: Arc::clone(&shown),
        algorithms: aws_lc_rs::default_provider().signature_verification_algorithms,
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|e| TlsError::Failed(io::Error::other(e)))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    // The certificate is looked at in every connection.
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    // A name is needed that nobody looks at.
    let name = ServerName::try_from("target.invalid").map_err(|_| TlsError::Damaged)?;
    let connected = timeout(limit, TlsConnector::from(Arc::new(config)).connect(name, stream)).await;
    match connected.map_err(|_| TlsError::Late(limit))? {
        Ok(stream) => {
            let certificate = stream.get_ref().1.peer_certificates().and_then(|c| c.first());
            let key = certificate.and_then(|c| public_key(c)).ok_or(TlsError::Damaged)?;
            Ok((stream, key))
        }
        Err(e) => match shown.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(other) => Err(TlsError::Other(other)),
            None => Err(TlsError::Failed(e)),
        },
    }
}

#[derive(Debug)]
struct Pinned {
    pins: Vec<CertificateFingerprint>,
    /// What was shown instead.
    shown: Arc<Mutex<Option<CertificateFingerprint>>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = CertificateFingerprint::of(certificate);
        if self.pins.contains(&shown) {
            return Ok(ServerCertVerified::assertion());
        }
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    /// With the key as it stands in the certificate: devices have certificates of version 1, which webpki does not read.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let bad = || Error::from(CertificateError::BadEncoding);
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate).map_err(|_| bad())?;
        let key = SubjectPublicKeyInfoDer::from(parsed.tbs_certificate.subject_pki.raw);
        verify_tls13_signature_with_raw_key(message, &key, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{super::tls::for_tests, *};
    use rustls::ServerConfig;
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    const LIMIT: Duration = Duration::from_secs(5);

    async fn target() -> (std::net::SocketAddr, CertificateFingerprint) {
        let (certificate, key) = for_tests(&["device"]);
        let print = CertificateFingerprint::of(&certificate);
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((s, _)) = listener.accept().await {
                let _ = TlsAcceptor::from(Arc::new(config.clone())).accept(s).await;
            }
        });
        (address, print)
    }

    #[tokio::test]
    async fn one_of_several_pins_is_enough_and_another_certificate_is_named() {
        let (address, print) = target().await;
        let (_, other) = target().await;
        let stream = || TcpStream::connect(address);
        let (_, key) = connect(stream().await.unwrap(), &[other, print], LIMIT).await.unwrap();
        assert!(!key.is_empty());
        let refused = connect(stream().await.unwrap(), &[other], LIMIT).await.unwrap_err();
        assert!(matches!(refused, TlsError::Other(shown) if shown == print), "{refused}");
        assert!(matches!(connect(stream().await.unwrap(), &[], LIMIT).await.unwrap_err(), TlsError::Other(_)));
    }

    #[tokio::test]
    async fn a_target_without_tls_is_no_mismatch() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        drop(listener.accept().await.unwrap());
        assert!(matches!(connect(stream, &[], LIMIT).await.unwrap_err(), TlsError::Failed(_)));
    }
}
