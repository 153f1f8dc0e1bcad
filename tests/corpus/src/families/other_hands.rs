//! What other programs and other hospitals print, written apart from the rest: scripts of databases, parameters of statements, data as
//! languages print it, analysers' records, forms in other languages, an audit trail.

use crate::{
    people::{Day, Person, provider},
    scene::Scene,
    t,
    text::Text,
    words::clinical::{STATUS, WARDS},
};

/// A quote inside a literal, as MySQL or the standard writes it.
fn literal(s: &Scene, text: Text) -> Text {
    let escaped = if s.habit(31, 2) == 0 { "''" } else { "\\'" };
    t!["'", text.map(|text| text.replace('\'', escaped)), "'"]
}

/// `mysqldump`, `.dump`: the columns are in the DDL, the rows have none.
pub(super) fn dump_with_ddl(s: &mut Scene) {
    s.command(s.any(&["mysqldump --skip-comments clinic patient", "sqlite3 clinic.db .dump"]));
    let tick = if s.chance(60) { "`" } else { "\"" };
    let columns = ["id", "record_number", "family_name", "given_name", "date_of_birth", "ward", "home_phone", "street_address"];
    s.line(format!("CREATE TABLE {tick}patient{tick} ("));
    for column in columns {
        s.line(format!("  {tick}{column}{tick} {},", s.any(&["varchar(64) DEFAULT NULL", "text", "varchar(32) NOT NULL"])));
    }
    s.line(format!("  PRIMARY KEY ({tick}id{tick})"));
    s.line(");");
    let row = |s: &Scene, n: u64| {
        let p = Person::new(s);
        let day = p.born.iso();
        t![
            format!("({n},"),
            literal(s, p.mrn()),
            ",",
            literal(s, p.last()),
            ",",
            literal(s, p.first()),
            ",'",
            p.born(day),
            format!("','{}',", s.any(WARDS)),
            literal(s, p.phone()),
            ",",
            literal(s, p.street()),
            ")"
        ]
    };
    if s.chance(50) {
        let rows: Vec<Text> = (1..=s.within(2, 5)).map(|n| row(s, n)).collect();
        s.line(t![format!("INSERT INTO {tick}patient{tick} VALUES "), Text::join(rows, ","), ";"]);
    } else {
        for n in 1..=s.within(2, 6) {
            let row = row(s, n);
            s.line(t![format!("INSERT INTO {tick}patient{tick} VALUES"), row, ";"]);
        }
    }
}

/// What frameworks log of the values they bind.
pub(super) fn parameters(s: &mut Scene) {
    s.command("tail -n 20 logs/application.log");
    for _ in 0..s.within(3, 8) {
        let p = Person::new(s);
        let front = format!("2025-04-12 {},{} DEBUG ", s.clock(), s.digits(3));
        s.line(match s.shape(6) {
            0 => t![
                front,
                "==> Parameters: ",
                p.last(),
                "(String), ",
                p.first(),
                "(String), ",
                p.born(p.born.iso()),
                "(Date), ",
                p.mrn(),
                "(String)"
            ],
            1 => t![
                front,
                "sqlalchemy.engine.Engine [generated in 0.00021s] ('",
                p.mrn(),
                "', '",
                p.last().map(|text| text.replace('\'', "\\'")),
                "', '",
                p.first().map(|text| text.replace('\'', "\\'")),
                "', '",
                p.born(p.born.iso()),
                "')"
            ],
            2 => {
                t!["  Patient Load (0.5ms)  SELECT * FROM patients WHERE mrn = $1 LIMIT $2  [[\"mrn\", \"", p.mrn(), "\"], [\"LIMIT\", 1]]"]
            }
            3 => t![
                "  Parameters: {\"patient\"=>{\"last_name\"=>\"",
                p.last(),
                "\", \"first_name\"=>\"",
                p.first(),
                "\", \"dob\"=>\"",
                p.born(p.born.iso()),
                "\"}, \"commit\"=>\"Save\"}"
            ],
            4 => t![front, "binding parameters: {mrn=", p.mrn(), ", lastName=", p.last(), ", dob=", p.born(p.born.iso()), "}"],
            _ => t![front, "parameters: $1 = '", p.mrn(), "', $2 = '", p.name(0).map(|text| text.replace('\'', "''")), "', $3 = '4W'"],
        });
    }
}

