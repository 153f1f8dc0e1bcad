//! Stories of RDP through the gateway, with real approvals, a real recorder, and targets and clients of every kind.
#![allow(clippy::unwrap_used, unreachable_pub, missing_debug_implementations, dead_code)]

#[path = "../../../approvals/tests/it/cluster.rs"]
mod cluster;
mod fake_client;
mod fake_target;
mod gate;
mod real;
mod targets;
mod tickets;
#[path = "../../../approvals/tests/it/world.rs"]
mod world;
