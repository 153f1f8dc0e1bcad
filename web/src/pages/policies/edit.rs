//! Another text: checked, compared with the one that counts, shown with what it would change, and only then let to count.
use super::{
    diff::{self, FileDiff, Line},
    question::Fields,
    what_if,
};
use crate::{
    errors::{Explain, Problem},
    guard::Viewer,
    page::{FormOf, Frame, html, html_again},
    state::App,
};
use anteroom_approvals::{Affected, Effects, PolicySetError, WhatIfAnswer, policy_sha256};
use anteroom_policy::{
    Policy, PolicyErrors, PolicyFile,
    pdp::{MAX_FILES, PolicyError},
};
use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use std::collections::HashMap;

#[derive(Template)]
#[template(path = "policy_edit.html")]
struct Page<'a> {
    frame: Frame,
    files: Vec<Edited<'a>>,
    /// The version that the text began as.
    base: i64,
    note: String,
    q: Fields,
    /// Of no file, or of all.
    wrong: Vec<String>,
    checked: Option<Checked<'a>>,
}

/// A file in the form, and what is wrong with it.
struct Edited<'a> {
    file: &'a PolicyFile,
    errors: Vec<&'a PolicyError>,
}

impl Edited<'_> {
    /// The line that an error is about.
    fn line(&self, e: &PolicyError) -> Option<&str> {
        self.file.text.lines().nth(e.line?.checked_sub(1)?).map(str::trim_end).filter(|l| !l.is_empty())
    }
}

/// What the text would change. Whoever has seen it may let it count.
struct Checked<'a> {
    /// Of exactly this text.
    sha256: String,
    policies: usize,
    changes: Vec<FileDiff<'a>>,
    effects: Effects,
    answer: Option<Result<WhatIfAnswer, String>>,
}

/// What was sent. Files are `name0`, `text0`, `name1`, ...
struct Sent {
    files: Vec<PolicyFile>,
    base: i64,
    note: String,
    q: Fields,
    /// The text that was looked at when the button was shown.
    checked: String,
    set: bool,
}

impl Sent {
    fn read(mut form: HashMap<String, String>) -> Self {
        let mut take = |name: &str| form.remove(name).unwrap_or_default();
        let files = (0..=MAX_FILES).filter_map(|n| {
            let (name, text) = (take(&format!("name{n}")), take(&format!("text{n}")));
            // Browsers send a line's end as two characters.
            let file = PolicyFile { name: name.trim().to_owned(), text: text.replace("\r\n", "\n") };
            (!file.name.is_empty() || !file.text.trim().is_empty()).then_some(file)
        });
        let files = files.collect();
        Self {
            files,
            base: take("base").parse().unwrap_or(-1),
            note: take("note").trim().to_owned(),
            q: Fields {
                ask: take("ask"),
                person: take("person"),
                target: take("target"),
                account: take("account"),
                at: take("at"),
                from: take("from"),
                key: take("key"),
                factor: take("factor"),
                age: take("age"),
                minutes: take("minutes"),
                capabilities: take("capabilities"),
                emergency: take("emergency"),
            },
            checked: take("checked"),
            set: take("do") == "set",
        }
    }
}

impl<'a> Page<'a> {
    fn new(frame: Frame, sent: &'a Sent, errors: &'a [PolicyError], mut wrong: Vec<String>, checked: Option<Checked<'a>>) -> Self {
        let of = |f: &PolicyFile| errors.iter().filter(|e| e.file == f.name).collect();
        let files: Vec<_> = sent.files.iter().map(|file| Edited { file, errors: of(file) }).collect();
        let known = |e: &PolicyError| sent.files.iter().any(|f| f.name == e.file);
        wrong.extend(errors.iter().filter(|e| !known(e)).map(|e| e.what.clone()));
        Self { frame, files, base: sent.base, note: sent.note.clone(), q: sent.q.clone(), wrong, checked }
    }

    fn failed(&self) -> bool {
        !self.wrong.is_empty() || self.files.iter().any(|f| !f.errors.is_empty())
    }

    /// Where an empty place for one more file stands.
    fn next(&self) -> Option<usize> {
        Some(self.files.len()).filter(|n| *n < MAX_FILES)
    }
}

fn meanwhile(version: i64) -> String {
    format!("Somebody else has set version {version} meanwhile. What is different is compared with that one; copy what you need of it.")
}

pub(crate) async fn show(State(app): State<App>, frame: Frame) -> Result<Response, Problem> {
    let sent = Sent {
        files: app.approvals.policy().files().to_vec(),
        base: app.approvals.policy_version(),
        note: String::new(),
        q: Fields::default(),
        checked: String::new(),
        set: false,
    };
    html(&Page::new(frame, &sent, &[], vec![], None))
}

pub(crate) async fn submit(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    FormOf(form): FormOf<HashMap<String, String>>,
) -> Result<Response, Problem> {
    let sent = Sent::read(form);
    let policy = match Policy::load(sent.files.clone()) {
        Ok(policy) => policy,
        Err(PolicyErrors(errors)) => return html_again(&Page::new(frame, &sent, &errors, vec![], None)),
    };
    let sha256 = policy_sha256(&sent.files);
    let mut wrong = Vec::new();
    if sent.base != app.approvals.policy_version() {
        wrong.push(meanwhile(app.approvals.policy_version()));
    }
    if sent.set {
        if sent.note.is_empty() {
            wrong.push("Say why, for those who read the history.".into());
        }
        if sent.checked != sha256 {
            wrong.push("The text is another one than was checked. Look at what it changes, then let it count.".into());
        }
        if wrong.is_empty() {
            match app.approvals.set_policy_over(Some(viewer.person.id), sent.files.clone(), &sent.note, Some(sent.base)).await {
                Ok(_) => return Ok(Redirect::to("/policies?done=policy-set").into_response()),
                Err(PolicySetError::Manage(e @ anteroom_approvals::ManageError::Invalid { .. })) => wrong.push(e.failure().text),
                Err(PolicySetError::Manage(e)) => return Err(e.failure().into()),
                Err(PolicySetError::Meanwhile { version }) => wrong.push(meanwhile(version)),
                Err(PolicySetError::Policy(e)) => return html_again(&Page::new(frame, &sent, &e.0, vec![], None)),
            }
        }
    }
    let before = app.approvals.policy().files().to_vec();
    let answer = if sent.q.is_empty() { None } else { Some(what_if::answer(&app, &sent.q, &policy).await?) };
    let checked = Checked {
        sha256,
        policies: policy.len(),
        changes: diff::files(&before, &sent.files),
        effects: app.approvals.policy_effects(&policy).await?,
        answer,
    };
    let failed = !wrong.is_empty();
    // From now on it is compared with the one that counts.
    let base = app.approvals.policy_version();
    let page = Page { base, ..Page::new(frame, &sent, &[], wrong, Some(checked)) };
    if failed { html_again(&page) } else { html(&page) }
}
