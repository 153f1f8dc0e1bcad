#![allow(clippy::unwrap_used)]
use super::*;

fn caps(texts: &[&str]) -> Capabilities {
    Capabilities::parse(texts).unwrap()
}

#[test]
fn a_capability_reads_as_it_was_written() {
    for text in [
        "shell",
        "exec",
        "exec:systemctl restart *",
        "download",
        "upload",
        "download:/var/log/**",
        "download:**;max=10MiB",
        "upload:/srv/in/*.hl7;max=1500;keep",
        "local-forward:*",
        "local-forward:db.internal:5432",
        "local-forward:*.internal:*",
        "local-forward:[2001:db8::1]:443",
        "remote-forward:localhost:8080",
        "local-socket:/run/app.sock",
        "remote-socket:/run/user/*/x.sock",
        "agent-forwarding",
        "x11-forwarding",
        "subsystem:netconf",
        "desktop",
        "clipboard-to-target",
        "clipboard-to-target:max=64KiB",
        "clipboard-from-target",
        "clipboard-from-target:max=1MiB",
        "drives",
        "printers",
        "smart-cards",
        "ports",
        "usb",
        "audio-out",
        "audio-in",
        "dynamic-channel:Microsoft::Windows::RDS::Geometry::v08.01",
    ] {
        let c: Capability = text.parse().unwrap();
        assert_eq!(c.to_string(), text);
        assert_eq!(serde_json::to_string(&c).unwrap(), format!("\"{text}\""));
    }
}

#[test]
fn what_is_not_understood_is_refused() {
    for text in [
        "",
        "Shell",
        "shell:x",
        "exec:",
        "download:var/log",
        "download:/a/../b",
        "download:/a;max=x",
        "upload:/a;why",
        "local-forward",
        "local-forward:db",
        "local-forward:db:99999",
        "local-forward:d b:1",
        "subsystem:sftp",
        "subsystem:a b",
        "agent-forwarding:x",
        "exec:a\nb",
        "desktop:x",
        "clipboard-to-target:",
        "clipboard-to-target:64KiB",
        "clipboard-to-target:max=0",
        "clipboard-from-target:max=2MiB",
        "clipboard-from-target:keep",
        "drives:C",
        "audio",
        "dynamic-channel",
        "dynamic-channel:",
        "dynamic-channel:a b",
        "dynamic-channel:a\u{202e}b",
    ] {
        assert!(text.parse::<Capability>().is_err(), "{text}");
    }
    assert!(Capabilities::from_names(&["shell", "fly"]).is_none());
}

#[test]
fn nothing_is_implied() {
    let c = caps(&["shell"]);
    assert!(c.shell() && !c.exec(b"id") && !c.files(Direction::Download) && !c.subsystem("netconf"));
    assert!(!c.local_forward("localhost", 80) && !c.remote_forward("localhost", 80) && !c.local_socket("/x"));
    assert!(!Capabilities::default().shell());
    assert!(!caps(&["download"]).files(Direction::Upload));
}

#[test]
fn a_command_pattern_lets_in_no_shell_syntax_no_second_word_and_no_option() {
    let c = caps(&["exec:systemctl restart *", "exec:/usr/bin/tail -n * /var/log/app-*.log", "exec:uptime"]);
    for yes in ["systemctl restart nginx", "systemctl restart a@b.service", "/usr/bin/tail -n 50 /var/log/app-x.log", "uptime"] {
        assert!(c.exec(yes.as_bytes()), "{yes}");
    }
    for no in [
        "systemctl restart",
        "systemctl restart ",
        "systemctl restart nginx; id",
        "systemctl restart nginx && id",
        "systemctl restart $(id)",
        "systemctl restart `id`",
        "systemctl restart nginx sshd",
        "systemctl restart --root=/x",
        "systemctl restart nginx\nid",
        "systemctl  restart nginx",
        "uptime -p",
        " uptime",
        "/usr/bin/tail -n -f /var/log/app-x.log",
        "/usr/bin/tail -n 5 /var/log/app-x.log.gz",
        "",
    ] {
        assert!(!c.exec(no.as_bytes()), "{no}");
    }
    assert!(!c.exec(b"uptime\xff") && caps(&["exec"]).exec(b"\xff"));
}

