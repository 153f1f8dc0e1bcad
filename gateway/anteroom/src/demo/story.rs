//! What to try, in order.
use super::{seed::EnrolLink, state::State};
use crate::cli::Out;
use std::{fmt::Write as _, io};

pub(super) fn tell(state: &State, links: &[EnrolLink], desktop: bool, out: &mut Out) -> io::Result<()> {
    let portal = format!("http://localhost:{}", state.ports.portal);
    let ssh = state.ports.ssh;
    let mut t = format!("\nAnteroom is running.   Portal: {portal}   SSH: localhost port {ssh}\n\n");
    if links.is_empty() {
        let _ = writeln!(
            t,
            "1. Everybody has a passkey: sign in at {portal}/sign-in as ada (admin), ben (approver, operator), cleo (auditor), kim or lee (key-holders)."
        );
    } else {
        t.push_str("1. Enrol. Each link works once; open each in a browser profile (or private window) of its own.\n");
        for l in links {
            let _ = writeln!(t, "     {:<5} {:<20} {}", l.handle, l.roles, l.link);
        }
        t.push_str("   No passkey at hand? In Chrome: F12, three dots, More tools, WebAuthn, enable, add an authenticator with\n");
        t.push_str("   protocol ctap2, transport internal, and both resident keys and user verification ticked.\n");
    }
    let _ = write!(
        t,
        "\n2. As ada: Keys, add your SSH public key    (cat ~/.ssh/id_ed25519.pub; none yet? ssh-keygen -t ed25519)\n\
         3. As ada: ask for access to dba on ehr-db-1, for an hour, with a reason    {portal}/requests/new?target=ehr-db-1&account=dba\n\
         4. As ben: read it and approve it with your passkey                         {portal}/approvals\n\
         5. Connect with plain ssh; it shows a link and a number, confirm there and the terminal goes on:\n\n\
         \u{20}      ssh -p {ssh} dba@ehr-db-1@localhost\n\n\
         \u{20}  then try:  psql -c 'select * from patient limit 5'\n\
         6. As cleo: watch the recording, with the patients masked                   {portal}/recordings\n\
         \u{20}  and look for what was shown, in all of them at once                     {portal}/recordings/search\n\
         7. While ada is connected, as ben: end her session; as cleo: watch it live  {portal}/sessions\n\n\
         8. Tell the unsealer whom it believes, once kim and lee have enrolled; then cleo may ask them for an interval unmasked:\n\n\
         \u{20}      for holder in kim lee; do {program} unsealer trust $holder --yes --config {config} --trust {trust}; done\n\n\
         {desktop}The other target is a medical device:  service@infusion-pump-7    `ssh -p {ssh} localhost` shows what you may reach.\n\
         For ansible and friends, a certificate instead of a passkey each time:  {program} login --portal {portal}\n\
         Commands work too, in another terminal:  {program} audit tail --config {config}\n\
         Ctrl-C stops everything and keeps it for next time; log: {log}\n\n",
        desktop = if desktop { desktop_steps(&portal) } else { String::new() },
        program = std::env::current_exe().map_or_else(|_| "anteroom".into(), |p| p.display().to_string()),
        config = state.config_file().display(),
        trust = state.trust_file().display(),
        log = state.log_file().display(),
    );
    out.bytes(t.as_bytes())?;
    out.flush()
}

fn desktop_steps(portal: &str) -> String {
    let (target, account) = (super::desktop::NAME, super::desktop::ACCOUNT);
    format!(
        "9. A desktop: as ada ask for access to {account} on {target}   {portal}/requests/new?target={target}&account={account}\n\
         \u{20}  as ben approve; as ada: Home, Connect, get a ticket; it says what to type (xfreerdp, Remmina, mstsc). Enter shows the next patient.\n\n"
    )
}
