//! The lines of the scp protocol (OpenSSH's scp.c, `source` and `sink`; it has no other specification).

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// `C0644 SIZE NAME`
    File { size: u64, name: &'a [u8] },
    /// `D0755 0 NAME`
    Directory { name: &'a [u8] },
    /// `E`
    Up,
    /// `T MTIME 0 ATIME 0`
    Times,
}

/// Without its end of line.
pub(super) fn parse(line: &[u8]) -> Result<Line<'_>, &'static str> {
    match line.split_first() {
        Some((b'C', rest)) => entry(rest).map(|(size, name)| Line::File { size, name }),
        Some((b'D', rest)) => entry(rest).map(|(_, name)| Line::Directory { name }),
        Some((b'E', [])) => Ok(Line::Up),
        Some((b'T', rest)) if times(rest) => Ok(Line::Times),
        _ => Err("a line is none of C, D, E and T"),
    }
}

fn entry(rest: &[u8]) -> Result<(u64, &[u8]), &'static str> {
    let mut parts = rest.splitn(3, |b| *b == b' ');
    let (Some(mode), Some(size), Some(name)) = (parts.next(), parts.next(), parts.next()) else { return Err("a line is too short") };
    if mode.len() != 4 || !mode.iter().all(|b| (b'0'..=b'7').contains(b)) {
        return Err("a mode is not four octal digits");
    }
    let size = number(size).ok_or("a size is no number")?;
    // A name that leads elsewhere: CVE-2018-20685, CVE-2019-6111.
    if name.is_empty() || name == b"." || name == b".." || name.iter().any(|b| *b == b'/' || *b == 0) {
        return Err("a file name leads out of its directory");
    }
    Ok((size, name))
}

fn times(rest: &[u8]) -> bool {
    let parts: Vec<_> = rest.split(|b| *b == b' ').collect();
    parts.len() == 4 && parts.iter().all(|p| number(p).is_some())
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_openssh_writes_them() {
        assert_eq!(parse(b"C0644 12 a b.txt"), Ok(Line::File { size: 12, name: b"a b.txt" }));
        assert_eq!(parse(b"D0755 0 dir"), Ok(Line::Directory { name: b"dir" }));
        assert_eq!(parse(b"E"), Ok(Line::Up));
        assert_eq!(parse(b"T1183828267 0 1183828267 0"), Ok(Line::Times));
    }

    #[test]
    fn what_is_not_a_line_is_refused() {
        for no in [
            "",
            "C",
            "C0644",
            "C0644 12",
            "C0644 12 ",
            "C0644 -1 a",
            "C0644 +1 a",
            "C064 1 a",
            "C0648 1 a",
            "C0644 99999999999999999999 a",
            "C0644 1 ..",
            "C0644 1 .",
            "C0644 1 a/b",
            "C0644 1 /etc/passwd",
            "D0755 0 ../x",
            "E1",
            "T1 0",
            "Tx 0 1 0",
            "X",
        ] {
            assert!(parse(no.as_bytes()).is_err(), "{no}");
        }
    }
}
