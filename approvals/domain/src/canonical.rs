//! One byte form for one content: the JSON Canonicalization Scheme (RFC 8785), restricted to what needs no
//! number formatting: objects with ASCII keys, arrays, strings, booleans, null and integers up to 2^53.
use serde::Serialize;
use serde_json::Value;

#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    #[error("cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("only integers between -2^53 and 2^53 have a canonical form here")]
    Number,
    #[error("object keys must be ASCII")]
    Key,
}

/// Serializes `v` so that equal contents give equal bytes, whatever order their fields were in.
pub fn to_vec<T: Serialize + ?Sized>(v: &T) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::with_capacity(256);
    write(&serde_json::to_value(v)?, &mut out)?;
    Ok(out)
}

fn write(v: &Value, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    match v {
        Value::Number(n) => {
            const MAX: i64 = 1 << 53;
            let i = n.as_i64().filter(|i| (-MAX..=MAX).contains(i)).ok_or(CanonicalError::Number)?;
            out.extend_from_slice(i.to_string().as_bytes());
        }
        // serde_json escapes exactly what RFC 8785 section 3.2.2.2 asks for.
        Value::String(_) | Value::Bool(_) | Value::Null => serde_json::to_writer(out, v)?,
        Value::Array(a) => {
            out.push(b'[');
            for (i, x) in a.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(x, out)?;
            }
            out.push(b']');
        }
        Value::Object(m) => {
            // Sorted here and not by the map: another crate may switch serde_json to insertion order.
            let mut keys: Vec<_> = m.iter().collect();
            keys.sort_by_key(|(k, _)| *k);
            out.push(b'{');
            for (i, (k, x)) in keys.into_iter().enumerate() {
                if !k.is_ascii() {
                    return Err(CanonicalError::Key);
                }
                if i > 0 {
                    out.push(b',');
                }
                serde_json::to_writer(&mut *out, k)?;
                out.push(b':');
                write(x, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_sorted_and_nothing_is_padded() {
        let v = json!({"b": [1, -2, true, null], "a": {"z": "é\n\u{1}", "y": ""}});
        assert_eq!(String::from_utf8(to_vec(&v).unwrap()).unwrap(), r#"{"a":{"y":"","z":"é\n\u0001"},"b":[1,-2,true,null]}"#);
    }

    #[test]
    fn what_has_two_spellings_is_refused() {
        assert!(to_vec(&json!(1.5)).is_err());
        assert!(to_vec(&json!(1u64 << 60)).is_err());
        assert!(to_vec(&json!({"é": 1})).is_err());
    }
}
