//! What a channel's decoder has to know before the first frame.

use crate::Rect;

/// A place that an operator wants black always, in pixels of the desktop.
pub type Zone = Rect;

/// How a desktop begins: what was agreed when the client connected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Desktop {
    pub width: u16,
    pub height: u16,
    /// MCS channel of the session itself (MS-RDPBCGR 2.2.1.4.4).
    pub io_channel: u16,
    /// MCS channels of the static virtual channels, with their names. Only `drdynvc` can carry a picture.
    pub channels: Vec<(u16, String)>,
    pub zones: Vec<Zone>,
}
