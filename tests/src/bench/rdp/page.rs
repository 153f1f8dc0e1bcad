//! What the target shows while it is measured.
use crate::harness::rdp::{Desk, Display, Kind};
use anyhow::Result;
use std::path::Path;

pub(super) const WIDTH: u32 = 1024;
pub(super) const HEIGHT: u32 = 768;
/// Where black and white take turns, page by page.
pub(super) const MARK: (u32, u32) = (14, 12);

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Another page of words, and the mark changes its colour.
    Turned,
    /// A few lines a second go by, for ever.
    Scrolling,
    /// Nothing but a clock.
    Idle,
}

impl Page {
    /// In the shell of the target's terminal.
    fn script(self) -> &'static str {
        match self {
            Self::Turned => {
                r#"stty raw -echo
n=0
while :; do
    n=$((n + 1))
    if [ $((n % 2)) = 1 ]; then c=47; else c=40; fi
    awk -v n=$n -v c=$c 'BEGIN {
        split("ward pump ready service battery admitted invented status report lamp window plain", w, " "); srand(n)
        printf "\033[H\033[%sm        \033[0m\033[K", c
        for (l = 1; l < 32; l++) { printf "\r\n"; for (i = 0; i < 13; i++) printf "%s ", w[1 + int(rand() * 12)]; printf "\033[K" } }'
    dd bs=1 count=1 >/dev/null 2>&1
done"#
            }
            Self::Scrolling => {
                r#"n=0
while :; do
    n=$((n + 1))
    printf 'line %s of the report: ward 4, pump %s ready, battery full, last service in March\n' $n $((n * 7 % 1000))
    sleep 0.1
done"#
            }
            Self::Idle => "while :; do date '+%H:%M'; sleep 60; done",
        }
    }

    pub fn desk(self, dir: &Path) -> Result<Desk> {
        Desk::showing(Display::start(dir, Kind::Xvfb, WIDTH, HEIGHT)?, dir, self.script())
    }
}
