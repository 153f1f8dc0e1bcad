//! SQL statements: the values in them, and what they say about the rows that follow ("select mrn, last_name ..." names the columns of a
//! result that is shown without a header).

use std::{
    ops::Range,
    sync::{Arc, LazyLock},
};

use aho_corasick::AhoCorasick;

use super::{
    Found, Look, Rule,
    cell::{Meaning, meanings},
    keyed::Keys,
    shapes, table,
    value::fills,
};
use crate::{
    kind::Kind,
    rules::RuleSet,
    words::{Signs, Word},
};

/// What the columns of a table or of a result hold.
pub(super) type Columns = Arc<[Meaning]>;

/// Lines of rows that one INSERT may have.
const INSERT_LINES: u16 = 2000;
/// Tables whose columns are remembered from their DDL.
const MAX_TABLES: usize = 16;
const MAX_COLUMNS: usize = 512;

/// What a script's lines so far say about the next one: `mysqldump` and `.dump` write a table's columns in its DDL and no more in its
/// INSERTs, and rows on lines of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Script(Option<Box<Open>>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Open {
    creating: Option<(String, Vec<String>)>,
    tables: Vec<(String, Columns)>,
    inserting: Option<(Columns, u16)>,
}

/// Finds the words by which a line may be a statement.
#[derive(Debug)]
pub(super) struct Words {
    words: AhoCorasick,
    /// Hashes of the words by which a line without quote or bracket may be a statement.
    alone: Vec<u64>,
    /// A bit for each of them: most words have another.
    bits: u64,
}

const SELECT: usize = 0;
const VALUES: usize = 1;
const INSERT: usize = 2;
const CREATE: usize = 3;
const PARAMETERS: usize = 4;
// SQLAlchemy's log: `[generated in 0.0002s] ('E004512', 'Whitfield')`.
const GENERATED: usize = 5;
const CACHED: usize = 6;

impl Words {
    /// The same for every session: its automaton takes 29 KiB.
    pub(super) fn shared() -> Option<&'static Self> {
        static WORDS: LazyLock<Option<Words>> = LazyLock::new(Words::new);
        WORDS.as_ref()
    }

    fn new() -> Option<Self> {
        let words = [
            "select ",
            "values",
            "insert into ",
            "create table ",
            "parameters: ",
            "[generated in ",
            "[cached since ",
            " in (",
            " in(",
            " like ",
            " ilike ",
            " between ",
            " regexp ",
            " rlike ",
            " similar to ",
        ];
        let words = AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok()?;
        let mut alone = Vec::new();
        crate::words::words("select values insert create parameters like ilike between regexp rlike similar", &mut alone);
        let alone: Vec<u64> = alone.into_iter().map(|word| word.hash).collect();
        let bits = alone.iter().fold(0, |bits, hash| bits | 1 << (hash % 64));
        Some(Self { words, alone, bits })
    }

    /// Most values of statements are quoted or in a list.
    fn may_be_in(&self, words: &[Word], signs: Signs) -> bool {
        signs.has_any(b"'(")
            || !signs.is_ascii()
            || words.iter().any(|word| self.bits >> (word.hash % 64) & 1 == 1 && self.alone.contains(&word.hash))
    }
}

/// Bytes of statements that are read in one line, besides eight times the line: words in a row would have the rest read again for each.
const MAX_READ_BYTES: usize = 1 << 20;
/// Reading a select list costs so much more a byte.
const SELECT_COSTS: usize = 32;

/// Finds values in a statement; returns what its result's columns are, if it selects identifiers.
pub(super) fn find(
    look: &Look<'_>,
    statements: &Words,
    script: &mut Script,
    keys: &mut Keys,
    rules: &RuleSet,
    found: &mut Vec<Found>,
) -> Option<Columns> {
    let Look { line, words, signs } = *look;
    if script.0.is_some() && script.goes_on(line, rules, found) {
        return None;
    }
    let mut columns = None;
    if !statements.may_be_in(words, signs) {
        return None;
    }
    let mut left = MAX_READ_BYTES + 8 * line.len();
    for hit in statements.words.find_iter(line) {
        let rest = line.len() - hit.start();
        let cost = if hit.pattern().as_usize() == SELECT { rest * SELECT_COSTS } else { rest };
        let Some(still) = left.checked_sub(cost) else { continue };
        match hit.pattern().as_usize() {
            SELECT if columns.is_some() || line[..hit.start()].ends_with(|c: char| c.is_alphanumeric() || c == '_') => continue,
            SELECT => columns = select(&line[hit.end()..], rules),
            VALUES => script.values(line, hit.range(), rules, found),
            INSERT => script.insert(line, hit.end(), rules),
            CREATE => script.create(line, hit.end(), rules),
            GENERATED | CACHED => rows(line, hit.end(), &[], rules, found),
            PARAMETERS => parameters(line, hit.end(), rules, found),
            _ => condition(line, hit.range(), keys, rules, found),
        }
        left = still;
    }
    columns
}

