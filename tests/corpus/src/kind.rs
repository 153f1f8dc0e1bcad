//! Types of identifiers, as the law lists them.

/// 45 CFR 164.514(b)(2)(i), the letters (A) to (R). Some letters have several kinds here, for a finer report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Name,
    Street,
    City,
    Zip,
    Birth,
    /// Admission, discharge, service, death.
    VisitDate,
    /// 90 and above.
    Age,
    Phone,
    Fax,
    Email,
    Ssn,
    Mrn,
    HealthPlan,
    Account,
    Licence,
    Vehicle,
    Device,
    Url,
    /// A patient's own address, never a host's.
    Ip,
    Biometric,
    Photo,
    /// Encounter, accession and other unique numbers.
    Other,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "(A) name",
            Self::Street => "(B) street",
            Self::City => "(B) city",
            Self::Zip => "(B) zip",
            Self::Birth => "(C) birth",
            Self::VisitDate => "(C) visit date",
            Self::Age => "(C) age 90+",
            Self::Phone => "(D) phone",
            Self::Fax => "(E) fax",
            Self::Email => "(F) email",
            Self::Ssn => "(G) ssn",
            Self::Mrn => "(H) mrn",
            Self::HealthPlan => "(I) health plan",
            Self::Account => "(J) account",
            Self::Licence => "(K) licence",
            Self::Vehicle => "(L) vehicle",
            Self::Device => "(M) device",
            Self::Url => "(N) url",
            Self::Ip => "(O) ip",
            Self::Biometric => "(P) biometric",
            Self::Photo => "(Q) photo",
            Self::Other => "(R) other number",
        }
    }
}
