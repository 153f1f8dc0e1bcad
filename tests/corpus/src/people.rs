//! Somebody who does not exist, and everything systems keep about somebody.

use crate::{
    kind::Kind,
    scene::Scene,
    t,
    text::Text,
    words::people::{CITIES, CJK, FAMILY, GIVEN, MAIL_HOSTS, PROVIDERS, PROVIDERS_GIVEN, STATES, STREET_KINDS, STREETS, SUFFIX, UNITS},
};

#[derive(Debug, Clone)]
pub struct Person {
    pub first: String,
    pub last: String,
    pub middle: String,
    pub suffix: String,
    pub female: bool,
    pub born: Day,
    pub age: u64,
    pub mrn: String,
    pub ssn: String,
    pub phone: String,
    pub cell: String,
    pub email: String,
    pub street: String,
    pub city: String,
    pub state: String,
    pub zip: String,
    pub plan: String,
    pub account: String,
    pub visit: String,
    pub admitted: Day,
    pub discharged: Day,
    pub licence: String,
    pub vehicle: String,
    pub device: String,
    pub portal: String,
    pub cjk: bool,
}

/// Year, month, day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub u64, pub u64, pub u64);

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

impl Day {
    pub fn any(scene: &Scene, from: u64, to: u64) -> Self {
        Self(scene.within(from, to), scene.within(1, 12), scene.within(1, 28))
    }

    pub fn iso(self) -> String {
        format!("{:04}-{:02}-{:02}", self.0, self.1, self.2)
    }

    /// HL7, X12 and DICOM.
    pub fn digits(self) -> String {
        format!("{:04}{:02}{:02}", self.0, self.1, self.2)
    }

    /// As people and report writers put it.
    pub fn written(self, shape: usize) -> String {
        let Self(y, m, d) = self;
        let month = MONTHS[m as usize - 1];
        match shape {
            0 => self.iso(),
            1 => format!("{m:02}/{d:02}/{y:04}"),
            2 => format!("{m}/{d}/{y:04}"),
            3 => format!("{:.3} {d}, {y}", month),
            4 => format!("{month} {d}, {y}"),
            5 => format!("{d:02}-{:.3}-{y}", month.to_uppercase()),
            6 => format!("{m:02}-{d:02}-{y:04}"),
            7 => format!("{m:02}/{d:02}/{:02}", y % 100),
            8 => format!("{d} {month} {y}"),
            9 => format!("{d:02}.{m:02}.{y:04}"),
            10 => format!("{d:02}-{:.3}-{:02}", month, y % 100),
            _ => format!("{:.3} {d:02} {y}", month.to_uppercase()),
        }
    }

    pub const WRITTEN: usize = 12;

    /// As databases do.
    pub fn stored(self, shape: usize) -> String {
        match shape {
            0 => self.iso(),
            1 => self.written(1),
            2 => self.digits(),
            3 => self.written(5),
            4 => self.written(2),
            _ => self.written(6),
        }
    }

    pub const STORED: usize = 6;

    /// Half of all results have ISO 8601, whatever the part.
    pub fn stored_shape(s: &Scene) -> usize {
        if s.chance(50) { 0 } else { s.shape(Self::STORED) }
    }

    /// The usual two in both parts.
    pub fn written_shape(s: &Scene) -> usize {
        if s.chance(40) { s.any(&[0, 1]) } else { s.shape(Self::WRITTEN) }
    }
}

impl Person {
    pub fn new(s: &Scene) -> Self {
        let wide = false;
        Self::with(s, wide)
    }

    /// With a name of wide characters.
    pub fn wide(s: &Scene) -> Self {
        Self::with(s, true)
    }

