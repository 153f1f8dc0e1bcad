//! What a value in nested data means: JSON, XML and YAML differ in their signs, not in what stands where.
//!
//! FHIR R4 (Patient, RelatedPerson, Coverage: HumanName, Identifier, ContactPoint, Address), C-CDA R2.1 section 1.1 (recordTarget,
//! participant), HL7 v2.xml (PID.5/XPN.1), DICOM PS3.18 Annex F (JSON by tag), and any other by the words of its keys.

use super::{dicom, hl7};
use crate::{
    kind::Kind,
    rules::{Hl7Field, Label, RuleSet},
    vocabulary::Speaks,
};

const MAX_DEPTH: usize = 48;

/// What an open object, array or element means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    /// Not known, or no key.
    Plain,
    Name,
    Identifier,
    Telecom,
    Address,
    /// The patient or a relative: what is inside speaks of a person.
    Subject,
    /// The workforce, an organisation: what is inside is no patient's.
    Other,
    Labelled(Label),
    /// A stay or visit: its period is the patient's (FHIR Encounter, C-CDA encompassingEncounter).
    Visit,
    /// A field of HL7 v2.xml.
    Hl7(Hl7Field),
}

/// Open objects and what their keys mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tree {
    open: Vec<(u32, Node)>,
    /// Open beyond `MAX_DEPTH`: only counted.
    deeper: usize,
    /// FHIR resources among the open objects: depth, and whether it is about a patient.
    resources: Vec<(usize, bool)>,
    /// Depths of FHIR resources that are encounters.
    visits: Vec<usize>,
    /// A birth date was among the members of the outermost object.
    born: bool,
}

impl Tree {
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn depth(&self) -> usize {
        self.open.len() + self.deeper
    }

    pub(super) fn top(&self) -> Node {
        self.open.last().map_or(Node::Plain, |open| open.1)
    }

    /// `tag` is kept for [`Tree::close_tag`].
    pub(super) fn enter(&mut self, node: Node, tag: u32) {
        if self.open.len() < MAX_DEPTH {
            self.open.push((tag, node));
        } else {
            self.deeper += 1;
        }
    }

    pub(super) fn leave(&mut self) {
        match self.deeper.checked_sub(1) {
            Some(deeper) => self.deeper = deeper,
            None => drop(self.open.pop()),
        }
        let depth = self.depth();
        self.resources.retain(|resource| resource.0 <= depth);
        self.visits.retain(|visit| *visit <= depth);
        if depth == 0 {
            self.born = false;
        }
    }

    /// Closes everything down to the element of this name, if there is one.
    pub(super) fn close_tag(&mut self, tag: u32) {
        if self.deeper > 0 {
            self.leave();
        } else if let Some(at) = self.open.iter().rposition(|open| open.0 == tag) {
            while self.open.len() > at {
                self.leave();
            }
        }
    }

    fn about_patient(&self) -> bool {
        self.resources.last().is_none_or(|resource| resource.1) && !self.open.iter().any(|open| open.1 == Node::Other)
    }

    pub(super) fn inside(&self, node: Node) -> bool {
        self.open.iter().rev().take(6).any(|open| open.1 == node)
    }

    fn in_visit(&self) -> bool {
        self.inside(Node::Visit) || self.visits.last().is_some_and(|depth| *depth == self.depth())
    }

