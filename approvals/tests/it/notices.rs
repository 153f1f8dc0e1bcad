//! What is told outside: to a real mail sink and a real HTTP receiver on this machine.
use crate::world::{World, deny, now};
use anteroom_approvals::notify::{Channels, MailSecurity, MailServer, Webhook, WebhookSecret};
use anteroom_domain::{AuditEvent, Comment, Role, audit::RequestsEvent, content::Verdict};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

type Taken = Arc<Mutex<Vec<String>>>;

/// Takes every mail and keeps what was said.
async fn mail_sink() -> (u16, Taken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, taken) = (listener.local_addr().unwrap().port(), Taken::default());
    let all = taken.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let all = all.clone();
            tokio::spawn(async move {
                let (read, mut write) = socket.into_split();
                let mut lines = BufReader::new(read).lines();
                let (mut mail, mut in_data) = (String::new(), false);
                write.write_all(b"220 sink\r\n").await.unwrap();
                while let Ok(Some(line)) = lines.next_line().await {
                    mail.push_str(&line);
                    mail.push('\n');
                    let answer: &[u8] = match (in_data, line.as_str()) {
                        (true, ".") => {
                            in_data = false;
                            all.lock().unwrap().push(std::mem::take(&mut mail));
                            b"250 taken\r\n"
                        }
                        (true, _) => continue,
                        (false, "DATA") => {
                            in_data = true;
                            b"354 go on\r\n"
                        }
                        (false, "QUIT") => b"221 bye\r\n",
                        _ => b"250 fine\r\n",
                    };
                    if write.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, taken)
}

/// Answers each POST with the next of `answers`, the last one for ever.
async fn receiver(answers: Vec<&'static str>) -> (u16, Taken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, taken) = (listener.local_addr().unwrap().port(), Taken::default());
    let all = taken.clone();
    tokio::spawn(async move {
        let mut n = 0;
        while let Ok((mut socket, _)) = listener.accept().await {
            let (mut text, mut buffer) = (String::new(), [0; 4096]);
            // Until the body is whole.
            loop {
                let read = socket.read(&mut buffer).await.unwrap();
                text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
                let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                    let length = head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
                    length.is_none_or(|n: usize| body.len() >= n)
                });
                if whole || read == 0 {
                    break;
                }
            }
            all.lock().unwrap().push(text);
            let answer = answers[n.min(answers.len() - 1)];
            n += 1;
            let _ = socket.write_all(format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes()).await;
        }
    });
    (port, taken)
}

fn hook(url: String, loopback: bool) -> Channels {
    let url = url.parse().unwrap();
    let hook = Webhook { name: "siem".into(), url, secret: WebhookSecret::new(SECRET).unwrap(), loopback };
    Channels { mail: None, webhooks: vec![hook] }
}

fn mail(port: u16) -> Channels {
    let from = "anteroom@gate.example".parse().unwrap();
    let server = MailServer { host: "127.0.0.1".into(), port, security: MailSecurity::Plain, from, login: None, authority: None };
    Channels { mail: Some(server), webhooks: Vec::new() }
}

fn header<'a>(request: &'a str, name: &str) -> &'a str {
    request.lines().find_map(|l| l.strip_prefix(&format!("{name}: "))).unwrap_or_else(|| panic!("no {name} in {request}"))
}

#[tokio::test]
async fn approvers_are_written_to_and_then_the_requester_and_nobody_reads_a_reason() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    for (who, at) in [(&ada, "ada@gate.example"), (&bob, "bob@gate.example")] {
        w.approvals.set_mail_address(None, who.person.id, Some(&at.parse().unwrap())).await.unwrap();
    }
    let (port, taken) = mail_sink().await;
    let channels = mail(port);
    let r = w.request(&ada).await;
    assert_eq!(w.approvals.deliver_once(&channels).await.unwrap(), 1);
    w.answer(&mut bob, &r, deny()).await.unwrap();
    assert_eq!(w.approvals.deliver_once(&channels).await.unwrap(), 1);
    assert_eq!(w.approvals.deliver_once(&channels).await.unwrap(), 0, "each once");
    let mails = taken.lock().unwrap().clone();
    assert_eq!(mails.len(), 2);
    assert!(
        mails[0].contains("RCPT TO:<bob@gate.example>") && mails[0].contains("Subject: ada asks for access to ehr-db-1"),
        "{}",
        mails[0]
    );
    assert!(mails[1].contains("RCPT TO:<ada@gate.example>") && mails[1].contains("was denied"), "{}", mails[1]);
    for m in &mails {
        assert!(m.contains(&format!("https://gate.example/requests/{}", r.id)), "{m}");
        assert!(!m.contains("vacuum") && !m.contains("4711") && !m.contains("ward 4"), "no reason and no comment: {m}");
    }
}