/// Structs, maps and arrays as languages and shells print them.
pub(super) fn printed_data(s: &mut Scene) {
    s.command(s.any(&["./dump-record 17", "mongosh --quiet clinic q.js", "php show.php 17"]));
    for _ in 0..s.within(2, 5) {
        let p = Person::new(s);
        let id = s.within(1, 9999);
        match s.shape(6) {
            0 => s.line(t![
                format!("&{{ID:{id} MRN:"),
                p.mrn(),
                " FirstName:",
                p.first(),
                " LastName:",
                p.last(),
                " DOB:",
                p.born(p.born.iso()),
                "}"
            ]),
            1 => s.line(t![
                "Patient { mrn: \"",
                p.mrn(),
                "\", first_name: \"",
                p.first(),
                "\", last_name: \"",
                p.last(),
                "\", ssn: Some(\"",
                p.ssn(),
                "\") }"
            ]),
            2 => s.line(t![
                "{ _id: ObjectId('",
                Text::ungraded(s.hex(24)),
                "'), mrn: '",
                p.mrn(),
                "', dob: ISODate('",
                p.born(p.born.iso()),
                "T00:00:00.000Z'), phone: '",
                p.phone(),
                "' }"
            ]),
            3 => {
                s.line("(");
                s.line(t!["    [fname] => ", p.first()]);
                s.line(t!["    [lname] => ", p.last()]);
                s.line(t!["    [DOB] => ", p.born(p.born.iso())]);
                s.line(t!["    [ss] => ", p.ssn()]);
                s.line(t!["    [phone_home] => ", p.phone()]);
                s.line(")");
            }
            4 => s.line(t![
                "Patient(mrn='",
                p.mrn(),
                "', given=['",
                p.first(),
                "'], birth=datetime.date(",
                p.born(format!("{}, {}, {}", p.born.0, p.born.1, p.born.2)),
                "))"
            ]),
            _ => {
                for (n, (key, value)) in
                    [("mrn", p.mrn()), ("last_name", p.last()), ("dob", p.born(p.born.iso())), ("phone", p.phone())].into_iter().enumerate()
                {
                    s.line(format!("{}) \"{key}\"", n * 2 + 1));
                    s.line(t![format!("{}) \"", n * 2 + 2), value, "\""]);
                }
            }
        }
    }
}

/// LIS02-A2 (ASTM E1394) between analysers and the laboratory's system.
pub(super) fn laboratory(s: &mut Scene) {
    s.command("tail -n 30 /var/log/lis/astm.log");
    for n in 1..=s.within(2, 4) {
        let p = Person::new(s);
        s.line(format!("H|\\^&|||ANALYZER{n}|||||LIS||P|1394-97|20250412{}", s.digits(6)));
        s.line(t![
            "P|1|",
            if s.chance(60) { p.mrn() } else { Text::default() },
            "|",
            p.visit(),
            "||",
            p.parts('^'),
            "||",
            p.born(p.born.digits()),
            "|",
            p.sex(),
            "||",
            p.street(),
            "^^",
            p.city(),
            "||",
            p.phone()
        ]);
        s.line(format!("O|1|{}||^^^GLU|R", Text::ungraded(s.digits(6)).visible()));
        s.line("R|1|^^^GLU|98|mg/dL|70^105|N||F");
        s.line("L|1|N");
    }
}

/// Face sheets in German and in French.
pub(super) fn foreign_forms(s: &mut Scene) {
    s.command("cat stammblatt.txt");
    let p = Person::new(s);
    let day = |day: Day| day.written(9);
    let (born, admitted) = (p.born(day(p.born)), p.visited(day(p.admitted)));
    let by = s.any(&[" : ", ": "]);
    let german = s.shape(3) != 1;
    let entries: Vec<(&str, Text)> = if german {
        vec![
            ("Name, Vorname", p.name(0)),
            ("Geburtsdatum", born),
            ("Geschlecht", if p.female { "w".into() } else { "m".into() }),
            ("Telefon", p.phone()),
            ("Versicherten-Nr.", p.plan()),
            ("Fallnummer", p.visit()),
            ("Aufnahmedatum", admitted),
            ("Station", s.any(WARDS).into()),
        ]
    } else {
        vec![
            ("Nom de naissance", p.last()),
            ("Prénom", p.first()),
            ("Date de naissance", born),
            ("Téléphone", p.phone()),
            ("Médecin traitant", provider(s)),
            ("Service", s.any(WARDS).into()),
        ]
    };
    for (label, value) in entries {
        s.line(t![Text::from(label).left(20), by, value]);
    }
}

/// Who did what to whose record: the user and the machine stay, the patient does not.
pub(super) fn audit_trail(s: &mut Scene) {
    s.command("ausearch-ehr --today | tail");
    for _ in 0..s.within(4, 10) {
        let p = Person::new(s);
        let front =
            format!("2025-04-12 {} {} user={} ", s.clock(), s.any(&["ehr01", "ws-4412"]), s.any(&["jsmith", "dr.house", "svc_hl7"]));
        let relative = p.relative(s);
        s.line(match s.shape(9) {
            0 => t![front, "opened record of ", p.name(1), " [", p.mrn(), "]"],
            1 => t![front, "printed labels for ", p.name(0), " DOB ", p.born(p.born.written(1))],
            2 => t![front, "changed address of patient ", p.name(1), ", now ", p.street()],
            3 => t![front, "merged ", Person::new(s).mrn(), " into ", p.mrn()],
            4 => t![front, "viewed results for ", p.name(2), ", MRN ", p.mrn()],
            5 => t![front, "called ", p.cell(), " about ", p.name(1), " (MRN ", p.mrn(), ")"],
            6 => t![front, "patient=", p.mrn(), " (", p.name(0), ") screen=Labs status=", s.any(STATUS)],
            7 => t![front, "added guardian ", relative.name(1), " to ", p.mrn()],
            _ => t![front, "scheduled ", p.name(0), " (", p.age(), " y, ", p.sex(), ") for ", s.any(WARDS)],
        });
    }
}
