//! What people type, echoed one character at a time, with mistakes taken back and lines edited.

use crate::{
    people::{Day, Person},
    scene::Scene,
    t,
    text::Text,
    words::fields::{Field, columns, labels},
};

/// What somebody would ask for.
fn sql(s: &Scene, p: &Person) -> Text {
    let column = |field| s.pick(columns(field));
    match s.shape(6) {
        0 => t!["select * from patients where ", column(Field::Last), " = '", p.last().map(|n| n.replace('\'', "''")), "';"],
        1 => t!["select * from visits where ", column(Field::Mrn), "='", p.mrn(), "';"],
        2 => t!["update patients set ", column(Field::Phone), "='", p.phone(), "' where ", column(Field::Mrn), "='", p.mrn(), "';"],
        3 => t!["SELECT ", column(Field::Mrn), " FROM person WHERE ", column(Field::Ssn), " = '", p.ssn(), "';"],
        4 => t!["select count(*) from patients where ", column(Field::Birth), " = '", p.born(p.born.iso()), "';"],
        _ => t![
            "insert into patients (",
            column(Field::Last),
            ", ",
            column(Field::First),
            ") values ('",
            p.last().map(|n| n.replace('\'', "''")),
            "', '",
            p.first().map(|n| n.replace('\'', "''")),
            "');"
        ],
    }
}

fn shell(s: &Scene, p: &Person) -> Text {
    match s.shape(7) {
        0 => t!["grep -i 'mrn: ", p.mrn(), "' /var/log/app.log"],
        1 => t!["./lookup.sh --mrn ", p.mrn(), " --verbose"],
        2 => t![
            "curl 'localhost:8080/fhir/Patient?family=",
            p.last().map(|n| n.replace(' ', "%20")),
            "&birthdate=",
            p.born(p.born.iso()),
            "'"
        ],
        3 => t!["findscu -k PatientID=", p.mrn(), " -k PatientName= localhost 104"],
        4 => t!["echo 'patient name: ", p.last(), ", ", p.first(), "' >> todo.txt"],
        5 => t!["mail -s results ", p.email(), " < result.txt"],
        _ => t!["hl7send --pid5 '", p.parts('^').upper(), "' --dob ", p.born(p.born.digits())],
    }
}

pub(super) fn sql_prompt(s: &mut Scene) {
    let prompt = s.any(&["ehr=> ", "mysql> ", "sqlite> ", "1> ", "SQL> "]);
    for _ in 0..s.within(2, 5) {
        let p = Person::new(s);
        s.say(prompt);
        s.pause(400);
        let text = sql(s, &p);
        s.typed(&text);
        s.pause(600);
        s.line("");
        s.pause(50);
        s.line(s.any(&["UPDATE 1", "(0 rows)", "Empty set (0.00 sec)", "INSERT 0 1"]));
    }
    s.say(prompt);
}

pub(super) fn shell_prompt(s: &mut Scene) {
    for _ in 0..s.within(3, 6) {
        let p = Person::new(s);
        s.say(s.prompt());
        s.pause(400);
        let text = shell(s, &p);
        s.typed(&text);
        s.pause(700);
        s.line("");
        s.pause(60);
    }
    s.say(s.prompt());
}

/// A registration program that asks line by line.
pub(super) fn questions(s: &mut Scene) {
    let p = Person::new(s);
    let end = s.pick(&[": ", "? ", ": "]);
    s.line("New patient registration (^ to quit)");
    for (field, answer) in [
        (Field::Last, p.last()),
        (Field::First, p.first()),
        (Field::Birth, p.born(p.born.written(Day::written_shape(s)))),
        (Field::Ssn, p.ssn()),
        (Field::Phone, p.phone()),
        (Field::Street, p.street()),
        (Field::City, p.city()),
        (Field::Zip, p.zip()),
    ] {
        if s.chance(25) {
            continue;
        }
        s.say(t![s.pick(labels(field)), end]);
        s.pause(300);
        s.typed(&answer);
        s.pause(350);
        s.line("");
    }
    s.line("Saved.");
}

/// Line editing: the cursor goes back, characters are put in and taken out, the line is drawn again.
pub(super) fn edited(s: &mut Scene) {
    let p = Person::new(s);
    let prompt = "mysql> ";
    s.say(prompt);
    let before = t!["select * from patients where last_name='"];
    s.typed(&before);
    let name = p.last().map(|n| n.replace('\'', ""));
    let chars: Vec<_> = name.chars().collect();
    // The second letter is forgotten, then put in: back, insert, forward.
    let rest = chars.len().saturating_sub(2);
    s.typed(&Text::of_chars(chars[..1].iter().chain(&chars[(chars.len() - rest)..]).copied()));
    for _ in 0..rest {
        s.say(Text::control("\x08"));
        s.pause_key();
    }
    if s.chance(50) {
        s.say(t![Text::control("\x1b[1@"), Text::of_chars(chars.get(1).copied())]);
        s.pause_key();
        if rest > 0 {
            s.say(Text::control(format!("\x1b[{rest}C")));
        }
    } else {
        let tail = Text::of_chars(chars.iter().skip(1).copied());
        s.say(tail);
    }
    s.pause_key();
    s.typed(&t!["';"]);
    s.pause(500);
    s.line("");
    s.line("Empty set (0.00 sec)");
    s.line("");
    // From the history, at once.
    s.say(prompt);
    s.pause(400);
    s.say(t!["select * from patients where mrn='", p.mrn(), "';"]);
    s.pause(500);
    s.say(Text::control("\r\x1b[K"));
    s.say(t![prompt, "select 1;"]);
    s.pause(300);
    s.line("");
}
