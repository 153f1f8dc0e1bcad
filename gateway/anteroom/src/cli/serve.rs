use super::{ConfigArg, Done};
use crate::{config, logging};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigArg,
}

pub(crate) async fn run(a: Args) -> Done {
    let checked = config::load(&a.config.config)?;
    let log = logging::start(&checked.log_level, checked.log_format);
    Ok(Box::pin(crate::serve::serve(&a.config.config, checked, log)).await?)
}
