//! Rows out of a database, before a client prints them.

use crate::{
    kind::Kind,
    people::{Day, Person, phone, provider},
    scene::Scene,
    t,
    text::Text,
    words::{
        clinical::{ICD, MODALITIES, STATUS, TESTS, WARDS},
        fields::{Field, columns, labels},
        people::FACILITIES,
    },
};

#[derive(Debug)]
pub struct Table {
    pub head: Vec<String>,
    pub rows: Vec<Vec<Text>>,
    /// Clients put numbers to the right.
    pub numeric: Vec<bool>,
}

/// How values are written in one result.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    date: usize,
    name: usize,
    /// Years, "67 y", "067Y".
    age: usize,
}

impl Manner {
    pub fn stored(s: &Scene) -> Self {
        Self { date: Day::stored_shape(s), name: s.shape(Person::NAMES), age: 0 }
    }

    /// As in a column of a database: dates the same throughout.
    fn date(self, day: Day) -> String {
        day.stored(self.date)
    }
}

/// A value of a field. `None` of a kind that belongs to a person when the person has none.
pub fn value(s: &Scene, p: &Person, field: Field, manner: Manner) -> Text {
    match field {
        Field::Mrn => p.mrn(),
        Field::FullName => p.name(manner.name),
        Field::Last => p.last(),
        Field::First => p.first(),
        Field::Middle => p.middle(),
        Field::Birth => p.born(manner.date(p.born)),
        Field::Ssn => p.ssn(),
        Field::Phone => p.phone(),
        Field::Cell => p.cell(),
        Field::Fax => Text::label(Kind::Fax, phone(s)),
        Field::Email => p.email(),
        Field::Street => p.street(),
        Field::City => p.city(),
        Field::State => p.state(),
        Field::Zip => p.zip(),
        Field::Plan => p.plan(),
        Field::Account => p.account(),
        Field::Visit => p.visit(),
        Field::Admitted => p.visited(manner.date(p.admitted)),
        Field::Discharged => p.visited(manner.date(p.discharged)),
        Field::Died => p.visited(manner.date(p.discharged)),
        Field::Licence => Text::label(Kind::Licence, &p.licence),
        Field::Vehicle => Text::label(Kind::Vehicle, &p.vehicle),
        Field::Device => Text::label(Kind::Device, &p.device),
        Field::Age => match manner.age {
            0 => p.age(),
            _ => t![p.age(), " y"],
        },
        Field::Portal => Text::label(Kind::Url, &p.portal),
        Field::Ip => Text::label(Kind::Ip, format!("203.0.113.{}", s.within(1, 254))),
        Field::Biometric => Text::label(Kind::Biometric, format!("{}-{}", s.letters(2), s.digits(8))),
        Field::Kin | Field::Guarantor => p.relative(s).name(manner.name),
        // A row about a patient has a number that only this patient has; nobody outside can do anything with it.
        Field::RowId => Text::ungraded(s.within(1, 90_000).to_string()),
        Field::Sex => p.sex().into(),
        Field::Ward => s.any(WARDS).into(),
        Field::Status => s.any(STATUS).into(),
        Field::Value => {
            let (.., low, high, _) = s.any(TESTS);
            decimal(s.within(low, high)).into()
        }
        Field::Diagnosis => s.any(ICD).into(),
        Field::Created => {
            let day = Day::any(s, 2024, 2025).iso();
            Text::ungraded(format!("{day} {}", s.clock()))
        }
        Field::Provider => provider(s),
        Field::Modality => s.any(MODALITIES).into(),
        Field::Count => s.within(1, 400).to_string().into(),
        Field::Flag => s.any(&["t", "f", "Y", "N", "1", "0"]).into(),
    }
}

