//! Other people's RDP, each piece a real one with a directory, a home and a port of its own: FreeRDP's client and its shadow server,
//! xrdp in front of TigerVNC, weston, rdesktop; and the screens they show, with made-up patients.
//!
//! What was learnt about each of them stands in `docs/rdp-compatibility.md`.
mod certificate;
mod client;
mod desk;
mod display;
mod picture;
mod server;
mod tap;
mod through;

pub use certificate::Certificate;
pub use client::{Client, Freerdp, Rdesktop};
pub use desk::{Desk, RECORD, SECRET, WORDS};
pub use display::{Display, Kind};
pub use picture::Picture;
pub use server::{Login, Shadow, Weston, Xrdp};
pub use tap::{Elsewhere, Tap};
pub use through::Ticket;

use std::{fs, io, path::Path, process::Command};

/// Nothing of whoever runs the test is read or written: home, configuration and temporary files are in `dir`.
fn at_home(command: &mut Command, dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    for part in ["home", "tmp", "run"] {
        fs::create_dir_all(dir.join(part))?;
        fs::set_permissions(dir.join(part), fs::Permissions::from_mode(0o700))?;
    }
    let home = dir.join("home");
    command.env("HOME", &home).env("XDG_CONFIG_HOME", home.join(".config")).env("XDG_CACHE_HOME", home.join(".cache"));
    command.env("XDG_DATA_HOME", home.join(".local")).env("XDG_RUNTIME_DIR", dir.join("run")).env("TMPDIR", dir.join("tmp"));
    for elsewhere in ["DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "XMODIFIERS", "LANG"] {
        command.env_remove(elsewhere);
    }
    command.env("LC_ALL", "C.UTF-8").current_dir(home);
    Ok(())
}
