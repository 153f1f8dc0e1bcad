//! How fast the watcher is: `cargo run --release --example throughput -p anteroom-files`.
#![allow(clippy::print_stdout, clippy::unwrap_used)]
use anteroom_domain::Capabilities;
use anteroom_files::{Out, Sftp};
use bytes::{Bytes, BytesMut};
use std::time::Instant;

const BLOCK: u32 = 32 << 10;
const BLOCKS: u32 = 32_768;

fn packet(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&(body.len() as u32 + 1).to_be_bytes()[..], &[kind], &body].concat()
}

fn n(v: u32) -> [u8; 4] {
    v.to_be_bytes()
}

/// One file of 1 GiB up or down, as SSH packets of 32 KiB that know nothing of SFTP's boundaries.
fn run(name: &str, upload: bool, grant: &str, hashing: bool) {
    let granted = Capabilities::parse([grant]).unwrap();
    let mut watcher = Sftp::new(&granted);
    if !hashing {
        watcher = watcher.without_hashing();
    }
    let mut out = Out::default();
    let handle = [&n(4)[..], b"hndl"].concat();
    watcher.client(&packet(1, &[&n(3)]).into(), &mut out).unwrap();
    watcher.target(&packet(2, &[&n(3)]).into(), &mut out).unwrap();
    let flags = if upload { 26 } else { 1 };
    watcher.client(&packet(3, &[&n(1), &n(1), b"x", &n(flags), &n(0)]).into(), &mut out).unwrap();
    watcher.target(&packet(102, &[&n(1), &handle]).into(), &mut out).unwrap();
    if !upload {
        let attrs = [&n(5)[..], &(1_u64 << 30).to_be_bytes(), &n(0o100_644)].concat();
        watcher.target(&packet(105, &[&n(0xa000_0000), &attrs]).into(), &mut out).unwrap();
    }
    let data = vec![7; BLOCK as usize];
    let started = Instant::now();
    let mut feeding = 0.0;
    let mut stream = BytesMut::new();
    for i in 0..BLOCKS {
        let (id, offset) = (n(2 + i), (u64::from(i) * u64::from(BLOCK)).to_be_bytes());
        out = Out::default();
        let read = Bytes::from(packet(5, &[&id, &handle, &offset, &n(BLOCK)]));
        match upload {
            true => stream.extend_from_slice(&packet(6, &[&id, &handle, &offset, &n(BLOCK), &data])),
            false => stream.extend_from_slice(&packet(103, &[&id, &n(BLOCK), &data])),
        }
        let pieces: Vec<Bytes> =
            std::iter::from_fn(|| (stream.len() >= BLOCK as usize).then(|| stream.split_to(BLOCK as usize).freeze())).collect();
        let at = Instant::now();
        if !upload {
            watcher.client(&read, &mut out).unwrap();
        }
        for piece in &pieces {
            if upload { watcher.client(piece, &mut out).unwrap() } else { watcher.target(piece, &mut out).unwrap() }
        }
        if upload && i > 0 {
            let earlier = packet(101, &[&n(1 + i), &n(0), &n(0), &n(0)]);
            watcher.target(&earlier.into(), &mut out).unwrap();
        }
        feeding += at.elapsed().as_secs_f64();
    }
    let mib = f64::from(BLOCKS) / 32.0;
    println!("{name:24} {:8.0} MB/s in the watcher ({:.1} s in all)", mib * 1.048_576 / feeding, started.elapsed().as_secs_f64());
}

fn main() {
    run("download", false, "download", true);
    run("upload", true, "upload", true);
    run("download, no hash", false, "download", false);
    run("upload, no hash", true, "upload", false);
    run("download, kept, no hash", false, "download:**;keep", false);
}
