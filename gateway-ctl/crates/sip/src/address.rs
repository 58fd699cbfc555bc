//! Addresses with a display name: `"Bob" <sip:bob@example.net>;tag=5` (RFC 3261 section
//! 20.10, 25.1).

use crate::message::{Fault, Name, lex};
use crate::params::{self, Params};
use crate::uri::Uri;

/// A value of From, To, Contact, Route and the like, read in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    /// The display name as it stands, quotes included; bytes, as phones send more than UTF-8.
    pub display: &'a [u8],
    /// The URI as it stands.
    pub text: &'a str,
    /// The URI.
    pub uri: Uri<'a>,
    /// Parameters of the field, not of the URI.
    pub params: Params<'a>,
}

impl<'a> Address<'a> {
    /// Reads one value.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let value = lex::trim(value);
        let open = lex::find_outside(value, b'<');
        let (display, text, rest) = match open {
            Some(open) => {
                let display = lex::trim(value.get(..open)?);
                let inner = value.get(open + 1..)?;
                let close = inner.iter().position(|byte| *byte == b'>')?;
                (display, inner.get(..close)?, inner.get(close + 1..)?)
            }
            None => {
                // Without brackets what follows a semicolon is the field's, and a comma,
                // question mark or quote may not be there at all.
                let end = value
                    .iter()
                    .position(|byte| *byte == b';')
                    .unwrap_or(value.len());
                let (text, rest) = value.split_at_checked(end)?;
                let text = lex::trim(text);
                if text.iter().any(|byte| matches!(byte, b',' | b'?' | b'"')) {
                    return None;
                }
                (&[][..], text, rest)
            }
        };
        is_display(display).then_some(())?;
        let text = std::str::from_utf8(text).ok()?;
        let params = std::str::from_utf8(lex::trim(rest)).ok()?;
        Some(Self {
            display,
            text,
            uri: Uri::parse(text)?,
            params: Params::parse(params)?,
        })
    }

    /// The display name without quotes; what is no UTF-8 is replaced.
    #[must_use]
    pub fn name(&self) -> String {
        params::unquote(&String::from_utf8_lossy(self.display))
    }

    /// The tag, if there is one.
    #[must_use]
    pub fn tag(&self) -> Option<&'a str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }

    /// The same value with another URI, which has neither `>` nor white space.
    #[must_use]
    pub fn with_uri(&self, uri: &str) -> Vec<u8> {
        let space: &[u8] = if self.display.is_empty() { b"" } else { b" " };
        let params = self.params.as_str().as_bytes();
        [self.display, space, b"<", uri.as_bytes(), b">", params].concat()
    }

    pub(crate) fn of(value: &'a [u8], name: Name) -> Result<Self, Fault> {
        Self::parse(value).ok_or(Fault::Syntax(name))
    }
}

/// One quoted string, or words. Words may have more characters than the grammar gives them:
/// phones send unquoted umlauts and dots.
fn is_display(text: &[u8]) -> bool {
    match text.first() {
        Some(b'"') => lex::quoted(text) == Some(text.len()),
        _ => !text
            .iter()
            .any(|byte| matches!(byte, b'"' | b'<' | b'>' | b';' | b',')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        for (text, display, uri, tag) in [
            ("sip:a@b;tag=1", "", "sip:a@b", Some("1")),
            (" <sip:a@b;lr> ; tag = 1 ;x", "", "sip:a@b;lr", Some("1")),
            (r#""A, \" <B>" <sip:a@b>"#, r#"A, " <B>"#, "sip:a@b", None),
            ("Bob Smith\r\n <sip:a@b>;tag", "Bob Smith", "sip:a@b", None),
            (
                "caller<sip:caller@example.com>;tag=323",
                "caller",
                "sip:caller@example.com",
                Some("323"),
            ),
            ("isbn:2983792873", "", "isbn:2983792873", None),
        ] {
            let address = Address::parse(text.as_bytes()).expect(text);
            assert_eq!(
                (address.name().as_str(), address.text, address.tag()),
                (display, uri, tag)
            );
        }
        let latin = Address::parse(b"\"M\xfcller\" <sip:m@b>").unwrap();
        assert_eq!(latin.name(), "M\u{fffd}ller");
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "bob",
            "\"Mr. J. User <sip:j.user@example.com>",
            "\"Watson, Thomas\" < sip:t.watson@example.org >",
            "sip:user@example.com?Route=x",
            "<sip:a@b",
            "Bell, Alexander <sip:a.g.bell@example.com>;tag=43",
            "\"a\" b <sip:a@b>",
            "<sip:a@b>tag=1",
        ] {
            assert_eq!(Address::parse(text.as_bytes()), None, "{text}");
        }
    }
}
