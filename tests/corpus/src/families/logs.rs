//! Log lines of the systems in a hospital, with somebody in them.

use crate::{
    kind::Kind,
    people::{Person, provider},
    scene::Scene,
    t,
    table::{Manner, fields, value},
    text::Text,
    words::{
        clinical::{MODALITIES, STUDIES, WARDS},
        fields::{Field, columns},
    },
};

/// Lines about nobody, in between.
fn noise(s: &Scene) -> Text {
    s.any(&[
        "connection pool: 12 active, 3 idle",
        "heartbeat ok",
        "queue depth 4, oldest 2s",
        "GC pause 12 ms",
        "retrying in 5 s (attempt 2 of 10)",
        "TLS handshake with 192.0.2.17:2575 complete",
        "cache refreshed in 184 ms",
        "listening on 0.0.0.0:2575",
    ])
    .into()
}

fn lines(s: &mut Scene, command: &str, line: impl Fn(&Scene) -> Text) {
    s.command(command);
    for _ in 0..s.within(4, 14) {
        s.line(line(s));
    }
}

pub(super) fn syslog(s: &mut Scene) {
    let command = s.any(&["tail -n 20 /var/log/syslog", "journalctl -u ehr-app -n 20 --no-pager", "grep ehr /var/log/messages | tail"]);
    lines(s, command, |s| {
        let front = match s.shape(3) {
            0 => format!("Apr 12 {} ehr-app-{} ehrd[{}]: ", s.clock(), s.within(1, 4), s.within(300, 32_000)),
            1 => format!("2025-04-12T{}.{}+00:00 ehr-app-1 ehrd[{}]: ", s.clock(), s.digits(6), s.within(300, 32_000)),
            _ => format!("<134>1 2025-04-12T{}Z ehr-app-1 ehrd {} - - ", s.clock(), s.within(300, 32_000)),
        };
        let p = Person::new(s);
        if s.chance(15) { t![front, noise(s)] } else { t![front, sentence(s, &p)] }
    });
}

/// What applications say about patients.
fn sentence(s: &Scene, p: &Person) -> Text {
    let name = p.name(s.shape(Person::NAMES));
    match s.shape(15) {
        0 => t!["opened chart for patient ", name, " (MRN ", p.mrn(), ")"],
        1 => t!["ADT A01: patient ", p.mrn(), " admitted to ", s.any(WARDS)],
        2 => t!["lookup mrn=", p.mrn(), " dob=", p.born(p.born.iso()), " -> 1 match"],
        3 => t!["user=svc_web action=view patient=\"", name, "\" mrn=", p.mrn(), " ip=10.20.4.", s.within(2, 250)],
        4 => t!["SMS reminder sent to ", p.cell(), " for MRN ", p.mrn()],
        5 => t!["mail to <", p.email(), ">: status=sent (250 ok)"],
        6 => t!["duplicate SSN ", p.ssn(), " on records ", p.mrn(), " and ", Person::new(s).mrn()],
        7 => t!["WARN eligibility check failed for member ", p.plan(), ": timeout after 30 s"],
        8 => t!["merge: ", Person::new(s).mrn(), " into ", p.mrn(), " (", name, ")"],
        9 => t!["Patient [id=", p.mrn(), ", name=", name, ", dob=", p.born(p.born.written(1)), "] saved in 42 ms"],
        10 => t!["printed wristband for ", name, " DOB ", p.born(p.born.written(1)), " on zebra-", s.within(1, 9)],
        11 => t!["order ", Text::ungraded(s.digits(8)), " placed by ", provider(s), " for pt ", name],
        12 => t!["consent recorded for ", name, ", phone ", p.phone()],
        13 => t!["account ", p.account(), " balance transferred, guarantor ", p.relative(s).name(0)],
        _ => t!["encounter ", p.visit(), " closed for patient_id=", p.mrn()],
    }
}

