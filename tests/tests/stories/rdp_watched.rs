//! What else an auditor has of a desktop: it runs and they look on, and it is over and they take it away as a film. Read by OCR, from the pixels
//! in Chromium and from those that ffmpeg finds in the file: the words are there, the patients are not.
use super::{
    desktops::{AT_MOST, READING_ROOM, Scene, TOLERANCE},
    rdp_masking::{LOOKED_AT, PATIENCE, enrolled, found},
};
use anteroom_tests::harness::{
    rdp::{Picture, SECRET, WORDS},
    soon, wait_for,
};
use serde_json::Value;
use std::{path::Path, process::Command};

/// Most of the words that are nobody's can be read, and no patient.
fn is_masked(text: &str) {
    assert_eq!(found(text, &SECRET), Vec::<&str>::new(), "patients can be read: {text}");
    assert!(has_words(text), "words that are nobody's are hidden: {text}");
}

fn has_words(text: &str) -> bool {
    found(text, &WORDS).len() * 3 >= WORDS.len() * 2
}

#[test]
fn an_auditor_looks_on_while_a_desktop_is_used_and_sees_no_patient() {
    let s = Scene::set();
    let (shadow, _tap) = s.reading_room();
    let grant = s.grant(READING_ROOM, &shadow.login.account, &[]);
    let mut client = s.connect(&grant, "client", &[]);
    client.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
    let id = s.live()["id"].as_str().unwrap().to_owned();
    let cleo = enrolled(&s, "cleo", "auditor");
    cleo.open(&format!("/recordings/{id}")).unwrap();
    cleo.expect("Live").unwrap();
    let mut texts = Vec::new();
    wait_for("the desktop, live and masked", PATIENCE, || {
        let Some(picture) = cleo.canvas("#desktop")?.filter(|p| p.width > 100) else { return Ok(None) };
        texts.push(picture.read()?);
        Ok(texts.last().is_some_and(|t| has_words(t)).then_some(()))
    })
    .unwrap();
    cleo.screenshot("rdp-live").unwrap();
    texts.iter().for_each(|t| assert_eq!(found(t, &SECRET), Vec::<&str>::new(), "patients can be read: {t}"));
    soon("the viewing in the log", || Ok(!s.w.audited("recording_viewed")?.is_empty())).unwrap();
    client.close().unwrap();
    cleo.expect("over").unwrap();
}

#[test]
fn an_auditor_takes_a_desktop_away_as_a_film_without_a_patient() {
    let s = Scene::set();
    let (shadow, _tap) = s.reading_room();
    let grant = s.grant(READING_ROOM, &shadow.login.account, &[]);
    let mut client = s.connect(&grant, "client", &[]);
    client.shows(&shadow.desk.display, TOLERANCE, AT_MOST).unwrap();
    std::thread::sleep(LOOKED_AT);
    client.close().unwrap();
    let id = s.sealed()["id"].as_str().unwrap().to_owned();
    s.w.person("cleo", &["auditor"]).unwrap();
    let (mp4, webm) = (s.dir("session.mp4"), s.dir("session.webm"));
    let export = |to: &Path, by: &str| s.w.cli.run(&["recording", "export-video", &id, "-o", to.to_str().unwrap(), "--as", by]).unwrap();

    let no = export(&mp4, "ada");
    assert!(no.code != Some(0) && no.stderr.contains("may not do this") && !mp4.exists(), "{no:?}");
    assert_eq!(export(&s.dir("session.avi"), "cleo").code, Some(2));
    assert!(s.w.audited("recording_exported").unwrap().is_empty());
    for (file, codec) in [(&mp4, "h264"), (&webm, "vp9")] {
        export(file, "cleo").good().unwrap();
        let about = probe(file);
        let stream = &about["streams"][0];
        assert_eq!((stream["codec_name"].as_str(), stream["pix_fmt"].as_str()), (Some(codec), Some("yuv420p")), "{about:#}");
        let seconds: f64 = about["format"]["duration"].as_str().unwrap().parse().unwrap();
        assert!(seconds >= LOOKED_AT.as_secs_f64(), "{seconds} s");
        let pictures = pictures(file, &s.dir(codec));
        for p in &pictures {
            assert_eq!(found(&p.read().unwrap(), &SECRET), Vec::<&str>::new(), "a patient in {codec}");
        }
        is_masked(&pictures.last().unwrap().read().unwrap());
    }
    let again = export(&mp4, "cleo");
    assert!(again.code != Some(0) && again.stderr.contains("exists"), "{again:?}");
    assert_eq!(s.w.audited("recording_exported").unwrap().len(), 2);
}

fn probe(file: &Path) -> Value {
    let asked = ["-v", "error", "-show_entries", "stream=codec_name,pix_fmt:format=duration", "-of", "json"];
    let out = Command::new("ffprobe").args(asked).arg(file).output().unwrap();
    assert!(out.status.success(), "{out:?}");
    serde_json::from_slice(&out.stdout).unwrap()
}

/// One a second, in order.
fn pictures(file: &Path, dir: &Path) -> Vec<Picture> {
    std::fs::create_dir_all(dir).unwrap();
    let out =
        Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(file).args(["-vf", "fps=1"]).arg(dir.join("%03d.ppm")).output().unwrap();
    assert!(out.status.success(), "{out:?}");
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    files.iter().map(|f| Picture::open(f).unwrap()).collect()
}
