//! FHIR R4 resources: JSON pretty and on one line, ndjson, XML.

use crate::{
    kind::Kind,
    people::{Day, Person, provider},
    scene::Scene,
    t,
    table::decimal,
    text::Text,
    tree::{Node, bare, list, map, word},
    words::{
        clinical::{LOINC, TESTS},
        people::{FACILITIES, PAYERS},
    },
};

fn names(p: &Person) -> Node {
    let mut given = vec![word(p.first())];
    if !p.middle.is_empty() {
        given.push(word(p.middle()));
    }
    let name = map([("use", word("official")), ("family", word(p.last())), ("given", Node::List(given))]);
    list([if p.suffix.is_empty() { name } else { name.and("suffix", list([word(p.suffix_label())])) }])
}

fn telecom(s: &Scene, p: &Person) -> Node {
    let mut all = vec![map([("system", word("phone")), ("value", word(p.phone())), ("use", word("home"))])];
    if s.chance(50) {
        all.push(map([("system", word("email")), ("value", word(p.email()))]));
    }
    if s.chance(30) {
        all.push(map([("system", word("phone")), ("value", word(p.cell())), ("use", word("mobile"))]));
    }
    Node::List(all)
}

fn address(p: &Person) -> Node {
    list([map([
        ("use", word("home")),
        ("line", list([word(p.street())])),
        ("city", word(p.city())),
        ("state", word(p.state())),
        ("postalCode", word(p.zip())),
        ("country", word("US")),
    ])])
}

fn patient(s: &Scene, p: &Person) -> Node {
    let system = s.any(&["urn:oid:2.16.840.1.113883.19.5", "http://hospital.example.org/mrn", "urn:oid:1.2.36.146.595.217.0.1"]);
    let mut identifiers = vec![map([
        ("use", word("usual")),
        ("type", map([("coding", list([map([("system", word("http://terminology.hl7.org/CodeSystem/v2-0203")), ("code", word("MR"))])]))])),
        ("system", word(system)),
        ("value", word(p.mrn())),
    ])];
    if s.chance(40) {
        identifiers.push(map([("system", word("http://hl7.org/fhir/sid/us-ssn")), ("value", word(p.ssn()))]));
    }
    let mut patient = map([
        ("resourceType", word("Patient")),
        ("id", word(Text::ungraded(s.uuid()))),
        (
            "meta",
            map([
                ("versionId", word(s.within(1, 9).to_string())),
                ("lastUpdated", word(Text::ungraded(format!("{}T{}.000+00:00", Day::any(s, 2024, 2025).iso(), s.clock())))),
            ]),
        ),
        ("identifier", Node::List(identifiers)),
        ("active", bare("true")),
        ("name", names(p)),
        ("telecom", telecom(s, p)),
        ("gender", word(if p.female { "female" } else { "male" })),
        ("birthDate", word(p.born(p.born.iso()))),
        ("address", address(p)),
    ]);
    if s.chance(40) {
        let kin = p.relative(s);
        let contact = map([
            ("relationship", list([map([("text", word("Emergency Contact"))])])),
            ("name", map([("family", word(kin.last())), ("given", list([word(kin.first())]))])),
            ("telecom", list([map([("system", word("phone")), ("value", word(kin.phone()))])])),
        ]);
        patient = patient.and("contact", list([contact]));
    }
    if s.chance(20) {
        patient = patient.and("deceasedDateTime", word(p.visited(p.discharged.iso())));
    }
    if s.chance(40) {
        patient = patient.and("generalPractitioner", list([map([("display", word(provider(s)))])]));
    }
    if s.chance(15) {
        patient = patient.and(
            "photo",
            list([map([("url", word(Text::label(Kind::Photo, format!("https://img.example.org/pat/{}.jpg", s.digits(7)))))])]),
        );
    }
    patient
}

