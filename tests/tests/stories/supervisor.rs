//! A supervisor writes to somebody who is connected, from the command line.
use anteroom_tests::harness::{World, wait_for};
use std::time::Duration;

fn live(w: &World, n: usize) -> Vec<String> {
    let ids = || -> anyhow::Result<Vec<String>> {
        let all = w.sessions()?.into_iter().filter(|s| s["ended_at"].is_null());
        Ok(all.filter_map(|s| s["id"].as_str().map(str::to_owned)).collect())
    };
    wait_for("the sessions", Duration::from_secs(10), || Ok(Some(ids()?).filter(|i| i.len() == n))).unwrap()
}

#[test]
fn a_message_stands_in_the_terminal_and_whoever_wrote_it_knows_whether_it_was_read() {
    let w = World::start().unwrap();
    let (ada, _ben) = w.ada_and_ben().unwrap();
    let mut shell = w.ssh(&ada).unwrap().terminal(80, 24).spawn().unwrap();
    shell.write("echo at wo''rk\n").unwrap();
    shell.expect("at work").unwrap();
    let [session] = &live(&w, 1)[..] else { panic!() };
    let write = |session: &str, text: &str, by: &str| w.cli.run(&["session", "message", session, text, "--as", by]).unwrap();

    let said = write(session, "please  finish:\tthe ward needs it", "ben");
    assert_eq!(said.code, Some(0), "{}", said.said());
    shell.expect("anteroom: message from Ben Example: please finish: the ward needs it").unwrap();
    let piped = w.cli.good_with(&["session", "message", session, "-", "--as", "ben"], b"call me\n").unwrap();
    assert!(piped.contains("in their terminal"), "{piped}");
    shell.expect("message from Ben Example: call me").unwrap();
    let lines = w.audited("message_sent").unwrap();
    assert!(lines.len() == 2 && lines.iter().all(|l| l["session"] == session.as_str()), "{lines:?}");
    assert!(!format!("{:?}{}", w.audit().unwrap(), w.gateway_log()).contains("the ward needs"), "the text is in a log");
    assert_eq!(w.sql("select count(*) from session_message").unwrap().trim(), "0", "the text stayed in the database");

    for (text, by, code, why) in [
        ("\u{1b}[2J", "ben", 2, "only printable text"),
        ("  ", "ben", 2, "write what they should read"),
        ("hello", "ada", 1, "may not do this"),
        ("hello", "nobody", 1, "there is no person"),
    ] {
        let refused = write(session, text, by);
        assert!(refused.code == Some(code) && refused.stderr.contains(why), "{text:?}: {:?} {}", refused.code, refused.said());
    }
    shell.write("exit\n").unwrap();
    shell.ended(Duration::from_secs(10)).unwrap();
    w.sealed_session().unwrap();
    let late = write(session, "hello", "ben");
    assert!(late.code == Some(1) && late.stderr.contains("the session is over"), "{}", late.said());

    // Nothing is mixed into the output of a program, and the supervisor is not told otherwise.
    let program = w.ssh(&ada).unwrap().command("echo begun; cat").spawn().unwrap();
    program.expect("begun").unwrap();
    let unread = write(&live(&w, 1)[0], "hello", "ben");
    assert!(unread.code == Some(1) && unread.stderr.contains("no terminal open"), "{}", unread.said());
    let out = program.finish(Duration::from_secs(10)).unwrap();
    assert_eq!((out.status, out.text().as_str()), (Some(0), "begun\n"));
    assert_eq!(w.audited("message_sent").unwrap().len(), 2, "what nobody read was not said");
}
