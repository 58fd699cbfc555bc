//! Text that can stand between quotes. Checked when made, so that what is encoded can be read
//! again; short text needs no memory of its own.

use std::fmt;

use thiserror::Error;

/// Most characters of a name (RFC 3525 annex B.2: `NAME`, `pathNAME`).
pub const LONGEST_NAME: usize = 64;
/// Bytes that are kept in place.
const INLINE: usize = 22;

/// Why some text cannot be said in H.248.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadText {
    /// Nothing at all.
    #[error("got nothing, expected at least one character")]
    Empty,
    /// Longer than a name may be.
    #[error("got {0} characters, expected at most {LONGEST_NAME}")]
    TooLong(usize),
    /// Cannot be written there.
    #[error("got {0:?}, which cannot be written here: leave it out")]
    Character(char),
    /// `package/item` is two names.
    #[error("expected a package and an item with a slash between them")]
    NotPackaged,
}

/// What the ABNF calls `SafeChar`.
pub(crate) const fn is_safe(byte: u8) -> bool {
    matches!(byte,
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'+' | b'-' | b'&' | b'!' | b'_' | b'/'
        | b'\'' | b'?' | b'@' | b'^' | b'`' | b'~' | b'*' | b'$' | b'\\' | b'(' | b')'
        | b'%' | b'|' | b'.')
}

#[derive(Clone)]
enum Repr {
    Inline { length: u8, bytes: [u8; INLINE] },
    Heap(Box<str>),
}

/// Text that can stand between quotes: no double quote, no line end. May be empty.
#[derive(Clone)]
pub struct Text(Repr);

impl Text {
    /// No text.
    pub const EMPTY: Self = Self(Repr::Inline {
        length: 0,
        bytes: [0; INLINE],
    });

    /// Checked text.
    ///
    /// # Errors
    /// When a character cannot stand between quotes.
    pub fn new(text: &str) -> Result<Self, BadText> {
        match text.chars().find(|c| *c == '"' || is_control(*c)) {
            Some(bad) => Err(BadText::Character(bad)),
            None => Ok(Self::unchecked(text)),
        }
    }

    /// What can be written of any text; the rest becomes apostrophes and spaces.
    #[must_use]
    pub fn lossy(text: &str) -> Self {
        let replace = |c| match c {
            '"' => '\'',
            c if is_control(c) => ' ',
            c => c,
        };
        Self::unchecked(&text.chars().map(replace).collect::<String>())
    }

    pub(crate) fn unchecked(text: &str) -> Self {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(room), Ok(length)) => {
                room.copy_from_slice(text.as_bytes());
                Self(Repr::Inline { length, bytes })
            }
            _ => Self(Repr::Heap(text.into())),
        }
    }

    /// Of safe characters.
    pub(crate) fn safe(word: &[u8]) -> Self {
        let mut bytes = [0; INLINE];
        match (bytes.get_mut(..word.len()), u8::try_from(word.len())) {
            (Some(room), Ok(length)) => {
                room.copy_from_slice(word);
                Self(Repr::Inline { length, bytes })
            }
            _ => Self(Repr::Heap(String::from_utf8_lossy(word).into())),
        }
    }

    /// A word, such as a name, written in source code.
    pub(crate) const fn literal_word(text: &'static str) -> Self {
        let from = text.as_bytes();
        assert!(!from.is_empty(), "a word has a character");
        assert!(from.len() <= INLINE, "a literal has at most 22 bytes");
        let mut bytes = [0; INLINE];
        let mut at = 0;
        while at < from.len() {
            assert!(is_safe(from[at]), "no word has such a character");
            bytes[at] = from[at];
            at += 1;
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 22")]
        let length = from.len() as u8;
        Self(Repr::Inline { length, bytes })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { length, bytes } => &bytes[..usize::from(*length)],
            Repr::Heap(text) => text.as_bytes(),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // Made from a `str`, so it is one.
            Repr::Inline { .. } => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Repr::Heap(text) => text,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }
}

fn is_control(c: char) -> bool {
    c.is_control() && c != '\t'
}

impl Default for Text {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
