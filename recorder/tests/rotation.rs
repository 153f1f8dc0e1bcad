//! Changing keys under recordings that stay as they are.
#![allow(clippy::unwrap_used)]
mod common;

use anteroom_domain::SessionId;
use anteroom_format::Envelope;
use anteroom_recorder::{
    PrivateKey, Recipients, ReplayError, Replayer, Track, Verdict,
    custody::{OpenError, Opener, Rotated, Rotation, Share, Wrapped, survey},
    verify_dir,
};
use common::{Lab, files, lab, shown};
use std::{
    fs,
    ops::ControlFlow,
    os::unix::fs::{MetadataExt, PermissionsExt},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

fn new_key() -> PrivateKey {
    PrivateKey::from_seed(&[77; 32])
}

fn masked<'a>(lab: &'a Lab, root: &'a std::path::Path, new: &'a [anteroom_recorder::PublicKey]) -> Rotation<'a> {
    Rotation { root, track: Track::Masked, old: &lab.masked, new, keep_old: false, dry_run: false }
}

fn go_on(_: u64, _: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn counts(r: &Rotated) -> [u64; 4] {
    [r.rewrapped, r.already, r.not_for_key, r.failed]
}

/// Everything in a recording's folder that is no envelope: bytes, times and places on the disk.
fn payload(lab: &Lab, session: SessionId) -> Vec<(String, Vec<u8>, u64, i64)> {
    let of = |(name, bytes): (String, Vec<u8>)| {
        let meta = fs::metadata(lab.folder(session).join(&name)).unwrap();
        (name, bytes, meta.ino(), meta.mtime_nsec())
    };
    files(&lab.folder(session)).into_iter().filter(|(n, _)| !n.ends_with(".envelope")).map(of).collect()
}

fn replays(lab: &Lab, key: &PrivateKey, session: SessionId) -> bool {
    let replayer = Replayer::with_key(lab.root(), Arc::new(key.clone()));
    match replayer.info(session) {
        Ok(_) => shown(&replayer, session, 0, Duration::ZERO).contains("second line"),
        Err(ReplayError::WrongKey) => false,
        Err(e) => panic!("{e}"),
    }
}

#[test]
fn after_a_rotation_the_new_key_replays_the_old_one_does_not_and_nothing_else_moved() {
    let lab = lab();
    let sessions = [lab.recorded_to(lab.recipients()), lab.recorded_to(lab.recipients())];
    let before = sessions.map(|s| payload(&lab, s));
    let sealed = sessions.map(|s| lab.envelope(s, Track::Sealed).1);
    let (root, new) = (lab.root(), [*new_key().public()]);

    let dry = Rotation { dry_run: true, ..masked(&lab, &root, &new) }.run(go_on);
    assert_eq!(counts(&dry), [2, 0, 0, 0]);
    assert!(replays(&lab, &lab.masked, sessions[0]), "a dry run writes nothing");

    let mut told = Vec::new();
    let done = masked(&lab, &root, &new).run(|n, all| {
        told.push((n, all));
        ControlFlow::Continue(())
    });
    assert_eq!((counts(&done), done.stopped, told), ([2, 0, 0, 0], None, vec![(0, 2), (1, 2)]));
    for (n, s) in sessions.into_iter().enumerate() {
        assert!(replays(&lab, &new_key(), s) && !replays(&lab, &lab.masked, s));
        assert_eq!(payload(&lab, s), before[n]);
        assert_eq!(lab.envelope(s, Track::Sealed).1, sealed[n], "the other track is another rotation");
        assert_eq!(verify_dir(&root, s).verdict, Verdict::Complete);
    }
    // Again: all of it is done.
    assert_eq!(counts(&masked(&lab, &root, &new).run(go_on)), [0, 2, 0, 0]);
}

#[test]
fn both_keys_replay_until_the_old_one_is_taken_out() {
    let lab = lab();
    let s = lab.recorded_to(lab.recipients());
    let (root, new) = (lab.root(), [*new_key().public()]);
    let keep = Rotation { keep_old: true, ..masked(&lab, &root, &new) };
    assert_eq!(counts(&keep.run(go_on)), [1, 0, 0, 0]);
    assert!(replays(&lab, &lab.masked, s) && replays(&lab, &new_key(), s));
    assert_eq!(counts(&keep.run(go_on)), [0, 1, 0, 0]);
    let both = survey(&root, Track::Masked);
    assert_eq!((both.envelopes, both.recipients.len(), both.recipients[&new[0].id()]), (1, 2, 1));
    assert_eq!(counts(&masked(&lab, &root, &new).run(go_on)), [1, 0, 0, 0]);
    assert!(!replays(&lab, &lab.masked, s) && replays(&lab, &new_key(), s));
}

#[test]
fn a_key_holder_rotates_one_share_of_the_sealed_track() {
    let lab = lab();
    let s = lab.recorded_to(lab.recipients());
    let (root, new) = (lab.root(), [*new_key().public()]);
    let r = Rotation { root: &root, track: Track::Sealed, old: &lab.holders[1], new: &new, keep_old: false, dry_run: false };
    assert_eq!(counts(&r.run(go_on)), [1, 0, 0, 0]);
    let (header, envelope) = lab.envelope(s, Track::Sealed);
    let shares = [envelope.open_share(&header, &lab.holders[0]).unwrap(), envelope.open_share(&header, &new_key()).unwrap()];
    envelope.combine(&header, &shares).unwrap();
    // Not to the other holder: one person would open alone what takes two.
    let first = [*lab.holders[0].public()];
    let alone = Rotation { old: &new_key(), new: &first, ..r }.run(go_on);
    assert_eq!((counts(&alone), alone.failures[0].why.contains("one holder would open alone")), ([0, 0, 0, 1], true));
    assert_eq!(lab.envelope(s, Track::Sealed).1, envelope);
}

#[test]
fn the_payload_is_not_even_read() {
    let lab = lab();
    let s = lab.recorded_to(lab.recipients());
    for track in [Track::Masked, Track::Sealed] {
        // Only the clear header is left of it, and it may only be read.
        let path = lab.folder(s).join(track.file_name(0));
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(192).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    }
    let (root, new) = (lab.root(), [*new_key().public()]);
    assert_eq!(counts(&masked(&lab, &root, &new).run(go_on)), [1, 0, 0, 0]);
    let (header, envelope) = lab.envelope(s, Track::Masked);
    envelope.open(&header, &new_key()).unwrap();
}

#[test]
fn envelopes_that_are_damaged_or_of_another_recording_are_refused_and_stay() {
    let lab = lab();
    let [good, swapped, cut, headless] = [(); 4].map(|()| lab.recorded_to(lab.recipients()));
    let envelope = |s| lab.folder(s).join("masked.0.envelope");
    fs::copy(envelope(good), envelope(swapped)).unwrap();
    let bytes = fs::read(envelope(cut)).unwrap();
    fs::write(envelope(cut), &bytes[..bytes.len() / 2]).unwrap();
    fs::write(lab.folder(headless).join("masked.0"), b"no header").unwrap();
    let stays = [swapped, cut, headless].map(|s| (envelope(s), fs::read(envelope(s)).unwrap()));
    let (root, new) = (lab.root(), [*new_key().public()]);
    let r = masked(&lab, &root, &new).run(go_on);
    assert_eq!(counts(&r), [1, 0, 0, 3]);
    let why = |s| r.failures.iter().find(|f| f.session == s).map(|f| (f.file.as_str(), f.why.clone())).unwrap();
    assert_eq!(why(swapped), ("masked.0.envelope", "belongs to another segment".into()));
    assert!(why(cut).1.starts_with("cut short"), "{:?}", why(cut));
    assert!(why(headless).1.starts_with("masked.0: "), "{:?}", why(headless));
    stays.iter().for_each(|(path, bytes)| assert_eq!(&fs::read(path).unwrap(), bytes));
    assert!(replays(&lab, &new_key(), good));
}

#[test]
fn recordings_for_other_keys_and_those_without_keys_are_left_alone() {
    let lab = lab();
    let other = lab.recorded_to(Recipients { masked: *PrivateKey::from_seed(&[9; 32]).public(), ..lab.recipients() });
    let shredded = lab.recorded_to(lab.recipients());
    fs::remove_file(lab.folder(shredded).join("masked.0.envelope")).unwrap();
    let before = [other, shredded].map(|s| files(&lab.folder(s)));
    let (root, new) = (lab.root(), [*new_key().public()]);
    assert_eq!(counts(&masked(&lab, &root, &new).run(go_on)), [0, 0, 1, 0]);
    assert_eq!([other, shredded].map(|s| files(&lab.folder(s))), before, "keys that were destroyed do not come back");
}

#[test]
fn what_was_interrupted_goes_on_where_it_stopped() {
    let lab = lab();
    let sessions = [(); 3].map(|()| lab.recorded_to(lab.recipients()));
    let (root, new) = (lab.root(), [*new_key().public()]);
    let first = masked(&lab, &root, &new).run(|n, _| if n < 1 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) });
    assert_eq!((counts(&first), first.stopped.as_deref()), ([1, 0, 0, 0], Some("interrupted")));
    // Half-way, each opens with exactly one of the two.
    sessions.iter().for_each(|s| assert_ne!(replays(&lab, &new_key(), *s), replays(&lab, &lab.masked, *s)));
    assert_eq!(counts(&masked(&lab, &root, &new).run(go_on)), [2, 1, 0, 0]);
    sessions.iter().for_each(|s| assert!(replays(&lab, &new_key(), *s)));
}

