//! Nobody's: what administrators look at all day.

use crate::{scene::Scene, t, text::Text};

const DAEMONS: &[&str] = &["sshd", "postgres", "java", "systemd", "nginx", "cron", "mirth", "Orthanc", "rsyslogd"];

pub(super) fn listing(s: &mut Scene) {
    s.command("ls -l --color=always");
    s.line(format!("total {}", s.within(8, 9999)));
    for _ in 0..s.within(5, 16) {
        let (on, name, off) = match s.roll(4) {
            0 => ("\x1b[0m\x1b[01;34m", s.any(&["archive", "incoming", "patients", "export-2025-04-12"]), "\x1b[0m"),
            1 => ("\x1b[01;32m", s.any(&["run.sh", "import_patients.py", "rotate"]), "\x1b[0m"),
            2 => ("\x1b[01;31m", s.any(&["backup-20250412.tar.gz", "ehr.sql.gz", "last_name_index.zip"]), "\x1b[0m"),
            _ => ("", s.any(&["README", "mrn_map.csv", "adt_0412.hl7", "00000412.dcm", "notes.txt", "dob_report.xlsx"]), ""),
        };
        s.line(t![
            format!(
                "-rw-r--r-- {:>2} {:8} {:8} {:>9} Apr {:>2} {} ",
                s.within(1, 4),
                s.any(&["root", "postgres", "mirth"]),
                s.any(&["root", "ehr", "staff"]),
                s.within(10, 99_999_999),
                s.within(1, 28),
                &s.clock()[..5]
            ),
            Text::control(on),
            name,
            Text::control(off)
        ]);
    }
}

pub(super) fn disks(s: &mut Scene) {
    s.command("df -h; free -m");
    s.line("Filesystem      Size  Used Avail Use% Mounted on");
    for mount in ["/", "/var/lib/postgresql", "/srv/pacs", "/boot/efi"] {
        s.line(format!(
            "/dev/sd{}{}       {:>4}G {:>4}G {:>4}G  {:>2}% {mount}",
            s.any(&["a", "b", "c"]),
            s.within(1, 4),
            s.within(100, 999),
            s.within(10, 99),
            s.within(10, 99),
            s.within(3, 98)
        ));
    }
    s.line("               total        used        free      shared  buff/cache   available");
    s.line(format!(
        "Mem:       {:>9}   {:>9}   {:>9}   {:>9}   {:>9}   {:>9}",
        s.within(8000, 64_000),
        s.within(1000, 9000),
        s.within(100, 9000),
        s.within(1, 900),
        s.within(100, 9000),
        s.within(1000, 30_000)
    ));
}

/// `top` repaints in place.
pub(super) fn top(s: &mut Scene) {
    s.command("top");
    s.control("\x1b[?1h\x1b=\x1b[H\x1b[J\x1b[?25l");
    for _ in 0..s.within(1, 3) {
        s.control("\x1b[H");
        let clock = s.clock();
        s.line(t![
            format!(
                "top - {clock} up {} days,  3:12,  2 users,  load average: 0.{:02}, 0.{:02}, 0.{:02}",
                s.within(10, 400),
                s.roll(100),
                s.roll(100),
                s.roll(100)
            ),
            Text::control("\x1b[K")
        ]);
        s.line(t![
            format!("Tasks: {} total,   1 running, {} sleeping,   0 stopped,   0 zombie", s.within(100, 300), s.within(90, 290)),
            Text::control("\x1b[K")
        ]);
        s.line(t![
            Text::control("\x1b[7m"),
            "    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND  ",
            Text::control("\x1b[0m")
        ]);
        for _ in 0..12 {
            s.line(t![
                format!(
                    "{:>7} {:9} 20   0 {:>7} {:>6} {:>6} S  {:>4} {:>5} {:>4}:{:02}.{:02} {}",
                    s.within(1, 99_999),
                    s.any(&["root", "postgres", "mirth", "www-data", "orthanc"]),
                    s.within(9000, 9_999_999),
                    s.within(900, 99_999),
                    s.within(900, 9999),
                    format!("{}.{}", s.roll(90), s.roll(10)),
                    format!("{}.{}", s.roll(9), s.roll(10)),
                    s.roll(400),
                    s.roll(60),
                    s.roll(100),
                    s.any(DAEMONS)
                ),
                Text::control("\x1b[K")
            ]);
        }
        s.pause(900);
    }
    s.control("\x1b[?1l\x1b>\x1b[?25h");
    s.line("");
}

pub(super) fn processes(s: &mut Scene) {
    s.command("ps aux | head -20");
    s.line("USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND");
    for _ in 0..s.within(6, 16) {
        s.line(format!(
            "{:9} {:>7}  {}.{}  {}.{} {:>6} {:>5} ?        Ss   Apr{:02}   {}:{:02} /usr/sbin/{} -D",
            s.any(&["root", "postgres", "mirth", "message+"]),
            s.within(1, 99_999),
            s.roll(9),
            s.roll(10),
            s.roll(9),
            s.roll(10),
            s.within(1000, 999_999),
            s.within(100, 99_999),
            s.within(1, 28),
            s.roll(300),
            s.roll(60),
            s.any(DAEMONS)
        ));
    }
}

