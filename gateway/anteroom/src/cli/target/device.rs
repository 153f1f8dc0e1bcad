//! What a device is made of, and whether a patient depends on it now.
use super::find;
use crate::cli::{Done, Out, context::Context};
use anteroom_domain::{ClinicalUse, TargetName};
use anyhow::Context as _;
use std::{io::Read as _, path::PathBuf};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  anteroom target sbom mri-3 mri-3.cdx.json")]
pub(super) struct SbomArgs {
    name: TargetName,
    /// CycloneDX or SPDX 2 as JSON, at most 10 MiB. It replaces the former one; a file that is refused changes nothing.
    file: PathBuf,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  anteroom target components log4j               every device with a component of this name
  anteroom target components log4j --at 2.14     only versions that begin so")]
pub(super) struct ComponentsArgs {
    /// Part of a component's name.
    search: String,
    /// What its version begins with.
    #[arg(long, value_name = "VERSION", default_value = "")]
    at: String,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  anteroom target clinical-use mri-3 in_use")]
pub(super) struct UseArgs {
    name: TargetName,
    /// in_use, idle or untracked. Running sessions are judged again at once.
    #[arg(value_parser = |s: &str| ClinicalUse::from_name(s).ok_or("there are in_use, idle and untracked"))]
    state: ClinicalUse,
}

pub(super) async fn sbom(cx: &Context, a: SbomArgs, out: &mut Out) -> Done {
    let target = find(cx, &a.name).await?;
    let mut file = Vec::new();
    // One byte more than is read, so that a longer file is noticed and not cut.
    let most = anteroom_approvals::MAX_SBOM_BYTES as u64 + 1;
    let open = std::fs::File::open(&a.file).with_context(|| format!("cannot open {}", a.file.display()))?;
    open.take(most).read_to_end(&mut file).with_context(|| format!("cannot read {}", a.file.display()))?;
    let components = cx.approvals.put_sbom(None, target.id, &file).await?;
    Ok(out.line(format!("{}: {components} components are known", a.name))?)
}

pub(super) async fn components(cx: &Context, a: ComponentsArgs, json: bool, out: &mut Out) -> Done {
    let found = cx.approvals.find_component(&a.search, &a.at).await?;
    if json {
        return Ok(out.json(&found)?);
    }
    let rows: Vec<_> = found.into_iter().map(|f| vec![f.target, f.name, f.version, f.purl.unwrap_or_default()]).collect();
    Ok(out.table(&["TARGET", "COMPONENT", "VERSION", "PACKAGE"], &rows, "no device whose components are known has it")?)
}

pub(super) async fn clinical_use(cx: &Context, a: UseArgs, out: &mut Out) -> Done {
    let target = find(cx, &a.name).await?;
    cx.approvals.set_clinical_use(None, target.id, a.state).await?;
    Ok(out.line(format!("{}: {}", a.name, a.state.as_str()))?)
}
