use crate::{errors::Problem, page::html};
use askama::Template;
use axum::response::Response;

#[derive(Template)]
#[template(path = "enrol.html")]
struct Enrol;

pub(crate) async fn show() -> Result<Response, Problem> {
    html(&Enrol)
}
