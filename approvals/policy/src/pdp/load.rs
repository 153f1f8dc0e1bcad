//! From text to a policy set that type-checks, or to a list of what is wrong with it.
use super::{
    annotations,
    error::{PolicyError, PolicyErrors},
    question::Names,
};
use anteroom_domain::Obligations;
use cedar_policy::{Effect, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use miette::Diagnostic;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

const SCHEMA: &str = include_str!("schema.cedarschema");

/// Of all files together, bytes.
pub const MAX_TEXT: usize = 256 * 1024;
pub const MAX_FILES: usize = 32;
pub const MAX_POLICIES: usize = 500;
/// Most errors told at once.
const MAX_ERRORS: usize = 20;

/// A file of policies, by the name that errors and reasons show.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PolicyFile {
    pub name: String,
    pub text: String,
}

/// What a policy is called: its `@id`, or the place where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct PolicyName(pub(super) String);

impl PolicyName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one policy brings beside its condition.
#[derive(Debug)]
pub(super) struct Detail {
    pub(super) name: PolicyName,
    pub(super) says: Option<String>,
    pub(super) obligations: Obligations,
    /// Of a `forbid`: a running session stands still while it holds, and goes on afterwards.
    pub(super) pauses: bool,
}

/// A set of policies that type-checks.
pub struct Policy {
    pub(super) files: Vec<PolicyFile>,
    pub(super) all: PolicySet,
    /// Without the `forbid`s: what is owed is owed whatever else is forbidden.
    pub(super) permits: PolicySet,
    pub(super) details: HashMap<PolicyId, Detail>,
    pub(super) schema: Schema,
    pub(super) names: Names,
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").field("policies", &self.details.len()).finish_non_exhaustive()
    }
}

impl Policy {
    pub fn files(&self) -> &[PolicyFile] {
        &self.files
    }

    pub fn len(&self) -> usize {
        self.details.len()
    }

    pub fn is_empty(&self) -> bool {
        self.details.is_empty()
    }

    /// Whether they speak of the machine that somebody comes from.
    pub fn speaks_of_posture(&self) -> bool {
        self.files.iter().any(|f| f.text.contains("posture"))
    }

    /// Whether they speak of the address that somebody comes from.
    pub fn speaks_of_source(&self) -> bool {
        self.files.iter().any(|f| f.text.contains("context.source") || f.text.contains("has source"))
    }

    /// The schema that policies are checked against, for people who write them.
    pub fn schema_text() -> &'static str {
        SCHEMA
    }

    /// Reads, checks types strictly, reads annotations. Whatever is wrong, and whatever Cedar only warns of, refuses all of it.
    pub fn load(files: Vec<PolicyFile>) -> Result<Self, PolicyErrors> {
        bounds(&files)?;
        let ours = |what: String| PolicyErrors::from(PolicyError::of_file("(schema)", what));
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|e| ours(e.to_string()))?;
        let names = Names::new().map_err(ours)?;
        let mut read =
            Read { all: PolicySet::new(), permits: PolicySet::new(), details: HashMap::new(), places: HashMap::new(), errors: vec![] };
        for (index, file) in files.iter().enumerate() {
            read.file(index, file);
        }
        if read.errors.is_empty() {
            read.check(&files, &schema);
        }
        if read.errors.is_empty() && read.details.is_empty() {
            read.errors
                .push(PolicyError::of_file(files.first().map_or("(nothing)", |f| &f.name), "holds no policy; nobody could do anything"));
        }
        if !read.errors.is_empty() {
            let mut seen = BTreeSet::new();
            read.errors.retain(|e| seen.insert(e.to_string()));
            read.errors.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
            read.errors.truncate(MAX_ERRORS);
            return Err(PolicyErrors(read.errors));
        }
        Ok(Self { files, all: read.all, permits: read.permits, details: read.details, schema, names })
    }
}

fn bounds(files: &[PolicyFile]) -> Result<(), PolicyErrors> {
    let first = files.first().map_or("(nothing)", |f| &f.name);
    let mut seen = BTreeSet::new();
    for f in files {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if f.name.is_empty() || f.name.len() > 64 || !f.name.chars().all(plain) {
            return Err(PolicyError::of_file("(name)", "a policy file's name is letters, digits, '-', '_' and '.', at most 64").into());
        }
        if !seen.insert(&f.name) {
            return Err(PolicyError::of_file(&f.name, "is given twice").into());
        }
    }
    if files.len() > MAX_FILES {
        return Err(PolicyError::of_file(first, format!("{} files; at most {MAX_FILES} make a policy", files.len())).into());
    }
    let size: usize = files.iter().map(|f| f.text.len()).sum();
    if size > MAX_TEXT {
        return Err(PolicyError::of_file(first, format!("{size} bytes of policies; at most {MAX_TEXT} are read")).into());
    }
    Ok(())
}

struct Read {
    all: PolicySet,
    permits: PolicySet,
    details: HashMap<PolicyId, Detail>,
    /// File and byte where a policy begins.
    places: HashMap<PolicyId, (usize, usize)>,
    errors: Vec<PolicyError>,
}

