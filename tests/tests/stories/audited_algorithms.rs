//! `ssh-audit` finds nothing to complain about in what the gateway offers to clients (THREATS 8).
use anteroom_tests::harness::{World, venv};
use serde_json::Value;
use std::process::Command;

/// ssh-audit from 3.4 on marks every exchange without ML-KEM or NTRU. Ours comes first, and the clients of today's long-lived systems
/// (PuTTY 0.78, dropbear 2022, paramiko) have curve25519 at best: without it they could not connect at all.
const FOR_OLDER_CLIENTS: [&str; 2] = ["curve25519-sha256", "curve25519-sha256@libssh.org"];
const NOT_POST_QUANTUM: &str = "does not provide protection against post-quantum attacks";

#[test]
fn ssh_audit_finds_no_failure_and_no_warning() {
    let w = World::start().unwrap();
    // Its rate test calls more than 20 connections a second from one address a fault; a hospital's ansible makes 200 from behind one.
    // What bounds them here is how many may wait unauthenticated: `enforcement/limits`, with tests of its own.
    let out = Command::new(venv("ssh-audit").unwrap())
        .args(["--json", "--skip-rate-test", "--timeout=10", "--port"])
        .arg(w.ssh_port().to_string())
        .arg("127.0.0.1")
        .output()
        .unwrap();
    let said: Value = serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)));
    let mut complaints = Vec::new();
    for kind in ["kex", "key", "enc", "mac"] {
        let offered = said[kind].as_array().unwrap_or_else(|| panic!("ssh-audit saw no {kind}: {said}"));
        assert!(!offered.is_empty(), "no {kind}");
        for algorithm in offered {
            for level in ["fail", "warn"] {
                let name = algorithm["algorithm"].as_str().unwrap_or_default();
                for note in algorithm["notes"][level].as_array().into_iter().flatten() {
                    if !(note == NOT_POST_QUANTUM && FOR_OLDER_CLIENTS.contains(&name)) {
                        complaints.push(format!("{kind} {name}: {level}: {note}"));
                    }
                }
            }
        }
    }
    complaints.extend(said["cves"].as_array().into_iter().flatten().map(|c| format!("known weakness: {c}")));
    assert!(complaints.is_empty(), "ssh-audit complains:\n{}", complaints.join("\n"));
    assert_eq!(said["kex"][0]["algorithm"], "mlkem768x25519-sha256", "what resists quantum computers comes first");
    // 1 and 3 are "cannot connect" and a failure; 2 is the warning above.
    assert!(matches!(out.status.code(), Some(0 | 2)), "{said:#}");
}
