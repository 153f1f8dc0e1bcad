//! Rules about commands, held against what is started and what is typed.
//!
//! What an exec says is known exactly. What is typed in a shell is not: keys are no commands, and a program on the target can be told
//! in many ways. At Enter the line on the screen and the keys since the last Enter are looked at; that stops slips and the obvious.
use super::{
    Over, Pair,
    hold::{SAY, goes_on},
};
use crate::enforcement::stopped;
use anteroom_domain::{AuditEvent, Hold, audit::CommandsEvent, hex};
use anteroom_masking::LineWatch;
use anteroom_policy::{CommandRule, CommandRules, Does};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// How long the echo of what came together with its Enter is waited for.
const ECHO: Duration = Duration::from_millis(120);
/// Keys since the last Enter that are kept.
const MAX_KEYS: usize = 16 << 10;
/// Beginnings of a command that a line on a screen may have, behind prompts.
const MAX_PROMPTS: usize = 16;
/// Ends a line that is being typed, in shells and database clients alike.
const INTERRUPT: &[u8] = b"\x03";

#[derive(Default)]
pub(super) struct Commands {
    rules: CommandRules,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Of a terminal.
    watch: Option<LineWatch>,
    keys: Vec<u8>,
    asking: Option<Asking>,
    /// Stands on the target's line without its Enter until the session goes on.
    held: Option<Met>,
}

/// The person was asked whether they mean it.
struct Asking {
    rule: String,
    hash: String,
    answer: Vec<u8>,
}

/// What a line met.
struct Met {
    rule: String,
    does: Does,
    hash: String,
}

impl Commands {
    pub(super) fn new(rules: CommandRules) -> Self {
        Self { rules, state: Mutex::default() }
    }

    /// A terminal of this size begins.
    pub(super) fn start(&self, cols: u16, rows: u16) {
        if !self.rules.is_empty() {
            self.lock().watch = Some(LineWatch::new(cols, rows));
        }
    }

    pub(super) fn output(&self, bytes: &[u8]) {
        if let Some(watch) = &mut self.lock().watch {
            watch.feed(bytes);
        }
    }

    pub(super) fn resize(&self, cols: u16, rows: u16) {
        if let Some(watch) = &mut self.lock().watch {
            watch.resize(cols, rows);
        }
    }

    fn watches(&self) -> bool {
        !self.rules.is_empty() && self.lock().watch.is_some()
    }

    fn keys(&self, keys: &[u8]) {
        let mut state = self.lock();
        let room = MAX_KEYS - state.keys.len().min(MAX_KEYS);
        state.keys.extend_from_slice(&keys[..keys.len().min(room)]);
    }

