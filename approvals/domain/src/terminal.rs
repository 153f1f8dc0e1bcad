//! Where `web` and `gateway` meet for the terminal in a browser: the gateway implements the door, the portal asks.
//!
//! The door judges by itself: what a caller says about the person is only who signed in at the portal and which passkey
//! confirmation ([`StepUpId`]) belongs to this terminal. There is no way past the policy here.
use crate::{AccountName, PersonId, SessionId, StepUpId, TargetName};
use std::{future::Future, net::IpAddr, pin::Pin};

pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[derive(Debug, Clone)]
pub struct OpenTerminal {
    pub person: PersonId,
    pub target: TargetName,
    pub account: AccountName,
    /// The browser's address.
    pub source: IpAddr,
    /// Confirmed with a passkey for exactly this terminal: its `ssh_session_id` is `connection`.
    pub step_up: StepUpId,
    /// Stands for the SSH session identifier: 32 random bytes of this one terminal.
    pub connection: Vec<u8>,
    pub cols: u16,
    pub rows: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalInput {
    Typed(Vec<u8>),
    Resize { cols: u16, rows: u16 },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalOutput {
    Shown(Vec<u8>),
    /// Last one; the text says why it is over.
    Ended {
        text: String,
        status: Option<u32>,
    },
}

/// A terminal that is open. Dropping it ends the session.
pub trait TerminalSession: Send {
    fn id(&self) -> SessionId;
    /// Waits until it was recorded and taken; false once the session is over.
    fn send(&mut self, input: TerminalInput) -> Later<'_, bool>;
    /// None after [`TerminalOutput::Ended`]. Dropping the future loses nothing.
    fn next(&mut self) -> Later<'_, Option<TerminalOutput>>;
}

pub trait TerminalDoor: Send + Sync + 'static {
    /// The error is for the person to read.
    fn open(&self, ask: OpenTerminal) -> Later<'_, Result<Box<dyn TerminalSession>, String>>;
}
