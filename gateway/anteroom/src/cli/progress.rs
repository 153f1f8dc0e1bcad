//! Progress bars: on stderr, and only where somebody looks.
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal as _};

/// A bar of this form. `to_file`: what the command makes does not go to stdout, so the bar cannot mix with it.
pub(super) fn bar(form: &str, length: Option<u64>, to_file: bool) -> ProgressBar {
    let watched = io::stderr().is_terminal() && (to_file || !io::stdout().is_terminal());
    let target = if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(length, target).with_style(style)
}
