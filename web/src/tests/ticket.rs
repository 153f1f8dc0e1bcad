//! A ticket for a desktop: one passkey, shown once, to one person; and desktops that stand still.
use super::{Answer, Site};
use crate::world::{HERE, Someone, account, now};
use anteroom_approvals::{Credential, NewTarget, RequestForm};
use anteroom_domain::{
    AuditEvent, Capabilities, CertificateFingerprint, Grant, LiveSession, Reason, Role, Secret, SessionId, TargetKind, TargetName,
    content::Verdict,
};
use axum::http::StatusCode;
use serde_json::{Value, json};

const ACCOUNT: &str = "CT\\service";

struct Ward {
    site: Site,
    ada: Someone,
    bob: Someone,
    grant: Grant,
}

impl Ward {
    async fn new() -> Self {
        Box::pin(Self::built()).await
    }

    async fn built() -> Self {
        let site = Site::new().await;
        let (ada, mut bob) = (site.world.somebody("ada", Role::Admin).await, site.world.somebody("bob", Role::Approver).await);
        let a = &site.world.approvals;
        let name = TargetName::new("ct-2").unwrap();
        let target = a.add_target(None, NewTarget::rdp(name.clone(), TargetKind::MedicalDevice, "10.9.0.12", 3389)).await.unwrap();
        let password = Credential::Password(Secret::new("s3cret-of-service".into()));
        a.set_credential(None, target.id, account(ACCOUNT), password).await.unwrap();
        let form = RequestForm {
            target: name,
            account: account(ACCOUNT),
            reason: Reason::new("new software").unwrap(),
            from: None,
            until: now() + time::Duration::hours(1),
            capabilities: Capabilities::parse(["desktop", "clipboard-to-target"]).unwrap(),
            also: Default::default(),
        };
        let r = a.submit_request(&ada.person, form, HERE).await.unwrap();
        let grant = Box::pin(site.world.review(&mut bob, &r, Verdict::Approve)).await.unwrap().unwrap();
        Self { site, ada, bob, grant }
    }

    fn page(&self) -> String {
        format!("/desktop/{}", self.grant.id)
    }

    async fn begin(&self) -> Value {
        let start = self.site.json(&format!("{}/begin", self.page()), &json!({}), Some(&self.ada)).await;
        assert_eq!(start.status, StatusCode::OK, "{}", start.text);
        start.json()
    }

    /// Confirmed by Ada's passkey, finished by whoever.
    async fn finish(&mut self, start: &Value, by: Option<&Someone>) -> Answer {
        let options = serde_json::from_value(start["options"].clone()).unwrap();
        let credential = self.ada.passkey.get(&options).unwrap();
        let body = json!({ "confirmation": start["confirmation"], "ceremony": start["ceremony"], "credential": credential });
        self.site.json(&format!("{}/finish", self.page()), &body, Some(by.unwrap_or(&self.ada))).await
    }

    /// A session that runs on the desktop, here and in the database.
    async fn connected(&mut self) -> SessionId {
        let start = self.begin().await;
        let shown = self.finish(&start, None).await.json();
        let a = &self.site.world.approvals;
        let ticket = a.ticket(shown["name"].as_str().unwrap(), HERE).await.unwrap();
        let used = a.redeem_ticket(&ticket, HERE).await.unwrap();
        a.session_started(&used.permit, [3; 32], "gw-test").await.unwrap();
        let id = used.permit.session();
        self.site.control.live.lock().unwrap().push(LiveSession {
            id,
            grant: self.grant.id,
            person: self.ada.person.id,
            person_handle: "ada".into(),
            target: self.grant.target,
            target_name: self.grant.target_name.clone(),
            account: self.grant.account_name.clone(),
            source: "10.0.0.7".into(),
            started_at: now(),
            grant_ends_at: self.grant.not_after,
            channels: 1,
            bytes_out: 1,
            holds: Default::default(),
        });
        id
    }
}

#[tokio::test]
async fn the_start_page_leads_to_the_ticket_and_the_page_says_what_to_do_with_it() {
    let w = Ward::new().await;
    let home = w.site.get("/", Some(&w.ada)).await.text;
    assert!(home.contains(&format!("href=\"{}\"", w.page())) && home.contains("Connect"), "{home}");
    assert!(!home.contains("ssh -p 2222 'CT") && !home.contains("add your SSH key"), "ssh leads to no desktop");
    let page = w.site.get(&w.page(), Some(&w.ada)).await;
    assert_eq!((page.status, page.header("cache-control")), (StatusCode::OK, "no-store"));
    let fingerprint = CertificateFingerprint::of(b"certificate").to_string();
    let trusted = format!("/cert:fingerprint:{} +clipboard", fingerprint.to_lowercase());
    for said in ["CT\\service", "mstsc", "Windows App", "Remmina", "bastion:3389", &fingerprint, &trusted, "paste text into the desktop"] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    assert!(!page.text.contains("s3cret-of-service"));
}

