//! The table: scenarios down, clients across, and what each cell came to.
use super::{
    attempt::Attempt,
    clients::Client,
    known::{self, Known},
    outcome::{Outcome, Told},
    stage::{Stage, Way},
};
use anteroom_tests::harness::python_client;
use anyhow::{Context, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
    time::Duration,
};

type Act = Box<dyn Fn(&Attempt<'_>) -> Result<Outcome> + Send + Sync>;

/// What one client does in a scenario.
pub(crate) enum Cell {
    Do(Act),
    /// The Python driver does it; these are its words.
    Driver(Value),
    /// It cannot, and why.
    Not(&'static str),
}

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// How it may end directly; anything else means that the scenario itself is broken.
    ends: &'static [&'static str],
    /// What its standard output or facts hold directly.
    shows: &'static str,
    cells: Vec<(Client, Cell)>,
}

impl Scenario {
    pub(crate) fn new(name: &'static str, ends: &'static [&'static str], shows: &'static str) -> Self {
        Self { name, ends, shows, cells: Vec::new() }
    }

    /// A command with input, on every client.
    pub(crate) fn exec(
        name: &'static str,
        ends: &'static [&'static str],
        shows: &'static str,
        command: &'static str,
        input: Vec<u8>,
    ) -> Self {
        let words = json!({ "do": "exec", "command": STANDARD.encode(command), "input": STANDARD.encode(&input) });
        let run = move |a: &Attempt<'_>| a.exec(&[], command, &input);
        Self::new(name, ends, shows).by(&[Client::OpenSsh, Client::Plink, Client::Dbclient], run).driver(words)
    }

