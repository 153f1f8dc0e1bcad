//! Every kind of damage is told apart: by its code, and by the file and place it was done to.
#![allow(clippy::unwrap_used)]
mod common;
use anteroom_domain::{RecordingState, SessionId};
use anteroom_format::{Manifest, RecordingHeader, SegmentSummary, SignedManifest, strict};
use anteroom_recorder::{Code, Recorder, RecorderOptions, Verdict, verify, verify_dir};
use common::*;
use ed25519_dalek::SigningKey;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// Length of a segment's header, of a chunk's, and of the hash after it (SPEC sections 4 and 5).
const HEADER: usize = 192;
const FRAME: usize = 40;
const HASH: usize = 32;

struct Scene {
    lab: Lab,
    session: SessionId,
    folder: PathBuf,
    /// Of another session of the same gateway.
    other: PathBuf,
}

async fn scene() -> Scene {
    let lab = lab();
    let recorder = Recorder::open(RecorderOptions { max_lag: Duration::from_millis(80), ..lab.options() }).unwrap();
    let (session, other) = (complete_session(&recorder).await, complete_session(&recorder).await);
    recorder.shutdown().await;
    let (folder, other) = (lab.folder(session), lab.folder(other));
    Scene { lab, session, folder, other }
}

/// Where each chunk of a segment begins.
fn chunks(bytes: &[u8]) -> Vec<usize> {
    let mut at = HEADER;
    let mut all = Vec::new();
    while at < bytes.len() {
        all.push(at);
        at += FRAME + HASH + u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    }
    assert_eq!(at, bytes.len());
    all
}

/// What does one kind of damage to a recording's folder; the file that it is found in.
type Harm = fn(&Path, &Path) -> &'static str;

fn change(folder: &Path, name: &'static str, how: impl Fn(&mut Vec<u8>)) -> &'static str {
    let mut bytes = fs::read(folder.join(name)).unwrap();
    how(&mut bytes);
    fs::write(folder.join(name), bytes).unwrap();
    name
}

/// In the second chunk of the sealed track.
fn change_chunk(folder: &Path, how: impl Fn(&mut [u8], usize)) -> &'static str {
    change(folder, "sealed.0", |b| {
        let at = chunks(b)[1];
        how(b, at);
    })
}

fn take_other(folder: &Path, other: &Path, name: &'static str) -> &'static str {
    fs::copy(other.join(name), folder.join(name)).unwrap();
    name
}

fn remove(folder: &Path, name: &'static str) -> &'static str {
    fs::remove_file(folder.join(name)).unwrap();
    name
}

/// A manifest that the gateway did sign, about something else.
fn resign(folder: &Path, key: u8, how: impl Fn(&mut Manifest)) -> &'static str {
    let signed: SignedManifest = strict::decode(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    let mut manifest = signed.manifest;
    how(&mut manifest);
    let signed = SignedManifest::sign(manifest, &SigningKey::from_bytes(&[key; 32])).unwrap();
    fs::write(folder.join("manifest.json"), signed.to_bytes().unwrap()).unwrap();
    "manifest.json"
}

fn reword(folder: &Path, how: impl Fn(&mut RecordingHeader)) -> &'static str {
    let mut header: RecordingHeader = strict::decode(&fs::read(folder.join("header.json")).unwrap()).unwrap();
    how(&mut header);
    fs::write(folder.join("header.json"), header.to_bytes().unwrap()).unwrap();
    "header.json"
}

/// The masked track of a gateway that promised less than it wrote.
fn promise(folder: &Path, how: impl Fn(&mut SegmentSummary)) -> &'static str {
    resign(folder, 42, |m| how(&mut m.tracks[0].segments[0]));
    "masked.0"
}

