//! `make bench`: how fast is it beside the jump host it replaces, and how many sessions does it bear? Starts the lab, measures
//! `direct`, `jump` and `gateway` interleaved in one run, so that whatever else the machine does hits all three, and prints medians
//! and ratios; then opens many terminals at once.
//!
//! `BENCH_MB` (256), `BENCH_MASKING_MB` (32), `BENCH_VERIFY_MB` (1024), `BENCH_ROUNDS` (5), `BENCH_SETUPS` (15), `BENCH_SESSIONS` (2000)
//! and `BENCH_RATE` (200 a second), `BENCH_RDP_ROUNDS` (100) and `BENCH_RDP_SECONDS` (60) change its size. `BENCH_ONLY` names what to measure,
//! separated by commas: setup, down, up, get, put, echo, capacity, seek, masking, verify, rdp, decisions, appends, revoke. `BENCH_REVOKED` (500) sessions are ended at once.
use anteroom_tests::bench::{capacity, echo, lab::Lab, masking, rdp, seek, throughput, verify, zero_trust};
use anyhow::Result;

const ALL: &str = "setup,down,up,get,put,echo,capacity,seek,masking,verify,rdp,decisions,appends,revoke";

/// What needs no lab.
const ALONE: &[&str] = &["seek", "masking", "verify", "rdp", "decisions", "appends", "revoke"];

#[allow(clippy::print_stdout, reason = "its whole purpose")]
fn main() -> Result<()> {
    let number = |name: &str, default: usize| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let (megabytes, rounds, setups) = (number("BENCH_MB", 256), number("BENCH_ROUNDS", 5), number("BENCH_SETUPS", 15));
    let only = std::env::var("BENCH_ONLY").unwrap_or_else(|_| ALL.into());
    let wanted = |what: &str| only.split(',').any(|w| w.trim() == what);
    if wanted("seek") {
        let s = seek::measure(200)?;
        println!(
            "seek in 8 h of recording  p50 {:.1} ms, p99 {:.1} ms server side ({:.1} MiB of masked track)",
            s.p50,
            s.p99,
            s.bytes as f64 / 1_048_576.0
        );
    }
    if wanted("masking") {
        masking::measure(number("BENCH_MASKING_MB", 32))?.print();
    }
    if wanted("verify") {
        let v = verify::measure(number("BENCH_VERIFY_MB", 1024), 3)?;
        println!(
            "verify                    {:.0} MB/s; reading the same {:.0} MB alone {:.0} MB/s ({:.2}x)",
            v.verified,
            v.bytes as f64 / 1e6,
            v.read,
            v.verified / v.read
        );
    }
    if wanted("decisions") {
        let d = zero_trust::decisions()?;
        println!(
            "decisions                 {:.0} a second on one core, {} policies asked; {:.0} without any policy text ({:.2}x)",
            d.per_second,
            d.policies,
            d.without_policy,
            d.per_second / d.without_policy
        );
    }
    if wanted("appends") {
        let a = zero_trust::appends()?;
        println!(
            "audit appends             {:.0} a second durable, by 8 at once; the bare insert by pgbench {:.0} ({:.2}x); {:.0} a second into the tree",
            a.per_second,
            a.bare,
            a.per_second / a.bare,
            a.sequenced
        );
    }
    if wanted("revoke") {
        let r = zero_trust::revoke(number("BENCH_REVOKED", 500))?;
        println!(
            "revoke to session end     p50 {:.0} ms, p99 {:.0} ms, last {:.0} ms; {} of {} sessions on two gateways, one Postgres",
            r.p50_ms, r.p99_ms, r.last_ms, r.ended, r.wanted
        );
    }
    if wanted("rdp") {
        desktops(number("BENCH_RDP_ROUNDS", 100), number("BENCH_RDP_SECONDS", 60) as u64)?;
    }
    if only.split(',').all(|w| ALONE.contains(&w.trim())) {
        return Ok(());
    }
    let lab = Lab::start()?;
    println!("\n{megabytes} MiB a transfer, medians of {rounds}; {setups} connections; recording on; one run, interleaved");
    println!("{:<24}{:>11}{:>11}{:>11}   anteroom against ssh -J", "", "direct", "ssh -J", "anteroom");
    let row = |what: &str, v: [f64; 3], more: &str| {
        println!("{what:<24}{:>11.2}{:>11.2}{:>11.2}   {:.2}x{more}", v[0], v[1], v[2], v[2] / v[1]);
    };
    if wanted("setup") {
        row("set-up, ms", throughput::setup(&lab, setups)?, "  (less is better)");
    }
    type Transfer = fn(&Lab, usize, usize) -> Result<throughput::Throughput>;
    let transfers: [(&str, &str, Transfer); 4] = [
        ("down", "download, MB/s", throughput::download),
        ("up", "upload, MB/s", throughput::upload),
        ("get", "sftp get, MB/s", throughput::sftp_get),
        ("put", "sftp put, MB/s", throughput::sftp_put),
    ];
    for (name, title, measure) in transfers {
        if wanted(name) {
            let t = measure(&lab, megabytes, rounds)?;
            row(title, t.rate, &format!("  gateway {:.2} s CPU a GiB", t.gateway_cpu_per_gib));
        }
    }
    if wanted("echo") {
        let keys = echo::measure(&lab, 400)?;
        row("keystroke echo p50, ms", keys.p50, &format!("  {:+.2} ms to direct", keys.p50[2] - keys.p50[0]));
        row("keystroke echo p99, ms", keys.p99, &format!("  {:+.2} ms to direct", keys.p99[2] - keys.p99[0]));
    }
    println!("gateway: {:.0} MiB resident", lab.gateway_memory_mib()?);
    if wanted("capacity") {
        let (sessions, rate) = (number("BENCH_SESSIONS", 2000), number("BENCH_RATE", 200));
        let c = capacity::measure(&lab, sessions, u32::try_from(rate)?)?;
        println!("\nterminals at once, each a connection of its own, to a target that costs little; key and remembered step-up");
        println!("resident a session        {:.0} KiB at {} idle terminals", c.kib_each, c.idle);
        println!("held                      {} of {}, {} of them echo", c.held, c.wanted, c.echoing);
        println!(
            "new sessions a second     {:.0} of {rate} asked for; terminal ready after p50 {:.0} ms, p99 {:.0} ms",
            c.per_second, c.p50_ms, c.p99_ms
        );
        println!("gateway                   {:.2} ms CPU a new session, {:.0} MiB resident", c.cpu_ms, lab.gateway_memory_mib()?);
        for (what, times) in &c.failed {
            println!("failed                    {times} times: {what}");
        }
    }
    lab.stop()
}

