//! Wide characters: names in two columns a character, in tables, forms and messages.

use crate::{
    people::Person,
    scene::Scene,
    t,
    table::decimal,
    text::Text,
    words::{
        clinical::WARDS,
        fields::{Field, columns, labels},
    },
};

pub(super) fn table(s: &mut Scene) {
    let people: Vec<Person> = (0..s.within(3, 9)).map(|_| Person::wide(s)).collect();
    let head = [
        s.pick(columns(Field::Mrn)),
        s.pick(columns(Field::FullName)),
        s.pick(columns(Field::Birth)),
        s.pick(columns(Field::Phone)),
        "ward",
    ];
    let rows: Vec<[Text; 5]> =
        people.iter().map(|p| [p.mrn(), p.name(s.shape(2)), p.born(p.born.iso()), p.phone(), s.any(WARDS).into()]).collect();
    let widths: Vec<usize> = (0..5).map(|n| rows.iter().map(|row| row[n].width()).max().unwrap_or(0).max(head[n].len())).collect();
    let boxed = s.chance(40);
    s.line("ehr=> select * from patients;");
    let rule = widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("+");
    if boxed {
        s.line(format!("+{rule}+"));
    }
    let line = |cells: Vec<Text>| if boxed { t!["| ", Text::join(cells, " | "), " |"] } else { t![" ", Text::join(cells, " | ")] };
    s.line(line(head.iter().zip(&widths).map(|(name, width)| Text::from(*name).centred(*width)).collect()));
    s.line(if boxed { format!("+{rule}+") } else { rule.clone() });
    for row in rows {
        s.line(line(row.into_iter().zip(&widths).map(|(cell, width)| cell.left(*width)).collect()));
    }
    s.line(if boxed { format!("+{rule}+") } else { format!("({} rows)", people.len()) });
}

pub(super) fn form(s: &mut Scene) {
    s.command("chart --show");
    for _ in 0..s.within(1, 3) {
        let p = Person::wide(s);
        let (name, kana) = (p.name(1), p.name(0));
        s.line(t![s.any(&["患者氏名: ", "Patient Name: ", "姓名: ", "氏名："]), name]);
        s.line(t![s.any(&["生年月日: ", "DOB: ", "Date of Birth: "]), p.born(p.born.iso())]);
        s.line(t![s.pick(labels(Field::Mrn)), ": ", p.mrn()]);
        s.line(t![s.pick(labels(Field::Phone)), ": ", p.phone()]);
        s.line(t!["Hemoglobin: ", decimal(s.within(90, 160)), " g/dL  病棟: ", s.any(WARDS)]);
        s.line(t!["PID|1||", p.mrn(), "^^^H||", kana, "||", p.born(p.born.digits())]);
        s.line("");
    }
}

/// Combining marks and double-width punctuation around names.
pub(super) fn marks(s: &mut Scene) {
    s.command("cat namen.csv");
    s.line("patient_id;last_name;first_name;birth_date");
    for _ in 0..s.within(3, 8) {
        let p = Person::new(s);
        let decomposed = |text: Text| {
            text.map(|text| text.replace('é', "e\u{301}").replace('ö', "o\u{308}").replace('ñ', "n\u{303}").replace('ü', "u\u{308}"))
        };
        s.line(t![p.mrn(), ";", decomposed(p.last()), ";", decomposed(p.first()), ";", p.born(p.born.iso())]);
    }
}
