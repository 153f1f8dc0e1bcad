//! What is different between two texts, line by line. Pure.
use anteroom_policy::PolicyFile;

/// Lines of both sides that are compared one with each other; beyond that a whole part is shown as taken away and put there.
const MOST_CELLS: usize = 4_000_000;
/// Unchanged lines shown around a change.
const AROUND: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    Same(&'a str),
    Gone(&'a str),
    New(&'a str),
    /// So many unchanged lines are not shown.
    Skipped(usize),
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileDiff<'a> {
    pub(crate) name: &'a str,
    pub(crate) lines: Vec<Line<'a>>,
}

/// Files that differ, by name; one that is on one side only is all gone, or all new.
pub(crate) fn files<'a>(before: &'a [PolicyFile], after: &'a [PolicyFile]) -> Vec<FileDiff<'a>> {
    let text = |files: &'a [PolicyFile], name: &str| files.iter().find(|f| f.name == name).map_or("", |f| f.text.as_str());
    let mut names: Vec<&str> = before.iter().chain(after).map(|f| f.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|name| FileDiff { name, lines: lines(text(before, name), text(after, name)) })
        .filter(|d| !d.lines.is_empty())
        .collect()
}

/// Empty if nothing differs.
fn lines<'a>(before: &'a str, after: &'a str) -> Vec<Line<'a>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    if old == new {
        return Vec::new();
    }
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old_mid, new_mid) = (&old_rest[..old_rest.len() - end], &new_rest[..new_rest.len() - end]);
    let mut all: Vec<Line<'a>> = old[..start].iter().copied().map(Line::Same).collect();
    middle(old_mid, new_mid, &mut all);
    all.extend(old_rest[old_rest.len() - end..].iter().copied().map(Line::Same));
    shortened(&all)
}

/// By the longest common subsequence.
fn middle<'a>(old: &[&'a str], new: &[&'a str], all: &mut Vec<Line<'a>>) {
    if (old.len() + 1).saturating_mul(new.len() + 1) > MOST_CELLS {
        all.extend(old.iter().copied().map(Line::Gone));
        all.extend(new.iter().copied().map(Line::New));
        return;
    }
    let width = new.len() + 1;
    // Length of the longest common subsequence of what follows.
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i * width + j] = if old[i] == new[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            all.push(Line::Same(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1]) {
            all.push(Line::Gone(old[i]));
            i += 1;
        } else {
            all.push(Line::New(new[j]));
            j += 1;
        }
    }
}

/// Without what is far from every change.
fn shortened<'a>(all: &[Line<'a>]) -> Vec<Line<'a>> {
    let changed: Vec<usize> = (0..all.len()).filter(|i| !matches!(all[*i], Line::Same(_))).collect();
    let near = |i: usize| {
        let at = changed.partition_point(|c| *c < i);
        let before = at.checked_sub(1).and_then(|p| changed.get(p)).is_some_and(|c| i - c <= AROUND);
        before || changed.get(at).is_some_and(|c| c - i <= AROUND)
    };
    let (mut out, mut skipped) = (Vec::new(), 0);
    for (i, line) in all.iter().enumerate() {
        if near(i) {
            if skipped > 0 {
                out.push(Line::Skipped(std::mem::take(&mut skipped)));
            }
            out.push(*line);
        } else {
            skipped += 1;
        }
    }
    if skipped > 0 {
        out.push(Line::Skipped(skipped));
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use Line::{Gone, New, Same, Skipped};

    fn file(name: &str, text: &str) -> PolicyFile {
        PolicyFile { name: name.into(), text: text.into() }
    }

    #[test]
    fn a_line_that_changed_is_gone_and_new_with_what_stands_around_it() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        assert_eq!(lines(before, before), []);
        assert_eq!(
            lines(before, &before.replace('5', "five")),
            [Skipped(1), Same("2"), Same("3"), Same("4"), Gone("5"), New("five"), Same("6"), Same("7"), Same("8"), Skipped(1)]
        );
        assert_eq!(lines("", "a"), [New("a")]);
        assert_eq!(lines("a\nb\nc", "a\nc\nb"), [Same("a"), Gone("b"), Same("c"), New("b")]);
    }

    #[test]
    fn files_are_compared_by_their_names() {
        let (before, after) = ([file("a", "x"), file("b", "y")], [file("b", "y"), file("c", "z")]);
        let all = files(&before, &after);
        assert_eq!(all.iter().map(|d| (d.name, d.lines[0])).collect::<Vec<_>>(), [("a", Gone("x")), ("c", New("z"))]);
    }

    #[test]
    fn two_long_texts_that_have_nothing_in_common_cost_little() {
        let (a, b): (String, String) = ((0..20_000).map(|n| format!("a{n}\n")).collect(), (0..20_000).map(|n| format!("b{n}\n")).collect());
        assert_eq!(lines(&a, &b).len(), 40_000);
    }

    #[test]
    fn what_is_new_and_what_stayed_is_the_text_after() {
        let texts = ["a\nb\nc\nd", "b\nx\nd\ne\na", "", "a\na\na", "c\nd\na\nb"];
        for (before, after) in texts.iter().flat_map(|a| texts.iter().map(move |b| (*a, *b))) {
            let all = lines(before, after);
            if before == after {
                assert_eq!(all, []);
                continue;
            }
            let side = |keep: fn(&Line<'_>) -> bool| {
                let kept = all.iter().filter(|l| keep(l));
                kept.map(|l| if let Same(t) | Gone(t) | New(t) = l { *t } else { "…" }).collect::<Vec<_>>().join("\n")
            };
            assert_eq!(side(|l| !matches!(l, Gone(_))), after, "{before:?} {after:?}");
            assert_eq!(side(|l| !matches!(l, New(_))), before, "{before:?} {after:?}");
        }
    }
}
