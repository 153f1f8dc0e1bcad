//! An SSH agent that holds one security key made of software (draft-miller-ssh-agent): OpenSSH asks it as it asks a real agent with a real
//! key in it, and never knows the difference.
use anteroom_test_authenticator::{SecurityKey, ssh_string};
use anyhow::{Context, Result};
use std::{
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// Far beyond what ssh asks.
const LONGEST: usize = 64 * 1024;

/// A security key that is plugged in; its agent's socket is `socket`.
#[derive(Debug, Clone)]
pub struct KeyAgent {
    key: Arc<Mutex<SecurityKey>>,
    pub socket: PathBuf,
}

impl KeyAgent {
    /// A new key; its public half is written to `public_half`.
    pub fn start(socket: &Path, public_half: &Path) -> Result<Self> {
        let key = SecurityKey::new()?;
        std::fs::write(public_half, key.public_line()).with_context(|| public_half.display().to_string())?;
        let listener = UnixListener::bind(socket).with_context(|| socket.display().to_string())?;
        let agent = Self { key: Arc::new(Mutex::new(key)), socket: socket.into() };
        let answering = agent.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let one = answering.clone();
                std::thread::spawn(move || one.serve(stream));
            }
        });
        Ok(agent)
    }

    pub fn key(&self) -> MutexGuard<'_, SecurityKey> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut stream: UnixStream) {
        while let Some(question) = packet(&mut stream) {
            let answer = self.answer(&question).unwrap_or_else(|| vec![FAILURE]);
            if stream.write_all(&ssh_string(&answer)).is_err() {
                return;
            }
        }
    }

    fn answer(&self, question: &[u8]) -> Option<Vec<u8>> {
        let mine = self.key().public_blob();
        match question.split_first()? {
            (&REQUEST_IDENTITIES, _) => {
                Some([&[IDENTITIES_ANSWER][..], &1u32.to_be_bytes(), &ssh_string(&mine), &ssh_string(b"security key")].concat())
            }
            (&SIGN_REQUEST, rest) => {
                let (key, rest) = take(rest)?;
                let (data, _) = take(rest)?;
                (key == mine).then(|| [&[SIGN_RESPONSE][..], &ssh_string(&self.key().sign(data))].concat())
            }
            _ => None,
        }
    }
}

fn packet(stream: &mut UnixStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let length = u32::from_be_bytes(length) as usize;
    let mut bytes = vec![0; Some(length).filter(|l| *l <= LONGEST)?];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}
