//! The measurements themselves.
use super::{
    page::{HEIGHT, MARK, Page, WIDTH},
    stage::Stage,
};
use crate::{
    bench::quantile,
    harness::{python_client, rdp::Client, wait_for},
};
use anyhow::{Context, Result, bail};
use std::{
    thread,
    time::{Duration, Instant},
};

const MEGAPIXELS: f64 = WIDTH as f64 * HEIGHT as f64 / 1e6;
/// Presses in a row on one road, before it is the other's turn.
const TURN: usize = 5;
const PAUSE_MS: &str = "150";
/// From here on people say that it lags (MS-RDPEGFX names no number; 100 ms is where a reaction stops to feel direct).
const LAGS_MS: f64 = 100.0;
const MOST_SESSIONS: usize = 12;
/// Clearing what a long scroll showed.
const CLEARED: Duration = Duration::from_secs(1800);

/// From a key to its page, milliseconds; directly and through the gateway.
#[derive(Debug)]
pub struct Measured {
    pub p50: [f64; 2],
    pub p99: [f64; 2],
    /// The gateway's CPU for a megapixel that changed, milliseconds: relaying, recording and decoding; OCR apart.
    pub cpu_ms: f64,
    pub ocr_ms: f64,
}

/// What a minute of a desktop leaves behind.
#[derive(Debug)]
pub struct Load {
    pub mib_per_minute: f64,
    /// From the end of the session until everything it showed was read.
    pub queue: Duration,
    pub ocr_cpu: f64,
}

/// Sessions at once, on one road.
#[derive(Debug)]
pub struct Lag {
    /// The median reaction beside this many others that scroll.
    pub p50: Vec<f64>,
}

fn press(client: &Client, rounds: usize) -> Result<Vec<f64>> {
    let mut probe = python_client("press_and_see.py")?;
    probe.args([&client.display.name(), &MARK.0.to_string(), &MARK.1.to_string(), "space", &rounds.to_string(), PAUSE_MS]);
    let out = probe.output().context("cannot run press_and_see.py")?;
    if !out.status.success() {
        bail!("press_and_see.py: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    let said = String::from_utf8(out.stdout)?;
    // What never came is as late as we waited.
    Ok(said.lines().map(|l| l.parse().unwrap_or(5000.0)).collect())
}

pub fn latency(stage: &Stage, rounds: usize) -> Result<Measured> {
    let (target, grant) = stage.target("bench-pages", Page::Turned)?;
    let clients = [stage.direct(&target)?, stage.through(&grant)?];
    let mut taken = [const { Vec::new() }; 2];
    for client in &clients {
        // The first ones wake everything up.
        press(client, TURN)?;
    }
    let before = stage.cpu()?;
    let mut turned = 0;
    while turned < rounds * 2 {
        for (client, into) in clients.iter().zip(&mut taken) {
            into.extend(press(client, TURN)?);
            turned += TURN;
        }
    }
    let after = stage.cpu()?;
    let changed = turned as f64 * MEGAPIXELS;
    let at = |part: f64| [0, 1].map(|i: usize| quantile(&mut taken[i].clone(), part));
    Ok(Measured {
        p50: at(0.5),
        p99: at(0.99),
        cpu_ms: (after.own - before.own) * 1e3 / changed,
        ocr_ms: (after.children - before.children) * 1e3 / changed,
    })
}

/// Looks at a page for so long, then waits until its recording is closed.
pub fn recorded(stage: &Stage, name: &str, page: Page, seconds: u64) -> Result<Load> {
    let (_target, grant) = stage.target(name, page)?;
    let (bytes, cpu) = (stage.recorded(), stage.cpu()?);
    let client = stage.through(&grant)?;
    let began = Instant::now();
    thread::sleep(Duration::from_secs(seconds));
    let looked = began.elapsed();
    let id = stage.world.sessions()?.first().and_then(|s| s["id"].as_str().map(str::to_owned)).context("no session")?;
    stage.world.cli.good(&["session", "terminate", &id, "--as", "bench-approver"])?;
    let ended = Instant::now();
    drop(client);
    wait_for("the recording to be closed", CLEARED, || {
        let all = stage.world.sessions()?;
        let closed = all.iter().any(|s| s["id"] == id.as_str() && !s["ended_at"].is_null() && s["recording"] != "recording");
        if !closed {
            thread::sleep(Duration::from_millis(200));
        }
        Ok(closed.then_some(()))
    })?;
    Ok(Load {
        mib_per_minute: (stage.recorded() - bytes) as f64 / 1_048_576.0 * 60.0 / looked.as_secs_f64(),
        queue: ended.elapsed(),
        ocr_cpu: stage.cpu()?.children - cpu.children,
    })
}

/// More and more desktops that scroll, until the one that is worked on lags; on both roads.
pub fn load(stage: &Stage, rounds: usize) -> Result<[Lag; 2]> {
    let (pages, pages_grant) = stage.target("bench-worked-on", Page::Turned)?;
    let (scrolls, scrolls_grant) = stage.target("bench-scrolling", Page::Scrolling)?;
    let road = |through: bool| -> Result<Lag> {
        let open = |of, grant: &str| if through { stage.through(grant) } else { stage.direct(of) };
        let worked_on = open(&pages, &pages_grant)?;
        press(&worked_on, TURN)?;
        let (mut others, mut p50) = (Vec::new(), Vec::new());
        while others.len() < MOST_SESSIONS {
            let now = quantile(&mut press(&worked_on, rounds)?, 0.5);
            p50.push(now);
            if now > LAGS_MS {
                break;
            }
            others.push(open(&scrolls, &scrolls_grant)?);
        }
        Ok(Lag { p50 })
    };
    Ok([road(false)?, road(true)?])
}
