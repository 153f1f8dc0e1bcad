//! A real file system that is full. Needs the right to mount one; without it the test says so and the disks of `faults.rs` must do.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
mod common;
use anteroom_domain::RecordingState;
use anteroom_recorder::*;
use common::*;
use std::{path::PathBuf, process::Command, time::Duration};

struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(lab: &Lab) -> Option<Self> {
        let path = lab.dir.path().join("small");
        std::fs::create_dir(&path).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=600k", "tmpfs"]).arg(&path).output();
        mounted.is_ok_and(|o| o.status.success()).then_some(Self(path))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_session_and_what_was_acknowledged_is_there() {
    let lab = lab();
    let Some(disk) = SmallDisk::mount(&lab) else {
        println!("skipped: no right to mount a small file system");
        return;
    };
    let recorder = Recorder::open(RecorderOptions { root: disk.0.join("recordings"), ..lab.options() }).unwrap();
    let header = header();
    let session = header.session;
    let recording = recorder.start(header).await.unwrap();
    recording.record(at(0, 0, exec("cat noise"))).await.unwrap();
    let mut x = 1u32;
    let mut failed = None;
    for n in 0..2_000 {
        let noise: Vec<u8> = (0..8_000)
            .map(|_| {
                x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (x >> 24) as u8
            })
            .collect();
        if let Err(e) = recording.record(at(n, 0, EventKind::Output(noise.into()))).await {
            failed = Some(e);
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(failed, Some(RecordingFailed::DiskFull));
    assert_eq!(recording.failed().await, RecordingFailed::DiskFull);
    // There may or may not be room for the manifest: then it is made when there is.
    let sealed = match recording.finish().await {
        Ok(sealed) => sealed,
        Err(e) => {
            assert_eq!(e, RecordingFailed::DiskFull);
            drop(recording);
            assert!(Command::new("mount").args(["-o", "remount,size=2m"]).arg(&disk.0).status().unwrap().success());
            recorder.recover().remove(0)
        }
    };
    assert_eq!(sealed.state, RecordingState::Torn);
    let report = verify_dir(&disk.0.join("recordings"), session);
    assert_eq!((report.verdict, report.bytes > 300_000), (Verdict::Torn, true), "{report:?}");
    // A new session is refused while the disk is full.
    while std::fs::write(disk.0.join("fill"), vec![0; 4 << 20]).is_ok() {}
    let mut next = common::header();
    next.session = uuid::Uuid::from_u128(99).into();
    let e = recorder.start(next).await.unwrap_err();
    assert_eq!(e.to_string(), "cannot create the recording: the disk is full");
    recorder.shutdown().await;
}
