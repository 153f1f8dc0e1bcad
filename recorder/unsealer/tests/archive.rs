//! A recording whose payload moved to an archive: the keys of an interval are released as ever, and never for what the archive made of it.
#![allow(clippy::unwrap_used)]
mod common;
use anteroom_recorder::{Recorder, Storage, StorageOptions, unmask::Recipient};
use anteroom_unsealer::{RecordingError, chunk_keys, decide};
use common::*;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_recording_is_unsealed_and_an_archive_that_is_away_or_lies_is_told() {
    let world = world();
    let archive = world.dir.path().join("archive");
    std::fs::create_dir(&archive).unwrap();
    let options = StorageOptions {
        archive: Some(format!("file://{}", archive.display()).parse().unwrap()),
        spool_limit: Some(1 << 30),
        min_free: Some(0),
        ..StorageOptions::default()
    };
    let recorder = Recorder::open_in(Storage::open(world.root(), &options).unwrap(), world.recorder_options()).unwrap();
    let (session, recording) = start(&recorder).await;
    recording.record(at(0, 0, shell())).await.unwrap();
    recording.record(at(1000, 0, out("one second\r\n"))).await.unwrap();
    recording.finish().await.unwrap();
    let local = world.folder(session).join("sealed.0");
    let begun = Instant::now();
    while local.exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it was not shipped");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    recorder.shutdown().await;

    let wish = world.wish(session, 0, 2000, &Recipient::generate().unwrap());
    let warrant = decide(&world.trust(), &world.proof(&wish), now(), |_| false).unwrap();
    // The unsealer's own cache, as its own process has it.
    let ask = |cache: &str| {
        let options = StorageOptions { cache_dir: Some(world.dir.path().join(cache)), ..options.clone() };
        chunk_keys(Storage::open(world.root(), &options).unwrap(), &warrant, &world.keys(), Duration::from_secs(20))
    };
    assert!(!ask("cache").unwrap().is_empty());

    let copy = archive.join(local.strip_prefix(world.root()).unwrap());
    let mut bytes = std::fs::read(&copy).unwrap();
    bytes[200] ^= 1;
    std::fs::write(&copy, bytes).unwrap();
    let e = ask("fresh").unwrap_err();
    assert!(e.to_string().contains("the archive's copy of sealed.0 is not what was recorded"), "{e}");
    std::fs::rename(&archive, archive.with_extension("away")).unwrap();
    let e = ask("fresh").unwrap_err();
    assert!(matches!(&e, RecordingError::Io(e) if e.to_string() == "the archive is away: its directory is not there"), "{e}");
    assert!(!ask("cache").unwrap().is_empty(), "what is in the cache needs no archive");
}
