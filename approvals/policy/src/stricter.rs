//! What policy comes to ask while a session runs, held against what the session has. Pure.
//!
//! More than it has is obeyed at once: who has to be watched stands still until somebody watches, and what a running session cannot be given
//! any more (masks on what is painted already, fewer things than its open channels may) ends it, so that it begins anew under what counts.
//! Less is not: what is no longer asked is lifted with the next connection. (Approvals, times and second factors are [`rejudge`]'s.)
//!
//! [`rejudge`]: crate::rejudge
use anteroom_domain::{Capabilities, Obligations};

/// What a session was given when it began, and has for its life.
#[derive(Debug, Clone)]
pub struct Given {
    capabilities: Capabilities,
    /// Patient data is masked in what the person sees.
    masked: bool,
    /// It runs only while somebody watches.
    watched: bool,
}

/// What it would have to have beside that by now.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum More {
    Nothing,
    /// Somebody who watches: it can wait for that.
    Watching,
    /// Something that only a new session can have; in words, for its person.
    Anew(String),
}

impl Given {
    /// `capabilities`: what `obligations` leave of the grant's.
    pub fn new(capabilities: &Capabilities, obligations: &Obligations) -> Self {
        Self { capabilities: capabilities.clone(), masked: obligations.masks(capabilities), watched: obligations.supervise }
    }

    /// It runs only while somebody watches, from now on to its end.
    pub fn watch(&mut self) {
        self.watched = true;
    }

    /// `owed`: what is asked of it now; `granted`: all that its grant names.
    pub fn against(&self, owed: &Obligations, granted: &Capabilities) -> More {
        let left = owed.leaves(granted);
        if owed.masks(&left) && !self.masked {
            return More::Anew("from now on patient data is masked here, and a session that runs cannot be masked".into());
        }
        let beyond: Vec<_> = self.capabilities.beyond(&left).iter().map(ToString::to_string).collect();
        if !beyond.is_empty() {
            return More::Anew(format!("from now on policy does not leave this here: {}", beyond.join(", ")));
        }
        if owed.supervise && !self.watched { More::Watching } else { More::Nothing }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_domain::{AtEnd, Capability, Quorum};
    use proptest::prelude::*;

    fn set(texts: &[&str]) -> Capabilities {
        Capabilities::parse(texts).unwrap()
    }

    /// As a permit gives it.
    fn begun(owed: &Obligations, granted: &Capabilities) -> Given {
        Given::new(&owed.leaves(granted), owed)
    }

    fn more(then: &Obligations, now: &Obligations, granted: &Capabilities) -> More {
        begun(then, granted).against(now, granted)
    }

    fn none() -> Obligations {
        Obligations::default()
    }

    #[test]
    fn who_has_to_be_watched_from_now_on_waits_for_somebody_once() {
        let (watched, granted) = (Obligations { supervise: true, ..none() }, Capabilities::interactive());
        let mut given = begun(&none(), &granted);
        assert_eq!(given.against(&watched, &granted), More::Watching);
        given.watch();
        assert_eq!(given.against(&watched, &granted), More::Nothing, "somebody has to watch already");
        assert_eq!(given.against(&none(), &granted), More::Nothing, "no longer asked: lifted with the next connection");
        assert_eq!(more(&watched, &watched, &granted), More::Nothing);
    }

    #[test]
    fn masking_that_is_owed_from_now_on_needs_a_new_session_unless_the_grant_lifts_it() {
        let (masked, granted) = (Obligations { live_mask: true, ..none() }, set(&["shell", "exec"]));
        assert!(matches!(more(&none(), &masked, &granted), More::Anew(why) if why.contains("masked")));
        assert_eq!(more(&masked, &masked, &granted), More::Nothing);
        assert_eq!(more(&masked, &none(), &granted), More::Nothing);
        assert_eq!(more(&none(), &masked, &set(&["shell", "unmask"])), More::Nothing);
        let no_unmask = Obligations { capabilities: Some(set(&["shell"])), ..masked };
        assert!(matches!(more(&none(), &no_unmask, &set(&["shell", "unmask"])), More::Anew(_)));
    }

    #[test]
    fn what_a_session_may_is_taken_away_with_it_and_named() {
        let ceiling = |texts: &[&str]| Obligations { capabilities: Some(set(texts)), ..none() };
        let granted = set(&["shell", "exec", "download:/var/log/**"]);
        let told = |now: &Obligations| match more(&none(), now, &granted) {
            More::Anew(why) => why,
            other => panic!("{other:?}"),
        };
        assert!(told(&ceiling(&["shell", "exec"])).ends_with("not leave this here: download:/var/log/**"));
        assert!(told(&ceiling(&["shell", "exec:ls *", "download"])).ends_with(": exec"), "narrower is less");
        assert_eq!(more(&none(), &ceiling(&["shell", "exec", "download", "upload"]), &granted), More::Nothing);
        assert_eq!(more(&ceiling(&["shell"]), &ceiling(&["shell", "exec"]), &granted), More::Nothing, "more is had with the next");
        assert!(matches!(more(&ceiling(&["shell"]), &ceiling(&["exec"]), &granted), More::Anew(_)), "something else");
    }

    fn owed() -> impl Strategy<Value = Obligations> {
        let ceilings =
            [None, Some(set(&["shell"])), Some(set(&["shell", "exec:ls *"])), Some(set(&["shell", "exec", "download", "unmask"]))];
        (any::<bool>(), any::<bool>(), proptest::sample::select(ceilings.to_vec()), proptest::option::of(1..3u8), any::<bool>()).prop_map(
            |(supervise, live_mask, capabilities, two, ticket)| Obligations {
                supervise,
                live_mask,
                capabilities,
                ticket,
                approvals: two.map(|count| Quorum { group: None, count }).into_iter().collect(),
                at_end: ticket.then_some(AtEnd::Cut),
                ..Obligations::default()
            },
        )
    }

    proptest! {
        /// Whatever is asked then and now: a session that goes on has at most what a new one would, is masked where a new one is, and
        /// watched where a new one is; and it goes on if nothing of what is asked now is new.
        #[test]
        fn a_session_that_goes_on_is_no_freer_than_a_new_one(then in owed(), now in owed(), unmask: bool) {
            let mut granted = set(&["shell", "exec", "download:/var/log/**"]);
            if unmask { granted.0.insert(Capability::Unmask); }
            let (given, anew) = (begun(&then, &granted), begun(&now, &granted));
            match given.against(&now, &granted) {
                More::Nothing => {
                    prop_assert!(given.capabilities.beyond(&anew.capabilities).is_empty());
                    prop_assert!(given.masked || !anew.masked);
                    prop_assert!(given.watched || !anew.watched);
                }
                More::Watching => prop_assert!(anew.watched && !given.watched),
                More::Anew(why) => prop_assert!(then != now && !why.is_empty()),
            }
            prop_assert_eq!(given.against(&then, &granted), More::Nothing);
        }
    }
}
