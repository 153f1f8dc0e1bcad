//! A quiet terminal in little memory: runs of cells instead of cells. What is on it is the same before and after.

/// A row as its characters, its runs of one style, and what few cells have besides.
#[derive(Debug)]
pub(crate) struct PackedRow<S, X> {
    text: Box<str>,
    /// How many cells have which style.
    runs: Box<[(u32, S)]>,
    /// Which cells have something more.
    extras: Box<[(u32, X)]>,
}

impl<S: PartialEq + Copy, X> PackedRow<S, X> {
    pub(crate) fn of(cells: impl Iterator<Item = (char, S, Option<X>)>) -> Self {
        let (mut text, mut runs, mut extras) = (String::new(), Vec::<(u32, S)>::new(), Vec::new());
        for (at, (c, style, extra)) in (0u32..).zip(cells) {
            text.push(c);
            match runs.last_mut() {
                Some((count, last)) if *last == style => *count += 1,
                _ => runs.push((1, style)),
            }
            extras.extend(extra.map(|extra| (at, extra)));
        }
        Self { text: text.into(), runs: runs.into(), extras: extras.into() }
    }

    pub(crate) fn for_each(self, mut take: impl FnMut(char, S, Option<X>)) {
        let styles = self.runs.iter().flat_map(|(count, style)| std::iter::repeat_n(*style, *count as usize));
        let mut extras = self.extras.into_iter().peekable();
        for (at, (c, style)) in (0u32..).zip(self.text.chars().zip(styles)) {
            take(c, style, extras.next_if(|(cell, _)| *cell == at).map(|(_, extra)| extra));
        }
    }
}
