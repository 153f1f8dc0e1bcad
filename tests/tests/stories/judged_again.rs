//! What people's access stands on becomes otherwise while they work, on two gateways with one Postgres: who has to be watched by then stands
//! still until somebody watches, whom something was taken from is out, and who may less by then is told to begin anew.
use anteroom_tests::harness::{Cluster, Person, SecondGateway, Ssh, SshSession, World, WorldOptions, wait_for};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// "Within a second" on a machine that is busy with the other stories.
const AT_ONCE: Duration = Duration::from_secs(3);
const COMPANY: &str = "Made-up Imaging";

/// ada, who may connect, ben, who approves and watches, and both gateways. In the order in which it is taken down.
struct Hospital {
    second: SecondGateway,
    w: World,
    ada: Person,
    ben: Person,
    _cluster: Cluster,
}

impl Hospital {
    fn start() -> Self {
        let cluster = Cluster::start().unwrap();
        let database = format!("url = \"{}\"\nowner_url = \"{}\"", cluster.url("anteroom_app"), cluster.url("anteroom_owner"));
        let w = World::with(WorldOptions { database: Some(database), ..Default::default() }).unwrap();
        let second = w.second_gateway().unwrap();
        let (ada, ben) = w.ada_and_ben().unwrap();
        Self { second, w, ada, ben, _cluster: cluster }
    }

    /// Through the first gateway, or the second.
    fn ssh(&self, who: &Person, login: &str, second: bool) -> Ssh {
        let ssh = self.w.ssh(who).unwrap().login(login);
        if second { ssh.option("-p").option(&self.second.ssh_port().to_string()) } else { ssh }
    }

    /// A shell on each gateway.
    fn shells(&self, who: &Person, logins: [&str; 2]) -> [SshSession; 2] {
        [0, 1].map(|n| {
            let shell = self.ssh(who, logins[n], n == 1).terminal(80, 24).spawn().unwrap();
            shell.expect("target$").unwrap();
            shell
        })
    }

    /// The hospital's policy, and this beside it, count from now on.
    fn policy(&self, more: &str) {
        let text = format!("{}\n{more}", self.w.cli.good(&["policy", "default"]).unwrap());
        let file = self.w.dir.join("story.cedar");
        std::fs::write(&file, text).unwrap();
        self.w.cli.good(&["policy", "set", file.to_str().unwrap(), "--note", "for a story"]).unwrap();
    }

    fn running(&self) -> Vec<String> {
        let all = self.w.sessions().unwrap();
        all.iter().filter(|s| s["ended_at"].is_null()).filter_map(|s| s["id"].as_str().map(str::to_owned)).collect()
    }

    /// Watches these sessions by the portal's interface, as the page's script does, until it is said to be over.
    fn watch(&self, sessions: &[String], over: &AtomicBool) {
        let join = |id: &String| {
            let joined = self.ben.post_json(&format!("/supervise/{id}/join"), &serde_json::json!({})).unwrap();
            (id.clone(), joined.good("join").unwrap().json().unwrap()["seat"].clone())
        };
        let seats: Vec<_> = sessions.iter().map(join).collect();
        while !over.load(Ordering::SeqCst) {
            for (id, seat) in &seats {
                let answer = self.ben.post_json(&format!("/supervise/{id}/renew"), &serde_json::json!({ "seat": seat })).unwrap();
                assert_eq!(answer.json().unwrap()["watching"], true);
            }
            std::thread::sleep(Duration::from_millis(700));
        }
    }

    /// What both shells say within a second of `change`.
    fn both_say(&self, shells: &[SshSession; 2], text: &str, change: impl FnOnce()) {
        change();
        let told = Instant::now();
        shells.iter().for_each(|s| s.expect(text).unwrap());
        assert!(told.elapsed() < AT_ONCE, "{text:?} took {:?}", told.elapsed());
    }

