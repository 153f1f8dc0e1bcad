//! The form. It works without scripts.
use super::wish::{Wish, Wrong};
use crate::{
    errors::Problem,
    page::{Asked, Frame, html},
    pages::offered::Offered,
    state::App,
};
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "request_new.html")]
pub(super) struct New {
    pub(super) frame: Frame,
    pub(super) wish: Wish,
    pub(super) wrong: Vec<Wrong>,
    pub(super) offered: Offered,
}

impl New {
    pub(super) async fn form(app: &App, frame: Frame, mut wish: Wish, wrong: Vec<Wrong>) -> Result<Self, Problem> {
        if wish.window.is_empty() {
            wish.window = "1".into();
        }
        let offered = Offered::of(app, &frame.person, &wish.target).await?;
        let speaks = offered.targets.iter().find(|t| t.name.as_str() == wish.target).map(|t| t.protocol);
        wish.choice = wish.choice.usual(speaks);
        Ok(Self { frame, wish, wrong, offered })
    }

    fn error(&self, field: &str) -> Option<&str> {
        self.wrong.iter().find(|w| w.field == field).map(|w| w.text.as_str())
    }
}

pub(crate) async fn show(State(app): State<App>, frame: Frame, Asked(wish): Asked<Wish>) -> Result<Response, Problem> {
    html(&New::form(&app, frame, wish, Vec::new()).await?)
}