pub(super) fn mirth(s: &mut Scene) {
    lines(s, "tail -f /opt/mirthconnect/logs/mirth.log", |s| {
        let front = format!(
            "{:5} 2025-04-12 {},{} [{}] {}: ",
            s.any(&["INFO", "ERROR", "WARN"]),
            s.clock(),
            s.digits(3),
            s.any(&["Destination Chain Thread 1", "qtp1829-44", "Channel Dispatch Thread"]),
            s.any(&["transformer", "js.filter", "com.mirth.connect.connectors.tcp.TcpReceiver"])
        );
        let p = Person::new(s);
        let what = match s.shape(9) {
            _ if s.chance(15) => noise(s),
            0 => t!["Processing ADT^A08 for patient ", p.parts('^').upper(), " MRN: ", p.mrn()],
            1 => {
                t!["PID.3.1=", p.mrn(), " PID.5.1=", p.last().upper(), " PID.5.2=", p.first().upper(), " PID.7.1=", p.born(p.born.digits())]
            }
            2 => t!["Filtered message for MRN ", p.mrn(), " (test patient flag)"],
            3 => t!["channelMap.put('patientName', '", p.name(3), "')"],
            4 => t!["Duplicate patient: mrn=", p.mrn(), ", lastName=", p.last(), ", firstName=", p.first(), ", ssn=", p.ssn()],
            5 => t!["no match in MPI for ", p.parts('^'), " DOB ", p.born(p.born.digits()), ", creating ", p.mrn()],
            6 => t!["patientId: ", p.mrn(), ", visit: ", p.visit(), ", event: A03"],
            7 => t!["SELECT * FROM demographics WHERE pat_id='", p.mrn(), "' took 14 ms"],
            _ => t!["{\"patient\":{\"mrn\":\"", p.mrn(), "\",\"name\":\"", p.name(0), "\"},\"channel\":\"ADT_IN\"}"],
        };
        t![front, what]
    });
}

pub(super) fn orthanc(s: &mut Scene) {
    lines(s, "docker logs --tail 20 orthanc", |s| {
        let front = format!(
            "{}0412 {}.{} {:>18} {}:{}] ",
            s.any(&["I", "W", "E"]),
            s.clock(),
            s.digits(6),
            s.any(&["MAIN", "DICOM-0", "HTTP-12", "JOBS-WORKER-0"]),
            s.any(&["ServerContext.cpp", "FindScp.cpp", "StoreScp.cpp", "OrthancRestApi.cpp"]),
            s.within(40, 900)
        );
        let p = Person::new(s);
        let what = match s.shape(9) {
            _ if s.chance(15) => noise(s),
            0 => t!["New instance stored for patient ", p.parts('^'), " (PatientID=", p.mrn(), ")"],
            1 => t!["(0010,0010) PN ", p.parts('^')],
            2 => t!["  0010,0020 (PatientID) = ", p.mrn()],
            3 => t!["Receiving C-FIND RQ: PatientName=", p.parts('^'), " StudyDate=", p.visited(p.admitted.digits()), "-"],
            4 => t!["AccessionNumber ", p.visit(), " modality ", s.any(MODALITIES), " \"", s.any(STUDIES), "\""],
            5 => t!["Anonymizing patient ", p.parts('^'), " born ", p.born(p.born.digits())],
            6 => t!["PatientBirthDate: ", p.born(p.born.digits()), "  PatientName: ", p.parts('^')],
            7 => t!["C-MOVE of study for patient \"", p.mrn(), "\" to AET WORKST"],
            _ => t!["Deleting patient \"", p.mrn(), "\" (", p.parts('^'), ") from the recycling order"],
        };
        t![front, what]
    });
}

