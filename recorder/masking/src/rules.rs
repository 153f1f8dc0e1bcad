//! Rule sets: versioned data, checked at load.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Range,
};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use regex_automata::{meta, util::syntax};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use crate::{
    classify::starts::LabelStarts,
    kind::Kind,
    sieve::Sieve,
    vocabulary::{Vocabulary, WordLists, normalise},
    words::Quick,
};

const BUILTIN: &str = include_str!("../rules/builtin.toml");

/// The lazy automaton of all patterns together. With the usual 2 MiB it thrashes: 10 MB/s instead of 300.
const PATTERN_CACHE_BYTES: usize = 32 << 20;

/// A checked, compiled rule set.
#[derive(Debug)]
pub struct RuleSet {
    sha256: [u8; 32],
    name: String,
    pub(crate) mask_providers: bool,
    /// Most lines are not looked at by most classifiers, because they lack their signs.
    pub(crate) gates: bool,
    /// Finds labels in text; the pattern index leads to `labels`.
    pub(crate) label_finder: AhoCorasick,
    pub(crate) label_starts: LabelStarts,
    pub(crate) labels: Vec<Label>,
    /// Normalised label to what it stands for.
    pub(crate) columns: HashMap<String, Label, Quick>,
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) pattern_finder: meta::Regex,
    /// None: every line has to be searched.
    pub(crate) pattern_sieve: Option<Sieve>,
    pub(crate) hl7: BTreeMap<[u8; 3], Vec<Hl7Field>>,
    /// What the words of a column's or field's name say.
    pub(crate) vocabulary: Vocabulary,
    pub(crate) nulls: HashSet<String, Quick>,
    pub(crate) longest_null: usize,
    pub(crate) common: HashSet<String, Quick>,
    pub(crate) cues: Cues,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) kind: Kind,
    /// Decides alone; otherwise value and company must fit.
    pub(crate) strong: bool,
}

#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) check: Check,
}

/// What a pattern's match must pass besides the expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Check {
    /// No letter or digit beside it.
    #[default]
    Alone,
    Ssn,
    Phone,
    Email,
    State,
    NameAfterWord,
    /// "patient E004512"
    CodeAfterWord,
    Caret,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hl7Field {
    pub(crate) number: usize,
    pub(crate) data_type: Hl7Type,
    pub(crate) kind: Kind,
}

/// HL7 v2.5.1 chapter 2A: which components carry the identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Hl7Type {
    Cx,
    Xpn,
    Xad,
    Xtn,
    Ts,
    St,
    Dln,
}

/// Why a rule file was refused. Names line and key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rules: line {line}: {key}: {problem}")]
pub struct RuleError {
    pub line: usize,
    pub key: String,
    pub problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Spanned<u32>,
    name: String,
    /// "builtin": the built-in rules, and these besides.
    extends: Option<Spanned<String>>,
    #[serde(default)]
    mask_providers: bool,
    #[serde(default)]
    words: Words,
    #[serde(default)]
    field: Vec<Field>,
    #[serde(default)]
    pattern: Vec<PatternRule>,
    #[serde(default)]
    hl7: Vec<Hl7Rule>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Words {
    qualifiers: Vec<String>,
    providers: Vec<String>,
    things: Vec<String>,
    neutral: Vec<String>,
    fillers: Vec<String>,
    nulls: Vec<String>,
    common: Vec<String>,
    around: Around,
    /// Short forms of words in names of columns.
    short: HashMap<String, String>,
}

/// What the words around a name say about it.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Around {
    patients: Vec<String>,
    relatives: Vec<String>,
    titles: Vec<String>,
    papers: Vec<String>,
    staff: Vec<String>,
    degrees: Vec<String>,
    deeds: Vec<String>,
    calls: Vec<String>,
}

/// What one word before a name or number says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cue {
    pub(crate) patient: bool,
    pub(crate) relative: bool,
    pub(crate) title: bool,
    pub(crate) paper: bool,
    pub(crate) staff: bool,
    pub(crate) call: bool,
}

