//! What is printed on a card: 130 random bits and two symbols that tell a slip of the finger from a wrong card.
//!
//! Crockford's base32 (no I, L, O, U), in groups of four. The two check symbols are those of a Reed-Solomon code over GF(32): any one
//! or two wrong symbols, and any two that changed places, are noticed.
use crate::Secret;
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const RANDOM: usize = 26;
const SYMBOLS: usize = RANDOM + 2;
/// Longest text that is looked at: the code with a separator after every symbol.
const LONGEST: usize = 64;

/// A card's code, without separators. Wiped on drop, invisible in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct CardCode(Secret<String>);

/// Why a text is not a code. The text is not repeated: it may be nearly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CardCodeError {
    #[error("a card's code has {SYMBOLS} letters and digits in groups of four; this has {0}")]
    Length(usize),
    #[error("that is too long for a card's code")]
    TooLong,
    #[error("a card's code has letters and digits only")]
    Character,
    #[error("the code is mistyped: look at it again, group by group")]
    Mistyped,
}

impl CardCode {
    /// From random bytes, of which each gives five bits.
    pub fn new(random: &Secret<[u8; RANDOM]>) -> Self {
        let mut values = [0; SYMBOLS];
        for (v, r) in values.iter_mut().zip(random.expose()) {
            *v = r & 31;
        }
        let (a, b) = check_symbols(&values[..RANDOM]);
        (values[RANDOM], values[RANDOM + 1]) = (a, b);
        let text = values.iter().map(|v| char::from(ALPHABET[usize::from(*v)])).collect();
        values.zeroize();
        Self(Secret::new(text))
    }

    /// As somebody types or scans it: small letters, spaces and hyphens are fine, O is read as 0, I and L as 1.
    pub fn parse(typed: &str) -> Result<Self, CardCodeError> {
        if typed.len() > LONGEST {
            return Err(CardCodeError::TooLong);
        }
        let mut values = [0; SYMBOLS];
        let mut n = 0;
        for c in typed.trim().chars().filter(|c| *c != '-' && *c != ' ') {
            let v = value(c).ok_or(CardCodeError::Character)?;
            if let Some(place) = values.get_mut(n) {
                *place = v;
            }
            n += 1;
        }
        if n != SYMBOLS {
            values.zeroize();
            return Err(CardCodeError::Length(n));
        }
        let good = check_symbols(&values[..RANDOM]) == (values[RANDOM], values[RANDOM + 1]);
        let code = Self(Secret::new(values.iter().map(|v| char::from(ALPHABET[usize::from(*v)])).collect()));
        values.zeroize();
        if good { Ok(code) } else { Err(CardCodeError::Mistyped) }
    }

    /// In groups of four with hyphens: for paper, for the QR, and for nothing else.
    pub fn printed(&self) -> Secret<String> {
        let mut text = String::with_capacity(SYMBOLS + SYMBOLS / 4);
        for (i, c) in self.0.expose().chars().enumerate() {
            if i > 0 && i % 4 == 0 {
                text.push('-');
            }
            text.push(c);
        }
        Secret::new(text)
    }

    /// SHA-256(domain, 0x00, code), hex: what the officers sign. Plain SHA-256 is enough: the code has 130 bits of its own.
    pub fn sha256(&self) -> String {
        let mut h = Sha256::new();
        h.update(b"anteroom.break-glass-card-code.v1\0");
        h.update(self.0.expose().as_bytes());
        crate::hex(&h.finalize())
    }

    /// Whether it is the code with this hash, in constant time.
    pub fn fits(&self, sha256: &str) -> bool {
        self.sha256().as_bytes().ct_eq(sha256.as_bytes()).into()
    }
}

impl fmt::Debug for CardCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardCode(..)")
    }
}

/// What a symbol stands for.
fn value(c: char) -> Option<u8> {
    let c = match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        c => c,
    };
    ALPHABET.iter().position(|a| char::from(*a) == c).and_then(|p| u8::try_from(p).ok())
}

