//! A question in Cedar's words.
use super::ask::{Ask, Question};
use anteroom_domain::{Capability, Person, Posture, Profile, Target, Weekly};
use cedar_policy::{Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression as Value};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Cedar's names, made once.
#[derive(Debug)]
pub(super) struct Names {
    person: EntityTypeName,
    target: EntityTypeName,
    group: EntityTypeName,
    company: EntityTypeName,
    role: EntityTypeName,
    person_kind: EntityTypeName,
    target_kind: EntityTypeName,
    protocol: EntityTypeName,
    criticality: EntityTypeName,
    clinical_use: EntityTypeName,
    weekday: EntityTypeName,
    factor: EntityTypeName,
    pub(super) action: EntityTypeName,
}

impl Names {
    pub(super) fn new() -> Result<Self, String> {
        let t = |s: &str| s.parse::<EntityTypeName>().map_err(|e| e.to_string());
        Ok(Self {
            person: t("Person")?,
            target: t("Target")?,
            group: t("Group")?,
            company: t("Company")?,
            role: t("Role")?,
            person_kind: t("PersonKind")?,
            target_kind: t("TargetKind")?,
            protocol: t("Protocol")?,
            criticality: t("Criticality")?,
            clinical_use: t("ClinicalUse")?,
            weekday: t("Weekday")?,
            factor: t("Factor")?,
            action: t("Action")?,
        })
    }
}

pub(super) fn uid(kind: &EntityTypeName, id: impl AsRef<str>) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn entity(kind: &EntityTypeName, id: impl AsRef<str>) -> Value {
    Value::new_entity_uid(uid(kind, id))
}

fn text(s: &str) -> Value {
    Value::new_string(s.to_owned())
}

/// Principal, action, resource, context and everybody they lead to.
pub(super) struct Asked {
    pub(super) principal: EntityUid,
    pub(super) resource: EntityUid,
    pub(super) context: Context,
    pub(super) entities: Entities,
}

pub(super) fn asked(n: &Names, q: &Question<'_>) -> Result<Asked, String> {
    let principal = uid(&n.person, q.person.id.0.to_string());
    let resource = uid(&n.target, q.target.id.0.to_string());
    let entities = Entities::from_entities([person(n, &principal, q.person)?, target(n, &resource, q.target)?], None);
    let entities = entities.map_err(|e| e.to_string())?;
    Ok(Asked { principal, resource, context: context(n, q)?, entities })
}

fn person(n: &Names, id: &EntityUid, p: &Person) -> Result<Entity, String> {
    let a = &p.attributes;
    let mut attributes = HashMap::from([
        ("handle".to_owned(), text(p.handle.as_str())),
        ("roles".to_owned(), Value::new_set(p.roles.0.iter().map(|r| entity(&n.role, r.as_str())))),
        ("kind".to_owned(), entity(&n.person_kind, a.kind().as_str())),
        ("has_shifts".to_owned(), Value::new_bool(!a.shifts.is_empty())),
    ]);
    if let Some(unit) = &a.unit {
        attributes.insert("unit".into(), text(unit.as_str()));
    }
    if let Some(company) = a.company {
        attributes.insert("company".into(), entity(&n.company, company.0.to_string()));
    }
    let groups: HashSet<_> = a.groups.iter().map(|g| uid(&n.group, g.as_str())).collect();
    Entity::new(id.clone(), attributes, groups).map_err(|e| e.to_string())
}

fn target(n: &Names, id: &EntityUid, t: &Target) -> Result<Entity, String> {
    let a = &t.attributes;
    let mut attributes = HashMap::from([
        ("name".to_owned(), text(t.name.as_str())),
        ("kind".to_owned(), entity(&n.target_kind, t.kind.as_str())),
        ("protocol".to_owned(), entity(&n.protocol, t.protocol.as_str())),
        ("quarantine".to_owned(), Value::new_bool(t.profile == Profile::Quarantine)),
        ("labels".to_owned(), Value::new_set(a.labels.iter().map(|l| text(l.as_str())))),
        ("criticality".to_owned(), entity(&n.criticality, a.criticality.as_str())),
        ("clinical_use".to_owned(), entity(&n.clinical_use, a.clinical_use.as_str())),
        ("has_maintenance_windows".to_owned(), Value::new_bool(!a.maintenance.is_empty())),
    ]);
    if let Some(zone) = &a.zone {
        attributes.insert("zone".into(), text(zone.as_str()));
    }
    if let Some(vendor) = a.vendor {
        attributes.insert("vendor".into(), entity(&n.company, vendor.0.to_string()));
    }
    Entity::new(id.clone(), attributes, HashSet::new()).map_err(|e| e.to_string())
}

fn context(n: &Names, q: &Question<'_>) -> Result<Context, String> {
    let now = q.now.to_offset(time::UtcOffset::UTC);
    // No times set: nothing to be outside of. Policies that want times set ask for that.
    let within = |times: &[Weekly]| Value::new_bool(times.is_empty() || times.iter().any(|w| w.contains(q.now)));
    let day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][usize::from(now.weekday().number_days_from_monday()) % 7];
    let words: BTreeSet<String> = q.capabilities.0.iter().map(first_word).collect();
    let mut pairs = vec![
        ("account".to_owned(), text(q.account.as_str())),
        ("capabilities".to_owned(), Value::new_set(words.iter().map(|w| text(w)))),
        ("minutes".to_owned(), Value::new_long(q.lasts.whole_minutes())),
        ("hour_utc".to_owned(), Value::new_long(i64::from(now.hour()))),
        ("weekday_utc".to_owned(), entity(&n.weekday, day)),
        ("within_shift".to_owned(), within(&q.person.attributes.shifts)),
        ("in_maintenance_window".to_owned(), within(&q.target.attributes.maintenance)),
        ("break_glass".to_owned(), Value::new_bool(q.break_glass)),
    ];
    if let Some(source) = q.source {
        pairs.push(("source".into(), Value::new_ip(source.to_canonical().to_string())));
    }
    if let Some(f) = q.factor {
        pairs.push(("factor".into(), entity(&n.factor, f.kind.as_str())));
        pairs.push(("factor_age_seconds".into(), Value::new_long(f.age.whole_seconds())));
    }
    if let Some(p) = q.posture {
        pairs.push(("posture".into(), posture(p, q)?));
    }
    Context::from_pairs(pairs).map_err(|e| e.to_string())
}

fn posture(p: &Posture, q: &Question<'_>) -> Result<Value, String> {
    // A report from the future is one from a clock that cannot be trusted: very old.
    let age = q.now - p.reported_at;
    let age = if age < -time::Duration::MINUTE * 5 { i64::from(u32::MAX) } else { age.whole_minutes().max(0) };
    Value::new_record([
        ("disk_encrypted".to_owned(), Value::new_bool(p.disk_encrypted)),
        ("secure_boot".to_owned(), Value::new_bool(p.secure_boot)),
        ("endpoint_protection".to_owned(), Value::new_bool(p.endpoint_protection)),
        ("os".to_owned(), text(&p.os)),
        ("age_minutes".to_owned(), Value::new_long(age)),
    ])
    .map_err(|e| e.to_string())
}

fn first_word(c: &Capability) -> String {
    let whole = c.to_string();
    whole.split(':').next().unwrap_or_default().to_owned()
}

/// Which action, as an entity.
pub(super) fn action(n: &Names, ask: Ask) -> EntityUid {
    uid(&n.action, ask.as_str())
}
