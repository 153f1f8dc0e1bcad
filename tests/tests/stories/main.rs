//! What people do with it and what others try with it, through the real program, real Postgres, real OpenSSH and real Chromium.
//! One file a story; `deploy/test NAME` runs those whose name holds NAME.
#![allow(clippy::unwrap_used)]

mod approving;
mod archive;
mod audited_algorithms;
mod bad_input;
mod browser_terminal;
mod certificate_login;
mod channels;
mod damaged;
mod database_gone;
mod demo;
mod disk_full;
mod ending;
mod files;
mod forwards;
mod hostile_client;
mod hostile_target;
mod jump;
mod menu;
mod offered_key;
mod old_scp;
mod power_cut;
mod rdp_peers;
mod relay;
mod rotation;
mod same_time;
mod search;
mod shred;
mod slow_loris;
mod sockets_and_displays;
mod step_up;
mod supervisor;
mod telnet;
mod throttled;
mod transparent;
mod unmask;
mod who_may_watch;
mod whole_story;
