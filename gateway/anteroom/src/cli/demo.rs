use super::{Done, Out};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(after_help = "Ctrl-C stops it and keeps everything; the next start goes on from there. --reset forgets.")]
pub(crate) struct Args {
    /// Where its state is kept.
    #[arg(long, value_name = "DIR", default_value = "demo-state")]
    dir: PathBuf,
    /// Remove the state and end.
    #[arg(long)]
    reset: bool,
}

pub(crate) async fn run(a: Args, out: &mut Out) -> Done {
    if a.reset {
        crate::demo::reset(&a.dir)?;
        out.line(format!("{} is forgotten", a.dir.display()))?;
        return Ok(());
    }
    Ok(Box::pin(crate::demo::run(&a.dir, out)).await?)
}
