//! Reads what a device is made of: a software bill of materials as CycloneDX JSON (1.2 to 1.6) or SPDX JSON (2.2, 2.3).
//!
//! The file comes from whoever made the device, so it is read as hostile: sizes, depth, numbers and counts are bounded before anything is
//! built, and what does not fit is refused with the place and the reason. Pure.
#![forbid(unsafe_code)]

mod bounded;
mod document;
mod scan;

use serde::Serialize;
use std::fmt;

/// Bytes of a file.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;
/// Of one device.
pub const MAX_COMPONENTS: usize = 50_000;
/// Brackets in brackets.
pub const MAX_DEPTH: usize = 64;
/// Characters of a number; what stands in a real one has far fewer.
pub const MAX_NUMBER: usize = 32;
/// Characters of a name, a version or a package URL.
pub const MAX_TEXT: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    CycloneDx,
    Spdx,
}

impl Format {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CycloneDx => "cyclonedx",
            Self::Spdx => "spdx",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CycloneDx => "CycloneDX",
            Self::Spdx => "SPDX",
        })
    }
}

/// A piece of software on a device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Component {
    /// With its group in front, if it has one: `org.apache.logging.log4j/log4j-core`.
    pub name: String,
    /// Empty if the file gives none.
    pub version: String,
    /// Package URL, if the file gives one.
    pub purl: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sbom {
    pub format: Format,
    /// Sorted, each once.
    pub components: Vec<Component>,
}

/// Why a file is not read. Nothing of the file is repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SbomError {
    #[error("the file has {bytes} bytes; at most {MAX_BYTES} are read")]
    TooLarge { bytes: usize },
    #[error("this is {what}, not JSON; unpack it and give the JSON file inside")]
    Packed { what: &'static str },
    #[error("this is not JSON: {what} at byte {at}")]
    NotJson { what: &'static str, at: usize },
    #[error("brackets are nested deeper than {MAX_DEPTH} at byte {at}")]
    TooDeep { at: usize },
    #[error("a number of more than {MAX_NUMBER} characters at byte {at}")]
    LongNumber { at: usize },
    #[error("the file cannot be read as CycloneDX or SPDX: line {line}, column {column}")]
    Malformed { line: usize, column: usize },
    #[error("more than {MAX_COMPONENTS} components")]
    TooMany,
    #[error("this is neither CycloneDX (bomFormat) nor SPDX 2 (spdxVersion) in JSON")]
    Unknown,
    #[error("SPDX 3 is not read; export SPDX 2.3 or CycloneDX as JSON")]
    Spdx3,
    #[error("the file names no components")]
    Empty,
    #[error("component {number}: its {field} is empty, longer than {MAX_TEXT} characters or has control characters")]
    Text { number: usize, field: &'static str },
}

/// Reads a file whole, or refuses it whole.
pub fn read(file: &[u8]) -> Result<Sbom, SbomError> {
    if file.len() > MAX_BYTES {
        return Err(SbomError::TooLarge { bytes: file.len() });
    }
    for (magic, what) in
        [(&b"PK"[..], "a zip archive"), (b"\x1f\x8b", "gzip"), (b"<", "XML"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh", "bzip2")]
    {
        if file.starts_with(magic) {
            return Err(SbomError::Packed { what });
        }
    }
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    scan::bounds(file)?;
    document::read(file)
}

/// For the fuzzer: whatever the bytes, what is read holds to the bounds.
pub fn fuzz(file: &[u8]) {
    if let Ok(sbom) = read(file) {
        let fits = |t: &str| t.chars().count() <= MAX_TEXT && !t.chars().any(char::is_control);
        assert!(!sbom.components.is_empty() && sbom.components.len() <= MAX_COMPONENTS);
        assert!(sbom.components.is_sorted());
        assert!(sbom.components.iter().all(|c| !c.name.is_empty() && fits(&c.name) && fits(&c.version)));
    }
}

#[cfg(test)]
mod tests;
