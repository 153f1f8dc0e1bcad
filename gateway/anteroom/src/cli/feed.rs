//! Programs that may say whether devices are in clinical use.
use super::{ConfigArg, Done, JsonArg, Out, context::with_context, output::moment};
use clap::Subcommand;

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
    /// Let a program in (a nurses' station, a location system); prints its token, once.
    #[command(after_help = "\
Example:
  anteroom feed add nurses-4b
The program then says what it knows with:
  PUT https://PORTAL/api/v1/devices/NAME/clinical-use   Authorization: Bearer TOKEN   {\"state\": \"in_use\"}")]
    Add { name: String },
    /// Its token opens nothing any more.
    Revoke { name: String },
    /// All of them, revoked ones too.
    List,
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    with_context!(&a.config, cx => match a.what {
        What::Add { name } => {
            let token = cx.approvals.add_feed(None, &name).await?;
            Ok(out.line(token.expose())?)
        }
        What::Revoke { name } => {
            cx.approvals.revoke_feed(None, &name).await?;
            Ok(out.line(format!("{name} may say nothing any more"))?)
        }
        What::List => {
            let feeds = cx.approvals.feeds().await?;
            if a.json.json {
                return Ok(out.json(&feeds)?);
            }
            let row = |f: anteroom_approvals::Feed| vec![f.name, moment(f.made_at), f.revoked_at.map_or_else(String::new, moment)];
            let rows: Vec<_> = feeds.into_iter().map(row).collect();
            Ok(out.table(&["NAME", "SINCE", "REVOKED"], &rows, "nobody yet; add a program with: anteroom feed add")?)
        }
    })
}
