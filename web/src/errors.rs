//! What people and scripts are told when something does not work.
//!
//! Three types: [`Failure`] is what went wrong (status and words), [`Problem`] shows it as a page, [`Refusal`] as JSON.
//! Unknown and forbidden are one answer: 404.
use anteroom_approvals::{
    AbsenceError, AuthorityError, BreakGlassError, CardError, CertificateError, KeepError, KeyError, ManageError, RequestError,
    ReviewError, SignError, StepUpError, StoreError, TicketError, UnmaskError,
};
use anteroom_policy::{NoVoice, aftermath::NoReview};
use askama::Template;
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

/// Status and words; the words are for the person in front of the screen.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
}

/// Something that can be told.
pub(crate) trait Explain {
    fn failure(self) -> Failure;
}

/// A page that says what went wrong.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    title: &'static str,
    text: String,
}

/// `{"error": "..."}`.
#[derive(Debug, Clone)]
pub(crate) struct Refusal(Failure);

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    title: &'a str,
    text: &'a str,
}

impl Problem {
    pub(crate) fn status(status: StatusCode, title: &'static str, text: impl Into<String>) -> Self {
        Self { status, title, text: text.into() }
    }

    /// The same for a script.
    pub(crate) fn refusal(self) -> Refusal {
        Refusal::new(self.status, self.text)
    }

    /// For what is not there and for what is not theirs.
    pub(crate) fn not_found() -> Self {
        Self::status(StatusCode::NOT_FOUND, "Page not found", "There is nothing here for you. Check the address, or go back to the start.")
    }
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self(Failure { status, text: text.into() })
    }
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing here for you")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let page = ProblemPage { title: self.title, text: &self.text };
        let mut response = match page.render() {
            Ok(html) => (self.status, Html(html)).into_response(),
            Err(_) => (self.status, self.text).into_response(),
        };
        later(self.status, &mut response);
        response
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.0.status, Json(serde_json::json!({ "error": self.0.text }))).into_response();
        later(self.0.status, &mut response);
        response
    }
}

fn later(status: StatusCode, response: &mut Response) {
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
}

impl<E: Explain> From<E> for Problem {
    fn from(e: E) -> Self {
        let f = e.failure();
        match f.status {
            StatusCode::NOT_FOUND => Self::not_found(),
            StatusCode::SERVICE_UNAVAILABLE => Self::status(f.status, "Not right now", f.text),
            StatusCode::PAYLOAD_TOO_LARGE => Self::status(f.status, "Too much text", f.text),
            status => Self::status(status, "That did not work", f.text),
        }
    }
}

impl<E: Explain> From<E> for Refusal {
    fn from(e: E) -> Self {
        Self(e.failure())
    }
}

impl Explain for Failure {
    fn failure(self) -> Failure {
        self
    }
}

impl Failure {
    pub(crate) fn unprocessable(text: impl Into<String>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, text: text.into() }
    }
    fn hidden(text: String) -> Self {
        Self { status: StatusCode::NOT_FOUND, text }
    }
}

