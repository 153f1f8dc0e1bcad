//! Prose about somebody: discharge letters, referrals, progress notes, mails.

use crate::{
    kind::Kind,
    people::{Day, Person, phone, provider},
    scene::Scene,
    t,
    text::Text,
    words::{
        clinical::{DRUGS, PROBLEMS, SENTENCES, WARDS},
        people::{FACILITIES, RELATIONS},
    },
};

fn title(p: &Person) -> &'static str {
    if p.female { "Ms." } else { "Mr." }
}

fn he(p: &Person) -> &'static str {
    if p.female { "She" } else { "He" }
}

fn paragraphs(s: &mut Scene, prose: &[Text]) {
    let width = s.cols.min(96) - 2;
    for text in prose {
        s.lines(text.fill(width));
        s.line("");
    }
}

fn old(p: &Person) -> Text {
    t![p.age(), "-year-old"]
}

pub(super) fn discharge(s: &mut Scene) {
    s.command(s.any(&["cat letters/dc_0412.txt", "fold -s letter.txt", "antiword summary.doc"]));
    let p = Person::new(s);
    let date = Day::written_shape(s);
    let day = |day: Day| day.written(date);
    s.line(s.any(&["DISCHARGE SUMMARY", "Discharge Letter", "HOSPITAL DISCHARGE SUMMARY"]));
    s.line(s.any(FACILITIES));
    s.line("");
    s.line(t![
        "RE: ",
        p.name(s.shape(Person::NAMES)),
        s.any(&["  DOB: ", ", born ", "   Date of Birth: "]),
        p.born(day(p.born)),
        s.any(&["  MRN: ", "   MRN ", ", MRN: "]),
        p.mrn()
    ]);
    s.line("");
    s.line(t!["Dear ", provider(s), ","]);
    s.line("");
    let first = match s.shape(6) {
        4 => {
            let who = if p.female { " woman" } else { " man" };
            t!["This ", old(&p), who, ", ", p.name(1), ", presented on ", p.visited(day(p.admitted)), " with ", s.any(PROBLEMS), "."]
        }
        5 => {
            let (from, to) = (p.visited(day(p.admitted)), p.visited(day(p.discharged)));
            t![p.name(1), " (MRN ", p.mrn(), ") was under our care between ", from, " and ", to, "."]
        }
        0 => t![
            title(&p),
            " ",
            p.last(),
            " is a ",
            old(&p),
            " with a history of ",
            s.any(PROBLEMS),
            " who was admitted on ",
            p.visited(day(p.admitted)),
            "."
        ],
        1 => t![
            "Your patient ",
            p.name(1),
            " was admitted to ",
            s.any(WARDS),
            " on ",
            p.visited(day(p.admitted)),
            " and discharged on ",
            p.visited(day(p.discharged)),
            "."
        ],
        2 => t![
            "Thank you for referring ",
            p.name(1),
            ", a ",
            old(&p),
            ", who stayed with us from ",
            p.visited(day(p.admitted)),
            " to ",
            p.visited(day(p.discharged)),
            "."
        ],
        _ => t![
            "I had the pleasure of seeing ",
            title(&p),
            " ",
            p.name(1),
            " (DOB ",
            p.born(day(p.born)),
            ") on ",
            p.visited(day(p.admitted)),
            "."
        ],
    };
    let course = t![he(&p), " was treated with ", s.any(DRUGS), ". ", s.any(SENTENCES), " ", s.any(SENTENCES)];
    let last = match s.shape(6) {
        3 => {
            let kin = s.any(RELATIONS).to_lowercase();
            t![title(&p), " ", p.last(), "'s ", kin, " was told about the results. Home phone: ", p.phone(), "."]
        }
        4 => t!["Results will be mailed to ", p.street(), ", ", p.city(), ", ", p.state(), " ", p.zip(), ". Copies to ", p.email(), "."],
        5 => {
            let kin = p.relative(s);
            t![p.first(), " will be seen again in two weeks. Emergency contact: ", kin.name(1), ", ", kin.phone(), "."]
        }
        0 => t!["Please call ", title(&p), " ", p.last(), " at ", p.phone(), " to arrange follow up. ", s.any(SENTENCES)],
        1 => t![
            "The ",
            s.any(RELATIONS).to_lowercase(),
            ", ",
            p.relative(s).name(1),
            ", can be reached at ",
            Text::label(Kind::Phone, phone(s)),
            "."
        ],
        _ => t![
            title(&p),
            " ",
            p.last(),
            " lives at ",
            p.street(),
            ", ",
            p.city(),
            ", ",
            p.state(),
            " ",
            p.zip(),
            " and was discharged home."
        ],
    };
    paragraphs(s, &[t![first, " ", s.any(SENTENCES)], course, last]);
    s.line(t!["Sincerely, ", provider(s)]);
}

