//! Recordings that move to an archive, an archive that goes away and comes back, and disks that take no more.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
mod common;
use anteroom_domain::{RecordingState, SessionId};
use anteroom_recorder::*;
use common::*;
use std::{
    fs,
    io::Read,
    os::unix::fs::{FileExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

struct Archived {
    lab: Lab,
    archive: PathBuf,
    options: StorageOptions,
}

/// An archive beside the recordings; nothing stays here once it was shipped.
fn archived() -> Archived {
    let lab = lab();
    let archive = lab.dir.path().join("archive");
    fs::create_dir(&archive).unwrap();
    let url = format!("file://{}", archive.display()).parse().unwrap();
    let options = StorageOptions { archive: Some(url), spool_limit: Some(1 << 30), min_free: Some(0), ..StorageOptions::default() };
    Archived { lab, archive, options }
}

impl Archived {
    fn storage(&self) -> Storage {
        Storage::open(self.lab.root(), &self.options).unwrap()
    }
    fn recorder(&self) -> Recorder {
        Recorder::open_in(self.storage(), self.lab.options()).unwrap()
    }
    fn replayer(&self) -> Replayer {
        Replayer::open(self.storage(), &self.lab.key_file()).unwrap()
    }
    fn local(&self, session: SessionId) -> Vec<String> {
        files(&self.lab.folder(session)).into_iter().map(|(name, _)| name).collect()
    }
    fn in_archive(&self, session: SessionId) -> PathBuf {
        self.archive.join("2026/11").join(session.to_string())
    }
    fn takes_away(&self) {
        fs::rename(&self.archive, self.archive.with_extension("away")).unwrap();
    }
    fn brings_back(&self) {
        fs::rename(self.archive.with_extension("away"), &self.archive).unwrap();
    }
    fn cached(&self) -> Vec<PathBuf> {
        let dir = fs::read_dir(self.lab.root().join(".cache"));
        dir.map(|d| d.map(|e| e.unwrap().path()).collect()).unwrap_or_default()
    }
}

/// Waits for what another thread does.
async fn soon(what: &str, limit: u64, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(limit), "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

const SMALL: [&str; 6] = ["header.json", "manifest.json", "masked.0.envelope", "masked.0.shipped", "sealed.0.envelope", "sealed.0.shipped"];

async fn shipped_session(a: &Archived, recorder: &Recorder) -> SessionId {
    let session = complete_session(recorder).await;
    soon("it to be shipped", 20, || a.local(session) == SMALL).await;
    session
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_recording_moves_to_the_archive_and_plays_from_there() {
    let a = archived();
    let recorder = a.recorder();
    let plain = lab();
    let here = complete_session(&plain.recorder()).await;
    let session = shipped_session(&a, &recorder).await;

    // Only payload went there, whole and under its name; no key ever does.
    let mut there: Vec<_> = files(&a.in_archive(session)).into_iter().map(|(name, _)| name).collect();
    there.sort();
    assert_eq!(there, ["masked.0", "sealed.0"]);

    let replayer = a.replayer();
    assert_eq!(shown(&replayer, session, 0, Duration::ZERO), shown(&plain.replayer(), here, 0, Duration::ZERO));
    assert_eq!(replayer.info(session).unwrap().channels.len(), 2);
    // Only what was read was fetched, once.
    let cached = a.cached();
    assert_eq!(cached.len(), 1, "{cached:?}");
    assert!(cached[0].to_str().unwrap().ends_with(&format!("{session}.masked.0")), "{cached:?}");
    let status = recorder.storage().status();
    assert_eq!((status.waiting_bytes, status.waiting_sessions, status.away, status.refusal), (0, 0, None, None));

    // The bytes are those that were recorded, by every segment.
    for name in ["sealed.0", "masked.0"] {
        let track = if name == "sealed.0" { Track::Sealed } else { Track::Masked };
        let mut bytes = Vec::new();
        let folder = a.storage().find(session).unwrap();
        a.storage().segment(&folder, track, 0).unwrap().read_to_end(&mut bytes).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
    }
    let report = verify_dir(&a.lab.root(), session);
    assert_eq!((report.verdict, &report.findings[..]), (Verdict::Complete, &[][..]));
    recorder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_a_shipped_recording_are_rotated_without_the_archive() {
    let a = archived();
    let recorder = a.recorder();
    let session = shipped_session(&a, &recorder).await;
    recorder.shutdown().await;
    a.takes_away();
    let (key, root) = (PrivateKey::from_seed(&[77; 32]), a.lab.root());
    let new = [*key.public()];
    let rotation = custody::Rotation { root: &root, track: Track::Masked, old: &a.lab.masked, new: &new, keep_old: false, dry_run: false };
    let done = rotation.run(|_, _| std::ops::ControlFlow::Continue(()));
    assert!(done.stopped.is_none(), "{done:?}");
    a.brings_back();
    let with = |key: &PrivateKey| Replayer::open(a.storage(), &a.lab.write_key("other.key", key)).unwrap();
    assert!(shown(&with(&key), session, 0, Duration::ZERO).contains("after the resize"));
    assert!(matches!(with(&a.lab.masked).cast(session, 0, Duration::ZERO), Err(ReplayError::WrongKey)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_shipped_stays_here_for_a_while_too() {
    let mut a = archived();
    a.options.keep = Duration::from_secs(3600);
    let recorder = a.recorder();
    let session = complete_session(&recorder).await;
    soon("it to be shipped", 20, || a.local(session).len() == 8).await;
    recorder.shutdown().await;
    drop(recorder);
    a.takes_away();
    assert!(shown(&a.replayer(), session, 0, Duration::ZERO).contains("after the resize"), "nobody needs the archive for it");
    a.brings_back();
    // Its time is over.
    a.options.keep = Duration::ZERO;
    let recorder = a.recorder();
    soon("the local files to go", 20, || a.local(session) == SMALL).await;
    recorder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_archive_away_sessions_go_on_until_the_spool_is_full_and_again_when_it_is_back() {
    let mut a = archived();
    a.options.spool_limit = Some(300_000);
    let recorder = a.recorder();
    let first = shipped_session(&a, &recorder).await;
    a.takes_away();

    // Away or not, sessions are recorded.
    let running = recorder.start(header()).await.unwrap();
    running.record(at(0, 0, exec("cat noise"))).await.unwrap();
    let waiting = complete_session(&recorder).await;
    let mut x = 7u32;
    let mut noise = |len: usize| -> Vec<u8> {
        (0..len)
            .map(|_| {
                x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (x >> 24) as u8
            })
            .collect()
    };
    for n in 0..50 {
        running.record(at(n, 0, EventKind::Output(noise(10_000).into()))).await.unwrap();
    }
    soon("the spool to be full", 20, || recorder.storage().refusal().is_some()).await;
    soon("the archive to be missed", 20, || recorder.storage().status().away.is_some()).await;
    let said = recorder.start(header()).await.unwrap_err().to_string();
    let of = "of recordings wait for the archive, of 293.0 KiB that may; the archive is away: its directory is not there";
    assert!(said.ends_with(of), "{said}");

    // Who is recorded goes on; what lies in the archive says why it cannot be seen.
    running.record(at(60, 0, EventKind::Output("still here\n".into()))).await.unwrap();
    assert_eq!(running.finish().await.unwrap().state, RecordingState::Complete);
    let e = a.replayer().cast(first, 0, Duration::ZERO).err().unwrap().to_string();
    assert_eq!(e, "the recording cannot be read: the archive is away: its directory is not there");
    assert!(shown(&a.replayer(), waiting, 0, Duration::ZERO).contains("after the resize"));

    a.brings_back();
    soon("new sessions to be accepted", 90, || recorder.storage().refusal().is_none()).await;
    soon("what waited to be shipped", 20, || a.local(waiting) == SMALL).await;
    let next = shipped_session(&a, &recorder).await;
    assert!(shown(&a.replayer(), next, 0, Duration::ZERO).contains("after the resize"));
    assert_eq!(recorder.storage().status().away, None);
    recorder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dying_between_any_two_steps_loses_nothing() {
    let a = archived();
    // Recorded by a process that shipped nothing.
    let recorder = a.lab.recorder();
    let mut sessions = Vec::new();
    for _ in 0..4 {
        sessions.push(complete_session(&recorder).await);
    }
    recorder.shutdown().await;
    drop(recorder);
    let shipped = sessions[0];
    let before: Vec<_> = sessions.iter().map(|s| files(&a.lab.folder(*s))).collect();
    for (session, step) in sessions.iter().zip(["nothing", "half an upload", "an upload", "the copy, and no marker"]) {
        let there = a.in_archive(*session);
        fs::create_dir_all(&there).unwrap();
        let segment = fs::read(a.lab.folder(*session).join("sealed.0")).unwrap();
        match step {
            "half an upload" => fs::write(there.join("sealed.0.upload"), &segment[..segment.len() / 2]).unwrap(),
            "an upload" => fs::write(there.join("sealed.0.upload"), &segment).unwrap(),
            "the copy, and no marker" => fs::write(there.join("sealed.0"), &segment).unwrap(),
            _ => {}
        }
    }
    let recorder = a.recorder();
    for (session, before) in sessions.iter().zip(&before) {
        soon("it to be shipped", 20, || a.local(*session) == SMALL).await;
        let there = files(&a.in_archive(*session));
        assert_eq!(there.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(), ["masked.0", "sealed.0"]);
        assert!(there.iter().all(|f| before.contains(f)), "byte by byte what was recorded");
    }
    recorder.shutdown().await;
    drop(recorder);

    // Shipped and marked, and died before the local file was removed.
    let local = a.lab.folder(shipped).join("sealed.0");
    fs::copy(a.in_archive(shipped).join("sealed.0"), &local).unwrap();
    let recorder = a.recorder();
    soon("it to go", 20, || !local.exists()).await;
    recorder.shutdown().await;
    drop(recorder);

    // The same, and meanwhile the archive lost it: the local file is not given up.
    fs::rename(a.in_archive(shipped).join("sealed.0"), &local).unwrap();
    let recorder = a.recorder();
    soon("it to be shipped again", 20, || a.in_archive(shipped).join("sealed.0").exists() && !local.exists()).await;
    assert_eq!(a.local(shipped), SMALL);
    recorder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_the_archive_is_overwritten_and_what_is_damaged_here_is_not_shipped() {
    let a = archived();
    let recorder = a.lab.recorder();
    let (taken, damaged) = (complete_session(&recorder).await, complete_session(&recorder).await);
    recorder.shutdown().await;
    drop(recorder);
    fs::create_dir_all(a.in_archive(taken)).unwrap();
    fs::write(a.in_archive(taken).join("sealed.0"), "something else").unwrap();
    flip(&a.lab.folder(damaged).join("sealed.0"), 300);
    let recorder = a.recorder();
    let other = shipped_session(&a, &recorder).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(fs::read(a.in_archive(taken).join("sealed.0")).unwrap(), b"something else");
    for session in [taken, damaged] {
        assert!(a.local(session).contains(&"sealed.0".into()) && !a.local(session).contains(&"sealed.0.shipped".into()));
    }
    assert!(!a.in_archive(damaged).join("sealed.0").exists());
    // They do not hold up the others, and count as waiting.
    assert!(a.in_archive(other).join("sealed.0").exists());
    assert_eq!(recorder.storage().status().waiting_sessions, 2);
    recorder.shutdown().await;
}

fn flip(path: &Path, at: u64) {
    let file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_gives_back_other_bytes_is_found_out() {
    let a = archived();
    let recorder = a.recorder();
    let session = shipped_session(&a, &recorder).await;
    let segment = a.in_archive(session).join("masked.0");
    let good = fs::read(&segment).unwrap();
    let says = |bytes: &[u8]| {
        fs::write(&segment, bytes).unwrap();
        let e = a.replayer().cast(session, 0, Duration::ZERO).err().unwrap().to_string();
        assert!(a.cached().is_empty(), "nothing of it is kept");
        e
    };
    let mut flipped = good.clone();
    flipped[400] ^= 1;
    assert!(says(&flipped).contains("the archive's copy of masked.0 is not what was recorded: "), "{}", says(&flipped));
    assert!(says(&good[..good.len() - 1]).contains("it ends at byte"), "{}", says(&good[..good.len() - 1]));
    // A good segment of another recording.
    let other = shipped_session(&a, &recorder).await;
    let foreign = fs::read(a.in_archive(other).join("masked.0")).unwrap();
    assert!(says(&foreign).contains("masked.0 is not what was recorded: "), "{}", says(&foreign));
    fs::remove_file(&segment).unwrap();
    assert!(a.replayer().cast(session, 0, Duration::ZERO).is_err());
    fs::write(&segment, &good).unwrap();
    assert!(shown(&a.replayer(), session, 0, Duration::ZERO).contains("after the resize"));
    recorder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_directory_and_another_archive_are_not_the_archive() {
    let a = archived();
    let recorder = a.recorder();
    let first = shipped_session(&a, &recorder).await;
    // As it looks when the disk is not mounted: a directory is there, and empty.
    a.takes_away();
    fs::create_dir(&a.archive).unwrap();
    let second = complete_session(&recorder).await;
    let away = || recorder.storage().status().away;
    soon("it to be missed", 20, || away().as_deref() == Some("it is not mounted, or has lost its name")).await;
    let e = a.replayer().cast(first, 0, Duration::ZERO).err().unwrap().to_string();
    assert!(e.ends_with("the archive is away: it is not mounted, or has lost its name"), "{e}");
    fs::write(a.archive.join("anteroom-archive"), "anteroom-archive-v1 00112233445566778899aabbccddeeff").unwrap();
    soon("the other one to be noticed", 20, || away().as_deref() == Some("another archive is in its place")).await;
    assert!(a.local(second).contains(&"sealed.0".into()));
    assert_eq!(fs::read_dir(&a.archive).unwrap().count(), 1, "nothing was put there");
    recorder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_in_another_process_needs_the_archive_and_no_write_access() {
    let a = archived();
    let recorder = a.recorder();
    let session = shipped_session(&a, &recorder).await;
    // It knows of no archive.
    let e = Replayer::open(a.lab.root(), &a.lab.key_file()).unwrap().cast(session, 0, Duration::ZERO).err().unwrap().to_string();
    assert_eq!(e, "the recording cannot be read: it was shipped to an archive, and none is set up here");
    let cache = a.lab.dir.path().join("cache");
    let options = StorageOptions { cache_dir: Some(cache.clone()), ..a.options.clone() };
    let storage = Storage::open(a.lab.root(), &options).unwrap();
    assert!(shown(&Replayer::open(storage, &a.lab.key_file()).unwrap(), session, 0, Duration::ZERO).contains("after the resize"));
    assert_eq!((fs::read_dir(cache).unwrap().count(), a.cached().len()), (1, 0));
    recorder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_readers_fetch_a_segment_once_and_a_small_cache_still_serves() {
    let mut a = archived();
    a.options.cache_limit = Some(1);
    let recorder = a.recorder();
    let (one, two) = (shipped_session(&a, &recorder).await, shipped_session(&a, &recorder).await);
    let replayer = a.replayer();
    std::thread::scope(|s| {
        for session in [one, two, one, two, one, two, one, two] {
            let replayer = &replayer;
            s.spawn(move || assert!(shown(replayer, session, 0, Duration::ZERO).contains("after the resize")));
        }
    });
    assert!(a.cached().len() <= 2, "{:?}", a.cached());
    recorder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_recording_is_shipped_with_the_bytes_after_its_end() {
    let a = archived();
    let recorder = a.recorder();
    let (session, recording) = short_session(&recorder).await;
    drop(recording);
    recorder.shutdown().await;
    drop(recorder);
    let sealed = a.lab.folder(session).join("sealed.0");
    let mut bytes = fs::read(&sealed).unwrap();
    bytes.extend([9; 1000]);
    fs::write(&sealed, &bytes).unwrap();
    let recorder = a.recorder();
    assert_eq!(recorder.recover().len(), 1);
    soon("it to be shipped", 20, || a.local(session) == SMALL).await;
    assert_eq!(fs::read(a.in_archive(session).join("sealed.0")).unwrap(), bytes);
    let folder = a.storage().find(session).unwrap();
    let mut back = Vec::new();
    a.storage().segment(&folder, Track::Sealed, 0).unwrap().read_to_end(&mut back).unwrap();
    assert_eq!(back, bytes);
    recorder.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn room_that_is_kept_free_refuses_new_recordings_and_ends_none() {
    let lab = lab();
    let open = |min_free| Storage::open(lab.root(), &StorageOptions { min_free: Some(min_free), ..StorageOptions::default() }).unwrap();
    let recorder = Recorder::open_in(open(u64::MAX), lab.options()).unwrap();
    let said = recorder.start(header()).await.unwrap_err().to_string();
    assert!(said.starts_with("the recordings' disk has ") && said.contains(" left, "), "{said}");
    assert_eq!(fs::read_dir(lab.root()).unwrap().count(), 1, "nothing was begun");
    recorder.shutdown().await;
    drop(recorder);
    let recorder = Recorder::open_in(open(1), lab.options()).unwrap();
    complete_session(&recorder).await;
    recorder.shutdown().await;
}

#[test]
fn a_root_that_is_read_only_is_said_at_the_start() {
    let a = archived();
    let Some(_mounted) = Mounted::read_only(&a.lab.root()) else {
        println!("skipped: no right to mount a file system");
        return;
    };
    let e = Recorder::open_in(a.storage(), a.lab.options()).unwrap_err().to_string();
    assert!(e.ends_with("the file system is read-only"), "{e}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_whose_disk_is_full_is_away_and_keeps_no_half_of_a_recording() {
    let mut a = archived();
    let Some(disk) = Mounted::small(&a.archive, "120k") else {
        println!("skipped: no right to mount a file system");
        return;
    };
    a.options.spool_limit = Some(100_000);
    let recorder = a.recorder();
    fs::write(a.archive.join("fill"), vec![0; 100_000]).unwrap();
    let recording = recorder.start(header()).await.unwrap();
    recording.record(at(0, 0, exec("cat noise"))).await.unwrap();
    let mut x = 3u32;
    let noise: Vec<u8> = (0..150_000)
        .map(|_| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 24) as u8
        })
        .collect();
    for (n, piece) in noise.chunks(10_000).enumerate() {
        recording.record(at(n as u64, 0, EventKind::Output(piece.to_vec().into()))).await.unwrap();
    }
    let session = recording.finish().await.unwrap().session;
    soon("it to be noticed", 20, || recorder.storage().status().away.as_deref() == Some("no storage space")).await;
    assert!(recorder.storage().refusal().is_some());
    assert!(!a.in_archive(session).join("sealed.0").exists());
    fs::remove_file(a.archive.join("fill")).unwrap();
    disk.grow("2m");
    soon("it to be shipped", 90, || a.local(session) == SMALL).await;
    assert_eq!(recorder.storage().refusal(), None);
    recorder.shutdown().await;
}

#[test]
fn what_cannot_be_an_archive_is_said() {
    let lab = lab();
    fs::create_dir(lab.root()).unwrap();
    let open = |url: String| {
        let options = StorageOptions { archive: Some(url.parse().unwrap()), ..StorageOptions::default() };
        Storage::open(lab.root(), &options).map(|_| ()).unwrap_err().to_string()
    };
    assert!(open("s3://bucket/recordings".into()).contains("a directory so far"));
    assert!(open("file://elsewhere/mnt".into()).contains("absolute path on this machine"));
    assert!(open(format!("file://{}/archive", lab.root().display())).contains("must not lie in"));
    assert!(open(format!("file://{}", lab.dir.path().display())).contains("must not lie in"));
}

/// A file system of its own; needs root.
struct Mounted(PathBuf);

impl Mounted {
    fn mount(at: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        fs::set_permissions(at, fs::Permissions::from_mode(0o700)).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).output();
        mounted.is_ok_and(|o| o.status.success()).then(|| Self(at.into()))
    }
    fn small(at: &Path, size: &str) -> Option<Self> {
        Self::mount(at, &format!("size={size}"))
    }
    fn read_only(at: &Path) -> Option<Self> {
        Self::mount(at, "size=1m,ro")
    }
    fn grow(&self, size: &str) {
        assert!(Command::new("mount").args(["-o", &format!("remount,size={size}")]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
