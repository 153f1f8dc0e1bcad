//! One pass over the bytes, before anything is built of them: how deep it is nested, and how long numbers are.
use crate::{MAX_DEPTH, MAX_NUMBER, SbomError};

pub(crate) fn bounds(file: &[u8]) -> Result<(), SbomError> {
    let (mut depth, mut number, mut text) = (0usize, 0usize, false);
    let mut escaped = false;
    for (at, b) in file.iter().copied().enumerate() {
        if text {
            match b {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => text = false,
                _ => {}
            }
            continue;
        }
        number = if matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E') { number + 1 } else { 0 };
        if number > MAX_NUMBER {
            return Err(SbomError::LongNumber { at });
        }
        match b {
            b'"' => text = true,
            b'[' | b'{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(SbomError::TooDeep { at });
                }
            }
            b']' | b'}' => depth = depth.checked_sub(1).ok_or(SbomError::NotJson { what: "a bracket too many", at })?,
            0 => return Err(SbomError::NotJson { what: "a zero byte", at }),
            _ => {}
        }
    }
    if text || depth > 0 {
        return Err(SbomError::NotJson { what: "the file ends in the middle", at: file.len() });
    }
    Ok(())
}
