use super::show::Show;
use crate::{
    errors::{Explain, Problem},
    guard::Viewer,
    page::{FormOf, Frame, Id, html_again},
    state::App,
};
use anteroom_approvals::ManageError;
use anteroom_domain::{CertificateFingerprint, TargetId};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pin {
    host_keys: String,
    /// Of an RDP target.
    certificates: String,
}

/// One key from a line of a `.pub` file, of `ssh-keyscan` or of `known_hosts`: the host in front is not part of the key.
fn key_line(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_algorithm = |w: &str| w.starts_with("ssh-") || w.starts_with("ecdsa-sha2-") || w.starts_with("sk-");
    let from = words.iter().position(|w| is_algorithm(w)).unwrap_or(0);
    words[from..].iter().take(2).copied().collect::<Vec<_>>().join(" ")
}

pub(crate) async fn pin(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Id(id): Id<TargetId>,
    FormOf(p): FormOf<Pin>,
) -> Result<Response, Problem> {
    if !p.certificates.trim().is_empty() {
        return certificates(&app, frame, &viewer, id, &p.certificates).await;
    }
    let lines: Vec<_> = p.host_keys.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).map(key_line).collect();
    let wrong = if lines.is_empty() {
        "paste at least one host key".to_owned()
    } else {
        match app.approvals.pin_target(Some(viewer.person.id), id, lines).await {
            Ok(()) => return Ok(Redirect::to(&format!("/targets/{id}?done=pinned")).into_response()),
            Err(e @ ManageError::Invalid { .. }) => e.failure().text,
            Err(e) => return Err(e.into()),
        }
    };
    html_again(&Show::page(&app, frame, id, Some(wrong), None).await?)
}

async fn certificates(app: &App, frame: Frame, viewer: &Viewer, id: TargetId, text: &str) -> Result<Response, Problem> {
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let wrong = match lines.map(str::parse).collect::<Result<Vec<CertificateFingerprint>, _>>() {
        Err(e) => e.to_string(),
        Ok(all) => match app.approvals.pin_certificates(Some(viewer.person.id), id, all).await {
            Ok(()) => return Ok(Redirect::to(&format!("/targets/{id}?done=pinned-certificates")).into_response()),
            Err(e @ ManageError::Invalid { .. }) => e.failure().text,
            Err(e) => return Err(e.into()),
        },
    };
    html_again(&Show::page(app, frame, id, Some(wrong), None).await?)
}

#[cfg(test)]
mod tests {
    use super::key_line;

    #[test]
    fn a_key_is_found_in_what_people_paste() {
        for line in ["ssh-ed25519 AAAA root@db", "[10.0.0.1]:2222 ssh-ed25519 AAAA", "db,10.0.0.1 ssh-ed25519 AAAA comment"] {
            assert_eq!(key_line(line), "ssh-ed25519 AAAA");
        }
    }
}
