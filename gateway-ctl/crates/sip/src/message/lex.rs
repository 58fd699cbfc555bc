//! Characters and the small steps every value is read with (RFC 3261 section 25.1).

/// Token characters.
pub(crate) const fn is_token(byte: u8) -> bool {
    byte.is_ascii() && TOKENS & (1 << byte) != 0
}

/// A bit for each token character: a look-up where a message spends its time.
const TOKENS: u128 = {
    let mut bits = 0;
    let mut byte = 0_u8;
    while byte < 128 {
        let sign = matches!(
            byte,
            b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
        );
        if sign || byte.is_ascii_alphanumeric() {
            bits |= 1 << byte;
        }
        byte += 1;
    }
    bits
};

/// Characters that may stand in a URI.
pub(crate) fn is_uri(text: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"');
    !text.is_empty() && text.iter().all(allowed)
}

/// White space inside a value, line folds included: what is left of CR and LF by then is
/// part of one.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Without white space at both ends.
pub(crate) const fn trim(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text {
        if !is_space(*first) {
            break;
        }
        text = rest;
    }
    while let [rest @ .., last] = text {
        if !is_space(*last) {
            break;
        }
        text = rest;
    }
    text
}

/// The same for text that is known to be UTF-8.
pub(crate) fn trim_str(text: &str) -> &str {
    let bytes = text.as_bytes();
    let start = bytes
        .iter()
        .position(|byte| !is_space(*byte))
        .unwrap_or(bytes.len());
    let end = bytes
        .iter()
        .rposition(|byte| !is_space(*byte))
        .map_or(start, |at| at + 1);
    text.get(start..end).unwrap_or_default()
}

/// A number of digits only, leading zeros allowed; none if it is too large for 32 bits.
pub(crate) fn number(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u32, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        number.checked_mul(10)?.checked_add(u32::from(digit))
    })
}

/// A port, 0 to 65535.
pub(crate) fn port(text: &[u8]) -> Option<u16> {
    number(text).and_then(|number| u16::try_from(number).ok())
}

/// Where the quoted string that starts here ends: the offset behind its closing quote.
pub(crate) fn quoted(text: &[u8]) -> Option<usize> {
    debug_assert_eq!(text.first(), Some(&b'"'));
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The offset of the first such byte outside quoted strings and angle brackets, if any.
/// Quotes count only outside of brackets: a URI may hold none.
pub(crate) fn find_outside(text: &[u8], wanted: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr3(wanted, b'"', b'<', text.get(at..)?)?;
        match text.get(at)? {
            byte if *byte == wanted => return Some(at),
            // A quote or bracket that never closes takes the rest with it.
            b'"' => at += quoted(text.get(at..)?)?,
            _ => at += memchr::memchr(b'>', text.get(at..)?)? + 1,
        }
    }
}

/// Splits a list at its commas. Empty elements are left out (RFC 3261 allows none, phones
/// send some).
pub(crate) fn list(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (value, after) = match find_outside(text, b',') {
            Some(at) => (text.get(..at), text.get(at + 1..)),
            None => (Some(text), None),
        };
        rest = after;
        value.map(trim)
    })
    .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_split_outside_of_quotes_and_brackets() {
        for (text, values) in [
            ("", &[][..]),
            (" , ,", &[]),
            ("a", &["a"]),
            ("a , b,\r\n c", &["a", "b", "c"]),
            (
                r#""x, \"y" <sip:a,b@c>, d"#,
                &[r#""x, \"y" <sip:a,b@c>"#, "d"],
            ),
            (r#"<sip:a"b@c>, d"#, &[r#"<sip:a"b@c>"#, "d"]),
            (r#""open, <a>, b"#, &[r#""open, <a>, b"#]),
        ] {
            let got: Vec<_> = list(text.as_bytes()).collect();
            let expected: Vec<_> = values.iter().map(|value| value.as_bytes()).collect();
            assert_eq!(got, expected, "{text}");
        }
    }

    #[test]
    fn numbers_are_digits_and_fit() {
        for (text, value) in [
            ("0", Some(0)),
            ("0068", Some(68)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("36893488147419103232", None),
            ("-1", None),
            ("+1", None),
            ("1 ", None),
            ("", None),
        ] {
            assert_eq!(number(text.as_bytes()), value, "{text}");
        }
    }
}
