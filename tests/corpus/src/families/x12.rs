//! X12 005010 transactions: eligibility (270, 271), enrolment (834), remittance (835), claims (837).

use crate::{
    kind::Kind,
    people::{Day, Person},
    scene::Scene,
    t,
    text::Text,
    words::{
        clinical::ICD,
        people::{FACILITIES, PAYERS, PROVIDERS, PROVIDERS_GIVEN},
    },
};

struct Writer<'a> {
    s: &'a Scene,
    by: char,
    sub: char,
    segments: Vec<Text>,
}

impl Writer<'_> {
    fn put(&mut self, elements: Vec<Text>) {
        self.segments.push(Text::join(elements, &self.by.to_string()));
    }

    fn plain(&mut self, elements: &[&str]) {
        self.put(elements.iter().map(|element| Text::from(*element)).collect());
    }

    fn envelope(&mut self, code: &str, version: &str, group: &str) {
        let (by, sub, s) = (self.by, self.sub, self.s);
        let number = s.digits(9);
        let day = Text::ungraded(Day::any(s, 2024, 2025).digits());
        self.segments.push(
            format!(
                "ISA*00*          *00*          *ZZ*SENDER{:9}*ZZ*RECEIVER{:7}*250412*{}*^*00501*{number}*0*P*{sub}",
                "",
                "",
                s.clock()[..5].replace(':', "")
            )
            .replace('*', &by.to_string())
            .into(),
        );
        self.put(vec![
            "GS".into(),
            group.into(),
            "SENDER".into(),
            "RECEIVER".into(),
            day,
            "1200".into(),
            "1".into(),
            "X".into(),
            version.into(),
        ]);
        self.put(vec!["ST".into(), code.into(), "0001".into(), version.into()]);
    }

    fn end(&mut self, number: usize) {
        let count = (self.segments.len() - 1).to_string();
        self.plain(&["SE", &count, "0001"]);
        self.plain(&["GE", "1", "1"]);
        let number = format!("{number:09}");
        self.plain(&["IEA", "1", &number]);
    }

    /// NM1: a person as subscriber (IL), patient (QC), dependant (03).
    fn person(&mut self, role: &str, p: &Person, with_plan: bool) {
        let upper = |text: Text| text.upper();
        let mut elements = vec![
            "NM1".into(),
            role.into(),
            "1".into(),
            upper(p.last()),
            upper(p.first()),
            upper(p.middle()),
            "".into(),
            p.suffix_label().upper(),
        ];
        if with_plan {
            elements.extend(["MI".into(), p.plan()]);
        }
        while elements.last().is_some_and(Text::is_empty) {
            elements.pop();
        }
        self.put(elements);
    }

    fn address(&mut self, p: &Person) {
        self.put(vec!["N3".into(), p.street().upper()]);
        self.put(vec!["N4".into(), p.city().upper(), p.state(), p.zip().map(|zip| zip.replace('-', ""))]);
    }

    fn birth(&mut self, p: &Person) {
        self.put(vec!["DMG".into(), "D8".into(), p.born(p.born.digits()), p.sex().into()]);
    }

    fn service(&mut self, p: &Person) {
        if self.s.chance(60) {
            self.put(vec!["DTP".into(), "472".into(), "D8".into(), p.visited(p.admitted.digits())]);
        } else {
            let range = t![p.visited(p.admitted.digits()), "-", p.visited(p.discharged.digits())];
            self.put(vec!["DTP".into(), "434".into(), "RD8".into(), range]);
        }
    }

    fn payer(&mut self) {
        let (payer, id) = (self.s.any(PAYERS).to_uppercase(), self.s.digits(5));
        self.plain(&["NM1", "PR", "2", &payer, "", "", "", "", "PI", &id]);
    }

    fn clinic(&mut self) {
        let (name, npi) = (self.s.any(FACILITIES), self.s.digits(10));
        self.put(vec![
            "NM1".into(),
            "1P".into(),
            "2".into(),
            name.into(),
            "".into(),
            "".into(),
            "".into(),
            "".into(),
            "XX".into(),
            Text::ungraded(npi),
        ]);
    }

    fn doctor(&mut self, role: &str) {
        let (last, first, npi) = (self.s.any(PROVIDERS).to_uppercase(), self.s.any(PROVIDERS_GIVEN).to_uppercase(), self.s.digits(10));
        self.put(vec![
            "NM1".into(),
            role.into(),
            "1".into(),
            Text::ungraded(last),
            Text::ungraded(first),
            "".into(),
            "".into(),
            "".into(),
            "XX".into(),
            Text::ungraded(npi),
        ]);
    }
}

