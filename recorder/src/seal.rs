//! Closing a recording: the signed manifest.
use crate::{RecordingFailed, Sealed, shared::Shared, store};
use anteroom_domain::{RecordingState, Secret, canonical::CanonicalError};
use anteroom_format::{ChannelCount, Manifest, ManifestError, MaskCheck, RecordingHeader, SignedManifest, Track, TrackSummary, hex};
use ed25519_dalek::SigningKey;
use std::{collections::BTreeMap, path::Path};

/// What a manifest says besides what its header says.
pub(crate) struct Contents {
    pub(crate) state: RecordingState,
    pub(crate) duration_us: u64,
    pub(crate) tracks: Vec<TrackSummary>,
    pub(crate) channels: Vec<ChannelCount>,
    pub(crate) mask_check: MaskCheck,
    pub(crate) mask_counts: BTreeMap<String, u64>,
}

/// Both lanes ended well.
pub(crate) fn complete(shared: &Shared, signer: &Secret<[u8; 32]>) -> Result<Sealed, RecordingFailed> {
    let mut lanes = std::mem::take(&mut *shared.lanes.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    let duration_us = lanes.iter().map(|l| l.last_us).max().unwrap_or_default();
    let mut tracks: Vec<_> = lanes.iter_mut().filter_map(|l| l.track.take()).collect();
    tracks.sort_by_key(|t| t.track);
    if tracks.iter().map(|t| t.track).ne(Track::ALL) {
        return Err(shared.failed().unwrap_or(RecordingFailed::Lost));
    }
    let mut contents = Contents {
        state: RecordingState::Complete,
        duration_us,
        tracks,
        channels: Vec::new(),
        mask_check: MaskCheck::Passed,
        mask_counts: BTreeMap::new(),
    };
    for lane in lanes {
        contents.channels.extend(lane.channels);
        contents.mask_counts.extend(lane.mask_counts);
        if lane.mask_incomplete {
            contents.mask_check = MaskCheck::Found;
        }
    }
    contents.channels.sort_by_key(|c| c.channel);
    publish(&shared.folder, &shared.header, shared.header_sha256, contents, signer)
}

/// Signs and writes `manifest.json`.
pub(crate) fn publish(
    folder: &Path,
    header: &RecordingHeader,
    header_sha256: [u8; 32],
    contents: Contents,
    signer: &Secret<[u8; 32]>,
) -> Result<Sealed, RecordingFailed> {
    let Contents { state, duration_us, tracks, channels, mask_check, mask_counts } = contents;
    let manifest = Manifest {
        format: Manifest::FORMAT.into(),
        session: header.session.session,
        gateway: header.gateway.clone(),
        header_sha256: hex(&header_sha256),
        rules_sha256: header.rules_sha256.clone(),
        state,
        duration_us,
        tracks,
        channels,
        mask_check,
        mask_counts,
    };
    let unsigned = |e: ManifestError| RecordingFailed::Io(e.to_string());
    let signed = SignedManifest::sign(manifest, &SigningKey::from_bytes(signer.expose())).map_err(unsigned)?;
    store::publish(folder, store::MANIFEST, &signed.to_bytes().map_err(unsigned)?).map_err(|e| RecordingFailed::from(&e))?;
    sealed(signed.manifest).map_err(|e| unsigned(e.into()))
}

/// What the audit log gets to know of a manifest.
pub(crate) fn sealed(manifest: Manifest) -> Result<Sealed, CanonicalError> {
    Ok(Sealed {
        session: manifest.session,
        state: manifest.state,
        manifest_sha256: manifest.sha256()?,
        mask_incomplete: manifest.mask_incomplete(),
        mask_counts: manifest.mask_counts.clone(),
        bytes: manifest.tracks.iter().flat_map(|t| &t.segments).map(|s| s.bytes).sum(),
        manifest,
    })
}