pub(super) fn dcm4chee(s: &mut Scene) {
    lines(s, "tail -n 40 /opt/wildfly/standalone/log/server.log", |s| {
        let front = format!(
            "2025-04-12 {},{} {:5} [org.dcm4chee.{}] (EE-ManagedExecutorService-default-Thread-{}) ",
            s.clock(),
            s.digits(3),
            s.any(&["INFO", "WARN"]),
            s.any(&["arc.store", "arc.hl7", "arc.query"]),
            s.within(1, 99)
        );
        let p = Person::new(s);
        let what = match s.shape(6) {
            _ if s.chance(15) => noise(s),
            0 => t!["Create Patient[pk=", s.within(1, 9999), ", id=", p.mrn(), "^^^HOSP, name=", p.parts('^'), "]"],
            1 => t!["MWL Item of ", p.parts('^'), " [", p.mrn(), "] scheduled"],
            2 => t!["STORESCU->DCM4CHEE: M-WRITE /storage/2025/4/12/", Text::ungraded(s.hex(8)), " PatientID=", p.mrn()],
            3 => t!["Received patient birth date ", p.born(p.born.digits()), " differs for PatientID ", p.mrn()],
            4 => t!["Update Patient[id=", p.mrn(), "]: name ", p.parts('^'), " -> ", p.relative(s).parts('^')],
            _ => t!["Merge Patient[id=", p.mrn(), ", name=", p.parts('^'), ", birthDate=", p.born(p.born.digits()), "]"],
        };
        t![front, what]
    });
}

/// logfmt and its relatives.
pub(super) fn key_value(s: &mut Scene) {
    let by = if s.chance(60) { " " } else { s.pick(&[", ", " | ", "; "]) };
    let quote = if s.chance(70) { "\"" } else { "'" };
    s.command("kubectl logs deploy/registration --tail 20");
    for _ in 0..s.within(3, 10) {
        let p = Person::new(s);
        let manner = Manner::stored(s);
        let mut entries = vec![
            t!["level=", s.any(&["info", "warn", "error"])],
            t!["msg=", quote, s.any(&["saved", "row rejected", "address verified", "sync"]), quote],
        ];
        for field in fields(s, 7) {
            let value = value(s, &p, field, manner);
            if value.is_empty() {
                continue;
            }
            let key = s.pick(columns(field));
            let value = if value.visible().contains(' ') { t![quote, value, quote] } else { value };
            entries.push(t![key, "=", value]);
        }
        s.line(t![format!("ts=2025-04-12T{}.{}Z ", s.clock(), s.digits(3)), Text::join(entries, by)]);
    }
}

/// Web servers: identifiers in paths and queries.
pub(super) fn access(s: &mut Scene) {
    lines(s, "tail -n 20 /var/log/nginx/access.log", |s| {
        let p = Person::new(s);
        let plus = |text: Text| text.map(|text| text.replace(' ', "+"));
        let path = match s.shape(9) {
            _ if s.chance(15) => t!["/static/app.", s.hex(8), ".js"],
            0 => t!["/api/patients/", p.mrn(), "/orders"],
            1 => t!["/search?lastname=", plus(p.last()), "&firstname=", plus(p.first()), "&dob=", p.born(p.born.iso())],
            2 => t!["/fhir/Patient?identifier=", p.mrn()],
            3 => t!["/portal/reset?email=", p.email()],
            4 => t!["/chart?mrn=", p.mrn(), "&tab=labs"],
            5 => t!["/fhir/Patient?family=", plus(p.last()), "&birthdate=", p.born(p.born.iso())],
            6 => t!["/eligibility?member_id=", p.plan(), "&dob=", p.born(p.born.digits())],
            7 => t!["/qido/studies?PatientID=", p.mrn(), "&limit=50"],
            _ => t!["/appointments?patient_id=", p.mrn(), "&phone=", p.phone().map(|text| text.replace([' ', '(', ')'], ""))],
        };
        t![
            format!("10.20.{}.{} - - [12/Apr/2025:{} +0000] \"GET ", s.roll(20), s.within(1, 250), s.clock()),
            path,
            format!(" HTTP/1.1\" {} {} \"-\" \"Mozilla/5.0\"", s.any(&[200, 200, 304, 404]), s.within(90, 40_000))
        ]
    });
}