const HARMS: &[(Code, Harm)] = &[
    (Code::Unreadable, |f, _| {
        remove(f, "sealed.0");
        fs::create_dir(f.join("sealed.0")).unwrap();
        "sealed.0"
    }),
    (Code::HeaderMissing, |f, _| remove(f, "header.json")),
    (Code::HeaderMalformed, |f, _| change(f, "header.json", |b| b.truncate(20))),
    (Code::HeaderFormat, |f, _| reword(f, |h| h.format = "anteroom-recording-v9".into())),
    (Code::HeaderOtherSession, |f, o| take_other(f, o, "header.json")),
    (Code::ManifestMalformed, |f, _| change(f, "manifest.json", |b| b.truncate(200))),
    (Code::ManifestOtherKey, |f, _| resign(f, 43, |_| ())),
    (Code::ManifestSignature, |f, _| {
        change(f, "manifest.json", |b| {
            let text = String::from_utf8(b.clone()).unwrap();
            *b = text.replace("gw-test", "gw-tost").into_bytes();
        })
    }),
    (Code::ManifestOtherRecording, |f, o| take_other(f, o, "manifest.json")),
    (Code::ManifestTracks, |f, _| resign(f, 42, |m| m.tracks.truncate(1))),
    (Code::SegmentMissing, |f, _| remove(f, "masked.0")),
    (Code::SegmentUnlisted, |f, _| {
        fs::copy(f.join("masked.0"), f.join("masked.1")).unwrap();
        "masked.1"
    }),
    (Code::SegmentOtherEnd, |f, _| change(f, "sealed.0", |b| b.truncate(*chunks(b).last().unwrap()))),
    (Code::SegmentMisplaced, |f, o| take_other(f, o, "sealed.0")),
    (Code::SegmentMagic, |f, _| change(f, "sealed.0", |b| b[0] ^= 1)),
    (Code::SegmentHeader, |f, _| change(f, "sealed.0", |b| b[70] ^= 1)),
    (Code::SegmentVersion, |f, _| {
        change(f, "sealed.0", |b| {
            b[9] = 9;
            let hash = Sha256::digest(&b[..160]);
            b[160..HEADER].copy_from_slice(&hash);
        })
    }),
    (Code::FinalMissing, |f, _| {
        let bytes = fs::read(f.join("masked.0")).unwrap();
        let end = *chunks(&bytes).last().unwrap();
        let cut = &bytes[..end];
        fs::write(f.join("masked.0"), cut).unwrap();
        let head = anteroom_format::hex(&cut[end - HASH..]);
        promise(f, |s| (s.bytes, s.chunks, s.finished, s.head) = (end as u64, s.chunks - 1, false, head.clone()))
    }),
    (Code::BytesAfterEnd, |f, _| change(f, "masked.0", |b| b.push(0))),
    (Code::ChunkTruncated, |f, _| change(f, "sealed.0", |b| b.truncate(b.len() - 3))),
    (Code::ChunkHeader, |f, _| change_chunk(f, |b, at| b[at + 4] = 99)),
    (Code::ChunkOtherTrack, |f, _| {
        change(f, "sealed.0", |b| {
            let (at, masked) = (chunks(b)[1], fs::read(f.join("masked.0")).unwrap());
            b[at + 6] = masked[HEADER + 6];
        })
    }),
    (Code::ChunkOrder, |f, _| {
        change(f, "sealed.0", |b| {
            let at = chunks(b);
            b.drain(at[0]..at[1]);
        })
    }),
    (Code::ChunkTime, |f, _| change_chunk(f, |b, at| b[at + 18] = 1)),
    (Code::ChunkChanged, |f, _| change_chunk(f, |b, at| b[at + FRAME + 2] ^= 1)),
    (Code::EnvelopeMalformed, |f, _| change(f, "sealed.0.envelope", |b| b.truncate(30))),
    (Code::EnvelopeOtherSegment, |f, o| take_other(f, o, "sealed.0.envelope")),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_damage_has_its_own_code() {
    let s = scene().await;
    let good = files(&s.folder);
    assert!(chunks(&fs::read(s.folder.join("sealed.0")).unwrap()).len() >= 3);
    let mut seen = BTreeSet::from([Code::NoRecording]);
    for (code, harm) in HARMS {
        let name = harm(&s.folder, &s.other);
        let report = verify_dir(&s.lab.root(), s.session);
        assert_eq!(report.verdict, Verdict::Damaged, "{code}");
        let found = report.findings.iter().find(|f| f.code == *code);
        let found = found.unwrap_or_else(|| panic!("{code}: instead {:?}", report.findings));
        assert_eq!(found.file, name, "{found}");
        assert!(found.to_string().ends_with(&format!("[{code}]")), "{found}");
        seen.insert(*code);
        fs::remove_dir_all(&s.folder).unwrap();
        fs::create_dir(&s.folder).unwrap();
        for (name, bytes) in &good {
            fs::write(s.folder.join(name), bytes).unwrap();
        }
        assert_eq!(verify_dir(&s.lab.root(), s.session).verdict, Verdict::Complete);
    }
    fs::remove_dir_all(&s.folder).unwrap();
    assert_eq!(verify_dir(&s.lab.root(), s.session).findings[0].code, Code::NoRecording);
    assert_eq!(seen, BTreeSet::from_iter(Code::ALL.iter().copied()), "a kind of damage that no test does");
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_counts_every_byte_of_the_tracks() {
    let s = scene().await;
    let read = std::sync::atomic::AtomicU64::new(0);
    let report = verify(&*s.folder, s.session, &|n| {
        read.fetch_add(n, std::sync::atomic::Ordering::SeqCst);
    });
    let length = |name: &str| fs::metadata(s.folder.join(name)).unwrap().len();
    assert_eq!(report.verdict, Verdict::Complete);
    assert_eq!(read.into_inner(), length("masked.0") + length("sealed.0"));
    assert_eq!(report.manifest.unwrap().state, RecordingState::Complete);
}