impl Explain for StoreError {
    fn failure(self) -> Failure {
        let status = match self {
            Self::Away => StatusCode::SERVICE_UNAVAILABLE,
            Self::Damaged(_) | Self::Refused { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Failure { status, text: self.to_string() }
    }
}

impl Explain for ManageError {
    fn failure(self) -> Failure {
        match self {
            Self::Store(e) => e.failure(),
            Self::NotAllowed | Self::NoSuch(_) => Failure::hidden(self.to_string()),
            Self::Taken(_) | Self::Invalid { .. } => Failure::unprocessable(self.to_string()),
        }
    }
}

impl Explain for SignError {
    fn failure(self) -> Failure {
        let text = self.to_string();
        match self {
            Self::Store(e) => e.failure(),
            Self::LinkGone | Self::CeremonyGone => Failure { status: StatusCode::GONE, text },
            Self::Suspended | Self::Locked | Self::PasskeyRefused(_) => Failure { status: StatusCode::FORBIDDEN, text },
            Self::PasskeyTaken | Self::NoPasskey | Self::Label => Failure::unprocessable(text),
        }
    }
}

impl Explain for KeyError {
    fn failure(self) -> Failure {
        let text = self.to_string();
        match self {
            Self::Sign(e) => e.failure(),
            Self::NoSuchKey => Failure::hidden(text),
            _ => Failure::unprocessable(text),
        }
    }
}

impl Explain for RequestError {
    fn failure(self) -> Failure {
        let text = self.to_string();
        match self {
            Self::Store(e) => e.failure(),
            Self::NotAllowed | Self::NoSuchRequest => Failure::hidden(text),
            Self::NotPending => Failure { status: StatusCode::CONFLICT, text },
            Self::TooFast { .. } => Failure { status: StatusCode::TOO_MANY_REQUESTS, text },
            _ => Failure::unprocessable(text),
        }
    }
}

impl Explain for ReviewError {
    fn failure(self) -> Failure {
        let text = self.to_string();
        match self {
            Self::Sign(e) => e.failure(),
            Self::NotAllowed | Self::NoSuchRequest => Failure::hidden(text),
            Self::OwnRequest | Self::NoVoice(NoVoice::Requester | NoVoice::Vendor) => Failure { status: StatusCode::FORBIDDEN, text },
            _ => Failure { status: StatusCode::CONFLICT, text },
        }
    }
}

impl Explain for AbsenceError {
    fn failure(self) -> Failure {
        match self {
            Self::Store(e) => e.failure(),
            Self::NotAllowed => Failure::hidden(self.to_string()),
            _ => Failure::unprocessable(self.to_string()),
        }
    }
}

impl Explain for UnmaskError {
    fn failure(self) -> Failure {
        let text = self.to_string();
        match self {
            Self::Sign(e) => e.failure(),
            Self::NotAllowed | Self::NotHolder | Self::NoSuchSession | Self::NoSuchUnmask => Failure::hidden(text),
            Self::Interval(_) | Self::Hours | Self::TooMany { .. } => Failure::unprocessable(text),
            Self::OwnRequest => Failure { status: StatusCode::FORBIDDEN, text },
            Self::Over | Self::Shredded => Failure { status: StatusCode::GONE, text },
            _ => Failure { status: StatusCode::CONFLICT, text },
        }
    }
}

impl Explain for BreakGlassError {
    fn failure(self) -> Failure {
        let text = self.to_string();
        match self {
            Self::Sign(e) => e.failure(),
            Self::NotAllowed | Self::NoSuch => Failure::hidden(text),
            Self::Review(NoReview::NotAllowed) => Failure::hidden(text),
            Self::Refused(_) | Self::Review(NoReview::Own) => Failure { status: StatusCode::FORBIDDEN, text },
            Self::NoSuchTarget | Self::Misfit { .. } => Failure::unprocessable(text),
            Self::Moved | Self::Changed | Self::Review(NoReview::Live | NoReview::Reviewed) => {
                Failure { status: StatusCode::CONFLICT, text }
            }
        }
    }
}

impl Explain for CardError {
    fn failure(self) -> Failure {
        let text = self.to_string();
        match self {
            Self::Sign(e) => e.failure(),
            Self::NotAllowed | Self::NoSuch => Failure::hidden(text),
            Self::NoSuchTarget
            | Self::NoSuchGateway(_)
            | Self::Capabilities
            | Self::Misfit { .. }
            | Self::NotMeanwhile(_)
            | Self::Useless(_)
            | Self::Terms(_)
            | Self::TooMany { .. } => Failure::unprocessable(text),
            Self::Changed | Self::FirstGone | Self::Life(_) | Self::Forged(_) | Self::NotOfCard(_) => {
                Failure { status: StatusCode::CONFLICT, text }
            }
        }
    }
}

impl Explain for KeepError {
    fn failure(self) -> Failure {
        let text = self.to_string();
        match self {
            Self::Store(e) => e.failure(),
            Self::NotAllowed | Self::NoSuchSession => Failure::hidden(text),
            Self::Shredded => Failure { status: StatusCode::GONE, text },
            Self::TooMany { .. } => Failure::unprocessable(text),
            _ => Failure { status: StatusCode::CONFLICT, text },
        }
    }
}

impl Explain for TicketError {
    fn failure(self) -> Failure {
        let text = self.to_string();
        match self {
            Self::Store(e) => e.failure(),
            Self::NoSuchAccess => Failure::hidden(text),
            Self::NotNow(_) => Failure { status: StatusCode::FORBIDDEN, text },
            Self::NotConfirmed => Failure { status: StatusCode::CONFLICT, text },
            Self::TooMany { .. } => Failure { status: StatusCode::TOO_MANY_REQUESTS, text },
            Self::Seal => Failure { status: StatusCode::INTERNAL_SERVER_ERROR, text },
        }
    }
}

impl Explain for StepUpError {
    fn failure(self) -> Failure {
        let text = self.to_string();
        match self {
            Self::Sign(e) => e.failure(),
            Self::NoSuchStepUp => Failure::hidden(text),
            Self::Over => Failure { status: StatusCode::GONE, text },
            Self::TooMany => Failure { status: StatusCode::TOO_MANY_REQUESTS, text },
        }
    }
}

impl Explain for AuthorityError {
    fn failure(self) -> Failure {
        let text = self.to_string();
        match self {
            Self::Store(e) => e.failure(),
            Self::NotAllowed | Self::NoSuch => Failure::hidden(text),
            Self::Current => Failure { status: StatusCode::CONFLICT, text },
            Self::Sealed | Self::Certificate => Failure { status: StatusCode::INTERNAL_SERVER_ERROR, text },
        }
    }
}

impl Explain for CertificateError {
    fn failure(self) -> Failure {
        let text = self.to_string();
        match self {
            Self::Key(e) => e.failure(),
            Self::Authority(e) => e.failure(),
            Self::NotAllowed => Failure { status: StatusCode::FORBIDDEN, text },
            Self::NoSuch => Failure::hidden(text),
            Self::Over => Failure { status: StatusCode::GONE, text },
            Self::TooMany => Failure { status: StatusCode::TOO_MANY_REQUESTS, text },
        }
    }
}
