//! A small hospital to tell stories about: people with passkeys, a target, and the gateway's decisions.
use crate::cluster::{self, Cluster};
use anteroom_approvals::{
    Answer, Answered, Approvals, AuditFilter, Credential, NewTarget, Options, Page, RequestForm, ReviewError, SignStart,
};
use anteroom_domain::{
    AccessRequest, AccountName, AuditEvent, Comment, DisplayName, Grant, Handle, Moment, Person, Reason, Role, Roles, Secret, Target,
    TargetKind, TargetName, content::Verdict,
};
use anteroom_test_authenticator::Authenticator;
use sqlx::PgPool;
use std::{net::IpAddr, time::Duration};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use url::Url;

pub const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 7));
pub const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti ada@laptop";
pub const KEY_FINGERPRINT: &str = "SHA256:UCUiLr7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ";

pub fn now() -> Moment {
    OffsetDateTime::now_utc()
}
pub fn origin() -> Url {
    Url::parse("https://gate.example").unwrap()
}

pub struct World {
    pub approvals: Approvals,
    /// The tables' owner: for turning back clocks, and for the attacker's part.
    pub owner: PgPool,
    pub dir: TempDir,
    pub target: Target,
}

/// A person and the passkey in their pocket.
pub struct Someone {
    pub person: Person,
    pub passkey: Authenticator,
    pub token: Secret<String>,
}

pub fn options(dir: &TempDir, remember: Duration) -> Options {
    Options {
        rp_id: "gate.example".into(),
        origin: origin(),
        vault_key: Secret::new([1; 32]),
        log_key: Secret::new([2; 32]),
        log_name: "anteroom/test".into(),
        remember_step_up: remember,
        certificate_lifetime: std::time::Duration::from_secs(3600),
        web_idle: Duration::from_secs(600),
        web_absolute: Duration::from_secs(3600),
        spool_dir: dir.path().join("spool"),
        checkpoint_dir: dir.path().join("checkpoints"),
        safe_mode: None,
    }
}

impl World {
    pub async fn new() -> Self {
        Self::remembering(Duration::ZERO).await
    }

    pub async fn remembering(remember: Duration) -> Self {
        Box::pin(Self::on(cluster::shared(), remember)).await
    }

    pub async fn on(cluster: &Cluster, remember: Duration) -> Self {
        let database = cluster.database().await;
        let dir = tempfile::tempdir().unwrap();
        let approvals = Box::pin(Approvals::open(cluster.app(&database).await, options(&dir, remember))).await.unwrap();
        let name = TargetName::new("ehr-db-1").unwrap();
        let new = NewTarget { description: "patient database".into(), ..NewTarget::ssh(name, TargetKind::Server, "127.0.0.1", 22) };
        let target = approvals.add_target(None, new).await.unwrap();
        let password = Credential::Password(Secret::new("s3cret-of-root".into()));
        approvals.set_credential(None, target.id, account("root"), password).await.unwrap();
        Self { approvals, owner: cluster.owner(&database).await, dir, target }
    }

    /// Added, sent a link, enrolled.
    pub async fn somebody(&self, handle: &str, role: Role) -> Someone {
        let a = &self.approvals;
        let name = DisplayName::new(handle.to_uppercase()).unwrap();
        let person = a.add_person(None, Handle::new(handle).unwrap(), name, Roles::from_iter([role])).await.unwrap();
        let link = a.make_enrol_link(None, person.id, Duration::from_secs(600)).await.unwrap();
        let start = a.begin_enrol(link.expose()).await.unwrap();
        let mut passkey = Authenticator::new(origin());
        let credential = passkey.create(&start.options).unwrap();
        let signed_in = a.finish_enrol(start.ceremony, &credential, "laptop", HERE).await.unwrap();
        Someone { person, passkey, token: signed_in.token }
    }

    pub fn form(&self, minutes: i64) -> RequestForm {
        RequestForm {
            target: self.target.name.clone(),
            account: account("root"),
            reason: Reason::new("vacuum full, ticket 4711").unwrap(),
            from: None,
            until: now() + time::Duration::minutes(minutes),
            capabilities: anteroom_domain::Capabilities::interactive(),
            // Policy asks it of vendors.
            also: anteroom_approvals::Also { ticket: Some(anteroom_domain::TicketNumber::new("CHG-4711").unwrap()), ..Default::default() },
        }
    }

    pub async fn request(&self, who: &Someone) -> AccessRequest {
        self.approvals.submit_request(&who.person, self.form(60), HERE).await.unwrap()
    }

    pub async fn review(&self, who: &mut Someone, r: &AccessRequest, v: Verdict) -> Result<Option<Grant>, ReviewError> {
        let said = match v {
            Verdict::Approve => Answer::Approve,
            Verdict::Deny => deny(),
        };
        Ok(Box::pin(self.answer(who, r, said)).await?.into_grant())
    }

    pub async fn answer(&self, who: &mut Someone, r: &AccessRequest, said: Answer) -> Result<Answered, ReviewError> {
        let start: SignStart = self.approvals.begin_review(&who.person, r.id, said).await?;
        let answer = who.passkey.get(&start.options).unwrap();
        self.approvals.finish_review(&who.person, start.ceremony, &answer).await
    }

    /// Asked and approved.
    pub async fn grant(&self, admin: &Someone, approver: &mut Someone) -> Grant {
        let r = self.request(admin).await;
        Box::pin(self.review(approver, &r, Verdict::Approve)).await.unwrap().unwrap()
    }

    /// Does the background work that is due, and stops.
    pub async fn settle(&self) {
        let stop = CancellationToken::new();
        stop.cancel();
        self.approvals.run(stop).await;
    }

    /// Every line of the log, oldest first.
    pub async fn log(&self) -> Vec<AuditEvent> {
        let l = self.approvals.audit_search(AuditFilter::default(), Page { number: 0, size: 500 }).await.unwrap();
        l.rows.into_iter().rev().map(|l| l.record.event).collect()
    }

    /// Transactions of this database so far; a question alone is one. As of up to a second ago.
    pub async fn queries(&self) -> i64 {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        sqlx::query_scalar("select xact_commit from pg_stat_database where datname = current_database()")
            .fetch_one(&self.owner)
            .await
            .unwrap()
    }

    pub async fn sql(&self, statement: &'static str) -> u64 {
        sqlx::query(statement).execute(&self.owner).await.unwrap().rows_affected()
    }
}

/// Denied, with a reason.
pub fn deny() -> Answer {
    Answer::Deny { comment: Comment::new("not in the window of ward 4").unwrap() }
}

pub fn account(name: &str) -> AccountName {
    AccountName::new(name).unwrap()
}
