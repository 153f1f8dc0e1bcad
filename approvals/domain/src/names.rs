//! Names that came from outside, checked once and then trusted (THREATS 12: names pass an allow-list).
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text is not a name. The text itself is not repeated: it may be hostile or private.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("{what} is empty")]
    Empty { what: &'static str },
    #[error("{what} has {len} characters; at most {max} are allowed")]
    TooLong { what: &'static str, len: usize, max: usize },
    #[error("{what} holds {found:?}; allowed are {allowed}")]
    BadCharacter { what: &'static str, found: char, allowed: &'static str },
}

fn check(what: &'static str, s: &str, max: usize, allowed: &'static str, ok: impl Fn(usize, char) -> bool) -> Result<(), NameError> {
    if s.is_empty() {
        return Err(NameError::Empty { what });
    }
    let len = s.chars().count();
    if len > max {
        return Err(NameError::TooLong { what, len, max });
    }
    match s.chars().enumerate().find(|(i, c)| !ok(*i, *c)) {
        Some((_, found)) => Err(NameError::BadCharacter { what, found, allowed }),
        None => Ok(()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn new(s: impl Into<String>) -> Result<Self, NameError> {
                let s = s.into();
                let check: fn(&str) -> Result<(), NameError> = $check;
                check(&s)?;
                Ok(Self(s))
            }
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(s: String) -> Result<Self, NameError> { Self::new(s) }
        }
        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(s: &str) -> Result<Self, NameError> { Self::new(s) }
        }
        impl From<$name> for String {
            fn from(n: $name) -> String { n.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Debug::fmt(&self.0, f) }
        }
    };
}

const HOSTLIKE: &str = "a-z, 0-9, '.', '_' and '-', starting with a letter or digit";
fn hostlike(i: usize, c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || (i > 0 && matches!(c, '.' | '_' | '-'))
}

name!(
    /// What people type after the account: `root@ehr-db-1`. At most 63 characters.
    TargetName,
    |s| check("target name", s, 63, HOSTLIKE, hostlike)
);
name!(
    /// A person's sign-in name. At most 63 characters.
    Handle,
    |s| check("handle", s, 63, HOSTLIKE, hostlike)
);
name!(
    /// A login on a target. Devices have odd ones, so case and a few more characters are allowed; `@` never.
    AccountName,
    |s| check("account name", s, 63, "letters, digits, '.', '_', '-', '$' and '\\', not starting with '-'", |i, c| {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '$' | '\\') || (i > 0 && c == '-')
    })
);
name!(
    /// How a person is shown. At most 120 characters, no control or bidirectional-override characters.
    DisplayName,
    |s| check("display name", s, 120, "printable text on one line", |_, c| printable(c))
);
name!(
    /// Why access is needed, in the requester's words. At most 2,000 characters; line breaks are allowed.
    Reason,
    |s| {
        check("reason", s, 2_000, "printable text", |_, c| c == '\n' || printable(c))?;
        if s.trim().is_empty() { Err(NameError::Empty { what: "reason" }) } else { Ok(()) }
    }
);

name!(
    /// A group of people: `clinical-engineering`. At most 63 characters.
    GroupName,
    |s| check("group name", s, 63, HOSTLIKE, hostlike)
);
name!(
    /// Where in the hospital somebody belongs: `radiology`. At most 63 characters.
    UnitName,
    |s| check("unit name", s, 63, HOSTLIKE, hostlike)
);
name!(
    /// A part of the network: `imaging`. At most 63 characters.
    ZoneName,
    |s| check("zone name", s, 63, HOSTLIKE, hostlike)
);
name!(
    /// What a gateway is called in its configuration: `east`. At most 63 characters.
    GatewayName,
    |s| check("gateway name", s, 63, "a-z, 0-9, '.', '_' and '-'", |_, c| hostlike(1, c))
);
name!(
    /// A word on a target, or a key and a value: `modality=mr`. At most 63 characters.
    Label,
    |s| check("label", s, 63, "a-z, 0-9, '.', '_', '-' and '=', starting with a letter or digit", |i, c| hostlike(i, c) || (i > 0 && c == '='))
);

name!(
    /// A person's machine, as its device manager calls it: `LAPTOP-7`. At most 100 characters.
    DeviceName,
    |s| check("device name", s, 100, "printable text on one line", |_, c| printable(c))
);
name!(
    /// As a device manager writes it: `Windows 11 24H2`. At most 100 characters.
    OsName,
    |s| check("operating system", s, 100, "printable text on one line", |_, c| printable(c))
);

name!(
    /// A change's or an incident's number in another system: `CHG-4711`. At most 63 characters.
    TicketNumber,
    |s| check("ticket number", s, 63, "letters, digits, '.', '_', '-', '#', '/' and ':', starting with a letter or digit", |i, c| {
        c.is_ascii_alphanumeric() || (i > 0 && matches!(c, '.' | '_' | '-' | '#' | '/' | ':'))
    })
);
name!(
    /// What people write below a request. At most 500 characters; line breaks are allowed.
    Comment,
    |s| {
        check("comment", s, 500, "printable text", |_, c| c == '\n' || printable(c))?;
        if s.trim().is_empty() { Err(NameError::Empty { what: "comment" }) } else { Ok(()) }
    }
);

/// Refuses control characters and the direction overrides that make a text read as something else (Unicode TR 36).
fn printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_name_is_what_a_host_name_looks_like() {
        assert!(TargetName::new("ehr-db-1").is_ok());
        for bad in ["", "-x", "EHR", "a b", "a@b", "a/b", "é", &"x".repeat(64)] {
            assert!(TargetName::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_account_never_holds_an_at_sign_or_starts_like_an_option() {
        assert!(AccountName::new("DOMAIN\\svc$").is_ok());
        assert!(AccountName::new("-oProxyCommand=x").is_err());
        assert!(AccountName::new("a@b").is_err());
    }

    #[test]
    fn a_ten_megabyte_reason_is_refused_with_its_length() {
        let e = Reason::new("x".repeat(10_000_000)).unwrap_err();
        assert_eq!(e.to_string(), "reason has 10000000 characters; at most 2000 are allowed");
    }

    #[test]
    fn text_that_reads_backwards_is_refused() {
        assert!(DisplayName::new("Dr \u{202e}ecilA").is_err());
        assert!(Reason::new(" \n ").is_err());
    }
}
