//! What the name of a column, key or form field says, told by its words and not by a list of whole names.
//!
//! `pat_lname`, `patientLastName`, "Patient's last name" and `PTLASTNAME` are the same words: a person, and "last name". A name is cut at
//! case, punctuation and known words; short forms are spelled out; the longest known phrase says the type; what is left says whose it is.

use std::collections::{HashMap, HashSet};

use crate::{kind::Kind, rules::Label, words::Quick};

/// A name longer than this is prose.
const MAX_NAME_BYTES: usize = 64;
const MAX_TOKENS: usize = 8;

/// What a word beside the phrase says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The patient, or a person known through the patient.
    Person,
    /// The workforce.
    Provider,
    /// A machine, a file, an organisation: its name and address are nobody's.
    Thing,
    /// "type", "flag", "count": the column is about the identifier and does not hold it.
    Neutral,
    /// "number", "id", "value": adds nothing.
    Filler,
}

/// Whose an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    Patient,
    Others,
    Nobody,
}

/// The word lists of a rule file.
#[derive(Debug, Default, Clone)]
pub(crate) struct WordLists {
    pub(crate) persons: Vec<String>,
    pub(crate) providers: Vec<String>,
    pub(crate) things: Vec<String>,
    pub(crate) neutral: Vec<String>,
    pub(crate) fillers: Vec<String>,
    pub(crate) short: HashMap<String, String>,
}

#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    /// Canonical words with one blank between.
    phrases: HashMap<String, Label, Quick>,
    longest: usize,
    roles: HashMap<String, Role, Quick>,
    short: HashMap<String, String, Quick>,
    /// Every word that is known, for names without separators.
    pieces: HashSet<String, Quick>,
    longest_piece: usize,
    mask_providers: bool,
}

impl Vocabulary {
    pub(crate) fn new(lists: &WordLists, mask_providers: bool) -> Self {
        let mut made = Self { mask_providers, ..Self::default() };
        for (short, long) in &lists.short {
            made.short.insert(short.to_lowercase(), long.to_lowercase());
            made.know(short);
            long.split(' ').for_each(|word| made.know(word));
        }
        for (words, role) in [
            (&lists.fillers, Role::Filler),
            (&lists.neutral, Role::Neutral),
            (&lists.things, Role::Thing),
            (&lists.providers, Role::Provider),
            (&lists.persons, Role::Person),
        ] {
            for word in words {
                for word in normalise(word).split(' ') {
                    made.know(word);
                    made.roles.insert(made.spelled(word).to_owned(), role);
                }
            }
        }
        made
    }

    fn know(&mut self, word: &str) {
        let word = word.to_lowercase();
        self.longest_piece = self.longest_piece.max(word.len());
        self.pieces.insert(word);
    }

    fn spelled<'a>(&'a self, word: &'a str) -> &'a str {
        self.short.get(word).map_or(word, String::as_str)
    }

    /// Adds a label. The first meaning of a phrase stays.
    pub(crate) fn add(&mut self, label: &str, means: Label) {
        let normal = normalise(label);
        normal.split(' ').for_each(|word| self.know(word));
        let words = self.canonical(&normal);
        self.longest = self.longest.max(words.len());
        self.phrases.entry(words.join(" ")).or_insert(means);
    }

    fn canonical(&self, normal: &str) -> Vec<String> {
        let mut words = Vec::new();
        for word in normal.split(' ').filter(|word| !word.is_empty()) {
            words.extend(self.spelled(word).split(' ').map(str::to_owned));
        }
        words
    }

    /// Is it a word of any label or role?
    pub(crate) fn knows(&self, word: &str) -> bool {
        // Most words are of one case: no need to make a new one of them.
        let mut lower = [0u8; 32];
        let bytes = word.as_bytes();
        let one_word = bytes.len() <= lower.len()
            && bytes.iter().all(u8::is_ascii_alphabetic)
            && (bytes.iter().skip(1).all(u8::is_ascii_lowercase) || bytes.iter().all(u8::is_ascii_uppercase));
        if one_word {
            for (to, from) in lower.iter_mut().zip(bytes) {
                *to = from.to_ascii_lowercase();
            }
            return std::str::from_utf8(&lower[..bytes.len()]).is_ok_and(|word| self.pieces.contains(word));
        }
        let normal = normalise(word);
        // "line2", but not "E004512".
        let known = |word: &str| {
            let core = word.trim_end_matches(|c: char| c.is_ascii_digit());
            self.pieces.contains(word) || (word.len() - core.len() <= 1 && self.pieces.contains(core))
        };
        !normal.is_empty() && normal.split(' ').all(known)
    }

