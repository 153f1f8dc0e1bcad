use super::show::Show;
use crate::{
    errors::{Explain, Problem},
    guard::Viewer,
    page::{FormOf, Frame, Id, html_again},
    state::App,
};
use anteroom_approvals::{Credential, ManageError, PromptAnswer};
use anteroom_domain::{AccountName, Secret, TargetId};
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

/// Goes into the vault and never comes back to a page. No `Debug`: it holds a secret.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Stored {
    account: String,
    kind: String,
    password: String,
    private_key: String,
    // The form decoder reads no repeated names.
    prompt1: String,
    answer1: String,
    prompt2: String,
    answer2: String,
    prompt3: String,
    answer3: String,
}

impl Stored {
    fn read(self) -> Result<(AccountName, Credential), String> {
        let (password, private_key) = (Secret::new(self.password), Secret::new(self.private_key));
        let prompts: Vec<_> = [(self.prompt1, self.answer1), (self.prompt2, self.answer2), (self.prompt3, self.answer3)]
            .into_iter()
            .map(|(prompt, answer)| PromptAnswer { prompt: prompt.trim().to_owned(), answer: Secret::new(answer) })
            .filter(|p| !p.prompt.is_empty() || !p.answer.expose().is_empty())
            .collect();
        let account = AccountName::new(self.account.trim()).map_err(|e| e.to_string())?;
        match self.kind.as_str() {
            "password" if !password.expose().is_empty() => Ok((account, Credential::Password(password))),
            "private_key" if !private_key.expose().trim().is_empty() => {
                // Forms send CR LF; OpenSSH's PEM reader wants LF.
                let key = Secret::new(format!("{}\n", private_key.expose().replace("\r\n", "\n").trim()));
                Ok((account, Credential::PrivateKey(key)))
            }
            "prompts" if prompts.iter().any(|p| p.prompt.is_empty()) => Err("enter the prompt that each answer belongs to".into()),
            "prompts" if !prompts.is_empty() => Ok((account, Credential::Prompts(prompts))),
            "gateway_ca" => Ok((account, Credential::GatewayCa)),
            _ => Err("enter a password, paste a private key, or give the answers to prompts".into()),
        }
    }
}

pub(crate) async fn store(
    State(app): State<App>,
    frame: Frame,
    viewer: Viewer,
    Id(id): Id<TargetId>,
    FormOf(stored): FormOf<Stored>,
) -> Result<Response, Problem> {
    let wrong = match stored.read() {
        Ok((account, credential)) => match app.approvals.set_credential(Some(viewer.person.id), id, account, credential).await {
            Ok(_) => return Ok(Redirect::to(&format!("/targets/{id}?done=stored")).into_response()),
            Err(e @ ManageError::Invalid { .. }) => e.failure().text,
            Err(e) => return Err(e.into()),
        },
        Err(wrong) => wrong,
    };
    html_again(&Show::page(&app, frame, id, Some(wrong), None).await?)
}