    /// What an object or element under this key means.
    pub(super) fn meaning(&self, key: &str, rules: &RuleSet) -> Node {
        let local = local(key);
        match local {
            "name" | "names" | "Name" => return Node::Name,
            "Encounter" | "encompassingEncounter" | "encounter" | "admission" | "hospitalization" => return Node::Visit,
            "period" | "effectiveTime" if self.in_visit() => return Node::Labelled(Label { kind: Kind::Date, strong: true }),
            "individual" => return Node::Other,
            // FHIR R4 Patient.photo, Person.photo: an Attachment.
            "photo" => return Node::Labelled(Label { kind: Kind::Other, strong: true }),
            // FHIR XML's Reference.display has its text in an attribute.
            "display" if self.top() == Node::Subject => return Node::Name,
            "identifier" | "identifiers" | "ids" => return Node::Identifier,
            "telecom" | "telecoms" | "contactPoint" => return Node::Telecom,
            "address" | "addresses" | "addr" | "Address" => return Node::Address,
            "subject" | "patient" | "beneficiary" | "relatedPerson" | "nextOfKin" | "next_of_kin" | "emergencyContact"
            | "emergency_contact" | "nok" | "person" | "member" | "subscriber" | "guarantor" | "contact" => return Node::Subject,
            // C-CDA R2.1: people known through the patient.
            "associatedEntity" | "associatedPerson" | "recordTarget" | "patientRole" | "relatedSubject" | "guardianPerson"
            | "relatedEntity" => return Node::Subject,
            "assignedEntity"
            | "assignedAuthor"
            | "assignedPerson"
            | "custodian"
            | "legalAuthenticator"
            | "authenticator"
            | "dataEnterer"
            | "performer"
            | "author"
            | "representedOrganization"
            | "providerOrganization"
            | "serviceProvider"
            | "encounterParticipant"
            | "participantRole"
            | "managingOrganization"
            | "generalPractitioner"
            | "requester"
            | "location"
            | "meta"
            | "manufacturer" => return Node::Other,
            _ => {}
        }
        if let Some(field) = hl7::field_of_element(local, rules) {
            return Node::Hl7(field);
        }
        if let Some(label) = dicom::label_of_key(local) {
            return Node::Labelled(label);
        }
        match rules.vocabulary.label(local) {
            Some(label) if label.strong && !(label.kind == Kind::Name && rules.vocabulary.only_persons(local)) => Node::Labelled(label),
            // "family" in a name, "line" in an address.
            Some(label)
                if (label.kind == Kind::Name && self.top() == Node::Name)
                    || (matches!(label.kind, Kind::Address | Kind::City | Kind::Zip) && self.top() == Node::Address) =>
            {
                Node::Labelled(Label { strong: true, ..label })
            }
            found => match rules.vocabulary.speaks(local) {
                Speaks::Patient => Node::Subject,
                Speaks::Others => Node::Other,
                Speaks::Nobody => match found {
                    Some(label) if self.inside(Node::Name) || self.inside(Node::Address) || self.inside(Node::Subject) => {
                        Node::Labelled(Label { strong: true, ..label })
                    }
                    // A wrapper around a value means what is around it ("value", "Alphabetic", an element of a component).
                    _ => match self.top() {
                        inherited @ (Node::Labelled(_) | Node::Hl7(_)) if is_wrapper(local) => self.component(inherited, local),
                        inherited @ (Node::Name | Node::Address | Node::Telecom | Node::Identifier) if local == "value" => inherited,
                        _ => Node::Plain,
                    },
                },
            },
        }
    }

    /// `XPN.1` inside `PID.5`: whether this component identifies.
    fn component(&self, inherited: Node, local: &str) -> Node {
        match inherited {
            Node::Hl7(field) => match local.split_once('.').and_then(|(_, number)| number.parse().ok()) {
                Some(number) => match hl7::component(field, number) {
                    Some(kind) => Node::Labelled(Label { kind, strong: true }),
                    None => Node::Plain,
                },
                None => inherited,
            },
            other => other,
        }
    }

