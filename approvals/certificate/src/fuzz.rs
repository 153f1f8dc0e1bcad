use crate::{Claim, SOURCE_ADDRESS, read};
use anteroom_domain::Moment;
use ssh_key::{
    Certificate, PrivateKey,
    certificate::{Builder, CertType},
    private::Ed25519Keypair,
};
use std::net::IpAddr;

/// For fuzzers: a certificate somebody brings, as bytes, and as one of ours that says what the bytes say: dates, kind, key id, and then pieces
/// that are principals, critical options or extensions. Whatever else it says, it lets in only who one exact form names.
pub fn fuzz(data: &[u8]) {
    let (here, now) = (IpAddr::from([10, 0, 0, 7]), Moment::UNIX_EPOCH + time::Duration::days(20_000));
    if let Ok(foreign) = Certificate::from_bytes(data) {
        check(&foreign, here, now);
    }
    if let Some(ours) = made(data, now) {
        check(&ours, here, now);
        let again = ours.to_bytes().ok().and_then(|b| Certificate::from_bytes(&b).ok());
        assert_eq!(again.as_ref().map(|c| read(c, here, now).is_ok()), Some(read(&ours, here, now).is_ok()), "the same on the wire");
    }
}

fn check(c: &Certificate, here: IpAddr, now: Moment) {
    let Ok(Claim { person, handle }) = read(c, here, now) else { return };
    let at = now.unix_timestamp().unsigned_abs();
    assert!(c.cert_type().is_user() && c.valid_after() <= at && at < c.valid_before());
    assert_eq!(c.critical_options().iter().collect::<Vec<_>>(), [(&SOURCE_ADDRESS.to_owned(), &"10.0.0.7/32".to_owned())]);
    assert_eq!((c.key_id().parse().ok(), c.valid_principals()), (Some(person), &[handle.to_owned()][..]));
}

/// None if there can be no such certificate.
fn made(data: &[u8], now: Moment) -> Option<Certificate> {
    let (head, mut rest) = data.split_first_chunk::<4>()?;
    let hours = |n: u8| u64::try_from(now.unix_timestamp() + i64::from(n as i8) * 3600).ok();
    let key = |seed: u8| PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]));
    let mut b = Builder::new([7; 16], key(1).public_key().key_data().clone(), hours(head[0])?, hours(head[1])?).ok()?;
    b.cert_type(if head[2] & 1 == 0 { CertType::User } else { CertType::Host }).ok()?;
    if head[2] & 2 != 0 {
        b.key_id("01890a5d-ac96-774b-bcce-b302099a8057").ok()?;
    }
    if head[2] & 4 != 0 {
        b.critical_option(SOURCE_ADDRESS, "10.0.0.7/32").ok()?;
    }
    if head[2] & 8 != 0 {
        b.valid_principal("ada").ok()?;
    }
    if head[2] & 16 != 0 {
        b.all_principals_valid().ok()?;
    }
    // Each piece begins with what it is and its length.
    while let Some((first, more)) = rest.split_first() {
        let (piece, more) = more.split_at(usize::from(first >> 3).min(more.len()));
        rest = more;
        let text = String::from_utf8_lossy(piece).into_owned();
        let (name, value) = text.split_once('=').unwrap_or((&text, ""));
        match first & 7 {
            0 => b.valid_principal(text.as_str()).ok()?,
            1 => b.critical_option(name, value).ok()?,
            2 => b.extension(name, value).ok()?,
            3 => b.key_id(text.as_str()).ok()?,
            4 => b.critical_option(SOURCE_ADDRESS, text.as_str()).ok()?,
            5 => b.critical_option("force-command", text.as_str()).ok()?,
            6 => b.extension("permit-pty", text.as_str()).ok()?,
            _ => b.serial(piece.len() as u64).ok()?,
        };
    }
    b.sign(&key(2)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_one_right_form_is_among_what_is_tried() {
        let now = Moment::UNIX_EPOCH + time::Duration::days(20_000);
        let c = made(&[0xff, 1, 2 | 4 | 8, 0], now).expect("a certificate");
        assert!(read(&c, IpAddr::from([10, 0, 0, 7]), now).is_ok());
    }

    proptest! {
        #[test]
        fn whatever_a_certificate_says_it_lets_in_only_whom_one_exact_form_names(
            right in any::<bool>(), mut data in prop::collection::vec(any::<u8>(), 4..120)
        ) {
            if right {
                data[..3].copy_from_slice(&[0xff, 1, 2 | 4 | 8]);
            }
            fuzz(&data);
        }
    }
}