    fn with(s: &Scene, cjk: bool) -> Self {
        let (mut first, mut last) = (s.pick(GIVEN).to_owned(), s.pick(FAMILY).to_owned());
        let ascii: String = format!("{first}.{last}").to_lowercase().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
        if cjk {
            let (family, given) = s.pick(CJK);
            (first, last) = (given.to_owned(), family.to_owned());
        }
        let mrn = mrn(s);
        let born = Day::any(s, 1926, 2023);
        let admitted = Day::any(s, 2023, 2025);
        let n = s.within(1, 20);
        Self {
            middle: match s.roll(3) {
                0 => String::new(),
                1 => s.letters(1),
                _ => s.pick(GIVEN).to_owned(),
            },
            suffix: if s.chance(8) { s.pick(SUFFIX).to_owned() } else { String::new() },
            female: s.chance(50),
            born,
            age: 2025 - born.0,
            ssn: ssn(s),
            phone: phone(s),
            cell: phone(s),
            email: match s.shape(4) {
                0 => format!("{ascii}@{}", s.pick(MAIL_HOSTS)),
                1 => format!("{}{}@{}", ascii.split('.').next_back().unwrap_or("x"), s.digits(2), s.pick(MAIL_HOSTS)),
                2 => format!("{}_{}@{}", s.letters(1).to_lowercase(), ascii.replace('.', ""), s.pick(MAIL_HOSTS)),
                _ => format!("{}+clinic@{}", ascii, s.pick(MAIL_HOSTS)),
            },
            street: street(s),
            city: s.pick(CITIES).to_owned(),
            state: s.any(STATES).to_owned(),
            zip: if s.chance(25) { format!("{}-{}", s.digits(5), s.digits(4)) } else { s.digits(5) },
            plan: plan(s),
            account: match s.habit(4, 5) {
                0 => format!("A{}", s.digits(8)),
                1 => format!("77{}", s.digits(7)),
                2 => format!("{}-{}", s.digits(6), s.digits(3)),
                3 => format!("HAR{}", s.digits(9)),
                _ => s.digits(10),
            },
            visit: match s.habit(5, 4) {
                0 => format!("V{}", s.digits(9)),
                1 => format!("1{}", s.digits(8)),
                2 => format!("{}{}", s.any(&["CT", "ACC", "E-"]), s.digits(7)),
                _ => format!("2025{}", s.digits(6)),
            },
            admitted,
            discharged: Day(admitted.0, admitted.1, (admitted.2 + n).min(28)),
            licence: format!("{}{}", s.letters(1), s.digits(8)),
            vehicle: if s.chance(50) {
                format!("1FEXM{}{}", s.letters(6), s.digits(6))
            } else {
                format!("{} {}", s.letters(3), s.digits(4))
            },
            device: format!("{}{}{}", s.letters(3), s.digits(6), s.letters(1)),
            portal: format!("https://portal.example.org/{}/{}", s.any(&["patients", "p", "chart"]), s.digits(7)),
            first,
            last,
            mrn,
            cjk,
        }
    }

    pub fn first(&self) -> Text {
        Text::label(Kind::Name, &self.first)
    }
    pub fn last(&self) -> Text {
        Text::label(Kind::Name, &self.last)
    }
    pub fn middle(&self) -> Text {
        if self.middle.is_empty() { Text::default() } else { Text::label(Kind::Name, &self.middle) }
    }
    pub fn suffix_label(&self) -> Text {
        if self.suffix.is_empty() { Text::default() } else { Text::label(Kind::Name, &self.suffix) }
    }
    pub fn mrn(&self) -> Text {
        Text::label(Kind::Mrn, &self.mrn)
    }
    pub fn ssn(&self) -> Text {
        Text::label(Kind::Ssn, &self.ssn)
    }
    pub fn phone(&self) -> Text {
        Text::label(Kind::Phone, &self.phone)
    }
    pub fn cell(&self) -> Text {
        Text::label(Kind::Phone, &self.cell)
    }
    pub fn email(&self) -> Text {
        Text::label(Kind::Email, &self.email)
    }
    pub fn street(&self) -> Text {
        Text::label(Kind::Street, &self.street)
    }
    pub fn city(&self) -> Text {
        Text::label(Kind::City, &self.city)
    }
    pub fn state(&self) -> Text {
        Text::ungraded(&self.state)
    }
    pub fn zip(&self) -> Text {
        Text::label(Kind::Zip, &self.zip)
    }
    pub fn plan(&self) -> Text {
        Text::label(Kind::HealthPlan, &self.plan)
    }
    pub fn account(&self) -> Text {
        Text::label(Kind::Account, &self.account)
    }
    pub fn visit(&self) -> Text {
        Text::label(Kind::Other, &self.visit)
    }
    pub fn born(&self, written: String) -> Text {
        Text::label(Kind::Birth, written)
    }
    pub fn visited(&self, written: String) -> Text {
        Text::label(Kind::VisitDate, written)
    }
    pub fn sex(&self) -> &'static str {
        if self.female { "F" } else { "M" }
    }

    pub fn age(&self) -> Text {
        if self.age >= 90 { Text::label(Kind::Age, self.age.to_string()) } else { self.age.to_string().into() }
    }

    /// Family name first or last, as one identifier.
    pub fn name(&self, shape: usize) -> Text {
        let Self { first, last, middle, suffix, .. } = self;
        if self.cjk {
            return Text::label(Kind::Name, if shape.is_multiple_of(2) { format!("{last}{first}") } else { format!("{last} {first}") });
        }
        let initial: String = middle.chars().take(1).collect();
        let spaced = |word: &str| if word.is_empty() { String::new() } else { format!(" {word}") };
        Text::label(
            Kind::Name,
            match shape {
                0 => format!("{last}, {first}"),
                1 => format!("{first} {last}"),
                2 => format!("{last}, {first}{}", spaced(&initial)).to_uppercase(),
                3 => format!("{last},{first}{}", spaced(middle)).to_uppercase(),
                4 => format!("{first}{} {last}", if initial.is_empty() { String::new() } else { format!(" {initial}.") }),
                5 => format!("{first}{} {last}{}", spaced(middle), spaced(suffix)),
                6 => format!("{last}{}, {first}{}", spaced(suffix), spaced(&initial)),
                7 => format!("{first} {last}").to_uppercase(),
                _ => format!("{last}, {}.", first.chars().take(1).collect::<String>()),
            },
        )
    }

    pub const NAMES: usize = 9;

    /// HL7 XPN, DICOM PN: parts by `^`, each an identifier of its own. What stands between them may go with them.
    pub fn parts(&self, by: char) -> Text {
        let by = &Text::ungraded(by.to_string());
        let mut text = t![self.last(), by, self.first()];
        if !self.middle.is_empty() {
            text.push(t![by, self.middle()]);
        }
        text
    }

    /// Another name in the same house.
    pub fn relative(&self, s: &Scene) -> Self {
        Self {
            first: s.pick(GIVEN).to_owned(),
            middle: String::new(),
            suffix: String::new(),
            phone: phone(s),
            cjk: false,
            last: if self.cjk { s.pick(FAMILY).to_owned() } else { self.last.clone() },
            ..self.clone()
        }
    }
}

