//! The protocol: what comes is sorted into output and commands, what goes is escaped.
use crate::{
    negotiation::{Outcome, Side},
    protocol::*,
};
use zeroize::Zeroizing;

/// Bytes of one subnegotiation that are kept, the option included. The only one understood has two; longer ones are read past.
pub const MAX_SUBNEGOTIATION: usize = 64;
/// Bytes of a terminal's name that are told to the target (RFC 1091 section 3 gives 40).
pub const MAX_TERM: usize = 40;
/// A target that asks for the terminal's name again and again is told this often.
pub const MAX_TYPE_ANSWERS: u8 = 16;

/// The person's terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// As in TERM. What is not printable ASCII is left out, as is all after [`MAX_TERM`] bytes; an empty name is told as `UNKNOWN`.
    pub term: String,
    pub cols: u16,
    pub rows: u16,
}

/// What bytes from the target came to. [`Telnet::receive`] appends; the driver clears what it has used.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Received {
    /// For the person's terminal: no telnet command is left in it. Escape sequences of the target are.
    pub output: Vec<u8>,
    /// To be sent to the target.
    pub reply: Vec<u8>,
}

impl Received {
    pub fn clear(&mut self) {
        self.output.clear();
        self.reply.clear();
    }
}

/// Where in the stream the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Data,
    Command,
    /// After WILL, WONT, DO or DONT.
    Option(u8),
    Subnegotiation,
    /// After an IAC within a subnegotiation.
    SubnegotiationCommand,
}

/// One telnet connection, seen from the client.
#[derive(Debug)]
pub struct Telnet {
    terminal: Terminal,
    at: At,
    /// The last byte of output was a carriage return: NUL after it is no output (RFC 854, "THE NVT PRINTER AND KEYBOARD").
    after_return: bool,
    /// One byte more than allowed is what tells a long one.
    subnegotiation: Vec<u8>,
    /// What this side does: DO asks for it.
    ours: Side,
    /// What the target does: WILL offers it.
    theirs: Side,
    type_answers: u8,
}

impl Telnet {
    pub fn new(terminal: Terminal) -> Self {
        let name: String = terminal.term.chars().filter(char::is_ascii_graphic).take(MAX_TERM).collect();
        let term = if name.is_empty() { "UNKNOWN".to_owned() } else { name };
        Self {
            terminal: Terminal { term, ..terminal },
            at: At::Data,
            after_return: false,
            subnegotiation: Vec::new(),
            ours: Side::new(),
            theirs: Side::new(),
            type_answers: 0,
        }
    }

    /// The first bytes to the target: what this side offers and would like. A second call says nothing.
    #[must_use]
    pub fn start(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.theirs.ask(SUPPRESS_GO_AHEAD) {
            out.extend([IAC, DO, SUPPRESS_GO_AHEAD]);
        }
        for option in [TERMINAL_TYPE, NAWS] {
            if self.ours.ask(option) {
                out.extend([IAC, WILL, option]);
            }
        }
        out
    }

    /// Takes bytes from the target; how they were cut into packets makes no difference.
    pub fn receive(&mut self, bytes: &[u8], out: &mut Received) {
        for &byte in bytes {
            match self.at {
                At::Data if byte == IAC => self.at = At::Command,
                At::Data => self.output(byte, out),
                At::Command => self.command(byte, out),
                At::Option(verb) => {
                    self.at = At::Data;
                    self.negotiate(verb, byte, &mut out.reply);
                }
                At::Subnegotiation if byte == IAC => self.at = At::SubnegotiationCommand,
                At::Subnegotiation => self.keep(byte),
                At::SubnegotiationCommand => match byte {
                    IAC => {
                        self.at = At::Subnegotiation;
                        self.keep(byte);
                    }
                    SE => {
                        self.at = At::Data;
                        self.subnegotiated(&mut out.reply);
                    }
                    // RFC 855 leaves no other byte here: the subnegotiation was cut short, and this is the next command.
                    _ => self.command(byte, out),
                },
            }
        }
    }

    /// What the person typed, as the target has to get it: 255 doubled (RFC 854) and a carriage return followed by NUL unless BINARY is
    /// agreed. A line feed is sent as it is: it is a line feed to an NVT too, and `CR NUL LF` moves as `CR LF` does.
    #[must_use]
    pub fn send(&self, typed: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(typed.len());
        self.escape(typed, &mut out);
        out
    }

    /// As [`Telnet::send`], for an answer to a password prompt: no copy of it stays in memory.
    #[must_use]
    pub fn send_secret(&self, typed: &[u8]) -> Zeroizing<Vec<u8>> {
        // Room for every byte doubled: a vector that grows leaves its old self behind.
        let mut out = Zeroizing::new(Vec::with_capacity(typed.len() * 2));
        self.escape(typed, &mut out);
        out
    }

