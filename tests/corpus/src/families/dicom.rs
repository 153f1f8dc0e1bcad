//! DICOM data sets as `dcmdump` (DCMTK), pydicom and `dcm2json` print them (PS3.6 for tags and names).

use crate::{
    kind::Kind,
    people::{Day, Person, provider},
    scene::Scene,
    t,
    text::Text,
    tree::{Node, list, map, word},
    words::{
        clinical::{MODALITIES, STUDIES},
        people::FACILITIES,
    },
};

struct Element {
    tag: (&'static str, &'static str),
    vr: &'static str,
    keyword: &'static str,
    name: &'static str,
    value: Text,
}

fn elements(s: &Scene, p: &Person) -> Vec<Element> {
    let e = |group, element, vr, keyword, name, value: Text| Element { tag: (group, element), vr, keyword, name, value };
    let time = format!("{}{}{}", s.within(10, 23), s.within(10, 59), s.within(10, 59));
    let uid = |s: &Scene| Text::ungraded(format!("1.2.826.0.1.3680043.8.{}.{}", s.within(100, 999), s.digits(12)));
    let mut all = vec![
        e("0008", "0005", "CS", "SpecificCharacterSet", "Specific Character Set", "ISO_IR 192".into()),
        e("0008", "0016", "UI", "SOPClassUID", "SOP Class UID", "1.2.840.10008.5.1.4.1.1.2".into()),
        e("0008", "0018", "UI", "SOPInstanceUID", "SOP Instance UID", uid(s)),
        e("0008", "0020", "DA", "StudyDate", "Study Date", p.visited(p.admitted.digits())),
        e("0008", "0030", "TM", "StudyTime", "Study Time", Text::ungraded(time)),
        e("0008", "0050", "SH", "AccessionNumber", "Accession Number", p.visit()),
        e("0008", "0060", "CS", "Modality", "Modality", s.any(MODALITIES).into()),
        e("0008", "0070", "LO", "Manufacturer", "Manufacturer", s.any(&["SIEMENS", "GE MEDICAL SYSTEMS", "Philips"]).into()),
        e("0008", "0080", "LO", "InstitutionName", "Institution Name", Text::ungraded(s.any(FACILITIES))),
        e("0008", "0090", "PN", "ReferringPhysicianName", "Referring Physician's Name", provider(s).map(|name| name.replace(", ", "^"))),
        e("0008", "1030", "LO", "StudyDescription", "Study Description", s.any(STUDIES).into()),
        e("0010", "0010", "PN", "PatientName", "Patient's Name", p.parts('^')),
        e("0010", "0020", "LO", "PatientID", "Patient ID", p.mrn()),
        e("0010", "0030", "DA", "PatientBirthDate", "Patient's Birth Date", p.born(p.born.digits())),
        e("0010", "0040", "CS", "PatientSex", "Patient's Sex", p.sex().into()),
    ];
    let mut maybe = |percent, element: Element| {
        if s.chance(percent) {
            all.push(element);
        }
    };
    let age = format!("{:03}Y", p.age.min(999));
    maybe(50, e("0010", "1000", "LO", "OtherPatientIDs", "Other Patient IDs", Text::label(Kind::Mrn, s.digits(8))));
    maybe(30, e("0010", "1001", "PN", "OtherPatientNames", "Other Patient Names", p.relative(s).parts('^')));
    maybe(60, e("0010", "1010", "AS", "PatientAge", "Patient's Age", if p.age >= 90 { Text::label(Kind::Age, age) } else { age.into() }));
    maybe(40, e("0010", "1030", "DS", "PatientWeight", "Patient's Weight", format!("{}.0", s.within(40, 120)).into()));
    maybe(35, e("0010", "1040", "LO", "PatientAddress", "Patient's Address", p.street()));
    maybe(25, e("0010", "1060", "PN", "PatientMotherBirthName", "Patient's Mother's Birth Name", p.relative(s).parts('^')));
    maybe(35, e("0010", "2154", "SH", "PatientTelephoneNumbers", "Patient's Telephone Numbers", p.phone()));
    maybe(60, e("0018", "0050", "DS", "SliceThickness", "Slice Thickness", "2.5".into()));
    maybe(40, e("0018", "1000", "LO", "DeviceSerialNumber", "Device Serial Number", Text::ungraded(s.digits(5))));
    maybe(70, e("0020", "000d", "UI", "StudyInstanceUID", "Study Instance UID", uid(s)));
    maybe(60, e("0020", "0010", "SH", "StudyID", "Study ID", Text::ungraded(s.digits(4))));
    maybe(60, e("0020", "0013", "IS", "InstanceNumber", "Instance Number", s.within(1, 300).into()));
    maybe(30, e("0038", "0010", "LO", "AdmissionID", "Admission ID", Text::label(Kind::Other, s.digits(8))));
    maybe(30, e("0038", "0020", "DA", "AdmittingDate", "Admitting Date", p.visited(p.admitted.digits())));
    all
}

