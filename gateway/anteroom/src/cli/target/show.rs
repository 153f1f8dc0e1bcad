use crate::cli::{Done, Out, context::Context, output::moment};
use anteroom_approvals::{Inventory, Page, SbomInfo};
use anteroom_domain::{Moment, Profile, Protocol, Target};
use time::OffsetDateTime;

pub(super) async fn all(cx: &Context, search: &str, json: bool, out: &mut Out) -> Done {
    let targets = cx.approvals.targets(search, Page { number: 0, size: 500 }).await?.rows;
    if json {
        return Ok(out.json(&targets)?);
    }
    let rows: Vec<_> = targets
        .iter()
        .map(|t| {
            let accounts: Vec<&str> = t.accounts.iter().map(|a| a.name.as_str()).collect();
            vec![t.name.to_string(), t.kind.to_string(), address(t), accounts.join(","), trust(t).into(), t.description.clone()]
        })
        .collect();
    Ok(out.table(
        &["NAME", "KIND", "ADDRESS", "ACCOUNTS", "IDENTITY", "DESCRIPTION"],
        &rows,
        "no target yet; add one with: anteroom target add",
    )?)
}

pub(super) async fn one(cx: &Context, t: &Target, json: bool, out: &mut Out) -> Done {
    let (inventory, sbom) = cx.approvals.device(t.id).await?;
    if json {
        let mut whole = serde_json::to_value(t)?;
        whole["inventory"] = serde_json::to_value(&inventory)?;
        whole["sbom"] = serde_json::to_value(&sbom)?;
        return Ok(out.json(&whole)?);
    }
    for (what, value) in lines(t).into_iter().chain(about(t, &inventory, sbom.as_ref(), OffsetDateTime::now_utc())) {
        out.line(format!("{what:<17}{value}"))?;
    }
    Ok(())
}

/// What policies ask about it, and what is known of the device.
fn about(t: &Target, i: &Inventory, sbom: Option<&SbomInfo>, now: Moment) -> Vec<(&'static str, String)> {
    let a = &t.attributes;
    let mut all = vec![("criticality", a.criticality.as_str().to_owned()), ("clinical use", a.clinical_use.as_str().to_owned())];
    let labels: Vec<&str> = a.labels.iter().map(|l| l.as_str()).collect();
    if !labels.is_empty() {
        all.push(("labels", labels.join(", ")));
    }
    all.extend(a.zone.iter().map(|z| ("zone", z.to_string())));
    all.extend(a.maintenance.iter().map(|m| ("maintenance", format!("{m}{}", if m.contains(now) { " (now)" } else { "" }))));
    let plate =
        [("maker", &i.maker), ("model", &i.model), ("serial", &i.serial), ("owner", &i.owner), ("clinical contact", &i.clinical_contact)];
    all.extend(plate.into_iter().filter(|(_, v)| !v.is_empty()).map(|(what, v)| (what, v.clone())));
    all.extend(sbom.map(|s| ("components", format!("{} ({}, read {})", s.components, s.format, moment(s.at)))));
    all
}

fn lines(t: &Target) -> Vec<(&'static str, String)> {
    let mut all = vec![("name", t.name.to_string()), ("id", t.id.to_string()), ("kind", t.kind.to_string())];
    if !t.description.is_empty() {
        all.push(("description", t.description.clone()));
    }
    all.push(("address", address(t)));
    all.extend(t.more_hosts.iter().map(|h| ("also", h.clone())));
    all.push((
        "profile",
        match t.profile {
            Profile::Modern => "modern".into(),
            Profile::Quarantine => "quarantine: legacy algorithms are accepted from this target".into(),
        },
    ));
    if let Some(v) = &t.via {
        all.push(("via", format!("{}@{}", v.account, v.target_name)));
    }
    match t.accounts.is_empty() {
        true => all.push(("account", format!("none; add one with: anteroom target credential {} ACCOUNT --help", t.name))),
        false => all.extend(t.accounts.iter().map(|a| ("account", a.name.to_string()))),
    }
    all.extend(t.pinned_host_keys.iter().map(|k| ("host key", k.clone())));
    all.extend(t.pinned_host_cas.iter().map(|k| ("host CA", k.clone())));
    all.extend(t.pinned_certificates.iter().map(|c| ("certificate", c.to_string())));
    if trust(t) == "not pinned" {
        let what = if t.protocol == Protocol::Rdp { "certificate" } else { "host key" };
        all.push((what, format!("not pinned, so nobody can connect; next: anteroom target pin {}", t.name)));
    }
    all.push(("added", moment(t.created_at)));
    all
}

