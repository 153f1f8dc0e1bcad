//! What a session has shown once with its meaning, and shows again without.

use crate::{people::Person, scene::Scene, t, text::Text};

fn table(s: &mut Scene, people: &[Person]) {
    s.line("ehr=> select mrn, last_name, first_name, dob from patients;");
    s.line("    mrn     |   last_name    |  first_name   |    dob     ");
    s.line("------------+----------------+---------------+------------");
    for p in people {
        s.line(t![" ", p.mrn().left(10), " | ", p.last().left(14), " | ", p.first().left(13), " | ", p.born(p.born.iso())]);
    }
    s.line(format!("({} rows)", people.len()));
    s.pause(300);
}

/// Family names that are words too do not tell of a person when they stand alone.
fn tells(p: &Person) -> bool {
    let words =
        ["Grant", "Park", "Young", "Banks", "Brown", "Rivers", "Marsh", "Le", "Ng", "Wu", "Cho", "Steele", "Smith", "Reyes", "Vance"];
    !words.contains(&p.last.as_str())
}

pub(super) fn then_alone(s: &mut Scene) {
    let people: Vec<Person> = std::iter::repeat_with(|| Person::new(s)).filter(tells).take(4).collect();
    table(s, &people);
    s.command("ls /srv/scans; tail app.log");
    for p in &people {
        let line: Text = match s.shape(6) {
            0 => t!["-rw-r--r-- 1 root root 48213 Apr 12 08:14 ", p.last(), "_labs.pdf"],
            1 => t!["saw ", p.last(), " (", p.mrn(), ") today"],
            2 => t!["todo: ask ", p.last(), " about the missing form"],
            3 => t!["worker 4: ", p.mrn(), " done in 31 ms"],
            4 => t!["/srv/scans/", p.mrn(), "/0001.tif"],
            _ => t!["echo ", p.mrn(), " >> /tmp/retry.list"],
        };
        s.line(line);
    }
}
