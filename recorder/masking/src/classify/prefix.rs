//! What programs put before a line that is not theirs: grep's file and number, line numbers of editors and `nl`, compose's service names.
//! Structure is looked for behind it.

/// The byte where the line itself begins.
pub(super) fn length(line: &str) -> usize {
    let mut at = 0;
    // At most two: a service's name, then a file's.
    for _ in 0..2 {
        let Some(more) = one(&line[at..]) else { break };
        // A number in front of a bar is the first cell of a row.
        if line[at + more..].trim_start().starts_with(['|', '│']) {
            break;
        }
        at += more;
    }
    at
}

fn one(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    // Quoted text of mails and chats.
    if bytes.starts_with(b"> ") {
        return Some(2);
    }
    let blanks = bytes.iter().take_while(|b| **b == b' ').count();
    let digits = bytes[blanks..].iter().take_while(|b| b.is_ascii_digit()).count();
    if (1..=7).contains(&digits) {
        let after = blanks + digits;
        return match bytes.get(after) {
            // `grep -n`; a clock goes on with a digit.
            Some(b':') if blanks == 0 && bytes.get(after + 1).is_some_and(|b| !b.is_ascii_digit() && *b != b' ') => Some(after + 1),
            // `cat -n`, `nl`.
            Some(b'\t') if blanks > 0 => Some(after + 1),
            // vim's `number` is four columns, `less -N` is eight, and a blank.
            Some(b' ') if after == 3 || after == 4 || after == 7 || after == 8 || after == 6 => {
                let gap = bytes[after..].iter().take_while(|b| **b == b' ').count();
                (blanks > 0 && gap <= 2).then_some(after + gap.min(if after >= 6 { gap } else { 1 }))
            }
            _ => None,
        };
    }
    if blanks > 0 {
        return None;
    }
    // `file.csv:12:` and `dir/file.hl7:`.
    let file = bytes.iter().take(96).position(|b| matches!(b, b':' | b' ' | b'\t' | b',' | b'|' | b'=' | b'"' | b'<'))?;
    if bytes[file] == b':' && file > 2 {
        let name = &line[..file];
        let has_extension = name.rfind('.').is_some_and(|dot| dot > 0 && (1..=5).contains(&(name.len() - dot - 1)) && !name.ends_with('.'));
        let named = has_extension
            && name.bytes().any(|b| b.is_ascii_alphabetic())
            && !name.bytes().next().is_some_and(|b| b.is_ascii_digit() && !name.contains('/'));
        if named || (name.contains('/') && !line[file..].starts_with("://")) {
            let rest = &bytes[file + 1..];
            let number = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            if number > 0 && matches!(rest.get(number), Some(b':' | b'-')) {
                return Some(file + 1 + number + 1);
            }
            return (bytes.get(file + 1).is_some_and(|b| *b != b' ')).then_some(file + 1);
        }
    }
    // `ehr-db-1  | ` of docker compose.
    let service = bytes.iter().take(40).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')).count();
    if service > 2 && line[..service].contains(['-', '_']) && line[..service].ends_with(|c: char| c.is_ascii_digit()) {
        let gap = bytes[service..].iter().take_while(|b| **b == b' ').count();
        if gap > 0 && bytes.get(service + gap) == Some(&b'|') && bytes.get(service + gap + 1) == Some(&b' ') {
            return Some(service + gap + 2);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn the_line_begins_behind_what_a_program_put_before_it() {
        for (line, rest) in [
            ("patients.csv:12:E004512,Whitfield", "E004512,Whitfield"),
            ("12:E004512,Whitfield", "E004512,Whitfield"),
            ("/data/adt.hl7:PID|1", "PID|1"),
            ("  3 mrn,last_name", "mrn,last_name"),
            ("     3\tmrn,last_name", "mrn,last_name"),
            ("ehr-db-1  | mrn | last_name", "mrn | last_name"),
        ] {
            assert_eq!(&line[length(line)..], rest, "{line}");
        }
    }

    #[test]
    fn clocks_and_values_are_no_prefix() {
        for line in ["08:30:00 INFO", "2024-01-15T08:30:00Z x", "MRN: 12", "http://x/y", " 99812 | Delacroix", "99812,Delacroix", "12: x"] {
            assert_eq!(length(line), 0, "{line}");
        }
    }
}