/// Numbers of shapes that hospitals use.
fn mrn(s: &Scene) -> String {
    match s.habit(1, 9) {
        0 => (1_000_000 + s.roll(9_000_000)).to_string(),
        1 => format!("E{}", s.digits(6)),
        2 => format!("MR-{}-{}", s.digits(3), s.digits(4)),
        3 => format!("00{}", s.digits(6)),
        4 => format!("{}-{}-{}", s.digits(2), s.digits(2), s.digits(2)),
        5 => format!("{}{}{}", s.letters(2), s.digits(5), s.letters(1)),
        6 => format!("MRN{}", s.digits(8)),
        7 => format!("{}-{}", s.digits(7), s.digits(1)),
        _ => s.digits(10),
    }
}

/// Never issued: area 666, and 900 to 999 outside the ITIN groups as well as in them.
fn ssn(s: &Scene) -> String {
    let area = if s.chance(20) { 666 } else { 900 + s.roll(100) };
    let (group, serial) = (1 + s.roll(99), 1 + s.roll(9999));
    match s.habit(2, 6) {
        0 | 2 => format!("{area:03}-{group:02}-{serial:04}"),
        1 | 3 => format!("{area:03}{group:02}{serial:04}"),
        _ => format!("{area:03} {group:02} {serial:04}"),
    }
}

/// 555-0100 to 555-0199 are kept for fiction.
pub fn phone(s: &Scene) -> String {
    let (area, last) = (201 + s.roll(780), 100 + s.roll(100));
    match s.habit(3, 8) {
        0 => format!("({area}) 555-0{last}"),
        1 => format!("{area}-555-0{last}"),
        2 => format!("{area}.555.0{last}"),
        3 => format!("+1 {area} 555 0{last}"),
        4 => format!("{area}5550{last}"),
        5 => format!("1-{area}-555-0{last}"),
        6 => format!("({area})555-0{last}"),
        _ => format!("+1-{area}-555-0{last}"),
    }
}

fn street(s: &Scene) -> String {
    if s.chance(8) {
        return format!("PO Box {}", s.within(10, 9999));
    }
    let unit = if s.chance(20) { s.pick(UNITS) } else { "" };
    format!("{} {} {}{unit}", s.within(1, 19_999), s.pick(STREETS), s.pick(STREET_KINDS))
}

fn plan(s: &Scene) -> String {
    match s.shape(6) {
        0 => format!("XYH{}", s.digits(9)),
        1 => format!("W{}", s.digits(9)),
        2 => format!("{}{}{}", s.letters(3), s.digits(8), s.letters(1)),
        // A Medicare number's form: 1EG4-TE5-MK73 is the form's own example.
        3 => format!(
            "{}{}{}{}{}{}{}{}{}",
            s.within(1, 9),
            s.letters(1),
            s.letters(1),
            s.digits(1),
            s.letters(1),
            s.letters(1),
            s.digits(1),
            s.letters(2),
            s.digits(2)
        ),
        4 => s.digits(11),
        _ => format!("{}-{}", s.digits(9), s.digits(2)),
    }
}

/// Neither innocent nor an identifier: policies differ.
pub fn provider(s: &Scene) -> Text {
    let (last, first) = (s.any(PROVIDERS), s.any(PROVIDERS_GIVEN));
    Text::ungraded(match s.roll(4) {
        0 => format!("Dr. {first} {last}"),
        1 => format!("{last}, {first} MD"),
        2 => format!("{first} {last}, MD"),
        _ => format!("{last}, {first}"),
    })
}