#[tokio::test]
async fn a_webhook_is_signed_as_the_standard_says_and_says_no_reason() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    let r = w.request(&ada).await;
    w.approvals.comment_request(&ada.person, r.id, Comment::new("please, ward 4 waits").unwrap()).await.unwrap();
    let (port, taken) = receiver(vec!["204 No Content"]).await;
    w.approvals.deliver_once(&hook(format!("http://127.0.0.1:{port}/in?from=gate"), true)).await.unwrap();
    let requests = taken.lock().unwrap().clone();
    assert_eq!(requests.len(), 1, "an own comment tells nobody");
    let got = &requests[0];
    let (id, at) = (header(got, "webhook-id"), header(got, "webhook-timestamp"));
    let body = got.split_once("\r\n\r\n").unwrap().1;
    let signed = WebhookSecret::new(SECRET).unwrap().sign(id, at.parse().unwrap(), body);
    assert_eq!(header(got, "webhook-signature"), signed);
    assert!((now().unix_timestamp() - at.parse::<i64>().unwrap()).abs() < 60);
    assert!(got.starts_with("POST /in?from=gate HTTP/1.1\r\n"), "{got}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((body["type"].as_str(), body["data"]["requester"].as_str()), (Some("request.waiting"), Some("ada")));
    assert_eq!(body["data"]["link"], format!("https://gate.example/requests/{}", r.id));
    assert!(!got.contains("vacuum") && !got.contains("ward 4"));
}

#[tokio::test]
async fn what_fails_is_tried_again_later_with_the_same_id_and_given_up_in_the_end() {
    let w = World::new().await;
    let ada = w.somebody("ada", Role::Admin).await;
    w.request(&ada).await;
    let (port, taken) = receiver(vec!["503 Service Unavailable", "302 Found", "200 OK"]).await;
    let channels = hook(format!("http://127.0.0.1:{port}/"), true);
    assert_eq!(w.approvals.deliver_once(&channels).await.unwrap(), 1);
    assert_eq!(w.approvals.deliver_once(&channels).await.unwrap(), 0, "not at once");
    let troubled = w.approvals.troubled_notices(None).await.unwrap();
    assert_eq!((troubled.len(), troubled[0].last_error.as_str(), troubled[0].attempts), (1, "answered 503", 1));
    w.sql("update notice_delivery set next_at = now()").await;
    w.approvals.deliver_once(&channels).await.unwrap();
    assert_eq!(w.approvals.troubled_notices(None).await.unwrap()[0].last_error, "answered 302", "a redirect is not followed");
    w.sql("update notice_delivery set next_at = now(), attempts = 19").await;
    let elsewhere = hook("http://127.0.0.1:9/".into(), true);
    w.approvals.deliver_once(&elsewhere).await.unwrap();
    let dead = w.approvals.troubled_notices(None).await.unwrap().remove(0);
    assert!(dead.dead_at.is_some() && dead.last_error.starts_with("no connection"), "{dead:?}");
    assert!(w.log().await.iter().any(|e| matches!(e, AuditEvent::Requests(RequestsEvent::NoticeGivenUp { .. }))));
    w.sql("update notice_delivery set next_at = now()").await;
    assert_eq!(w.approvals.deliver_once(&channels).await.unwrap(), 0, "what was given up rests");
    w.approvals.retry_notice(None, dead.id).await.unwrap();
    w.approvals.deliver_once(&channels).await.unwrap();
    assert!(w.approvals.troubled_notices(None).await.unwrap().is_empty());
    let ids: Vec<String> = taken.lock().unwrap().iter().map(|r| header(r, "webhook-id").to_owned()).collect();
    assert!(ids.len() == 3 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[tokio::test]
async fn metadata_addresses_and_this_machine_are_not_called() {
    let w = World::new().await;
    let (port, taken) = receiver(vec!["200 OK"]).await;
    for (url, loopback, why) in [
        (format!("https://127.0.0.1:{port}/"), false, "this machine itself"),
        (format!("http://127.0.0.1:{port}/"), false, "must be https"),
        ("http://169.254.169.254/latest/meta-data".into(), true, "link-local or metadata"),
        ("https://[fe80::1]/".into(), false, "link-local or metadata"),
    ] {
        let done = w.approvals.test_notices(&hook(url.clone(), loopback), None).await;
        let e = done[0].1.as_ref().unwrap_err().to_string();
        assert!(e.contains(why), "{url}: {e}");
    }
    assert!(taken.lock().unwrap().is_empty());
    let (port, mails) = mail_sink().await;
    let done = w.approvals.test_notices(&mail(port), Some(&"max@gate.example".parse().unwrap())).await;
    assert_eq!((done[0].0.as_str(), &done[0].1), ("mail to max@gate.example", &Ok(())));
    assert!(mails.lock().unwrap()[0].contains("A test of Anteroom"));
}

#[tokio::test]
async fn nobody_is_told_of_what_did_not_happen_and_the_suspended_hear_nothing() {
    let w = World::new().await;
    let (ada, mut bob) = (w.somebody("ada", Role::Admin).await, w.somebody("bob", Role::Approver).await);
    w.approvals.set_mail_address(None, bob.person.id, Some(&"bob@gate.example".parse().unwrap())).await.unwrap();
    let mut bad = w.form(60);
    bad.account = crate::world::account("oracle");
    assert!(w.approvals.submit_request(&ada.person, bad, crate::world::HERE).await.is_err());
    let notices: i64 = sqlx::query_scalar("select count(*) from notice").fetch_one(&w.owner).await.unwrap();
    assert_eq!(notices, 0);
    let r = w.request(&ada).await;
    w.review(&mut bob, &r, Verdict::Approve).await.unwrap();
    w.approvals.suspend_person(None, bob.person.id).await.unwrap();
    let (port, taken) = mail_sink().await;
    assert_eq!(w.approvals.deliver_once(&mail(port)).await.unwrap(), 0);
    assert!(taken.lock().unwrap().is_empty());
}
