//! Public key lines as people have them: from ssh-keyscan, known_hosts, or a file.
use std::str::FromStr;

/// A host CA's lines, given themselves or by the file that holds them.
#[derive(Debug, Clone)]
pub(super) struct HostCa {
    pub(super) lines: Vec<String>,
}

impl FromStr for HostCa {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let mut lines = key_lines(s);
        if lines.is_empty() {
            let text = std::fs::read_to_string(s)
                .map_err(|e| format!("neither a public key line (\"ssh-ed25519 AAAA...\") nor a file that can be read: {e}"))?;
            lines = key_lines(&text);
        }
        if lines.is_empty() { Err("holds no public key line like \"ssh-ed25519 AAAA...\"".into()) } else { Ok(Self { lines }) }
    }
}

/// Public key lines with or without what `ssh-keyscan` and `known_hosts` put in front (host names, `@cert-authority`).
pub(super) fn key_lines(text: &str) -> Vec<String> {
    let is_type = |w: &str| w.starts_with("ssh-") || w.starts_with("ecdsa-") || w.starts_with("sk-");
    text.lines()
        .filter(|l| !l.trim_start().starts_with('#'))
        .filter_map(|l| {
            let words: Vec<&str> = l.split_ascii_whitespace().collect();
            // A host may be called "ssh-gate"; a key's base64 begins with its type's length.
            let at = words.windows(2).take(3).position(|w| is_type(w[0]) && w[1].starts_with("AAAA"))?;
            Some(format!("{} {}", words[at], words[at + 1]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keyscan_lines_known_hosts_lines_and_bare_lines_are_all_understood() {
        let text = "# 10.0.0.5:22 SSH-2.0\n10.0.0.5 ssh-ed25519 AAAA1\nssh-rsa AAAA2 comment\n\nnonsense\n\
                    @cert-authority *.example ecdsa-sha2-nistp256 AAAA3\nssh-gate ssh-ed25519 AAAA4\n";
        assert_eq!(key_lines(text), ["ssh-ed25519 AAAA1", "ssh-rsa AAAA2", "ecdsa-sha2-nistp256 AAAA3", "ssh-ed25519 AAAA4"]);
    }

    #[test]
    fn a_host_ca_is_a_line_or_a_file_and_anything_else_is_told() {
        assert_eq!("ssh-ed25519 AAAA1 hospital".parse::<HostCa>().unwrap().lines, ["ssh-ed25519 AAAA1"]);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "ssh-ed25519 AAAA1\nssh-ed25519 AAAA2\n").unwrap();
        assert_eq!(file.path().to_str().unwrap().parse::<HostCa>().unwrap().lines.len(), 2);
        assert!("/nowhere/ca.pub".parse::<HostCa>().unwrap_err().contains("neither a public key line"));
        std::fs::write(file.path(), "hello\n").unwrap();
        assert!(file.path().to_str().unwrap().parse::<HostCa>().unwrap_err().contains("holds no public key line"));
    }
}