/// Statements in a database's own log, with their values.
pub(super) fn database(s: &mut Scene) {
    lines(s, "tail -n 30 /var/log/postgresql/postgresql-15-main.log", |s| {
        let front = format!("2025-04-12 {}.{} UTC [{}] ehr_app@ehr ", s.clock(), s.digits(3), s.within(300, 32_000));
        let p = Person::new(s);
        let column = |field| s.pick(columns(field));
        let quoted = |text: Text| text.map(|text| text.replace('\'', "''"));
        let (mrn, birth) = (column(Field::Mrn), column(Field::Birth));
        let what = match s.shape(9) {
            _ if s.chance(15) => "ERROR:  duplicate key value violates unique constraint \"patients_pkey\"".into(),
            0 => {
                let (phone, street) = (column(Field::Phone), column(Field::Street));
                t![
                    "LOG:  statement: UPDATE patients SET ",
                    phone,
                    " = '",
                    p.phone(),
                    "', ",
                    street,
                    " = '",
                    p.street(),
                    "' WHERE ",
                    mrn,
                    " = '",
                    p.mrn(),
                    "'"
                ]
            }
            1 => t!["DETAIL:  Key (", mrn, ")=(", p.mrn(), ") already exists."],
            2 => {
                t!["DETAIL:  parameters: $1 = '", quoted(p.last()), "', $2 = '", quoted(p.first()), "', $3 = '", p.born(p.born.iso()), "'"]
            }
            3 => {
                let last = column(Field::Last);
                t![
                    "LOG:  statement: SELECT * FROM patients WHERE ",
                    last,
                    " ILIKE '",
                    quoted(p.last()),
                    "%' AND ",
                    birth,
                    " = '",
                    p.born(p.born.iso()),
                    "'"
                ]
            }
            4 => t!["LOG:  statement: DELETE FROM appointments WHERE ", mrn, " IN ('", p.mrn(), "', '", Person::new(s).mrn(), "')"],
            5 => {
                let (row, null) = (Text::ungraded(s.digits(4)), ", null).");
                t![
                    "DETAIL:  Failing row contains (",
                    row,
                    ", ",
                    p.mrn(),
                    ", ",
                    p.last(),
                    ", ",
                    p.first(),
                    ", ",
                    p.born(p.born.iso()),
                    ", ",
                    p.ssn(),
                    null
                ]
            }
            6 => {
                let (name, email) = (column(Field::FullName), column(Field::Email));
                t!["LOG:  statement: INSERT INTO contacts (", name, ", ", email, ") VALUES ('", quoted(p.name(0)), "', '", p.email(), "')"]
            }
            7 => t!["DETAIL:  Key (", column(Field::Ssn), ")=(", p.ssn(), ") already exists."],
            _ => {
                t![
                    "LOG:  execute <unnamed>: SELECT * FROM visits WHERE ",
                    mrn,
                    "='",
                    p.mrn(),
                    "' AND ",
                    birth,
                    "='",
                    p.born(p.born.iso()),
                    "'"
                ]
            }
        };
        t![front, what]
    });
}

/// Telephone and fax systems.
pub(super) fn telephony(s: &mut Scene) {
    lines(s, "grep -h fax /var/log/hylafax/*.log | tail", |s| {
        let p = Person::new(s);
        let front = format!("Apr 12 {} fax-1 faxq[{}]: ", s.clock(), s.within(300, 9000));
        let fax = Text::label(Kind::Fax, crate::people::phone(s));
        let what = match s.shape(6) {
            _ if s.chance(15) => noise(s),
            0 => t!["job ", s.within(100, 999), " to fax ", fax, " done, 3 pages, patient ", p.name(0)],
            1 => t!["FAX NUMBER: ", fax, " SUBJECT: records of ", p.name(1), " DOB ", p.born(p.born.written(1))],
            2 => t!["CALL from ", p.phone(), " matched patient ", p.mrn()],
            3 => t!["sent to ", fax, ": MRN ", p.mrn(), ", status=done"],
            4 => t!["reminder call ", p.cell(), " patient=", p.mrn(), " answered"],
            _ => t!["fax from ", fax, " filed to chart of ", p.name(0), " (", p.mrn(), ")"],
        };
        t![front, what]
    });
}