#[tokio::test]
async fn a_passkey_makes_a_ticket_that_is_shown_once_and_opens_the_session() {
    let mut w = Ward::new().await;
    let start = w.begin().await;
    assert!(start["content"].as_str().unwrap().contains("\"ssh_key_fingerprint\":\"rdp\""), "{start}");
    let answer = w.finish(&start, None).await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"), "{}", answer.text);
    let shown = answer.json();
    let (name, secret, file) = (shown["name"].as_str().unwrap(), shown["secret"].as_str().unwrap(), shown["file"].as_str().unwrap());
    assert!(file.contains(&format!("username:s:{name}\r\n")) && file.contains("full address:s:bastion:3389\r\n"));
    assert!(file.contains("redirectclipboard:i:1") && !file.contains(secret), "the file holds no secret");
    assert_eq!(shown["file_name"], "ct-2.rdp");
    let a = &w.site.world.approvals;
    let ticket = a.ticket(name, HERE).await.unwrap();
    assert!(ticket.opens(&Secret::new(secret.to_owned())));
    assert!(a.redeem_ticket(&ticket, HERE).await.is_ok());
    // Nowhere else: not on the page, not by asking again, not in the log.
    assert!(!w.site.get(&w.page(), Some(&w.ada)).await.text.contains(secret));
    let log = serde_json::to_string(&w.site.world.log().await).unwrap();
    assert!(log.contains(name) && !log.contains(secret));
    assert!(!w.site.get("/audit", Some(&w.site.world.somebody("max", Role::Auditor).await)).await.text.contains(secret));
}

#[tokio::test]
async fn a_confirmation_makes_one_ticket() {
    let mut w = Ward::new().await;
    let start = w.begin().await;
    assert_eq!(w.finish(&start, None).await.status, StatusCode::OK);
    let again = w.finish(&start, None).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "{}", again.text);
    let tickets: Vec<(String,)> = sqlx::query_as("select name from rdp_ticket").fetch_all(&w.site.world.owner).await.unwrap();
    assert_eq!(tickets.len(), 1);
}

#[tokio::test]
async fn a_second_click_asks_for_the_same_confirmation() {
    let w = Ward::new().await;
    let first = w.begin().await;
    assert_eq!(w.begin().await["confirmation"], first["confirmation"], "who cancels five times is not locked out");
}

#[tokio::test]
async fn nobody_else_gets_a_ticket_or_sees_that_there_could_be_one() {
    let mut w = Ward::new().await;
    let eve = w.site.world.somebody("eve", Role::Admin).await;
    let nowhere = w.site.get("/desktop/00000000-0000-4000-8000-000000000000", Some(&eve)).await;
    let hers = w.site.get(&w.page(), Some(&eve)).await;
    assert_eq!((hers.status, hers.text), (StatusCode::NOT_FOUND, nowhere.text));
    assert_eq!(w.site.json(&format!("{}/begin", w.page()), &json!({}), Some(&eve)).await.status, StatusCode::NOT_FOUND);
    let start = w.begin().await;
    let stolen = w.finish(&start, Some(&eve)).await;
    assert_eq!(stolen.status, StatusCode::NOT_FOUND, "{}", stolen.text);
    assert!(!stolen.text.contains("t-"));
}