#[test]
fn a_path_pattern_holds_for_normal_absolute_paths_only() {
    let c = caps(&["download:/var/log/**", "download:/srv/*/out.csv;max=1KiB", "download:/etc/*"]);
    let yes = |p: &str| c.file(Direction::Download, p.as_bytes()).is_some();
    assert!(yes("/var/log/a") && yes("/var/log/a/b.gz") && yes("/srv/x/out.csv") && yes("/etc/hosts"));
    for no in [
        "/var/log",
        "/var/logs/a",
        "/srv/x/y/out.csv",
        "/etc/ssh/key",
        "/var/log/../shadow",
        "/var/log//a",
        "var/log/a",
        "/var/log/./a",
        "",
    ] {
        assert!(!yes(no), "{no}");
    }
    assert!(caps(&["download"]).file(Direction::Download, b"relative/../x").is_some());
    assert!(caps(&["upload:/a/**/z/*.txt"]).file(Direction::Upload, b"/a/b/c/z/x/z/q.txt").is_some());
    assert!(caps(&["upload:/a/**/z/*.txt"]).file(Direction::Upload, b"/a/b/z/x/q.txt").is_none());
}

#[test]
fn of_several_rules_the_one_that_allows_most_counts() {
    let c = caps(&["upload:/srv/**;max=1KiB", "upload:/srv/big/**;max=1GiB;keep"]);
    let rule = c.file(Direction::Upload, b"/srv/big/x").unwrap();
    assert_eq!((rule.max_bytes, rule.keep), (Some(1 << 30), true));
    assert_eq!(c.file(Direction::Upload, b"/srv/x").unwrap().max_bytes, Some(1024));
}

#[test]
fn a_destination_is_compared_as_written() {
    let c = caps(&["local-forward:db.internal:5432", "local-forward:*.lan:443", "remote-forward:[::1]:8080"]);
    assert!(c.local_forward("DB.internal", 5432) && c.local_forward("a.lan", 443) && c.remote_forward("::1", 8080));
    assert!(!c.local_forward("db.internal", 22) && !c.local_forward(".lan", 443) && !c.local_forward("evil-lan", 443));
    assert!(!c.local_forward("db.internal", 5432 + 65536), "a port is not cut to 16 bits");
    assert!(caps(&["local-forward:*"]).local_forward("anything", 1));
}

#[test]
fn a_long_pattern_takes_no_long_time() {
    let pattern = format!("download:/{}", "*a".repeat(200));
    let text = format!("/{}b", "a".repeat(4000));
    assert!(caps(&[&pattern]).file(Direction::Download, text.as_bytes()).is_none());
}

#[test]
fn a_desktop_is_screen_keyboard_and_mouse_and_nothing_more() {
    let c = caps(&["desktop"]);
    assert!(c.desktop());
    assert_eq!((c.clipboard(Direction::Download), c.clipboard(Direction::Upload)), (None, None));
    assert!(Redirect::ALL.into_iter().all(|r| !c.redirects(r)));
    assert!(!c.dynamic_channel("AUDIO_INPUT") && !c.shell() && !c.files(Direction::Download));
    assert_eq!(Capabilities::usual(Protocol::Rdp), c);
}

#[test]
fn each_way_and_each_kind_is_allowed_by_itself() {
    let c = caps(&["desktop", "clipboard-to-target:max=64KiB", "smart-cards", "dynamic-channel:URBDRC"]);
    assert_eq!((c.clipboard(Direction::Download), c.clipboard(Direction::Upload)), (None, Some(64 << 10)));
    assert!(c.redirects(Redirect::SmartCards) && !c.redirects(Redirect::Drives));
    assert!(c.dynamic_channel("URBDRC") && !c.dynamic_channel("urbdrc") && !c.dynamic_channel("URBDRC2"));
    let c = caps(&["desktop", "clipboard-from-target", "clipboard-from-target:max=5"]);
    assert_eq!(c.clipboard(Direction::Download), Some(ClipboardRule::MOST), "of several rules the one that allows most counts");
}

#[test]
fn without_a_desktop_nothing_goes_along_with_it() {
    let c = caps(&["clipboard-to-target", "clipboard-from-target", "drives", "dynamic-channel:X"]);
    assert_eq!((c.clipboard(Direction::Download), c.clipboard(Direction::Upload)), (None, None));
    assert!(!c.redirects(Redirect::Drives) && !c.dynamic_channel("X"));
}

#[test]
fn a_capability_means_something_on_some_targets_only() {
    assert_eq!(caps(&["shell", "desktop"]).misfit(Protocol::Ssh), Some(&Capability::Desktop));
    assert_eq!(caps(&["shell", "desktop"]).misfit(Protocol::Rdp), Some(&Capability::Shell));
    assert_eq!(caps(&["drives"]).misfit(Protocol::Telnet), Some(&Capability::Redirect(Redirect::Drives)));
    for p in [Protocol::Ssh, Protocol::Telnet, Protocol::Rdp] {
        assert_eq!(Capabilities::usual(p).misfit(p), None, "{p:?}");
    }
}
