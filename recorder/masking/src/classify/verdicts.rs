//! What was found on a line.

use std::ops::Range;

use crate::kind::Kind;

/// Which rule found something; for people who ask why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Column,
    Label,
    Json,
    Xml,
    Yaml,
    Hl7([u8; 3], usize),
    X12,
    /// Group and element.
    Dicom(u32),
    Mumps,
    /// In a dump of bytes.
    Dump,
    /// Cells that are a person only together.
    Row,
    Letter,
    /// What somebody searches for.
    Typed,
    Pattern(usize),
    Learned,
    /// Still being written: cannot be told yet, so it is masked for now.
    Unfinished,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) range: Range<usize>,
    pub(crate) kind: Kind,
    pub(crate) rule: Rule,
}

impl Found {
    pub(super) fn new(range: Range<usize>, kind: Kind, rule: Rule) -> Self {
        Self { range, kind, rule }
    }
}

/// The classification of one logical line. Only the classifier makes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Verdicts {
    pub(super) length: usize,
    pub(super) found: Vec<Found>,
    /// Masked ranges in cells, when the line came from the grid.
    pub(super) cells: Vec<Range<usize>>,
    /// The line is a header or a rule.
    pub(super) frame: bool,
    /// What this line says about lines above it: how far above, and what.
    pub(super) back: Vec<(u32, Found)>,
    /// Where the classifier keeps the line's words until it is emitted: they are looked at up to three times.
    pub(super) words: Range<usize>,
}

impl Verdicts {
    /// Is this the verdict of a text of this length?
    pub(crate) fn covers(&self, length: usize) -> bool {
        self.length == length
    }

    pub(crate) fn ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.found.iter().map(|found| found.range.clone())
    }

    pub(crate) fn found(&self) -> &[Found] {
        &self.found
    }

    /// What this line said about lines above it.
    pub(crate) fn back(&self) -> &[(u32, Found)] {
        &self.back
    }

    /// Takes in what a later line said about this one. Says whether that was new.
    pub(crate) fn amend(&mut self, later: &Found) -> bool {
        let known = self.found.iter().any(|found| found.range.start <= later.range.start && found.range.end >= later.range.end);
        if known || later.range.end > self.length {
            return false;
        }
        self.found.push(later.clone());
        resolve(&mut self.found);
        true
    }

    /// Masks more.
    pub(crate) fn add(&mut self, found: Found) {
        if found.range.end <= self.length {
            self.found.push(found);
            resolve(&mut self.found);
        }
    }

    /// Verdicts of the cells of one row that several lines share: `parts` are their verdicts, the cell in their own line at which the part of
    /// this row begins, and the columns of the row that are theirs.
    pub(crate) fn beside<'a>(parts: impl Iterator<Item = (&'a Verdicts, usize, Range<usize>)>) -> Self {
        let mut cells = Vec::new();
        for (verdicts, first, columns) in parts {
            for masked in &verdicts.cells {
                let start = masked.start.max(first);
                let end = masked.end.min(first + columns.len());
                if start < end {
                    cells.push(start - first + columns.start..end - first + columns.start);
                }
            }
        }
        cells.sort_unstable_by_key(|range| range.start);
        Self { cells, ..Self::default() }
    }

    /// Translates byte ranges to cells; `starts` is the byte where each cell begins, `None` when cell and byte are the same.
    pub(crate) fn in_cells(mut self, starts: Option<&[u32]>) -> Self {
        self.cells = self
            .found
            .iter()
            .map(|found| match starts {
                None => found.range.clone(),
                Some(starts) => {
                    let cell = |byte: usize| starts.partition_point(|start| (*start as usize) < byte);
                    cell(found.range.start)..cell(found.range.end)
                }
            })
            .collect();
        self
    }

    pub(crate) fn cell_ranges(&self) -> &[Range<usize>] {
        &self.cells
    }

    /// Masked ranges in ascending order, in cells counted from `first`.
    pub(crate) fn masks_from(&self, first: usize) -> impl Iterator<Item = Range<usize>> + '_ {
        self.cursor(first).ranges.iter().map(move |range| range.start.saturating_sub(first)..range.end - first)
    }

    /// Answers for cells asked in ascending order from `first`.
    pub(crate) fn cursor(&self, first: usize) -> MaskCursor<'_> {
        MaskCursor { ranges: &self.cells[self.cells.partition_point(|range| range.end <= first)..] }
    }
}

#[derive(Debug)]
pub(crate) struct MaskCursor<'a> {
    ranges: &'a [Range<usize>],
}

impl MaskCursor<'_> {
    pub(crate) fn masked(&mut self, cell: usize) -> bool {
        while let Some(first) = self.ranges.first() {
            if cell < first.end {
                return cell >= first.start;
            }
            self.ranges = &self.ranges[1..];
        }
        false
    }
}

/// Does it say that a patient is spoken of?
pub(super) fn names_patient(found: &Found) -> bool {
    matches!(
        found.rule,
        Rule::Column
            | Rule::Label
            | Rule::Letter
            | Rule::Json
            | Rule::Xml
            | Rule::Yaml
            | Rule::Hl7(..)
            | Rule::X12
            | Rule::Dicom(_)
            | Rule::Mumps
    ) && matches!(found.kind, Kind::Mrn | Kind::Ssn | Kind::Birth | Kind::Name | Kind::HealthPlan)
}

/// Sorts, and joins what overlaps. The first of two keeps its kind.
pub(super) fn resolve(found: &mut Vec<Found>) {
    // Findings of structure come first in the list and win over those of labels and patterns at the same place.
    found.retain(|found| !found.range.is_empty());
    found.sort_by_key(|found| found.range.start);
    found.dedup_by(|next, last| {
        let overlap = next.range.start < last.range.end;
        if overlap {
            last.range.end = last.range.end.max(next.range.end);
        }
        overlap
    });
}