    /// What the name of a column, key or field stands for.
    pub(crate) fn label(&self, name: &str) -> Option<Label> {
        if name.len() > MAX_NAME_BYTES || name.is_empty() {
            return None;
        }
        let mut words = self.words(name);
        if words.is_empty() || words.len() > MAX_TOKENS {
            return None;
        }
        let mut found = self.phrase(&words);
        // "DoB", "OtherPatientIDs": capitals do not always begin words.
        if found.as_ref().is_none_or(|(label, _)| !label.strong)
            && name.chars().skip(1).any(char::is_uppercase)
            && name.contains(char::is_lowercase)
        {
            let small = self.words(&name.to_lowercase());
            if let Some(label) = self.phrase(&small).filter(|(label, _)| found.is_none() || label.strong) {
                (words, found) = (small, Some(label));
            }
        }
        let (mut label, phrase) = found?;
        // "Nom de naissance", "birth last name": a name, whenever it was given.
        if label.kind == Kind::Birth && words.iter().any(|word| word == "name") {
            label.kind = Kind::Name;
        }
        // The last word is the head: a "policy name" is a name, and not a policy's number.
        if !phrase.contains(&(words.len() - 1))
            && matches!(words[words.len() - 1].as_str(), "name" | "address" | "phone" | "email" | "date")
            && let Some(head) = self.phrases.get(words[words.len() - 1].as_str())
            && head.kind != label.kind
        {
            let whose = words[..words.len() - 1].iter().all(|word| self.roles.get(word) == Some(&Role::Person));
            return whose.then_some(Label { strong: true, ..*head });
        }
        let mut person = false;
        let mut strange = false;
        let mut provider = false;
        for (at, word) in words.iter().enumerate() {
            if phrase.contains(&at) {
                continue;
            }
            match self.roles.get(word.as_str()) {
                Some(Role::Person) => person = true,
                Some(Role::Provider) => provider = true,
                // "type" behind the phrase; before it ("status date") it says which.
                Some(Role::Neutral) => return None,
                Some(Role::Thing) => return None,
                Some(Role::Filler) => {}
                None if word.len() <= 1 || word.bytes().all(|b| b.is_ascii_digit()) => {}
                // "City/Town": two words for one thing.
                None if self.phrases.get(word.as_str()).is_some_and(|other| other.kind == label.kind) => {}
                None => strange = true,
            }
        }
        if provider {
            return (self.mask_providers && label.kind == Kind::Name).then_some(Label { strong: true, ..label });
        }
        match label.strong {
            true => Some(label),
            false if person && !strange => Some(Label { strong: true, ..label }),
            false if strange => None,
            false => Some(label),
        }
    }

    /// Does the name say nothing at all: neither whose it is nor that it is of staff, a machine, a result?
    pub(crate) fn is_strange(&self, name: &str) -> bool {
        name.len() <= MAX_NAME_BYTES
            && self
                .words(name)
                .iter()
                .all(|word| !matches!(self.roles.get(word.as_str()), Some(Role::Provider | Role::Thing | Role::Neutral)))
    }

    /// Whose the members of an object of this name are.
    pub(crate) fn speaks(&self, name: &str) -> Speaks {
        if name.len() > MAX_NAME_BYTES {
            return Speaks::Nobody;
        }
        let words = self.words(name);
        let role = |word: &String| self.roles.get(word.as_str()).copied();
        const ORGANISATIONS: [&str; 11] = [
            "facility",
            "hospital",
            "organization",
            "organisation",
            "clinic",
            "pharmacy",
            "department",
            "vendor",
            "manufacturer",
            "server",
            "host",
        ];
        // "patient_first" is a part of a name, and no person with members.
        const PARTS: [&str; 5] = ["first", "last", "second", "full", "maiden"];
        const DEEDS: [&str; 7] = ["user", "owner", "created", "updated", "modified", "entered", "signed"];
        let other = |word: &String| {
            (role(word) == Some(Role::Provider) && !DEEDS.contains(&word.as_str())) || ORGANISATIONS.contains(&word.as_str())
        };
        if words.iter().any(other) {
            Speaks::Others
        } else if words.iter().any(|word| role(word) == Some(Role::Person))
            && words.iter().all(|word| matches!(role(word), Some(Role::Person | Role::Filler)) && !PARTS.contains(&word.as_str()))
        {
            Speaks::Patient
        } else {
            Speaks::Nobody
        }
    }