    /// `change` ends both sessions, with these words.
    fn both_end(&self, mut shells: [SshSession; 2], why: &str, change: impl FnOnce()) {
        change();
        let told = Instant::now();
        shells.iter_mut().for_each(|s| _ = s.ended(Duration::from_secs(15)).unwrap());
        assert!(told.elapsed() < AT_ONCE, "{why:?} took {:?}", told.elapsed());
        for s in shells {
            let out = s.outcome(Duration::from_secs(1)).unwrap();
            assert!(out.said().contains(why), "expected {why:?} in {:?}", out.said());
        }
    }
}

/// Types it, and says whether the target answered.
fn answers(shell: &mut SshSession, word: &str) -> bool {
    let (front, back) = word.split_at(3);
    shell.write(&format!("echo {front}''{back}\n")).unwrap();
    shell.expect(word).is_ok()
}

#[test]
fn a_device_that_comes_into_clinical_use_has_whoever_works_on_it_watched_from_then_on() {
    let h = Hospital::start();
    let w = &h.w;
    // The same machine once more, as a medical device.
    let (port, account) = (w.target.port.to_string(), w.target.account.clone());
    w.cli.good(&["target", "add", "mri-3", "--host", "127.0.0.1", "--port", &port, "--kind", "medical-device"]).unwrap();
    w.cli.good_with(&["target", "pin", "mri-3"], w.target.host_key.as_bytes()).unwrap();
    w.cli.good_with(&["target", "credential", "mri-3", &account, "--kind", "key"], w.target.account_key().unwrap().as_bytes()).unwrap();
    h.ben.approve(&h.ada.request("mri-3", &account).unwrap()).unwrap();
    let login = format!("{account}@mri-3");
    let mut shells = h.shells(&h.ada, [&login, &login]);
    assert!(shells.iter_mut().all(|s| answers(s, "alone")));

    let used = |state| w.cli.good(&["target", "clinical-use", "mri-3", state]).map(drop).unwrap();
    h.both_say(&shells, "nobody watches this session", || used("in_use"));
    shells.iter().for_each(|s| s.expect("from now on somebody has to watch this session").unwrap());
    shells.iter_mut().for_each(|s| s.write("echo unwat''ched\n").unwrap());
    std::thread::sleep(Duration::from_secs(1));

    let over = AtomicBool::new(false);
    std::thread::scope(|all| {
        all.spawn(|| h.watch(&h.running(), &over));
        // Whatever happens, ben does not watch for ever.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            shells.iter().for_each(|s| s.expect("a supervisor watches this session").unwrap());
            assert!(shells.iter_mut().all(|s| answers(s, "watched")));
            // Longer than a lease; and what is no longer asked is asked of a running session all the same.
            used("idle");
            std::thread::sleep(Duration::from_secs(5));
            assert!(shells.iter_mut().all(|s| answers(s, "renewed")));
        }));
        over.store(true, Ordering::SeqCst);
        done.unwrap();
    });
    let left = Instant::now();
    for s in &shells {
        let again = || Ok((s.said().matches("nobody watches this session").count() == 2).then_some(()));
        wait_for("it stands still again", Duration::from_secs(6), again).unwrap();
        assert!(!s.said().contains("unwatched"), "{}", s.said());
    }
    assert!(left.elapsed() < Duration::from_secs(6));
    let anew = h.ssh(&h.ada, &login, true).command("echo by oneself").run().unwrap();
    assert!(anew.text().contains("by oneself"), "lifted with the next connection: {}", anew.said());
    let what: Vec<_> = w.audited("supervision").unwrap().iter().map(|e| e["what"].as_str().unwrap().to_owned()).collect();
    for (event, times) in [("required", 2), ("joined", 2), ("goes_on", 2), ("stands_still", 2)] {
        assert_eq!(what.iter().filter(|w| *w == event).count(), times, "{event} in {what:?}");
    }
}