    pub(crate) fn by(mut self, clients: &[Client], act: impl Fn(&Attempt<'_>) -> Result<Outcome> + Send + Sync + Clone + 'static) -> Self {
        for c in clients {
            self = self.set(*c, Cell::Do(Box::new(act.clone())));
        }
        self
    }

    /// Both Python clients do it, by these words.
    pub(crate) fn driver(self, words: Value) -> Self {
        self.driven(Client::Paramiko, words.clone()).driven(Client::Asyncssh, words)
    }

    pub(crate) fn driven(self, client: Client, words: Value) -> Self {
        self.set(client, Cell::Driver(words))
    }

    pub(crate) fn not(mut self, clients: &[Client], why: &'static str) -> Self {
        for c in clients {
            self = self.set(*c, Cell::Not(why));
        }
        self
    }

    /// Takes the place of what was said of this client before.
    fn set(mut self, client: Client, cell: Cell) -> Self {
        self.cells.retain(|(c, _)| *c != client);
        self.cells.push((client, cell));
        self
    }
}

/// What a cell came to.
#[derive(Debug)]
enum Verdict {
    Same,
    /// It differs and is on the list.
    Known(&'static Known, String),
    Differs(String),
    /// It is on the list and does not differ.
    Outdated(&'static Known),
    /// Not even the direct run did what the scenario is about.
    Broken(String),
    Not(&'static str),
}

pub(crate) struct Table {
    scenarios: Vec<Scenario>,
    results: Mutex<BTreeMap<(usize, Client, bool), Outcome>>,
}

/// A driver does all its scenarios within this; each has a limit of its own.
const DRIVER_LIMIT: Duration = Duration::from_secs(180);
/// Commands at the same time: the machine has few cores and scenarios wait a lot.
const HANDS: usize = 5;

impl Table {
    /// Only scenarios whose name holds `wanted`.
    pub(crate) fn new(scenarios: Vec<Scenario>, wanted: &str) -> Self {
        let scenarios = scenarios.into_iter().filter(|s| s.name.contains(wanted)).collect();
        Self { scenarios, results: Mutex::default() }
    }

    /// Plays every cell on both ways.
    pub(crate) fn play(&self, stage: &Stage) {
        let mut work: Vec<Box<dyn FnOnce() + Send + '_>> = Vec::new();
        for way in [&stage.direct, &stage.gateway] {
            let through = std::ptr::eq(way, &stage.gateway);
            for (n, s) in self.scenarios.iter().enumerate() {
                for (client, cell) in &s.cells {
                    if let Cell::Do(act) = cell {
                        work.push(Box::new(move || self.tell(n, *client, through, one(stage, way, *client, n, act))));
                    }
                }
            }
        }
        // Taken from the end: the drivers first, as each is a long one.
        for way in [&stage.direct, &stage.gateway] {
            let through = std::ptr::eq(way, &stage.gateway);
            for client in [Client::Paramiko, Client::Asyncssh] {
                work.push(Box::new(move || self.drive(stage, way, client, through)));
            }
        }
        let work = Mutex::new(work);
        std::thread::scope(|s| {
            for _ in 0..HANDS {
                s.spawn(|| {
                    while let Some(job) = { work.lock().unwrap_or_else(PoisonError::into_inner).pop() } {
                        job();
                    }
                });
            }
        });
    }

    fn tell(&self, scenario: usize, client: Client, through: bool, outcome: Outcome) {
        self.results.lock().unwrap_or_else(PoisonError::into_inner).insert((scenario, client, through), outcome);
    }

    /// One process does all that this client has to do on this way.
    fn drive(&self, stage: &Stage, way: &Way, client: Client, through: bool) {
        let mut jobs = Vec::new();
        for (n, s) in self.scenarios.iter().enumerate() {
            for (c, cell) in &s.cells {
                if let (true, Cell::Driver(words)) = (*c == client, cell) {
                    let mut job = words.clone();
                    job["name"] = json!(n.to_string());
                    job["dir"] = json!(new_dir(way, client, n));
                    jobs.push(job);
                }
            }
        }
        if jobs.is_empty() {
            return;
        }
        let place = |name: &str| json!({ "port": way.place(name).port, "login": way.place(name).login });
        let order = json!({ "target": place("target"), "strict": place("strict"), "key": way.file("key"), "web_port": stage.web_port, "jobs": jobs });
        let told = driver(stage, way, client, &order);
        let mut told: BTreeMap<String, Outcome> = told.into_iter().map(|t| (t.name.clone(), Outcome::from(t))).collect();
        for job in &jobs {
            let name = job["name"].as_str().unwrap_or_default();
            let outcome =
                told.remove(name).unwrap_or_else(|| Outcome { end: "failed: the driver said nothing of it".into(), ..Default::default() });
            self.tell(name.parse().unwrap_or(0), client, through, outcome.with_names(&way.own_names()));
        }
    }

    fn verdict(&self, n: usize, client: Client) -> Verdict {
        let s = &self.scenarios[n];
        match s.cells.iter().find(|(c, _)| *c == client) {
            None => return Verdict::Broken("      nobody says what this client does here".into()),
            Some((_, Cell::Not(why))) => return Verdict::Not(why),
            Some(_) => {}
        }
        let results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(direct), Some(gateway)) = (results.get(&(n, client, false)), results.get(&(n, client, true))) else {
            return Verdict::Broken("      it was not played".into());
        };
        if !s.ends.contains(&&*direct.end) || !direct.holds(s.shows) {
            return Verdict::Broken(format!("      wanted {:?} with {:?}\n{}", s.ends, s.shows, Outcome::default().difference(direct)));
        }
        let terminal = s.name.starts_with("terminal") || s.name == "break";
        let gateway = &if terminal { gateway.clone().without_notice() } else { gateway.clone() };
        let difference = direct.difference(gateway);
        match (known::find(s.name, client), difference.is_empty()) {
            (None, true) => Verdict::Same,
            (Some(k), true) => Verdict::Outdated(k),
            (Some(k), false) if gateway.holds(k.still) => Verdict::Known(k, difference),
            (_, false) => Verdict::Differs(difference),
        }
    }

    /// The table and below it everything that is not simply the same; `Err` if anything is not as it should be.
    pub(crate) fn judged(&self) -> std::result::Result<String, String> {
        let width = self.scenarios.iter().map(|s| s.name.chars().count()).max().unwrap_or(0);
        let (mut table, mut notes, mut trouble) = (format!("{:width$}", ""), String::new(), String::new());
        for c in Client::ALL {
            let _ = write!(table, "  {c:9}");
        }
        table.push('\n');
        let mut sums = BTreeMap::<&str, usize>::new();
        for (n, s) in self.scenarios.iter().enumerate() {
            let _ = write!(table, "{:width$}", s.name);
            for c in Client::ALL {
                let verdict = self.verdict(n, c);
                let (word, note, bad) = match verdict {
                    Verdict::Same => ("ok", None, false),
                    Verdict::Not(why) => ("-", Some(format!("    not applicable: {why}\n")), false),
                    Verdict::Known(k, how) => ("known", Some(format!("    known: {}\n{how}", k.why)), false),
                    Verdict::Differs(how) => ("DIFFERS", Some(how), true),
                    Verdict::Broken(how) => ("BROKEN", Some(how), true),
                    Verdict::Outdated(k) => {
                        ("SAME NOW", Some(format!("      is the same now: take it off the list of known differences ({})\n", k.why)), true)
                    }
                };
                *sums.entry(word).or_default() += 1;
                let _ = write!(table, "  {word:9}");
                if let Some(note) = note {
                    let _ = write!(if bad { &mut trouble } else { &mut notes }, "  {} / {c}: {word}\n{note}", s.name);
                }
            }
            table.push('\n');
        }
        let sums: Vec<_> = sums.iter().map(|(w, n)| format!("{n} {w}")).collect();
        let _ = writeln!(table, "{}", sums.join(", "));
        if trouble.is_empty() { Ok(format!("{table}\n{notes}")) } else { Err(format!("{table}\n{notes}\n{trouble}")) }
    }
}

fn new_dir(way: &Way, client: Client, n: usize) -> std::path::PathBuf {
    let dir = way.file(&format!("work/{client}-{n}"));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

fn one(stage: &Stage, way: &Way, client: Client, n: usize, act: &Act) -> Outcome {
    let attempt = Attempt { stage, way, client, dir: new_dir(way, client, n) };
    let outcome = act(&attempt).unwrap_or_else(|e| Outcome { end: format!("failed: {e:#}"), ..Default::default() });
    outcome.with_names(&way.own_names())
}

fn driver(stage: &Stage, way: &Way, client: Client, order: &Value) -> Vec<Told> {
    let attempt = Attempt { stage, way, client, dir: way.file("work") };
    let mut c = python_client(&format!("{client}_client.py")).unwrap();
    way.surroundings(&mut c);
    let ran = attempt.finish_within(DRIVER_LIMIT, c, order.to_string().as_bytes()).context("driver").unwrap();
    let mut told = Vec::new();
    for line in String::from_utf8_lossy(&ran.stdout).lines() {
        match serde_json::from_str(line) {
            Ok(t) => told.push(t),
            Err(e) => eprintln!("{client} {}: {e}: {line}", way.name),
        }
    }
    if ran.end != "exit 0" {
        eprintln!("{client} {}: {}: {}", way.name, ran.end, String::from_utf8_lossy(&ran.stderr));
    }
    told
}