    /// Does the name say nothing but whose it is ("emergency contact")?
    pub(crate) fn only_persons(&self, name: &str) -> bool {
        self.speaks(name) == Speaks::Patient
    }

    /// The longest phrase among the words, the last of equals.
    fn phrase(&self, words: &[String]) -> Option<(Label, std::ops::Range<usize>)> {
        for length in (1..=self.longest.min(words.len())).rev() {
            for start in (0..=words.len() - length).rev() {
                let label = match length {
                    1 => self.phrases.get(words[start].as_str()),
                    _ => self.phrases.get(&words[start..start + length].join(" ")),
                };
                if let Some(label) = label {
                    return Some((*label, start..start + length));
                }
            }
        }
        None
    }

    fn words(&self, name: &str) -> Vec<String> {
        let mut words = Vec::new();
        for raw in normalise(name).split(' ').filter(|word| !word.is_empty()) {
            let word = if self.pieces.contains(raw) { raw } else { raw.trim_matches(|c: char| c.is_ascii_digit()) };
            if word.is_empty() {
                continue;
            }
            if word.len() >= 4
                && !self.pieces.contains(word)
                && let Some(pieces) = self.cut(word)
            {
                for piece in pieces {
                    words.extend(self.spelled(piece).split(' ').map(str::to_owned));
                }
                continue;
            }
            words.extend(self.spelled(word).split(' ').map(str::to_owned));
        }
        words
    }

    /// Cuts a word into as few known words as possible, if it is made of them alone.
    fn cut<'a>(&self, word: &'a str) -> Option<Vec<&'a str>> {
        if !word.is_ascii() || word.len() > 32 {
            return None;
        }
        // best[n]: fewest pieces of word[..n], and where the last begins.
        let mut best: Vec<Option<(usize, usize)>> = vec![None; word.len() + 1];
        best[0] = Some((0, 0));
        for end in 2..=word.len() {
            for start in end.saturating_sub(self.longest_piece)..=end - 2 {
                let Some((count, _)) = best[start] else { continue };
                let piece = &word[start..end];
                if self.pieces.contains(piece) && best[end].is_none_or(|(known, _)| count + 1 < known) {
                    best[end] = Some((count + 1, start));
                }
            }
        }
        let mut pieces = Vec::new();
        let mut end = word.len();
        while end > 0 {
            let (_, start) = best[end]?;
            pieces.push(&word[start..end]);
            end = start;
        }
        pieces.reverse();
        (pieces.len() <= 5).then_some(pieces)
    }
}

