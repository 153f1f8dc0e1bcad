use super::{
    Accepts, Kind, Speaks,
    keys::HostCa,
    place::{Relay, place},
};
use crate::cli::{Done, Out, context::Context};
use anteroom_approvals::NewTarget;
use anteroom_domain::{CertificateFingerprint, Protocol, TargetName};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  anteroom target add ehr-db-1 --host 10.0.0.5 --description \"EHR database, primary\"
  anteroom target add pacs --host pacs-a.example --also pacs-b.example --also [2001:db8::7]:2222
  anteroom target add pump-7 --host 10.9.0.7 --protocol telnet --profile quarantine --kind medical-device
  anteroom target add ct-2 --host 10.9.0.12 --protocol rdp --kind medical-device
  anteroom target add lab-12 --host 192.168.7.12 --via relay@zone-lab     through the sshd of the target zone-lab")]
pub(super) struct Args {
    name: TargetName,
    /// Host name or address.
    #[arg(long)]
    host: String,
    /// By default 22 for ssh, 23 for telnet and 3389 for rdp.
    #[arg(long)]
    port: Option<u16>,
    /// Another address of the same target, tried when the one before does not answer; may be given several times.
    #[arg(long, value_name = "HOST[:PORT]", value_parser = place)]
    also: Vec<String>,
    #[arg(long, value_enum, default_value = "server")]
    kind: Kind,
    #[arg(long, value_enum, default_value = "ssh")]
    protocol: Speaks,
    #[arg(long, value_enum, default_value = "modern")]
    profile: Accepts,
    /// A login on another target through which this one is reached, at most three in a row.
    #[arg(long, value_name = "ACCOUNT@TARGET")]
    via: Option<Relay>,
    /// Accept host certificates of this CA as well as pinned keys: its public key line, or a file with lines; may be given several times.
    #[arg(long, value_name = "LINE|FILE")]
    host_ca: Vec<HostCa>,
    /// Of an RDP target, the SHA-256 fingerprint of a certificate it shows; may be given several times. Or later: anteroom target pin.
    #[arg(long, value_name = "SHA256:...")]
    certificate: Vec<CertificateFingerprint>,
    #[arg(long, default_value = "")]
    description: String,
}

pub(super) async fn run(cx: &Context, a: Args, json: bool, out: &mut Out) -> Done {
    let protocol = Protocol::from(a.protocol);
    let new = NewTarget {
        name: a.name,
        kind: a.kind.into(),
        host: a.host,
        port: a.port.unwrap_or_else(|| protocol.default_port()),
        description: a.description,
        protocol,
        more_hosts: a.also,
        profile: a.profile.into(),
        via: a.via.map(Into::into),
        pinned_host_cas: a.host_ca.into_iter().flat_map(|c| c.lines).collect(),
        pinned_certificates: a.certificate,
    };
    let target = cx.approvals.add_target(None, new).await?;
    if json {
        return Ok(out.json(&target)?);
    }
    let next = match target.protocol {
        Protocol::Rdp if target.pinned_certificates.is_empty() => "anteroom target pin",
        Protocol::Ssh if target.pinned_host_cas.is_empty() => "anteroom target pin",
        // Telnet has no host key; a CA stands for any number of them.
        _ => "anteroom target credential",
    };
    Ok(out.line(format!("{} added; next: {next} {0}", target.name))?)
}
