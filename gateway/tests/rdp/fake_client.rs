//! A client made of IronRDP's types and its own CredSSP.
use crate::fake_target::frame;
use ironrdp_connector::{Credentials, ServerName as Host, credssp::CredsspSequence, sspi::generator::GeneratorState};
use ironrdp_core::{WriteBuf, decode, encode_vec};
use ironrdp_pdu::{
    gcc::{
        ChannelDef, ChannelName, ChannelOptions, ClientCoreData, ClientCoreOptionalData, ClientGccBlocks, ClientNetworkData,
        ClientSecurityData, ColorDepth, KeyboardType, RdpVersion, SecureAccessSequence,
    },
    mcs::{self, McsMessage},
    nego::{ConnectionConfirm, ConnectionRequest, NegoRequestData, RequestFlags, SecurityProtocol},
    rdp::{
        ClientInfoPdu,
        client_info::{self, AddressFamily, ClientInfo, ClientInfoFlags, CompressionType, ExtendedClientInfo, ExtendedClientOptionalInfo},
        headers::{BasicSecurityHeader, BasicSecurityHeaderFlags},
    },
    x224::{X224, X224Data},
};
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use std::{borrow::Cow, net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

pub struct FakeClient {
    pub stream: TlsStream<TcpStream>,
    requested: SecurityProtocol,
    /// Of the channels it asked for.
    pub ids: Vec<u16>,
    pub io: u16,
    pub user: u16,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    Negotiation(u32),
    /// Wrong secret.
    Nla,
    /// The gateway said "access denied" after NLA.
    Denied,
    Closed,
}

/// Where to, from where, with what.
#[derive(Clone)]
pub struct Ask {
    pub gate: SocketAddr,
    pub from: std::net::IpAddr,
    pub user: String,
    pub secret: String,
    pub protocols: SecurityProtocol,
    pub channels: Vec<&'static str>,
}

impl Ask {
    pub fn new(gate: SocketAddr, user: &str, secret: &str) -> Self {
        Self {
            gate,
            from: crate::gate::LOOPBACK,
            user: user.into(),
            secret: secret.into(),
            protocols: SecurityProtocol::SSL | SecurityProtocol::HYBRID | SecurityProtocol::HYBRID_EX,
            channels: vec!["rdpdr", "cliprdr", "drdynvc"],
        }
    }

    /// Up to the point where the settings are exchanged.
    pub async fn sign_in(&self) -> Result<FakeClient, Refused> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(self.from, 0)).unwrap();
        let mut tcp = socket.connect(self.gate).await.unwrap();
        let nego_data = Some(NegoRequestData::cookie(self.user.clone()));
        let request = ConnectionRequest { nego_data, flags: RequestFlags::empty(), protocol: self.protocols, correlation_info: None };
        tcp.write_all(&encode_vec(&X224(request)).unwrap()).await.unwrap();
        let answer = frame(&mut tcp).await.ok_or(Refused::Closed)?;
        let chosen = match decode::<X224<ConnectionConfirm>>(&answer).unwrap().0 {
            ConnectionConfirm::Response { protocol, .. } => protocol,
            ConnectionConfirm::Failure { code } => return Err(Refused::Negotiation(code.into())),
        };
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone))
            .with_no_client_auth();
        let name = ServerName::try_from("gate.example").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
        if chosen != SecurityProtocol::SSL {
            let certificate = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
            let (_, parsed) = x509_parser::parse_x509_certificate(&certificate).unwrap();
            let key = parsed.tbs_certificate.subject_pki.subject_public_key.data.to_vec();
            self.nla(&mut stream, chosen, key).await?;
        }
        Ok(FakeClient { stream, requested: self.protocols, ids: Vec::new(), io: 0, user: 0 })
    }

    async fn nla(&self, stream: &mut TlsStream<TcpStream>, chosen: SecurityProtocol, key: Vec<u8>) -> Result<(), Refused> {
        let credentials = Credentials::UsernamePassword { username: self.user.clone(), password: self.secret.clone() };
        let (mut sequence, mut request) =
            CredsspSequence::init(credentials, Some("HOME"), chosen, Host::new("gate.example"), key, None).unwrap();
        let (mut out, mut input) = (WriteBuf::new(), Vec::new());
        loop {
            let state = match sequence.process_ts_request(request).start() {
                GeneratorState::Completed(done) => done.map_err(|_| Refused::Nla)?,
                GeneratorState::Suspended(_) => panic!("NTLM asks nobody"),
            };
            out.clear();
            if let Some(n) = sequence.handle_process_result(state, &mut out).unwrap().size() {
                stream.write_all(&out[..n]).await.unwrap();
            }
            let Some(hint) = sequence.next_pdu_hint() else { return Ok(()) };
            let length = loop {
                if let Some((_, n)) = hint.find_size(&input).unwrap()
                    && input.len() >= n
                {
                    break n;
                }
                if stream.read_buf(&mut input).await.unwrap_or(0) == 0 {
                    return Err(Refused::Closed);
                }
            };
            let message: Vec<u8> = input.drain(..length).collect();
            match sequence.decode_server_message(&message) {
                Ok(Some(next)) => request = next,
                Ok(None) => return Ok(()),
                Err(_) => return Err(Refused::Denied),
            }
        }
    }

    /// All of it: until the client waits for its desktop.
    pub async fn connect(&self) -> Result<FakeClient, Refused> {
        let mut c = self.sign_in().await?;
        c.settle(self).await?;
        Ok(c)
    }
}

