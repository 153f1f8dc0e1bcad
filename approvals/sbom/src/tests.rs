#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};

const CYCLONE: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","serialNumber":"x","metadata":{"component":{"name":"mri"}},
 "components":[{"type":"library","group":"org.apache.logging.log4j","name":"log4j-core","version":"2.14.1",
   "purl":"pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1","components":[{"name":"inner","version":"1"}]},
  {"name":"openssl","version":"1.0.2k"},{"name":"openssl","version":"1.0.2k"},{"name":"linux"}]}"#;
const SPDX: &str = r#"{"spdxVersion":"SPDX-2.3","name":"mri","packages":[{"name":"log4j-core","versionInfo":"2.14.1",
 "externalRefs":[{"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:x"},
  {"referenceType":"purl","referenceLocator":"pkg:maven/a/log4j-core@2.14.1"}]},{"name":"zlib","versionInfo":"NOASSERTION"}]}"#;

fn names(s: &Sbom) -> Vec<String> {
    s.components.iter().map(|c| format!("{} {}", c.name, c.version).trim().to_owned()).collect()
}

#[test]
fn cyclonedx_is_read_with_groups_and_parts_of_parts_each_once() {
    let s = read(CYCLONE.as_bytes()).unwrap();
    assert_eq!(s.format, Format::CycloneDx);
    assert_eq!(names(&s), ["inner 1", "linux", "openssl 1.0.2k", "org.apache.logging.log4j/log4j-core 2.14.1"]);
    assert!(s.components[3].purl.as_deref().unwrap().starts_with("pkg:maven/"));
}

#[test]
fn spdx_is_read_with_its_package_urls() {
    let s = read(SPDX.as_bytes()).unwrap();
    assert_eq!((s.format, names(&s)), (Format::Spdx, vec!["log4j-core 2.14.1".into(), "zlib".into()]));
    assert_eq!(s.components[0].purl.as_deref(), Some("pkg:maven/a/log4j-core@2.14.1"));
    let with_bom = [b"\xef\xbb\xbf", SPDX.as_bytes()].concat();
    assert_eq!(read(&with_bom).unwrap(), s);
}

#[test]
fn bombs_are_refused_quickly_and_say_what_they_are() {
    let began = Instant::now();
    let refused = |file: Vec<u8>| read(&file).unwrap_err();
    assert_eq!(refused(vec![b' '; MAX_BYTES + 1]), SbomError::TooLarge { bytes: MAX_BYTES + 1 });
    assert_eq!(refused(vec![b'['; MAX_BYTES]), SbomError::TooDeep { at: MAX_DEPTH });
    let deep = format!(
        "{}{}",
        r#"{"bomFormat":"CycloneDX","components":[{"name":"a","components":["#,
        r#"{"name":"a","components":["#.repeat(100_000)
    );
    assert!(matches!(refused(deep.into_bytes()), SbomError::TooDeep { .. }));
    let mut number = br#"{"bomFormat":"CycloneDX","version":"#.to_vec();
    number.resize(1_000_000, b'9');
    assert!(matches!(refused(number), SbomError::LongNumber { .. }));
    let many = format!(r#"{{"bomFormat":"CycloneDX","components":[{}{{"name":"z"}}]}}"#, r#"{"name":"a"},"#.repeat(MAX_COMPONENTS));
    assert_eq!(refused(many.into_bytes()), SbomError::TooMany);
    // In lists that are each short enough.
    let half = format!(r#"{{"name":"h","components":[{}{{"name":"z"}}]}}"#, r#"{"name":"a"},"#.repeat(MAX_COMPONENTS / 2));
    let many = format!(r#"{{"bomFormat":"CycloneDX","components":[{half},{half},{half}]}}"#);
    assert_eq!(refused(many.into_bytes()), SbomError::TooMany);
    for (packed, what) in [(&b"PK\x03\x04"[..], "a zip archive"), (b"\x1f\x8b\x08", "gzip"), (b"<bom>", "XML")] {
        assert_eq!(refused(packed.to_vec()), SbomError::Packed { what });
    }
    let e = refused(b"PK\x03\x04".to_vec()).to_string();
    assert_eq!(e, "this is a zip archive, not JSON; unpack it and give the JSON file inside");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn what_is_not_one_of_the_two_is_refused_whole() {
    for (file, want) in [
        ("", SbomError::Malformed { line: 1, column: 0 }),
        ("{}", SbomError::Unknown),
        (r#"{"bomFormat":"CycloneDX","spdxVersion":"SPDX-2.3"}"#, SbomError::Unknown),
        (r#"{"bomFormat":"CycloneDX"}"#, SbomError::Empty),
        (r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}"#, SbomError::Spdx3),
        (r#"{"bomFormat":"CycloneDX","components":[{"name":" "}]}"#, SbomError::Text { number: 1, field: "name" }),
        (r#"{"bomFormat":"CycloneDX","components":[{"name":"a\u0007"}]}"#, SbomError::Text { number: 1, field: "name" }),
        (r#"{"bomFormat":"CycloneDX","components":[{"name":"a","version":"1\n2"}]}"#, SbomError::Text { number: 1, field: "version" }),
        ("]", SbomError::NotJson { what: "a bracket too many", at: 0 }),
        (r#"{"a":"b"#, SbomError::NotJson { what: "the file ends in the middle", at: 7 }),
    ] {
        assert_eq!(read(file.as_bytes()).unwrap_err(), want, "{file}");
    }
    assert!(matches!(read(br#"{"bomFormat":"CycloneDX","components":[{"name":"a","name":"b"}]}"#), Err(SbomError::Malformed { .. })));
    let long = format!(r#"{{"bomFormat":"CycloneDX","components":[{{"name":"{}"}}]}}"#, "n".repeat(MAX_TEXT + 1));
    assert_eq!(read(long.as_bytes()).unwrap_err(), SbomError::Text { number: 1, field: "name" });
}

proptest! {
    #[test]
    fn nothing_that_is_sent_breaks_it(cut in 0usize..600, at in 0usize..600, byte: u8) {
        for good in [CYCLONE, SPDX] {
            let mut file = good.as_bytes()[..good.len().min(good.len().saturating_sub(cut))].to_vec();
            if let Some(b) = file.get_mut(at) { *b = byte; }
            fuzz(&file);
        }
    }
}
