//! What policies ask about a person, what they may do here, and who employs them.
use crate::cli::{Done, Out, Usage, company, context::Context};
use anteroom_domain::{DisplayName, GroupName, Handle, PersonAttributes, PersonId, Role, Roles, UnitName, Weekly};

pub(super) const EXAMPLES: &str = "\
Examples:
  anteroom person set ada --role admin --role auditor
  anteroom person set ada --group clinical-engineering --group on-call --unit radiology
  anteroom person set ada --shift \"mon-fri 07:00-19:00 +01:00\"
  anteroom person set vera --company \"Made-up Imaging\" --role admin
  anteroom person set vera --no-company";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    handle: Handle,
    /// All their roles from now on: admin, approver, auditor, operator or key_holder; may be given several times. A vendor's person can be
    /// admin only.
    #[arg(long = "role")]
    roles: Vec<Role>,
    /// By its name; see them with: anteroom company list.
    #[arg(long, conflicts_with = "no_company")]
    company: Option<DisplayName>,
    /// They are the hospital's own.
    #[arg(long)]
    no_company: bool,
    /// All groups they are in from now on; may be given several times.
    #[arg(long = "group", value_name = "GROUP", conflicts_with = "no_group")]
    groups: Vec<GroupName>,
    #[arg(long)]
    no_group: bool,
    /// Where in the hospital they belong.
    #[arg(long, conflicts_with = "no_unit")]
    unit: Option<UnitName>,
    #[arg(long)]
    no_unit: bool,
    /// All their working times from now on: days, hours, distance from UTC; may be given several times.
    #[arg(long = "shift", value_name = "TIMES", conflicts_with = "no_shift")]
    shifts: Vec<Weekly>,
    #[arg(long)]
    no_shift: bool,
}

pub(super) async fn run(cx: &Context, a: Args, out: &mut Out) -> Done {
    let (handle, person) = (a.handle.clone(), cx.person(&a.handle).await?);
    let company = match &a.company {
        Some(name) => Some(company::named(cx, name).await?),
        None => None,
    };
    let before = person.attributes;
    let attributes = changed(&before, &a, company.as_ref().map(|c| c.id));
    if a.roles.is_empty() && attributes == before {
        return Err(Usage("nothing to change; say what, for example --group clinical-engineering (see --help)".into()).into());
    }
    // A vendor's person may be an admin only: who leaves a company leaves it before they get roles, who joins one loses them before.
    let leaves = before.company.is_some() && attributes.company.is_none();
    if leaves {
        attribute(cx, &a.handle, person.id, &attributes, None, out).await?;
    }
    if !a.roles.is_empty() {
        let roles: Roles = a.roles.into_iter().collect();
        let names = roles.names().join(", ");
        cx.approvals.set_roles(None, person.id, roles).await?;
        out.line(format!("{handle} is now: {names}"))?;
    }
    if attributes != before && !leaves {
        attribute(cx, &a.handle, person.id, &attributes, company.map(|c| c.name.to_string()), out).await?;
    }
    Ok(())
}

async fn attribute(cx: &Context, handle: &Handle, id: PersonId, a: &PersonAttributes, company: Option<String>, out: &mut Out) -> Done {
    cx.approvals.set_person_attributes(None, id, a.clone()).await?;
    Ok(out.line(format!("{handle} is {}", words(a, company)))?)
}

/// What is not named stays as it is.
fn changed(before: &PersonAttributes, a: &Args, company: Option<anteroom_domain::CompanyId>) -> PersonAttributes {
    let before = before.clone();
    PersonAttributes {
        groups: if a.no_group || !a.groups.is_empty() { a.groups.iter().cloned().collect() } else { before.groups },
        unit: if a.no_unit { None } else { a.unit.clone().or(before.unit) },
        company: if a.no_company { None } else { company.or(before.company) },
        shifts: if a.no_shift || !a.shifts.is_empty() { a.shifts.clone() } else { before.shifts },
    }
}

fn words(a: &PersonAttributes, company: Option<String>) -> String {
    let mut all = vec![match (a.company, company) {
        (None, _) => "the hospital's own".to_owned(),
        (Some(_), Some(name)) => format!("of {name}"),
        (Some(_), None) => "a vendor's".to_owned(),
    }];
    all.extend(a.unit.as_ref().map(|u| format!("of {u}")));
    if !a.groups.is_empty() {
        all.push(format!("in {}", a.groups.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")));
    }
    if !a.shifts.is_empty() {
        all.push(format!("at work {}", a.shifts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")));
    }
    all.join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn args(line: &str) -> Result<Args, clap::Error> {
        Line::try_parse_from(["set", "ada"].into_iter().chain(line.split('|').filter(|w| !w.is_empty()))).map(|l| l.args)
    }

    #[test]
    fn what_is_not_named_stays_as_it_is() {
        let before = changed(
            &PersonAttributes::default(),
            &args("--group|a|--group|b|--unit|radiology|--shift|mon-fri 07:00-19:00 +01:00").unwrap(),
            None,
        );
        assert_eq!((before.groups.len(), before.shifts.len()), (2, 1));
        assert_eq!(changed(&before, &args("").unwrap(), None), before);
        let other = changed(&before, &args("--group|c|--no-unit|--no-shift").unwrap(), None);
        assert_eq!((other.groups.len(), other.unit.is_none(), other.shifts.len()), (1, true, 0));
        assert!(changed(&before, &args("--no-group").unwrap(), None).groups.is_empty());
        assert!(words(&before, None).contains("the hospital's own, of radiology, in a, b, at work"), "{}", words(&before, None));
        for bad in ["--group|A b", "--group|a|--no-group", "--shift|always", "--unit|", "--role|king"] {
            assert!(args(bad).is_err(), "{bad}");
        }
    }
}
