//! Each file is a trap of russh 0.65.1 (docs/decisions/0002, 0009) and falls into it on purpose.
#![allow(clippy::unwrap_used)]
use anteroom_russh_traps::{Switches, block};

/// `closed` with our switches; with those of the stock crate the scenario has to go wrong with just these words.
macro_rules! trap {
    ($scenario:ident, $wrong:literal) => {
        #[test]
        fn closed() {
            crate::block($scenario(crate::Switches::ours())).unwrap();
        }

        #[cfg(not(feature = "stock"))]
        #[test]
        fn open_without_our_switches() {
            let wrong = crate::block($scenario(crate::Switches::stock())).unwrap_err();
            assert!(wrong.contains($wrong), "it went wrong in another way: {wrong}");
        }
    };
}

/// What no switch turns off: only `deploy/lint/russh-stock` shows it open.
macro_rules! unswitched_trap {
    ($scenario:ident) => {
        #[test]
        fn closed() {
            crate::block($scenario(crate::Switches::ours())).unwrap();
        }
    };
}

mod certificate_in_the_offer;
mod close_answered_by_itself;
mod doors_that_open_by_themselves;
mod environment_that_is_no_text;
mod exit_status_after_our_close;
mod leaked_channels;
mod one_flag_for_two_requests;
mod overrun;
mod reason_of_a_refusal;
mod replies_to_the_target;
mod signature_hidden;
mod stall_of_its_neighbours;
mod stall_of_one_channel;
mod terminal_modes_cut;
mod unknown_requests_refused;
mod window_given_on_receipt;
mod writer_that_is_never_told;
