use super::find;
use crate::cli::{Done, Out, Usage, context::Context};
use anteroom_approvals::Inventory;
use anteroom_domain::{Criticality, Label, TargetAttributes, TargetName, Weekly, ZoneName};
use anyhow::anyhow;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  anteroom target set mri-3 --criticality high --zone imaging --label modality=mr
  anteroom target set mri-3 --maintenance \"sat 22:00-04:00 +01:00\" --vendor-company acme
  anteroom target set mri-3 --maker Acme --model \"Field 3T\" --serial 4711 --owner radiology --clinical-contact \"ward 4, ext. 1234\"")]
pub(super) struct Args {
    name: TargetName,
    /// The labels from now on; may be given several times.
    #[arg(long = "label", conflicts_with = "no_label")]
    labels: Vec<Label>,
    #[arg(long)]
    no_label: bool,
    /// low, normal, high or life_critical: what happens if it fails.
    #[arg(long, value_parser = |s: &str| Criticality::from_name(s).ok_or("there are low, normal, high and life_critical"))]
    criticality: Option<Criticality>,
    /// The part of the network it is in.
    #[arg(long)]
    zone: Option<ZoneName>,
    /// The company that keeps it; - for none.
    #[arg(long, value_name = "COMPANY")]
    vendor_company: Option<String>,
    /// When it may be worked on, from now on: days, hours, distance from UTC; may be given several times.
    #[arg(long, value_name = "TIMES", conflicts_with = "no_maintenance")]
    maintenance: Vec<Weekly>,
    #[arg(long)]
    no_maintenance: bool,
    #[arg(long)]
    maker: Option<String>,
    #[arg(long)]
    model: Option<String>,
    #[arg(long)]
    serial: Option<String>,
    /// The department that owns it.
    #[arg(long)]
    owner: Option<String>,
    /// Who knows whether it can be done without right now.
    #[arg(long)]
    clinical_contact: Option<String>,
}

pub(super) async fn run(cx: &Context, a: Args, out: &mut Out) -> Done {
    let target = find(cx, &a.name).await?;
    let vendor = match a.vendor_company.as_deref() {
        None => target.attributes.vendor,
        Some("-") => None,
        Some(name) => Some(
            cx.approvals
                .company_by_name(name)
                .await?
                .ok_or_else(|| anyhow!("there is no company of this name; see: anteroom company list"))?
                .id,
        ),
    };
    let before = target.attributes;
    let attributes = TargetAttributes {
        labels: if a.no_label || !a.labels.is_empty() { a.labels.into_iter().collect() } else { before.labels.clone() },
        criticality: a.criticality.unwrap_or(before.criticality),
        zone: a.zone.or_else(|| before.zone.clone()),
        vendor,
        clinical_use: before.clinical_use,
        maintenance: if a.no_maintenance || !a.maintenance.is_empty() { a.maintenance } else { before.maintenance.clone() },
    };
    let (known, _) = cx.approvals.device(target.id).await?;
    let inventory = Inventory {
        maker: a.maker.unwrap_or_else(|| known.maker.clone()),
        model: a.model.unwrap_or_else(|| known.model.clone()),
        serial: a.serial.unwrap_or_else(|| known.serial.clone()),
        owner: a.owner.unwrap_or_else(|| known.owner.clone()),
        clinical_contact: a.clinical_contact.unwrap_or_else(|| known.clinical_contact.clone()),
    };
    let (attributes_change, inventory_changes) = (attributes != before, inventory != known);
    if !attributes_change && !inventory_changes {
        return Err(Usage("nothing to change; say what, for example --zone imaging (see --help)".into()).into());
    }
    if attributes_change {
        cx.approvals.set_target_attributes(None, target.id, attributes).await?;
    }
    if inventory_changes {
        cx.approvals.set_inventory(None, target.id, inventory).await?;
    }
    Ok(out.line(format!("{} changed", a.name))?)
}
