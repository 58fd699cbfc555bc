//! Parameters: `;name=value;flag;name="quoted, with \" in it"` (RFC 3261 section 25.1).

use crate::message::lex;

/// Most parameters of one value.
const MOST: usize = 64;

/// Parameters as they stand, read when somebody asks.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Params<'a>(&'a str);

impl<'a> Params<'a> {
    /// Checks them: each has a name of token characters (a URI's may have more) and is there
    /// once (two elements might heed different ones), and quotes close.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let params = Self(text);
        let sound = |name: &str, value: Option<&str>| {
            let named = |byte: u8| lex::is_token(byte) || b"[]/:&+$()".contains(&byte);
            let value = value.unwrap_or("x");
            let quoted =
                value.starts_with('"') && lex::quoted(value.as_bytes()) == Some(value.len());
            // Brackets and commas would take what follows with them, or end it.
            let stray = |byte: u8| byte.is_ascii_control() || b" <>,\"".contains(&byte);
            let plain = !value.is_empty() && !value.bytes().any(stray);
            !name.is_empty() && name.bytes().all(named) && (quoted || plain)
        };
        let lead = lex::trim_str(text);
        let starts = lead.is_empty() || lead.starts_with(';');
        let single = |at: usize, name: &str| {
            let mut before = params.iter().take(at);
            at < MOST && !before.any(|(other, _)| other.eq_ignore_ascii_case(name))
        };
        let mut all = params.iter().enumerate();
        let all = all.all(|(at, (name, value))| sound(name, value) && single(at, name));
        (starts && all).then_some(params)
    }

    /// Names and values in order; no value is none, quotes are left on. Empty ones (`;;`) are
    /// left out.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            loop {
                if rest.is_empty() {
                    return None;
                }
                let end = lex::find_outside(rest.as_bytes(), b';').unwrap_or(rest.len());
                let (param, after) = rest.split_at_checked(end)?;
                rest = after.get(1..).unwrap_or_default();
                let param = lex::trim_str(param);
                if !param.is_empty() {
                    let equals = memchr::memchr(b'=', param.as_bytes());
                    let parts = equals.and_then(|at| param.split_at_checked(at));
                    return Some(match parts {
                        Some((name, value)) => {
                            let value = value.get(1..).unwrap_or_default();
                            (lex::trim_str(name), Some(lex::trim_str(value)))
                        }
                        None => (param, None),
                    });
                }
            }
        })
    }

    /// A parameter's value, its name in any case: none if it is not there, empty if it is
    /// there without value. Quotes are left on.
    #[must_use]
    pub fn get(self, name: &str) -> Option<&'a str> {
        self.iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.unwrap_or_default())
    }

    /// A value without its quotes and backslashes.
    #[must_use]
    pub fn unquoted(self, name: &str) -> Option<String> {
        self.get(name).map(unquote)
    }

    /// Whether it is there, with or without a value.
    #[must_use]
    pub fn has(self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// As they stand, the first semicolon included.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

impl std::fmt::Debug for Params<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// What a quoted string says; anything else as it is.
pub(crate) fn unquote(text: &str) -> String {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let Some(inner) = inner else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => out.extend(letters.next()),
            letter => out.push(letter),
        }
    }
    out
}

/// As a quoted string. Controls become spaces.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_checked() {
        let text = "; a = 1;LR ;;b=\"x;\\\"y\"; c=[2001:db8::1]:5060";
        let params = Params::parse(text).unwrap();
        let all: Vec<_> = params.iter().collect();
        assert_eq!(
            all,
            [
                ("a", Some("1")),
                ("LR", None),
                ("b", Some("\"x;\\\"y\"")),
                ("c", Some("[2001:db8::1]:5060")),
            ]
        );
        assert_eq!(params.get("lr"), Some(""));
        assert_eq!(params.get("A"), Some("1"));
        assert_eq!(params.unquoted("b").as_deref(), Some("x;\"y"));
        assert!(!params.has("d"));
        for wrong in [
            "a=1",
            ";a b",
            ";=1",
            ";a=",
            ";a=\"x",
            ";a=1 2",
            ";a=\"x\"y",
            ";a=1;b;A=2",
            ";a=b<c",
            ";a=b,c",
            ";a=\0",
        ] {
            assert_eq!(Params::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn quotes_go_on_and_off() {
        for text in ["", "plain", "a\"b\\c", "\u{e4}\u{f6}"] {
            assert_eq!(unquote(&quote(text)), text);
        }
        assert_eq!(quote("a\r\nb"), "\"a  b\"");
        assert_eq!(unquote("\""), "\"");
    }
}
