use std::time::Duration;

/// One MCS id as each side knows it. The same on both when the gateway passed the connection's beginning on; different when it made two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    pub client: u16,
    pub target: u16,
}

impl Ids {
    pub fn same(id: u16) -> Self {
        Self { client: id, target: id }
    }
}

/// A static channel the client asked for, in the order of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticChannel {
    /// As asked for, in lower case: `cliprdr`.
    pub name: String,
    /// What the client was told.
    pub client: u16,
    /// What the target said; none when the target was never asked ([`Policy::static_channel`]): the client's joins are confirmed here and its
    /// bytes are dropped.
    pub target: Option<u16>,
}

/// Where the relay takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// After the MCS Connect Response: Erect Domain, Attach User and Channel Joins pass through (the ids are the same on both sides), and
    /// the client's Client Info comes out as [`Action::ClientInfo`](crate::Action::ClientInfo).
    Joins,
    /// After the target got its Client Info: the next is auto-detection or licensing. The user ids are [`RelayConfig::user`].
    Licensing,
    /// The same, but the client stands in a [`Lobby`](crate::Lobby): it was licensed there and sees its desktop, which ends when the target
    /// has one to show.
    Lobby,
}

/// What text may pass in one direction of the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextRule {
    /// Most bytes of one text as it travels; none is [`Limits::clipboard_bytes`].
    pub max_bytes: Option<u64>,
}

/// What the grant lets pass. The default is a picture, a keyboard and a mouse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    pub clipboard_to_target: Option<TextRule>,
    pub clipboard_from_target: Option<TextRule>,
    pub drives: bool,
    pub printers: bool,
    pub smart_cards: bool,
    pub ports: bool,
    pub usb: bool,
    pub audio_out: bool,
    pub audio_in: bool,
    /// Names of further dynamic channels, as the target asks for them.
    pub dynamic_channels: Vec<String>,
    /// The target's account is not shown to the person (Save Session Info).
    pub hide_account: bool,
}

impl Policy {
    /// Whether a static channel of this name (in lower case) is asked of the target at all. What is not here never exists there.
    pub fn static_channel(&self, name: &str) -> bool {
        match name {
            "drdynvc" => true,
            "cliprdr" => self.clipboard_to_target.is_some() || self.clipboard_from_target.is_some(),
            "rdpdr" => self.drives || self.printers || self.smart_cards || self.ports,
            "rdpsnd" => self.audio_out,
            _ => false,
        }
    }

    /// Whether the target may open this dynamic channel.
    ///
    /// Touch and pen (`Microsoft::Windows::RDS::Input`) are not among those allowed of themselves: clients fall back to the mouse, which is seen
    /// and released on pause. Video redirection is H.264 beside the picture and never passes: it could not be recorded.
    pub fn dynamic_channel(&self, name: &str) -> bool {
        const NEVER: [&str; 3] = ["Microsoft::Windows::RDS::Video", "Microsoft::Windows::RDS::Geometry", "TSMF"];
        match name {
            GRAPHICS | "Microsoft::Windows::RDS::DisplayControl" | "ECHO" => true,
            "AUDIO_PLAYBACK_DVC" | "AUDIO_PLAYBACK_LOSSY_DVC" => self.audio_out,
            "AUDIO_INPUT" => self.audio_in,
            "URBDRC" => self.usb,
            _ if NEVER.iter().any(|n| name.starts_with(n)) => false,
            _ => self.dynamic_channels.iter().any(|n| n == name),
        }
    }
}

/// MS-RDPEGFX 2.1.
pub(crate) const GRAPHICS: &str = "Microsoft::Windows::RDS::Graphics";

/// Most memory of one session is about the sum of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One text of the clipboard, where the grant says nothing smaller.
    pub clipboard_bytes: u64,
    /// One message of device redirection.
    pub device_message: usize,
    /// One message of the graphics channel, compressed and not.
    pub graphics_message: usize,
    /// Between two pointer positions that are reported.
    pub pointer_every: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { clipboard_bytes: 4 << 20, device_message: 4 << 20, graphics_message: 64 << 20, pointer_every: Duration::from_millis(50) }
    }
}

/// What connecting learnt, and what the grant allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayConfig {
    pub start: Start,
    pub io: Ids,
    /// Of the Attach User Confirm; none with [`Start::Joins`]: learnt then.
    pub user: Option<Ids>,
    /// The MCS message channel, where both sides have one.
    pub message: Option<Ids>,
    pub channels: Vec<StaticChannel>,
    pub policy: Policy,
    /// Of the client's core block.
    pub width: u16,
    pub height: u16,
    pub limits: Limits,
}
