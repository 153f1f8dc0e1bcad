//! Whole texts that say by their form what they are: addresses of networks, numbers of vehicles and telephones, streets.

use super::date::whole_date;

/// Four numbers up to 255.
pub(super) fn is_ip(text: &str) -> bool {
    text.len() <= 15 && text.split('.').count() == 4 && text.split('.').all(|part| part.len() <= 3 && part.parse::<u8>().is_ok())
}

/// Addresses that only mean something inside a house (RFC 1918, RFC 6598, loopback, link-local): machines', and no patient's.
pub(super) fn is_private_ip(text: &str) -> bool {
    text.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| {
        let [first, second, ..] = ip.octets();
        ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || (first == 100 && (64..128).contains(&second))
    })
}

/// RFC 9562: 8-4-4-4-12 hexadecimal digits.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| if matches!(at, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() })
}

/// ISO 3779: 17 capitals and digits, digits at the end. Without I and O; made-up ones have a Q.
pub(super) fn is_vin(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    text.len() == 17
        && (4..=15).contains(&digits)
        && text.bytes().all(|b| (b.is_ascii_uppercase() || b.is_ascii_digit()) && !matches!(b, b'I' | b'O'))
        && text.bytes().skip(13).all(|b| b.is_ascii_digit())
}

/// "GTH 3567", "KJX-4471".
pub(super) fn is_plate(text: &str) -> bool {
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = text.get(letters..).and_then(|rest| rest.strip_prefix([' ', '-'])).unwrap_or_default();
    (2..=3).contains(&letters) && (3..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

/// AAA-GG-SSSS.
pub(super) fn is_ssn_text(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 11 && bytes.iter().enumerate().all(|(at, b)| if at == 3 || at == 6 { *b == b'-' } else { b.is_ascii_digit() })
}

/// The whole text is a phone number with its separators (ITU-T E.123).
pub(super) fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plain = |b: u8| b.is_ascii_digit() || matches!(b, b' ' | b'-' | b'.' | b'(' | b')' | b'+' | b'x');
    if !(7..=16).contains(&digits) || !text.bytes().all(plain) {
        return false;
    }
    let groups = text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).count();
    // 3-4, 3-3-4, +1-3-3-4; a date has other groups, a version dots and short ones.
    whole_date(text).is_none()
        && (text.starts_with('+') || text.starts_with('(') || ((2..=4).contains(&groups) && (digits >= 10 || digits == 7)))
        && text.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).all(|group| group.len() <= 8)
        && text.split(|c: char| !c.is_ascii_digit()).rfind(|group| !group.is_empty()).is_some_and(|last| last.len() >= 2)
}

/// "12 Elm Street", "PO Box 12", "4400 W. 5th Ave Apt 3": a number, and words of which one is a street's (USPS Publication 28, C1).
pub(super) fn is_street(text: &str) -> bool {
    const SUFFIXES: [&str; 44] = [
        "street",
        "st",
        "avenue",
        "ave",
        "road",
        "rd",
        "boulevard",
        "blvd",
        "lane",
        "ln",
        "drive",
        "dr",
        "court",
        "ct",
        "way",
        "place",
        "pl",
        "terrace",
        "ter",
        "circle",
        "cir",
        "parkway",
        "pkwy",
        "highway",
        "hwy",
        "trail",
        "trl",
        "square",
        "sq",
        "loop",
        "run",
        "path",
        "pike",
        "row",
        "alley",
        "ridge",
        "crossing",
        "plaza",
        "point",
        "pointe",
        "hill",
        "grove",
        "close",
        "crescent",
    ];
    if !text.contains(' ') || !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, 'P' | 'p')) {
        return false;
    }
    let begins = |start: &&str| text.get(..start.len()).is_some_and(|text| text.eq_ignore_ascii_case(start));
    if ["po box", "p.o. box", "p o box"].iter().any(begins) {
        return true;
    }
    let number = text.bytes().take_while(u8::is_ascii_digit).count();
    let suffix = |word: &str| (2..=8).contains(&word.len()) && SUFFIXES.iter().any(|suffix| word.eq_ignore_ascii_case(suffix));
    (1..=6).contains(&number)
        && text[number..].starts_with([' ', 'a', 'b', 'A', 'B', '-'])
        && text.split([' ', ',', '.', '#']).skip(1).any(suffix)
        && text.split(' ').count() <= 10
}

/// USPS abbreviations of states and territories.
pub(super) fn is_state(text: &str) -> bool {
    const STATES: &str = "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY PR VI GU";
    text.len() == 2 && STATES.split(' ').any(|known| known == text)
}

/// The whole text is one code with at least so many digits.
pub(super) fn is_code_alone(text: &str, least_digits: usize) -> bool {
    text.len() <= 32
        && text.bytes().filter(u8::is_ascii_digit).count() >= least_digits
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/' | b'.' | b':'))
        && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
}
