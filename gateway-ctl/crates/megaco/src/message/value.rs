//! Values of properties and parameters (RFC 3525 annex B.2: `VALUE`, `parmValue`).

use std::fmt;

use crate::name::{Name, PkgdName};
use crate::text::{BadText, Text, is_safe};

/// A value: a word, in any case, or quoted text.
#[derive(Clone)]
pub struct Value {
    text: Text,
    quoted: bool,
}

impl Value {
    /// A word: a number, a Boolean, an enumeration's word, `$` or `*`.
    ///
    /// # Errors
    /// When it is empty or has characters that need quotes.
    pub fn word(word: &str) -> Result<Self, BadText> {
        match word.chars().find(|c| !u8::try_from(*c).is_ok_and(is_safe)) {
            Some(bad) => Err(BadText::Character(bad)),
            None if word.is_empty() => Err(BadText::Empty),
            None => Ok(Self::unchecked(word, false)),
        }
    }

    /// A word written in source code; made in a `const`, a wrong one does not compile.
    ///
    /// # Panics
    /// As [`Name::literal`].
    #[must_use]
    pub const fn literal(word: &'static str) -> Self {
        Self {
            text: Text::literal_word(word),
            quoted: false,
        }
    }

    /// Text in quotes.
    ///
    /// # Errors
    /// When a character cannot stand between quotes.
    pub fn quoted(text: &str) -> Result<Self, BadText> {
        let text = Text::new(text)?;
        Ok(Self { text, quoted: true })
    }

    /// A number, in decimal digits.
    #[must_use]
    pub fn number(number: i64) -> Self {
        Self::unchecked(&number.to_string(), false)
    }

    /// A Boolean: `on` or `off`.
    #[must_use]
    pub fn boolean(on: bool) -> Self {
        Self::unchecked(if on { "on" } else { "off" }, false)
    }

    /// Of safe characters, at least one.
    pub(crate) fn safe(word: &[u8]) -> Self {
        Self {
            text: Text::safe(word),
            quoted: false,
        }
    }

    pub(crate) fn unchecked(text: &str, quoted: bool) -> Self {
        Self {
            text: Text::unchecked(text),
            quoted,
        }
    }

    /// Without its quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Whether it stands in quotes.
    #[must_use]
    pub fn is_quoted(&self) -> bool {
        self.quoted
    }

    /// As a number: decimal, or hexadecimal behind `0x`.
    #[must_use]
    pub fn as_number(&self) -> Option<i64> {
        let text = self.as_str();
        match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => i64::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        }
    }

    /// As a Boolean.
    #[must_use]
    pub fn as_boolean(&self) -> Option<bool> {
        let is = |word: &str| self.as_str().eq_ignore_ascii_case(word);
        is("on")
            .then_some(true)
            .or_else(|| is("off").then_some(false))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.quoted == other.quoted
            && if self.quoted {
                self.text == other.text
            } else {
                self.as_bytes().eq_ignore_ascii_case(other.as_bytes())
            }
    }
}

impl Eq for Value {}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quoted {
            fmt::Debug::fmt(self.as_str(), f)
        } else {
            f.write_str(self.as_str())
        }
    }
}

/// What is said of a property or parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParmValue {
    /// `=value`
    Is(Value),
    /// `=[a,b]`: a list, all of it.
    All(Vec<Value>),
    /// `={a,b}`: one of them.
    OneOf(Vec<Value>),
    /// `=[a:b]`: from a to b.
    Range(Value, Value),
    /// `#value`: anything else.
    Not(Value),
    /// `<value`
    Below(Value),
    /// `>value`
    Above(Value),
}

impl ParmValue {
    /// The one value that is said to be.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        match self {
            Self::Is(value) => Some(value),
            _ => None,
        }
    }
}

/// A property of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Which.
    pub name: PkgdName,
    /// What is said of it.
    pub value: ParmValue,
}

impl Property {
    /// `name=value`
    #[must_use]
    pub fn new(name: PkgdName, value: Value) -> Self {
        let value = ParmValue::Is(value);
        Self { name, value }
    }
}

/// A parameter of an event, signal or extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Which.
    pub name: Name,
    /// What is said of it.
    pub value: ParmValue,
}

impl Parameter {
    /// `name=value`
    #[must_use]
    pub fn new(name: Name, value: Value) -> Self {
        let value = ParmValue::Is(value);
        Self { name, value }
    }
}

/// `yyyymmddThhmmssss`, in the gateway's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    date: u32,
    time: u32,
}

impl Timestamp {
    /// From the decimal digits of date (`yyyymmdd`) and time (`hhmmss` and hundredths); `None`
    /// when one has more than eight.
    #[must_use]
    pub fn new(date: u32, time: u32) -> Option<Self> {
        (date < 100_000_000 && time < 100_000_000).then_some(Self { date, time })
    }

    /// `yyyymmdd` as a number.
    #[must_use]
    pub fn date(self) -> u32 {
        self.date
    }

    /// `hhmmssss` as a number.
    #[must_use]
    pub fn time(self) -> u32 {
        self.time
    }
}
