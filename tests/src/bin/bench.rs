//! `make bench`: how fast is it beside the jump host it replaces? Starts the lab, measures `direct`, `jump` and `gateway`
//! interleaved in one run, so that whatever else the machine does hits all three, and prints medians and ratios.
//!
//! `BENCH_MB` (256), `BENCH_ROUNDS` (5) and `BENCH_SETUPS` (15) change its size.
use anteroom_tests::bench::{echo, lab::Lab, throughput};
use anyhow::Result;

#[allow(clippy::print_stdout, reason = "its whole purpose")]
fn main() -> Result<()> {
    let number = |name: &str, default: usize| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let (megabytes, rounds, setups) = (number("BENCH_MB", 256), number("BENCH_ROUNDS", 5), number("BENCH_SETUPS", 15));
    let lab = Lab::start()?;
    let setup = throughput::setup(&lab, setups)?;
    let download = throughput::download(&lab, megabytes, rounds)?;
    let upload = throughput::upload(&lab, megabytes, rounds)?;
    let keys = echo::measure(&lab, 400)?;
    let memory = lab.gateway_memory_mib()?;
    lab.stop()?;
    println!("\n{megabytes} MiB a transfer, medians of {rounds}; {setups} connections; recording on; one run, interleaved");
    println!("{:<28}{:>12}{:>12}{:>12}   anteroom against ssh -J", "", "direct", "ssh -J", "anteroom");
    let row = |what: &str, v: [f64; 3], ratio: f64, better: &str| {
        println!("{what:<28}{:>12.1}{:>12.1}{:>12.1}   {ratio:.2}x{better}", v[0], v[1], v[2]);
    };
    row("set-up, ms", setup, setup[2] / setup[1], "  (less is better)");
    row("download, MB/s", download.rate, download.rate[2] / download.rate[1], "");
    row("upload, MB/s", upload.rate, upload.rate[2] / upload.rate[1], "");
    row("keystroke echo p50, ms", keys.p50, keys.p50[2] / keys.p50[1], "  (less is better)");
    row("keystroke echo p99, ms", keys.p99, keys.p99[2] / keys.p99[1], "  (less is better)");
    println!("added to direct by anteroom: p50 {:.2} ms, p99 {:.2} ms", keys.p50[2] - keys.p50[0], keys.p99[2] - keys.p99[0]);
    println!(
        "gateway: {:.2} s CPU a GiB down, {:.2} s up, {memory:.0} MiB resident at the end",
        download.gateway_cpu_per_gib, upload.gateway_cpu_per_gib
    );
    Ok(())
}
