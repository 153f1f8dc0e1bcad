//! What a person sees and does.
#[allow(dead_code, unreachable_pub)]
mod common;

use anteroom_menu::{Action, Notice, Options, State, plain_list};
use common::{Desk, NOW, entry, live, pending, some, view};

const UP: &str = "\x1b[A";
const DOWN: &str = "\x1b[B";
const REASON: &str = "replace the failed disk";

fn ask(account: &str, target: &str, minutes: u32, capabilities: &[&str]) -> Action {
    Action::AskAccess {
        target: target.to_owned(),
        account: account.to_owned(),
        reason: REASON.to_owned(),
        minutes,
        capabilities: capabilities.iter().map(|c| (*c).to_owned()).collect(),
    }
}

fn connect(account: &str, target: &str) -> Action {
    Action::Connect { account: account.to_owned(), target: target.to_owned() }
}

/// A form for the one entry of the desk, filled in and sent.
fn asked(state: State) -> Desk {
    let mut desk = Desk::new(80, 24, view(vec![entry("root", "mri-3", "", state)]));
    desk.types("\r").types(REASON).types("\r\r\r\r\r\r");
    assert_eq!(desk.actions, [ask("root", "mri-3", 60, &["shell", "exec"])]);
    desk
}

#[test]
fn a_terminal_of_80_by_24_shows_states_in_words_with_what_is_open_first() {
    let desk = Desk::new(80, 24, some());
    let rows = desk.rows();
    assert_eq!(rows[0], "Anteroom - Ada");
    assert_eq!(rows[1], "Search:");
    assert_eq!(rows[2], "5 you may reach or ask for");
    assert!(rows[3].starts_with("> service@lab-1") && rows[3].ends_with("until 16:00 UTC, 52 minutes left"), "{}", rows[3]);
    assert!(rows[4].starts_with("  oracle@ris") && rows[4].ends_with("approved, begins at 16:08 UTC"), "{}", rows[4]);
    assert!(rows[5].starts_with("  root@pacs-db") && rows[5].ends_with("waiting for approval since 3 minutes"), "{}", rows[5]);
    assert!(rows[6].starts_with("  root@ct-2") && rows[6].ends_with("denied by eve"), "{}", rows[6]);
    assert!(rows[7].starts_with("  root@mri-3") && rows[7].ends_with("may be asked for"), "{}", rows[7]);
    assert_eq!(rows[22], "Blood gas analyser");
    assert!(rows[23].contains("Enter: connect or ask"));
    assert_eq!(desk.cursor(), Some((1, 8)), "the cursor is in the search box");
}

#[test]
fn a_terminal_of_20_by_4_is_enough_to_find_ask_and_connect() {
    let mut desk = Desk::new(20, 4, some());
    assert_eq!(desk.rows(), [">>", "> service@l.. 52 min", "  oracle@ris   later", "?: keys ^D: leave"]);
    desk.types("mri");
    assert_eq!(desk.rows(), [">> mri", "> root@mri-3     ask", "", "?: keys ^D: leave"]);
    desk.types("\r");
    assert_eq!(desk.rows()[..2], ["Ask for root@mri-3", "> Reason:"]);
    desk.types(REASON).types("\r");
    assert_eq!(desk.rows()[1..3], ["  Reason: replace ..", "> For: < 1 hour >"]);
    desk.types("\t\t\t\t\r");
    assert_eq!(desk.actions, [ask("root", "mri-3", 60, &["shell", "exec"])]);
    desk.hears(view(vec![entry("root", "mri-3", "", live())])).sees("Approved by ben:").sees("Enter connects.").types("\r");
    assert_eq!(desk.actions[1..], [connect("root", "mri-3")]);
}

#[test]
fn a_terminal_of_200_by_60_shows_descriptions_too() {
    let mut desk = Desk::new(200, 60, some());
    let rows = desk.rows();
    assert!(rows[3].contains("until 16:00 UTC, 52 minutes left") && rows[3].ends_with("Blood gas analyser"), "{}", rows[3]);
    assert!(rows[5].ends_with("Image archive"));
    desk.types("ward").sees("1 of 5 match").sees("> root@mri-3");
}

