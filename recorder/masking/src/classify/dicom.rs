//! DICOM dumps: dcmdump (DCMTK, GDCM, dcm4che), pydicom, dcm2json, dcm2xml, Orthanc's tags. Which attributes identify: PS3.15 Annex E (basic
//! profile), by the tags of PS3.6 chapter 6.

use std::ops::Range;

use super::{Found, Rule, value};
use crate::{
    kind::Kind,
    rules::{Label, RuleSet},
};

/// Group and element, and what they identify.
const TAGS: [(u32, Kind); 48] = [
    (0x0008_0020, Kind::Date), // Study Date
    (0x0008_0021, Kind::Date), // Series Date
    (0x0008_0022, Kind::Date), // Acquisition Date
    (0x0008_0023, Kind::Date), // Content Date
    (0x0008_002a, Kind::Date), // Acquisition DateTime
    (0x0008_0050, Kind::Mrn),  // Accession Number
    (0x0010_0010, Kind::Name), // Patient's Name
    (0x0010_0020, Kind::Mrn),  // Patient ID
    (0x0010_0030, Kind::Birth),
    (0x0010_0032, Kind::Birth), // Patient's Birth Time
    (0x0010_0033, Kind::Birth), // Patient's Birth Date in Alternative Calendar
    (0x0010_0034, Kind::Date),  // Patient's Death Date in Alternative Calendar
    (0x0010_1000, Kind::Mrn),   // Other Patient IDs
    (0x0010_1001, Kind::Name),  // Other Patient Names
    (0x0010_1005, Kind::Name),  // Patient's Birth Name
    (0x0010_1010, Kind::Age),
    (0x0010_1040, Kind::Address),
    (0x0010_1050, Kind::HealthPlan), // Insurance Plan Identification
    (0x0010_1060, Kind::Name),       // Patient's Mother's Birth Name
    (0x0010_1090, Kind::Mrn),        // Medical Record Locator
    (0x0010_2150, Kind::City),       // Country of Residence
    (0x0010_2152, Kind::City),       // Region of Residence
    (0x0010_2154, Kind::Phone),
    (0x0010_2155, Kind::Phone),   // Patient's Telecom Information
    (0x0010_21d0, Kind::Date),    // Last Menstrual Date
    (0x0010_2297, Kind::Name),    // Responsible Person
    (0x0012_0040, Kind::Mrn),     // Clinical Trial Subject ID
    (0x0012_0042, Kind::Mrn),     // Clinical Trial Subject Reading ID
    (0x0032_1000, Kind::Date),    // Scheduled Study Start Date
    (0x0032_1040, Kind::Date),    // Study Arrival Date
    (0x0038_0010, Kind::Mrn),     // Admission ID
    (0x0038_001a, Kind::Date),    // Scheduled Admission Date
    (0x0038_001c, Kind::Date),    // Scheduled Discharge Date
    (0x0038_001e, Kind::City),    // Scheduled Patient Institution Residence
    (0x0038_0020, Kind::Date),    // Admitting Date
    (0x0038_0030, Kind::Date),    // Discharge Date
    (0x0038_0060, Kind::Mrn),     // Service Episode ID
    (0x0038_0400, Kind::City),    // Patient's Institution Residence
    (0x0040_0002, Kind::Date),    // Scheduled Procedure Step Start Date
    (0x0040_0004, Kind::Date),    // Scheduled Procedure Step End Date
    (0x0040_0244, Kind::Date),    // Performed Procedure Step Start Date
    (0x0040_0250, Kind::Date),    // Performed Procedure Step End Date
    (0x0040_1010, Kind::Name),    // Names of Intended Recipients of Results
    (0x0040_1103, Kind::Phone),   // Person's Telecom Information
    (0x0040_1102, Kind::Address), // Person's Address
    (0x0040_2016, Kind::Mrn),     // Placer Order Number
    (0x0040_2017, Kind::Mrn),     // Filler Order Number
    (0x0040_a123, Kind::Name),    // Person Name
];

/// Referring, Consulting, Performing, Requesting Physician, Physicians of Record, Operators, Verifying Observer: the rule set's switch.
const PROVIDERS: [u32; 8] = [0x0008_0090, 0x0008_009c, 0x0008_1048, 0x0008_1050, 0x0008_1060, 0x0008_1070, 0x0032_1032, 0x0040_a075];

/// Ages in one attribute.
const MAX_AGES_BYTES: usize = 64;
/// Between a tag and its value representation: the attribute's name.
const MAX_NAME_BYTES: usize = 256;
/// Of a value without quotes or brackets.
const MAX_BARE_BYTES: usize = 201;

fn kind_of(tag: u32, rules: &RuleSet) -> Option<Kind> {
    if PROVIDERS.contains(&tag) {
        return rules.mask_providers.then_some(Kind::Name);
    }
    TAGS.iter().find(|known| known.0 == tag).map(|known| known.1)
}

/// The label of a key that is a tag: `00100010` (PS3.18 F.2), `0010,0010` (Orthanc), `(0010,0010)`.
pub(super) fn label_of_key(key: &str) -> Option<Label> {
    let key = key.trim_matches(['(', ')']);
    let digits = match key.len() {
        8 => key.to_owned(),
        9 if key.as_bytes()[4] == b',' => key.replace(',', ""),
        _ => return None,
    };
    let tag = u32::from_str_radix(&digits, 16).ok()?;
    let kind = TAGS.iter().find(|known| known.0 == tag)?.1;
    Some(Label { kind, strong: true })
}

