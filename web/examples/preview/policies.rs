//! Policies with a history, a machine that was reported, a lock, and a device's switch.
use crate::Someone;
use anteroom_approvals::{Approvals, HOSPITAL, STARTERS};
use anteroom_domain::{ClinicalUse, Lockable, Reason};
use anteroom_policy::PolicyFile;
use anteroom_posture::{Envelope, FeedSecret};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

pub(crate) async fn seed(a: &Approvals, olga: &Someone) {
    let file = |name: &str, text: &str| PolicyFile { name: name.into(), text: text.into() };
    let by = Some(olga.person.id);
    a.set_policy(by, vec![file("hospital.cedar", HOSPITAL)], "As it comes").await.unwrap();
    let strict = STARTERS.iter().find(|(name, _)| *name == "hospital-strict.cedar").unwrap().1;
    let both = vec![file("hospital.cedar", HOSPITAL), file("hospital-strict.cedar", strict)];
    a.set_policy(by, both, "Managed machines for medical devices, decided on 24 November").await.unwrap();

    let feed = FeedSecret::of([7; 32]);
    a.add_posture_feed(by, "device-manager", &feed.public()).await.unwrap();
    for (device, os, healthy) in [("LAPTOP-7", "Windows 11 24H2", true), ("OLD-TOWER", "Windows 10 22H2", false)] {
        let now = OffsetDateTime::now_utc();
        let body = serde_json::json!({
            "person": "ada", "device": device, "reported_at": (now - time::Duration::minutes(4)).format(&Rfc3339).unwrap(), "os": os,
            "disk_encrypted": healthy, "secure_boot": healthy, "endpoint_protection": true, "addresses": ["192.0.2.41"],
        });
        let (body, at) = (body.to_string(), now.unix_timestamp());
        let signature = feed.sign("msg_1", at, body.as_bytes());
        a.report_posture(Envelope { id: "msg_1", timestamp: &at.to_string(), signature: &signature, body: body.as_bytes() }).await.unwrap();
    }

    let mri = a.target_by_name(&"mri-3".parse().unwrap()).await.unwrap().unwrap();
    a.set_clinical_use(by, mri.id, ClinicalUse::InUse).await.unwrap();
    let lab = a.target_by_name(&"lab-gw".parse().unwrap()).await.unwrap().unwrap();
    let why = Reason::new("Recall notice 17: nobody signs in before the maker has answered.").unwrap();
    a.lock(by, Lockable::Target(lab.id), why).await.unwrap();
    println!("device {}", mri.id);
    println!("locked {}", lab.id);
}
