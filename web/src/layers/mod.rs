//! What every request passes, outermost first: headers, the right host, the same origin.
mod headers;
pub(crate) mod limit;
mod origin;

use crate::state::App;
use axum::{Router, middleware};

pub(crate) fn wrap(router: Router, app: App) -> Router {
    router
        .layer(middleware::from_fn_with_state(app.clone(), origin::same_origin))
        .layer(middleware::from_fn_with_state(app.clone(), origin::right_host))
        .layer(middleware::from_fn_with_state(app, headers::add))
}

pub(crate) use headers::{Player, Styles};
pub(crate) use origin::{is_own_socket, own_path};
