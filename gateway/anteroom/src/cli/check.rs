use super::{ConfigArg, Done, Out};
use crate::config;

pub(crate) fn run(arg: &ConfigArg, out: &mut Out) -> Done {
    config::load(&arg.config)?;
    out.line(format!("{}: good", arg.config.display()))?;
    Ok(())
}
