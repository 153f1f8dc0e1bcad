//! Nobody's: values, results, drugs and ages under 90 without anybody to whom they belong; staff.

use crate::{
    people::provider,
    scene::Scene,
    t,
    table::decimal,
    text::Text,
    words::{
        clinical::{DRUGS, ICD, LOINC, MODALITIES, PROBLEMS, SENTENCES, STATUS, STUDIES, TESTS, WARDS},
        people::{FACILITIES, PAYERS},
    },
};

pub(super) fn vitals(s: &mut Scene) {
    s.command("monitor --bed 412 --last 15m");
    for _ in 0..s.within(5, 14) {
        s.line(format!(
            "{} HR {} bpm  BP {}/{}  SpO2 {}%  Temp {} C  RR {}  pain {}/10  GCS 15",
            &s.clock()[..5],
            s.within(50, 120),
            s.within(95, 160),
            s.within(50, 95),
            s.within(90, 100),
            decimal(s.within(355, 392)),
            s.within(10, 24),
            s.roll(10)
        ));
    }
}

pub(super) fn results(s: &mut Scene) {
    let rows = s.within(4, 12);
    let aligned = s.chance(60);
    s.line("lis=> select loinc, test, value, unit, ref_range, flag, status from results limit 12;");
    if aligned {
        s.line(" loinc  |    test     | value |  unit   | ref_range | flag |   status    ");
        s.line("--------+-------------+-------+---------+-----------+------+-------------");
    }
    for _ in 0..rows {
        let (test, unit, low, high, range) = s.any(TESTS);
        let value = decimal(s.within(low, high));
        s.line(if aligned {
            format!(
                " {:6} | {test:11} | {value:>5} | {unit:7} | {range:9} | {:4} | {}",
                s.any(LOINC),
                s.any(&["H", "L", ""]),
                s.any(STATUS)
            )
        } else {
            format!("{test}: {value} {unit} (ref {range}){}", s.any(&["", " HIGH", " *"]))
        });
    }
    s.line(format!("({rows} rows)"));
}

pub(super) fn ages(s: &mut Scene) {
    s.command("cohort --summary");
    s.line("age_group  n    mean_age  female_pct");
    for low in [0, 18, 35, 50, 65, 80] {
        s.line(format!("{low:2}-{:<6} {:4} {:9} {:>9}", low + 9, s.within(5, 900), decimal(low * 10 + s.within(10, 80)), s.within(30, 70)));
    }
    for _ in 0..s.within(2, 5) {
        s.line(format!(
            "{}-year-old {} with {}, seen in {}.",
            s.within(18, 89),
            s.any(&["woman", "man", "patient"]),
            s.any(PROBLEMS).to_lowercase(),
            s.any(WARDS)
        ));
        s.line(format!("Age: {} y, Sex: {}, BMI {}", s.within(18, 89), s.any(&["F", "M"]), decimal(s.within(180, 390))));
    }
}

pub(super) fn catalogue(s: &mut Scene) {
    s.line("ehr=# select code, name, category from order_catalog;");
    s.line("  code   |             name             | category ");
    s.line("---------+------------------------------+----------");
    for _ in 0..s.within(4, 10) {
        let (code, name, kind) = match s.roll(3) {
            0 => (s.any(ICD), s.any(PROBLEMS), "problem"),
            1 => (s.any(LOINC), s.any(TESTS).0, "lab"),
            _ => (s.any(MODALITIES), s.any(STUDIES), "imaging"),
        };
        s.line(format!(" {code:7} | {name:28} | {kind}"));
    }
    s.line("");
    s.command("cat formulary.csv");
    s.line("drug_name,route,dept,payer");
    for _ in 0..s.within(3, 8) {
        s.line(format!("{},PO,{},{}", s.any(DRUGS), s.any(WARDS), s.any(PAYERS)));
    }
}

/// Prose about nobody in particular.
pub(super) fn prose(s: &mut Scene) {
    s.command("cat guideline.txt");
    let width = s.cols.min(90) - 4;
    for _ in 0..s.within(2, 5) {
        let text = t![
            s.any(SENTENCES),
            " ",
            s.any(SENTENCES),
            " Patients with ",
            s.any(PROBLEMS),
            " should be seen within ",
            s.within(2, 14),
            " days. ",
            s.any(SENTENCES)
        ];
        s.lines(text.fill(width));
        s.line("");
    }
}

/// Staff: a policy may mask them, by default none does. Names count neither way; what is around them must stay.
pub(super) fn staff(s: &mut Scene) {
    s.line("ehr=> select provider_name, specialty, dept, facility from providers;");
    s.line("      provider_name      |   specialty   |    dept    |      facility");
    s.line("-------------------------+---------------+------------+--------------------");
    for _ in 0..s.within(4, 10) {
        s.line(t![
            " ",
            provider(s).left(23),
            " | ",
            Text::from(s.any(&["Cardiology", "Surgery", "Radiology", "Oncology"])).left(13),
            " | ",
            Text::from(s.any(WARDS)).left(10),
            " | ",
            s.any(FACILITIES)
        ]);
    }
    s.line(t!["on call: ", provider(s), ", pager 4-12", s.within(10, 99)]);
    s.line(t!["Electronically signed by ", provider(s)]);
}