#[test]
fn after_a_resize_nothing_of_the_old_size_is_left() {
    for (cols, rows) in [(20, 4), (200, 60), (80, 24), (40, 10), (132, 8)] {
        let mut resized = Desk::new(80, 24, some());
        resized.types(DOWN).types(DOWN).resizes(cols, rows);
        let mut fresh = Desk::new(cols, rows, some());
        fresh.types(DOWN).types(DOWN);
        assert_eq!((resized.screen(), resized.cursor()), (fresh.screen(), fresh.cursor()), "{cols}x{rows}");
    }
}

#[test]
fn enter_on_an_open_grant_connects_and_gives_the_terminal_back() {
    let mut desk = Desk::new(80, 24, some());
    assert!(desk.alternate() && desk.marks_pastes());
    desk.types("\r");
    assert_eq!(desk.actions, [connect("service", "lab-1")]);
    assert!(!desk.menu.running() && !desk.alternate() && !desk.marks_pastes() && desk.cursor().is_some());
    assert_eq!(desk.rows()[0], "$ ssh gate.example", "the screen of before is back");
    desk.types("typed ahead\r");
    assert_eq!(desk.actions.len(), 1);
    let out = desk.menu.notice(Notice::Error("target \"lab-1\": no answer".to_owned()));
    desk.take(out);
    let out = desk.menu.resume(desk.now);
    desk.take(out);
    desk.sees("Error: target \"lab-1\": no answer").sees("> service@lab-1");
}

#[test]
fn ctrl_c_and_ctrl_d_leave_from_every_page() {
    for key in ["\x03", "\x04"] {
        for before in ["", "?", "mri\r", "mri\rsome reason", "pacs\r", "pacs\rw", "\x1b", "\x1b[200~x"] {
            let mut desk = Desk::new(80, 24, some());
            desk.types(before).types(key);
            assert_eq!(desk.actions, [Action::Leave], "{before:?}");
            assert!(!desk.alternate() && desk.cursor().is_some());
        }
    }
}

#[test]
fn typing_filters_over_names_and_descriptions_and_escape_brings_all_back() {
    let mut desk = Desk::new(80, 24, some());
    desk.types("ARCHIVE").sees("1 of 5 match").sees("> root@pacs-db").sees_no("mri-3");
    desk.types("\x15").sees("5 you may reach").types("root ward").sees("> root@mri-3").sees_no("pacs");
    desk.types("\x1b").waits(200).sees("5 you may reach");
    desk.types("pcsdb").sees("> root@pacs-db").sees("1 of 5");
    desk.types("zzz").sees("Nothing matches").types("\r");
    assert!(desk.actions.is_empty());
}

#[test]
fn the_selection_stays_with_its_entry_when_facts_change() {
    let mut desk = Desk::new(80, 24, some());
    desk.types(DOWN).types(DOWN).sees("> root@pacs-db");
    let mut more = some();
    more.entries.push(entry("adm", "a-first", "", live()));
    desk.hears(more).sees("> root@pacs-db");
    assert_eq!(desk.cursor(), Some((6, 0)), "the cursor is where the person looks");
}

#[test]
fn a_long_list_scrolls_with_the_selection() {
    let many = (0..500).map(|n| entry("root", &format!("t{n:03}"), "", State::Askable)).collect();
    let mut desk = Desk::new(80, 24, view(many));
    desk.types("\x1b[F").sees("> root@t499").types("\x1b[5~").sees("> root@t482").types("\x1b[H").sees("> root@t000");
    desk.types(UP).sees("> root@t000").types("\x1b[6~").types(DOWN).sees("> root@t018");
}