impl Read {
    fn file(&mut self, index: usize, file: &PolicyFile) {
        let parsed: PolicySet = match file.text.parse() {
            Ok(p) => p,
            Err(e) => return self.errors.extend(syntax(file, &e)),
        };
        if parsed.num_of_templates() > 0 {
            self.errors
                .push(PolicyError::of_file(&file.name, "templates (?principal, ?resource) are not for here").hint("name a group instead"));
            return;
        }
        // Cedar counts them in the order they stand in, and keeps each as it was written.
        let mut policies: BTreeMap<usize, &cedar_policy::Policy> = BTreeMap::new();
        for p in parsed.policies() {
            let number = AsRef::<str>::as_ref(p.id()).strip_prefix("policy").and_then(|n| n.parse().ok()).unwrap_or(usize::MAX);
            policies.insert(number, p);
        }
        let mut cursor = 0;
        for p in policies.into_values() {
            let own = p.to_cedar().unwrap_or_default();
            let start = file.text.get(cursor..).and_then(|t| t.find(own.as_str())).map_or(cursor, |i| cursor + i);
            cursor = start + own.len();
            self.policy(index, file, start, &own, p);
        }
    }

    fn policy(&mut self, index: usize, file: &PolicyFile, start: usize, own: &str, p: &cedar_policy::Policy) {
        let at = |key: &str| start + own.find(&format!("@{key}")).unwrap_or(0);
        let notes = match annotations::read(p.annotations()) {
            Ok(n) => n,
            Err(bad) => {
                self.errors.extend(bad.into_iter().map(|b| PolicyError::at(&file.name, &file.text, at(&b.key), b.what).hint(b.hint)));
                return;
            }
        };
        if let (Effect::Forbid, Some(key)) = (p.effect(), &notes.obliges) {
            let error = PolicyError::at(&file.name, &file.text, at(key), format!("@{key} on a forbid: it asks for nothing in return"));
            self.errors.push(error.hint("to ask for more, write permit(principal, action == Action::\"oblige\", resource) with it"));
            return;
        }
        if p.effect() == Effect::Permit && notes.pauses {
            let error = PolicyError::at(&file.name, &file.text, at("pause"), "@pause on a permit: it stops nothing");
            self.errors.push(error.hint("write it on the forbid that a running session should wait out"));
            return;
        }
        let line = PolicyError::at(&file.name, &file.text, start, "").line.unwrap_or(0);
        let name = notes.id.unwrap_or_else(|| format!("{}:{line}", file.name));
        let id = PolicyId::new(&name);
        if self.details.contains_key(&id) {
            self.errors.push(PolicyError::at(&file.name, &file.text, start, format!("a second policy is called {name:?}")));
            return;
        }
        if self.details.len() >= MAX_POLICIES {
            self.errors.push(PolicyError::at(&file.name, &file.text, start, format!("at most {MAX_POLICIES} policies")));
            return;
        }
        let renamed = p.new_id(id.clone());
        if p.effect() == Effect::Permit && self.permits.add(renamed.clone()).is_err() || self.all.add(renamed).is_err() {
            self.errors.push(PolicyError::at(&file.name, &file.text, start, format!("the name {name:?} is taken")));
            return;
        }
        self.places.insert(id.clone(), (index, start));
        self.details
            .insert(id, Detail { name: PolicyName(name), says: notes.reason, obligations: notes.obligations, pauses: notes.pauses });
    }

    fn check(&mut self, files: &[PolicyFile], schema: &Schema) {
        let result = Validator::new(schema.clone()).validate(&self.all, ValidationMode::Strict);
        let errors = result.validation_errors().map(|e| (e.policy_id().clone(), e.to_string(), e as &dyn Diagnostic));
        // What only is worth a warning elsewhere (a policy that can never count, letters that look like others) is a mistake here.
        let warnings = result.validation_warnings().map(|w| (w.policy_id().clone(), w.to_string(), w as &dyn Diagnostic));
        for (id, what, diagnostic) in errors.chain(warnings) {
            let (index, start) = self.places.get(&id).copied().unwrap_or((0, 0));
            let Some(file) = files.get(index) else { continue };
            let offset = offset(diagnostic).unwrap_or(start);
            let what = what.replace(&format!("for policy `{id}`, "), "");
            let error = PolicyError::at(&file.name, &file.text, offset, format!("policy {:?}: {what}", AsRef::<str>::as_ref(&id)));
            self.errors.push(match diagnostic.help() {
                Some(h) => error.hint(h.to_string()),
                None => error.hint("every attribute and its type: anteroom policy schema"),
            });
        }
    }
}

fn offset(d: &dyn Diagnostic) -> Option<usize> {
    d.labels()?.next().map(|l| l.offset())
}

fn syntax(file: &PolicyFile, errors: &cedar_policy::ParseErrors) -> Vec<PolicyError> {
    let one = |e: &cedar_policy::ParseError| {
        let error = PolicyError::at(&file.name, &file.text, offset(e).unwrap_or(0), e.to_string());
        match e.help() {
            Some(h) => error.hint(h.to_string()),
            None => match e.labels().and_then(|mut l| l.next()).and_then(|l| l.label().map(str::to_owned)) {
                Some(label) => error.hint(label),
                None => error,
            },
        }
    };
    errors.iter().map(one).collect()
}
