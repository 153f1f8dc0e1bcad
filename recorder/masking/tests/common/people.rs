//! Openly made-up people for the corpus, from a seed.

/// xorshift64*: the same corpus on every machine.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % sides
    }

    pub fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len() as u64) as usize]
    }
}

#[derive(Debug, Clone)]
pub struct Person {
    pub first: String,
    pub last: String,
    pub middle: char,
    /// Year, month, day.
    pub born: (u64, u64, u64),
    pub mrn: String,
    pub ssn: String,
    pub phone: String,
    pub email: String,
    pub street: String,
    pub city: String,
    pub zip: String,
    pub account: String,
    pub member: String,
}

const FIRST: &[&str] = &[
    "Aurelio",
    "Brunhilde",
    "Casimir",
    "Dorothea",
    "Eleni",
    "Fabrice",
    "Gwendolyn",
    "Hideko",
    "Ines",
    "Joaquim",
    "Kerstin",
    "Lucinda",
    "Mirela",
    "Naveen",
    "Ottavia",
    "Piotr",
    "Quentin",
    "Rosalind",
    "Sunniva",
    "Thaddeus",
    "Ulrike",
    "Vesna",
    "Wendell",
    "Ximena",
    "Yusuf",
    "Zoë",
    "Grace",
    "Mark",
    "Mary",
    "James",
    "Li",
    "Bo",
];
const LAST: &[&str] = &[
    "Abernathy",
    "Bjornstad",
    "Castellanos",
    "Dragomir",
    "Ekwueme",
    "Fitzgerald",
    "Goldfarb",
    "Hakimi",
    "Ivanova",
    "Jankowski",
    "Kaczmarek",
    "Lindqvist",
    "Moreau",
    "Nakagawa",
    "O'Brien",
    "Pereira",
    "Quispe",
    "Rasmussen",
    "Szymanski",
    "Tremblay",
    "Underhill",
    "Villanueva",
    "Weatherby",
    "Yamamoto",
    "Zielinski",
    "Smith-Jones",
    "van der Berg",
    "Müller",
    "Park",
    "Young",
    "Grant",
    "Ng",
];
const STREETS: &[&str] = &["Juniper", "Old Mill", "Larkspur", "Riverside", "Chestnut Hill", "N 14th", "Beacon"];
const SUFFIXES: &[&str] = &["St", "Street", "Ave", "Road", "Ln", "Drive", "Court", "Blvd"];
const CITIES: &[&str] = &["Fairhaven", "Brookdale", "Port Ellis", "Millbrook", "Santa Lucia", "Northfield"];

impl Person {
    pub fn new(dice: &mut Dice) -> Self {
        let (first, last) = (dice.pick(FIRST).to_owned(), dice.pick(LAST).to_owned());
        let digits = |dice: &mut Dice, count: u32| format!("{:0width$}", dice.roll(10_u64.pow(count)), width = count as usize);
        let mrn = match dice.roll(3) {
            0 => format!("{:07}", 1_000_000 + dice.roll(9_000_000)),
            1 => format!("E{}", digits(dice, 6)),
            _ => format!("MR-{}-{}", digits(dice, 3), digits(dice, 4)),
        };
        let email = format!(
            "{}.{}@example.{}",
            first.to_lowercase(),
            last.to_lowercase().replace([' ', '\''], ""),
            dice.pick(&["org", "com", "net"])
        );
        Self {
            middle: char::from(b'A' + dice.roll(26) as u8),
            born: (1925 + dice.roll(95), 1 + dice.roll(12), 1 + dice.roll(28)),
            ssn: format!("{:03}-{:02}-{:04}", 100 + dice.roll(560), 1 + dice.roll(99), 1 + dice.roll(9999)),
            phone: format!("{}-{}-{}", 201 + dice.roll(700), 200 + dice.roll(800), digits(dice, 4)),
            street: format!("{} {} {}", 1 + dice.roll(9999), dice.pick(STREETS), dice.pick(SUFFIXES)),
            city: dice.pick(CITIES).to_owned(),
            zip: digits(dice, 5),
            account: format!("{}{}", dice.pick(&["A", "77", "AC-"]), digits(dice, 7)),
            member: format!("{}{}", dice.pick(&["XYH", "W", "HP"]), digits(dice, 9)),
            email: if email.is_ascii() { email } else { format!("m.{}@example.org", digits(dice, 4)) },
            mrn,
            first,
            last,
        }
    }

    pub fn iso(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.born.0, self.born.1, self.born.2)
    }

    pub fn us(&self) -> String {
        format!("{:02}/{:02}/{:04}", self.born.1, self.born.2, self.born.0)
    }

    pub fn hl7(&self) -> String {
        format!("{:04}{:02}{:02}", self.born.0, self.born.1, self.born.2)
    }
}
