//! Policy has patient data masked in an admin's own terminal; a grant with `unmask` lifts that. Real ssh, a pty, a real shell, less and vi.
use anteroom_tests::harness::{Person, SshSession, World};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

/// What a hospital's database shows. Nobody in it exists.
const PATIENTS: &str = r"     mrn     |   patient_name   | date_of_birth |     ssn     |     phone      |  ward  |      diagnosis
-------------+------------------+---------------+-------------+----------------+--------+----------------------
 MRN-4700037 | Fausto Example   | 1933-11-15    | 913-17-6173 | (202) 555-0117 | ward 2 | invented cough
 MRN-4700074 | Mockeline Sample | 1936-07-19    | 926-24-2346 | (202) 555-0134 | ward 3 | fictional fracture
 MRN-4700111 | Samplon Notreal  | 1939-03-23    | 939-31-8519 | (202) 555-0151 | ward 4 | pretend hypertension
(3 rows)

";
const SECRET: [&str; 9] = ["4700037", "4700111", "Fausto", "Mockeline", "Notreal", "1933-11-15", "913-17-6173", "926-24-2346", "555-0151"];
const PLAIN: [&str; 6] = ["patient_name", "diagnosis", "ward 2", "invented cough", "pretend hypertension", "(3 rows)"];

const MASKED: &str = r#"
@id("masked")
@reason("Patient data is masked for everybody here.")
@live_mask
permit (principal, action == Action::"oblige", resource);
"#;

fn terminal(w: &World, who: &Person) -> SshSession {
    let ssh = w.ssh(who).unwrap().terminal(140, 40).spawn().unwrap();
    ssh.expect("target$").unwrap();
    ssh
}

/// Types a word key by key and says how long each took to come back.
fn echo_times(ssh: &mut SshSession, word: &str) -> Vec<Duration> {
    let mut times = Vec::new();
    for key in word.chars() {
        let before = ssh.stdout().len();
        let typed = Instant::now();
        ssh.write(&key.to_string()).unwrap();
        while ssh.stdout().len() == before && typed.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_micros(200));
        }
        times.push(typed.elapsed());
        std::thread::sleep(Duration::from_millis(60));
    }
    times.sort_unstable();
    times
}

#[test]
fn an_admin_works_without_learning_whose_data_it_is_until_unmask_is_granted() {
    let w = World::start().unwrap();
    let psql = w.target.dir.join("patients");
    fs::write(&psql, format!("#!/bin/sh\ncat <<'END'\n{PATIENTS}END\n")).unwrap();
    fs::set_permissions(&psql, fs::Permissions::from_mode(0o755)).unwrap();
    let file = w.target.dir.join("report.txt");
    fs::write(&file, format!("Report of the night\n{PATIENTS}End of the report\n")).unwrap();

    w.add_to_policy(MASKED).unwrap();
    let (ada, ben) = w.ada_and_ben().unwrap();

    let mut ssh = terminal(&w, &ada);
    ssh.expect("patient data is masked in what you see").unwrap();
    ssh.write(&format!("{}\n", psql.display())).unwrap();
    ssh.expect("(3 rows)").unwrap();
    ssh.write("echo 'Fausto Example called'; echo uptime' 'checked\n").unwrap();
    ssh.expect("uptime checked").unwrap();

    let times = echo_times(&mut ssh, "echo nothing to see here");
    assert!(times[times.len() / 2] < Duration::from_millis(50), "{times:?}");
    ssh.write("\n").unwrap();

    // A pager takes the whole screen and gives it back.
    ssh.write(&format!("LESS= TERM=xterm less {}\n", file.display())).unwrap();
    ssh.expect("\u{1b}[?1049h").unwrap();
    ssh.expect("Report of the night").unwrap();
    ssh.write("q").unwrap();
    ssh.expect("\u{1b}[?1049l").unwrap();
    ssh.write("echo less' 'left\n").unwrap();
    ssh.expect("less left").unwrap();
    // Where the cursor is, the gateway answers.
    ssh.write("printf '\\033[6n'; IFS= read -rsd R where && echo \"at${where#*[}.\"\n").unwrap();
    std::thread::sleep(Duration::from_millis(500));
    ssh.write("\n").unwrap();
    let shown = ssh.said();
    for secret in SECRET {
        assert!(!shown.contains(secret), "{secret} was shown:\n{shown}");
    }
    for plain in PLAIN {
        assert!(shown.contains(plain), "{plain:?} was not readable:\n{shown}");
    }
    assert!(shown.contains('█'), "{shown}");
    ssh.write("exit\n").unwrap();
    assert_eq!(ssh.outcome(Duration::from_secs(20)).unwrap().status, Some(0));
    w.sealed_session().unwrap();

    // A command without a terminal, line by line; what cannot be masked is refused in words.
    let out = w.ssh(&ada).unwrap().command(&psql.display().to_string()).run().unwrap();
    assert_eq!(out.status, Some(0), "{}", out.said());
    assert!(out.text().contains("invented cough") && out.text().contains('█'), "{}", out.said());
    for secret in SECRET {
        assert!(!out.said().contains(secret), "{secret}: {}", out.said());
    }
    let out = w.ssh(&ada).unwrap().command("scp -f /etc/hostname").run().unwrap();
    assert_eq!(out.status, Some(255), "{}", out.said());
    assert!(out.said().contains("while patient data is masked") && out.said().contains("unmask"), "{}", out.said());

    // The sealed recording holds what the target sent: the masked one says how many it hid.
    let counts = w.sealed_session().unwrap();
    assert!(!counts["id"].is_null());
    let sealed = w.audited("recording_sealed").unwrap();
    assert!(sealed.iter().any(|e| e["mask_counts"]["mrn"].as_u64() >= Some(3)), "the recorder got the raw output: {sealed:?}");

    // Asked for and approved like anything else.
    let request = ada.request_for(&w.target.name, &w.target.account, &["shell", "exec", "unmask"]).unwrap();
    ben.approve(&request).unwrap();
    let mut ssh = terminal(&w, &ada);
    ssh.write(&format!("{}\n", psql.display())).unwrap();
    ssh.expect("(3 rows)").unwrap();
    let shown = ssh.said();
    for secret in SECRET {
        assert!(shown.contains(secret), "{secret} is hidden in spite of the grant:\n{shown}");
    }
    assert!(!shown.contains("patient data is masked"), "{shown}");
    ssh.write("exit\n").unwrap();
    ssh.outcome(Duration::from_secs(20)).unwrap();
}
