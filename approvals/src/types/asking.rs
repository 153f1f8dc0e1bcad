//! Wishes for access, and answers to them.
use anteroom_domain::{
    AccountName, Capabilities, Comment, Grant, GrantId, Moment, Person, PersonId, Quorum, Reason, RequestState, TargetName, TicketNumber,
    content::Verdict,
};
use serde::{Deserialize, Serialize};

/// A wish for access as the form has it; `from` none means now.
#[derive(Debug, Clone)]
pub struct RequestForm {
    pub target: TargetName,
    pub account: AccountName,
    pub reason: Reason,
    pub from: Option<Moment>,
    pub until: Moment,
    pub capabilities: Capabilities,
    pub also: Also,
}

/// What a form may ask for beside one login at one time.
#[derive(Debug, Clone, Default)]
pub struct Also {
    /// Further logins; the same time and the same capabilities.
    pub more: Vec<(TargetName, AccountName)>,
    pub ticket: Option<TicketNumber>,
    /// The same time again in each of so many following weeks.
    pub weeks: u8,
    /// The grant that ends too soon.
    pub extends: Option<GrantId>,
}

#[derive(Debug, Clone, Default)]
pub struct RequestFilter {
    pub state: Option<RequestState>,
    pub requester: Option<PersonId>,
    pub search: String,
}

/// What somebody says to a request. To deny takes a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Answer {
    Approve,
    Deny { comment: Comment },
}

/// What people wrote below a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestComment {
    pub by: PersonId,
    pub name: String,
    pub text: Comment,
    #[serde(with = "time::serde::rfc3339")]
    pub at: Moment,
}

/// Somebody's answer, as the request's page shows it.
#[derive(Debug, Clone)]
pub struct ApprovalView {
    pub approver: Person,
    pub stands_for: Option<Person>,
    pub verdict: Verdict,
    pub comment: Option<Comment>,
    pub at: Moment,
    /// Not if the approver is no approver any more, or signed other words than the request has now.
    pub counts: bool,
}

/// How far a request has come.
#[derive(Debug, Clone)]
pub struct Progress {
    pub needed: Vec<Quorum>,
    pub ordered: bool,
    /// What is still missing; empty when it is answered.
    pub missing: Vec<Quorum>,
    /// In the order they were given.
    pub given: Vec<ApprovalView>,
    pub comments: Vec<RequestComment>,
    pub grants: Vec<Grant>,
}

/// An approver who is away, and who fills their place.
#[derive(Debug, Clone)]
pub struct AbsenceView {
    pub approver: Person,
    pub deputy: Person,
    pub from: Moment,
    pub until: Moment,
}
