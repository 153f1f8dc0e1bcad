use std::fmt::Write;

/// Lower-case hexadecimal, as hashes stand in the audit log and in what is signed.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}
