use crate::{Kind, Lookup, Out, Real, Scp, Sftp, scp_command};
use anteroom_domain::Capabilities;
use bytes::Bytes;

/// For fuzzers: bytes of both sides into every watcher. The first byte chooses the grant; each piece of the rest begins
/// with its side (lowest bit) and its length.
pub fn fuzz(data: &[u8]) {
    const GRANTS: [&[&str]; 4] = [
        &["download", "upload"],
        &["download:/var/log/**;max=1KiB;keep"],
        &["upload:/srv/*/in/*;max=64KiB"],
        &["download:/a/**", "upload:/b/**;keep"],
    ];
    let Some((first, mut rest)) = data.split_first() else { return };
    let Ok(granted) = Capabilities::parse(GRANTS[usize::from(*first) % GRANTS.len()]) else { return };
    let mut out = Out::default();
    let mut sftp = Sftp::new(&granted);
    let upload = first & 4 != 0;
    let command = scp_command(if upload { b"scp -r -t /srv/a/in" } else { b"scp -r -f /var/log" });
    let mut scp = command.map(|c| Scp::new(c, &granted));
    let _ = scp_command(rest);
    let mut lookup = Lookup::default();
    if let Some(scp) = scp.as_mut()
        && scp.question().is_some()
    {
        let _ = scp.answer(real(*first, "/srv/a/in/x".into()), &mut out);
    }
    while let Some((head, more)) = rest.split_first() {
        let (piece, more) = more.split_at(usize::from(head >> 1).min(more.len()));
        let piece = Bytes::copy_from_slice(piece);
        rest = more;
        // Ended by a violation, a watcher refuses the rest.
        let _ = if head & 1 == 0 { sftp.client(&piece, &mut out) } else { sftp.target(&piece, &mut out) };
        if matches!(lookup.receive(&piece), Ok(crate::Next::Ready | crate::Next::Found(_))) {
            let _ = lookup.ask(&piece);
        }
        if let Some(scp) = &mut scp {
            let _ = if head & 1 == 0 { scp.client(&piece, &mut out) } else { scp.target(&piece, &mut out) };
            while let Some(path) = out.question.take() {
                let _ = scp.answer(real(*head, path), &mut out);
            }
        }
    }
    sftp.finish(&mut out);
    if let Some(scp) = &mut scp {
        scp.finish(&mut out);
    }
}

fn real(choice: u8, path: bytes::Bytes) -> Option<Real> {
    let kind = [Kind::Directory, Kind::Other, Kind::Absent].get(usize::from(choice >> 3) % 4).copied()?;
    let path = if choice & 0x40 == 0 { path } else { "/etc/shadow".into() };
    Some(Real { path, kind })
}
