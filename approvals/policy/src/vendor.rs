//! What holds for the people of vendor companies, whatever any policy's text says: only their company's targets, nothing after its
//! contract has ended, one session on a device, somebody watches unless the company's terms say otherwise, and its sponsors approve. They
//! ask for access and use it; to approve, to watch, to see recordings, to hold keys, to keep the gateway and to break the glass is for the
//! hospital's own people.
use crate::Action;
use anteroom_domain::{Company, EndReason, Moment, Obligations, Person, PersonAttributes, PersonKind, Quorum, Role, Roles, Target};

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VendorRefusal {
    #[error("your company does not keep this target")]
    NotTheirs,
    #[error("your company's contract has ended")]
    ContractEnded,
}

/// What a company's terms ask of one session, or a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// Nothing lasts beyond it; none: the hospital's own people.
    pub until: Option<Moment>,
    pub obligations: Obligations,
}

/// Whether this person learns that the target exists: a vendor's people know of what their company keeps and of nothing else.
pub fn sees(person: &Person, target: &Target) -> bool {
    person.attributes.company.is_none_or(|theirs| target.attributes.vendor == Some(theirs))
}

/// `company`: the person's, as the database has it. A vendor whose company is not known reaches nothing.
pub fn terms(person: &Person, target: &Target, company: Option<&Company>, now: Moment) -> Result<Terms, VendorRefusal> {
    let Some(theirs) = person.attributes.company else { return Ok(Terms::default()) };
    let company = company.filter(|c| c.id == theirs).ok_or(VendorRefusal::NotTheirs)?;
    if !sees(person, target) {
        return Err(VendorRefusal::NotTheirs);
    }
    if now >= company.contract_ends {
        return Err(VendorRefusal::ContractEnded);
    }
    let approvals = company.sponsors.iter().map(|g| Quorum { group: Some(g.clone()), count: 1 }).collect();
    let obligations = Obligations { supervise: company.supervised, at_once: Some(1), approvals, ..Obligations::default() };
    Ok(Terms { until: Some(company.contract_ends), obligations })
}

/// The same while a session runs. That somebody has to watch from now on is owed by running ones too ([`More`](crate::More)).
pub fn still(person: &Person, target: &Target, company: Option<&Company>, now: Moment) -> Result<(), EndReason> {
    terms(person, target, company, now).map(drop).map_err(|_| EndReason::PolicyDenied)
}

/// What is for the hospital's own people, whatever roles somebody has.
pub(crate) fn is_kept_from(person: &Person, action: Action) -> bool {
    action == Action::BreakGlass && person.attributes.kind() == PersonKind::Vendor
}

/// The one role that counts for a vendor's person.
const THEIRS: Role = Role::Admin;

/// Whether this role of the person counts. What a vendor's person was given before they became one counts no more than what they are given
/// after.
pub(crate) fn holds(person: &Person, role: Role) -> bool {
    person.roles.has(role) && (role == THEIRS || person.attributes.kind() == PersonKind::Workforce)
}

/// Those of the roles that somebody with these attributes may not be given.
pub fn unfit_roles(attributes: &PersonAttributes, roles: &Roles) -> Roles {
    match attributes.kind() {
        PersonKind::Workforce => Roles::default(),
        PersonKind::Vendor => roles.0.iter().copied().filter(|r| *r != THEIRS).collect(),
    }
}

