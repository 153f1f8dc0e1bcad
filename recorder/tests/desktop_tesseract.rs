//! A chart drawn by a real font, recorded and read by the real Tesseract: the number in it cannot be read in the masked film, by Tesseract or
//! anybody; the words around it can. Skipped, and says so, where Tesseract, ImageMagick or the fonts are not installed.
#![allow(clippy::unwrap_used)]
mod common;
#[path = "common/desktop.rs"]
mod made_up;

use anteroom_format::Desktop;
use anteroom_picture::{Ocr, Picture, Rect, Region};
use anteroom_recorder::{film::ShotKind, *};
use common::*;
use made_up::*;
use std::{
    process::{Command, Stdio},
    time::Duration,
};

const FONT: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
const SIZE: (u16, u16) = (800, 320);

fn drawn(lines: &[&str]) -> Picture {
    let mut convert = Command::new("convert");
    convert.args([
        "-size",
        &format!("{}x{}", SIZE.0, SIZE.1),
        "xc:#f6f5f4",
        "-depth",
        "8",
        "-font",
        FONT,
        "-pointsize",
        "15",
        "-fill",
        "#2e3436",
    ]);
    for (n, line) in lines.iter().enumerate() {
        convert.args(["-annotate", &format!("+30+{}", 40 + n * 30), line]);
    }
    let rgb = convert.arg("rgb:-").stderr(Stdio::null()).output().unwrap().stdout;
    let pixels: Vec<u8> = rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
    let mut picture = Picture::new(SIZE.0, SIZE.1).unwrap();
    assert_eq!(pixels.len(), picture.pixels().len());
    picture.paint(Rect::new(0, 0, SIZE.0, SIZE.1), &pixels, usize::from(SIZE.0) * 4);
    picture
}

fn readable(picture: &Picture) -> String {
    let region = Region { picture, area: picture.area() };
    let words = Tesseract::new(Halt::default()).read(&[region]).unwrap();
    words.into_iter().flatten().map(|w| w.text).collect::<Vec<_>>().join(" ")
}

fn can() -> bool {
    let installed = |program: &str| Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let can = installed("tesseract") && installed("convert") && std::path::Path::new(FONT).exists();
    if !can {
        eprintln!("skipped: tesseract, ImageMagick and DejaVu fonts are not all installed");
    }
    can
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_on_the_screen_is_sealed_and_what_is_around_it_can_be_read() {
    if !can() {
        return;
    }
    let lab = lab();
    let recorder = lab.recorder();
    let header = header();
    let session = header.session;
    let r = recorder.start(header).await.unwrap();
    let opened = Desktop { width: SIZE.0, height: SIZE.1, ..desktop() };
    r.record(at(0, 0, EventKind::OpenDesktop(opened))).await.unwrap();
    let target = Target {
        picture: drawn(&[
            "Outpatient chart, synthetic data only",
            "MRN: 00482913",
            "Follow up in four weeks",
            "Ibuprofen three times a day",
        ]),
    };
    for frame in target.whole() {
        r.record(at(10, 0, EventKind::Output(frame))).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    r.record(at(2_000, 0, EventKind::Close)).await.unwrap();
    let closed = r.finish().await.unwrap();
    recorder.shutdown().await;
    assert!(closed.mask_counts.values().sum::<u64>() >= 1, "{:?}", closed.mask_counts);

    let replayer = lab.replayer();
    let film: Vec<_> = replayer.film(session, 0, Duration::ZERO, Duration::MAX).unwrap().map(|s| s.unwrap()).collect();
    let mut seen = Screening::default();
    for shot in &film {
        seen.see(shot);
        if matches!(shot.kind, ShotKind::Cleared { .. }) {
            let words = readable(seen.picture());
            assert!(!words.contains("00482913") && !words.contains("482913"), "{words}");
        }
    }
    let words = readable(seen.picture());
    for word in ["Outpatient", "chart", "Follow", "weeks", "Ibuprofen"] {
        assert!(words.contains(word), "{word} in {words}");
    }
    let survey = replayer.survey(session, &mut || std::ops::ControlFlow::Continue(())).unwrap().unwrap();
    assert!(survey.lines.iter().any(|l| l.text.contains("Follow up in four weeks")), "{:?}", survey.lines);
    assert!(!format!("{:?}", survey.lines).contains("482913"));

    let released = release(&lab, session, Duration::ZERO, Duration::from_secs(2));
    let film: Vec<_> = replayer.film_revealed(session, 0, released).unwrap().map(|s| s.unwrap()).collect();
    let words = readable(Screening::of(&film).picture());
    assert!(words.contains("00482913"), "{words}");
}