impl Script {
    /// The line belongs to a statement that began above.
    fn goes_on(&mut self, line: &str, rules: &RuleSet, found: &mut Vec<Found>) -> bool {
        let Some(open) = self.0.as_mut() else { return false };
        let text = line.trim();
        if let Some((name, names)) = open.creating.take() {
            if !text.starts_with(')') && names.len() < MAX_COLUMNS && !text.is_empty() {
                let mut names = names;
                names.extend(column_of_ddl(text));
                open.creating = Some((name, names));
            } else {
                open.know(name, &names, rules);
            }
            return true;
        }
        let Some((columns, left)) = open.inserting.take() else { return false };
        let start = line.find('(').filter(|_| text.starts_with('('));
        if let Some(start) = start {
            rows(line, start, &columns, rules, found);
        }
        let ends =
            text.ends_with(';') || left == 0 || !(start.is_some() || text.is_empty() || text.to_ascii_lowercase().starts_with("values"));
        if !ends {
            open.inserting = Some((columns, left - 1));
        }
        start.is_some()
    }

    /// `INSERT INTO t (mrn, last_name) VALUES ('1', 'Smith'), (...)`: columns and values in one line, or rows in the lines that follow.
    fn values(&mut self, line: &str, hit: Range<usize>, rules: &RuleSet, found: &mut Vec<Found>) {
        let Some((columns, _)) = self.0.as_ref().and_then(|open| open.inserting.clone()) else { return };
        rows(line, hit.end, &columns, rules, found);
        if line.trim_end().ends_with(';')
            && let Some(open) = &mut self.0
        {
            open.inserting = None;
        }
    }

    /// Behind "INSERT INTO": the table's name, and its columns if they are named.
    fn insert(&mut self, line: &str, from: usize, rules: &RuleSet) {
        let rest = &line[from..];
        let head = &rest[..rest.to_ascii_lowercase().find("values").unwrap_or(rest.len())];
        let columns = match (head.find('('), head.rfind(')')) {
            (Some(open), Some(close)) if open < close => {
                let names: Vec<String> = head[open + 1..close].split(',').map(name_of).take(MAX_COLUMNS).collect();
                meanings(&names, rules).into()
            }
            _ => {
                let name = name_of(head.split(['(', ' ']).next().unwrap_or_default());
                let known = self.0.as_ref().and_then(|open| open.tables.iter().find(|table| table.0 == name));
                known.map_or_else(|| Columns::from([]), |table| Arc::clone(&table.1))
            }
        };
        self.0.get_or_insert_default().inserting = Some((columns, INSERT_LINES));
    }

    /// `CREATE TABLE t (mrn text, last_name text);`, or its columns one to a line.
    fn create(&mut self, line: &str, from: usize, rules: &RuleSet) {
        let rest = line[from..].trim_start();
        let rest = rest.get(..14).filter(|start| start.eq_ignore_ascii_case("if not exists ")).map_or(rest, |start| &rest[start.len()..]);
        let Some(open) = rest.find('(') else { return };
        let name = name_of(&rest[..open]);
        let inner = rest[open + 1..].trim();
        let script = self.0.get_or_insert_default();
        match inner.rfind(')').filter(|_| inner.ends_with([';', ')'])) {
            Some(close) => {
                let mut depth = 0_i32;
                let columns = inner[..close].split(|c: char| {
                    depth += i32::from(c == '(') - i32::from(c == ')');
                    c == ',' && depth == 0
                });
                let names: Vec<String> = columns.filter_map(|text| column_of_ddl(text.trim())).take(MAX_COLUMNS).collect();
                script.know(name, &names, rules);
            }
            None => script.creating = Some((name, column_of_ddl(inner).into_iter().collect())),
        }
    }
}

impl Open {
    fn know(&mut self, name: String, names: &[String], rules: &RuleSet) {
        if self.tables.len() == MAX_TABLES {
            self.tables.remove(0);
        }
        self.tables.push((name, meanings(names, rules).into()));
    }
}

/// Without quotes and schema.
fn name_of(text: &str) -> String {
    text.trim().rsplit('.').next().unwrap_or_default().trim_matches(['"', '`', '[', ']', ' ', '\'']).to_owned()
}

/// The column that a line of a table's definition names.
fn column_of_ddl(text: &str) -> Option<String> {
    const OTHERS: [&str; 9] = ["primary", "key", "unique", "constraint", "foreign", "index", "check", "fulltext", "exclude"];
    let word = text.split([' ', '\t', ',']).next()?;
    (!word.is_empty() && !OTHERS.iter().any(|other| word.eq_ignore_ascii_case(other)) && !word.starts_with("--")).then(|| name_of(word))
}

