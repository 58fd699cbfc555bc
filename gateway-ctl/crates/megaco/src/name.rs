//! Names, and the text of digit maps: checked when made.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use crate::text::{BadText, LONGEST_NAME, Text, is_safe};

/// A name: 1 to 64 characters without spaces and punctuation. `A4444` and `a4444` are the same
/// name (RFC 3525 annex B.2).
#[derive(Clone)]
pub struct Name(Text);

impl Name {
    /// A checked name.
    ///
    /// # Errors
    /// When it is empty, too long, or has characters that no name has.
    pub fn new(name: &str) -> Result<Self, BadText> {
        match name.len() {
            0 => Err(BadText::Empty),
            long if long > LONGEST_NAME => Err(BadText::TooLong(long)),
            _ => match name.chars().find(|c| !is_safe_char(*c)) {
                Some(bad) => Err(BadText::Character(bad)),
                None => Ok(Self(Text::unchecked(name))),
            },
        }
    }

    /// A name written in source code; made in a `const`, a wrong one does not compile.
    ///
    /// # Panics
    /// When it has characters that no name has, none, or more than 22.
    #[must_use]
    pub const fn literal(name: &'static str) -> Self {
        Self(Text::literal_word(name))
    }

    /// Of characters that were found safe, not more than 64.
    pub(crate) fn safe(name: &[u8]) -> Self {
        Self(Text::safe(name))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The name, as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

fn is_safe_char(c: char) -> bool {
    u8::try_from(c).is_ok_and(is_safe)
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes().eq_ignore_ascii_case(other.as_bytes())
    }
}

impl Eq for Name {}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes().eq_ignore_ascii_case(other.as_bytes())
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.as_bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
        state.write_u8(0xff);
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mine, theirs) = (self.as_bytes().iter(), other.as_bytes().iter());
        mine.map(u8::to_ascii_lowercase)
            .cmp(theirs.map(u8::to_ascii_lowercase))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `package/item`, as in `al/of`; the item, or both, may be `*`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PkgdName(Name);

impl PkgdName {
    /// A checked name.
    ///
    /// # Errors
    /// When it is not two names with a slash between them.
    pub fn new(name: &str) -> Result<Self, BadText> {
        let (package, item) = name.split_once('/').ok_or(BadText::NotPackaged)?;
        for part in [package, item] {
            if Name::new(part)?.as_bytes().contains(&b'/') {
                return Err(BadText::NotPackaged);
            }
        }
        Ok(Self(Name::safe(name.as_bytes())))
    }

    /// A name written in source code; made in a `const`, a wrong one does not compile.
    ///
    /// # Panics
    /// When it is not two names with a slash between them, or has more than 22 characters.
    #[must_use]
    pub const fn literal(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        let (mut slash, mut at) = (0, 1);
        while at < bytes.len() {
            if bytes[at] == b'/' {
                assert!(slash == 0, "one slash");
                slash = at;
            }
            at += 1;
        }
        assert!(
            slash > 0 && slash + 1 < bytes.len(),
            "a package and an item"
        );
        Self(Name::literal(name))
    }

    /// Of safe characters: two parts of at most 64, with one slash.
    pub(crate) fn safe(name: &[u8]) -> Self {
        Self(Name::safe(name))
    }

    /// The package, such as `al`.
    #[must_use]
    pub fn package(&self) -> &str {
        self.as_str().split_once('/').unwrap_or_default().0
    }

    /// The item in it, such as `of`.
    #[must_use]
    pub fn item(&self) -> &str {
        self.as_str().split_once('/').unwrap_or_default().1
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Both, as they were written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq<str> for PkgdName {
    fn eq(&self, other: &str) -> bool {
        self.0 == *other
    }
}

impl PartialEq<&str> for PkgdName {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Debug for PkgdName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for PkgdName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The part of a digit map behind its timers, such as `(0|00|[1-7]xxx)`, without spaces
/// (RFC 3525 section 7.1.14). What it matches is the gateway's business.
#[derive(Clone, PartialEq, Eq)]
pub struct DialMap(Text);

impl DialMap {
    /// A checked map. Spaces and line ends are left out.
    ///
    /// # Errors
    /// When it is empty, or has characters that no digit map has.
    pub fn new(map: &str) -> Result<Self, BadText> {
        let map: String = map.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let legal = |c: char| u8::try_from(c).is_ok_and(Self::is_pattern);
        match map.chars().find(|c| !legal(*c)) {
            Some(bad) => Err(BadText::Character(bad)),
            None if map.is_empty() => Err(BadText::Empty),
            None => Ok(Self(Text::unchecked(&map))),
        }
    }

    /// Whether it stands in maps.
    pub(crate) const fn is_pattern(byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'.' | b'[' | b']' | b'(' | b')' | b'|' | b'-' | b'*' | b'#'
            )
    }

    /// Of such characters, at least one.
    pub(crate) fn safe(map: &[u8]) -> Self {
        Self(Text::safe(map))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The map.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for DialMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