/// `(0010,0010) PN [Doe^Jane]            #   8, 1 PatientName`
pub(super) fn dcmdump(s: &mut Scene) {
    s.command("dcmdump +P 0010,0010 --print-all IM000001");
    s.line("# Dicom-Data-Set");
    s.line("# Used TransferSyntax: Little Endian Explicit");
    let p = Person::new(s);
    let paint = s.chance(20);
    for Element { tag: (group, element), vr, keyword, value, .. } in elements(s, &p) {
        let length = value.visible().len().next_multiple_of(2);
        let shown = if value.is_empty() {
            "(no value available)".into()
        } else if vr == "UI" && value.visible().ends_with("4.1.1.2") {
            "=CTImageStorage".into()
        } else {
            t!["[", value, "]"]
        };
        let (green, off) = if paint { ("\x1b[32m", "\x1b[0m") } else { ("", "") };
        s.line(t![
            Text::control(green),
            format!("({group},{element})"),
            Text::control(off),
            format!(" {vr} "),
            shown.left(40),
            format!(" # {length:3}, 1 {keyword}")
        ]);
    }
}

/// `(0010,0010) Patient's Name                      PN: 'Doe^Jane'`
pub(super) fn pydicom(s: &mut Scene) {
    s.line(s.any(&[">>> ds", ">>> print(pydicom.dcmread('IM000001'))", "$ pydicom show IM000001"]));
    let p = Person::new(s);
    for Element { tag: (group, element), vr, name, value, .. } in elements(s, &p) {
        let quote = if matches!(vr, "DS" | "IS") { "\"" } else { "'" };
        let shown = if vr == "UI" { value } else { t![quote, value, quote] };
        s.line(t![format!("({group}, {element}) "), Text::from(name).left(35), format!(" {vr}: "), shown]);
    }
}

/// Worklist and query answers: `findscu`, `storescu -d`.
pub(super) fn findscu(s: &mut Scene) {
    s.command("findscu -W -k PatientName= localhost 104");
    for n in 1..=s.within(1, 3) {
        let p = Person::new(s);
        s.line(format!("I: Find Response: {n} (Pending)"));
        s.line("I: ");
        s.line("I: # Dicom-Data-Set");
        // What was asked for, and no more.
        let asked = |element: &Element| {
            let group = element.tag.0;
            group == "0010" || ["StudyDate", "AccessionNumber", "Modality", "StudyInstanceUID"].contains(&element.keyword)
        };
        for Element { tag: (group, element), vr, keyword, value, .. } in elements(s, &p).into_iter().filter(asked) {
            let length = value.visible().len().next_multiple_of(2);
            s.line(t![format!("I: ({group},{element}) {vr} "), t!["[", value, "]"].left(40), format!(" # {length:3}, 1 {keyword}")]);
        }
    }
}

/// DICOM JSON (PS3.18 annex F), and Orthanc's simplified one.
pub(super) fn json(s: &mut Scene) {
    let p = Person::new(s);
    let strict = s.chance(50);
    s.command(if strict { "curl -s $PACS/rs/studies | jq ." } else { "curl -s localhost:8042/patients/af3/shared-tags?simplify" });
    let mut entries = Vec::new();
    for Element { tag: (group, element), vr, keyword, value, .. } in elements(s, &p) {
        if strict {
            let value = if vr == "PN" { map([("Alphabetic", word(value))]) } else { word(value) };
            entries.push((format!("{group}{}", element.to_uppercase()), map([("vr", word(vr)), ("Value", list([value]))])));
        } else {
            entries.push((keyword.to_owned(), word(value)));
        }
    }
    s.lines(Node::Map(entries).json_lines(3, false));
}

/// The day of a study in a listing.
pub(super) fn studies(s: &mut Scene) {
    s.command("pacsctl studies --since yesterday");
    s.line("PATIENT NAME                    PATIENT ID      BIRTH DATE  STUDY DATE  MOD  DESCRIPTION");
    for _ in 0..s.within(4, 12) {
        let p = Person::new(s);
        let day = if s.chance(50) { Day::iso } else { Day::digits };
        s.line(t![
            p.parts('^').left(32),
            p.mrn().left(16),
            p.born(day(p.born)).left(12),
            p.visited(day(p.admitted)).left(12),
            Text::from(s.any(MODALITIES)).left(5),
            s.any(STUDIES)
        ]);
    }
}
