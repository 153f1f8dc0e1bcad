//! Disks that break, and segments that are short: what a session and its recording do then.
#![allow(clippy::unwrap_used)]
use crate::{
    common::*,
    store::{Disk, SegmentFile},
    *,
};
use anteroom_domain::RecordingState;
use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A disk with so much room, that says `error` when it is used up, and takes `sync_time` to make something durable.
#[derive(Clone)]
struct Faulty {
    room: Arc<AtomicU64>,
    error: io::ErrorKind,
    sync_error: Option<io::ErrorKind>,
    sync_time: Duration,
}

/// So much room makes a file panic.
const PANIC: u64 = 1 << 40;

struct FaultyFile(std::fs::File, Faulty);

impl Default for Faulty {
    fn default() -> Self {
        Self { room: Arc::new(AtomicU64::new(u64::MAX)), error: io::ErrorKind::StorageFull, sync_error: None, sync_time: Duration::ZERO }
    }
}

impl Disk for Faulty {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        let file = OpenOptions::new().create_new(true).append(true).open(path)?;
        Ok(Arc::new(FaultyFile(file, self.clone())))
    }
}

impl SegmentFile for FaultyFile {
    /// Like a real disk: what fits is written, then it fails.
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let room = self.1.room.load(Ordering::SeqCst);
        assert!(room != PANIC, "as a mistake in a lane would");
        let fits = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        self.1.room.fetch_sub(fits as u64, Ordering::SeqCst);
        (&mut &self.0).write_all(&bytes[..fits])?;
        if fits < bytes.len() { Err(self.1.error.into()) } else { Ok(()) }
    }
    fn sync(&self) -> io::Result<()> {
        // The header's sync at the start is spared.
        if self.0.metadata()?.len() > 200 {
            std::thread::sleep(self.1.sync_time);
            if let Some(kind) = self.1.sync_error {
                return Err(kind.into());
            }
        }
        Ok(())
    }
}

fn recorder_on(lab: &Lab, disk: Faulty, max_lag: Duration, segment_bytes: u64) -> Recorder {
    let options = RecorderOptions { max_lag, ..lab.options() };
    Recorder::open_on(options, Arc::new(disk), segment_bytes).unwrap()
}

fn noise(seed: u32, len: usize) -> bytes::Bytes {
    let mut x = seed;
    (0..len)
        .map(|_| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b'!' + ((x >> 24) as u8) % 90
        })
        .collect()
}

