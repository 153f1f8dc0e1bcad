//! One track of one recording on disk: a chain of segments, each with its own key.
use crate::{
    RecordError, RecordingFailed,
    shared::Shared,
    store::{self, Disk, SegmentFile},
};
use anteroom_domain::Secret;
use anteroom_format::{
    ChannelEntry, EndReason, Envelope, Event, Finished, Packer, Picture, PublicKey, Screen, SegmentStart, SegmentSummary, SegmentWriter,
    Track, TrackSummary, WriteError, hex,
};
use getrandom::rand_core::UnwrapErr;
use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};
use zeroize::Zeroizing;

/// Bytes handed to the file at once, while they come fast: the kernel's work is by the call as much as by the byte.
const BATCH: usize = 256 << 10;

/// Compression state and output buffer of a recorder thread; its sessions share them.
#[derive(Debug)]
pub(crate) struct Scratch {
    packer: Packer,
    out: Vec<u8>,
}

impl Scratch {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self { packer: Packer::new()?, out: Vec::with_capacity(128 << 10) })
    }

    /// Forgets what a lane that broke left: it must not end up in another session's file.
    pub(crate) fn reset(&mut self) {
        self.out.clear();
    }
}

/// A file with appended bytes that are not durable yet.
pub(crate) struct Dirty {
    pub(crate) file: Arc<dyn SegmentFile>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) track: Track,
    /// Waits for a disk thread already.
    pub(crate) queued: AtomicBool,
}

/// What a track needs to open segments.
#[derive(Clone)]
pub(crate) struct TrackSetup {
    pub(crate) track: Track,
    pub(crate) folder: PathBuf,
    pub(crate) session: uuid::Uuid,
    pub(crate) recording: [u8; 32],
    /// One group of keys a share.
    pub(crate) holders: Vec<Vec<PublicKey>>,
    pub(crate) disk: Arc<dyn Disk>,
    /// A segment that is longer is followed by a new one. In bytes.
    pub(crate) segment_bytes: u64,
}

/// Finished parts of a track, the segment that is being written, and the table of channels.
pub(crate) struct TrackFile {
    setup: TrackSetup,
    writer: SegmentWriter,
    file: Arc<dyn SegmentFile>,
    /// Sealed chunks that are not handed to the file yet.
    sealed: Vec<u8>,
    finished: Vec<SegmentSummary>,
    pub(crate) channels: Vec<ChannelEntry>,
}

impl TrackFile {
    /// Makes the first segment and its envelope. Both, pushed to `files`, are still to be made durable.
    pub(crate) fn create(setup: TrackSetup, files: &mut Vec<Arc<dyn SegmentFile>>) -> Result<Self, RecordError> {
        let (writer, file, envelope) = open_segment(&setup, 0, [0; 32])?;
        files.extend([envelope, file.clone()]);
        Ok(Self { setup, writer, file, sealed: Vec::new(), finished: Vec::new(), channels: Vec::new() })
    }

    pub(crate) fn file(&self) -> Arc<dyn SegmentFile> {
        self.file.clone()
    }

    /// Adds an event. True: bytes went to the disk.
    pub(crate) fn event(&mut self, event: &Event<'_>, scratch: &mut Scratch) -> Result<bool, RecordingFailed> {
        self.code(scratch, BATCH, |writer, packer, out| writer.event(event, packer, out))
    }

    pub(crate) fn keyframe(&mut self, screen: &Screen<'_>, scratch: &mut Scratch) -> Result<bool, RecordingFailed> {
        self.code(scratch, BATCH, |writer, packer, out| writer.keyframe(screen, packer, out))
    }

    pub(crate) fn picture(&mut self, picture: &Picture<'_>, scratch: &mut Scratch) -> Result<bool, RecordingFailed> {
        self.code(scratch, BATCH, |writer, packer, out| writer.picture(picture, packer, out))
    }

    pub(crate) fn flush(&mut self, scratch: &mut Scratch) -> Result<bool, RecordingFailed> {
        self.code(scratch, 0, SegmentWriter::flush)
    }

    /// Nothing came for a while.
    pub(crate) fn rest(&mut self) {
        self.writer.rest();
    }

    /// Something that was taken is not handed to the disk.
    pub(crate) fn has_pending(&self) -> bool {
        self.writer.has_pending() || !self.sealed.is_empty()
    }

    pub(crate) fn wants_new_segment(&self) -> bool {
        self.writer.bytes() >= self.setup.segment_bytes
    }

