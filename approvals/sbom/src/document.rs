//! Both formats as one shape: of everything they can say, what somebody looks for when a weakness becomes known.
use crate::{
    Component, Format, MAX_COMPONENTS, MAX_TEXT, Sbom, SbomError,
    bounded::{Bounded, TOO_MANY},
};
use serde::{Deserialize, de::IgnoredAny};

/// Unknown fields are passed over; a known one that comes twice is an error.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    bom_format: Option<String>,
    spdx_version: Option<String>,
    #[serde(rename = "@context")]
    context: Option<IgnoredAny>,
    #[serde(default)]
    components: Bounded<Part>,
    #[serde(default)]
    packages: Bounded<Package>,
}

/// CycloneDX; parts may have parts.
#[derive(Deserialize)]
struct Part {
    group: Option<String>,
    name: String,
    version: Option<String>,
    purl: Option<String>,
    #[serde(default)]
    components: Bounded<Part>,
}

/// SPDX 2.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    name: String,
    version_info: Option<String>,
    #[serde(default)]
    external_refs: Bounded<Reference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    reference_type: Option<String>,
    reference_locator: Option<String>,
}

pub(crate) fn read(file: &[u8]) -> Result<Sbom, SbomError> {
    let document: Document = serde_json::from_slice(file).map_err(|e| {
        if e.to_string().starts_with(TOO_MANY) {
            return SbomError::TooMany;
        }
        SbomError::Malformed { line: e.line(), column: e.column() }
    })?;
    let (format, found) = match (document.bom_format.as_deref(), document.spdx_version.as_deref()) {
        (Some("CycloneDX"), None) => (Format::CycloneDx, parts(document.components)?),
        (None, Some(v)) if v.starts_with("SPDX-2.") => (Format::Spdx, packages(document.packages)),
        (None, Some(v)) if v.starts_with("SPDX-3") => return Err(SbomError::Spdx3),
        (None, None) if document.context.is_some() => return Err(SbomError::Spdx3),
        _ => return Err(SbomError::Unknown),
    };
    if found.is_empty() {
        return Err(SbomError::Empty);
    }
    let mut components = found.into_iter().enumerate().map(|(i, c)| checked(i + 1, c)).collect::<Result<Vec<_>, _>>()?;
    components.sort_unstable();
    components.dedup();
    Ok(Sbom { format, components })
}

/// The tree of parts as a list; its depth was bounded before.
fn parts(first: Bounded<Part>) -> Result<Vec<Component>, SbomError> {
    let (mut waiting, mut all) = (first.0, Vec::new());
    while let Some(part) = waiting.pop() {
        if all.len() >= MAX_COMPONENTS {
            return Err(SbomError::TooMany);
        }
        let name = match part.group.as_deref().map(str::trim) {
            Some(group) if !group.is_empty() => format!("{group}/{}", part.name.trim()),
            _ => part.name,
        };
        all.push(Component { name, version: part.version.unwrap_or_default(), purl: part.purl });
        waiting.extend(part.components.0);
    }
    Ok(all)
}

fn packages(all: Bounded<Package>) -> Vec<Component> {
    let purl = |refs: Bounded<Reference>| {
        refs.0.into_iter().find(|r| r.reference_type.as_deref() == Some("purl")).and_then(|r| r.reference_locator)
    };
    let component = |p: Package| Component {
        name: p.name,
        // What SPDX writes for "nobody says".
        version: p.version_info.filter(|v| v != "NOASSERTION").unwrap_or_default(),
        purl: purl(p.external_refs),
    };
    all.0.into_iter().map(component).collect()
}

fn checked(number: usize, c: Component) -> Result<Component, SbomError> {
    let fits = |t: &str| t.chars().count() <= MAX_TEXT && !t.chars().any(char::is_control);
    let name = c.name.trim().to_owned();
    let version = c.version.trim().to_owned();
    if name.is_empty() || !fits(&name) {
        return Err(SbomError::Text { number, field: "name" });
    }
    if !fits(&version) {
        return Err(SbomError::Text { number, field: "version" });
    }
    if c.purl.as_deref().is_some_and(|p| !fits(p)) {
        return Err(SbomError::Text { number, field: "package URL" });
    }
    Ok(Component { name, version, purl: c.purl })
}
