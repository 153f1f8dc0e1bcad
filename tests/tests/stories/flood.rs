//! Somebody's browser asks for access a thousand times, as fast as it can: nobody else notices. Real HTTP, real ssh beside it.
use anteroom_tests::harness::World;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

const ASKED: usize = 1000;
/// Far more than a key takes to come back on a busy machine, far less than a flood lasts.
const AT_MOST: Duration = Duration::from_secs(3);

#[test]
fn a_thousand_requests_over_http_change_nothing_for_anybody_else() {
    let w = World::start().unwrap();
    let (ada, ben) = w.ada_and_ben().unwrap();
    let (eve, cleo) = (w.admin("eve").unwrap(), w.admin("cleo").unwrap());
    let mut ssh = w.ssh(&ada).unwrap().terminal(80, 24).spawn().unwrap();
    ssh.expect("target$ ").unwrap();
    let (asked, answers) = (AtomicUsize::new(0), Mutex::new(BTreeMap::<u16, usize>::new()));
    let fields = [("target", w.target.name.as_str()), ("account", &w.target.account), ("reason", "again and again"), ("window", "1")];
    let (mut slowest, mut granted) = (Duration::ZERO, 0);
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                while asked.fetch_add(1, Ordering::SeqCst) < ASKED {
                    let status = eve.post_form("/requests", &fields).map_or(0, |a| a.status);
                    *answers.lock().unwrap().entry(status).or_default() += 1;
                }
            });
        }
        let mut n = 0;
        while asked.load(Ordering::SeqCst) < ASKED {
            n += 1;
            let began = Instant::now();
            ssh.write(&format!("echo line' '{n}.\n")).unwrap();
            ssh.expect(&format!("line {n}.")).unwrap();
            slowest = slowest.max(began.elapsed());
            if n % 4 == 1 && granted < 3 {
                let request = cleo.request(&w.target.name, &w.target.account).unwrap();
                ben.approve(&request).unwrap();
                granted += 1;
            }
        }
    });
    let answers = answers.into_inner().unwrap();
    let of = |status: u16| answers.get(&status).copied().unwrap_or(0);
    assert!(of(303) <= 60 && of(429) >= ASKED - 100, "{answers:?}");
    assert_eq!(of(303) + of(429), ASKED, "{answers:?}");
    assert!(granted > 0, "nobody else was served meanwhile");
    assert!(slowest < AT_MOST, "a key took {slowest:?} to come back");
    let lines = w.audited("requests").unwrap().iter().filter(|e| e["of"] == "throttled").count();
    assert!((1..=3).contains(&lines), "{lines} lines in the log");
    ssh.write("exit\n").unwrap();
    ssh.outcome(Duration::from_secs(20)).unwrap();
}
