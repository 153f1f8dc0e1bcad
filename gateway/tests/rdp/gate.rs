//! A small hospital with a gateway in it, and tickets for its desktop.
use crate::world::{Someone, World, account, now};
use anteroom_approvals::{AskStepUp, Credential, IssuedTicket, NewTarget, RDP_FINGERPRINT, RequestForm};
use anteroom_domain::{
    AuditEvent, Capabilities, CertificateFingerprint, Grant, Reason, Role, Secret, TargetKind, TargetName, content::Verdict,
};
use anteroom_gateway::{
    Cores, Gateway, SshConfig,
    rdp::{Identity, RdpConfig, RdpService},
};
use anteroom_recorder::{PrivateKey, Recipients, Recorder, RecorderOptions};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

pub const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub const VAULTED: &str = "Vault-Secret-1";

pub struct Gate {
    pub world: World,
    pub ada: Someone,
    pub grant: Grant,
    pub rdp: RdpService,
    pub ssh: Gateway,
    pub recorder: Recorder,
    _cores: Cores,
}

fn ct() -> TargetName {
    TargetName::new("ct-2").unwrap()
}

pub struct Setting<'a> {
    pub target: SocketAddr,
    pub pins: Vec<CertificateFingerprint>,
    pub account: &'a str,
    pub capabilities: &'a [&'a str],
    pub tls_without_nla: bool,
    pub window: Duration,
}

impl Setting<'_> {
    pub fn of(target: SocketAddr, pins: Vec<CertificateFingerprint>) -> Self {
        Self { target, pins, account: "service", capabilities: &["desktop"], tls_without_nla: false, window: Duration::from_secs(5) }
    }
}

impl Gate {
    pub async fn open(s: Setting<'_>) -> Self {
        Box::pin(Self::build(s)).await
    }

    async fn build(s: Setting<'_>) -> Self {
        let w = World::new().await;
        let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
        let new = NewTarget {
            pinned_certificates: s.pins,
            ..NewTarget::rdp(ct(), TargetKind::MedicalDevice, s.target.ip().to_string(), s.target.port())
        };
        let target = w.approvals.add_target(None, new).await.unwrap();
        let password = Credential::Password(Secret::new(VAULTED.into()));
        w.approvals.set_credential(None, target.id, account(s.account), password).await.unwrap();
        let form = RequestForm {
            target: ct(),
            account: account(s.account),
            reason: Reason::new("new software, ticket 4712").unwrap(),
            from: None,
            until: now() + time::Duration::hours(1),
            capabilities: Capabilities::parse(s.capabilities).unwrap(),
            also: Default::default(),
        };
        let r = w.approvals.submit_request(&ada.person, form, LOOPBACK).await.unwrap();
        let grant = Box::pin(w.review(&mut bob, &r, Verdict::Approve)).await.unwrap().unwrap();
        let key = |n| *PrivateKey::from_seed(&[n; 32]).public();
        let recorder = Recorder::open(RecorderOptions {
            root: w.dir.path().join("recordings"),
            gateway: "gw-test".into(),
            recipients: Recipients { masked: key(1), sealed: [key(2), key(3)] },
            rules: anteroom_masking::RuleSet::builtin().into(),
            manifest_key: Secret::new([42; 32]),
            // The machine may be busy with other tests.
            max_lag: Duration::from_secs(20),
        })
        .unwrap();
        let cores = Cores::start().unwrap();
        let loopback = vec![SocketAddr::new(LOOPBACK, 0)];
        let config = SshConfig::new(loopback.clone(), Vec::new(), crate::world::origin(), "gw-test".into());
        let ssh = Gateway::start(w.approvals.clone(), recorder.clone(), config, &cores).await.unwrap();
        let identity = Identity::kept_in(w.dir.path(), &["gate.example".to_owned()]).unwrap();
        let mut config = RdpConfig::new(loopback, identity);
        config.tls_without_nla = s.tls_without_nla;
        config.reconnect_window = s.window;
        config.connect_timeout = Duration::from_secs(15);
        let rdp = RdpService::start(ssh.common(), config, &cores).await.unwrap();
        Self { world: w, ada, grant, rdp, ssh, recorder, _cores: cores }
    }

    pub fn address(&self) -> SocketAddr {
        self.rdp.addresses()[0]
    }

    /// What the portal gives to Ada, for a client at this address.
    pub async fn ticket(&mut self, source: IpAddr) -> IssuedTicket {
        let w = &self.world;
        let ask = AskStepUp {
            person: self.ada.person.id,
            ssh_session_id: vec![0xcd; 32],
            fingerprint: RDP_FINGERPRINT.into(),
            target: ct(),
            account: self.grant.account_name.clone(),
            source,
        };
        let asked = w.approvals.ask_step_up(ask).await.unwrap();
        let start = w.approvals.begin_step_up(&self.ada.person, asked.id).await.unwrap();
        let answer = self.ada.passkey.get(&start.options).unwrap();
        w.approvals.finish_step_up(&self.ada.person, start.ceremony, &answer).await.unwrap();
        w.approvals.issue_ticket(&self.ada.person, asked.id, self.grant.id, source).await.unwrap()
    }

    /// Waits until the log has such a line. A recording is sealed when its pictures are read, which takes a busy machine its time.
    pub async fn logged(&self, what: &str, found: impl Fn(&AuditEvent) -> bool) -> AuditEvent {
        for _ in 0..1200 {
            if let Some(e) = self.world.log().await.into_iter().find(&found) {
                return e;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{what} is not in the log: {:#?}", self.world.log().await);
    }

    pub async fn why_ended(&self) -> String {
        match self.logged("an end", |e| matches!(e, AuditEvent::SessionEnded { .. })).await {
            AuditEvent::SessionEnded { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    }

    pub async fn stop(self) {
        self.rdp.stop().await;
        self.ssh.stop().await;
        self.recorder.shutdown().await;
    }
}
