//! What needs no table: labels, patterns, statements, letters.

use super::{
    Classifier, Context, Found, Look, Rule, command, context::RECENT, keyed, label, letter, pattern, shapes, sql, structure::Shape,
    table::Part, url,
};

/// Rows that may follow a statement whose result shows no header.
const RESULT_LINES: u16 = 500;

/// Where the findings go: in this line, those that need company, those in the lines above.
pub(super) type Findings<'a> = (&'a mut Vec<Found>, &'a mut Vec<Found>, &'a mut Vec<(u32, Found)>);

impl Classifier {
    /// Asks only those who may find something in a line with these signs: most lines of a log have few.
    pub(super) fn text(&mut self, context: &mut Context, look: &Look<'_>, open: bool, is: (Part, Shape), to: Findings<'_>) {
        let (found, weak, back) = to;
        let (part, shape) = is;
        let Look { line, words, signs } = *look;
        if signs.has_any(b":=._") || !signs.is_ascii() {
            keyed::find(line, &mut self.keys, shape.nested, &self.rules, found, weak);
        }
        if let Some(statements) = &self.statements
            && let Some(columns) = sql::find(line, statements, &mut self.keys, &self.rules, found)
        {
            context.selected = Some((columns.into(), RESULT_LINES));
        }
        if self.rules.label_starts.may_be_in(line, words) {
            label::find(line, &self.rules, found);
        }
        if signs.has_any(b"/%") {
            url::find(line, found);
        }
        let in_message = shape.message
            || found.iter().any(|found| matches!(found.rule, Rule::Hl7(..) | Rule::Mumps))
            || context.hl7.is_some_and(|d| d.begins(line));
        // X12 says of every street whose it is; only its notes are free text (NTE, MSG).
        if !shape.x12 || line.contains("NTE") || line.contains("MSG") {
            pattern::find(line, in_message, &self.rules, found);
        }
        command::find(line, open, &self.rules, found);
        let above: [&str; RECENT] = std::array::from_fn(|at| context.recent[at].as_deref().unwrap_or_default());
        letter::find(line, &above, &self.rules, found, back);
        if part == Part::Outside && !in_message && shapes::may_be(line) {
            shapes::find(line, &self.rules, found);
        }
    }
}
