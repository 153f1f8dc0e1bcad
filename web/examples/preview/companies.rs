//! Vendor companies: one that works here, one whose contract has ended.
use crate::somebody;
use anteroom_approvals::{Approvals, NewTarget};
use anteroom_domain::{Contract, Moment, PersonId, Role, TargetKind};
use time::Duration;
use url::Url;

const SBOM: &[u8] = br#"{"bomFormat":"CycloneDX","components":[{"name":"openssl","version":"1.0.2u","purl":"pkg:generic/openssl@1.0.2u"},
 {"name":"mbedtls-ssl","version":"2.28.0"},{"name":"busybox","version":"1.31.1"}]}"#;

pub async fn seed(a: &Approvals, origin: &Url, op: PersonId) {
    let now = Moment::now_utc();
    let company = async |name: &str, days| {
        let ends = now + Duration::days(days);
        a.add_company(Some(op), name.parse().unwrap(), ends, true).await.unwrap()
    };
    let (imaging, pumps) = (company("Made-up Imaging", 12).await, company("Fictional Infusion Pumps and Monitoring Service", 90).await);
    company("Imaginary Laboratory Automation", 400).await;
    for (handle, name, of) in [("vera", "Vera Vendor", imaging), ("viktor", "Viktor Vorbei", imaging), ("vito", "Vito Vago", pumps)] {
        let who = somebody(a, origin, handle, name, &[Role::Admin]).await;
        a.set_employer(Some(op), who.person.id, Some(of)).await.unwrap();
    }
    for (name, description, of) in [("ct-7", "CT, emergency department", imaging), ("pump-server", "infusion pumps of ward 2", pumps)] {
        let new = NewTarget {
            description: description.into(),
            ..NewTarget::ssh(name.parse().unwrap(), TargetKind::MedicalDevice, "10.20.0.9", 22)
        };
        let t = a.add_target(Some(op), new).await.unwrap();
        a.set_keeper(Some(op), t.id, Some(of)).await.unwrap();
        a.put_sbom(Some(op), t.id, SBOM).await.unwrap();
    }
    let why = "Contract not renewed: the pumps are replaced by spring";
    let over = Contract { ends: now - Duration::days(3), supervised: true, sponsors: None };
    a.change_company(Some(op), pumps, over, Some(why.parse().unwrap())).await.unwrap();
    println!("company {imaging}");
    println!("company-ended {pumps}");
}