    /// The strictest that the line at Enter meets, on the screen or in the keys.
    fn enter(&self) -> Option<Met> {
        let mut state = self.lock();
        let keys = std::mem::take(&mut state.keys);
        let watch = state.watch.as_ref()?;
        let met = |command: &[u8]| self.rules.judge(command).map(|rule| Met::of(rule, command));
        let on_screen = watch.line(|line| commands_in(line).filter_map(|c| met(c.as_bytes())).max_by_key(|m| m.does));
        [on_screen, met(&keys)].into_iter().flatten().max_by_key(|m| m.does)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Met {
    fn of(rule: &CommandRule, command: &[u8]) -> Self {
        Self { rule: rule.name.clone(), does: rule.does, hash: hash(command) }
    }
}

/// A line of a screen, and what stands in it behind something like a prompt.
fn commands_in(line: &str) -> impl Iterator<Item = &str> {
    let behind = line.match_indices(['$', '#', '>', '%']).map(|(at, prompt)| line[at + prompt.len()..].trim_start());
    std::iter::once(line).chain(behind.filter(|c| !c.is_empty()).take(MAX_PROMPTS))
}

fn held_back(rule: &str) -> String {
    format!("the rule \"{rule}\" holds this back; it runs when somebody who watches sessions lets it go on")
}

fn hash(command: &[u8]) -> String {
    hex(&Sha256::digest(command))
}

impl Pair {
    fn matched(&self, met: &Met, way: &str, outcome: &str) {
        self.conn.note(AuditEvent::Commands(CommandsEvent::Matched {
            session: self.conn.session,
            rule: met.rule.clone(),
            does: met.does.as_str().into(),
            way: way.into(),
            command_sha256: met.hash.clone(),
            outcome: outcome.into(),
        }));
    }

    /// Why this command does not reach the target, if it does not. One that a rule holds back waits here.
    pub(super) async fn exec_met(&self, command: &[u8]) -> Option<String> {
        let met = Met::of(self.commands.rules.judge(command)?, command);
        let (outcome, why) = match met.does {
            Does::Alert => ("passed", None),
            Does::Confirm => (
                "refused",
                Some(format!("the rule \"{}\" asks you to confirm this command: run it in a shell, where you can be asked", met.rule)),
            ),
            Does::Pause => {
                self.matched(&met, "exec", "paused");
                self.stop().await;
                let _ = timeout(SAY, self.client.stderr(format!("anteroom: {}\r\n", held_back(&met.rule)))).await;
                goes_on(self.session.entry.holds()).await;
                ("let_through", None)
            }
            Does::Block => ("blocked", Some(format!("the rule \"{}\" does not allow this command", met.rule))),
        };
        self.matched(&met, "exec", outcome);
        why
    }

    /// Passes on what was typed, line by line where rules look at lines. It was recorded already.
    pub(super) async fn type_on(&self, mut data: Bytes) -> Result<(), Over> {
        if !self.commands.watches() {
            return self.to_target_typed(data).await;
        }
        while !data.is_empty() {
            if self.commands.lock().asking.is_some() {
                self.answer(&mut data).await?;
                continue;
            }
            let Some(at) = data.iter().position(|b| matches!(b, b'\r' | b'\n')) else {
                self.commands.keys(&data);
                return self.to_target_typed(data).await;
            };
            let text = data.split_to(at);
            if !text.is_empty() {
                self.commands.keys(&text);
                self.to_target_typed(text).await?;
                tokio::time::sleep(ECHO).await;
            }
            let enter = data.split_to(1);
            self.at_enter(enter).await?;
            if self.commands.lock().held.is_some() {
                // What was pasted behind it goes nowhere, as all that is typed while the session stands still.
                return Ok(());
            }
        }
        Ok(())
    }

    async fn at_enter(&self, enter: Bytes) -> Result<(), Over> {
        let Some(met) = self.commands.enter() else { return self.to_target_typed(enter).await };
        match met.does {
            Does::Alert => {
                self.matched(&met, "typed", "passed");
                self.to_target_typed(enter).await
            }
            Does::Confirm => {
                self.tell_typist(&format!(
                    "rule \"{}\": type yes and Enter to run this, anything else to take it back (not shown)",
                    met.rule
                ))
                .await?;
                self.commands.lock().asking = Some(Asking { rule: met.rule, hash: met.hash, answer: Vec::new() });
                Ok(())
            }
            Does::Pause => {
                self.matched(&met, "typed", "paused");
                let words = held_back(&met.rule);
                self.commands.lock().held = Some(met);
                self.tell_typist(&words).await?;
                self.stop().await;
                Ok(())
            }
            Does::Block => {
                self.matched(&met, "typed", "blocked");
                self.tell_typist(&format!("the rule \"{}\" does not allow this; it was not run", met.rule)).await?;
                self.to_target_typed(Bytes::from_static(INTERRUPT)).await
            }
        }
    }

    /// The session stands still until somebody resumes it.
    async fn stop(&self) {
        self.session.entry.hold(Hold::Limit);
        Box::pin(stopped(&self.conn.shared.approvals, self.conn.session)).await;
    }

    /// The session goes on: what a rule held back gets its Enter, once.
    pub(super) async fn let_through(&self) -> Result<(), Over> {
        let Some(met) = self.commands.lock().held.take() else { return Ok(()) };
        self.matched(&met, "typed", "let_through");
        self.to_target_typed(Bytes::from_static(b"\r")).await
    }

    /// Takes keys for the answer; a whole one decides.
    async fn answer(&self, data: &mut Bytes) -> Result<(), Over> {
        let asking = {
            let mut state = self.commands.lock();
            let Some(asking) = &mut state.asking else { return Ok(()) };
            let end = data.iter().position(|b| matches!(b, b'\r' | b'\n' | 0x03 | 0x04));
            let typed = data.split_to(end.unwrap_or(data.len()));
            let room = 16 - asking.answer.len().min(16);
            asking.answer.extend_from_slice(&typed[..typed.len().min(room)]);
            if end.is_none() {
                return Ok(());
            }
            state.asking.take()
        };
        let ended_by = data.split_to(1);
        let Some(Asking { rule, hash, answer }) = asking else { return Ok(()) };
        let yes = answer.eq_ignore_ascii_case(b"yes") && matches!(&ended_by[..], b"\r" | b"\n");
        self.matched(&Met { rule, does: Does::Confirm, hash }, "typed", if yes { "confirmed" } else { "refused" });
        if yes {
            return self.to_target_typed(Bytes::from_static(b"\r")).await;
        }
        self.tell_typist("taken back; it was not run").await?;
        self.to_target_typed(Bytes::from_static(INTERRUPT)).await
    }

    async fn to_target_typed(&self, data: Bytes) -> Result<(), Over> {
        self.target.data(data).await.map_err(|_| Over::Target)
    }

    async fn tell_typist(&self, text: &str) -> Result<(), Over> {
        self.record(anteroom_recorder::EventKind::Message(text.to_owned())).await?;
        if self.live.is_on() {
            self.live.say(&format!("anteroom: {text}"));
            return Ok(());
        }
        self.show(Bytes::from(crate::ssh::notice::message(text))).await.map_err(|_| Over::Client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_looked_at_with_and_without_its_prompt() {
        let all: Vec<&str> = commands_in("ada@ehr:~# reboot now").collect();
        assert_eq!(all, ["ada@ehr:~# reboot now", "reboot now"]);
        assert_eq!(commands_in(&"$ x".repeat(1000)).count(), MAX_PROMPTS + 1);
    }

    #[test]
    fn enter_meets_what_stands_on_the_screen_or_was_typed() {
        let rules = CommandRules::parse(
            "[[rule]]\nname='no dumps'\ndoes='block'\nmatches='pg_dump'\n[[rule]]\nname='reboot'\ndoes='confirm'\nmatches='^reboot'",
        );
        let commands = Commands::new(rules.unwrap_or_default());
        commands.start(80, 24);
        // Completed by the shell: never typed.
        commands.output(b"$ pg_dump ehr");
        commands.keys(b"pg_d\t ehr");
        assert_eq!(commands.enter().map(|m| m.rule), Some("no dumps".into()));
        // Typed where nothing is echoed.
        commands.output(b"\r\n");
        commands.keys(b"reboot");
        assert_eq!(commands.enter().map(|m| m.does), Some(Does::Confirm));
        commands.output(b"\r\n$ uptime");
        commands.keys(b"uptime");
        assert!(commands.enter().is_none());
        assert!(commands.lock().keys.is_empty());
    }
}
