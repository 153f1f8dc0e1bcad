//! Dumps of bytes: `xxd`, `hexdump -C`, `hexdump`, `od -c`, `od -t x1z`, packets (`tcpdump -X`, `tshark -x`), debuggers. The bytes are put
//! together again, read as the text they are, and masked in both columns; a value that crosses the line's end is masked in the lines above
//! too.

use std::ops::Range;

use super::{Classifier, Context, Found, Rule, State};

/// Bytes of a line that is not complete; a longer one is cut.
const MAX_PENDING: usize = 768;

/// A byte, and where it is shown: sequence number of its line, and two places in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shown {
    byte: u8,
    line: u32,
    hex: Range<u16>,
    text: Range<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Dump {
    /// What the dumped text's lines so far say about the next one.
    inner: Context,
    pending: Vec<Shown>,
    lines: u32,
    /// Where the right column begins, known from a whole line.
    column: Option<u16>,
}

/// Could the line be of a dump?
pub(super) fn begins(line: &str) -> bool {
    let bytes = line.as_bytes();
    let Some(first) = bytes.first().filter(|b| b.is_ascii_hexdigit() || matches!(b, b'\t' | b' ')) else { return false };
    if !first.is_ascii_hexdigit() || bytes.get(1) == Some(&b'x') {
        return offset(bytes).is_some();
    }
    let digits = bytes.iter().take(9).take_while(|b| b.is_ascii_hexdigit()).count();
    let next = bytes.get(digits + 1);
    match bytes.get(digits) {
        Some(b':') => (4..=8).contains(&digits) && next == Some(&b' '),
        // od's offsets (POSIX) have six or seven digits and one blank, hexdump's eight and tshark's four two.
        Some(b' ') => match digits {
            4 | 8 => next == Some(&b' '),
            6 | 7 => next.is_some_and(|b| *b == b' ' || *b == b'\\' || b.is_ascii_hexdigit()),
            _ => false,
        },
        _ => false,
    }
}

/// Where the offset's digits stand: at the line's beginning, or behind "0x" as tcpdump (print-ascii.c: tab, `0x%04x: `) and debuggers print
/// it.
fn offset(bytes: &[u8]) -> Option<Range<usize>> {
    let blanks = bytes.iter().take(16).take_while(|b| matches!(b, b'\t' | b' ')).count();
    let hexadecimal = bytes.get(blanks..blanks + 2) == Some(b"0x");
    let start = blanks + if hexadecimal { 2 } else { 0 };
    let digits = bytes[start..].iter().take(17).take_while(|b| b.is_ascii_hexdigit()).count();
    let end = start + digits;
    if hexadecimal {
        return ((4..=16).contains(&digits) && bytes.get(end) == Some(&b':')).then_some(start..end);
    }
    (blanks == 0 && digits >= 4).then_some(start..end)
}

/// Findings in this line, and in lines above it (how far above, and what).
pub(super) type Findings = (Vec<Found>, Vec<(u32, Found)>);

pub(super) fn line(classifier: &mut Classifier, dump: &mut Dump, line: &str) -> Option<Findings> {
    let mut shown = parse(line, dump.lines, dump.column)?;
    let mut findings = (Vec::new(), Vec::new());
    // Offset zero begins another dump: what was left of the one before is all there was.
    if begins_at_zero(line) {
        let whole = std::mem::take(&mut dump.pending);
        classify(classifier, &mut dump.inner, &whole, true, dump.lines, &mut findings);
        (dump.inner, dump.column) = (Context::default(), None);
        if let Some(again) = parse(line, dump.lines, None) {
            shown = again;
        }
    }
    if shown.len() == 16 {
        dump.column = shown.first().map(|first| first.text.start);
    }
    dump.pending.append(&mut shown);
    while let Some(end) = dump.pending.iter().position(|shown| matches!(shown.byte, b'\n' | b'\r' | 0x0b | 0x1c | 0)) {
        let rest = dump.pending.split_off(end + 1);
        let whole = std::mem::replace(&mut dump.pending, rest);
        classify(classifier, &mut dump.inner, &whole[..end], true, dump.lines, &mut findings);
    }
    if dump.pending.len() > MAX_PENDING {
        let whole = std::mem::take(&mut dump.pending);
        classify(classifier, &mut dump.inner, &whole, true, dump.lines, &mut findings);
    } else if !dump.pending.is_empty() {
        let mut context = dump.inner.clone();
        classify(classifier, &mut context, &dump.pending, false, dump.lines, &mut findings);
    }
    dump.lines += 1;
    Some(findings)
}

fn begins_at_zero(line: &str) -> bool {
    offset(line.as_bytes()).is_some_and(|digits| line[digits].bytes().all(|digit| digit == b'0'))
}

fn classify(classifier: &mut Classifier, context: &mut Context, shown: &[Shown], whole: bool, now: u32, findings: &mut Findings) {
    let mut text = String::with_capacity(shown.len());
    let mut starts = Vec::with_capacity(shown.len());
    for shown in shown {
        starts.push(text.len());
        text.push(match shown.byte {
            byte @ 0x20..=0x7e => char::from(byte),
            // Part of a letter in some encoding.
            0x80.. => 'é',
            _ => ' ',
        });
    }
    if text.trim().is_empty() {
        return;
    }
    let state = if whole { State::Complete } else { State::Part };
    context.nested = true;
    let verdicts = classifier.line(context, &text, state);
    for found in verdicts.found() {
        let first = starts.partition_point(|start| *start < found.range.start);
        let end = starts.partition_point(|start| *start < found.range.end);
        let mut at = first;
        while at < end {
            let line = shown[at].line;
            let last = (at..end).take_while(|next| shown[*next].line == line).last().unwrap_or(at);
            for range in [shown[at].hex.start..shown[last].hex.end, shown[at].text.start..shown[last].text.end] {
                if range.is_empty() {
                    continue;
                }
                let found = Found::new(usize::from(range.start)..usize::from(range.end), found.kind, Rule::Dump);
                match now - line {
                    0 => findings.0.push(found),
                    above => findings.1.push((above, found)),
                }
            }
            at = last + 1;
        }
    }
}

