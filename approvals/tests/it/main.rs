//! Stories of deciding, told against a real Postgres and with a software passkey.
#![allow(clippy::unwrap_used, unreachable_pub, missing_debug_implementations)]

mod alarms;
mod asking_policy;
mod audit;
mod authorities;
mod away;
mod break_glass;
mod cards;
mod certificates;
mod cluster;
mod companies;
mod connecting;
mod devices;
mod evidence;
mod holds;
mod identity;
mod locks;
mod managing;
mod notices;
mod own_stop;
mod patients;
mod posture;
mod quorum;
mod relays;
mod review;
mod safe_mode;
mod search;
mod ssh_keys;
mod supervision;
mod targets;
mod tickets;
mod unmask;
mod vendor_roles;
mod vendor_targets;
mod watching;
mod world;
