use super::{ConfigArg, Done, Out};
use crate::{config, database::Database, logging};

pub(crate) async fn run(arg: &ConfigArg, out: &mut Out) -> Done {
    let config = config::load(&arg.config)?;
    logging::start("warn", config::LogFormat::Text);
    let database = Database::open(&config.database).await?;
    let done = database.migrate().await;
    database.stop().await;
    done?;
    out.line("the schema is up to date")?;
    Ok(())
}