/// Whether this person may watch a session of that one: somebody of the hospital, and never their own.
pub fn may_supervise(supervisor: &Person, of: &Person) -> bool {
    crate::may(supervisor, Action::Supervise) && supervisor.id != of.id
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_domain::{CompanyId, DisplayName, PersonAttributes, PersonId, Role, Roles, TargetAttributes};
    use anteroom_test_samples as samples;
    use time::{Duration, macros::datetime};
    use uuid::Uuid;

    const NOW: Moment = datetime!(2026-11-26 12:00 UTC);

    fn company(n: u128) -> Company {
        let name = DisplayName::new("Made-up Imaging").unwrap();
        Company { id: CompanyId(Uuid::from_u128(n)), name, contract_ends: NOW + Duration::DAY, supervised: true, sponsors: None }
    }
    fn person(n: u128, role: Role, of: Option<u128>) -> Person {
        Person {
            id: PersonId(Uuid::from_u128(n)),
            roles: Roles::from_iter([role]),
            attributes: PersonAttributes { company: of.map(|n| CompanyId(Uuid::from_u128(n))), ..Default::default() },
            ..samples::person()
        }
    }
    fn target(of: Option<u128>) -> Target {
        Target {
            attributes: TargetAttributes { vendor: of.map(|n| CompanyId(Uuid::from_u128(n))), ..Default::default() },
            ..samples::target()
        }
    }

    #[test]
    fn whose_contract_names_sponsors_is_approved_by_one_of_them() {
        let sponsors: anteroom_domain::GroupName = "imaging-owners".parse().unwrap();
        let company = Company { sponsors: Some(sponsors.clone()), ..company(5) };
        let owed = terms(&person(1, Role::Admin, Some(5)), &target(Some(5)), Some(&company), NOW).unwrap().obligations;
        assert_eq!(owed.approvals, [Quorum { group: Some(sponsors), count: 1 }]);
    }

    #[test]
    fn a_vendors_person_reaches_their_companys_targets_while_its_contract_runs() {
        let vera = person(1, Role::Admin, Some(5));
        let t = terms(&vera, &target(Some(5)), Some(&company(5)), NOW).unwrap();
        assert_eq!((t.until, t.obligations.supervise, t.obligations.at_once), (Some(NOW + Duration::DAY), true, Some(1)));
        for (device, known) in [(None, Some(company(5))), (Some(6), Some(company(5))), (Some(5), None), (Some(5), Some(company(6)))] {
            assert_eq!(terms(&vera, &target(device), known.as_ref(), NOW), Err(VendorRefusal::NotTheirs), "{device:?} {known:?}");
        }
        let over = NOW + Duration::DAY;
        assert_eq!(terms(&vera, &target(Some(5)), Some(&company(5)), over), Err(VendorRefusal::ContractEnded));
        assert_eq!(still(&vera, &target(Some(5)), Some(&company(5)), over), Err(EndReason::PolicyDenied));
    }

    #[test]
    fn a_vendors_person_knows_of_their_companys_targets_only() {
        let (vera, ada) = (person(1, Role::Admin, Some(5)), person(1, Role::Admin, None));
        assert!(sees(&vera, &target(Some(5))) && !sees(&vera, &target(Some(6))) && !sees(&vera, &target(None)));
        assert!(sees(&ada, &target(Some(5))) && sees(&ada, &target(None)));
    }

    #[test]
    fn the_hospitals_own_people_owe_a_company_nothing() {
        let ada = person(1, Role::Admin, None);
        assert_eq!(terms(&ada, &target(Some(5)), None, NOW), Ok(Terms::default()));
    }

    #[test]
    fn nobody_watches_themselves_and_no_vendors_person_watches_anybody() {
        let vera = person(1, Role::Admin, Some(5));
        assert!(may_supervise(&person(2, Role::Approver, None), &vera));
        assert!(!may_supervise(&person(2, Role::Approver, Some(6)), &vera), "of another company");
        assert!(!may_supervise(&person(1, Role::Approver, None), &vera), "themself");
        assert!(!may_supervise(&person(2, Role::Approver, Some(5)), &vera), "a colleague");
        for role in [Role::Admin, Role::Auditor, Role::Operator] {
            assert!(!may_supervise(&person(2, role, None), &vera), "{role}");
        }
    }

    #[test]
    fn a_vendors_person_is_given_no_role_but_admin() {
        let (all, none) = (Roles::from_iter(Role::ALL), Roles::default());
        let theirs = person(1, Role::Admin, Some(5)).attributes;
        let unfit = Roles::from_iter([Role::Approver, Role::Auditor, Role::Operator, Role::KeyHolder]);
        assert_eq!((unfit_roles(&theirs, &all), unfit_roles(&theirs, &Roles::from_iter([Role::Admin]))), (unfit, none.clone()));
        assert_eq!(unfit_roles(&PersonAttributes::default(), &all), none);
        for role in Role::ALL {
            assert!(holds(&person(1, role, None), role) && holds(&person(1, role, Some(5)), role) == (role == Role::Admin), "{role}");
        }
    }
}
