use crate::{
    errors::Problem,
    layers::own_path,
    page::{Asked, html},
};
use askama::Template;
use axum::response::Response;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    next: &'a str,
    signed_out: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    next: String,
    done: String,
}

pub(crate) async fn show(Asked(q): Asked<Query>) -> Result<Response, Problem> {
    html(&SignIn { next: own_path(&q.next).unwrap_or("/"), signed_out: q.done == "signed-out" })
}