#[test]
fn a_form_wants_a_reason_and_sends_what_was_chosen() {
    let mut desk = Desk::new(80, 24, some());
    desk.types("mri\r").sees("Ask for root@mri-3").sees("For: < 1 hour >").sees("[x] an interactive shell").sees("[x] any command");
    desk.sees("[ ] any file from the target");
    desk.types("too short\r").sees("Error: the reason needs at least 10 characters");
    desk.types("\x15").types(REASON).types("?").types("\x7f").types("\t\x1b[C\x1b[C\x1b[C\x1b[C").sees("For: < 4 hours");
    desk.types("\t \t \t ").sees("[ ] an interactive shell").sees("[x] any file from the target");
    desk.types("\t\r");
    assert_eq!(desk.actions, [ask("root", "mri-3", 240, &["download"])]);
    desk.sees("sending the request");
}

#[test]
fn a_form_with_nothing_chosen_is_not_sent() {
    let mut desk = Desk::new(80, 24, some());
    desk.types("mri\r").types(REASON).types("\t\t \t \t\t\r").sees("Error: choose what you need");
    assert!(desk.actions.is_empty());
}

#[test]
fn a_pasted_reason_with_lines_sends_nothing() {
    let mut desk = Desk::new(80, 24, some());
    desk.types("mri\r").types("\x1b[200~replace the\r\nfailed disk\r\r\r\r\r\r\r\x1b[201~");
    assert!(desk.actions.is_empty());
    desk.sees("Reason: replace the failed disk");
}

#[test]
fn a_reason_is_still_there_after_going_back() {
    let mut desk = Desk::new(80, 24, some());
    desk.types("mri\r").types(REASON).types("\x1b").waits(200).sees("> root@mri-3");
    desk.types("\r").sees(REASON);
}

#[test]
fn an_approval_connects_by_itself_after_a_countdown() {
    let mut desk = asked(State::Askable);
    desk.sees("sending the request").hears(view(vec![entry("root", "mri-3", "", State::Askable)])).sees("sending the request");
    desk.hears(view(vec![entry("root", "mri-3", "", pending("r7"))])).sees("waiting for approval since 3 minutes");
    assert_eq!(desk.cursor(), None, "nothing is typed here");
    let before = desk.screen();
    desk.waits(300);
    assert_ne!(desk.screen(), before, "the sign turns");
    desk.hears(view(vec![entry("root", "mri-3", "", live())])).sees("Approved by ben: Enter connects.").sees("Connecting in 3 s");
    desk.waits(2000).sees("Connecting in 1 s");
    assert_eq!(desk.actions.len(), 1);
    desk.waits(10_000);
    assert_eq!(desk.actions[1..], [connect("root", "mri-3")]);
}

#[test]
fn a_connection_that_has_ended_is_not_connected_by_the_countdown() {
    let mut desk = asked(State::Askable);
    desk.hears(view(vec![entry("root", "mri-3", "", live())]));
    assert!(!desk.menu.leave().is_empty());
    desk.waits(10_000);
    assert_eq!(desk.actions.len(), 1);
}

#[test]
fn a_key_stops_the_countdown_and_enter_still_connects() {
    let mut desk = asked(State::Askable);
    desk.hears(view(vec![entry("root", "mri-3", "", live())])).types("x").sees_no("Connecting").waits(10_000);
    assert_eq!(desk.actions.len(), 1);
    desk.sees("Enter connects").types("\r");
    assert_eq!(desk.actions[1..], [connect("root", "mri-3")]);
}

#[test]
fn a_denial_of_before_is_not_taken_for_the_answer() {
    let denied =
        |request: &str, reason: &str| State::Denied { request: request.to_owned(), by: "eve".to_owned(), reason: reason.to_owned() };
    let mut desk = asked(denied("r1", "too vague"));
    desk.hears(view(vec![entry("root", "mri-3", "", denied("r1", "too vague"))])).sees("sending the request");
    desk.hears(view(vec![entry("root", "mri-3", "", denied("r2", "not during surgery"))]));
    desk.sees("Denied by eve.").sees("Reason: not during surgery").types("\r").sees("Ask for root@mri-3").sees("not during surgery");
}

