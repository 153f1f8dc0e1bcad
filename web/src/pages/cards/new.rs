//! The form of the first officer.
use crate::{
    errors::Problem,
    page::{Frame, html},
    pages::requests::choice::Choice,
    state::App,
};
use anteroom_approvals::Page;
use anteroom_domain::{
    GatewayName, Target,
    content::{CardContent, Signable},
};
use askama::Template;
use axum::{extract::State, response::Response};

/// Targets offered in the field's list; any other name can be typed.
const OFFERED: Page = Page { number: 0, size: 200 };
const MINUTES: [u32; 4] = [30, 60, 120, 240];
const DAYS: [u16; 4] = [30, 90, 180, 365];

#[derive(Template)]
#[template(path = "card_new.html")]
struct Form {
    frame: Frame,
    gateways: Vec<GatewayName>,
    targets: Vec<Target>,
    accounts: Vec<String>,
    minutes: [u32; 4],
    days: [u16; 4],
    usual_days: u16,
    domain: &'static str,
    /// What is ticked at first.
    choice: Choice,
}

pub(crate) async fn show(State(app): State<App>, frame: Frame) -> Result<Response, Problem> {
    let gateways = app.approvals.card_gateways().await?;
    let targets = app.approvals.targets("", OFFERED).await?.rows;
    let mut accounts: Vec<_> = targets.iter().flat_map(|t| &t.accounts).map(|a| a.name.as_str().to_owned()).collect();
    accounts.sort();
    accounts.dedup();
    let usual_days = u16::try_from(anteroom_domain::card::USUAL_LIFE.whole_days()).unwrap_or_default();
    let (domain, choice) = (CardContent::DOMAIN, Choice::default().usual(None));
    html(&Form { frame, gateways, targets, accounts, minutes: MINUTES, days: DAYS, usual_days, domain, choice })
}