/// What a process leaves that dies between its steps: the new one not in place yet, or the old one not removed yet.
#[test]
fn what_a_killed_rotation_left_is_removed_and_never_used() {
    let lab = lab();
    let sessions = [(); 2].map(|()| lab.recorded_to(lab.recipients()));
    let at = |s, end: &str| lab.folder(s).join(format!("masked.0.envelope{end}"));
    let (root, new) = (lab.root(), [*new_key().public()]);
    let old = fs::read(at(sessions[0], "")).unwrap();
    fs::write(at(sessions[1], ".tmp"), b"half of the n").unwrap();
    assert!(replays(&lab, &lab.masked, sessions[1]));
    masked(&lab, &root, &new).run(go_on);
    fs::write(at(sessions[0], ".tmp"), &old).unwrap();
    assert!(replays(&lab, &new_key(), sessions[0]), "what is left over does no harm");
    assert_eq!(counts(&masked(&lab, &root, &new).run(go_on)), [0, 2, 0, 0]);
    sessions.iter().for_each(|s| assert!(!at(*s, ".tmp").exists(), "nothing that the old key opens stays"));
}

#[test]
fn the_file_keeps_its_mode() {
    let lab = lab();
    let s = lab.recorded_to(lab.recipients());
    let path = lab.folder(s).join("masked.0.envelope");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let (root, new) = (lab.root(), [*new_key().public()]);
    masked(&lab, &root, &new).run(go_on);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
}

