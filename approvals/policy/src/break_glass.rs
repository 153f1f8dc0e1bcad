//! Access in an emergency: the rules around what policy says of it.
use anteroom_domain::{
    AtEnd, Obligations,
    break_glass::{LONGEST, SHORTEST},
};
use time::Duration;

/// Somebody's earlier ones count for this long against [`MOST`].
pub const COUNTED: Duration = Duration::hours(24);
/// So many of one person in [`COUNTED`]: an emergency that lasts is for a request.
pub const MOST: i64 = 5;

/// What is asked for, and what is known of it.
#[derive(Debug)]
pub struct Wish<'a> {
    pub length: Duration,
    /// How often this person broke the glass within [`COUNTED`].
    pub before: i64,
    /// What policy says of the action `break_glass`; why not, in words.
    pub ruling: &'a Result<Obligations, Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoGlass {
    #[error("policy does not let you break the glass here: {}", .0.join("; "))]
    Policy(Vec<String>),
    #[error("an emergency lasts from {} to {} minutes here; ask for access as usual beyond that", SHORTEST.whole_minutes(), .longest.whole_minutes())]
    Length { longest: Duration },
    #[error("you broke the glass {MOST} times within a day; ask for access as usual, or have somebody else help")]
    TooOften,
}

/// What the grant owes. It needs no approver and ends by being cut; everything else that policy asks stays asked.
pub fn judge(w: &Wish<'_>) -> Result<Obligations, NoGlass> {
    let asked = w.ruling.as_ref().map_err(|why| NoGlass::Policy(why.clone()))?;
    let longest = asked.longest.map_or(LONGEST, |m| LONGEST.min(Duration::minutes(m.into())));
    if w.length < SHORTEST || w.length > longest {
        return Err(NoGlass::Length { longest });
    }
    if w.before >= MOST {
        return Err(NoGlass::TooOften);
    }
    Ok(Obligations { approvals: Vec::new(), ordered: false, at_end: Some(AtEnd::Cut), ..asked.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ask(minutes: i64, before: i64, ruling: &Result<Obligations, Vec<String>>) -> Result<Obligations, NoGlass> {
        judge(&Wish { length: Duration::minutes(minutes), before, ruling })
    }

    #[test]
    fn without_policy_nobody_breaks_it_and_is_told_why() {
        let no = Err(vec!["nothing permits it".to_owned()]);
        assert_eq!(
            ask(60, 0, &no).map_err(|e| e.to_string()),
            Err("policy does not let you break the glass here: nothing permits it".into())
        );
    }

    #[test]
    fn it_is_short_and_policy_makes_it_shorter() {
        let (any, hour) = (Ok(Obligations::default()), Ok(Obligations { longest: Some(60), ..Obligations::default() }));
        assert!(ask(240, 0, &any).is_ok() && ask(241, 0, &any).is_err() && ask(4, 0, &any).is_err());
        assert_eq!(ask(61, 0, &hour), Err(NoGlass::Length { longest: Duration::HOUR }));
    }

    #[test]
    fn the_sixth_in_a_day_is_no_emergency() {
        let any = Ok(Obligations::default());
        assert!(ask(60, 4, &any).is_ok());
        assert_eq!(ask(60, 5, &any), Err(NoGlass::TooOften));
    }

    proptest! {
        /// What policy asks of the session stays asked; only the approver is not waited for.
        #[test]
        fn only_the_approval_is_left_out(supervise: bool, live_mask: bool, ticket: bool, age in proptest::option::of(0u32..1000)) {
            let asked = Obligations { supervise, live_mask, ticket, factor_age: age, ..Obligations::default() };
            let got = ask(30, 0, &Ok(asked.clone()));
            prop_assert_eq!(got, Ok(Obligations { at_end: Some(AtEnd::Cut), ..asked }));
        }
    }
}
