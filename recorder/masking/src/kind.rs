//! Types of identifiers.

use serde::Deserialize;

/// 45 CFR 164.514(b)(2)(i), as far as they can be told apart in text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Name,
    Mrn,
    Ssn,
    Birth,
    Date,
    Phone,
    Email,
    Address,
    City,
    Zip,
    HealthPlan,
    Account,
    Licence,
    Vehicle,
    Device,
    Age,
    Other,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Mrn => "mrn",
            Self::Ssn => "ssn",
            Self::Birth => "birth",
            Self::Date => "date",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Address => "address",
            Self::City => "city",
            Self::Zip => "zip",
            Self::HealthPlan => "health_plan",
            Self::Account => "account",
            Self::Licence => "licence",
            Self::Vehicle => "vehicle",
            Self::Device => "device",
            Self::Age => "age",
            Self::Other => "other",
        }
    }

    /// An identifying number or code, told by its digits.
    pub(crate) fn is_code(self) -> bool {
        matches!(self, Self::Mrn | Self::HealthPlan | Self::Account | Self::Licence | Self::Vehicle | Self::Device | Self::Other)
    }

    /// Does a value seen once identify the person wherever it stands? Visit dates and postcodes do not: they are everybody's.
    pub(crate) fn is_learnable(self) -> bool {
        !matches!(self, Self::Date | Self::Zip | Self::Age)
    }
}
