//! Recordings, people with passkeys, and an unsealer that trusts some of them.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub, missing_debug_implementations)]
use anteroom_assertion::AssertionEvidence;
use anteroom_domain::{
    AccountName, Handle, Moment, PersonId, Reason, Secret, SessionId, TargetName, UnmaskId,
    content::{Signable, UnmaskContent, UnmaskOpening, Verdict, challenge},
};
use anteroom_masking::RuleSet;
use anteroom_recorder::{
    Event, EventKind, PrivateKey, Pty, Recipients, Recorder, RecorderOptions, Recording, Replayer, SessionHeader,
    unmask::{Recipient, UnmaskProof},
};
use anteroom_unsealer::{Holder, Keys, Site, Trust, TrustedKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use sha2::{Digest, Sha256};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use webauthn_rs_core::proto::{COSEAlgorithm, COSEEC2Key, COSEKey, COSEKeyType, ECDSACurve};

pub const RP_ID: &str = "bastion.hospital.example";
pub const ORIGIN: &str = "https://bastion.hospital.example";
pub const NOW: i64 = 1_795_700_000;

pub fn now() -> Moment {
    Moment::from_unix_timestamp(NOW).unwrap()
}

pub fn site() -> Site {
    Site { rp_id: RP_ID.into(), origin: ORIGIN.into() }
}

/// A passkey with user verification, as a browser on our portal uses it.
pub struct Passkey {
    key: SigningKey,
    pub rp_id: String,
    pub origin: String,
}

pub struct Somebody {
    pub person: PersonId,
    pub handle: Handle,
    pub passkey: Passkey,
}

pub fn somebody(handle: &str, n: u8) -> Somebody {
    Somebody {
        person: uuid::Uuid::from_u128(0x9e50 + u128::from(n)).into(),
        handle: Handle::new(handle).unwrap(),
        passkey: Passkey { key: SigningKey::from_slice(&[n; 32]).unwrap(), rp_id: RP_ID.into(), origin: ORIGIN.into() },
    }
}

impl Passkey {
    pub fn cose_key(&self) -> serde_json::Value {
        let point = self.key.verifying_key().to_sec1_point(false);
        let raw = point.as_bytes();
        let key = COSEEC2Key { curve: ECDSACurve::SECP256R1, x: raw[1..33].to_vec(), y: raw[33..65].to_vec() };
        serde_json::to_value(COSEKey { type_: COSEAlgorithm::ES256, key: COSEKeyType::EC_EC2(key) }).unwrap()
    }

    pub fn sha256(&self) -> String {
        anteroom_assertion::key_sha256(&self.cose_key()).unwrap()
    }

    /// WebAuthn Level 3, section 6.3.3.
    pub fn sign<C: Signable>(&self, content: &C) -> AssertionEvidence {
        let text = String::from_utf8(content.canonical().unwrap()).unwrap();
        let client_data = serde_json::json!({
            "type": "webauthn.get", "challenge": B64.encode(challenge(C::DOMAIN, text.as_bytes())), "origin": self.origin, "crossOrigin": false,
        })
        .to_string();
        let mut auth_data = Sha256::digest(&self.rp_id).to_vec();
        auth_data.extend([0x05, 0, 0, 0, 0]);
        let signature: Signature = self.key.sign(&[&auth_data[..], &Sha256::digest(&client_data)[..]].concat());
        AssertionEvidence {
            v: 1,
            domain: C::DOMAIN.into(),
            rp_id: self.rp_id.clone(),
            origin: self.origin.clone(),
            content: text,
            credential_id: B64.encode([1; 16]),
            cose_key: self.cose_key(),
            client_data_json: B64.encode(client_data),
            authenticator_data: B64.encode(auth_data),
            signature: B64.encode(signature.to_der()),
        }
    }
}

impl Somebody {
    pub fn as_holder(&self) -> Holder {
        let key = TrustedKey::new("key".into(), self.passkey.cose_key()).unwrap();
        Holder { person: self.person, handle: self.handle.clone(), keys: vec![key] }
    }
}

/// Kim and Lee hold keys, Cleo is the auditor who asks, Mo holds a key and is not asked.
pub struct World {
    pub dir: tempfile::TempDir,
    pub masked: PrivateKey,
    pub holders: [PrivateKey; 2],
    pub kim: Somebody,
    pub lee: Somebody,
    pub mo: Somebody,
    pub cleo: Somebody,
}

pub fn world() -> World {
    let key = |n| PrivateKey::from_seed(&[n; 32]);
    World {
        dir: tempfile::tempdir().unwrap(),
        masked: key(1),
        holders: [key(2), key(3)],
        kim: somebody("kim", 1),
        lee: somebody("lee", 2),
        mo: somebody("mo", 3),
        cleo: somebody("cleo", 4),
    }
}

/// Everything that signatures are about; tests change what they are about.
#[derive(Clone)]
pub struct Wish {
    pub content: UnmaskContent,
    pub opening: UnmaskOpening,
}

impl World {
    pub fn root(&self) -> PathBuf {
        self.dir.path().join("recordings")
    }

    pub fn trust(&self) -> Trust {
        let mut trust = Trust::nobody(site());
        for s in [&self.kim, &self.lee, &self.mo] {
            trust.add(s.as_holder()).unwrap();
        }
        trust
    }

    pub fn keys(&self) -> Keys {
        Keys::new(self.holders.clone())
    }

    pub fn recorder(&self) -> Recorder {
        Recorder::open(RecorderOptions {
            root: self.root(),
            gateway: "gw-test".into(),
            recipients: Recipients {
                masked: self.masked.public().unwrap(),
                sealed: [self.holders[0].public().unwrap(), self.holders[1].public().unwrap()],
            },
            rules: Arc::new(RuleSet::builtin()),
            manifest_key: Secret::new([42; 32]),
            max_lag: Duration::from_secs(1),
        })
        .unwrap()
    }

    pub fn replayer(&self) -> Replayer {
        use std::os::unix::fs::OpenOptionsExt;
        let path = self.dir.path().join("masked.key");
        let mut file = std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&path).unwrap();
        std::io::Write::write_all(&mut file, self.masked.to_line().as_bytes()).unwrap();
        Replayer::open(self.root(), &path).unwrap()
    }

    pub fn folder(&self, session: SessionId) -> PathBuf {
        anteroom_recorder::find(&self.root(), session).unwrap()
    }

    /// A wish for an interval of a recording that is there, in milliseconds.
    pub fn wish(&self, session: SessionId, from_ms: u64, until_ms: u64, recipient: &Recipient) -> Wish {
        let header = std::fs::read(self.folder(session).join("header.json")).unwrap();
        let header_sha256 = Sha256::digest(header).iter().map(|b| format!("{b:02x}")).collect();
        Wish {
            content: UnmaskContent { session, header_sha256, from_us: from_ms * 1000, until_us: until_ms * 1000, ..self.content() },
            opening: self.opening(recipient),
        }
        .aligned()
    }

    pub fn content(&self) -> UnmaskContent {
        UnmaskContent {
            v: 1,
            verdict: Verdict::Approve,
            unmask: UnmaskId(uuid::Uuid::from_u128(7)),
            session: SessionId(uuid::Uuid::from_u128(8)),
            header_sha256: "ab".repeat(32),
            session_person: Handle::new("casey").unwrap(),
            session_target: "root@ehr-db-1".into(),
            session_started_at: time::macros::datetime!(2026-11-23 15:00 UTC),
            from_us: 1_000,
            until_us: 2_000,
            requester: self.cleo.person,
            requester_handle: self.cleo.handle.clone(),
            requester_keys: vec![self.cleo.passkey.sha256()],
            holder: self.kim.person,
            holder_handle: self.kim.handle.clone(),
            reason: Reason::new("incident 42").unwrap(),
            expires_at: now() + Duration::from_secs(8 * 3600),
            nonce: "one".into(),
        }
    }

    pub fn opening(&self, recipient: &Recipient) -> UnmaskOpening {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let c = self.content();
        UnmaskOpening {
            v: 1,
            unmask: c.unmask,
            session: c.session,
            from_us: c.from_us,
            until_us: c.until_us,
            requester: c.requester,
            recipient: recipient.line(),
            at: now(),
            nonce: format!("opening {}", NEXT.fetch_add(1, Ordering::SeqCst)),
        }
    }

    pub fn by(&self, holder: &Somebody, content: &UnmaskContent) -> AssertionEvidence {
        holder.passkey.sign(&UnmaskContent {
            holder: holder.person,
            holder_handle: holder.handle.clone(),
            nonce: format!("of {}", holder.handle),
            ..content.clone()
        })
    }

    /// Kim and Lee approve, Cleo opens.
    pub fn proof(&self, wish: &Wish) -> UnmaskProof {
        UnmaskProof {
            approvals: vec![self.by(&self.kim, &wish.content), self.by(&self.lee, &wish.content)],
            opening: self.cleo.passkey.sign(&wish.opening),
        }
    }
}