/// [`Around`], for looking up.
#[derive(Debug, Default)]
pub(crate) struct Cues {
    words: HashMap<String, Cue, Quick>,
    pub(crate) degrees: Vec<String>,
    pub(crate) deeds: Vec<String>,
}

impl Cues {
    fn new(around: Around) -> Self {
        let mut words: HashMap<String, Cue, Quick> = HashMap::default();
        let mut add =
            |list: Vec<String>, set: fn(&mut Cue)| list.into_iter().for_each(|word| set(words.entry(word.to_lowercase()).or_default()));
        add(around.patients, |cue| cue.patient = true);
        add(around.relatives, |cue| cue.relative = true);
        add(around.titles, |cue| cue.title = true);
        add(around.papers, |cue| cue.paper = true);
        add(around.staff, |cue| cue.staff = true);
        add(around.calls, |cue| cue.call = true);
        Self { words, degrees: around.degrees, deeds: around.deeds }
    }

    /// `word` in small letters.
    pub(crate) fn of(&self, word: &str) -> Cue {
        self.words.get(word).copied().unwrap_or_default()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    kind: Kind,
    #[allow(dead_code, reason = "the source of a rule is for people who read the file, and is required of them")]
    cite: String,
    #[serde(default)]
    strong: Vec<Spanned<String>>,
    #[serde(default)]
    weak: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PatternRule {
    name: Spanned<String>,
    kind: Kind,
    #[allow(dead_code, reason = "as in Field")]
    cite: String,
    regex: Spanned<String>,
    #[serde(default)]
    check: Check,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hl7Rule {
    segment: Spanned<String>,
    fields: Vec<(usize, Hl7Type, Kind)>,
}

impl RuleSet {
    /// The rule set this program carries.
    ///
    /// # Panics
    /// Never: the file is part of the program and a test loads it.
    #[allow(clippy::expect_used)]
    pub fn builtin() -> Self {
        Self::parse(BUILTIN).expect("the built-in rules are checked by a test")
    }

    /// The text of the built-in rules, as a start for an operator's own.
    pub fn builtin_text() -> &'static str {
        BUILTIN
    }

    /// Reads an operator's rule file (TOML).
    ///
    /// # Errors
    /// Bad syntax, an unknown key, type or version, or a pattern that does not compile; line and key are named.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            refuse(text, &span, error.message().to_owned())
        })?;
        if *file.version.get_ref() != 1 {
            let problem = format!("version {} is not known; this program reads version 1", file.version.get_ref());
            return Err(refuse(text, &file.version.span(), problem));
        }
        let mut sha256 = Sha256::new_with_prefix(text.as_bytes());
        // What an operator added comes first: the first meaning of a label stays.
        let file = match &file.extends {
            Some(base) if base.get_ref() == "builtin" => {
                sha256.update(BUILTIN.as_bytes());
                extended(text, file)?
            }
            Some(base) => return Err(refuse(text, &base.span(), format!("{:?} cannot be extended; \"builtin\" can", base.get_ref()))),
            None => file,
        };
        let (columns, labels, label_finder, label_starts) = compile_labels(text, &file.field)?;
        let (patterns, pattern_finder, pattern_sieve) = compile_patterns(text, file.pattern)?;
        let lists = WordLists {
            persons: file.words.qualifiers,
            providers: file.words.providers,
            things: file.words.things,
            neutral: file.words.neutral,
            fillers: file.words.fillers,
            short: file.words.short,
        };
        let mut vocabulary = Vocabulary::new(&lists, file.mask_providers);
        for field in &file.field {
            field.strong.iter().for_each(|label| vocabulary.add(label.get_ref(), Label { kind: field.kind, strong: true }));
            field.weak.iter().for_each(|label| vocabulary.add(label.get_ref(), Label { kind: field.kind, strong: false }));
        }
        Ok(Self {
            sha256: sha256.finalize().into(),
            name: file.name,
            mask_providers: file.mask_providers,
            label_finder,
            label_starts,
            labels,
            columns,
            patterns,
            pattern_finder,
            pattern_sieve,
            hl7: compile_hl7(text, file.hl7)?,
            vocabulary,
            longest_null: file.words.nulls.iter().map(|null| null.to_lowercase().len()).max().unwrap_or(0),
            nulls: lower(file.words.nulls),
            common: lower(file.words.common),
            cues: Cues::new(file.words.around),
            gates: true,
        })
    }

    /// Has every line looked at by every classifier, which is slow and says the same (a test holds it to that).
    #[doc(hidden)]
    #[must_use]
    pub fn without_gates(mut self) -> Self {
        self.gates = false;
        self.pattern_sieve = None;
        self
    }

    /// SHA-256 of the rule file's bytes: recorded with every recording made under it.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// The name the file gives itself.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The built-in rules behind those of the file.