#[test]
fn a_request_nobody_answered_may_be_made_again() {
    let mut desk = asked(State::Askable);
    desk.hears(view(vec![entry("root", "mri-3", "", State::Expired { request: "r7".to_owned() })])).sees("Nobody answered").types("\r");
    desk.sees("Ask for root@mri-3");
}

#[test]
fn a_request_that_failed_brings_its_form_back() {
    let mut desk = asked(State::Askable);
    let out = desk.menu.notice(Notice::Error("the database is away; try again".to_owned()));
    desk.take(out);
    desk.sees("Error: the database is away; try again").sees(REASON).types("\r");
    assert_eq!(desk.actions, [ask("root", "mri-3", 60, &["shell", "exec"]), ask("root", "mri-3", 60, &["shell", "exec"])]);
}

#[test]
fn a_request_on_its_way_is_not_sent_twice() {
    let mut desk = asked(State::Askable);
    desk.types("\x1b").waits(200).types("\r").sees("sending the request").types("\r\r\r");
    assert_eq!(desk.actions.len(), 1);
}

#[test]
fn a_request_is_withdrawn_after_a_question_and_once() {
    let mut desk = Desk::new(80, 24, some());
    desk.types("pacs\r")
        .sees("waiting for approval")
        .types("w")
        .sees("Withdraw this request?")
        .types("n")
        .sees_no("Withdraw this request?");
    assert!(desk.actions.is_empty());
    desk.types("wywywy");
    assert_eq!(desk.actions, [Action::Withdraw { request: "r1".to_owned() }]);
    desk.hears(view(vec![entry("root", "pacs-db", "", State::Askable)])).sees("there is no request any more").sees("may be asked for");
}

#[test]
fn an_approval_that_comes_while_something_else_is_done_only_says_so() {
    let mut desk = Desk::new(80, 24, some());
    let mut approved = some();
    approved.entries[2].state = live();
    desk.hears(approved).sees("root@pacs-db is approved").waits(10_000);
    assert!(desk.actions.is_empty());
}

#[test]
fn a_grant_that_ended_meanwhile_is_not_connected() {
    let mut desk = Desk::new(80, 24, some());
    desk.now += std::time::Duration::from_secs(52 * 60);
    desk.waits(50).sees("ended at 16:00 UTC").types("\r").sees("Ask for service@lab-1");
    assert!(desk.actions.is_empty());
}

#[test]
fn what_may_not_be_asked_for_has_no_form() {
    let mut closed = entry("root", "mri-3", "", State::Askable);
    closed.capabilities.clear();
    let mut desk = Desk::new(80, 24, view(vec![closed]));
    desk.sees("may not be asked for").types("\r").sees("root@mri-3 may not be asked for").sees_no("Reason");
}

#[test]
fn the_keys_are_told_page_by_page() {
    let mut desk = Desk::new(80, 24, some());
    desk.types("?").sees("w withdraws the request").types("x").sees("> service@lab-1").sees("Search:\n");
    let mut small = Desk::new(20, 4, some());
    small.types("?").sees("type: search").types("\r").sees_no("type: search").types("\x1b").waits(200).sees("> service");
}

#[test]
fn without_colour_no_colour_is_drawn_and_the_words_are_the_same() {
    let draw = |colour| {
        let mut desk = Desk::with(Options { cols: 80, rows: 24, colour }, some());
        desk.types(DOWN).types("mri\r").types("\r");
        (desk.screen(), String::from_utf8(desk.raw).unwrap_or_default())
    };
    let ((with, coloured), (without, plain)) = (draw(true), draw(false));
    assert_eq!(with, without);
    let has_colour = |bytes: &str| ["\x1b[0;31m", "\x1b[0;32m", "\x1b[0;33m"].iter().any(|c| bytes.contains(c));
    assert!(has_colour(&coloured) && !has_colour(&plain));
}