pub(super) fn referral(s: &mut Scene) {
    s.command("cat referral.txt");
    let p = Person::new(s);
    let date = Day::written_shape(s);
    s.line(p.name(1));
    s.line(p.street());
    s.line(t![p.city(), ", ", p.state(), " ", p.zip()]);
    s.line("");
    s.line(t!["To: ", provider(s), ", Cardiology"]);
    s.line(t!["Subject: Referral of ", p.name(1), ", ", p.born(p.born.written(date))]);
    s.line("");
    let text = t![
        "I would be grateful if you could see ",
        title(&p),
        " ",
        p.last(),
        ", a ",
        old(&p),
        " ",
        if p.female { "woman" } else { "man" },
        " with ",
        s.any(PROBLEMS),
        ". ",
        s.any(SENTENCES),
        " ",
        p.first(),
        " takes ",
        s.any(DRUGS),
        ". Insurance: ",
        p.plan(),
        ". Phone ",
        p.phone(),
        s.any(&[", e-mail ", " or write to "]),
        p.email(),
        "."
    ];
    paragraphs(s, &[text]);
}

pub(super) fn progress_note(s: &mut Scene) {
    s.command("note --last");
    let p = Person::new(s);
    s.line(t!["PROGRESS NOTE   ", p.name(2), "   ", p.mrn(), "   ", p.visited(p.admitted.written(1))]);
    s.line(t!["CC: follow up of ", s.any(PROBLEMS)]);
    let prose = match s.shape(6) {
        3 => {
            let kin = p.relative(s);
            t![
                "Spoke with patient's ",
                s.any(RELATIONS).to_lowercase(),
                " ",
                kin.name(1),
                " by phone (",
                kin.phone(),
                "). ",
                s.any(SENTENCES)
            ]
        }
        4 => t!["Interval history: ", title(&p), " ", p.last(), " denies chest pain. ", s.any(SENTENCES)],
        5 => t![p.last(), ", ", p.first(), " (", p.age(), " y, ", p.sex(), ") seen on ", s.any(WARDS), ". ", s.any(SENTENCES)],
        0 => t![
            "S: ",
            p.first(),
            " reports feeling better. ",
            s.any(RELATIONS),
            " (",
            p.relative(s).name(1),
            ") at bedside. ",
            s.any(SENTENCES)
        ],
        1 => t![
            "HPI: ",
            p.name(1),
            " is a ",
            old(&p),
            " ",
            if p.female { "female" } else { "male" },
            " seen for ",
            s.any(PROBLEMS),
            ". ",
            s.any(SENTENCES)
        ],
        _ => t!["Pt ", p.last(), " called from ", p.phone(), " asking for a refill of ", s.any(DRUGS), ". ", s.any(SENTENCES)],
    };
    paragraphs(s, &[prose, t!["A/P: ", s.any(SENTENCES), " ", s.any(SENTENCES)]]);
}

/// An mbox, a ticket, a chat.
pub(super) fn mail(s: &mut Scene) {
    s.command("less -FX /var/mail/helpdesk");
    let p = Person::new(s);
    s.line(t!["From: ", p.name(1), " <", p.email(), ">"]);
    s.line("To: helpdesk@example.org");
    s.line(t!["Subject: ", s.any(&["cannot see my results", "wrong address in my chart", "bill for my visit"])]);
    s.line("");
    let prose = match s.shape(6) {
        3 => t![
            "This is ",
            p.name(1),
            ", born ",
            p.born(p.born.written(3)),
            ". I was in the hospital from ",
            p.visited(p.admitted.written(4)),
            " and need my records."
        ],
        4 => {
            let mother = p.relative(s).name(1);
            t!["My mother ", mother, " cannot log in. Her patient ID is ", p.mrn(), " and her phone is ", p.phone(), "."]
        }
        5 => t!["Please correct the spelling of my name, it is ", p.name(1), ". MRN ", p.mrn(), "."],
        0 => t![
            "Hello, my name is ",
            p.name(1),
            " and my date of birth is ",
            p.born(p.born.written(4)),
            ". My chart number is ",
            p.mrn(),
            ". Please call me at ",
            p.cell(),
            "."
        ],
        1 => t!["I moved to ", p.street(), ", ", p.city(), ", ", p.state(), " ", p.zip(), ". My account is ", p.account(), "."],
        _ => t!["My SSN is ", p.ssn(), " and my member ID is ", p.plan(), ". Thank you, ", p.first()],
    };
    paragraphs(s, &[prose, t!["Thanks,"]]);
    s.line(p.name(1));
}
