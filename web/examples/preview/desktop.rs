//! A made-up desktop with a worklist, a dialog and a long pause. Its writing is drawn by ImageMagick where that is installed; else its windows are
//! empty.
use super::painting;
use anteroom_recorder::{Desktop, EventKind};
use bytes::Bytes;
use std::process::{Command, Stdio};

const FONT: &str = "DejaVu-Sans";

pub fn opening() -> EventKind {
    EventKind::OpenDesktop(Desktop { width: 1280, height: 800, io_channel: 1003, channels: Vec::new(), zones: Vec::new() })
}

/// A window with lines of text: each where it stands, and how large.
fn window((x, y): (u16, u16), (width, height): (u16, u16), colour: &str, lines: &[(u16, u16, u8, &str)]) -> Vec<Bytes> {
    let mut draw = Command::new("convert");
    draw.args(["-size", &format!("{width}x{height}"), &format!("xc:{colour}"), "-font", FONT, "-fill", "#101418"]);
    for (left, top, size, text) in lines {
        draw.args(["-pointsize", &size.to_string(), "-annotate", &format!("+{left}+{top}"), text]);
    }
    draw.args(["-depth", "8", "rgb:-"]).stderr(Stdio::null());
    match draw.output() {
        Ok(drawn) if drawn.status.success() && drawn.stdout.len() == usize::from(width) * usize::from(height) * 3 => {
            painting::image(x, y, width, height, &drawn.stdout)
        }
        _ => painting::rectangle(x, y, width, height, [250, 250, 250]),
    }
}

fn background() -> Vec<Bytes> {
    let mut all = painting::rectangle(0, 0, 1280, 800, [38, 84, 104]);
    all.extend(painting::rectangle(0, 760, 1280, 40, [24, 30, 36]));
    all
}

/// The worklist as it is when so many orders are done.
fn worklist(done: u32) -> Vec<Bytes> {
    let rows = [
        ("84930211", "Fictional Ada", "1961-02-03", "Chest PA"),
        ("84930212", "Madeup Bertram", "1975-11-30", "Knee left"),
        ("84930213", "Invented Chiara", "1988-07-14", "Hand right"),
        ("84930214", "Example Dmitri", "1950-01-09", "Spine lumbar"),
    ];
    let head = format!("Worklist ward 4 - {done} of 4 orders done");
    let mut lines = vec![
        (24, 44, 24, head.as_str()),
        (24, 100, 20, "MRN"),
        (180, 100, 20, "Patient"),
        (460, 100, 20, "Date of birth"),
        (660, 100, 20, "Order"),
    ];
    for (n, (mrn, name, born, order)) in rows.iter().enumerate() {
        let top = 150 + 50 * n as u16;
        lines.extend([(24, top, 20, *mrn), (180, top, 20, *name), (460, top, 20, *born), (660, top, 20, *order)]);
    }
    window((120, 90), (860, 380), "#f4f6f7", &lines)
}

/// Times in ms.
pub fn events() -> Vec<(u64, u32, EventKind)> {
    let mut all = vec![(0, 0, opening())];
    let mut paint = |ms: u64, frames: Vec<Bytes>| all.extend(frames.into_iter().map(|f| (ms, 0, EventKind::Output(f))));
    paint(60, background());
    paint(1_000, worklist(0));
    paint(6_000, worklist(1));
    paint(
        9_000,
        window(
            (380, 300),
            (460, 170),
            "#fff7e0",
            &[(24, 50, 22, "Printer 2 is out of paper"), (24, 100, 20, "Put paper into tray 1, then press OK.")],
        ),
    );
    paint(14_000, worklist(2));
    paint(48_000, worklist(3));
    paint(52_000, window((700, 420), (420, 240), "#ffffff", &[(24, 50, 22, "Export"), (24, 110, 20, "Study sent to the archive.")]));
    for n in 0..60u16 {
        all.push((1_200 + u64::from(n) * 150, 0, EventKind::Pointer { x: 200 + n * 9, y: 160 + n * 4 }));
    }
    all.push((14_500, 0, EventKind::Note("the clipboard is off in this session".into())));
    all.push((30_000, 0, EventKind::Message("please finish by noon, the ward calls".into())));
    all.push((55_000, 0, EventKind::Close));
    all.sort_by_key(|(ms, ..)| *ms);
    all
}

/// What a running desktop shows after so many seconds.
pub fn second(n: u64) -> Vec<EventKind> {
    let mut frames = if n == 0 { background() } else { Vec::new() };
    let wide = u16::try_from(n % 40).unwrap_or_default() * 15 + 8;
    if n.is_multiple_of(40) {
        let head = format!("Nightly export, run {}", n / 40 + 1);
        frames.extend(window(
            (200, 200),
            (700, 160),
            "#f4f6f7",
            &[(24, 50, 24, &head), (24, 90, 18, "Images of ward 4 go to the archive.")],
        ));
    }
    frames.extend(painting::rectangle(224, 310, wide, 24, [11, 107, 99]));
    let mut all: Vec<EventKind> = frames.into_iter().map(EventKind::Output).collect();
    all.push(EventKind::Pointer { x: 230 + wide, y: 340 });
    all
}
