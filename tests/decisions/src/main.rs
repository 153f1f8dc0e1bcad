//! How many decisions and audit lines a second, for `make bench`. A program of its own, so that the tests around it need neither
//! database driver nor policy engine. Prints one JSON object.
#![forbid(unsafe_code)]
mod appends;
mod policy;

use anyhow::{Context, Result, bail};

#[allow(clippy::print_stdout, reason = "its whole purpose")]
fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let found = match arguments.next().as_deref() {
        Some("policy") => policy::measure()?,
        Some("appends") => appends::measure(&arguments.next().context("the database's URL")?)?,
        _ => bail!("decisions policy | decisions appends URL"),
    };
    println!("{found}");
    Ok(())
}