/// `last_name IN ('A', 'B')`, `dob BETWEEN '...' AND '...'`, `mrn LIKE 'E%'`.
fn condition(line: &str, operator: Range<usize>, keys: &mut Keys, rules: &RuleSet, found: &mut Vec<Found>) {
    let before = line[..operator.start].trim_end();
    let before = before.strip_suffix(" NOT").or_else(|| before.strip_suffix(" not")).unwrap_or(before);
    let column = before.trim_end_matches([')', '"', '`']);
    let start = column.rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '"'))).map_or(0, |at| at + 1);
    let Some(column) = column.get(start..) else { return };
    let Some(label) = keys.label(column, rules) else { return };
    let mut at = operator.end;
    // The list's end, or the statement's.
    let end = line[at..].find([')', ';']).map_or(line.len(), |end| at + end);
    while let Some(open) = line[at..end.max(at)].find('\'') {
        let start = at + open + 1;
        let close = line[start..].find('\'').map_or(line.len(), |close| start + close);
        let text = &line[start..close];
        let value = text.trim_matches(['%', '_', '^', '$', '.', '*']);
        if fills(label.kind, value, true, rules) {
            let from = start + (text.len() - text.trim_start_matches(['%', '_', '^', '$', '.', '*']).len());
            found.push(Found::new(from..from + value.len(), label.kind, Rule::Label));
        }
        at = (close + 1).min(line.len());
        if at >= end {
            break;
        }
    }
    // Numbers without quotes.
    if label.kind.is_code() && !line[operator.end..end.max(operator.end)].contains('\'') {
        for (start, number) in line[operator.end..end.max(operator.end)].match_indices(|c: char| c.is_ascii_digit()) {
            let _ = number;
            let start = operator.end + start;
            if line.as_bytes()[start - 1].is_ascii_alphanumeric() {
                continue;
            }
            let length = line[start..].bytes().take_while(u8::is_ascii_digit).count();
            if length >= 4 {
                found.push(Found::new(start..start + length, label.kind, Rule::Label));
            }
        }
    }
}

/// The labels of a select list, if one of them identifies.
fn select(list: &str, rules: &RuleSet) -> Option<Columns> {
    let lower = list.to_ascii_lowercase();
    let end = lower.find(" from ").or_else(|| lower.find(" from\t")).unwrap_or(list.len());
    let list = list[..end].trim_end_matches([';', '\'', '"', ' ']);
    let list = list.strip_prefix("distinct ").or_else(|| list.strip_prefix("DISTINCT ")).unwrap_or(list);
    let mut names = Vec::new();
    let (mut depth, mut quoted, mut start) = (0i32, false, 0);
    for (at, c) in list.char_indices().chain([(list.len(), ',')]) {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if (!quoted && depth <= 0) || at == list.len() => {
                names.push(column_name(list[start..at].trim(), rules));
                start = at + 1;
                if names.len() > 64 {
                    return None;
                }
            }
            _ => {}
        }
    }
    let columns = meanings(&names, rules);
    columns.iter().any(|means| means.label().is_some()).then(|| columns.into())
}

/// The name of a select item: its alias, its column, or the column inside its functions.
fn column_name(item: &str, rules: &RuleSet) -> String {
    let lower = item.to_ascii_lowercase();
    if let Some(alias) = lower.rfind(" as ") {
        return item[alias + 4..].trim().trim_matches(['"', '`', '[', ']', '\'']).to_owned();
    }
    let identifiers = || item.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'))).filter(|word| !word.is_empty());
    let named = identifiers().find(|word| rules.vocabulary.label(word.rsplit('.').next().unwrap_or(word)).is_some());
    named.or_else(|| identifiers().next_back()).unwrap_or_default().rsplit('.').next().unwrap_or_default().to_owned()
}

/// Rows in brackets from `at` on.
fn rows(line: &str, at: usize, columns: &[Meaning], rules: &RuleSet, found: &mut Vec<Found>) {
    let mut at = at;
    while let Some(open) = line.get(at..).and_then(|rest| rest.find('(')) {
        let start = at + open + 1;
        let end = unquoted(line, start..line.len(), b')').unwrap_or(line.len());
        let row: Vec<Range<usize>> = cells(line, start..end).map(|cell| literal(line, cell)).take(MAX_COLUMNS).collect();
        if columns.is_empty() {
            shapes::person(line, &row, rules, found);
        }
        for (cell, means) in row.into_iter().zip(columns) {
            if let Some(kind) = means.of(&line[cell.clone()], rules) {
                found.push(Found::new(cell, kind, Rule::Column));
            }
        }
        at = end;
    }
}

