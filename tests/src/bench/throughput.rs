use super::{HOSTS, lab::Lab, median};
use anyhow::{Context, Result, ensure};
use std::{
    fs::File,
    io::Write,
    process::{Command, Stdio},
    time::Instant,
};

/// MB/s of each way, and what the gateway spent.
#[derive(Debug)]
pub struct Throughput {
    pub rate: [f64; 3],
    /// Seconds of CPU.
    pub gateway_cpu_per_gib: f64,
}

/// Milliseconds from starting `ssh` to the end of `true`.
pub fn setup(lab: &Lab, times: usize) -> Result<[f64; 3]> {
    let taken = interleaved(times, |host| timed(lab.ssh(host).arg("true")))?;
    Ok(taken.map(|mut v| median(&mut v) * 1e3))
}

pub fn download(lab: &Lab, megabytes: usize, rounds: usize) -> Result<Throughput> {
    let noise = lab.noise(megabytes)?;
    transfer(lab, megabytes, rounds, |host| timed(lab.ssh(host).arg(format!("cat {}", noise.display())).stdout(Stdio::null())))
}

pub fn upload(lab: &Lab, megabytes: usize, rounds: usize) -> Result<Throughput> {
    let noise = lab.noise(megabytes)?;
    transfer(lab, megabytes, rounds, |host| timed(lab.ssh(host).arg("cat >/dev/null").stdin(File::open(&noise)?)))
}

/// `get` of sftp into nothing that is kept.
pub fn sftp_get(lab: &Lab, megabytes: usize, rounds: usize) -> Result<Throughput> {
    let (noise, got) = (lab.noise(megabytes)?, lab.scratch("got")?);
    transfer(lab, megabytes, rounds, |host| sftp(lab, host, &format!("get {} {}", noise.display(), got.display())))
}

/// `put` of sftp, over the same file each time.
pub fn sftp_put(lab: &Lab, megabytes: usize, rounds: usize) -> Result<Throughput> {
    let (noise, put) = (lab.noise(megabytes)?, lab.scratch("put")?);
    transfer(lab, megabytes, rounds, |host| sftp(lab, host, &format!("put {} {}", noise.display(), put.display())))
}

fn sftp(lab: &Lab, host: &str, command: &str) -> Result<f64> {
    let began = Instant::now();
    let mut sftp = lab.sftp(host).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    sftp.stdin.take().context("stdin")?.write_all(format!("{command}\n").as_bytes())?;
    let status = sftp.wait()?;
    ensure!(status.success(), "sftp {host}: {command:?} ended with {status}");
    Ok(began.elapsed().as_secs_f64())
}

fn transfer(lab: &Lab, megabytes: usize, rounds: usize, run: impl Fn(&str) -> Result<f64>) -> Result<Throughput> {
    // The first one fills caches and is not counted.
    for host in HOSTS {
        run(host)?;
    }
    let mut cpu = Vec::new();
    let taken = interleaved(rounds, |host| {
        let before = lab.gateway_cpu()?;
        let seconds = run(host)?;
        if host == "gateway" {
            cpu.push((lab.gateway_cpu()? - before) * 1024.0 / megabytes as f64);
        }
        Ok(seconds)
    })?;
    let megabytes_10 = megabytes as f64 * 1.048_576;
    Ok(Throughput { rate: taken.map(|mut v| megabytes_10 / median(&mut v)), gateway_cpu_per_gib: median(&mut cpu) })
}

fn interleaved(times: usize, mut run: impl FnMut(&str) -> Result<f64>) -> Result<[Vec<f64>; 3]> {
    let mut taken = [const { Vec::new() }; 3];
    for _ in 0..times {
        for (host, into) in HOSTS.into_iter().zip(&mut taken) {
            into.push(run(host)?);
        }
    }
    Ok(taken)
}

fn timed(command: &mut Command) -> Result<f64> {
    let began = Instant::now();
    let status = command.status()?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(began.elapsed().as_secs_f64())
}
