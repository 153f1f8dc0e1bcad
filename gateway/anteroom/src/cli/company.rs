use super::{
    ConfigArg, Done, JsonArg, Out,
    context::{Context, with_context},
    output::moment,
};
use anteroom_domain::{Company, Contract, DisplayName, GroupName, Moment, Reason, TargetName, company::last_moment};
use clap::Subcommand;
use time::{Date, format_description::well_known::Rfc3339, macros::format_description};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    json: JsonArg,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Add a vendor company. Its people reach the targets it keeps, until its contract ends, while somebody watches.
    #[command(
        after_help = "Example:\n  anteroom company add \"Made-up Imaging\" --until 2027-06-30\n  anteroom person set vera --company \"Made-up Imaging\"\n  anteroom company keeps \"Made-up Imaging\" mri-3"
    )]
    Add {
        name: DisplayName,
        /// When its contract ends: a day (its end, UTC), or a moment like 2027-06-30T18:00:00Z.
        #[arg(long, value_parser = read_end)]
        until: Moment,
        /// Its contract lets its people work without a supervisor; the policy may ask for one all the same.
        #[arg(long)]
        unsupervised: bool,
    },
    /// Change a contract's end, or whether somebody has to watch. Running sessions obey within a second.
    #[command(after_help = "Example:\n  anteroom company set \"Made-up Imaging\" --until 2026-12-31 --reason \"contract not renewed\"")]
    Set {
        name: DisplayName,
        #[arg(long, value_parser = read_end)]
        until: Option<Moment>,
        /// Whether its people work only while somebody watches; if not, the policy may ask for it all the same. "true"
        /// reaches running sessions too, "false" counts from the next connection on.
        #[arg(long, value_name = "true|false")]
        supervised: Option<bool>,
        /// One of this group of the hospital's approvers has to approve whatever its people ask for, besides those whom the policies name.
        #[arg(long, value_name = "GROUP")]
        sponsors: Option<GroupName>,
        /// Only those whom the policies name approve.
        #[arg(long, conflicts_with = "sponsors")]
        no_sponsors: bool,
        /// Why; kept with the company and shown on its page in the portal.
        #[arg(long)]
        reason: Option<Reason>,
    },
    /// Say which targets a company keeps: its people reach these and no others.
    Keeps {
        name: DisplayName,
        #[arg(required = true)]
        targets: Vec<TargetName>,
        /// They are no longer the company's.
        #[arg(long)]
        no_longer: bool,
    },
    /// All companies.
    List,
}

/// A day ends with its last second.
fn read_end(s: &str) -> Result<Moment, String> {
    if let Ok(at) = Moment::parse(s, &Rfc3339) {
        return Ok(at);
    }
    let day = Date::parse(s, format_description!("[year]-[month]-[day]"));
    day.map(last_moment).map_err(|_| "not a day like 2027-06-30, nor a moment like 2027-06-30T18:00:00Z".to_owned())
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    with_context!(&a.config, cx => match a.what {
        What::Add { name, until, unsupervised } => {
            let id = cx.approvals.add_company(None, name.clone(), until, !unsupervised).await?;
            if a.json.json {
                return Ok(out.json(&serde_json::json!({ "id": id }))?);
            }
            let watched = if unsupervised { "work unwatched" } else { "work while somebody watches" };
            Ok(out.line(format!("{name} is known; its people {watched}, until {}. Next: anteroom person set HANDLE --company {:?}", moment(until), name.as_str()))?)
        }
        What::Set { name, until, supervised, sponsors, no_sponsors, reason } => {
            let company = named(&cx, &name).await?;
            let now = company.contract();
            let contract = Contract {
                ends: until.unwrap_or(now.ends),
                supervised: supervised.unwrap_or(now.supervised),
                sponsors: sponsors.or(now.sponsors.filter(|_| !no_sponsors)),
            };
            cx.approvals.change_company(None, company.id, contract, reason).await?;
            let c = named(&cx, &name).await?;
            let approve = c.sponsors.map_or_else(String::new, |g| format!("; one of {g} has to approve what they ask for"));
            Ok(out.line(format!("{name}: contract until {}, its people {}{approve}", moment(c.contract_ends), watched(c.supervised)))?)
        }
        What::Keeps { name, targets, no_longer } => {
            let company = named(&cx, &name).await?;
            for target in targets {
                let found = cx.approvals.target_by_name(&target).await?.ok_or_else(|| anyhow::anyhow!("there is no target \"{target}\""))?;
                let vendor = if no_longer { None } else { Some(company.id) };
                cx.approvals.set_keeper(None, found.id, vendor).await?;
                let how = if no_longer { "no longer keeps" } else { "keeps" };
                out.line(format!("{name} {how} {target}"))?;
            }
            Ok(())
        }
        What::List => {
            let all = cx.approvals.companies().await?;
            if a.json.json {
                return Ok(out.json(&all)?);
            }
            let rows: Vec<_> = all.iter().map(row).collect();
            Ok(out.table(&["NAME", "CONTRACT ENDS", "ITS PEOPLE", "SPONSORS"], &rows, "none yet; add one with: anteroom company add")?)
        }
    })
}

fn row(c: &Company) -> Vec<String> {
    let sponsors = c.sponsors.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    vec![c.name.to_string(), moment(c.contract_ends), watched(c.supervised).to_owned(), sponsors]
}

fn watched(supervised: bool) -> &'static str {
    if supervised { "work while somebody watches" } else { "work unwatched" }
}

/// The company of this name, or what to do.
pub(super) async fn named(cx: &Context, name: &DisplayName) -> anyhow::Result<Company> {
    let found = cx.approvals.company_by_name(name.as_str()).await?;
    found.ok_or_else(|| anyhow::anyhow!("there is no company {:?}; see them with: anteroom company list", name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_contract_runs_to_the_end_of_its_last_day() {
        assert_eq!(read_end("2027-06-30"), Ok(datetime!(2027-06-30 23:59:59 UTC)));
        assert_eq!(read_end("2027-06-30T18:00:00Z"), Ok(datetime!(2027-06-30 18:00 UTC)));
        assert!(read_end("30.6.2027").is_err());
    }
}
