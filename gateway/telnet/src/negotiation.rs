//! Which options are on, in one direction, without loops: RFC 1143, less the states for withdrawing an option, which this side never does.

/// A target that asks for one option again and again is answered this often, then no more. Without it each change of mind is worth an
/// answer for ever, which RFC 1143 allows and a broken device uses.
pub(crate) const MAX_ANSWERS: u8 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    No,
    /// Asked for by us; the other side has not said.
    WantYes,
    Yes,
}

/// What the other side's word means for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Known already, or asked too often.
    Nothing,
    /// On now; we have to say so.
    Agreed,
    /// On now, as we had asked; there is nothing to say.
    Confirmed,
    /// Off as before; we have to say so.
    Refused,
    /// Off now; we have to say so.
    Stopped,
}

/// The 256 options of one direction.
#[derive(Debug)]
pub(crate) struct Side {
    state: [State; 256],
    answers: [u8; 256],
}

impl Side {
    pub(crate) fn new() -> Self {
        Self { state: [State::No; 256], answers: [0; 256] }
    }

    pub(crate) fn on(&self, option: u8) -> bool {
        self.state[usize::from(option)] == State::Yes
    }

    /// True if the question has to be put to the other side.
    pub(crate) fn ask(&mut self, option: u8) -> bool {
        let state = &mut self.state[usize::from(option)];
        let new = *state == State::No;
        if new {
            *state = State::WantYes;
        }
        new
    }

    /// WILL or DO came.
    pub(crate) fn enable(&mut self, option: u8, welcome: bool) -> Outcome {
        let at = usize::from(option);
        match self.state[at] {
            State::Yes => Outcome::Nothing,
            State::WantYes => {
                self.state[at] = State::Yes;
                Outcome::Confirmed
            }
            State::No if self.answers[at] >= MAX_ANSWERS => Outcome::Nothing,
            State::No => {
                self.answers[at] += 1;
                if welcome {
                    self.state[at] = State::Yes;
                    Outcome::Agreed
                } else {
                    Outcome::Refused
                }
            }
        }
    }

    /// WONT or DONT came. It is never refused (RFC 854), and cannot repeat without an `enable` between, so it needs no count.
    pub(crate) fn disable(&mut self, option: u8) -> Outcome {
        let state = &mut self.state[usize::from(option)];
        match std::mem::replace(state, State::No) {
            State::Yes => Outcome::Stopped,
            State::No | State::WantYes => Outcome::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_not_acknowledged_again() {
        let mut side = Side::new();
        assert!(side.ask(31));
        assert!(!side.ask(31), "asked once");
        assert_eq!(side.enable(31, true), Outcome::Confirmed);
        assert_eq!(side.enable(31, true), Outcome::Nothing);
        assert!(side.on(31));
    }

    #[test]
    fn no_to_a_question_needs_no_answer() {
        let mut side = Side::new();
        side.ask(24);
        assert_eq!(side.disable(24), Outcome::Nothing);
        assert_eq!(side.disable(24), Outcome::Nothing);
    }

    #[test]
    fn a_change_of_mind_is_answered_until_it_is_a_storm() {
        let mut side = Side::new();
        let mut answers = 0;
        for _ in 0..1000 {
            answers += usize::from(side.enable(1, true) != Outcome::Nothing);
            answers += usize::from(side.disable(1) != Outcome::Nothing);
        }
        assert_eq!(answers, 2 * usize::from(MAX_ANSWERS));
        assert!(!side.on(1), "what is no longer answered is not on");
    }
}
