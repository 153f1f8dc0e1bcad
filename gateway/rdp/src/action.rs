use bytes::Bytes;
use ironrdp_pdu::rdp::server_redirection::ServerRedirectionPdu;
use std::fmt;

/// What the driver does next, in order.
pub enum Action {
    /// One whole frame. What a recording calls output: it is what the person is shown, notices of the gateway too.
    ToClient(Bytes),
    /// One whole frame. What a recording calls input.
    ToTarget(Bytes),
    /// The user data of the client's Client Info PDU (with [`Start::Joins`](crate::Start::Joins) only). It holds the ticket: it is recorded nowhere.
    /// The driver answers with [`Relay::client_info`](crate::Relay::client_info).
    ClientInfo(Bytes),
    Saw(Seen),
}

/// A fact about the session.
#[derive(Clone, PartialEq)]
pub enum Seen {
    /// Where the person's pointer is, in pixels of the desktop.
    Pointer { x: u16, y: u16 },
    /// A text that passed through the clipboard.
    Clipboard { way: Way, text: String },
    /// Something was kept from passing. A short name, never what was in it; each is said once.
    Denied { what: String },
    /// The target showed its desktop in this size: after connecting, and again after every reactivation.
    Activated { width: u16, height: u16 },
    /// The target wants the client elsewhere. The client was not told: whether to follow is the driver's to decide.
    Redirect(Box<ServerRedirectionPdu>),
    /// The target says that the account is logged on.
    LogonDone,
    /// Set Error Info of the target (MS-RDPBCGR 2.2.5.1.1). The client got it too.
    ErrorInfo(u32),
    /// The target ended the session in order (Disconnect Provider Ultimatum).
    TargetLeft,
    /// The client did.
    ClientLeft,
}

/// Which way a text went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    ToTarget,
    FromTarget,
}

/// Why the gateway ends a session: which of the texts that clients have is shown (MS-RDPBCGR 2.2.5.1.1).
///
/// Clients show a text of their own for each code; the exact words are on the banner before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// A supervisor ended it. mstsc: "Your network administrator might have ended the connection."
    Terminated,
    /// The grant is over. mstsc: "ended because the total logon time limit was reached".
    GrantEnded,
    /// Nothing was typed for too long. mstsc: "ended because the session was idle too long".
    Idle,
    /// What came could not be let pass or recorded, or policy changed its mind. "denied for security policy reasons".
    Refused,
    /// The same ticket was used by a newer connection. "Another user connected".
    Replaced,
    /// The gateway stops.
    Shutdown,
    /// The target went away.
    TargetLost,
}

impl EndReason {
    /// ERRINFO_*.
    pub(crate) fn code(self) -> u32 {
        match self {
            Self::Terminated => 0x01,
            Self::Idle => 0x03,
            Self::GrantEnded => 0x04,
            Self::Replaced => 0x05,
            Self::Refused => 0x07,
            Self::Shutdown => 0x19,
            Self::TargetLost => 0x400,
        }
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ToClient(b) => write!(f, "ToClient({} bytes)", b.len()),
            Self::ToTarget(b) => write!(f, "ToTarget({} bytes)", b.len()),
            Self::ClientInfo(b) => write!(f, "ClientInfo({} bytes)", b.len()),
            Self::Saw(s) => write!(f, "Saw({s:?})"),
        }
    }
}

/// What a person did or copied is not for logs.
impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pointer { .. } => f.write_str("Pointer"),
            Self::Clipboard { way, text } => write!(f, "Clipboard({way:?}, {} bytes)", text.len()),
            Self::Denied { what } => write!(f, "Denied({what:?})"),
            Self::Activated { width, height } => write!(f, "Activated({width}x{height})"),
            Self::Redirect(_) => f.write_str("Redirect"),
            Self::LogonDone => f.write_str("LogonDone"),
            Self::ErrorInfo(code) => write!(f, "ErrorInfo({code:#x})"),
            Self::TargetLeft => f.write_str("TargetLeft"),
            Self::ClientLeft => f.write_str("ClientLeft"),
        }
    }
}
