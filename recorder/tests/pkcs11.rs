//! Keys in a token: SoftHSM (Debian's softhsm2, which deploy/setup installs), with a token directory of the test's own.
#![allow(clippy::unwrap_used)]
mod common;

use anteroom_recorder::{
    PublicKey, Recipients, ReplayError, Replayer, Track,
    custody::{self, KeyAddress},
};
use common::{lab, shown};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const INSIDE: &str = "ANTEROOM_TEST_TOKEN";

/// SoftHSM finds its tokens by an environment variable, which a process should not change while it runs: the test `name` is run once
/// more, in a process of its own that has it.
fn with_token(name: &str, test: impl FnOnce(&Path)) {
    if let Some(dir) = std::env::var_os(INSIDE) {
        return test(Path::new(&dir));
    }
    assert!(Path::new(MODULE).exists(), "softhsm2 is not installed; deploy/setup does it");
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("tokens")).unwrap();
    let conf = dir.path().join("softhsm2.conf");
    fs::write(
        &conf,
        format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", dir.path().join("tokens").display()),
    )
    .unwrap();
    write_pin(dir.path(), "4711");
    let made = Command::new("softhsm2-util")
        .env("SOFTHSM2_CONF", &conf)
        .args(["--init-token", "--free", "--label", "ward 4", "--pin", "4711", "--so-pin", "0815"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let run = Command::new(std::env::current_exe().unwrap())
        .env("SOFTHSM2_CONF", &conf)
        .env(INSIDE, dir.path())
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&run.stderr));
}

fn write_pin(dir: &Path, pin: &str) -> PathBuf {
    let path = dir.join("pin");
    fs::write(&path, format!("{pin}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn address(dir: &Path, object: &str) -> KeyAddress {
    let text = format!("pkcs11:token=ward%204;object={object}?module-path={MODULE}&pin-source=file:{}", dir.join("pin").display());
    KeyAddress::parse(&text, Path::new("/")).unwrap()
}

fn generate(dir: &Path, object: &str) -> PublicKey {
    let KeyAddress::Pkcs11(uri) = address(dir, object) else { unreachable!() };
    custody::generate_in_token(&uri).unwrap()
}

#[test]
fn a_recording_is_replayed_with_a_key_that_never_left_its_token() {
    with_token("a_recording_is_replayed_with_a_key_that_never_left_its_token", |dir| {
        let public = generate(dir, "masked");
        assert!(public.to_string().starts_with("anteroom-p256-v1 "), "{public}");
        let lab = lab();
        let session = lab.recorded_to(Recipients { masked: public, ..lab.recipients() });
        let key = address(dir, "masked").open().unwrap();
        assert_eq!(*key.public(), public);
        let text = shown(&Replayer::with_key(lab.root(), key), session, 0, Duration::ZERO);
        assert!(text.contains("second line") && text.contains("after the resize"), "{text}");
        // And by nobody else: a second key of the same token is not it.
        generate(dir, "other");
        let other = Replayer::with_key(lab.root(), address(dir, "other").open().unwrap());
        assert!(matches!(other.info(session), Err(ReplayError::WrongKey)));
    });
}

#[test]
fn both_halves_of_the_sealed_track_can_be_in_tokens() {
    with_token("both_halves_of_the_sealed_track_can_be_in_tokens", |dir| {
        let sealed = [generate(dir, "holder-a"), generate(dir, "holder-b")];
        let lab = lab();
        let session = lab.recorded_to(Recipients { sealed, ..lab.recipients() });
        let (header, envelope) = lab.envelope(session, Track::Sealed);
        let open = |name: &str| envelope.open_share(&header, &*address(dir, name).open().unwrap());
        let (a, b) = (open("holder-a").unwrap(), open("holder-b").unwrap());
        assert!(envelope.combine(&header, std::slice::from_ref(&a)).is_err(), "one holder alone opens nothing");
        envelope.combine(&header, &[a, b]).unwrap();
    });
}

#[test]
fn a_wrong_pin_is_tried_once_and_a_public_pin_file_never() {
    with_token("a_wrong_pin_is_tried_once_and_a_public_pin_file_never", |dir| {
        generate(dir, "masked");
        let pin = write_pin(dir, "0000");
        let e = address(dir, "masked").open().unwrap_err().to_string();
        assert_eq!(e, "token \"ward 4\": it refuses the PIN");
        fs::set_permissions(&pin, fs::Permissions::from_mode(0o644)).unwrap();
        let e = address(dir, "masked").check().unwrap_err().to_string();
        assert!(e.contains("may be read by others"), "{e}");
    });
}

#[test]
fn names_that_fit_nothing_or_too_much_are_told_apart() {
    with_token("names_that_fit_nothing_or_too_much_are_told_apart", |dir| {
        generate(dir, "masked");
        let e = address(dir, "no-such").open().unwrap_err().to_string();
        assert!(e.ends_with("it holds no such elliptic curve key"), "{e}");
        let KeyAddress::Pkcs11(uri) = address(dir, "masked") else { unreachable!() };
        let e = custody::generate_in_token(&uri).unwrap_err().to_string();
        assert!(e.contains("there is a key \"masked\" already; nothing was made"), "{e}");
        let elsewhere = uri.to_string().replace("ward%204", "ward%205");
        let e = custody::open(&elsewhere).unwrap_err().to_string();
        assert_eq!(e, "token \"ward 5\": no such token is present");
        let e = custody::open(&uri.to_string().replace(MODULE, "/no/such.so")).unwrap_err().to_string();
        assert!(e.contains("/no/such.so"), "{e}");
    });
}

/// The module is asked from many threads, as a portal does.
#[test]
fn one_token_serves_many_readers_at_the_same_time() {
    with_token("one_token_serves_many_readers_at_the_same_time", |dir| {
        let public = generate(dir, "masked");
        let lab = lab();
        let session = lab.recorded_to(Recipients { masked: public, ..lab.recipients() });
        let replayer = Replayer::with_key(lab.root(), address(dir, "masked").open().unwrap());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert!(shown(&replayer, session, 0, Duration::ZERO).contains("second line")));
            }
        });
    });
}
