//! A target made of IronRDP's types: TLS without NLA, which tells what it was sent and then says what the test wants.
use anteroom_domain::CertificateFingerprint;
use ironrdp_core::{decode, encode_vec};
use ironrdp_pdu::{
    gcc::{
        ConferenceCreateResponse, RdpVersion, ServerCoreData, ServerCoreOptionalData, ServerGccBlocks, ServerMessageChannelData,
        ServerNetworkData, ServerSecurityData,
    },
    mcs::{self, McsMessage},
    nego::{ConnectionConfirm, ConnectionRequest, ResponseFlags, SecurityProtocol},
    rdp::ClientInfoPdu,
    x224::{X224, X224Data},
};
use rustls::{ServerConfig, pki_types::PrivatePkcs8KeyDer};
use std::{
    borrow::Cow,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// What it learnt of a client.
#[derive(Debug)]
pub struct Seen {
    pub cookie: bool,
    pub channels: Vec<String>,
    pub client_name: String,
    pub info: ClientInfoPdu,
    /// Whatever came after it.
    pub stream: TlsStream<TcpStream>,
    pub io: u16,
    pub user: u16,
}

pub struct FakeTarget {
    pub address: SocketAddr,
    pub certificate: CertificateFingerprint,
    /// TCP connections so far.
    pub touched: Arc<AtomicUsize>,
    pub clients: mpsc::Receiver<Seen>,
}

impl FakeTarget {
    pub async fn start() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["ct-2".to_owned()]).unwrap().self_signed(&key).unwrap();
        let der = certificate.der().clone();
        let print = CertificateFingerprint::of(&der);
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![der], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .unwrap();
        let tls = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let touched = Arc::new(AtomicUsize::new(0));
        let (send, clients) = mpsc::channel(8);
        let counted = touched.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let (tls, send) = (tls.clone(), send.clone());
                tokio::spawn(async move {
                    if let Some(seen) = serve(stream, tls).await {
                        let _ = send.send(seen).await;
                    }
                });
            }
        });
        Self { address, certificate: print, touched, clients }
    }

    pub fn touched(&self) -> usize {
        self.touched.load(Ordering::SeqCst)
    }
}

pub async fn frame<S: AsyncRead + Unpin>(s: &mut S) -> Option<Vec<u8>> {
    let mut head = [0; 4];
    s.read_exact(&mut head).await.ok()?;
    assert_eq!(head[0], 3, "not TPKT");
    let mut all = head.to_vec();
    all.resize(usize::from(u16::from_be_bytes([head[2], head[3]])), 0);
    s.read_exact(&mut all[4..]).await.ok()?;
    Some(all)
}

async fn serve(mut stream: TcpStream, tls: TlsAcceptor) -> Option<Seen> {
    let first = frame(&mut stream).await?;
    let X224(request) = decode::<X224<ConnectionRequest>>(&first).unwrap();
    let confirm = ConnectionConfirm::Response { flags: ResponseFlags::EXTENDED_CLIENT_DATA_SUPPORTED, protocol: SecurityProtocol::SSL };
    stream.write_all(&encode_vec(&X224(confirm)).unwrap()).await.ok()?;
    let mut stream = tls.accept(stream).await.ok()?;
    let initial = frame(&mut stream).await?;
    let X224(data) = decode::<X224<X224Data<'_>>>(&initial).unwrap();
    let initial: mcs::ConnectInitial = decode(&data.data).unwrap();
    let blocks = initial.conference_create_request.into_gcc_blocks();
    let channels: Vec<String> =
        blocks.network.iter().flat_map(|n| n.channels.iter().map(|c| c.name.as_str().unwrap().to_owned())).collect();
    let (io, user) = (1003, 1010);
    let answer = ServerGccBlocks {
        core: ServerCoreData { version: RdpVersion(0x0008_0004), optional_data: ServerCoreOptionalData::default() },
        network: ServerNetworkData { channel_ids: (1004..).take(channels.len()).collect(), io_channel: io },
        security: ServerSecurityData::no_security(),
        message_channel: blocks.message_channel.map(|_| ServerMessageChannelData { mcs_message_channel_id: 1009 }),
        multi_transport_channel: None,
    };
    let answer = mcs::ConnectResponse {
        conference_create_response: ConferenceCreateResponse::new(1002, answer).unwrap(),
        called_connect_id: 0,
        domain_parameters: mcs::DomainParameters::target(),
    };
    let data = X224Data { data: Cow::Owned(encode_vec(&answer).unwrap()) };
    stream.write_all(&encode_vec(&X224(data)).unwrap()).await.ok()?;
    loop {
        let message = frame(&mut stream).await?;
        let answer = match decode::<X224<McsMessage<'_>>>(&message).unwrap().0 {
            McsMessage::AttachUserRequest(_) => McsMessage::AttachUserConfirm(mcs::AttachUserConfirm { result: 0, initiator_id: user }),
            McsMessage::ChannelJoinRequest(j) => McsMessage::ChannelJoinConfirm(mcs::ChannelJoinConfirm {
                result: 0,
                initiator_id: user,
                requested_channel_id: j.channel_id,
                channel_id: j.channel_id,
            }),
            McsMessage::SendDataRequest(d) => {
                assert_eq!(d.channel_id, io);
                let info = decode(&d.user_data).unwrap();
                let (cookie, client_name) = (request.nego_data.is_some(), blocks.core.client_name);
                return Some(Seen { cookie, channels, client_name, info, stream, io, user });
            }
            _ => continue,
        };
        stream.write_all(&encode_vec(&X224(answer)).unwrap()).await.ok()?;
    }
}