/// Sum of the values, and of the values times a power of alpha by place.
fn check_symbols(values: &[u8]) -> (u8, u8) {
    values.iter().fold((0, 0), |(sum, weighted), v| (sum ^ v, times_alpha(weighted) ^ v))
}

/// In GF(32) modulo x^5 + x^2 + 1, whose root has order 31: more than there are places.
fn times_alpha(v: u8) -> u8 {
    let w = v << 1;
    if w & 0b10_0000 == 0 { w } else { w ^ 0b10_0101 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn code(random: [u8; 26]) -> CardCode {
        CardCode::new(&Secret::new(random))
    }

    #[test]
    fn it_is_printed_in_groups_and_shows_itself_nowhere_else() {
        let c = code([7; 26]);
        let text = c.printed();
        assert_eq!(text.expose().len(), 34);
        assert!(text.expose().split('-').all(|g| g.len() == 4) && text.expose().starts_with("7777-"));
        assert_eq!(format!("{c:?}"), "CardCode(..)");
        assert!(!c.sha256().contains("7777"));
    }

    #[test]
    fn what_is_no_code_is_told_from_a_mistyped_one() {
        let good = code([9; 26]).printed();
        assert_eq!(CardCode::parse(""), Err(CardCodeError::Length(0)));
        assert_eq!(CardCode::parse(&good.expose()[..33]), Err(CardCodeError::Length(27)));
        assert_eq!(CardCode::parse(&format!("{}0", good.expose())), Err(CardCodeError::Length(29)));
        assert_eq!(CardCode::parse(&"0".repeat(65)), Err(CardCodeError::TooLong));
        assert_eq!(CardCode::parse(&good.expose().replace('9', "!")), Err(CardCodeError::Character));
        assert_eq!(CardCode::parse(&good.expose().replacen('9', "U", 1)), Err(CardCodeError::Character));
        assert_eq!(CardCode::parse(&good.expose().replacen('9', "8", 1)), Err(CardCodeError::Mistyped));
    }

    proptest! {
        #[test]
        fn every_code_reads_back_however_it_is_typed(random: [u8; 26]) {
            let c = code(random);
            let printed = c.printed();
            let sloppy = printed.expose().to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            prop_assert_eq!(CardCode::parse(printed.expose()), Ok(c.clone()));
            prop_assert_eq!(CardCode::parse(&format!("  {sloppy} ")), Ok(c.clone()));
            prop_assert!(c.fits(&c.sha256()));
        }

        /// One or two wrong symbols, wherever.
        #[test]
        fn a_slip_is_noticed(random: [u8; 26], at in 0usize..28, by in 1u8..32, other in 0usize..28, by_other in 0u8..32) {
            let c = code(random);
            let mut values: Vec<u8> = c.0.expose().chars().map(|c| value(c).unwrap()).collect();
            values[at] ^= by;
            if other != at {
                values[other] ^= by_other;
            }
            let text: String = values.iter().map(|v| char::from(ALPHABET[usize::from(*v)])).collect();
            prop_assert_eq!(CardCode::parse(&text), Err(CardCodeError::Mistyped));
        }

        #[test]
        fn two_that_changed_places_are_noticed(random: [u8; 26], a in 0usize..28, b in 0usize..28) {
            let c = code(random);
            let mut symbols: Vec<char> = c.0.expose().chars().collect();
            symbols.swap(a, b);
            let text: String = symbols.iter().collect();
            let same = text == *c.0.expose();
            prop_assert_eq!(CardCode::parse(&text).is_ok(), same);
        }

        #[test]
        fn no_text_makes_it_fall_over(text in "\\PC{0,100}") {
            let _ = CardCode::parse(&text);
        }

        #[test]
        fn another_code_does_not_fit(a: [u8; 26], b: [u8; 26]) {
            let (a, b) = (code(a), code(b));
            prop_assert_eq!(a.fits(&b.sha256()), a == b);
        }
    }
}
