//! A whole recording with its keys beside it.
#![allow(clippy::unwrap_used)]
use super::{folder, key, read_with_keys, read_without_keys, start, writing};
use crate::*;
use anteroom_domain::RecordingState;
use hpke::rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};
use std::convert::Infallible;

/// Deterministic "randomness" for the folder of a whole recording.
struct Counter(u64);
impl TryRng for Counter {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|n| n as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut b = [0; 8];
        self.try_fill_bytes(&mut b)?;
        Ok(u64::from_be_bytes(b))
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for piece in out.chunks_mut(32) {
            self.0 += 1;
            piece.copy_from_slice(&Sha256::digest(self.0.to_be_bytes())[..piece.len()]);
        }
        Ok(())
    }
}
impl TryCryptoRng for Counter {}

/// Keys of `whole/`: the masked recipient, then the two key-holders.
fn recipients() -> [PrivateKey; 3] {
    [1u8, 2, 3].map(|n| PrivateKey::from_seed(&[n; 32]))
}

fn whole() -> Vec<(String, Vec<u8>)> {
    let signer = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let id = uuid::Uuid::from_u128;
    let header = RecordingHeader {
        format: RecordingHeader::FORMAT.into(),
        gateway: "gw-example".into(),
        session: SessionHeader {
            session: start(Track::Masked).session.into(),
            person: id(2).into(),
            person_handle: "casey".into(),
            target: id(3).into(),
            target_name: anteroom_domain::TargetName::new("ehr-db-1").unwrap(),
            account: anteroom_domain::AccountName::new("root").unwrap(),
            source: "192.0.2.7".parse().unwrap(),
            started_at: time::macros::datetime!(2026-11-23 15:00 UTC),
            grant: id(4).into(),
        },
        rules_sha256: hex(&[0; 32]),
        manifest_key: public_text(&signer),
    };
    let recording = header.sha256().unwrap();
    let mut files = vec![("header.json".to_owned(), header.to_bytes().unwrap())];
    let publics = recipients().map(|k| *k.public());
    let holders: [&[&[PublicKey]]; 2] = [&[&publics[..1]], &[&publics[1..2], &publics[2..]]];
    let mut tracks = Vec::new();
    for (track, holders) in Track::ALL.into_iter().zip(holders) {
        let start = SegmentStart { recording, ..start(track) };
        let (mut out, mut packer) = (Vec::new(), Packer::new().unwrap());
        let envelope = Envelope::wrap(&start.clone().header(&key()), &key(), holders, &mut Counter(track.code().into())).unwrap();
        let mut w = SegmentWriter::start(start, &key(), &mut out);
        w.event(&Event { at_us: 5, channel: 0, body: Body::Open }, &mut packer, &mut out).unwrap();
        w.event(&Event { at_us: 6, channel: 0, body: Body::Output(b"hello\n") }, &mut packer, &mut out).unwrap();
        let table = [ChannelEntry { opened_us: 5, ended_us: 6, ..ChannelEntry::default() }];
        let done = w.finish(&table, EndReason::Closed, &mut packer, &mut out).unwrap();
        let segment = SegmentSummary {
            segment: 0,
            bytes: done.bytes,
            chunks: done.chunks,
            events: done.events,
            head: hex(&done.head),
            finished: true,
        };
        tracks.push(TrackSummary { track, segments: vec![segment] });
        files.push((track.envelope_name(0), envelope.to_bytes().unwrap()));
        files.push((track.file_name(0), out));
    }
    let manifest = Manifest {
        format: Manifest::FORMAT.into(),
        session: header.session.session,
        gateway: header.gateway.clone(),
        header_sha256: hex(&recording),
        rules_sha256: header.rules_sha256.clone(),
        state: RecordingState::Complete,
        duration_us: 6,
        tracks,
        channels: vec![ChannelCount { channel: 0, events: 2, input_bytes: 0, output_bytes: 6 }],
        mask_check: MaskCheck::Passed,
        mask_counts: [("name".to_owned(), 0)].into(),
    };
    files.push(("manifest.json".into(), SignedManifest::sign(manifest, &signer).unwrap().to_bytes().unwrap()));
    let names = ["masked", "holder-a", "holder-b"];
    files.extend(names.iter().zip(recipients()).map(|(n, k)| (format!("{n}.key"), format!("{}\n", *k.to_line()).into_bytes())));
    files
}

#[test]
fn the_whole_recording_opens_with_the_keys_beside_it() {
    let folder = folder().join("whole");
    if writing() {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in whole() {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let private = |name: &str| String::from_utf8(read(name)).unwrap().parse::<PrivateKey>().unwrap();
    let header: RecordingHeader = strict::decode(&read("header.json")).unwrap();
    let manifest = SignedManifest::verify(&read("manifest.json"), &header.manifest_key).unwrap().manifest;
    assert_eq!(manifest.header_sha256, hex(&Sha256::digest(read("header.json"))));
    for track in Track::ALL {
        let file = read(&track.file_name(0));
        let segment = ChainReader::open(&file[..]).unwrap().header().clone();
        let envelope = Envelope::from_bytes(&read(&track.envelope_name(0))).unwrap();
        let opened = match track {
            Track::Masked => envelope.open(&segment, &private("masked.key")).unwrap(),
            Track::Sealed => {
                let shares = ["holder-a.key", "holder-b.key"].map(|k| envelope.open_share(&segment, &private(k)).unwrap());
                envelope.combine(&segment, &shares).unwrap()
            }
        };
        assert_eq!(read_with_keys(&file, &opened), "2 events, 6 bytes of output");
        assert_eq!(read_without_keys(&file), "finished, 3 chunks");
    }
}