impl FakeClient {
    async fn settle(&mut self, ask: &Ask) -> Result<(), Refused> {
        let initial = mcs::ConnectInitial::with_gcc_blocks(blocks(&ask.channels)).unwrap();
        let data = X224Data { data: Cow::Owned(encode_vec(&initial).unwrap()) };
        self.stream.write_all(&encode_vec(&X224(data)).unwrap()).await.unwrap();
        let answer = frame(&mut self.stream).await.ok_or(Refused::Closed)?;
        let X224(data) = decode::<X224<X224Data<'_>>>(&answer).unwrap();
        let response: mcs::ConnectResponse = decode(&data.data).unwrap();
        let told = response.conference_create_response.into_gcc_blocks();
        assert_eq!(told.core.optional_data.client_requested_protocols, Some(self.requested), "clients compare the echo");
        (self.io, self.ids) = (told.network.io_channel, told.network.channel_ids);
        assert_eq!(self.ids.len(), ask.channels.len(), "every channel has a number");
        self.say(McsMessage::ErectDomainRequest(mcs::ErectDomainPdu { sub_height: 0, sub_interval: 0 })).await;
        self.say(McsMessage::AttachUserRequest(mcs::AttachUserRequest)).await;
        let McsMessage::AttachUserConfirm(c) = decode::<X224<McsMessage<'_>>>(&frame(&mut self.stream).await.unwrap()).unwrap().0 else {
            panic!("no user")
        };
        self.user = c.initiator_id;
        for channel in [self.user, self.io].into_iter().chain(self.ids.clone()) {
            self.say(McsMessage::ChannelJoinRequest(mcs::ChannelJoinRequest { initiator_id: self.user, channel_id: channel })).await;
            let answer = frame(&mut self.stream).await.unwrap();
            let McsMessage::ChannelJoinConfirm(c) = decode::<X224<McsMessage<'_>>>(&answer).unwrap().0 else { panic!("no join") };
            assert_eq!((c.result, c.channel_id), (0, channel));
        }
        let info = encode_vec(&client_info(&ask.user, &ask.secret)).unwrap();
        self.send(self.io, &info).await;
        Ok(())
    }

    async fn say(&mut self, message: McsMessage<'_>) {
        self.stream.write_all(&encode_vec(&X224(message)).unwrap()).await.unwrap();
    }

    pub async fn send(&mut self, channel: u16, data: &[u8]) {
        let user = self.user;
        self.say(McsMessage::SendDataRequest(mcs::SendDataRequest { initiator_id: user, channel_id: channel, user_data: data.into() }))
            .await;
    }

    /// Whatever comes until the end, as MCS messages; fast-path is passed by.
    pub async fn rest(&mut self) -> Vec<Vec<u8>> {
        let (mut all, mut bytes) = (Vec::new(), Vec::new());
        let _ = self.stream.read_to_end(&mut bytes).await;
        while let Some(info) = ironrdp_pdu::find_size(&bytes).ok().flatten().filter(|i| i.length <= bytes.len()) {
            all.push(bytes.drain(..info.length).collect());
        }
        all
    }
}

fn blocks(names: &[&str]) -> ClientGccBlocks {
    let channel = |n: &&str| ChannelDef { name: ChannelName::from_utf8(n).unwrap(), options: ChannelOptions::INITIALIZED };
    ClientGccBlocks {
        core: ClientCoreData {
            version: RdpVersion(0x0008_000d),
            desktop_width: 1024,
            desktop_height: 768,
            color_depth: ColorDepth::Bpp8,
            sec_access_sequence: SecureAccessSequence::Del,
            keyboard_layout: 0x407,
            client_build: 22621,
            client_name: "LAPTOP-OF-ADA".into(),
            keyboard_type: KeyboardType::IBM_ENHANCED,
            keyboard_subtype: 0,
            keyboard_functional_keys_count: 12,
            ime_file_name: String::new(),
            optional_data: ClientCoreOptionalData::default(),
        },
        security: ClientSecurityData::no_security(),
        network: Some(ClientNetworkData { channels: names.iter().map(channel).collect() }),
        cluster: None,
        monitor: None,
        message_channel: None,
        multi_transport_channel: None,
        monitor_extended: None,
    }
}

fn client_info(user: &str, secret: &str) -> ClientInfoPdu {
    ClientInfoPdu {
        security_header: BasicSecurityHeader { flags: BasicSecurityHeaderFlags::INFO_PKT },
        client_info: ClientInfo {
            credentials: client_info::Credentials { username: user.into(), password: secret.into(), domain: None },
            password_cookie: None,
            code_page: 0,
            flags: ClientInfoFlags::UNICODE | ClientInfoFlags::MOUSE,
            compression_type: CompressionType::K8,
            alternate_shell: String::new(),
            work_dir: String::new(),
            extra_info: ExtendedClientInfo {
                address_family: AddressFamily::INET,
                address: "192.168.7.7".into(),
                dir: String::new(),
                optional_data: ExtendedClientOptionalInfo::default(),
            },
        },
    }
}

#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
