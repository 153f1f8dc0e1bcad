use super::CapabilityError;
use std::fmt;

/// Where a forward may lead, or listen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// `*`, `*.suffix` or one name or address; lower case, IPv6 without brackets.
    host: String,
    /// None is any port.
    port: Option<u16>,
}

impl Destination {
    pub(super) fn parse(what: &'static str, s: &str) -> Result<Self, CapabilityError> {
        let error = || CapabilityError::Destination(what);
        if s == "*" {
            return Ok(Self { host: "*".into(), port: None });
        }
        let (host, port) = s.rsplit_once(':').ok_or_else(error)?;
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let named = host.strip_prefix("*.").unwrap_or(host);
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
        if host != "*" && (named.is_empty() || !named.chars().all(plain)) {
            return Err(error());
        }
        let port = match port {
            "*" => None,
            p => Some(p.parse().map_err(|_| error())?),
        };
        Ok(Self { host: host.to_ascii_lowercase(), port })
    }

    /// As the client wrote it: a name is compared as a name, never resolved.
    pub fn matches(&self, host: &str, port: u32) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
        let named = match self.host.strip_prefix('*') {
            Some("") => true,
            Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
            None => host == self.host,
        };
        named && self.port.is_none_or(|p| u32::from(p) == port)
    }
}

impl Destination {
    pub(super) fn within(&self, ceiling: &Self) -> bool {
        let host = match ceiling.host.strip_prefix('*') {
            Some("") => true,
            Some(suffix) => self.host == ceiling.host || (self.host.len() > suffix.len() && self.host.ends_with(suffix)),
            None => self.host == ceiling.host,
        };
        host && (ceiling.port.is_none() || self.port == ceiling.port)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port.map_or_else(|| "*".to_owned(), |p| p.to_string());
        match &self.host {
            h if h == "*" && self.port.is_none() => f.write_str("*"),
            h if h.contains(':') => write!(f, "[{h}]:{port}"),
            h => write!(f, "{h}:{port}"),
        }
    }
}