#[test]
fn only_what_differs_is_drawn() {
    let mut desk = Desk::new(200, 60, some());
    let whole = desk.raw.len();
    desk.raw.clear();
    desk.waits(500);
    assert!(desk.raw.is_empty(), "a page where nothing changes is not drawn");
    desk.types("m");
    assert!(!desk.raw.is_empty() && desk.raw.len() < whole, "{} of {whole} bytes", desk.raw.len());
    desk.raw.clear();
    desk.types("\x0c");
    assert!(desk.raw.starts_with(b"\x1b[?25l\x1b[0m\x1b[2J"), "Ctrl-L draws all");
}

#[test]
fn names_from_a_database_cannot_draw() {
    let evil = "\x1b[2J\x1b]0;owned\x07\u{9b}31m\r\n\u{202e}evil";
    let mut hostile = entry(evil, evil, evil, State::Denied { request: evil.to_owned(), by: evil.to_owned(), reason: evil.to_owned() });
    hostile.capabilities.push(evil.to_owned());
    let mut all = view(vec![hostile]);
    all.person = evil.to_owned();
    let mut desk = Desk::new(80, 24, all.clone());
    let out = desk.menu.notice(Notice::Error(evil.to_owned()));
    desk.take(out);
    desk.types("\r").types(REASON);
    let raw = String::from_utf8(desk.raw.clone()).unwrap_or_default();
    assert!(
        raw.contains("evil") && !raw.contains("\x1b]") && !raw.chars().any(|c| c.is_control() && c != '\x1b') && !raw.contains('\u{202e}')
    );
    let listed = plain_list(&all, 80);
    assert!(listed.contains("evil") && !listed.chars().any(|c| c.is_control() && c != '\n'));
}

#[test]
fn wide_letters_and_marks_keep_the_columns() {
    let mut desk =
        Desk::new(40, 6, view(vec![entry("root", "検査装置検査装置検査装置検査装置", "", live()), entry("ré\u{301}", "b", "", live())]));
    let rows = desk.rows();
    assert!(rows[1].ends_with(" 52 min") && rows[2].ends_with(" 52 min"), "{rows:?}");
    desk.types("装置").sees("> root@検査").sees_no("@b");
}

#[test]
fn a_terminal_that_counts_letters_otherwise_loses_no_column_after_them() {
    let desk = Desk::new(80, 24, view(vec![entry("root", "αβ", "", live())]));
    let raw = String::from_utf8(desk.raw).unwrap_or_default();
    assert!(raw.contains("α\x1b[4;9Hβ\x1b[4;10H"), "each place is named: {raw:?}");
}

#[test]
fn the_plain_list_has_the_commands_to_type() {
    let listed = plain_list(&some(), 80);
    for line in [
        "Anteroom: what Ada may reach, at 15:08 UTC\n",
        "\nOpen now\n  service@lab-1: until 16:00 UTC, 52 minutes left\n    Blood gas analyser\n",
        "\nWaiting for approval\n  root@pacs-db: waiting for approval since 3 minutes\n",
        "  root@ct-2: denied by eve\n    reason: not now\n",
        "\nTo connect:\n  ssh service@lab-1@gate.example\n",
        "\nTo ask for access:\n  ssh -t gate.example\n",
    ] {
        assert!(listed.contains(line), "{line:?} is not in\n{listed}");
    }
    assert!(!listed.contains("ssh root@mri-3"), "what is not open has no command");
    let narrow = plain_list(&some(), 20);
    assert!(narrow.contains("ssh service@lab-1@gate.example\n"), "a command is never broken");
    assert!(narrow.lines().all(|l| l.len() <= 20 || l.starts_with("  ssh ")), "{narrow}");
    assert!(
        plain_list(&view(vec![entry("a;b", "x$(y)", "", State::Live { ends_at: NOW + 60, approved_by: None })]), 80)
            .contains("ssh 'a;b@x$(y)@gate.example'")
    );
}
