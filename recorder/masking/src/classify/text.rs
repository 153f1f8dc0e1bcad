//! What needs no table: labels, patterns, statements, letters.

use super::{
    Classifier, Context, Found, Look, Rule, command, context::RECENT, hl7, keyed, label, letter, pattern, prose, shapes, sql,
    structure::Shape, table::Part, url, wrapped,
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
        // What a field's components are its number says better than its name.
        let pretty = !found.is_empty() && hl7::is_pretty(line) && found.iter().any(|found| matches!(found.rule, Rule::Hl7(..)));
        if !pretty && keyed::may_be(signs) {
            keyed::find(line, &mut self.keys, keyed::Is { nested: shape.nested, open, signs }, &self.rules, found, weak);
        }
        if let Some(statements) = self.statements
            && let Some(columns) = sql::find(look, statements, &mut context.script, &mut self.keys, &self.rules, found)
        {
            context.selected = Some((columns, RESULT_LINES));
        }
        if !self.rules.gates || self.rules.label_starts.may_be_in(line, words) {
            label::find(line, &self.rules, found);
        }
        if signs.has_any(b"/%?") {
            url::find(line, &self.rules, found);
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
        if part == Part::Outside {
            wrapped::find(above[RECENT - 1], line, context.patient_lines > 0, &self.rules, found, back);
        }
        if part == Part::Outside && !in_message {
            prose::find(line, words, &self.rules, found);
        }
        if part == Part::Outside
            && !in_message
            && !shape.x12
            && shapes::may_be(line, words, signs)
            && let Some(table) = shapes::find(line, signs, &self.rules, found)
        {
            self.know_table(&table);
        }
    }
}