fn observation(s: &Scene, p: &Person) -> Node {
    let (test, unit, low, high, _) = s.any(TESTS);
    map([
        ("resourceType", word("Observation")),
        ("status", word("final")),
        (
            "code",
            map([("coding", list([map([("system", word("http://loinc.org")), ("code", word(s.any(LOINC))), ("display", word(test))])]))]),
        ),
        (
            "subject",
            map([
                ("reference", word(Text::ungraded(format!("Patient/{}", s.digits(5))))),
                ("display", word(p.name(s.shape(Person::NAMES)))),
            ]),
        ),
        ("effectiveDateTime", word(Text::ungraded(format!("{}T{}Z", Day::any(s, 2024, 2025).iso(), s.clock())))),
        (
            "valueQuantity",
            map([("value", bare(decimal(s.within(low, high)))), ("unit", word(unit)), ("system", word("http://unitsofmeasure.org"))]),
        ),
    ])
}

fn encounter(s: &Scene, p: &Person) -> Node {
    map([
        ("resourceType", word("Encounter")),
        ("identifier", list([map([("system", word("http://hospital.example.org/visit")), ("value", word(p.visit()))])])),
        ("status", word("finished")),
        ("class", map([("code", word("IMP")), ("display", word("inpatient encounter"))])),
        (
            "subject",
            map([
                ("reference", word(Text::ungraded(format!("Patient/{}", s.digits(5))))),
                ("display", word(p.name(s.shape(Person::NAMES)))),
            ]),
        ),
        (
            "period",
            map([
                ("start", word(t![p.visited(p.admitted.iso()), Text::ungraded("T08:15:00Z")])),
                ("end", word(t![p.visited(p.discharged.iso()), Text::ungraded("T12:40:00Z")])),
            ]),
        ),
        ("serviceProvider", map([("display", word(s.any(FACILITIES)))])),
    ])
}

fn coverage(s: &Scene, p: &Person) -> Node {
    map([
        ("resourceType", word("Coverage")),
        ("status", word("active")),
        ("subscriberId", word(p.plan())),
        ("beneficiary", map([("display", word(p.name(1)))])),
        ("payor", list([map([("display", word(s.any(PAYERS)))])])),
    ])
}

fn resource(s: &Scene, p: &Person) -> Node {
    match s.roll(6) {
        0 => observation(s, p),
        1 => encounter(s, p),
        2 => coverage(s, p),
        _ => patient(s, p),
    }
}

pub(super) fn pretty(s: &mut Scene) {
    let url = s.any(&[
        "curl -s localhost:8080/fhir/Patient?_count=1 | jq .",
        "curl -s $FHIR/Patient/813 | python3 -m json.tool",
        "http :8080/fhir/Patient/813",
    ]);
    s.command(url);
    let (indent, paint) = (s.any(&[2, 4]), s.chance(30));
    let p = Person::new(s);
    let node = resource(s, &p);
    if s.chance(35) {
        let other = patient(s, &Person::new(s));
        let entry = |node| map([("fullUrl", word(Text::ungraded("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"))), ("resource", node)]);
        let bundle = map([
            ("resourceType", word("Bundle")),
            ("type", word("searchset")),
            ("total", bare("2")),
            ("entry", list([entry(node), entry(other)])),
        ]);
        return s.lines(bundle.json_lines(indent, paint));
    }
    s.lines(node.json_lines(indent, paint));
}

pub(super) fn one_line(s: &mut Scene) {
    if s.chance(25) {
        s.without_terminal();
    }
    s.command("curl -s localhost:8080/fhir/Patient/813");
    let loose = s.chance(30);
    for _ in 0..s.within(1, 4) {
        let p = Person::new(s);
        s.line(resource(s, &p).json(loose));
    }
}

pub(super) fn xml(s: &mut Scene) {
    s.command("curl -s -H 'Accept: application/fhir+xml' $FHIR/Patient/813 | xmllint --format -");
    let p = Person::new(s);
    let Node::Map(entries) = resource(s, &p) else { return };
    let mut name = "Patient".to_owned();
    s.line("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    let mut lines = Vec::new();
    for (key, node) in &entries {
        match (key.as_str(), node) {
            ("resourceType", Node::Word(kind)) => name = kind.visible(),
            (key, node) => lines.extend(node.xml_values(key, 1)),
        }
    }
    s.line(format!("<{name} xmlns=\"http://hl7.org/fhir\">"));
    s.lines(lines);
    s.line(format!("</{name}>"));
}