fn parse(line: &str, number: u32, column: Option<u16>) -> Option<Vec<Shown>> {
    if !line.is_ascii() || line.len() > 400 {
        return None;
    }
    let bytes = line.as_bytes();
    let offset = offset(bytes)?;
    let plain = offset.start == 0;
    if plain
        && offset.end == 7
        && bytes.get(7) == Some(&b' ')
        && bytes[7..].iter().take_while(|b| **b == b' ').count() >= 2
        && characters(bytes)
    {
        return Some(od_characters(bytes, number));
    }
    let colon = bytes.get(offset.end) == Some(&b':');
    let mut at = offset.end + usize::from(colon);
    let mut shown: Vec<Shown> = Vec::new();
    let mut swapped = plain && !colon && offset.end == 7;
    let pair_at =
        |at: usize| bytes.get(at..at + 2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)) && bytes.get(at + 2) == Some(&b' ');
    loop {
        let gap = bytes[at.min(bytes.len())..].iter().take_while(|b| **b == b' ').count();
        let start = at + gap;
        // A wider gap parts two halves of eight bytes each: hexdump -C, and others that print byte by byte.
        let middle = gap == 2
            && shown.len() == 8
            && (!colon || (bytes.get(at.wrapping_sub(3)) == Some(&b' ') && pair_at(start) && pair_at(start + 3)));
        if gap == 0 || (gap > 1 && !shown.is_empty() && !middle) || shown.len() >= 64 {
            break;
        }
        let digits = bytes[start.min(bytes.len())..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let closed = matches!(bytes.get(start + digits), None | Some(b' '));
        if digits < 2 || digits % 2 != 0 || digits > 32 || !closed {
            break;
        }
        swapped &= digits == 4;
        for pair in (start..start + digits).step_by(2) {
            let byte = u8::from_str_radix(line.get(pair..pair + 2)?, 16).ok()?;
            let hex = place(pair)..place(pair + 2);
            shown.push(Shown { byte, line: number, hex, text: 0..0 });
        }
        at = start + digits;
    }
    if shown.is_empty() {
        return None;
    }
    let rest = line.get(at..).unwrap_or_default();
    let trimmed = rest.trim_start();
    if trimmed.is_empty() {
        // `hexdump` alone prints 16-bit words of the machine: the second byte comes first.
        if swapped {
            for pair in shown.chunks_mut(2) {
                if let [first, second] = pair {
                    std::mem::swap(&mut first.byte, &mut second.byte);
                }
            }
        }
        return Some(shown);
    }
    let begin = line.len() - trimmed.len();
    let marked = matches!(bytes[begin], b'|' | b'>') && !colon;
    let places = [
        marked.then_some(begin + 1),
        column.map(usize::from),
        // The text's own first characters may be blanks: it is as long as there are bytes.
        (rest.len() >= shown.len() + 2 && shown.len() == 16).then_some(at + 2),
        Some(line.len().saturating_sub(shown.len()).max(at)),
        Some(begin),
    ];
    let text_start = places.into_iter().flatten().find(|start| repeats(&shown, bytes.get(*start..).unwrap_or_default()))?;
    for (n, shown) in shown.iter_mut().enumerate() {
        shown.text = place((text_start + n).min(line.len()))..place((text_start + n + 1).min(line.len()));
    }
    Some(shown)
}

/// Does the right column say the same as the bytes? Rows of numbers look like dumps too.
fn repeats(shown: &[Shown], text: &[u8]) -> bool {
    !text.is_empty() && shown.iter().zip(text).all(|(shown, c)| *c == shown.byte || !matches!(shown.byte, 0x21..=0x7e))
}

fn place(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// `od -c`: every byte has four columns, the character at their end or an escape or three octal digits.
fn characters(bytes: &[u8]) -> bool {
    let cells = bytes[7..].chunks(4);
    let plain = cells.clone().filter(|cell| cell.len() == 4 && cell.starts_with(b"   ") && cell[3] != b' ').count();
    plain * 3 >= cells.count() && bytes[7..].iter().take(3).all(|b| *b == b' ' || *b == b'\\' || b.is_ascii_digit())
}

fn od_characters(bytes: &[u8], number: u32) -> Vec<Shown> {
    let mut shown = Vec::new();
    for (n, cell) in bytes[7..].chunks(4).enumerate() {
        let text = std::str::from_utf8(cell).unwrap_or_default();
        let trimmed = text.trim_start();
        let byte = match trimmed {
            "" => b' ',
            "\\n" => b'\n',
            "\\r" => b'\r',
            "\\t" => b'\t',
            "\\0" => 0,
            "\\v" => 0x0b,
            octal if octal.len() == 3 && octal.bytes().all(|b| (b'0'..=b'7').contains(&b)) => u8::from_str_radix(octal, 8).unwrap_or(b' '),
            one if one.len() == 1 => one.as_bytes()[0],
            _ => b' ',
        };
        let end = 7 + n * 4 + cell.len();
        shown.push(Shown { byte, line: number, hex: place(end - trimmed.len())..place(end), text: 0..0 });
    }
    shown
}
