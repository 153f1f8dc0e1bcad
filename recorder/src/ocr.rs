//! Text in pictures, read by Tesseract: a child process for each batch of regions, which gets pixels through a pipe and gives words through another.
//! No pixel and no word is in a file, and whatever a picture does to it happens in another process, with bounds on memory and time.
use anteroom_picture::{Ocr, OcrError, Region, Sheet, Word};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};
use std::{
    io::{self, Read, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// A batch takes no longer, or it is not read.
const TIME: Duration = Duration::from_secs(30);
/// Address space of the child, in bytes. It takes 200 MiB for the largest sheet.
const MEMORY: u64 = 1 << 30;
/// Its answer at most.
const ANSWER: u64 = 8 << 20;
/// Files that it may have open, and bytes that it may write to one.
const FILES: u64 = 32;
const POLL: Duration = Duration::from_millis(2);

/// From a moment on, nothing is read any more: whoever waits for a reader has no time left.
#[derive(Debug, Clone, Default)]
pub struct Halt(Arc<Mutex<Option<Instant>>>);

impl Halt {
    /// The earliest moment that was set counts.
    pub(crate) fn set(&self, by: Instant) {
        let mut set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *set = Some(set.map_or(by, |before| before.min(by)));
    }

    pub(crate) fn by(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is that late.
    pub fn is_over(&self) -> bool {
        self.by().is_some_and(|by| by <= Instant::now())
    }
}

/// Tesseract 5, as Debian has it.
#[derive(Debug)]
pub struct Tesseract {
    program: PathBuf,
    time: Duration,
    halt: Halt,
}

impl Tesseract {
    pub fn new(halt: Halt) -> Self {
        Self::at("/usr/bin/tesseract".into(), halt)
    }

    /// Another program that answers like it.
    pub fn at(program: PathBuf, halt: Halt) -> Self {
        Self { program, time: TIME, halt }
    }

    /// With another bound on a batch's time.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    fn start(&self) -> Result<Child, OcrError> {
        Command::new(&self.program)
            // PSM 11: text wherever it stands, in no order. A screen is no page.
            .args(["stdin", "stdout", "--psm", "11", "-l", "eng", "tsv"])
            .env_clear()
            .env("OMP_THREAD_LIMIT", "1")
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // What interrupts the gateway at a terminal is not meant for it.
            .process_group(0)
            .spawn()
            .map_err(|_| OcrError::Unavailable)
    }
}

impl Ocr for Tesseract {
    fn read(&mut self, regions: &[Region<'_>]) -> Result<Vec<Vec<Word>>, OcrError> {
        if regions.is_empty() {
            return Ok(Vec::new());
        }
        if self.halt.is_over() {
            return Err(OcrError::TimedOut);
        }
        let sheet = Sheet::of(regions);
        let until = Instant::now() + self.time;
        let mut child = self.start()?;
        // Nothing that somebody showed reached it so far.
        let asked = match bounds(&child) {
            Ok(()) => self.ask(&mut child, sheet.pgm(), until),
            Err(_) => Err(OcrError::Unavailable),
        };
        let ended = self.end(&mut child, until, asked.is_err());
        let Asked { answer, threads } = asked?;
        // Their pipes have nobody at the other end any more.
        threads.into_iter().for_each(|t| drop(t.join()));
        let answer = answer?;
        if !ended || answer.len() as u64 > ANSWER {
            return Err(OcrError::Died);
        }
        sheet.words(std::str::from_utf8(&answer).map_err(|_| OcrError::Answer)?)
    }
}

struct Asked {
    answer: Result<Vec<u8>, OcrError>,
    threads: [JoinHandle<()>; 2],
}

impl Tesseract {
    /// One thread gives and another takes, each at the child's pace; this one looks at the clock.
    fn ask(&self, child: &mut Child, pixels: Vec<u8>, until: Instant) -> Result<Asked, OcrError> {
        let (Some(mut to), Some(from)) = (child.stdin.take(), child.stdout.take()) else { return Err(OcrError::Died) };
        let builder = || thread::Builder::new().name("recorder-ocr".into()).stack_size(128 << 10);
        let failed = |_| OcrError::Unavailable;
        let giving = builder().spawn(move || drop(to.write_all(&pixels))).map_err(failed)?;
        let (send, receive) = mpsc::sync_channel(1);
        let taking = builder().spawn(move || {
            let mut answer = Vec::new();
            let read = from.take(ANSWER + 1).read_to_end(&mut answer);
            let _ = send.send(read.map(|_| answer));
        });
        let taking = taking.map_err(failed)?;
        let answer = loop {
            match receive.recv_timeout(POLL) {
                Ok(answer) => break answer.map_err(|_| OcrError::Died),
                Err(RecvTimeoutError::Disconnected) => break Err(OcrError::Died),
                Err(RecvTimeoutError::Timeout) if self.is_late(until) => break Err(OcrError::TimedOut),
                Err(RecvTimeoutError::Timeout) => {}
            }
        };
        if answer.is_err() {
            kill(child);
        }
        Ok(Asked { answer, threads: [giving, taking] })
    }

    /// Waits for the child, whatever it does; whether it ended well by itself.
    fn end(&self, child: &mut Child, until: Instant, at_once: bool) -> bool {
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return status.success(),
                Ok(None) if !at_once && !self.is_late(until) => thread::sleep(POLL),
                Ok(None) | Err(_) => {
                    kill(child);
                    let _ = child.wait();
                    return false;
                }
            }
        }
    }

    fn is_late(&self, until: Instant) -> bool {
        self.halt.is_over() || Instant::now() >= until
    }
}

/// The child and whatever it started; it was not waited for yet.
fn kill(child: &Child) {
    if let Some(group) = pid(child) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// What the child may use. It has read nothing when this returns.
fn bounds(child: &Child) -> io::Result<()> {
    let pid = pid(child).ok_or_else(|| io::Error::other("no process"))?;
    let seconds = TIME.as_secs();
    for (what, most) in [
        (Resource::As, MEMORY),
        (Resource::Cpu, seconds),
        (Resource::Nofile, FILES),
        // It writes no file.
        (Resource::Fsize, 0),
        (Resource::Core, 0),
    ] {
        prlimit(Some(pid), what, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_picture::{Picture, Rect};
    use std::{fs, os::unix::fs::PermissionsExt};

    /// A program that stands for Tesseract.
    fn program(dir: &tempfile::TempDir, script: &str) -> PathBuf {
        let path = dir.path().join("reads");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        path
    }

    fn read(program: PathBuf, halt: Halt, time: Duration) -> Result<Vec<Vec<Word>>, OcrError> {
        let picture = Picture::new(640, 480).unwrap();
        let area = Rect::new(10, 10, 600, 400);
        Tesseract::at(program, halt).within(time).read(&[Region { picture: &picture, area }])
    }

    const HEADER: &str = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext";

    #[test]
    fn it_gets_a_picture_and_answers_with_words() {
        let dir = tempfile::tempdir().unwrap();
        let script = format!(
            "head -c 2 | grep -q P5 || exit 1\ncat > /dev/null\nprintf '{HEADER}\\n5\\t1\\t1\\t1\\t1\\t1\\t54\\t54\\t90\\t30\\t91\\tChart\\n'"
        );
        let words = read(program(&dir, &script), Halt::default(), TIME).unwrap();
        assert_eq!((words.len(), words[0].len(), words[0][0].text.as_str()), (1, 1, "Chart"));
    }

    #[test]
    fn whatever_goes_wrong_is_an_error_and_never_words() {
        let dir = tempfile::tempdir().unwrap();
        let soon = Duration::from_millis(300);
        for (script, wanted) in [
            ("exit 1", OcrError::Died),
            ("kill -9 $$", OcrError::Died),
            ("cat > /dev/null; echo hello", OcrError::Answer),
            ("cat > /dev/null; printf '\\377'", OcrError::Answer),
            ("sleep 60", OcrError::TimedOut),
            // It reads nothing and says nothing, and its own children hold the pipes.
            ("exec 2>&1; sleep 60 & sleep 60", OcrError::TimedOut),
        ] {
            let began = Instant::now();
            assert_eq!(read(program(&dir, script), Halt::default(), soon), Err(wanted), "{script}");
            assert!(began.elapsed() < Duration::from_secs(5), "{script}: {:?}", began.elapsed());
        }
        assert_eq!(read(dir.path().join("not-there"), Halt::default(), soon), Err(OcrError::Unavailable));
    }

    #[test]
    fn when_there_is_no_time_left_it_ends_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let (halt, began) = (Halt::default(), Instant::now());
        halt.set(Instant::now() + Duration::from_millis(200));
        assert_eq!(read(program(&dir, "sleep 60"), halt.clone(), TIME), Err(OcrError::TimedOut));
        assert_eq!(read(program(&dir, "sleep 60"), halt, TIME), Err(OcrError::TimedOut));
        assert!(began.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn it_cannot_take_all_memory_nor_write_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let limits = "ulimit -v; ulimit -f; ulimit -t; ulimit -n; env | grep -c SECRET";
        // What is forked before it was given anything may have been forked before it was bounded.
        let script =
            format!("cat > /dev/null; {{ {limits}; }} | tr '\\n' ' ' | grep -q '^1048576 0 30 32 0 ' || exit 1; printf '{HEADER}\\n'");
        assert_eq!(read(program(&dir, &script), Halt::default(), TIME), Ok(vec![Vec::new()]));
        // Set from outside while it starts: it has read nothing before.
    }
}
