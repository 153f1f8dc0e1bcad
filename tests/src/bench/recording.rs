//! A recorder of its own, for what is measured without a gateway.
use anteroom_domain::{AccountName, Secret, SessionId, TargetName};
use anteroom_masking::RuleSet;
use anteroom_recorder::{PrivateKey, Recipients, Recorder, RecorderOptions, Recording, Replayer, SessionHeader};
use anyhow::Result;
use std::{fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf, sync::Arc, time::Duration};
use uuid::Uuid;

#[derive(Debug)]
pub struct Bench {
    pub session: SessionId,
    pub root: PathBuf,
    recorder: Recorder,
    dir: tempfile::TempDir,
}

fn key(n: u8) -> PrivateKey {
    PrivateKey::from_seed(&[n; 32])
}

impl Bench {
    pub fn new() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let root = dir.path().join("recordings");
        let recorder = Recorder::open(RecorderOptions {
            root: root.clone(),
            gateway: "bench".into(),
            recipients: Recipients { masked: *key(1).public(), sealed: [*key(2).public(), *key(3).public()] },
            rules: Arc::new(RuleSet::builtin()),
            manifest_key: Secret::new([42; 32]),
            max_lag: Duration::from_secs(1),
        })?;
        Ok(Self { session: SessionId(Uuid::now_v7()), root, recorder, dir })
    }

    pub async fn start(&self) -> Result<Recording> {
        let header = SessionHeader {
            session: self.session,
            person: Uuid::from_u128(1).into(),
            person_handle: "bench".into(),
            target: Uuid::from_u128(2).into(),
            target_name: TargetName::new("bench").map_err(|e| anyhow::anyhow!("{e:?}"))?,
            account: AccountName::new("root").map_err(|e| anyhow::anyhow!("{e:?}"))?,
            source: std::net::Ipv4Addr::LOCALHOST.into(),
            started_at: time::OffsetDateTime::now_utc(),
            grant: Uuid::from_u128(3).into(),
        };
        Ok(self.recorder.start(header).await?)
    }

    pub fn replayer(&self) -> Result<Replayer> {
        let key_file = self.dir.path().join("masked.key");
        OpenOptions::new().create_new(true).write(true).mode(0o600).open(&key_file)?.write_all(key(1).to_line().as_bytes())?;
        Ok(Replayer::open(&self.root, &key_file)?)
    }
}
