//! What a policy may ask of people and targets, beside who and which they are.
use crate::{CompanyId, GroupName, Label, UnitName, Weekly, ZoneName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Most groups of one person, most labels of one target.
pub const MAX_NAMES: usize = 64;
/// Most windows of one person or target.
pub const MAX_WINDOWS: usize = 16;

/// Whom somebody works for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonKind {
    /// The hospital's own people.
    Workforce,
    /// People of a company that keeps some of the targets.
    Vendor,
}

impl PersonKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Workforce => "workforce",
            Self::Vendor => "vendor",
        }
    }
}

/// Of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PersonAttributes {
    pub groups: BTreeSet<GroupName>,
    /// Where in the hospital they belong.
    pub unit: Option<UnitName>,
    /// The company that employs them; none: the hospital.
    pub company: Option<CompanyId>,
    /// When they work; empty: nothing is known of it.
    pub shifts: Vec<Weekly>,
}

impl PersonAttributes {
    pub fn kind(&self) -> PersonKind {
        if self.company.is_some() { PersonKind::Vendor } else { PersonKind::Workforce }
    }
}

/// What happens if a target fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criticality {
    Low,
    #[default]
    Normal,
    High,
    /// Somebody may come to harm at once.
    LifeCritical,
}

impl Criticality {
    pub const ALL: [Self; 4] = [Self::Low, Self::Normal, Self::High, Self::LifeCritical];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::LifeCritical => "life_critical",
        }
    }
    pub fn from_name(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == s)
    }
}

/// Whether a patient depends on a target at this moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClinicalUse {
    /// Nobody tells us.
    #[default]
    Untracked,
    Idle,
    InUse,
}

impl ClinicalUse {
    pub const ALL: [Self; 3] = [Self::Untracked, Self::Idle, Self::InUse];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untracked => "untracked",
            Self::Idle => "idle",
            Self::InUse => "in_use",
        }
    }
    pub fn from_name(s: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == s)
    }
}

/// Of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetAttributes {
    pub labels: BTreeSet<Label>,
    pub criticality: Criticality,
    pub zone: Option<ZoneName>,
    /// The company that keeps it: whose people may ask for it.
    pub vendor: Option<CompanyId>,
    pub clinical_use: ClinicalUse,
    /// When it may be worked on; empty: no times are set.
    pub maintenance: Vec<Weekly>,
}
