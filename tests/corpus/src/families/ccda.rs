//! Consolidated CDA (HL7 CDA R2): the header's recordTarget, and the narrative blocks.

use crate::{
    people::{Day, Person},
    scene::Scene,
    t,
    text::Text,
    words::{
        clinical::{DRUGS, PROBLEMS, SENTENCES},
        people::{FACILITIES, PROVIDERS, PROVIDERS_GIVEN},
    },
};

fn header(s: &Scene, p: &Person) -> Vec<Text> {
    let given = if p.middle.is_empty() {
        t!["<given>", p.first(), "</given>"]
    } else {
        t!["<given>", p.first(), "</given><given>", p.middle(), "</given>"]
    };
    let stamp = Day::any(s, 2024, 2025).digits();
    let phone = t!["<telecom value=\"tel:", p.phone(), "\" use=\"HP\"/>"];
    let mut lines = vec![
        t!["<?xml version=\"1.0\"?>"],
        t!["<ClinicalDocument xmlns=\"urn:hl7-org:v3\" xmlns:sdtc=\"urn:hl7-org:sdtc\">"],
        t!["  <typeId root=\"2.16.840.1.113883.1.3\" extension=\"POCD_HD000040\"/>"],
        t!["  <templateId root=\"2.16.840.1.113883.10.20.22.1.2\" extension=\"2015-08-01\"/>"],
        t!["  <title>", s.any(&["Continuity of Care Document", "Discharge Summary", "Summary of Care"]), "</title>"],
        t!["  <effectiveTime value=\"", Text::ungraded(stamp), "\"/>"],
        t!["  <recordTarget>"],
        t!["    <patientRole>"],
        t!["      <id root=\"2.16.840.1.113883.19.5.99999.2\" extension=\"", p.mrn(), "\"/>"],
    ];
    if s.chance(50) {
        lines.push(t!["      <id root=\"2.16.840.1.113883.4.1\" extension=\"", p.ssn(), "\"/>"]);
    }
    lines.extend([
        t!["      <addr use=\"HP\">"],
        t!["        <streetAddressLine>", p.street(), "</streetAddressLine>"],
        t!["        <city>", p.city(), "</city><state>", p.state(), "</state><postalCode>", p.zip(), "</postalCode>"],
        t!["      </addr>"],
        t!["      ", phone],
    ]);
    if s.chance(40) {
        lines.push(t!["      <telecom value=\"mailto:", p.email(), "\"/>"]);
    }
    lines.extend([
        t!["      <patient>"],
        t!["        <name use=\"L\">", given, "<family>", p.last(), "</family></name>"],
        t!["        <administrativeGenderCode code=\"", p.sex(), "\" codeSystem=\"2.16.840.1.113883.5.1\"/>"],
        t!["        <birthTime value=\"", p.born(p.born.digits()), "\"/>"],
    ]);
    if s.chance(35) {
        let kin = p.relative(s);
        lines.push(t![
            "        <guardian><guardianPerson><name><given>",
            kin.first(),
            "</given><family>",
            kin.last(),
            "</family></name></guardianPerson></guardian>"
        ]);
    }
    lines.extend([
        t!["      </patient>"],
        t!["      <providerOrganization><name>", s.any(FACILITIES), "</name></providerOrganization>"],
        t!["    </patientRole>"],
        t!["  </recordTarget>"],
    ]);
    lines
}

fn body(s: &Scene, p: &Person) -> Vec<Text> {
    let (last, first) = (s.any(PROVIDERS), s.any(PROVIDERS_GIVEN));
    let mut lines = vec![
        t![
            "  <author><assignedAuthor><assignedPerson><name><given>",
            Text::ungraded(first),
            "</given><family>",
            Text::ungraded(last),
            "</family></name></assignedPerson></assignedAuthor></author>"
        ],
        t!["  <componentOf><encompassingEncounter>"],
        t!["    <id root=\"2.16.840.1.113883.19\" extension=\"", p.visit(), "\"/>"],
        t![
            "    <effectiveTime><low value=\"",
            p.visited(p.admitted.digits()),
            "\"/><high value=\"",
            p.visited(p.discharged.digits()),
            "\"/></effectiveTime>"
        ],
        t!["  </encompassingEncounter></componentOf>"],
        t!["  <section><title>Problems</title><text><list>"],
    ];
    for _ in 0..s.within(1, 3) {
        lines.push(t!["    <item>", s.any(PROBLEMS), "</item>"]);
    }
    lines.push(t!["  </list></text></section>"]);
    lines.push(t!["  <section><title>Medications</title><text><paragraph>", s.any(DRUGS), "</paragraph></text></section>"]);
    lines.push(t!["  <section><title>Hospital Course</title><text><paragraph>", s.any(SENTENCES), "</paragraph></text></section>"]);
    lines
}

pub(super) fn document(s: &mut Scene) {
    s.command(s.any(&["xmllint --format ccd_0412.xml | head -60", "cat /ccda/out/summary.xml"]));
    let p = Person::new(s);
    let mut lines = header(s, &p);
    lines.extend(body(s, &p));
    lines.push(t!["</ClinicalDocument>"]);
    // As stored: often without a line end.
    if s.chance(30) {
        let joined = lines.into_iter().map(|line| {
            let indent = line.visible().chars().take_while(|c| *c == ' ').count();
            line.split(indent).1
        });
        s.line(Text::join(joined, ""));
    } else {
        s.lines(lines);
    }
}