    /// What the value under this key identifies, if anything. `None` as key: an item of an array, the text of an element.
    pub(super) fn leaf(&mut self, key: Option<&str>, text: &str, rules: &RuleSet) -> Option<Label> {
        let name = key.map(local);
        match name {
            Some("resourceType") => {
                let patient = !matches!(
                    text,
                    "Practitioner" | "PractitionerRole" | "Organization" | "Location" | "HealthcareService" | "Endpoint" | "Device"
                );
                if text == "Encounter" && self.visits.len() < MAX_DEPTH {
                    self.visits.push(self.depth());
                }
                if self.resources.len() < MAX_DEPTH {
                    self.resources.push((self.depth(), patient));
                }
                return None;
            }
            Some("birthDate") => self.born = true,
            _ => {}
        }
        if !self.about_patient() {
            return None;
        }
        let is = |kind| Some(Label { kind, strong: true });
        match (name, self.top()) {
            // xml:lang, xsi:type, FHIR's and C-CDA's codes for the kind of a thing.
            (
                Some(
                    "use"
                    | "system"
                    | "vr"
                    | "type"
                    | "root"
                    | "nullFlavor"
                    | "code"
                    | "codeSystem"
                    | "unit"
                    | "status"
                    | "keyword"
                    | "tag"
                    | "classCode"
                    | "typeCode"
                    | "xmlns"
                    | "lang"
                    | "qualifier"
                    | "rank"
                    | "assigningAuthorityName"
                    | "number"
                    | "delimiter",
                ),
                _,
            ) if !matches!(self.top(), Node::Labelled(_)) || name != Some("number") => None,
            (Some("value" | "extension" | "text"), Node::Identifier) => is(Kind::Mrn),
            (Some("value") | None, Node::Telecom) => is(if text.contains('@') { Kind::Email } else { Kind::Phone }),
            (Some("value"), Node::Name) => is(Kind::Name),
            (Some("extension"), _) if self.inside(Node::Subject) || self.in_visit() => is(Kind::Mrn),
            (Some("text" | "display" | "formatted" | "full") | None, Node::Name) => is(Kind::Name),
            (Some("text" | "display" | "formatted" | "full") | None, Node::Address) => is(Kind::Address),
            (Some("display"), Node::Subject) => is(Kind::Name),
            (None, Node::Subject) if rules.vocabulary.label("patient").is_some() && text.contains([' ', ',', '^']) => is(Kind::Name),
            (Some("id"), _)
                if (self.depth() <= 2 && self.born)
                    || self.resources.last().is_some_and(|resource| resource.1 && resource.0 == self.depth()) =>
            {
                is(Kind::Mrn)
            }
            (None, Node::Labelled(label)) => Some(label),
            (None, Node::Hl7(field)) => hl7::component(field, 1).and_then(is),
            (Some(wrapper), Node::Labelled(label)) if is_wrapper(wrapper) => Some(label),
            (Some(name), _) => {
                if let Some(field) = hl7::field_of_element(name, rules) {
                    return hl7::component(field, 1).and_then(is);
                }
                if let Some(label) = dicom::label_of_key(name) {
                    return Some(label);
                }
                let label = rules.vocabulary.label(name)?;
                let company = label.strong
                    || [Node::Name, Node::Address, Node::Subject].into_iter().any(|node| self.inside(node))
                    || self.resources.last().is_some_and(|resource| resource.1 && label.kind != Kind::Name);
                // Alone it says little: the rest of the object will tell.
                Some(Label { strong: company, ..label })
            }
            _ => None,
        }
    }
}

fn is_wrapper(key: &str) -> bool {
    matches!(
        key,
        "value"
            | "Value"
            | "values"
            | "text"
            | "#text"
            | "_text"
            | "_"
            | "$"
            | "content"
            | "display"
            | "number"
            | "Alphabetic"
            | "Ideographic"
            | "Phonetic"
            | "raw"
            | "url"
            | "full"
            | "formatted"
            | "item"
            | "low"
            | "start"
            | "end"
            | "high"
            | "PersonName"
            | "FamilyName"
            | "GivenName"
            | "MiddleName"
    ) || (key.len() <= 6 && key.contains('.') && key.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// Without a namespace or an attribute's sign.
fn local(key: &str) -> &str {
    let key = key.strip_prefix('@').unwrap_or(key);
    key.rsplit(':').next().unwrap_or(key)
}
