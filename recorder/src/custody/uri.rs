//! PKCS#11 URIs (RFC 7512): which token, which key, which module, and where the PIN is written. Never the PIN itself.
use super::{CustodyError, file};
use std::{
    fmt,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// A key in a token. What is not given is not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pkcs11Uri {
    /// As it was written; it holds no secret.
    text: String,
    pub token: Option<String>,
    pub serial: Option<String>,
    /// The key's label.
    pub object: Option<String>,
    pub id: Option<Vec<u8>>,
    /// The vendor's library.
    pub module: PathBuf,
    pub pin_source: PathBuf,
}

impl Pkcs11Uri {
    /// Relative paths count from `base`.
    pub fn parse(text: &str, base: &Path) -> Result<Self, CustodyError> {
        let wrong = |why: &str| CustodyError::Uri(why.to_owned());
        let rest = text.strip_prefix("pkcs11:").ok_or_else(|| wrong("begins with pkcs11:"))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (mut token, mut serial, mut object, mut id) = (None, None, None, None);
        for (name, value) in attributes(path, ';')? {
            match name {
                "token" => token = Some(utf8(value)?),
                "serial" => serial = Some(utf8(value)?),
                "object" => object = Some(utf8(value)?),
                "id" => id = Some(value),
                "type" if value == b"private" => {}
                "type" => return Err(wrong("type is private: it names a private key")),
                other => {
                    return Err(CustodyError::Uri(format!("{other:?} is not understood; there are token, serial, object, id and type")));
                }
            }
        }
        let (mut module, mut pin_source) = (None, None);
        for (name, value) in attributes(query, '&')? {
            match name {
                "module-path" => module = Some(base.join(utf8(value)?)),
                "pin-source" => pin_source = Some(pin_path(&utf8(value)?, base)?),
                // Addresses are in configurations, process lists and logs; RFC 7512 section 6 warns of it too.
                "pin-value" => {
                    return Err(wrong("a PIN does not belong here; put it into a file (mode 0600) and name it: pin-source=file:PATH"));
                }
                other => return Err(CustodyError::Uri(format!("{other:?} is not understood; there are module-path and pin-source"))),
            }
        }
        if token.is_none() && serial.is_none() {
            return Err(wrong("name the token: token=LABEL or serial=NUMBER"));
        }
        if object.is_none() && id.is_none() {
            return Err(wrong("name the key: object=LABEL or id=%01"));
        }
        Ok(Self {
            text: text.to_owned(),
            token,
            serial,
            object,
            id,
            module: module.ok_or_else(|| wrong("name the vendor's library: ?module-path=/usr/lib/softhsm/libsofthsm2.so"))?,
            pin_source: pin_source.ok_or_else(|| wrong("say where the PIN is: pin-source=file:PATH"))?,
        })
    }

    /// The PIN, from its file; a line feed at its end is not part of it.
    pub(super) fn pin(&self) -> Result<Zeroizing<String>, CustodyError> {
        let text = file::read_secret(&self.pin_source)?;
        Ok(Zeroizing::new(text.trim_end_matches(['\n', '\r']).to_owned()))
    }

    pub(super) fn check(&self) -> Result<(), CustodyError> {
        std::fs::metadata(&self.module).map_err(|source| CustodyError::File { path: self.module.clone(), source })?;
        self.pin().map(|_| ())
    }

    /// For messages: which token.
    pub(super) fn token_name(&self) -> String {
        match (&self.token, &self.serial) {
            (Some(label), _) => format!("token {label:?}"),
            (None, serial) => format!("token with serial {:?}", serial.as_deref().unwrap_or_default()),
        }
    }
}

