//! What a target shows: a terminal window that fills its screen, with patients who do not exist and harmless words around them, and that
//! writes down what is typed into it.
use super::{Display, Kind, at_home};
use crate::harness::{daemon::Daemon, wait::wait_for};
use anyhow::{Result, bail};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

/// Nobody in it exists.
pub const RECORD: &str = "\
Ward 4 - Patient record (made up)            Page 1 of 1

MRN: MRN-4700037           Status: admitted
Patient name: Fausto Example
Date of birth: 1933-11-15
SSN: 913-17-6173           Phone: (202) 555-0117
Diagnosis: invented cough

 MRN         | PATIENT_NAME     | SSN         | WARD
-------------+------------------+-------------+--------
 MRN-4700074 | Mockeline Sample | 926-24-2346 | ward 3
 MRN-4700111 | Samplon Notreal  | 939-31-8519 | ward 4

Infusion pump ready. Battery full. Last service in March.
";

/// Whom it would be about.
pub const SECRET: [&str; 12] = [
    "4700037",
    "4700074",
    "4700111",
    "Fausto",
    "Mockeline",
    "Samplon",
    "Notreal",
    "1933-11-15",
    "913-17-6173",
    "926-24-2346",
    "939-31-8519",
    "555-0117",
];

/// What an auditor has to be able to read all the same.
pub const WORDS: [&str; 6] = ["Ward", "Status", "Diagnosis", "Infusion pump", "Battery full", "Last service"];

#[derive(Debug)]
pub struct Desk {
    typed: PathBuf,
    _windows: Daemon,
    // After the windows on it.
    pub display: Display,
}

impl Desk {
    /// Shows [`RECORD`] and then echoes.
    pub fn record(dir: &Path, kind: Kind, width: u32, height: u32) -> Result<Self> {
        let record = dir.join("record.txt");
        fs::create_dir_all(dir)?;
        fs::write(&record, RECORD)?;
        let script = format!("cat '{}'\nprintf '> '\n{ECHO}", record.display());
        Self::showing(Display::start(dir, kind, width, height)?, dir, &script)
    }

    /// What `script` (sh) prints; `$typed` is the file that [`typed`](Self::typed) reads.
    pub fn showing(display: Display, dir: &Path, script: &str) -> Result<Self> {
        let typed = dir.join("typed.txt");
        let program = write_program(dir, &typed, script)?;
        let mut command = display.program("xterm", dir)?;
        // In characters of that font, more than any screen here is large.
        command.args(["-fa", "DejaVu Sans Mono", "-fs", "14", "-geometry", "200x80+0+0", "+sb", "-b", "2", "-bw", "0"]);
        command.args(["-bg", "white", "-fg", "black", "-cr", "black", "-e"]).arg(program);
        let mut windows = Daemon::start(command, &dir.join("xterm.log"))?;
        wait_for("the screen to be drawn", Duration::from_secs(30), || {
            if let Some(status) = windows.has_ended()? {
                bail!("xterm ended ({status}): {}", windows.log().trim());
            }
            let picture = display.picture()?;
            // White paper with ink on it.
            Ok((picture.pixel(picture.width - 9, picture.height - 9) == [255; 3] && picture.drawn() > 0.002).then_some(()))
        })?;
        Ok(Self { typed, _windows: windows, display })
    }

    /// The lines that arrived.
    pub fn typed(&self) -> String {
        fs::read_to_string(&self.typed).unwrap_or_default()
    }
}

const ECHO: &str = "while IFS= read -r line; do printf '%s\\n' \"$line\" >>\"$typed\"; printf 'it heard %s\\n> ' \"$line\"; done\n";

/// For weston, whose windows are no X windows: the same screen in its own terminal.
pub(super) fn wayland(dir: &Path, socket: &str) -> Result<(Daemon, PathBuf)> {
    let (record, typed) = (dir.join("record.txt"), dir.join("typed.txt"));
    fs::write(&record, RECORD)?;
    let program = write_program(dir, &typed, &format!("cat '{}'\nprintf '> '\n{ECHO}", record.display()))?;
    let mut command = Daemon::command("weston-terminal", "TERM");
    at_home(&mut command, dir)?;
    command.env("WAYLAND_DISPLAY", socket).args(["--maximized", "--font-size=14", &format!("--shell={}", program.display())]);
    Ok((Daemon::start(command, &dir.join("terminal.log"))?, typed))
}

fn write_program(dir: &Path, typed: &Path, script: &str) -> Result<PathBuf> {
    fs::create_dir_all(dir)?;
    let _ = fs::remove_file(typed);
    let program = dir.join("screen.sh");
    // Nothing but `script` is on it.
    fs::write(&program, format!("#!/bin/sh\ntyped='{}'\nprintf '\\033[2J\\033[H'\n{script}\nsleep 86400\n", typed.display()))?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    Ok(program)
}
