//! A text as a QR code: the path of its dark squares, one unit each, for an inline SVG. Made here: no code leaves for somebody else's service.
use anteroom_domain::Secret;
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write;

/// Empty squares around it that scanners need (ISO/IEC 18004, 9.1).
const QUIET: i32 = 4;

pub(super) struct Picture {
    /// Side, with the quiet zone.
    pub(super) side: i32,
    pub(super) path: Secret<String>,
}

/// None if the text is too long for any.
pub(super) fn picture(text: &Secret<String>) -> Option<Picture> {
    // A quarter of it may be creased or stained.
    let code = QrCode::encode_text(text.expose(), QrCodeEcc::Quartile).ok()?;
    let mut path = String::with_capacity(8 * 1024);
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    Some(Picture { side: code.size() + 2 * QUIET, path: Secret::new(path) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_code_fits_a_small_picture_with_its_finders_in_place() {
        let p = picture(&Secret::new("ABCD-EFGH-JKMN-PQRS-TVWX-YZ01-2345".into())).unwrap();
        // Version 3 (29 squares) and the quiet zone.
        assert_eq!(p.side, 29 + 8);
        assert!(p.path.expose().starts_with("M4 4h1v1h-1zM5 4h1v1h-1z"), "the finder's corner");
        assert!(p.path.expose().bytes().all(|b| b.is_ascii_digit() || b"Mhvz -".contains(&b)), "nothing to escape");
        assert!(picture(&Secret::new("x".repeat(5000))).is_none());
    }
}
