use super::{
    Accepts, find,
    keys::HostCa,
    place::{Relay, place},
};
use crate::cli::{Done, Out, Usage, context::Context};
use anteroom_approvals::TargetChange;
use anteroom_domain::TargetName;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  anteroom target change ehr-db-1 --host 10.0.0.6
  anteroom target change pacs --also pacs-b.example --also pacs-c.example     these two and no others
  anteroom target change lab-12 --no-via                                      directly from now on")]
pub(super) struct Args {
    name: TargetName,
    /// Host name or address.
    #[arg(long)]
    host: Option<String>,
    #[arg(long)]
    port: Option<u16>,
    /// The other addresses from now on; may be given several times.
    #[arg(long, value_name = "HOST[:PORT]", value_parser = place, conflicts_with = "no_also")]
    also: Vec<String>,
    /// No other address.
    #[arg(long)]
    no_also: bool,
    #[arg(long, value_enum)]
    profile: Option<Accepts>,
    /// A login on another target through which this one is reached.
    #[arg(long, value_name = "ACCOUNT@TARGET", conflicts_with = "no_via")]
    via: Option<Relay>,
    /// Reached directly.
    #[arg(long)]
    no_via: bool,
    /// The host CAs from now on: public key lines, or files with lines; may be given several times.
    #[arg(long, value_name = "LINE|FILE", conflicts_with = "no_host_ca")]
    host_ca: Vec<HostCa>,
    /// Pinned keys only.
    #[arg(long)]
    no_host_ca: bool,
}

impl Args {
    fn into_change(self) -> (TargetName, TargetChange) {
        let some = |given: Vec<String>, none: bool| (none || !given.is_empty()).then_some(given);
        let cas: Vec<String> = self.host_ca.into_iter().flat_map(|c| c.lines).collect();
        let change = TargetChange {
            host: self.host,
            port: self.port,
            more_hosts: some(self.also, self.no_also),
            profile: self.profile.map(Into::into),
            via: if self.no_via { Some(None) } else { self.via.map(|v| Some(v.into())) },
            pinned_host_cas: some(cas, self.no_host_ca),
        };
        (self.name, change)
    }
}

fn is_nothing(c: &TargetChange) -> bool {
    let TargetChange { host, port, more_hosts, profile, via, pinned_host_cas } = c;
    host.is_none() && port.is_none() && more_hosts.is_none() && profile.is_none() && via.is_none() && pinned_host_cas.is_none()
}

pub(super) async fn run(cx: &Context, a: Args, json: bool, out: &mut Out) -> Done {
    let (name, change) = a.into_change();
    if is_nothing(&change) {
        return Err(Usage("nothing to change; say what, for example --host 10.0.0.6 (see --help)".into()).into());
    }
    let moved = change.host.is_some() || change.port.is_some() || change.via.is_some();
    let target = cx.approvals.change_target(None, find(cx, &name).await?.id, change).await?;
    if json {
        return Ok(out.json(&target)?);
    }
    out.line(format!("{name} changed"))?;
    if moved && !target.pinned_host_keys.is_empty() {
        out.line(format!("its pinned host key stays; if another machine answers there now: anteroom target pin {name}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn change(line: &str) -> TargetChange {
        Line::try_parse_from(["x", "lab-12"].into_iter().chain(line.split_whitespace())).unwrap().args.into_change().1
    }

    #[test]
    fn what_is_not_said_stays_and_no_takes_away() {
        assert!(is_nothing(&change("")));
        let c = change("--no-via --no-also --no-host-ca");
        assert!(matches!(c.via, Some(None)) && c.more_hosts == Some(vec![]) && c.pinned_host_cas == Some(vec![]));
        let c = change("--via relay@zone-lab --also a --also b:2222");
        assert_eq!(c.via.unwrap().unwrap().0.as_str(), "zone-lab");
        assert_eq!(c.more_hosts.unwrap(), ["a", "b:2222"]);
        assert!(c.host.is_none() && c.profile.is_none() && c.pinned_host_cas.is_none());
    }

    #[test]
    fn yes_and_no_exclude_each_other() {
        assert!(Line::try_parse_from(["x", "lab-12", "--via", "relay@zone-lab", "--no-via"]).is_err());
    }
}