/// Lines such as `(0010,0010) PN [DOE^JOHN]   #  8, 1 PatientName` and `(0010, 0010) Patient's Name   PN: 'DOE^JOHN'`.
/// True for such a line, whatever its tag.
pub(super) fn find(line: &str, rules: &RuleSet, found: &mut Vec<Found>) -> bool {
    let bytes = line.as_bytes();
    let mut dumped = false;
    let mut covered = 0;
    for comma in memchr::memchr_iter(b',', bytes) {
        let Some((tag, end)) = tag_at(bytes, comma) else { continue };
        dumped = true;
        // In a value that is masked to its end.
        if comma < covered {
            continue;
        }
        let Some(kind) = kind_of(tag, rules) else { continue };
        let Some(mut value) = value_range(line, end) else { continue };
        match kind {
            // Four characters a value (PS3.5 section 6.2, AS).
            Kind::Age => value.end = value.end.min(line.floor_char_boundary(value.start + MAX_AGES_BYTES)),
            _ => covered = value.end,
        }
        // Several values are told apart by a backslash (PS3.5 section 6.2).
        let mut start = value.start;
        for part in line[value.clone()].split('\\') {
            let range = start..start + part.len();
            start = range.end + 1;
            let identifies = match kind {
                Kind::Age => value::age_in_years(part.trim()).is_some(),
                _ => part.contains(char::is_alphanumeric) && !value::is_null(part, rules),
            };
            if identifies {
                found.push(Found::new(range, kind, Rule::Dicom(tag)));
            }
        }
    }
    dumped
}

/// `(0010,0010)`, `(0010, 0010)`, `(0x0010,0x0010)` (dicom3tools), `0010,0010` (Orthanc): group and element around a comma, and where the
/// tag ends.
fn tag_at(bytes: &[u8], comma: usize) -> Option<(u32, usize)> {
    let hex = |from: usize| {
        let digits = bytes.get(from..from + 4)?;
        digits.iter().all(u8::is_ascii_hexdigit).then(|| std::str::from_utf8(digits).ok().and_then(|d| u32::from_str_radix(d, 16).ok()))?
    };
    let start = comma.checked_sub(4)?;
    let group = hex(start)?;
    let prefixed = bytes[..start].ends_with(b"0x");
    let begin = if prefixed { start - 2 } else { start };
    let open = begin.checked_sub(1).map(|at| bytes[at]);
    let mut at = comma + 1 + usize::from(bytes.get(comma + 1) == Some(&b' '));
    at += if prefixed && bytes[at.min(bytes.len())..].starts_with(b"0x") { 2 } else { 0 };
    let element = hex(at)?;
    let end = at + 4;
    let closed = match (open, bytes.get(end)) {
        (Some(b'('), Some(b')')) => end + 1,
        (None | Some(b' ' | b'\t' | b'"' | b'['), None | Some(b' ' | b'\t' | b':' | b'"' | b']' | b'=')) if !prefixed => end,
        _ => return None,
    };
    Some((group << 16 | element, closed))
}

/// What stands in brackets or quotes behind the tag, behind `VR:` or a sign, or behind VR and name.
fn value_range(line: &str, from: usize) -> Option<Range<usize>> {
    let rest = line.get(from..)?;
    // dcdump: `(0x0010,0x0010) PN Patient's Name  VR=<PN>  VL=<0x0008>  <DOE^JOHN>`.
    let near = &rest[..rest.floor_char_boundary(MAX_NAME_BYTES)];
    if near.contains("VR=<") {
        let open = rest[..rest.floor_char_boundary(value::MAX_VALUE_BYTES)].rfind('<')? + 1;
        let end = rest[open..].find('>').map_or(rest.len(), |end| open + end);
        return Some(from + open..from + end);
    }
    // dcmdump ends a line with "#  8, 1 PatientName".
    if let Some(open) = rest.bytes().take(25).position(|b| b == b'[') {
        let start = from + open + 1;
        let end = line[start..].find(']').map_or(line.len(), |end| start + end);
        return Some(start..end);
    }
    let two_capitals = |w: &[u8]| w[0].is_ascii_uppercase() && w[1].is_ascii_uppercase();
    if let Some(vr) = rest.as_bytes().windows(3).take(MAX_NAME_BYTES).position(|w| two_capitals(w) && w[2] == b':') {
        let text = rest.get(vr + 3..)?.trim_start();
        let start = line.len() - text.len();
        // pydicom quotes with ' and, when one is inside, with "; lists stand in brackets.
        let opened = text.trim_start_matches(['[', '\'', '"']);
        let start = start + (text.len() - opened.len());
        let end = opened.trim_end().trim_end_matches([']', '\'', '"']).len();
        return Some(start..start + end);
    }
    // `0010,0020 (PatientID) = 12`, `(0010,0010) PN PatientName: "DOE^JOHN"`, `(0010,0010) PN DOE^JOHN`.
    let vr = rest.trim_start().as_bytes().get(..3).is_some_and(|w| two_capitals(w) && w[2] == b' ');
    let after = match rest.bytes().take(65).position(|b| matches!(b, b':' | b'=')) {
        Some(sign) => sign + 1,
        None if vr => rest.len() - rest.trim_start().len() + 3,
        None => return None,
    };
    let text = rest[after..].trim_start_matches([' ', '"', '\'', '\t']);
    let start = line.len() - text.len();
    let text = &text[..text.floor_char_boundary(MAX_BARE_BYTES)];
    let end = text.find(['"', '#', '\t']).or_else(|| text.find("  ")).unwrap_or(text.len());
    let value = text[..end].trim_end_matches([' ', '\'', ',', ';', ')']);
    (!value.starts_with("(no value") && value.len() < MAX_BARE_BYTES).then(|| start..start + value.len())
}
