//! From a key pressed to its echo, through a terminal on the target in raw mode.
use super::{HOSTS, lab::Lab, quantile};
use anyhow::{Context, Result};
use std::{
    io::{Read, Write},
    process::{Child, ChildStdin, ChildStdout, Stdio},
    time::{Duration, Instant},
};

/// Milliseconds.
#[derive(Debug)]
pub struct Echo {
    pub p50: [f64; 3],
    pub p99: [f64; 3],
}

struct Terminal {
    ssh: Child,
    keys: ChildStdin,
    screen: ChildStdout,
}

impl Terminal {
    fn open(lab: &Lab, host: &str) -> Result<Self> {
        let mut ssh =
            lab.ssh(host).args(["-tt", "stty raw -echo; printf READY; exec cat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (keys, mut screen) = (ssh.stdin.take().context("stdin")?, ssh.stdout.take().context("stdout")?);
        let mut seen = Vec::new();
        while !seen.ends_with(b"READY") {
            let mut byte = [0];
            screen.read_exact(&mut byte).with_context(|| format!("{host} closed the terminal"))?;
            seen.push(byte[0]);
        }
        Ok(Self { ssh, keys, screen })
    }

    fn press(&mut self) -> Result<f64> {
        let began = Instant::now();
        self.keys.write_all(b"x")?;
        self.screen.read_exact(&mut [0])?;
        Ok(began.elapsed().as_secs_f64() * 1e3)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.ssh.kill();
        let _ = self.ssh.wait();
    }
}

pub fn measure(lab: &Lab, presses: usize) -> Result<Echo> {
    let mut terminals = HOSTS.into_iter().map(|h| Terminal::open(lab, h)).collect::<Result<Vec<_>>>()?;
    let mut taken = [const { Vec::new() }; 3];
    for round in 0..presses + 20 {
        for (terminal, into) in terminals.iter_mut().zip(&mut taken) {
            let ms = terminal.press()?;
            // The first ones wake everything up.
            if round >= 20 {
                into.push(ms);
            }
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    let at = |part: f64, taken: &[Vec<f64>; 3]| [0, 1, 2].map(|i| quantile(&mut taken[i].clone(), part));
    Ok(Echo { p50: at(0.5, &taken), p99: at(0.99, &taken) })
}