#[test]
fn policies_groups_grants_and_companies_that_change_reach_sessions_on_both_gateways() {
    let h = Hospital::start();
    let (w, login) = (&h.w, h.w.login());
    let logins = [login.as_str(), login.as_str()];
    let cli = |args: &[&str]| w.cli.good(args).map(drop).unwrap();

    // Asked for by a policy, with the same effect as by a switch.
    let shells = h.shells(&h.ada, logins);
    let oblige = |what: &str| format!("@id(\"more\") {what} permit (principal, action == Action::\"oblige\", resource);");
    h.both_say(&shells, "nobody watches this session", || h.policy(&oblige("@supervise")));
    // And a network that it lets in no more.
    let network = "@id(\"network\") forbid (principal, action == Action::\"connect\", resource)
                   when { context has source && context.source.isInRange(ip(\"127.0.0.0/8\")) };";
    h.both_end(shells, "policy no longer allows it", || h.policy(network));
    h.policy("");

    // What a running session cannot be given.
    let anew = "policy has come to ask for more than this session has; connect again";
    h.both_end(h.shells(&h.ada, logins), anew, || h.policy(&oblige("@live_mask")));
    let masked = h.shells(&h.ada, logins);
    h.both_end(masked, anew, || h.policy(&oblige("@capabilities(\"exec\")")));
    let refused = h.ssh(&h.ada, &login, false).terminal(80, 24).run().unwrap();
    assert!(!refused.said().contains("target$"), "{}", refused.said());
    h.policy("@id(\"night\") forbid (principal, action == Action::\"connect\", resource) unless { principal in Group::\"night\" };");
    cli(&["person", "set", "ada", "--group", "night"]);
    h.both_end(h.shells(&h.ada, logins), "policy no longer allows it", || cli(&["person", "set", "ada", "--no-group"]));
    h.policy("");

    // Her one grant is taken back.
    let grants: Vec<serde_json::Value> = serde_json::from_str(&w.cli.good(&["grant", "list", "--live", "--json"]).unwrap()).unwrap();
    let id = grants[0]["id"].as_str().unwrap();
    h.both_end(h.shells(&h.ada, logins), "the grant was revoked", || cli(&["grant", "revoke", id]));

    // A vendor's person, one session on each of two devices, alone: the hospital and its company's terms let her.
    let other = w.add_target("ct-console-2", "").unwrap();
    let vera = w.admin("vera").unwrap();
    let second = format!("{}@{}", other.account, other.name);
    for target in [&w.target, &other] {
        h.ben.approve(&vera.request(&target.name, &target.account).unwrap()).unwrap();
    }
    let alone = w.cli.good(&["policy", "default"]).unwrap().replacen("@supervise\n@ticket\n", "@ticket\n", 1);
    let file = w.dir.join("alone.cedar");
    std::fs::write(&file, alone).unwrap();
    cli(&["policy", "set", file.to_str().unwrap()]);
    cli(&["company", "add", COMPANY, "--until", "2099-12-31"]);
    cli(&["company", "set", COMPANY, "--supervised", "false"]);
    cli(&["person", "set", "vera", "--company", COMPANY]);
    for target in [&w.target.name, &other.name] {
        cli(&["company", "keeps", COMPANY, target]);
    }
    let shells = h.shells(&vera, [&login, &second]);
    h.both_say(&shells, "nobody watches this session", || cli(&["company", "set", COMPANY, "--supervised", "true"]));
    h.both_end(shells, "access was locked", || cli(&["lock", "company", COMPANY, "--reason", "their laptops were stolen"]));

    let ended = w.audited("session_ended").unwrap();
    let count = |reason: &str| ended.iter().filter(|e| e["reason"] == reason).count();
    for (reason, times) in [("policy_denied", 4), ("policy_asks_more", 4), ("grant_revoked", 2), ("locked", 2)] {
        assert_eq!(count(reason), times, "{reason} in {ended:?}");
    }
}
