//! The log: what the process does, never what people type or see (no ePHI, no secrets, no keystrokes).
use crate::config::LogFormat;
use anyhow::{Context, Result};
use std::{fs::OpenOptions, io::IsTerminal, os::unix::fs::OpenOptionsExt, path::Path, sync::Mutex};
use tracing::Metadata;
use tracing_subscriber::{
    EnvFilter, Layer as _, Registry, filter::filter_fn, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _,
};

/// Changes the level of a running process.
#[derive(Clone)]
pub(crate) struct LogLevel(reload::Handle<EnvFilter, Registry>);

impl LogLevel {
    /// `level` was checked before.
    pub(crate) fn set(&self, level: &str) {
        if let Ok(filter) = EnvFilter::try_new(level) {
            let _ = self.0.reload(filter);
        }
    }
}

/// Logs to a file, for a command whose terminal people read.
pub(crate) fn start_in_file(level: &str, path: &Path) -> Result<()> {
    let file =
        OpenOptions::new().create(true).append(true).mode(0o600).open(path).with_context(|| format!("cannot write {}", path.display()))?;
    let filter = EnvFilter::try_from_env("ANTEROOM_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let layer = tracing_subscriber::fmt::layer().with_writer(Mutex::new(file)).with_ansi(false).with_target(false);
    drop(tracing_subscriber::registry().with(filter).with(layer.with_filter(filter_fn(tells_no_secrets))).try_init());
    Ok(())
}

/// Logs to stderr. `ANTEROOM_LOG` wins over `level`.
pub(crate) fn start(level: &str, format: LogFormat) -> LogLevel {
    let filter = EnvFilter::try_from_env("ANTEROOM_LOG").or_else(|_| EnvFilter::try_new(level)).unwrap_or_else(|_| EnvFilter::new("info"));
    let (filter, handle) = reload::Layer::new(filter);
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let registry = tracing_subscriber::registry().with(filter);
    let done = match format {
        LogFormat::Text => {
            let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colour).with_target(false);
            registry.with(layer.with_filter(filter_fn(tells_no_secrets))).try_init()
        }
        LogFormat::Json => {
            let layer = tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr);
            registry.with(layer.with_filter(filter_fn(tells_no_secrets))).try_init()
        }
    };
    // Only a second call in one process can fail, and then the first one's log goes on.
    drop(done);
    LogLevel(handle)
}

/// Whose messages never reach a log, whatever its level: at debug, sspi writes the passwords it sends.
const TALKATIVE: [&str; 3] = ["sspi", "ironrdp", "picky"];

fn tells_no_secrets(m: &Metadata<'_>) -> bool {
    !TALKATIVE.iter().any(|name| m.target().starts_with(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_level_makes_the_nla_library_talk() {
        let written = Written::default();
        let out = written.clone();
        let layer = tracing_subscriber::fmt::layer().with_writer(move || out.clone()).with_filter(filter_fn(tells_no_secrets));
        let log = tracing_subscriber::registry().with(EnvFilter::new("trace,sspi=trace")).with(layer);
        tracing::subscriber::with_default(log, || {
            tracing::debug!(target: "sspi::credssp::ts_request", "hunter2");
            tracing::debug!(target: "ironrdp_connector", "hunter2");
            tracing::debug!(target: "anteroom_gateway::rdp", "harmless");
        });
        let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert!(written.contains("harmless") && !written.contains("hunter2"), "{written}");
    }
}
