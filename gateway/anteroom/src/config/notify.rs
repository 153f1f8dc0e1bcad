//! `[requests]` and `[notify]`: how long requests wait, and how people are told outside of the portal.
use super::{
    check::{Checker, private_file},
    file,
};
use anteroom_approvals::notify::{Channels, MailAuthority, MailSecurity, MailServer, Webhook, WebhookSecret};
use anteroom_domain::Secret;
use std::{collections::BTreeSet, time::Duration};
use toml::Spanned;

/// Most webhooks of one gateway.
const MOST: usize = 16;
const MINUTE: Duration = Duration::from_secs(60);
const DAYS_30: Duration = Duration::from_secs(30 * 24 * 3600);

impl Checker<'_> {
    pub(super) fn unanswered(&mut self, r: &file::Requests) -> Duration {
        let span = self.duration("requests.unanswered_after", r.unanswered_after.as_ref(), Duration::from_secs(24 * 3600));
        if let Some(w) = r.unanswered_after.as_ref().filter(|_| !(MINUTE..=DAYS_30).contains(&span)) {
            self.wrong("requests.unanswered_after", w, "between 1m and 30d");
        }
        span
    }

    pub(super) fn notify(&mut self, n: &file::Notify) -> Channels {
        let mail = n.mail.as_ref().and_then(|m| self.mail(m));
        let (mut webhooks, mut names) = (Vec::new(), BTreeSet::new());
        for w in &n.webhook {
            let name = w.name.get_ref();
            let plain =
                !name.is_empty() && name.len() <= 63 && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
            if !plain {
                self.wrong("notify.webhook.name", &w.name, "letters, digits, '.', '_' and '-', at most 63");
            } else if !names.insert(name.clone()) {
                self.wrong("notify.webhook.name", &w.name, "this name is there twice");
            } else if names.len() > MOST {
                self.wrong("notify.webhook.name", &w.name, format!("at most {MOST} webhooks"));
            }
            webhooks.extend(self.webhook(w));
        }
        Channels { mail, webhooks }
    }

    fn mail(&mut self, m: &file::Mail) -> Option<MailServer> {
        let security = match m.security.as_ref().map(|s| (s, s.get_ref().as_str())) {
            None | Some((_, "starttls")) => MailSecurity::StartTls,
            Some((_, "tls")) => MailSecurity::Tls,
            Some((s, "none")) => {
                if !["localhost", "127.0.0.1", "::1"].contains(&m.host.get_ref().as_str()) {
                    self.wrong("notify.mail.security", s, "mail leaves this machine with TLS only: starttls or tls");
                }
                MailSecurity::Plain
            }
            Some((s, _)) => {
                self.wrong("notify.mail.security", s, "there are starttls, tls, and none for a relay on this machine");
                return None;
            }
        };
        let port = m.port.as_ref().map_or(
            match security {
                MailSecurity::Tls => 465,
                MailSecurity::StartTls => 587,
                MailSecurity::Plain => 25,
            },
            |p| *p.get_ref(),
        );
        let from = m.from.get_ref().parse().map_err(|why: &str| self.wrong("notify.mail.from", &m.from, why)).ok();
        let login = match (&m.user, &m.password_file) {
            (Some(user), Some(file)) => self.secret("notify.mail.password_file", file).map(|p| (user.get_ref().clone(), p)),
            (None, None) => None,
            (Some(user), None) => {
                self.wrong("notify.mail.user", user, "password_file is missing");
                None
            }
            (None, Some(file)) => {
                self.wrong("notify.mail.password_file", file, "user is missing");
                None
            }
        };
        if let (MailSecurity::Plain, Some(user)) = (security, &m.user) {
            self.wrong("notify.mail.user", user, "a password is not sent without TLS");
        }
        let authority = match &m.ca_file {
            Some(file) => Some(self.authority(file)?),
            None => None,
        };
        Some(MailServer { host: m.host.get_ref().clone(), port, security, from: from?, login, authority })
    }

    fn authority(&mut self, file: &Spanned<String>) -> Option<MailAuthority> {
        let read = std::fs::read_to_string(self.path(file)).map_err(|e| e.to_string());
        let authority = read.and_then(|pem| MailAuthority::from_pem(&pem).map_err(str::to_owned));
        authority.map_err(|why| self.wrong("notify.mail.ca_file", file, why)).ok()
    }

    fn webhook(&mut self, w: &file::Webhook) -> Option<Webhook> {
        let url = self.url("notify.webhook.url", &w.url);
        let text = self.secret("notify.webhook.secret_file", &w.secret_file)?;
        let secret = WebhookSecret::new(text.expose());
        let secret = secret.map_err(|e| self.wrong("notify.webhook.secret_file", &w.secret_file, e.to_string())).ok();
        let hook = Webhook { name: w.name.get_ref().clone(), url: url?, secret: secret?, loopback: w.loopback.unwrap_or(false) };
        hook.check().map_err(|why| self.wrong("notify.webhook.url", &w.url, why)).ok()?;
        Some(hook)
    }

    /// One line of a file that only its owner reads.
    fn secret(&mut self, key: &str, file: &Spanned<String>) -> Option<Secret<String>> {
        let path = self.path(file);
        let read = private_file(&path).and_then(|()| std::fs::read_to_string(&path).map_err(|e| e.to_string()));
        read.map(|t| Secret::new(t.trim().to_owned())).map_err(|why| self.wrong(key, file, why)).ok()
    }
}