    /// What to show the person for what they typed: nothing if the target echoes (RFC 857), else what an NVT shows by itself. Not for
    /// answers that the person did not type.
    #[must_use]
    pub fn local_echo(&self, typed: &[u8]) -> Vec<u8> {
        let mut shown = Vec::new();
        if self.echoes() {
            return shown;
        }
        for &byte in typed {
            match byte {
                b'\r' => shown.extend(b"\r\n"),
                0x08 | 0x7f => shown.extend(b"\x08 \x08"),
                b'\t' | b' '..=b'~' | 0x80.. => shown.push(byte),
                _ => {}
            }
        }
        shown
    }

    /// The target said that it echoes what is typed.
    pub fn echoes(&self) -> bool {
        self.theirs.on(ECHO)
    }

    /// The person's window has changed. Empty if the target did not ask for sizes, or it is the same size.
    #[must_use]
    pub fn resize(&mut self, cols: u16, rows: u16) -> Vec<u8> {
        let changed = (self.terminal.cols, self.terminal.rows) != (cols, rows);
        (self.terminal.cols, self.terminal.rows) = (cols, rows);
        let mut out = Vec::new();
        if changed && self.ours.on(NAWS) {
            self.window_size(&mut out);
        }
        out
    }

    /// RFC 854, Interrupt Process: an SSH client's INT signal.
    #[must_use]
    pub fn interrupt(&self) -> Vec<u8> {
        vec![IAC, IP]
    }

    /// RFC 854, Break: an SSH client's `break` request (RFC 4335).
    #[must_use]
    pub fn break_signal(&self) -> Vec<u8> {
        vec![IAC, BRK]
    }

    fn escape(&self, typed: &[u8], out: &mut Vec<u8>) {
        let binary = self.ours.on(BINARY);
        for &byte in typed {
            out.push(byte);
            match byte {
                IAC => out.push(IAC),
                b'\r' if !binary => out.push(0),
                _ => {}
            }
        }
    }

    fn output(&mut self, byte: u8, out: &mut Received) {
        let padding = byte == 0 && self.after_return && !self.theirs.on(BINARY);
        self.after_return = byte == b'\r';
        if !padding {
            out.output.push(byte);
        }
    }

    fn command(&mut self, byte: u8, out: &mut Received) {
        self.at = match byte {
            WILL | WONT | DO | DONT => At::Option(byte),
            SB => {
                self.subnegotiation.clear();
                At::Subnegotiation
            }
            _ => At::Data,
        };
        if byte == IAC {
            self.output(IAC, out);
        }
    }

    fn negotiate(&mut self, verb: u8, option: u8, reply: &mut Vec<u8>) {
        let (outcome, yes, no) = match verb {
            WILL => (self.theirs.enable(option, matches!(option, BINARY | ECHO | SUPPRESS_GO_AHEAD)), DO, DONT),
            WONT => (self.theirs.disable(option), DO, DONT),
            DO => (self.ours.enable(option, matches!(option, BINARY | SUPPRESS_GO_AHEAD | TERMINAL_TYPE | NAWS)), WILL, WONT),
            _ => (self.ours.disable(option), WILL, WONT),
        };
        match outcome {
            Outcome::Agreed => reply.extend([IAC, yes, option]),
            Outcome::Refused | Outcome::Stopped => reply.extend([IAC, no, option]),
            Outcome::Nothing | Outcome::Confirmed => {}
        }
        // RFC 1073: the size is told as soon as both agree.
        if option == NAWS && verb == DO && matches!(outcome, Outcome::Agreed | Outcome::Confirmed) {
            self.window_size(reply);
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.subnegotiation.len() <= MAX_SUBNEGOTIATION {
            self.subnegotiation.push(byte);
        }
    }

    fn subnegotiated(&mut self, reply: &mut Vec<u8>) {
        let asks_type = self.subnegotiation == [TERMINAL_TYPE, TYPE_SEND];
        self.subnegotiation.clear();
        if asks_type && self.ours.on(TERMINAL_TYPE) && self.type_answers < MAX_TYPE_ANSWERS {
            self.type_answers += 1;
            reply.extend([IAC, SB, TERMINAL_TYPE, TYPE_IS]);
            reply.extend(self.terminal.term.bytes());
            reply.extend([IAC, SE]);
        }
    }

    fn window_size(&self, out: &mut Vec<u8>) {
        out.extend([IAC, SB, NAWS]);
        for byte in [self.terminal.cols.to_be_bytes(), self.terminal.rows.to_be_bytes()].concat() {
            out.push(byte);
            if byte == IAC {
                out.push(IAC);
            }
        }
        out.extend([IAC, SE]);
    }
}