/// PostgreSQL's `parameters: $1 = 'Whitfield', $2 = 'Ann', $3 = '1954-03-11'`, MyBatis' `Parameters: Whitfield(String), 1954-03-11(Date)`:
/// the statement is another line's, so the values together have to say that they are a person's.
fn parameters(line: &str, from: usize, rules: &RuleSet, found: &mut Vec<Found>) {
    let row: Vec<Range<usize>> = cells(line, from..line.len())
        .map(|cell| {
            let text = &line[cell.clone()];
            let start = match text.trim_start().starts_with('$') {
                true => cell.start + text.find('=').map_or(0, |sign| sign + 1),
                false => cell.start,
            };
            let typed = text.trim_end().strip_suffix(')').and_then(|text| text.rfind('('));
            literal(line, start..typed.map_or(cell.end, |open| (cell.start + open).max(start)))
        })
        .take(MAX_COLUMNS)
        .collect();
    if row.len() >= 2 {
        shapes::person(line, &row, rules, found);
    }
}

/// What stands between a literal's quotes: `'Smith'`, `E'Smith'`, `N'Smith'`, or a number.
fn literal(line: &str, cell: Range<usize>) -> Range<usize> {
    let text = &line[cell.clone()];
    let inner = text.trim_start_matches([' ', '(']);
    let inner = ["E'", "N'", "e'", "n'"].iter().find_map(|start| inner.strip_prefix(*start)).unwrap_or(inner).trim_start_matches('\'');
    let start = cell.start + (text.len() - inner.len());
    start..start + inner.trim_end_matches([' ', '\'']).len()
}

/// Where `sign` stands outside of quotes. A backslash keeps a quote from ending the string (MySQL; elsewhere nobody writes it so).
fn unquoted(line: &str, within: Range<usize>, sign: u8) -> Option<usize> {
    let bytes = line.as_bytes();
    let mut quoted = false;
    let mut at = within.start;
    while at < within.end {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            b'\'' => quoted = !quoted,
            b if b == sign && !quoted => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

fn cells(line: &str, within: Range<usize>) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut next = Some(within.start);
    std::iter::from_fn(move || {
        let start = next?;
        let end = unquoted(line, start..within.end, b',').unwrap_or(within.end);
        next = (end < within.end).then_some(end + 1);
        Some(start..end)
    })
}

/// A result without header of a statement that named its columns.
pub(super) fn row(line: &str, columns: &[Meaning], rules: &RuleSet, found: &mut Vec<Found>) -> bool {
    let cells = ['|', '\t', '│', ','].into_iter().find_map(|by| {
        let cells = table::delimited(line.trim_matches(['|', '│']), by);
        let offset = line.len() - line.trim_start_matches(['|', '│']).len();
        // Prose has a blank behind its commas.
        let prose = by == ',' && cells.iter().skip(1).all(|cell| line[offset + cell.start..].starts_with(' '));
        (cells.len() == columns.len() && cells.len() > 1 && !prose)
            .then(|| cells.into_iter().map(|cell| cell.start + offset..cell.end + offset).collect::<Vec<_>>())
    });
    // What clients say of a statement that returned nothing.
    const TAGS: [&str; 12] =
        ["UPDATE ", "INSERT ", "DELETE ", "SELECT ", "Empty set", "Query OK", "(", "COMMIT", "BEGIN", "Rows matched", "Records:", "ERROR"];
    let done = TAGS.iter().any(|tag| line.starts_with(tag)) || line.contains("> ") || line.contains(" rows");
    let cells = match cells {
        None if done => return false,
        Some(cells) => cells,
        // One column: the line is the value.
        None if columns.len() == 1 && line.split_whitespace().count() <= 5 && !line.ends_with([';', '>', '#', '$', ':']) => {
            std::iter::once(0..line.len()).collect()
        }
        None => return false,
    };
    // The header of the result, and not a row of it.
    if cells.iter().any(|cell| rules.vocabulary.label(line[cell.clone()].trim()).is_some()) {
        return false;
    }
    let mut any = false;
    for (cell, means) in cells.into_iter().zip(columns) {
        let text = &line[cell.clone()];
        let trimmed = text.trim_matches([' ', '"', '\'', '|']);
        if let Some(kind) = means.of(trimmed, rules).filter(|kind| *kind != Kind::Name || !trimmed.contains(['(', '=', ';'])) {
            let start = cell.start + (text.len() - text.trim_start_matches([' ', '"', '\'', '|']).len());
            found.push(Found::new(start..start + trimmed.len(), kind, Rule::Column));
            any = true;
        }
    }
    any
}