fn eligibility(w: &mut Writer<'_>, answer: bool) {
    let p = Person::new(w.s);
    if answer {
        w.envelope("271", "005010X279A1", "HB")
    } else {
        w.envelope("270", "005010X279A1", "HS")
    }
    w.plain(&["BHT", "0022", if answer { "11" } else { "13" }, "10001234", "20250412", "1319"]);
    w.plain(&["HL", "1", "", "20", "1"]);
    w.payer();
    w.plain(&["HL", "2", "1", "21", "1"]);
    w.clinic();
    w.plain(&["HL", "3", "2", "22", "0"]);
    w.put(vec!["TRN".into(), "1".into(), Text::ungraded(w.s.digits(12)), "9EXAMPLE01".into()]);
    w.person("IL", &p, true);
    if answer {
        if w.s.chance(40) {
            w.put(vec!["REF".into(), "SY".into(), p.ssn().map(|ssn| ssn.replace(['-', ' '], ""))]);
        }
        w.address(&p);
    }
    w.birth(&p);
    w.put(vec!["DTP".into(), "291".into(), "D8".into(), Text::ungraded("20250412")]);
    if answer {
        for benefit in ["EB*1*IND*30**GOLD PPO", "EB*C*IND*30***23*500", "EB*B**98****20", "EB*A**30****.2"] {
            let by = w.by.to_string();
            w.segments.push(benefit.replace('*', &by).into());
        }
    } else {
        w.plain(&["EQ", "30"]);
    }
}

fn enrolment(w: &mut Writer<'_>) {
    w.envelope("834", "005010X220A1", "BE");
    w.plain(&["BGN", "00", "12456", "20250412", "1200", "", "", "", "2"]);
    w.plain(&["N1", "P5", "EXAMPLE MANUFACTURING", "FI", "000000000"]);
    for _ in 0..w.s.within(1, 3) {
        let p = Person::new(w.s);
        w.plain(&["INS", "Y", "18", "021", "20", "A", "", "", "FT"]);
        w.put(vec!["REF".into(), "0F".into(), p.plan()]);
        w.put(vec!["REF".into(), "1L".into(), Text::ungraded(w.s.digits(6))]);
        w.put(vec!["DTP".into(), "356".into(), "D8".into(), Text::ungraded("20250101")]);
        let ssn = p.ssn().map(|ssn| ssn.replace(['-', ' '], ""));
        w.put(vec![
            "NM1".into(),
            "IL".into(),
            "1".into(),
            p.last().upper(),
            p.first().upper(),
            p.middle().upper(),
            "".into(),
            "".into(),
            "34".into(),
            ssn,
        ]);
        let phone: String = p.phone.chars().filter(char::is_ascii_digit).collect();
        w.put(vec!["PER".into(), "IP".into(), "".into(), "HP".into(), Text::label(Kind::Phone, phone), "EM".into(), p.email()]);
        w.address(&p);
        w.birth(&p);
        w.plain(&["HD", "021", "", "HLT", "PLAN A", "EMP"]);
    }
}