pub(super) fn dmesg(s: &mut Scene) {
    s.command("dmesg | tail -20");
    let mut at = s.within(1, 90_000);
    for _ in 0..s.within(6, 16) {
        at += s.within(0, 30);
        let what = match s.roll(6) {
            0 => format!(
                "usb {}-{}: New USB device found, idVendor={}, idProduct={}, bcdDevice= 1.00",
                s.within(1, 4),
                s.within(1, 9),
                s.hex(4),
                s.hex(4)
            ),
            1 => format!("EXT4-fs (sda{}): mounted filesystem {} r/w with ordered data mode. Quota mode: none.", s.within(1, 4), s.uuid()),
            2 => "ACPI: Power Button [PWRF]".to_owned(),
            3 => format!("nvme0n1: Model: EXAMPLE SSD 970, SerialNumber: S4{}", s.digits(10)),
            4 => "Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) 12.2.0)".to_owned(),
            _ => format!(
                "audit: type=1400 audit(1712345{}.{}:{}): apparmor=\"STATUS\" operation=\"profile_load\"",
                s.digits(3),
                s.digits(3),
                s.within(2, 99)
            ),
        };
        s.line(format!("[{at:>5}.{}] {what}", s.digits(6)));
    }
}

pub(super) fn journal(s: &mut Scene) {
    s.command("journalctl -n 20 --no-pager");
    for _ in 0..s.within(6, 16) {
        let what = s.any(&[
            "Started apt-daily.service - Daily apt download activities.",
            "Accepted publickey for svc_backup from 192.0.2.41 port 51122 ssh2: ED25519 SHA256:mVPwvezndPv/ARoIadVY98vAC0g+P/5633yTC4d/wXE",
            "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
            "Reached target multi-user.target - Multi-User System.",
            "logrotate.service: Deactivated successfully.",
            "(root) CMD (/usr/lib/sysstat/debian-sa1 1 1)",
            "New session 412 of user vendor.",
            "Consumed 1.204s CPU time.",
            "Disconnected from user vendor 198.51.100.7 port 40212",
        ]);
        s.line(format!("Apr {:>2} {} ehr-db-2 {}[{}]: {what}", s.within(1, 28), s.clock(), s.any(DAEMONS), s.within(1, 32_000)));
    }
}

pub(super) fn kubectl(s: &mut Scene) {
    s.command("kubectl get pods -o wide");
    s.line("NAME                                READY   STATUS    RESTARTS       AGE     IP             NODE");
    for _ in 0..s.within(5, 14) {
        let name = format!("{}-{}-{}", s.any(&["patient-api", "mirth-connect", "name-matcher", "billing", "orthanc"]), s.hex(9), s.hex(5));
        s.line(format!(
            "{name:35} {}/1     {:9} {:<14} {:<7} 10.244.{}.{:<5} node-{}",
            s.roll(2),
            s.any(&["Running", "Pending", "Error"]),
            s.roll(9),
            s.any(&["12d", "94d", "3h12m", "101d", "41s"]),
            s.roll(9),
            s.within(2, 254),
            s.within(1, 9)
        ));
    }
    s.command("docker images");
    s.line("REPOSITORY                 TAG       IMAGE ID       CREATED        SIZE");
    for image in ["orthancteam/orthanc", "postgres", "nextgenhealthcare/connect"] {
        s.line(format!(
            "{image:26} {:9} {}   {} weeks ago    {}MB",
            format!("{}.{}.{}", s.within(1, 20), s.roll(20), s.roll(9)),
            s.hex(12),
            s.within(2, 40),
            s.within(80, 900)
        ));
    }
}

pub(super) fn packages(s: &mut Scene) {
    s.command(s.any(&["apt list --upgradable", "dpkg -l | tail", "pip list"]));
    for _ in 0..s.within(6, 16) {
        let name =
            s.any(&["libssl3", "openssh-server", "postgresql-15", "grace", "python3-hl7", "mark", "tzdata", "libgrant-dev", "dcmtk"]);
        let version = format!("{}.{}.{}-{}~deb12u{}", s.within(1, 20), s.roll(30), s.roll(30), s.within(1, 9), s.within(1, 9));
        s.line(match s.roll(3) {
            0 => t![
                Text::control("\x1b[32m"),
                name,
                Text::control("\x1b[0m"),
                format!("/stable-security {version} amd64 [upgradable from: {}.{}.1]", s.within(1, 20), s.roll(9))
            ],
            1 => t![format!("ii  {name:24} {version:24} amd64        runtime files")],
            _ => t![format!(
                "Get:{} http://deb.example.org/debian bookworm/main amd64 {name} amd64 {version} [{} kB]",
                s.within(1, 90),
                s.within(10, 9999)
            )],
        });
    }
}

pub(super) fn jobs(s: &mut Scene) {
    s.command("tail -n 20 /var/log/app/jobs.log");
    for _ in 0..s.within(6, 14) {
        s.line(match s.roll(4) {
            0 => format!(
                "2025-04-12T{}.{}Z INFO job {} state=done retries={} took={}ms",
                s.clock(),
                s.digits(3),
                s.uuid(),
                s.roll(4),
                s.within(9, 9999)
            ),
            1 => format!("[{}] DEBUG queue=hl7-out depth={} oldest={}s", s.clock(), s.roll(90), s.roll(300)),
            2 => format!("2025-04-12 {} WARN trace_id={} span_id={} slow query 2{} ms", s.clock(), s.hex(32), s.hex(16), s.digits(3)),
            _ => format!(
                "request_id={} status=200 bytes={} version={}.{}.{}",
                s.uuid(),
                s.within(100, 99_999),
                s.within(1, 9),
                s.roll(30),
                s.roll(30)
            ),
        });
    }
}
