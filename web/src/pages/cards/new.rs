//! The form of the first officer.
use crate::{
    errors::Problem,
    page::{Frame, html},
    pages::{offered::Offered, requests::choice::Choice},
    state::App,
};
use anteroom_domain::{
    GatewayName,
    content::{CardContent, Signable},
};
use askama::Template;
use axum::{extract::State, response::Response};

const MINUTES: [u32; 4] = [30, 60, 120, 240];
const DAYS: [u16; 4] = [30, 90, 180, 365];

#[derive(Template)]
#[template(path = "card_new.html")]
struct Form {
    frame: Frame,
    gateways: Vec<GatewayName>,
    offered: Offered,
    minutes: [u32; 4],
    days: [u16; 4],
    usual_days: u16,
    domain: &'static str,
    /// What is ticked at first.
    choice: Choice,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame) -> Result<Response, Problem> {
    let gateways = app.approvals.card_gateways().await?;
    let offered = Offered::of(&app, &frame.person, "").await?;
    let usual_days = u16::try_from(anteroom_domain::card::USUAL_LIFE.whole_days()).unwrap_or_default();
    let (domain, choice) = (CardContent::DOMAIN, Choice::default().usual(None));
    html(&Form { frame, gateways, offered, minutes: MINUTES, days: DAYS, usual_days, domain, choice })
}