fn remittance(w: &mut Writer<'_>) {
    w.envelope("835", "005010X221A1", "HP");
    w.plain(&["BPR", "I", "1222.00", "C", "ACH", "CCP", "01", "888999777", "DA", "24681012", "1935665544"]);
    let payer = w.s.any(PAYERS).to_uppercase();
    w.plain(&["N1", "PR", &payer]);
    w.plain(&["N1", "PE", w.s.any(FACILITIES), "XX", "1234567893"]);
    for _ in 0..w.s.within(1, 3) {
        let p = Person::new(w.s);
        let paid = format!("{}.00", w.s.within(40, 900));
        w.put(vec![
            "CLP".into(),
            p.account(),
            "1".into(),
            "211.00".into(),
            paid.into(),
            "20.00".into(),
            "12".into(),
            Text::ungraded(w.s.digits(11)),
            "11".into(),
        ]);
        w.person("QC", &p, true);
        w.doctor("82");
        w.put(vec!["DTM".into(), "232".into(), p.visited(p.admitted.digits())]);
        w.plain(&["SVC", &format!("HC{}99213", w.sub), "211", "191", "", "1"]);
        w.plain(&["CAS", "CO", "45", "20"]);
    }
}

fn claim(w: &mut Writer<'_>) {
    w.envelope("837", "005010X222A1", "HC");
    w.plain(&["BHT", "0019", "00", "244579", "20250412", "1023", "CH"]);
    w.plain(&["HL", "1", "", "20", "1"]);
    w.plain(&["NM1", "85", "2", w.s.any(FACILITIES), "", "", "", "", "XX", "9876543210"]);
    for _ in 0..w.s.within(1, 2) {
        let p = Person::new(w.s);
        w.plain(&["HL", "2", "1", "22", "0"]);
        w.plain(&["SBR", "P", "18", "", "", "", "", "", "", "CI"]);
        w.person("IL", &p, true);
        w.address(&p);
        w.birth(&p);
        w.payer();
        if w.s.chance(35) {
            let child = p.relative(w.s);
            w.plain(&["HL", "3", "2", "23", "0"]);
            w.plain(&["PAT", "19"]);
            w.person("QC", &child, false);
            w.address(&child);
            w.birth(&child);
        }
        w.put(vec![
            "CLM".into(),
            p.account(),
            "100".into(),
            "".into(),
            "".into(),
            format!("11{}B{}1", w.sub, w.sub).into(),
            "Y".into(),
            "A".into(),
            "Y".into(),
            "I".into(),
        ]);
        if w.s.chance(40) {
            w.put(vec!["REF".into(), "EA".into(), p.mrn()]);
        }
        let dx = w.s.any(ICD).replace('.', "");
        w.plain(&["HI", &format!("ABK{}{dx}", w.sub)]);
        w.doctor("82");
        w.plain(&["LX", "1"]);
        w.plain(&["SV1", &format!("HC{}99213", w.sub), "40", "UN", "1", "", "", "1"]);
        w.service(&p);
    }
}

fn interchange(s: &mut Scene, newlines: bool) {
    let (by, sub, end) = if s.chance(60) {
        ('*', ':', '~')
    } else {
        s.pick(&[('|', '>', '~'), ('*', '>', '~'), ('^', ':', '~'), ('*', ':', '\''), ('|', ':', '\''), ('+', '>', '~')])
    };
    let number = s.within(1, 900_000) as usize;
    let what = s.roll(5);
    let segments = {
        let mut w = Writer { s, by, sub, segments: Vec::new() };
        match what {
            0 => eligibility(&mut w, false),
            1 => eligibility(&mut w, true),
            2 => enrolment(&mut w),
            3 => remittance(&mut w),
            _ => claim(&mut w),
        }
        w.end(number);
        w.segments
    };
    s.command(s.any(&["cat /edi/inbound/claims.x12", "head -c 4000 batch_0412.edi", "unzip -p 0412.zip"]));
    if newlines {
        for segment in segments {
            s.line(t![segment, end]);
        }
    } else {
        s.line(t![Text::join(segments, &end.to_string()), end]);
    }
}

pub(super) fn with_newlines(s: &mut Scene) {
    interchange(s, true);
}

pub(super) fn one_line(s: &mut Scene) {
    interchange(s, false);
}
