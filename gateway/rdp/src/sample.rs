//! The capability exchange as small servers and clients do it: for tests and fuzzers.
#![allow(clippy::unwrap_used)]

use crate::wire::{
    Put as _,
    share::{self, SERVER_USER},
};

pub(crate) const USER: u16 = 1007;
pub(crate) const SHARE: u32 = 0x1_03ea;

/// A set of capabilities: kind and body.
fn set(kind: u16, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.put16(kind);
    out.put16(u16::try_from(body.len() + 4).unwrap());
    out.extend_from_slice(body);
    out
}

fn general(fast: bool) -> Vec<u8> {
    // FASTPATH_OUTPUT_SUPPORTED; refresh rect and suppress output
    set(1, &[1, 0, 3, 0, 0, 2, 0, 0, 0, 0, u8::from(fast), 0, 0, 0, 0, 0, 0, 0, 1, 1])
}

fn bitmap(depth: u16, width: u16, height: u16) -> Vec<u8> {
    let mut body = Vec::new();
    [depth, 1, 1, 1, width, height, 0, 1, 1, 0, 1, 0].into_iter().for_each(|n| body.put16(n));
    set(2, &body)
}

fn input_set() -> Vec<u8> {
    let mut body = vec![0; 84];
    body[0] = 0x29;
    set(0xd, &body)
}

pub(crate) fn demand(width: u16, height: u16) -> Vec<u8> {
    let sets = [general(true), bitmap(32, width, height), input_set()];
    let all = sets.concat();
    let mut body = Vec::new();
    body.put32(SHARE);
    body.put16(4);
    body.put16(u16::try_from(all.len() + 4).unwrap());
    body.extend_from_slice(b"RDP\0");
    body.put16(3);
    body.put16(0);
    body.extend_from_slice(&all);
    body.put32(0);
    share::control(share::DEMAND_ACTIVE, SERVER_USER, &body)
}

pub(crate) fn confirm(depth: u16, fast: bool) -> Vec<u8> {
    let all = [general(fast), bitmap(depth, 1280, 800)].concat();
    let mut body = Vec::new();
    body.put32(SHARE);
    body.put16(1002);
    body.put16(4);
    body.put16(u16::try_from(all.len() + 4).unwrap());
    body.extend_from_slice(b"RDP\0");
    body.put16(2);
    body.put16(0);
    body.extend_from_slice(&all);
    share::control(share::CONFIRM_ACTIVE, USER, &body)
}
