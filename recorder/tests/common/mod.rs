//! What every test of the recorder needs.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub, missing_debug_implementations)]
use anteroom_domain::{AccountName, RecordingState, Secret, SessionId, TargetName};
use anteroom_format::{ChainReader, Envelope, SegmentHeader};
use anteroom_masking::RuleSet;
use anteroom_recorder::*;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub struct Lab {
    pub dir: tempfile::TempDir,
    pub masked: PrivateKey,
    pub holders: [PrivateKey; 2],
}

pub fn lab() -> Lab {
    let key = |n| PrivateKey::from_seed(&[n; 32]);
    Lab { dir: tempfile::tempdir().unwrap(), masked: key(1), holders: [key(2), key(3)] }
}

impl Lab {
    pub fn root(&self) -> PathBuf {
        self.dir.path().join("recordings")
    }
    pub fn recipients(&self) -> Recipients {
        Recipients { masked: *self.masked.public(), sealed: [*self.holders[0].public(), *self.holders[1].public()] }
    }
    pub fn options(&self) -> RecorderOptions {
        RecorderOptions {
            root: self.root(),
            gateway: "gw-test".into(),
            recipients: self.recipients(),
            rules: Arc::new(RuleSet::builtin()),
            manifest_key: Secret::new([42; 32]),
            max_lag: Duration::from_secs(1),
        }
    }
    pub fn recorder(&self) -> Recorder {
        Recorder::open(self.options()).unwrap()
    }
    pub fn key_file(&self) -> PathBuf {
        self.write_key("masked.key", &self.masked)
    }
    pub fn write_key(&self, name: &str, key: &PrivateKey) -> PathBuf {
        use std::os::unix::fs::OpenOptionsExt;
        let path = self.dir.path().join(name);
        let mut file = std::fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&path).unwrap();
        std::io::Write::write_all(&mut file, key.to_line().as_bytes()).unwrap();
        path
    }
    pub fn replayer(&self) -> Replayer {
        Replayer::open(self.root(), &self.key_file()).unwrap()
    }
    /// A finished short session, written to these recipients; for tests that have no runtime.
    pub fn recorded_to(&self, recipients: Recipients) -> SessionId {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let recorder = Recorder::open(RecorderOptions { recipients, ..self.options() }).unwrap();
            let session = complete_session(&recorder).await;
            recorder.shutdown().await;
            session
        })
    }
    pub fn envelope(&self, session: SessionId, track: Track) -> (SegmentHeader, Envelope) {
        let read = |name: String| std::fs::read(self.folder(session).join(name)).unwrap();
        let header = ChainReader::open(&read(track.file_name(0))[..]).unwrap().header().clone();
        (header, Envelope::from_bytes(&read(track.envelope_name(0))).unwrap())
    }
    pub fn folder(&self, session: SessionId) -> PathBuf {
        self.root().join("2026").join("11").join(session.to_string())
    }
}

pub fn header() -> SessionHeader {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = |n: u128| uuid::Uuid::from_u128(n);
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

pub fn shell() -> EventKind {
    EventKind::Open { pty: Some(Pty { cols: 80, rows: 24, term: "xterm".into() }), command: None }
}

pub fn exec(command: &'static str) -> EventKind {
    EventKind::Open { pty: None, command: Some(command.into()) }
}

/// A short session: a shell with a typed password, a command, a resize.
pub async fn short_session(recorder: &Recorder) -> (SessionId, Recording) {
    let header = header();
    let session = header.session;
    let r = recorder.start(header).await.unwrap();
    for e in [
        at(0, 0, shell()),
        at(5, 0, EventKind::Output("login ok\r\n$ ".into())),
        at(900, 0, EventKind::Input("hunter2\r".into())),
        at(901, 0, EventKind::Output("first line\r\nsecond line\r\n".into())),
        at(1000, 0, EventKind::Resize { cols: 100, rows: 30 }),
        at(1100, 0, EventKind::Output("after the resize\r\n".into())),
        at(1200, 1, exec("uname -a")),
        at(1210, 1, EventKind::Output("Linux ehr-db-1\n".into())),
        at(1220, 1, EventKind::Exit { status: 3 }),
        at(1221, 1, EventKind::Close),
        at(2000, 0, EventKind::Exit { status: 0 }),
        at(2001, 0, EventKind::Close),
    ] {
        r.record(e).await.unwrap();
    }
    (session, r)
}

/// A finished short session.
pub async fn complete_session(recorder: &Recorder) -> SessionId {
    let (session, r) = short_session(recorder).await;
    let sealed = r.finish().await.unwrap();
    assert_eq!(sealed.state, RecordingState::Complete);
    session
}

/// What a viewer's terminal is sent.
pub fn shown(replayer: &Replayer, session: SessionId, channel: u32, from: Duration) -> String {
    let cast: String = replayer.cast(session, channel, from).unwrap().map(|l| l.unwrap()).collect();
    cast.lines()
        .skip(1)
        .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap())
        .filter(|v| v[1] == "o")
        .map(|v| v[2].as_str().unwrap().to_owned())
        .collect()
}

/// The screen that these bytes leave on a terminal.
pub fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|e| {
            let e = e.unwrap();
            // A shipped segment may go between being listed and being read.
            match std::fs::read(e.path()) {
                Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => None,
                read => Some((e.file_name().into_string().unwrap(), read.unwrap())),
            }
        })
        .collect();
    all.sort();
    all
}