/// "Date of birth", "date_of_birth", "dateOfBirth" are one label: lower-case words, one space between.
pub(crate) fn normalise(label: &str) -> String {
    let mut out = String::with_capacity(label.len() + 4);
    let mut previous_lower = false;
    let mut chars = label.chars().peekable();
    let mut previous_upper = false;
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() {
            // "lastName" and "MRNNumber": a capital behind a small letter, or before one, begins a word.
            let begins = c.is_uppercase() && (previous_lower || (previous_upper && chars.peek().is_some_and(|next| next.is_lowercase())));
            if begins && !out.ends_with(' ') {
                out.push(' ');
            }
            previous_lower = c.is_lowercase();
            previous_upper = c.is_uppercase();
            out.extend(c.to_lowercase());
        } else if c != '\'' && c != '’' {
            (previous_lower, previous_upper) = (false, false);
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
            // "Acct #" is an account number.
            if matches!(c, '#' | '№') && !out.is_empty() {
                out.push_str("number ");
            }
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;

    #[test]
    fn labels_are_one_however_they_are_written() {
        for written in ["Date of birth", "date_of_birth", "dateOfBirth", "DATE-OF-BIRTH", "Date.Of.Birth"] {
            assert_eq!(normalise(written), "date of birth");
        }
        assert_eq!(normalise("Mother's maiden name"), "mothers maiden name");
        assert_eq!(normalise("patientMRNValue"), "patient mrn value");
        assert_eq!(normalise("Acct #"), "acct number");
    }

    #[test]
    fn names_of_columns_are_told_by_their_words() {
        let rules = RuleSet::builtin();
        let mut wrong = Vec::new();
        for (names, kind) in [
            (
                "pat_lname PtFirstName patientlastname PATLASTNAME pt_fname lst_nm frst_nm nok_name emergency_contact_name guar_last_nm \
                 subscriberFirstName name_last kin_name mother_maiden_name insured_nm LASTNM mbr_first_nm contact1_name nachname vorname",
                Kind::Name,
            ),
            (
                "birth_dt dob pat_dob DOB_DT birthDate date_of_birth dtbirth brth_dt patientBirthDate bday subscriber_dob geburtsdatum",
                Kind::Birth,
            ),
            (
                "mrn med_rec_no pat_mrn MRN_ID medrecnum patient_id ptid PatientID pat_no patnum chart_no empi hosp_no legacy_mrn enc_id csn",
                Kind::Mrn,
            ),
            ("ssn pat_ssn soc_sec_no social_security_number ssnum ss_no subscriber_ssn", Kind::Ssn),
            (
                "home_phone phone cell_ph tel_no mobile_no phone1 PatientPhone fax_no contact_phone emerg_ph work_tel ph_home telefon",
                Kind::Phone,
            ),
            ("email pat_email e_mail_addr emailAddress contact_email", Kind::Email),
            (
                "addr1 street address_line_1 pat_addr home_address street_addr guarantor_address addrLine2 mailing_addr strasse",
                Kind::Address,
            ),
            ("zip postal_code zip_cd ZipCode pat_zip postcode plz zip4", Kind::Zip),
            ("pat_city home_city res_city birth_place", Kind::City),
            (
                "policy_no member_id mbr_id subscriber_id insurance_id policynum group_no medicare_no ins_policy_num memberid plan_member_id",
                Kind::HealthPlan,
            ),
            ("acct_no account_number pat_acct acctnum AccountNo billing_acct patient_account_no har", Kind::Account),
            ("drivers_license_no dl_no passport_no driver_license", Kind::Licence),
            ("vin plate_no license_plate", Kind::Vehicle),
            ("device_serial implant_serial_no pacemaker_sn udi pump_serial", Kind::Device),
            (
                "admit_dt discharge_date disch_dt death_date dod admission_date adm_dt admitDateTime date_of_death deceased_dt dschrg_dt",
                Kind::Date,
            ),
        ] {
            for name in names.split(' ') {
                let label = rules.vocabulary.label(name);
                if label != Some(Label { kind, strong: true }) {
                    wrong.push(format!("{name} is {label:?}, not {kind:?}"));
                }
            }
        }
        assert_eq!(wrong, Vec::<String>::new());
    }

    #[test]
    fn names_of_machines_files_and_results_are_nobodys() {
        let rules = RuleSet::builtin();
        let names = "hostname host_name filename table_name file_name username user_name ip_address mac_addr server_address display_name \
            phone_type address_type ssn_verified name_type zip_file device_name test_name drug_name facility_name hospital_name lab_name \
            provider_name attending_last_name ordering_physician_name container_name image_id job_id request_id event_id server_phone \
            index_name schema_name service_name queue_name cell_count created_at updated_at last_login last_seen first_seen status \
            wbc hgb glucose bp_systolic weight_kg unit ward bed room diagnosis icd10 cpt sex gender race payer_name pharmacy_phone \
            employer_name organization_name plan_name class_name module_name last_error first_result namespace email_server \
            remote_addr client_addr listen_address bind_addr memory_address account_type service_account email_count city_code";
        let wrong: Vec<_> = names
            .split_whitespace()
            .filter_map(|name| rules.vocabulary.label(name).filter(|label| label.strong).map(|label| (name, label)))
            .collect();
        assert_eq!(wrong, []);
    }
}