/// Tenths, as results are.
pub fn decimal(tenths: u64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// As often as systems have them.
const PERSONAL: &[Field] = &[
    Field::Ssn,
    Field::Ssn,
    Field::Phone,
    Field::Phone,
    Field::Phone,
    Field::Cell,
    Field::Email,
    Field::Email,
    Field::Street,
    Field::Street,
    Field::City,
    Field::City,
    Field::Zip,
    Field::Zip,
    Field::Plan,
    Field::Plan,
    Field::Account,
    Field::Account,
    Field::Visit,
    Field::Visit,
    Field::Admitted,
    Field::Admitted,
    Field::Discharged,
    Field::Kin,
    Field::Guarantor,
    Field::Licence,
    Field::Device,
    Field::Vehicle,
    Field::Portal,
    Field::Ip,
    Field::Biometric,
    Field::Fax,
    Field::Middle,
    Field::Died,
    Field::Age,
    Field::Age,
];
const INNOCENT: &[Field] = &[
    Field::Sex,
    Field::Ward,
    Field::Status,
    Field::Value,
    Field::Diagnosis,
    Field::Created,
    Field::Provider,
    Field::Modality,
    Field::Count,
    Field::Flag,
    Field::State,
];

/// Columns as a query about patients asks for them, at most `most`.
pub fn fields(s: &Scene, most: usize) -> Vec<Field> {
    let mut fields = Vec::new();
    if s.chance(25) {
        fields.push(Field::RowId);
    }
    if s.chance(85) {
        fields.push(Field::Mrn);
    }
    match s.roll(3) {
        0 => fields.push(Field::FullName),
        1 => fields.extend([Field::Last, Field::First]),
        _ => fields.extend([Field::First, Field::Last]),
    }
    if s.chance(75) {
        fields.push(Field::Birth);
    }
    let mut tries = 0;
    while fields.len() < most && tries < 40 {
        tries += 1;
        let field = if s.chance(65) { s.any(PERSONAL) } else { s.any(INNOCENT) };
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    fields
}

impl Table {
    /// About patients, at most so many columns and rows.
    pub fn new(s: &Scene, most: usize, rows: u64) -> Self {
        let fields = fields(s, most);
        Self::of(s, &fields, rows)
    }

    /// That fits on a screen `width` columns wide when printed with three columns between values.
    pub fn fitting(s: &Scene, width: usize, rows: u64) -> Self {
        let mut table = Self::new(s, 4 + width / 20, rows);
        while table.widths().iter().map(|width| width + 3).sum::<usize>() > width && table.head.len() > 2 {
            table.head.pop();
            table.numeric.pop();
            table.rows.iter_mut().for_each(|row| {
                row.pop();
            });
        }
        table
    }

    pub fn of(s: &Scene, fields: &[Field], rows: u64) -> Self {
        let head = fields.iter().map(|field| s.pick(columns(*field)).to_owned()).collect();
        let manner = Manner::stored(s);
        let rows = (0..rows)
            .map(|_| {
                let person = Person::new(s);
                fields
                    .iter()
                    .map(|field| {
                        let optional = PERSONAL.contains(field);
                        if optional && s.chance(6) { Text::default() } else { value(s, &person, *field, manner) }
                    })
                    .collect()
            })
            .collect();
        let numeric = fields.iter().map(|field| matches!(field, Field::RowId | Field::Value | Field::Count | Field::Age)).collect();
        Self { head, rows, numeric }
    }

    pub fn widths(&self) -> Vec<usize> {
        (0..self.head.len())
            .map(|n| self.rows.iter().map(|row| row[n].width()).chain([Text::from(&self.head[n]).width()]).max().unwrap_or(0))
            .collect()
    }

    pub fn query(&self, s: &Scene) -> String {
        let table = s.any(&["patients", "patient", "public.patients", "dbo.PATIENT", "ehr.person", "v_census", "pat_demographics"]);
        let columns = if s.chance(30) { "*".to_owned() } else { self.head.join(", ") };
        let tail = s.any(&["", " limit 20", " order by 1", " where active"]);
        match s.roll(3) {
            0 => format!("SELECT {columns} FROM {table}{};", tail.to_uppercase()),
            _ => format!("select {columns} from {table}{tail};"),
        }
    }
}

/// A label as a form has it, and its value in a manner of people.
pub fn entry(s: &Scene, p: &Person, field: Field) -> (String, Text) {
    let manner = Manner { date: 0, name: s.shape(Person::NAMES), age: s.roll(2) as usize };
    let shape = Day::written_shape(s);
    let value = match field {
        Field::Birth => p.born(p.born.written(shape)),
        Field::Admitted => p.visited(p.admitted.written(shape)),
        Field::Discharged | Field::Died => p.visited(p.discharged.written(shape)),
        Field::Ward if s.chance(40) => format!("{} / {}", s.any(WARDS), s.any(FACILITIES)).into(),
        _ => value(s, p, field, manner),
    };
    (s.pick(labels(field)).to_owned(), value)
}
