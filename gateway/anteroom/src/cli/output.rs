//! Printing: tables for people, JSON for programs, and no colour into pipes.
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Standard output, told about its errors.
pub(crate) struct Out {
    to: io::Stdout,
    terminal: bool,
}

impl Out {
    pub(crate) fn stdout() -> Self {
        let to = io::stdout();
        let terminal = to.is_terminal();
        Self { to, terminal }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    pub(crate) fn line(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        writeln!(self.to, "{}", text.as_ref())
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }

    pub(crate) fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> io::Result<()> {
        self.line(serde_json::to_string_pretty(value).map_err(io::Error::other)?)
    }

    /// Columns as wide as their widest cell. The head is left out in pipes, so that `cut` and `awk` see data only.
    pub(crate) fn table(&mut self, head: &[&str], rows: &[Vec<String>], empty: &str) -> io::Result<()> {
        if rows.is_empty() {
            // On stderr: an empty list is an empty output.
            return if self.terminal { writeln!(io::stderr(), "{empty}") } else { Ok(()) };
        }
        let width = |i: usize| rows.iter().map(|r| r[i].chars().count()).chain([head[i].len()]).max().unwrap_or(0);
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let bold = if self.terminal { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        if self.terminal {
            let cells: Vec<String> = head.iter().map(|h| (*h).to_owned()).collect();
            self.line(format!("{}{}{}", bold.0, row(&cells, &widths), bold.1))?;
        }
        for r in rows {
            self.line(row(r, &widths))?;
        }
        Ok(())
    }
}

fn row(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        let pad = width.saturating_sub(cell.chars().count());
        line.push_str(cell);
        line.extend(std::iter::repeat_n(' ', pad + 2));
    }
    line.trim_end().to_owned()
}

/// To the second, in UTC.
pub(crate) fn moment(m: OffsetDateTime) -> String {
    m.to_offset(time::UtcOffset::UTC).replace_nanosecond(0).unwrap_or(m).format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_nothing_trails() {
        let line = row(&["a".into(), "bé".into(), "c".into()], &[3, 4, 9]);
        assert_eq!(line, "a    bé    c");
    }
}