    /// Ends this segment and starts the next; what was in the old one is durable afterwards.
    pub(crate) fn next_segment(self, scratch: &mut Scratch) -> Result<Self, RecordingFailed> {
        let Self { setup, writer, file, mut sealed, mut finished, channels } = self;
        let number = finished.len() as u32;
        let done = writer.finish(&channels, EndReason::Continued, &mut scratch.packer, &mut sealed).map_err(refused)?;
        write_out(&file, &mut sealed)?;
        file.sync().map_err(|e| RecordingFailed::from(&e))?;
        finished.push(summary(number, &done));
        let (writer, file, envelope) = open_segment(&setup, number + 1, done.head).map_err(|e| match e {
            RecordError::Io(e) => RecordingFailed::from(&e),
            e => RecordingFailed::Io(e.to_string()),
        })?;
        // The envelope is durable before the first chunk that it opens.
        let durable = store::sync_all(&[envelope, file.clone()]).and_then(|()| store::sync_dir(&setup.folder));
        durable.map_err(|e| RecordingFailed::from(&e))?;
        Ok(Self { setup, writer, file, sealed, finished, channels })
    }

    /// Writes index and final chunk.
    pub(crate) fn finish(mut self, scratch: &mut Scratch) -> Result<TrackSummary, RecordingFailed> {
        let done = self.writer.finish(&self.channels, EndReason::Closed, &mut scratch.packer, &mut self.sealed).map_err(refused)?;
        write_out(&self.file, &mut self.sealed)?;
        self.finished.push(summary(self.finished.len() as u32, &done));
        Ok(TrackSummary { track: self.setup.track, segments: self.finished })
    }

    /// Lets the segment's writer write, and hands the result to the file once it has more than `batch` bytes. The buffer is the
    /// thread's until something stays in it.
    fn code(
        &mut self,
        scratch: &mut Scratch,
        batch: usize,
        write: impl FnOnce(&mut SegmentWriter, &mut Packer, &mut Vec<u8>) -> Result<(), WriteError>,
    ) -> Result<bool, RecordingFailed> {
        if self.sealed.is_empty() {
            std::mem::swap(&mut self.sealed, &mut scratch.out);
        }
        let coded = write(&mut self.writer, &mut scratch.packer, &mut self.sealed).map_err(refused);
        let full = !self.sealed.is_empty() && self.sealed.len() >= batch;
        let written = coded.and_then(|()| if full { write_out(&self.file, &mut self.sealed).map(|()| true) } else { Ok(false) });
        if written.is_err() {
            self.sealed.clear();
        }
        if self.sealed.is_empty() {
            let buffer = std::mem::take(&mut self.sealed);
            if buffer.capacity() > scratch.out.capacity() {
                scratch.out = buffer;
            }
        }
        written
    }
}

fn write_out(file: &Arc<dyn SegmentFile>, sealed: &mut Vec<u8>) -> Result<(), RecordingFailed> {
    let written = file.append(sealed);
    sealed.clear();
    written.map_err(|e| RecordingFailed::from(&e))
}

type Opened = (SegmentWriter, Arc<dyn SegmentFile>, Arc<dyn SegmentFile>);

/// A segment with its header, its file and that of its envelope.
fn open_segment(setup: &TrackSetup, segment: u32, link: [u8; 32]) -> Result<Opened, RecordError> {
    let format = |e: &dyn std::fmt::Display| RecordError::Format(e.to_string());
    let mut random = Zeroizing::new([0u8; 64]);
    getrandom::fill(random.as_mut_slice()).map_err(|e| format(&e))?;
    let (mut key, mut salt) = (Zeroizing::new([0u8; 32]), [0u8; 32]);
    key.copy_from_slice(&random[..32]);
    salt.copy_from_slice(&random[32..]);
    let key = Secret::new(*key);
    let start = SegmentStart { track: setup.track, segment, session: setup.session, recording: setup.recording, link, salt };

    let holders: Vec<&[PublicKey]> = setup.holders.iter().map(Vec::as_slice).collect();
    let envelope =
        Envelope::wrap(&start.clone().header(&key), &key, &holders, &mut UnwrapErr(getrandom::SysRng)).map_err(|e| format(&e))?;
    let envelope = store::place(&setup.folder, &setup.track.envelope_name(segment), &envelope.to_bytes().map_err(|e| format(&e))?)?;

    let file = setup.disk.create(&setup.folder.join(setup.track.file_name(segment)))?;
    let mut out = Vec::new();
    let writer = SegmentWriter::start(start, &key, &mut out);
    file.append(&out)?;
    Ok((writer, file, envelope))
}

fn summary(segment: u32, done: &Finished) -> SegmentSummary {
    SegmentSummary { segment, bytes: done.bytes, chunks: done.chunks, events: done.events, head: hex(&done.head), finished: true }
}

fn refused(e: WriteError) -> RecordingFailed {
    RecordingFailed::Io(e.to_string())
}
