use super::{ConfigArg, Done, Out};
use crate::config;
use anyhow::Context as _;

pub(crate) fn run(arg: &ConfigArg, out: &mut Out) -> Done {
    let config = config::load(&arg.config)?;
    // Other commands look at files only; this one signs in to the token, once.
    if let Some(key) = &config.custody.masked_key {
        key.open().context("[replay] masked_key")?;
    }
    out.line(format!("{}: good", arg.config.display()))?;
    Ok(())
}