fn extended(text: &str, mut file: File) -> Result<File, RuleError> {
    let base: File = toml::from_str(BUILTIN).map_err(|error| refuse(text, &(0..0), error.message().to_owned()))?;
    file.words.qualifiers.extend(base.words.qualifiers);
    file.words.providers.extend(base.words.providers);
    file.words.things.extend(base.words.things);
    file.words.neutral.extend(base.words.neutral);
    file.words.fillers.extend(base.words.fillers);
    file.words.nulls.extend(base.words.nulls);
    file.words.common.extend(base.words.common);
    let (own, base_around) = (&mut file.words.around, base.words.around);
    own.patients.extend(base_around.patients);
    own.relatives.extend(base_around.relatives);
    own.titles.extend(base_around.titles);
    own.papers.extend(base_around.papers);
    own.staff.extend(base_around.staff);
    own.degrees.extend(base_around.degrees);
    own.deeds.extend(base_around.deeds);
    own.calls.extend(base_around.calls);
    for (short, long) in base.words.short {
        file.words.short.entry(short).or_insert(long);
    }
    file.field.extend(base.field);
    file.pattern.extend(base.pattern);
    // The file's own come last and win.
    let own = std::mem::replace(&mut file.hl7, base.hl7);
    file.hl7.extend(own);
    Ok(file)
}

fn lower(words: Vec<String>) -> HashSet<String, Quick> {
    words.into_iter().map(|word| word.to_lowercase()).collect()
}

fn refuse(text: &str, span: &Range<usize>, problem: String) -> RuleError {
    let before = &text[..text.floor_char_boundary(span.start)];
    let line = before.matches('\n').count() + 1;
    let content = text.lines().nth(line - 1).unwrap_or_default();
    let key = content.split('=').next().unwrap_or_default().trim().trim_matches(['[', ']']).to_owned();
    RuleError { line, key, problem: problem.replace('\n', " ") }
}

type Labels = (HashMap<String, Label, Quick>, Vec<Label>, AhoCorasick, LabelStarts);

fn compile_labels(text: &str, fields: &[Field]) -> Result<Labels, RuleError> {
    let mut columns: HashMap<String, Label, Quick> = HashMap::default();
    let mut spellings: BTreeMap<String, Label> = BTreeMap::new();
    for field in fields {
        for (written, strong) in field.strong.iter().map(|l| (l, true)).chain(field.weak.iter().map(|l| (l, false))) {
            let normal = normalise(written.get_ref());
            if normal.is_empty() {
                return Err(refuse(text, &written.span(), "a label needs a letter".to_owned()));
            }
            let label = Label { kind: field.kind, strong };
            columns.entry(normal.replace(' ', "")).or_insert(label);
            columns.entry(normal.clone()).or_insert(label);
            // In running text only what decides alone is looked for.
            if !strong {
                continue;
            }
            for spelling in [written.get_ref().to_lowercase(), normal.clone(), normal.replace(' ', "_")] {
                spellings.entry(spelling).or_insert(label);
            }
        }
    }
    let labels = spellings.values().copied().collect();
    let finder = AhoCorasickBuilder::new()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .build(spellings.keys())
        .map_err(|error| refuse(text, &(0..0), error.to_string()))?;
    let starts = LabelStarts::new(spellings.keys().map(String::as_str));
    Ok((columns, labels, finder, starts))
}