/// Two at once, as two impatient operators: each recording is rewrapped by one of them.
#[test]
fn two_rotations_at_the_same_time_do_not_tread_on_each_other() {
    let lab = lab();
    let sessions = [(); 4].map(|()| lab.recorded_to(lab.recipients()));
    let (root, new) = (lab.root(), [*new_key().public()]);
    let done =
        std::thread::scope(|scope| [(); 2].map(|()| scope.spawn(|| masked(&lab, &root, &new).run(go_on))).map(|t| t.join().unwrap()));
    assert_eq!(done.iter().map(|r| r.rewrapped).sum::<u64>(), 4, "{done:?}");
    assert_eq!(done.iter().map(|r| r.failed).sum::<u64>(), 0, "{done:?}");
    sessions.iter().for_each(|s| assert!(replays(&lab, &new_key(), *s)));
}

/// Shredding takes the envelope away while a rotation has it in hand: it stays away.
#[test]
fn a_key_that_is_destroyed_meanwhile_is_not_brought_back() {
    #[derive(Debug)]
    struct Shredding<'a> {
        key: &'a PrivateKey,
        path: std::path::PathBuf,
    }
    impl Opener for Shredding<'_> {
        fn public(&self) -> &anteroom_recorder::PublicKey {
            self.key.public()
        }
        fn open(&self, w: &Wrapped<'_>) -> Result<Share, OpenError> {
            fs::remove_file(&self.path).unwrap();
            self.key.open(w)
        }
    }
    let lab = lab();
    let s = lab.recorded_to(lab.recipients());
    let old = Shredding { key: &lab.masked, path: lab.folder(s).join("masked.0.envelope") };
    let (root, new) = (lab.root(), [*new_key().public()]);
    let r = Rotation { old: &old, ..masked(&lab, &root, &new) }.run(go_on);
    assert_eq!(counts(&r), [0, 0, 0, 1], "{r:?}");
    let left: Vec<_> = files(&lab.folder(s)).into_iter().map(|(n, _)| n).filter(|n| n.starts_with("masked.0.")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(matches!(lab.replayer().info(s), Err(ReplayError::Shredded)));
}

