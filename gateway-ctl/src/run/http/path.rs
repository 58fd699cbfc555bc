//! A path as the name of a file.

/// The name that a path stands for: `%41` is `A` (RFC 3986 section 2.1). `None` when it is
/// no text; what the name may hold is for others to say.
pub(super) fn name(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        if *byte != b'%' {
            bytes.push(*byte);
            rest = after;
            continue;
        }
        let ([high, low], after) = after.split_first_chunk()?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push(u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn escapes_are_read_once() {
        for (path, expected) in [
            ("/a.cfg", Some("/a.cfg")),
            ("/a%20b", Some("/a b")),
            ("/%2e%2E/x", Some("/../x")),
            ("/%252e", Some("/%2e")),
            ("/a%00", Some("/a\0")),
            ("/%C3%A9", Some("/é")),
            ("/%ff", None),
            ("/%4", None),
            ("/%", None),
            ("/%zz", None),
            ("/%+4", None),
        ] {
            assert_eq!(name(path).as_deref(), expected, "{path}");
        }
    }
}