fn address(t: &Target) -> String {
    let place = if t.host.contains(':') { format!("[{}]:{}", t.host, t.port) } else { format!("{}:{}", t.host, t.port) };
    match t.protocol {
        Protocol::Ssh => place,
        other => format!("{} {place}", other.as_str()),
    }
}

/// What a connection believes.
fn trust(t: &Target) -> &'static str {
    match (t.protocol, t.pinned_host_keys.is_empty(), t.pinned_host_cas.is_empty()) {
        (Protocol::Telnet, ..) => "has none",
        (Protocol::Rdp, ..) if t.pinned_certificates.is_empty() => "not pinned",
        (Protocol::Rdp, ..) => "pinned",
        (_, false, true) => "pinned",
        (_, true, false) => "CA",
        (_, false, false) => "pinned, CA",
        (_, true, true) => "not pinned",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use anteroom_domain::{AccountName, TargetName, target::Via};
    use anteroom_test_samples as samples;

    fn target() -> Target {
        Target {
            name: TargetName::new("lab-12").unwrap(),
            accounts: vec![],
            host: "2001:db8::7".into(),
            more_hosts: vec!["lab-12b".into()],
            via: Some(Via {
                target: uuid::Uuid::nil().into(),
                target_name: TargetName::new("zone-lab").unwrap(),
                account: AccountName::new("relay").unwrap(),
            }),
            ..samples::target()
        }
    }

    #[test]
    fn what_is_missing_is_said_with_the_command_that_adds_it() {
        let all = lines(&target());
        let of = |what: &str| all.iter().find(|(w, _)| *w == what).map(|(_, v)| v.as_str()).unwrap();
        assert_eq!(of("address"), "[2001:db8::7]:22");
        assert_eq!((of("via"), of("also")), ("relay@zone-lab", "lab-12b"));
        assert!(of("account").contains("anteroom target credential lab-12"));
        assert!(of("host key").contains("anteroom target pin lab-12"));
    }

    #[test]
    fn a_device_says_whether_it_may_be_worked_on_now() {
        let mut t = target();
        // The epoch was a Thursday.
        t.attributes.maintenance = vec!["thu 00:00-04:00 +00:00".parse().unwrap(), "sat 00:00-04:00 +00:00".parse().unwrap()];
        let inventory = Inventory { serial: "4711".into(), ..Default::default() };
        let all = about(&t, &inventory, None, OffsetDateTime::UNIX_EPOCH);
        let of = |what: &str| all.iter().filter(|(w, _)| *w == what).map(|(_, v)| v.as_str()).collect::<Vec<_>>();
        assert_eq!(of("maintenance"), ["thu 00:00-04:00 +00:00 (now)", "sat 00:00-04:00 +00:00"]);
        assert_eq!((of("serial"), of("clinical use"), of("maker").len()), (vec!["4711"], vec!["untracked"], 0));
    }

    #[test]
    fn a_telnet_target_is_not_told_to_pin_what_it_has_not() {
        let t = Target { protocol: Protocol::Telnet, profile: Profile::Quarantine, ..target() };
        assert!(lines(&t).iter().all(|(what, _)| *what != "host key"));
        assert!(address(&t).starts_with("telnet "));
    }

    #[test]
    fn an_rdp_target_is_known_by_its_certificate() {
        let t = Target { protocol: Protocol::Rdp, via: None, ..target() };
        let of = |t: &Target| lines(t).into_iter().find(|(w, _)| *w == "certificate").map(|(_, v)| v).unwrap();
        assert!(of(&t).contains("not pinned") && of(&t).contains("anteroom target pin lab-12"));
        let pinned = Target { pinned_certificates: vec![anteroom_domain::CertificateFingerprint::of(b"der")], ..t };
        assert!(of(&pinned).starts_with("SHA256:") && trust(&pinned) == "pinned" && address(&pinned).starts_with("rdp "));
    }
}