/// An operator rotates while another shreds: whoever comes first, no key is left.
#[test]
fn shredding_and_rotating_at_the_same_time_leaves_no_key() {
    let lab = lab();
    let (root, new) = (lab.root(), [*new_key().public()]);
    for _ in 0..8 {
        let s = lab.recorded_to(lab.recipients());
        std::thread::scope(|scope| {
            scope.spawn(|| masked(&lab, &root, &new).run(go_on));
            scope.spawn(|| anteroom_recorder::shred::destroy(&root, s).unwrap());
        });
        let left: Vec<_> = files(&lab.folder(s)).into_iter().map(|(n, _)| n).filter(|n| n.contains("envelope")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// They take turns: shredding waits for who has the folder in hand.
#[test]
fn shredding_waits_for_a_rotation_that_is_at_this_recording() {
    let lab = lab();
    let s = lab.recorded_to(lab.recipients());
    let (root, held) = (lab.root(), fs::File::open(lab.folder(s)).unwrap());
    held.lock().unwrap();
    std::thread::scope(|scope| {
        let shredding = scope.spawn(|| anteroom_recorder::shred::destroy(&root, s).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert!(!shredding.is_finished() && lab.folder(s).join("masked.0.envelope").exists());
        held.unlock().unwrap();
        assert_eq!(shredding.join().unwrap(), 2);
    });
}

/// A token that is pulled ends the rotation at once, instead of once for each of ten thousand recordings.
#[test]
fn a_key_that_goes_away_ends_the_rotation() {
    #[derive(Debug)]
    struct Pulled<'a>(&'a PrivateKey, AtomicUsize);
    impl Opener for Pulled<'_> {
        fn public(&self) -> &anteroom_recorder::PublicKey {
            self.0.public()
        }
        fn open(&self, w: &Wrapped<'_>) -> Result<Share, OpenError> {
            if self.1.fetch_add(1, Ordering::SeqCst) == 0 {
                self.0.open(w)
            } else {
                Err(OpenError::Away("token \"ward 4\": pulled".into()))
            }
        }
    }
    let lab = lab();
    let sessions = [(); 4].map(|()| lab.recorded_to(lab.recipients()));
    let old = Pulled(&lab.masked, AtomicUsize::new(0));
    let (root, new) = (lab.root(), [*new_key().public()]);
    let r = Rotation { old: &old, ..masked(&lab, &root, &new) }.run(go_on);
    assert_eq!((counts(&r), r.stopped.as_deref()), ([1, 0, 0, 0], Some("token \"ward 4\": pulled")));
    assert_eq!(old.1.load(Ordering::SeqCst), 2);
    let whole = |s: &SessionId| Envelope::from_bytes(&fs::read(lab.folder(*s).join("masked.0.envelope")).unwrap()).is_ok();
    assert!(sessions.iter().all(whole));
}