#[tokio::test]
async fn a_revoked_grant_makes_no_ticket_even_when_the_passkey_was_asked_before() {
    let mut w = Ward::new().await;
    let start = w.begin().await;
    w.site.world.approvals.revoke_grant(Some(w.bob.person.id), w.grant.id).await.unwrap();
    assert_eq!(w.finish(&start, None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(w.site.get(&w.page(), Some(&w.ada)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_desktop_is_asked_for_by_its_own_boxes_and_what_does_not_fit_is_refused_in_words() {
    let w = Ward::new().await;
    let form = w.site.get("/requests/new?target=ct-2", Some(&w.ada)).await.text;
    assert!(form.contains("value=\"rdp\" id=\"way\" checked"), "a known desktop is offered as one: {form}");
    let wish = |more: &[(&'static str, &'static str)]| {
        let mut all = vec![("target", "ct-2"), ("account", ACCOUNT), ("reason", "update"), ("window", "1"), ("chosen", "yes")];
        all.extend(more);
        all
    };
    let shell = w.site.form("/requests", &wish(&[("shell", "on")]), Some(&w.ada)).await;
    assert_eq!(shell.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(shell.text.contains("ct-2 speaks RDP: shell means nothing there"), "{}", shell.text);
    let more = wish(&[("way", "rdp"), ("shell", "on"), ("paste", "on"), ("paste_max", "64"), ("smart_cards", "on")]);
    let sent = w.site.form("/requests", &more, Some(&w.ada)).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    let request = w.site.get(sent.header("location"), Some(&w.ada)).await.text;
    assert!(request.contains("paste text into the desktop, at most 64 KiB at once") && request.contains("smart cards"), "{request}");
    assert!(!request.contains("interactive shell"));
    let server = [("target", "ehr-db-1"), ("account", "root"), ("reason", "x"), ("window", "1"), ("chosen", "yes"), ("way", "rdp")];
    let desktop = w.site.form("/requests", &server, Some(&w.ada)).await;
    assert!(desktop.text.contains("ehr-db-1 speaks SSH: desktop means nothing there"), "{}", desktop.text);
}

#[tokio::test]
async fn who_may_terminate_may_hold_a_desktop_still_and_let_it_go_on() {
    let mut w = Ward::new().await;
    let max = w.site.world.somebody("max", Role::Auditor).await;
    let id = w.connected().await;
    let (pause, resume) = (format!("/sessions/{id}/pause"), format!("/sessions/{id}/resume"));
    let list = w.site.get("/sessions", Some(&w.bob)).await.text;
    assert!(list.contains(&pause) && !list.contains(&resume) && !list.contains(">Paused<"), "{list}");
    assert!(!w.site.get("/sessions", Some(&max)).await.text.contains(&pause), "an auditor watches only");
    for nobody in [&max, &w.ada] {
        assert_eq!(w.site.form(&pause, &[], Some(nobody)).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(w.site.form(&pause, &[], Some(&w.bob)).await.header("location"), "/sessions?done=paused");
    assert_eq!(w.site.form(&pause, &[], Some(&w.bob)).await.header("location"), "/sessions?done=paused", "twice is once");
    let list = w.site.get("/sessions", Some(&max)).await.text;
    assert!(list.contains(">Paused<"), "{list}");
    assert_eq!(w.site.form(&resume, &[], Some(&w.bob)).await.header("location"), "/sessions?done=resumed");
    assert_eq!(w.site.control.paused.lock().unwrap().as_slice(), [(id, true), (id, true), (id, false)]);
    let told: Vec<_> = w
        .site
        .world
        .log()
        .await
        .into_iter()
        .filter(|e| matches!(e, AuditEvent::SessionPaused { by, .. } | AuditEvent::SessionResumed { by, .. } if *by == w.bob.person.id))
        .collect();
    assert!(matches!(told[..], [AuditEvent::SessionPaused { .. }, AuditEvent::SessionResumed { .. }]), "{told:?}");
}

#[tokio::test]
async fn an_rdp_target_is_kept_with_its_certificate() {
    let site = Site::new().await;
    let op = site.world.somebody("op", Role::Operator).await;
    let fields = [("name", "ct-2"), ("kind", "medical_device"), ("host", "10.9.0.12"), ("protocol", "rdp")];
    let added = site.form("/targets", &fields, Some(&op)).await;
    let page = added.header("location").trim_end_matches("?done=target-added").to_owned();
    let text = site.get(&page, Some(&op)).await.text;
    assert!(text.contains("10.9.0.12:3389") && text.contains("Not pinned") && text.contains("Pin certificates"), "{text}");
    assert!(!text.contains("Pin host keys") && !text.contains("private_key") && !text.contains("Relay"), "{text}");
    assert!(site.get("/targets", Some(&op)).await.text.contains("Certificate not pinned"));
    let pin = format!("{page}/pin");
    let bad = site.form(&pin, &[("certificates", "ssh-ed25519 AAAA")], Some(&op)).await;
    assert!(bad.status == StatusCode::UNPROCESSABLE_ENTITY && bad.text.contains("64 hexadecimal digits"), "{}", bad.text);
    let key = site.form(&pin, &[("host_keys", crate::world::KEY)], Some(&op)).await;
    assert_eq!(key.status, StatusCode::NOT_FOUND, "it has no host keys");
    let shown = CertificateFingerprint::of(b"x");
    let bare = shown.to_string().replace("SHA256", "").replace(':', "");
    let pinned = site.form(&pin, &[("certificates", &format!("{bare}\r\n\r\n{shown}\r\n"))], Some(&op)).await;
    assert_eq!(pinned.header("location"), format!("{page}?done=pinned-certificates"), "{}", pinned.text);
    assert!(site.get(&page, Some(&op)).await.text.contains(&shown.to_string()));
    let target = site.world.approvals.target_by_name(&"ct-2".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(target.pinned_certificates, [shown], "the same twice is one");
    let ada = site.world.somebody("ada", Role::Admin).await;
    assert_eq!(site.form(&pin, &[("certificates", &bare)], Some(&ada)).await.status, StatusCode::NOT_FOUND);
}
