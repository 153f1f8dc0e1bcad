//! `anteroom verify BUNDLE`: everything that can be checked without us, on any machine.
use super::{Done, Failure, JsonArg, Out, bundle_read::Bundle, progress::bar};
use anteroom_approvals::{
    Evidence,
    verify::{Finding, verify_evidence},
};
use anteroom_domain::{AuditEvent, AuditRecord};
use anteroom_format::hex;
use anteroom_recorder::{Report, Verdict};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  anteroom verify session.anteroom\n  anteroom verify session.anteroom --log-key 'anteroom/ward-4+1a2b3c4d+AQ...'\n\nExit status 3: something in the bundle is damaged or does not fit."
)]
pub(crate) struct Args {
    #[command(flatten)]
    json: JsonArg,
    /// What `anteroom recording export` wrote; "-" is stdin.
    bundle: PathBuf,
    /// The log's public key, got by another road (anteroom audit verify prints it). Without it the bundle is checked
    /// against the key it brings: that shows it is whole, not whose it is.
    #[arg(long, value_name = "KEY")]
    log_key: Option<String>,
}

pub(crate) fn run(a: &Args, out: &mut Out) -> Done {
    let bundle = Bundle::open(&a.bundle)?;
    let bar = bar("  verifying {bar:30} {bytes}/{total_bytes} ({bytes_per_sec}, {eta} left)", Some(bundle.bytes()), true);
    let report = anteroom_recorder::verify(&bundle, bundle.evidence.session.id, &|read| bar.inc(read));
    bar.finish_and_clear();
    let mut findings = verify_evidence(&bundle.evidence, a.log_key.as_deref());
    findings.extend(recording_findings(&bundle.evidence, &report));
    let good = findings.iter().all(|f| f.ok);
    if a.json.json {
        out.json(&serde_json::json!({ "good": good, "findings": findings, "recording": report }))?;
    } else {
        for f in &findings {
            out.line(format!("{} {}: {}", if f.ok { "ok    " } else { "DAMAGE" }, f.check, f.detail))?;
        }
        for n in &report.notes {
            out.line(format!("note   {n}"))?;
        }
        if a.log_key.is_none() {
            out.line("note   checked against the log key in the bundle; give --log-key to know whose log it is")?;
        }
        out.line(if good { "everything fits" } else { "THIS BUNDLE DOES NOT HOLD" })?;
    }
    if good { Ok(()) } else { Err(Failure::Damaged) }
}

/// The recording itself, and whether it is the one the log speaks of.
fn recording_findings(evidence: &Evidence, report: &Report) -> Vec<Finding> {
    let mut all = Vec::new();
    let mut add = |check: &str, ok: bool, detail: String| all.push(Finding { check: check.into(), ok, detail });
    match report.verdict {
        Verdict::Complete => add("recording", true, format!("complete, {} chunks, {} bytes", report.chunks, report.bytes)),
        Verdict::Torn => add("recording", true, format!("cut short by a crash or a full disk; {} chunks hang together", report.chunks)),
        Verdict::Open => add("recording", false, "it was never closed: no manifest".into()),
        Verdict::Damaged => {
            for f in &report.findings {
                add("recording", false, f.to_string());
            }
            if report.findings.is_empty() {
                add("recording", false, "missing or unreadable".into());
            }
        }
    }
    let events: Vec<AuditEvent> =
        evidence.records.iter().filter_map(|r| serde_json::from_str::<AuditRecord>(&r.record).ok()).map(|r| r.event).collect();
    let logged = |pick: fn(&AuditEvent) -> Option<&String>| events.iter().find_map(pick);
    let header = logged(|e| match e {
        AuditEvent::SessionStarted { recording_header_sha256, .. } => Some(recording_header_sha256),
        _ => None,
    });
    let manifest = logged(|e| match e {
        AuditEvent::RecordingSealed { manifest_sha256, .. } => Some(manifest_sha256),
        _ => None,
    });
    for (what, logged, found) in
        [("recording header", header, report.header_sha256), ("recording manifest", manifest, report.manifest_sha256)]
    {
        match (logged, found.map(|h| hex(&h))) {
            (Some(l), Some(f)) if *l == f => add(what, true, "the one the log names".into()),
            (Some(l), Some(f)) => add(what, false, format!("the log names {l}, the bundle holds {f}")),
            (Some(_), None) => add(what, false, "the log names one, the bundle holds none".into()),
            (None, _) => add(what, false, "the log has no entry of it in this bundle".into()),
        }
    }
    all
}