impl fmt::Display for Pkcs11Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `name=value`, decoded; each at most once (section 2.3).
fn attributes(text: &str, separator: char) -> Result<Vec<(&str, Vec<u8>)>, CustodyError> {
    let mut found: Vec<(&str, Vec<u8>)> = Vec::new();
    for part in text.split(separator).filter(|p| !p.is_empty()) {
        let (name, value) = part.split_once('=').ok_or_else(|| CustodyError::Uri("not of the form name=value;name=value".into()))?;
        if found.iter().any(|(n, _)| *n == name) {
            return Err(CustodyError::Uri(format!("{name:?} is there twice")));
        }
        found.push((name, unescape(value)?));
    }
    Ok(found)
}

/// Percent-encoding (RFC 3986 section 2.1).
fn unescape(text: &str) -> Result<Vec<u8>, CustodyError> {
    let wrong = || CustodyError::Uri("after % come two hexadecimal digits".into());
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(b) = bytes.next() {
        if b != b'%' {
            out.push(b);
            continue;
        }
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).ok_or_else(wrong);
        let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
        out.push((high << 4 | low) as u8);
    }
    Ok(out)
}

fn utf8(bytes: Vec<u8>) -> Result<String, CustodyError> {
    String::from_utf8(bytes).map_err(|_| CustodyError::Uri("a value is no UTF-8".into()))
}

/// A path, or `file:` and a path; not the `|command` form of section 2.4.
fn pin_path(text: &str, base: &Path) -> Result<PathBuf, CustodyError> {
    let path = text.strip_prefix("file:").unwrap_or(text);
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || text.starts_with('|') {
        return Err(CustodyError::Uri("pin-source is a file that holds the PIN: pin-source=file:PATH".into()));
    }
    Ok(base.join(path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const BASE: &str = "/etc/anteroom";

    fn parse(text: &str) -> Result<Pkcs11Uri, String> {
        Pkcs11Uri::parse(text, Path::new(BASE)).map_err(|e| e.to_string())
    }

    #[test]
    fn a_key_in_a_token_is_named_as_rfc_7512_names_it() {
        let uri =
            parse("pkcs11:token=Ward%204;object=masked;id=%00%FF;type=private?module-path=/usr/lib/m.so&pin-source=file:pin").unwrap();
        assert_eq!((uri.token.as_deref(), uri.object.as_deref(), uri.id.as_deref()), (Some("Ward 4"), Some("masked"), Some(&[0, 255][..])));
        assert_eq!((uri.module.to_str(), uri.pin_source.to_str()), (Some("/usr/lib/m.so"), Some("/etc/anteroom/pin")));
        assert_eq!(parse("pkcs11:serial=7;id=%01?module-path=m.so&pin-source=file:///pin").unwrap().pin_source, Path::new("/pin"));
    }

    #[test]
    fn a_pin_in_the_address_is_refused_and_not_repeated() {
        let e = parse("pkcs11:token=t;object=k?module-path=/m.so&pin-value=1234567").unwrap_err();
        assert!(e.contains("pin-source=file:PATH") && !e.contains("1234567"), "{e}");
    }

    #[test]
    fn what_is_missing_or_unknown_is_said() {
        for (text, why) in [
            ("pkcs11:object=k?module-path=/m.so&pin-source=/p", "name the token"),
            ("pkcs11:token=t?module-path=/m.so&pin-source=/p", "name the key"),
            ("pkcs11:token=t;object=k?pin-source=/p", "name the vendor's library"),
            ("pkcs11:token=t;object=k?module-path=/m.so", "say where the PIN is"),
            ("pkcs11:token=t;object=k?module-path=/m.so&pin-source=|cat", "pin-source is a file"),
            ("pkcs11:token=t;object=k;slot-id=3?module-path=/m.so&pin-source=/p", "\"slot-id\" is not understood"),
            ("pkcs11:token=t;object=k;object=l?module-path=/m.so&pin-source=/p", "\"object\" is there twice"),
            ("pkcs11:token=t;object=%4", "two hexadecimal digits"),
            ("pkcs11:token=t;type=public", "type is private"),
        ] {
            let e = parse(text).unwrap_err();
            assert!(e.contains(why), "{text}: {e}");
        }
    }
}