/// Records until it fails, or until 10 s are over.
async fn record_until_it_fails(recording: &Recording) -> RecordingFailed {
    let start = Instant::now();
    let mut n = 0;
    while start.elapsed() < Duration::from_secs(10) {
        n += 1;
        if let Err(e) = recording.record(at(u64::from(n), 0, EventKind::Output(noise(n, 20_000)))).await {
            return e;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("the recording should have failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_session_and_keeps_what_was_written() {
    let lab = lab();
    let disk = Faulty { room: Arc::new(AtomicU64::new(500_000)), ..Faulty::default() };
    let recorder = recorder_on(&lab, disk, Duration::from_secs(1), 1 << 30);
    let header = header();
    let session = header.session;
    let recording = recorder.start(header).await.unwrap();
    recording.record(at(0, 0, exec("cat big"))).await.unwrap();
    let watcher = tokio::spawn({
        let recording = recording.clone();
        async move { recording.failed().await }
    });
    assert_eq!(record_until_it_fails(&recording).await, RecordingFailed::DiskFull);
    assert_eq!(watcher.await.unwrap(), RecordingFailed::DiskFull);
    let sealed = recording.finish().await.unwrap();
    assert_eq!(sealed.state, RecordingState::Torn);
    let report = verify_dir(&lab.root(), session);
    assert_eq!((report.verdict, report.chunks > 3), (Verdict::Torn, true), "{report:?}");
    assert!(lab.replayer().info(session).unwrap().duration > Duration::ZERO);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_became_read_only_ends_the_session() {
    let lab = lab();
    let disk = Faulty { room: Arc::new(AtomicU64::new(100_000)), error: io::ErrorKind::ReadOnlyFilesystem, ..Faulty::default() };
    let recorder = recorder_on(&lab, disk, Duration::from_secs(1), 1 << 30);
    let recording = recorder.start(header()).await.unwrap();
    assert_eq!(record_until_it_fails(&recording).await, RecordingFailed::ReadOnly);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_ends_the_session_although_every_write_worked() {
    let lab = lab();
    let disk = Faulty { sync_error: Some(io::ErrorKind::Other), ..Faulty::default() };
    let recorder = recorder_on(&lab, disk, Duration::from_millis(100), 1 << 30);
    let recording = recorder.start(header()).await.unwrap();
    recording.record(at(0, 0, shell())).await.unwrap();
    let failed = tokio::time::timeout(Duration::from_secs(5), recording.failed()).await.unwrap();
    assert!(matches!(failed, RecordingFailed::Io(_)), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_hangs_pushes_back_and_then_ends_the_session() {
    let lab = lab();
    let disk = Faulty { sync_time: Duration::from_secs(8), ..Faulty::default() };
    let recorder = recorder_on(&lab, disk, Duration::from_millis(100), 1 << 30);
    let recording = recorder.start(header()).await.unwrap();
    let start = Instant::now();
    let failed = record_until_it_fails(&recording).await;
    assert!(matches!(failed, RecordingFailed::Lag(lag) if lag > Duration::from_millis(1500)), "{failed:?}");
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    let start = Instant::now();
    assert!(recording.finish().await.is_err());
    assert!(start.elapsed() < Duration::from_millis(1800), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_busy_for_a_while_makes_the_session_wait_and_no_more() {
    let lab = lab();
    let disk = Faulty { sync_time: Duration::from_millis(250), ..Faulty::default() };
    let recorder = recorder_on(&lab, disk, Duration::from_millis(100), 1 << 30);
    let recording = recorder.start(header()).await.unwrap();
    recording.record(at(0, 0, shell())).await.unwrap();
    let mut longest = Duration::ZERO;
    for n in 0..60 {
        let asked = Instant::now();
        recording.record(at(n, 0, EventKind::Output("still here\r\n".into()))).await.unwrap();
        longest = longest.max(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Taken at once only while no more than twice the lag waits for the disk.
    assert!(longest > Duration::from_millis(100), "{longest:?}");
    recording.finish().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_one_session_and_the_next_one_is_recorded() {
    let lab = lab();
    let disk = Faulty::default();
    let recorder = recorder_on(&lab, disk.clone(), Duration::from_millis(200), 1 << 30);
    // More than there are threads, so that some share one with a lane that panicked.
    let mut sessions = Vec::new();
    for _ in 0..8 {
        sessions.push(recorder.start(header()).await.unwrap());
    }
    disk.room.store(PANIC, Ordering::SeqCst);
    for recording in &sessions[..4] {
        recording.record(at(0, 0, shell())).await.unwrap();
        assert_eq!(tokio::time::timeout(Duration::from_secs(5), recording.failed()).await.unwrap(), RecordingFailed::Lost);
    }
    disk.room.store(u64::MAX, Ordering::SeqCst);
    for recording in &sessions[4..] {
        recording.record(at(0, 0, shell())).await.unwrap();
        assert_eq!(recording.finish().await.unwrap().state, RecordingState::Complete);
    }
    assert_eq!(sessions[0].finish().await.unwrap().state, RecordingState::Torn);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_a_little_slow_is_no_reason_to_end() {
    let lab = lab();
    let disk = Faulty { sync_time: Duration::from_millis(200), ..Faulty::default() };
    let recorder = recorder_on(&lab, disk, Duration::from_secs(1), 1 << 30);
    let recording = recorder.start(header()).await.unwrap();
    for n in 0..200 {
        recording.record(at(n, 0, EventKind::Output(noise(n as u32, 10_000)))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(recording.finish().await.unwrap().state, RecordingState::Complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_recording_is_a_chain_of_segments_and_plays_as_one() {
    let lab = lab();
    let recorder = recorder_on(&lab, Faulty::default(), Duration::from_secs(1), 50_000);
    let header = header();
    let session = header.session;
    let recording = recorder.start(header).await.unwrap();
    recording.record(at(0, 7, exec("journalctl"))).await.unwrap();
    for n in 0..40u32 {
        let line = format!("line {n} {}\n", String::from_utf8(noise(n, 12_000).to_vec()).unwrap());
        recording.record(at(u64::from(n) * 1000, 7, EventKind::Output(line.into()))).await.unwrap();
    }
    recording.record(at(41_000, 7, EventKind::Exit { status: 0 })).await.unwrap();
    let sealed = recording.finish().await.unwrap();
    assert!(sealed.manifest.tracks.iter().all(|t| t.segments.len() > 2), "{:?}", sealed.manifest);
    let report = verify_dir(&lab.root(), session);
    assert_eq!((report.verdict, &report.findings[..]), (Verdict::Complete, &[][..]));

    let replayer = lab.replayer();
    let info = replayer.info(session).unwrap();
    assert_eq!((info.channels.len(), info.channels[0].exit_status), (1, Some(0)));
    let text = shown(&replayer, session, 7, Duration::ZERO);
    assert!((0..40).all(|n| text.contains(&format!("line {n} "))));
    let later = shown(&replayer, session, 7, Duration::from_secs(30));
    assert!(!later.contains("line 20 ") && later.contains("line 39 "), "{}", later.len());

    // Every way of reading goes over the borders of segments.
    let parts = replayer.parts(session, 7).unwrap();
    assert!(parts.starts.len() > 2, "{parts:?}");
    let until = |n: usize| parts.starts.get(n + 1).copied().unwrap_or(Duration::MAX);
    let part = |n: usize| replayer.part(session, 7, parts.starts[n], until(n)).unwrap().map(Result::unwrap).collect::<String>();
    let all: String = (0..parts.starts.len()).map(part).collect();
    // What came at the very moment of an entrance is seen as it left the screen, as at any moment: of a line longer than that, its end.
    let whole: Vec<String> = replayer.cast(session, 7, Duration::ZERO).unwrap().map(Result::unwrap).collect();
    for n in (0..40).filter(|n| !all.contains(&format!("line {n} "))) {
        let event = whole.iter().find(|l| l.contains(&format!("line {n} "))).unwrap();
        let (at, ..): (f64, String, String) = serde_json::from_str(event).unwrap();
        assert!(parts.starts.iter().any(|s| s.as_secs_f64() == at), "line {n} of {at} s is in no part");
    }
    assert!(all.contains("line 39 "));
    let survey = replayer.survey(session, &mut || std::ops::ControlFlow::Continue(())).unwrap().unwrap();
    assert!((0..40).all(|n| survey.lines.iter().any(|l| l.text.starts_with(&format!("line {n} ")))));
    let (told, more) = replayer.follow(session, 7).unwrap().look().unwrap();
    let [Live::Screen { paint, .. }, Live::Over] = &told[..] else { panic!("{told:?}") };
    assert!(!more && paint.len() > 1_000, "the end of the last line fills the screen: {paint:?}");

    // A segment of the middle is not missed silently.
    let folder = lab.folder(session);
    std::fs::rename(folder.join("sealed.1"), folder.join("sealed.99")).unwrap();
    let report = verify_dir(&lab.root(), session);
    assert_eq!(report.verdict, Verdict::Damaged);
    assert_eq!(report.findings[0].to_string(), "sealed.1: is missing [segment_missing]");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_hanging_disk_does_not_stop_another_session() {
    let lab = lab();
    let recorder =
        recorder_on(&lab, Faulty { sync_time: Duration::from_millis(1500), ..Faulty::default() }, Duration::from_secs(1), 1 << 30);
    // Neighbours have different disk threads; their lanes share threads.
    let slow = recorder.start(header()).await.unwrap();
    let other = recorder.start(header()).await.unwrap();
    slow.record(at(0, 0, shell())).await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    let start = Instant::now();
    for n in 0..50 {
        other.record(at(n, 0, EventKind::Output("quick\r\n".into()))).await.unwrap();
    }
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}
