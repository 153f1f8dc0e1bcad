//! A client and a server, and what the server's application gets to see.
use crate::Switches;
use russh::{
    Channel, client,
    keys::{Certificate, PrivateKey, PublicKeyOrCertificate, ssh_key::private::Ed25519Keypair},
    server::{self, Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, RunningSession, Session, VerifiedPublicKey},
};
use std::sync::Arc;
use tokio::{io::DuplexStream, sync::mpsc};

/// The same key for the same seed.
pub fn key(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

/// What a server's handler was shown.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The signature of a key that signed, and the session identifier it is bound to.
    pub signature: Option<(Vec<u8>, Vec<u8>)>,
    /// Key id of an offered certificate.
    pub certificate: Option<String>,
}

/// A server that lets everybody in and hands out each channel and what it was shown.
pub struct Doors {
    channels: mpsc::UnboundedSender<Channel<Msg>>,
    shown: mpsc::UnboundedSender<Shown>,
    /// Why a channel is not opened.
    refusal: Option<russh::ChannelOpenFailure>,
}

pub struct Inside {
    pub channels: mpsc::UnboundedReceiver<Channel<Msg>>,
    pub shown: mpsc::UnboundedReceiver<Shown>,
}

impl Inside {
    pub async fn channel(&mut self) -> Channel<Msg> {
        self.channels.recv().await.unwrap()
    }
}

pub fn doors() -> (Doors, Inside) {
    let ((channels, got), (shown, saw)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
    (Doors { channels, shown, refusal: None }, Inside { channels: got, shown: saw })
}

impl Doors {
    pub fn refusing(self, why: russh::ChannelOpenFailure) -> Self {
        Self { refusal: Some(why), ..self }
    }
}

impl Handler for Doors {
    type Error = russh::Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, russh::Error> {
        Ok(Auth::Accept)
    }

    async fn auth_publickey_offered(&mut self, _: &str, _offer: PublicKeyOffer<'_>) -> Result<Auth, russh::Error> {
        #[cfg(not(feature = "stock"))]
        let _ = self.shown.send(Shown { certificate: _offer.certificate.map(|c| c.key_id().to_owned()), ..Shown::default() });
        Ok(Auth::Accept)
    }

    async fn auth_publickey(&mut self, _: &str, _key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        #[allow(unused_mut)]
        let mut shown = Shown::default();
        #[cfg(not(feature = "stock"))]
        {
            shown.signature = Some((_key.signature.as_bytes().to_vec(), _key.session_id.to_vec()));
        }
        let _ = self.shown.send(shown);
        Ok(Auth::Accept)
    }

    async fn auth_openssh_certificate(&mut self, _: &str, _: &Certificate) -> Result<Auth, russh::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(&mut self, channel: Channel<Msg>, reply: ChannelOpenHandle, _: &mut Session) -> Result<(), russh::Error> {
        match self.refusal.clone() {
            Some(why) => reply.reject(why).await,
            None => {
                reply.accept().await;
                let _ = self.channels.send(channel);
            }
        }
        Ok(())
    }
}

/// A client that believes every server and writes no other callback.
pub struct Trusting;

impl client::Handler for Trusting {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        Ok(true)
    }
}

/// Both ends of a wire; nobody has signed in yet.
pub async fn meet<C: client::Handler<Error = russh::Error> + 'static>(
    (client_end, server_end): (DuplexStream, DuplexStream),
    (client, handler): (Switches, C),
    (server, doors): (Switches, Doors),
) -> (client::Handle<C>, RunningSession<Doors>) {
    let serving = server::run_stream(Arc::new(server.server()), server_end, doors);
    let connecting = client::connect_stream(Arc::new(client.client()), client_end, handler);
    let (serving, connected) = tokio::join!(serving, connecting);
    (connected.unwrap(), serving.unwrap())
}

/// The same, signed in.
pub async fn signed_in(
    wire: (DuplexStream, DuplexStream),
    client: Switches,
    server: Switches,
) -> (client::Handle<Trusting>, RunningSession<Doors>, Inside) {
    let (doors, inside) = doors();
    let (mut client, serving) = meet(wire, (client, Trusting), (server, doors)).await;
    assert!(client.authenticate_none("ada").await.unwrap().success());
    (client, serving, inside)
}
