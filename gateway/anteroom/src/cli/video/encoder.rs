//! `ffmpeg` as a child process: frames go in through a pipe, a file comes out. It gets no other input and nothing of our environment.
use super::frames::Extent;
use anyhow::{Context as _, Result, anyhow, bail};
use std::{
    io::{self, Write as _},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    thread::JoinHandle,
};

pub(super) const MISSING: &str = "ffmpeg is not installed here; on Debian: apt install ffmpeg";
/// Of what it complains.
const MOST_SAID: usize = 8 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Mp4,
    WebM,
}

impl Container {
    /// By the file's name; what goes into a pipe is WebM, which nobody has to seek in.
    pub(super) fn of(output: &Path) -> Option<Self> {
        if output == Path::new("-") {
            return Some(Self::WebM);
        }
        match output.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "mp4" => Some(Self::Mp4),
            "webm" => Some(Self::WebM),
            _ => None,
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Mp4 => &["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-movflags", "+faststart", "-f", "mp4"],
            Self::WebM => {
                &["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-row-mt", "1", "-crf", "30", "-b:v", "0", "-f", "webm"]
            }
        }
    }
}

/// Whether there is one to run.
pub(super) fn installed() -> Result<()> {
    let ran = ffmpeg().arg("-version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match ran {
        Ok(status) if status.success() => Ok(()),
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e).context("cannot run ffmpeg"),
        _ => bail!(MISSING),
    }
}

fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command.env_clear();
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
}

pub(super) struct Encoder {
    child: Child,
    frames: Option<ChildStdin>,
    said: Option<JoinHandle<String>>,
}

impl Encoder {
    /// `to`: an existing file that is overwritten; none is our standard output.
    pub(super) fn start(extent: Extent, per_second: u32, container: Container, title: &str, to: Option<&Path>) -> Result<Self> {
        let mut command = ffmpeg();
        command.args(["-hide_banner", "-nostdin", "-loglevel", "error", "-y", "-f", "rawvideo", "-pixel_format", "rgb0"]);
        command.args([
            "-video_size",
            &format!("{}x{}", extent.width, extent.height),
            "-framerate",
            &per_second.to_string(),
            "-i",
            "pipe:0",
        ]);
        command.args(["-an", "-pix_fmt", "yuv420p", "-g", &(per_second * 10).to_string(), "-metadata", &format!("title={title}")]);
        command.args(container.arguments());
        match to {
            // The protocol is named, so that no file name is taken for an address or an option.
            Some(path) => {
                let mut name = std::ffi::OsString::from("file:");
                name.push(path);
                command.arg(name).stdout(Stdio::null());
            }
            None => {
                command.arg("pipe:1").stdout(Stdio::inherit());
            }
        }
        command.stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => anyhow!(MISSING),
            _ => anyhow!(e).context("cannot run ffmpeg"),
        })?;
        let frames = child.stdin.take();
        let said = child.stderr.take().map(|said| std::thread::spawn(move || bounded(said)));
        Ok(Self { child, frames, said })
    }

    pub(super) fn write(&mut self, frame: &[u8]) -> Result<()> {
        let wrote = self.frames.as_mut().ok_or_else(|| anyhow!("ffmpeg takes nothing"))?.write_all(frame);
        // Why it went away it says itself. A broken pipe of ours must not look like one of our caller's, which is no error.
        if wrote.is_err() { Err(self.failure()) } else { Ok(()) }
    }

    /// All frames are there: waits until the file is whole.
    pub(super) fn finish(mut self) -> Result<()> {
        drop(self.frames.take());
        let status = self.child.wait().context("waiting for ffmpeg")?;
        if status.success() { Ok(()) } else { Err(self.failure()) }
    }

    fn failure(&mut self) -> anyhow::Error {
        drop(self.frames.take());
        let status = self.child.wait().map(|s| s.to_string()).unwrap_or_default();
        let said = self.said.take().and_then(|said| said.join().ok()).unwrap_or_default();
        let why = said.lines().map(str::trim).rfind(|l| !l.is_empty()).unwrap_or("it did not say why").to_owned();
        anyhow!("ffmpeg made no video ({status}): {why}")
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // After `finish` there is nothing left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads all, keeps the end.
fn bounded(mut from: impl io::Read) -> String {
    let (mut kept, mut piece) = (Vec::new(), [0; 1024]);
    while let Ok(n @ 1..) = from.read(&mut piece) {
        kept.extend_from_slice(&piece[..n]);
        kept.drain(..kept.len().saturating_sub(MOST_SAID));
    }
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_name_says_what_is_made() {
        let of = |name: &str| Container::of(Path::new(name));
        assert_eq!([of("a.mp4"), of("b/c.WebM"), of("-")], [Some(Container::Mp4), Some(Container::WebM), Some(Container::WebM)]);
        assert_eq!([of("a"), of("a.avi"), of(".mp4")], [None, None, None]);
    }

    #[test]
    fn what_ffmpeg_says_is_kept_within_bounds() {
        let long = format!("{}last words\n", "x".repeat(100_000));
        let kept = bounded(long.as_bytes());
        assert!(kept.len() == MOST_SAID && kept.ends_with("last words\n"));
    }

    /// Colours of the decoded frames' first pixels.
    fn decoded(file: &Path) -> Vec<[u8; 3]> {
        let out = ffmpeg().args(["-v", "error", "-i"]).arg(file).args(["-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        out.stdout.chunks_exact(64 * 48 * 3).map(|f| [f[0], f[1], f[2]]).collect()
    }

    #[test]
    fn what_goes_in_comes_out_of_the_file_frame_by_frame() {
        installed().expect("this test needs ffmpeg");
        let dir = tempfile::tempdir().unwrap();
        let extent = Extent { width: 64, height: 48 };
        for (name, container) in [("-odd name.mp4", Container::Mp4), ("http:b.webm", Container::WebM)] {
            let file = dir.path().join(name);
            let mut encoder = Encoder::start(extent, 10, container, "t", Some(&file)).unwrap();
            for colour in [[220, 20, 20, 0], [20, 20, 220, 0]] {
                for _ in 0..12 {
                    encoder.write(&colour.repeat(64 * 48)).unwrap();
                }
            }
            encoder.finish().unwrap();
            let frames = decoded(&file);
            assert_eq!(frames.len(), 24, "{name}");
            let near = |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) < 24);
            assert!(near(frames[2], [220, 20, 20]) && near(frames[20], [20, 20, 220]), "{name}: {:?} {:?}", frames[2], frames[20]);
        }
    }

    #[test]
    fn an_encoder_that_fails_says_why_and_is_no_broken_pipe_of_ours() {
        installed().expect("this test needs ffmpeg");
        let nowhere = Path::new("/nonexistent/folder/a.mp4");
        let mut encoder = Encoder::start(Extent { width: 64, height: 48 }, 10, Container::Mp4, "t", Some(nowhere)).unwrap();
        let failed = (0..10_000).find_map(|_| encoder.write(&[0; 64 * 48 * 4]).err()).unwrap();
        assert!(failed.to_string().contains("No such file"), "{failed}");
        assert!(!failed.is::<io::Error>());
    }
}