fn compile_patterns(text: &str, rules: Vec<PatternRule>) -> Result<(Vec<Pattern>, meta::Regex, Option<Sieve>), RuleError> {
    let build = |expressions: &[&str]| {
        meta::Builder::new()
            .configure(meta::Config::new().hybrid_cache_capacity(PATTERN_CACHE_BYTES).utf8_empty(false))
            // Bytes, not characters: every pattern is ASCII, and Unicode word boundaries are what makes automata give up.
            .syntax(syntax::Config::new().unicode(false).utf8(false))
            .build_many(expressions)
            .map_err(|error| match error.syntax_error() {
                Some(syntax) => syntax.to_string(),
                None => error.to_string(),
            })
    };
    for rule in &rules {
        if let Err(problem) = build(&[rule.regex.get_ref()]) {
            return Err(refuse(text, &rule.regex.span(), format!("pattern {:?}: {problem}", rule.name.get_ref())));
        }
    }
    let expressions: Vec<&str> = rules.iter().map(|rule| rule.regex.get_ref().as_str()).collect();
    let finder = build(&expressions).map_err(|problem| refuse(text, &(0..0), problem))?;
    let sieve = Sieve::new(expressions);
    let patterns = rules.into_iter().map(|rule| Pattern { name: rule.name.into_inner(), kind: rule.kind, check: rule.check }).collect();
    Ok((patterns, finder, sieve))
}

fn compile_hl7(text: &str, rules: Vec<Hl7Rule>) -> Result<BTreeMap<[u8; 3], Vec<Hl7Field>>, RuleError> {
    let mut segments = BTreeMap::new();
    for rule in rules {
        let Ok(id) = <[u8; 3]>::try_from(rule.segment.get_ref().as_bytes()) else {
            return Err(refuse(text, &rule.segment.span(), format!("segment {:?} must have three letters", rule.segment.get_ref())));
        };
        let fields = rule.fields.into_iter().map(|(number, data_type, kind)| Hl7Field { number, data_type, kind }).collect();
        segments.insert(id, fields);
    }
    Ok(segments)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_builtin_rules_load_and_have_a_hash() {
        let rules = RuleSet::builtin();
        assert_ne!(rules.sha256(), [0; 32]);
        assert_eq!(rules.columns["date of birth"], Label { kind: Kind::Birth, strong: true });
    }

    #[test]
    fn an_error_names_line_and_key() {
        let text = BUILTIN.replace("check = \"email\"", "check = \"e-mail\"");
        let error = RuleSet::parse(&text).unwrap_err();
        assert_eq!(error.key, "check");
        assert!(text.lines().nth(error.line - 1).unwrap().contains("e-mail"), "{error}");

        let error = RuleSet::parse("version = 1\nname = \"x\"\nmask_provider = true\n[words]\n").unwrap_err();
        assert_eq!((error.line, error.key.as_str()), (3, "mask_provider"), "{error}");

        let error = RuleSet::parse("version = 7\nname = \"x\"\n[words]\n").unwrap_err();
        assert_eq!((error.line, error.key.as_str()), (1, "version"), "{error}");

        let bad = "version = 1\nname = \"x\"\n[words]\n[[pattern]]\nname = \"p\"\nkind = \"ssn\"\ncite = \"me\"\nregex = '(['\n";
        let error = RuleSet::parse(bad).unwrap_err();
        assert_eq!((error.line, error.key.as_str()), (8, "regex"), "{error}");
    }
}
