//! Who a client is, and what it is recognised by.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::mac::Hardware;
use crate::text;

/// What a client is known by (RFC 2131 section 4.2): its client identifier (option 61) as it
/// sent it, or else its hardware type and address in one.
///
/// Most clients' identifiers are just their hardware type and address, so that a phone has one
/// key whether the stage of its boot that asks sends option 61 or not.
#[derive(Clone)]
pub struct ClientKey(Bytes);

/// Nearly all keys are short: those are compared where they are, without a look elsewhere.
#[derive(Clone)]
enum Bytes {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Arc<[u8]>),
}

/// As many bytes as take no more room than a pointer would with its neighbours.
const SHORT: usize = 22;

impl ClientKey {
    /// The key of a client identifier. RFC 2132 section 9.14: two bytes at least.
    #[must_use]
    pub fn from_identifier(identifier: &[u8]) -> Option<Self> {
        (identifier.len() >= 2).then(|| Self::of(identifier))
    }

    /// The key of a client that sends no identifier; `None` without an address.
    #[must_use]
    pub fn from_hardware(hardware: &Hardware) -> Option<Self> {
        let address = hardware.address();
        if address.iter().all(|byte| *byte == 0) {
            return None;
        }
        let mut key = [0; 1 + Hardware::MOST];
        key[0] = hardware.kind();
        key[1..=address.len()].copy_from_slice(address);
        Some(Self::of(&key[..=address.len()]))
    }

    fn of(key: &[u8]) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..key.len()), u8::try_from(key.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(key);
                Self(Bytes::Short { length, bytes })
            }
            _ => Self(Bytes::Long(key.into())),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Short { length, bytes } => &bytes[..usize::from(*length)],
            Bytes::Long(bytes) => bytes,
        }
    }
}

impl PartialEq for ClientKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for ClientKey {}

impl PartialOrd for ClientKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ClientKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

/// In hexadecimal.
impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::hex(f, self.as_bytes())
    }
}

/// Text that is no client key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no client, expected its identifier (option 61) in hexadecimal")]
pub struct NoClient {
    text: String,
}

impl FromStr for ClientKey {
    type Err = NoClient;

    fn from_str(text: &str) -> Result<Self, NoClient> {
        let key = text::from_hex(text).and_then(|bytes| Self::from_identifier(&bytes));
        key.ok_or_else(|| NoClient {
            text: text.to_owned(),
        })
    }
}

text::debug_as_display!(ClientKey);
text::serde_as_text!(ClientKey);

/// What an option must be, or begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// These bytes.
    pub bytes: Vec<u8>,
    /// Whether more may follow.
    pub prefix: bool,
}

impl Pattern {
    /// Reads `MyPhone`, `MyPhone*` (more may follow), or bytes as `0x0102ff` or `0x0102ff*`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let (start, prefix) = match text.strip_suffix('*') {
            Some(start) => (start, true),
            None => (text, false),
        };
        let bytes = start.strip_prefix("0x").and_then(text::from_hex);
        let bytes = bytes.unwrap_or_else(|| start.as_bytes().to_vec());
        Self { bytes, prefix }
    }

    /// Whether an option's value is meant.
    #[must_use]
    pub fn matches(&self, value: &[u8]) -> bool {
        match self.prefix {
            true => value.starts_with(&self.bytes),
            false => value == self.bytes,
        }
    }

    /// Whether a client identifier is meant: as it is, or as text behind the type byte 0
    /// (RFC 2132 section 9.14).
    #[must_use]
    pub fn matches_identifier(&self, identifier: &[u8]) -> bool {
        let text = identifier.strip_prefix(&[0]);
        self.matches(identifier) || text.is_some_and(|text| self.matches(text))
    }
}

/// A name that many leases share.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(Arc<str>);

impl Name {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = std::convert::Infallible;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(name.into())
    }
}

text::debug_as_display!(Name);
text::serde_as_text!(Name);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mac::MacAddr;

    #[test]
    fn an_identifier_of_type_and_address_is_the_address() {
        let hardware = Hardware::from(MacAddr([2, 0, 0, 0, 0, 9]));
        let key = ClientKey::from_hardware(&hardware).expect("it has an address");
        assert_eq!(
            ClientKey::from_identifier(&[1, 2, 0, 0, 0, 0, 9]),
            Some(key)
        );
        assert_eq!(ClientKey::from_identifier(&[]), None);
        let long = ClientKey::from_identifier(&[7; 200]).expect("it is long enough");
        assert_eq!(long.as_bytes(), [7; 200]);
        let keys = [2, SHORT, SHORT + 1].map(|length| vec![7; length]);
        let [short, full, more] = keys.map(|key| ClientKey::from_identifier(&key));
        assert!(short < full && full < more && more < Some(long));
        assert_eq!(ClientKey::from_identifier(&[1]), None);
        let nobody = Hardware::new(1, &[0; 6]).expect("it fits");
        assert_eq!(ClientKey::from_hardware(&nobody), None);
        let none = Hardware::new(1, &[]).expect("it fits");
        assert_eq!(ClientKey::from_hardware(&none), None);
    }

    #[test]
    fn patterns_are_whole_or_beginnings() {
        let (whole, start) = (Pattern::new("MyPhone"), Pattern::new("MyPhone*"));
        assert!(whole.matches(b"MyPhone") && start.matches(b"MyPhone"));
        assert!(!whole.matches(b"MyPhone 2") && start.matches(b"MyPhone 2"));
        assert!(!start.matches(b"MyPhon"));
        let all = Pattern::new("*");
        assert!(all.matches(b"") && all.matches(b"x"));
        let bytes = Pattern::new("0x00ff*");
        assert!(bytes.matches(&[0, 255, 1]) && !bytes.matches(b"0x00ff"));
        assert!(whole.matches_identifier(b"\0MyPhone"));
        assert!(!whole.matches_identifier(b"\x01MyPhone"));
    }
}
