//! What happened beside the terminal, as a line of text: for markers, for watchers, and for channels that have no text of their own.
use crate::safe::SafeText;
use anteroom_format::{Body, FileLine};

/// One line without control characters; none for what is no news beside the terminal.
pub(crate) fn line(body: &Body<'_>) -> Option<String> {
    Some(match body {
        Body::OpenForward { forward, place } => format!("{} {}", clean(forward), clean(place)),
        Body::OpenFiles { how } => clean(how),
        Body::File(file) => of_file(file),
        Body::Message(text) => format!("message: {}", clean(text)),
        Body::Note(text) => clean(text),
        Body::Clipboard { way, text, .. } => format!("clipboard, {}: {}", way.as_str(), clean(text)),
        Body::Traffic { input, output } => format!("{} from the client, {} to the client", size(*input), size(*output)),
        _ => return None,
    })
}

fn of_file(file: &FileLine<'_>) -> String {
    let path = clean(&String::from_utf8_lossy(file.path));
    format!("{} {path}, {}, {}", file.direction.as_str(), size(file.bytes), file.outcome.as_str())
}

/// Text that came through masking and is shown outside a terminal.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::new();
    SafeText::default().filter(text, &mut out);
    out.retain(|c| !c.is_control());
    out
}

fn size(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} bytes"),
        10_000..=9_999_999 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}