impl Wish {
    /// The opening is of what was approved.
    pub fn aligned(mut self) -> Self {
        let c = &self.content;
        self.opening = UnmaskOpening { session: c.session, from_us: c.from_us, until_us: c.until_us, ..self.opening };
        self
    }

    /// The same at another time: what is served is judged by the wall clock.
    pub fn at(mut self, now: Moment) -> Self {
        self.opening.at = now;
        self.content.expires_at = now + Duration::from_secs(8 * 3600);
        self
    }
}

pub fn header() -> SessionHeader {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = uuid::Uuid::from_u128;
    SessionHeader {
        session: SessionId(id(0x5e55_0000 + u128::from(NEXT.fetch_add(1, Ordering::SeqCst)))),
        person: id(2).into(),
        person_handle: "casey".into(),
        target: id(3).into(),
        target_name: TargetName::new("ehr-db-1").unwrap(),
        account: AccountName::new("root").unwrap(),
        source: "192.0.2.7".parse().unwrap(),
        started_at: time::macros::datetime!(2026-11-23 15:00 UTC),
        grant: id(4).into(),
    }
}

pub fn at(ms: u64, channel: u32, kind: EventKind) -> Event {
    Event { at: Duration::from_millis(ms), channel, kind }
}

pub fn out(text: &str) -> EventKind {
    EventKind::Output(text.to_owned().into())
}

pub fn typed(text: &str) -> EventKind {
    EventKind::Input(text.to_owned().into())
}

pub fn shell() -> EventKind {
    EventKind::Open { pty: Some(Pty { cols: 80, rows: 24, term: "xterm".into() }), command: None }
}

pub async fn start(recorder: &Recorder) -> (SessionId, Recording) {
    let header = header();
    (header.session, recorder.start(header).await.unwrap())
}

/// A finished recording of `events`. Chunks are cut by a second's silence between them.
pub async fn recorded(world: &World, events: Vec<Event>) -> SessionId {
    let (session, recording) = start(&world.recorder()).await;
    for e in events {
        recording.record(e).await.unwrap();
    }
    recording.finish().await.unwrap();
    session
}
