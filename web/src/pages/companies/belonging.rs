//! Giving a person or a target to a company, and taking one away. Nothing is taken from another company by a slip of the finger.
use super::show::{Filled, Show};
use crate::{
    errors::{Explain, Problem},
    page::{Frame, html_again},
    state::App,
};
use anteroom_approvals::ManageError;
use anteroom_domain::CompanyId;
use axum::response::{IntoResponse, Redirect, Response};

/// What is wanted, of a company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Give,
    Take,
}

impl Wish {
    /// `take` stands in the form if that is what it is.
    pub(super) fn of(take: Option<&String>) -> Self {
        if take.is_some() { Self::Take } else { Self::Give }
    }

    /// Whose it is when that is done; none: the hospital's.
    pub(super) fn owner(self, company: CompanyId) -> Option<CompanyId> {
        match self {
            Self::Give => Some(company),
            Self::Take => None,
        }
    }

    /// Whether it goes, by whose it is now.
    pub(super) fn fits(self, of: Option<CompanyId>, company: CompanyId) -> Result<(), Unfit> {
        match (self, of) {
            (Self::Take, Some(of)) if of == company => Ok(()),
            (Self::Take, _) => Err(Unfit::NotTheirs),
            (Self::Give, None) => Ok(()),
            (Self::Give, Some(of)) if of == company => Err(Unfit::Already),
            (Self::Give, Some(_)) => Err(Unfit::Elsewhere),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    NotTheirs,
    Already,
    Elsewhere,
}

/// A form of a company's page.
pub(super) struct Form {
    pub(super) company: CompanyId,
    pub(super) frame: Frame,
    /// What the page says when it is done.
    pub(super) done: &'static str,
    /// As it was typed, for when it did not go.
    pub(super) filled: Filled,
}

/// Back to the page: done, or with what is wrong.
pub(super) async fn answer(app: &App, form: Form, came_of_it: Result<Result<(), ManageError>, String>) -> Result<Response, Problem> {
    let wrong = match came_of_it {
        Ok(Ok(())) => return Ok(Redirect::to(&format!("/companies/{}?done={}", form.company, form.done)).into_response()),
        Ok(Err(ManageError::NoSuch(_))) => return Err(Problem::not_found()),
        Ok(Err(e @ ManageError::Invalid { .. })) => e.failure().text,
        Ok(Err(e)) => return Err(e.into()),
        Err(wrong) => wrong,
    };
    html_again(&Show::page(app, form.frame, form.company, Some(wrong), form.filled).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn nothing_is_taken_from_another_company_or_given_twice() {
        let (this, other) = (CompanyId(Uuid::from_u128(1)), CompanyId(Uuid::from_u128(2)));
        assert_eq!(Wish::Give.fits(None, this), Ok(()));
        assert_eq!(Wish::Give.fits(Some(this), this), Err(Unfit::Already));
        assert_eq!(Wish::Give.fits(Some(other), this), Err(Unfit::Elsewhere));
        assert_eq!(Wish::Take.fits(Some(this), this), Ok(()));
        assert_eq!(Wish::Take.fits(Some(other), this), Err(Unfit::NotTheirs));
        assert_eq!(Wish::Take.fits(None, this), Err(Unfit::NotTheirs));
    }
}