#[allow(clippy::print_stdout, reason = "its whole purpose")]
fn desktops(rounds: usize, seconds: u64) -> Result<()> {
    let stage = rdp::Stage::start()?;
    println!(
        "\na desktop of 1024 x 768, RemoteFX, FreeRDP to FreeRDP's shadow; {rounds} pages turned on each road, interleaved; recording on"
    );
    let m = rdp::latency(&stage, rounds)?;
    for (what, v) in [("p50", m.p50), ("p99", m.p99)] {
        println!("key to page {what}, ms       direct {:.1}, anteroom {:.1} ({:+.1})", v[0], v[1], v[1] - v[0]);
    }
    println!("gateway, CPU a megapixel  {:.1} ms; OCR behind it {:.1} ms", m.cpu_ms, m.ocr_ms);
    for (what, name, page) in [("scrolling", "bench-scrolled", rdp::Page::Scrolling), ("idle", "bench-idle", rdp::Page::Idle)] {
        let l = rdp::recorded(&stage, name, page, seconds)?;
        println!(
            "{:<26}{:.2} MiB recorded a minute; read {:.1} s after the end of {seconds} s, {:.1} s CPU of OCR",
            format!("a desktop that is {what}"),
            l.mib_per_minute,
            l.queue.as_secs_f64(),
            l.ocr_cpu
        );
    }
    let [direct, through] = rdp::load(&stage, rounds.min(20))?;
    for (road, lag) in [("direct", direct), ("anteroom", through)] {
        let row: Vec<String> = lag.p50.iter().map(|v| format!("{v:.0}")).collect();
        println!("{road:<9} key to page, ms, beside 0, 1, 2 ... desktops that scroll: {}", row.join(", "));
    }
    stage.world.stop_gateway()
}
