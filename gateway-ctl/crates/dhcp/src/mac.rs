//! Hardware addresses, as they are sent and as they are written.

use std::fmt;
use std::str::FromStr;

use crate::text;

/// An Ethernet address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddr(pub [u8; 6]);

/// Ethernet addresses from one to another, both included: `02:00:00:00:00:00-02:00:00:ff:ff:ff`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MacRange {
    /// The first.
    pub first: MacAddr,
    /// The last.
    pub last: MacAddr,
}

/// A client's hardware address (`htype`, `hlen` and `chaddr`, RFC 2131 section 2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hardware {
    kind: u8,
    length: u8,
    bytes: [u8; Self::MOST],
}

/// The hardware type of Ethernet (IANA, ARP parameters).
const ETHERNET: u8 = 1;

impl Hardware {
    /// Bytes that `chaddr` has room for.
    pub const MOST: usize = 16;

    /// The address, if it is not longer than `chaddr`.
    #[must_use]
    pub fn new(kind: u8, address: &[u8]) -> Option<Self> {
        let mut bytes = [0; Self::MOST];
        bytes.get_mut(..address.len())?.copy_from_slice(address);
        let length = u8::try_from(address.len()).ok()?;
        Some(Self {
            kind,
            length,
            bytes,
        })
    }

    /// Hardware type (`htype`): 1 is Ethernet.
    #[must_use]
    pub fn kind(&self) -> u8 {
        self.kind
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// The Ethernet address, if it is one.
    #[must_use]
    pub fn mac(&self) -> Option<MacAddr> {
        let bytes = self.address().try_into().ok()?;
        (self.kind == ETHERNET).then_some(MacAddr(bytes))
    }
}

impl From<MacAddr> for Hardware {
    fn from(mac: MacAddr) -> Self {
        let mut bytes = [0; Self::MOST];
        bytes[..6].copy_from_slice(&mac.0);
        Self {
            kind: ETHERNET,
            length: 6,
            bytes,
        }
    }
}

impl MacRange {
    /// Whether `mac` is one of them.
    #[must_use]
    pub fn contains(&self, mac: MacAddr) -> bool {
        self.first <= mac && mac <= self.last
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::colons(f, &self.0)
    }
}

impl fmt::Display for MacRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => self.first.fmt(f),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

/// `02:00:00:00:00:01`; `6/01:02` for hardware type 6.
impl fmt::Display for Hardware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mac().is_none() {
            write!(f, "{}/", self.kind)?;
        }
        text::colons(f, self.address())
    }
}

text::debug_as_display!(MacAddr, MacRange, Hardware);
text::serde_as_text!(MacAddr, MacRange, Hardware);

/// Text that is no hardware address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no hardware address, expected one like 02:00:5e:10:00:01")]
pub struct NoHardware {
    text: String,
}

impl FromStr for MacAddr {
    type Err = NoHardware;

    /// Colons or dashes, or twelve digits without.
    fn from_str(text: &str) -> Result<Self, NoHardware> {
        let wrong = || NoHardware {
            text: text.to_owned(),
        };
        let bytes = text::from_hex(text).ok_or_else(wrong)?;
        bytes.try_into().map(Self).map_err(|_| wrong())
    }
}

impl FromStr for MacRange {
    type Err = NoHardware;

    /// One address, two with a dash between them (then both with colons), or the beginning of
    /// some, as in `02:00:5e:*`.
    fn from_str(text: &str) -> Result<Self, NoHardware> {
        let wrong = || NoHardware {
            text: text.to_owned(),
        };
        if let Some(start) = text.strip_suffix('*') {
            let start = text::from_hex(start.trim_end_matches([':', '-'])).ok_or_else(wrong)?;
            let (mut first, mut last) = ([0; 6], [0xff; 6]);
            for bytes in [&mut first, &mut last] {
                let place = bytes.get_mut(..start.len()).ok_or_else(wrong)?;
                place.copy_from_slice(&start);
            }
            let (first, last) = (MacAddr(first), MacAddr(last));
            return Ok(Self { first, last });
        }
        let (first, last) = match text.split_once('-') {
            Some((first, last)) if first.contains(':') => (first.trim(), last.trim()),
            _ => (text, text),
        };
        let range = Self {
            first: first.parse()?,
            last: last.parse()?,
        };
        if range.last < range.first {
            return Err(wrong());
        }
        Ok(range)
    }
}

impl FromStr for Hardware {
    type Err = NoHardware;

    fn from_str(text: &str) -> Result<Self, NoHardware> {
        let wrong = || NoHardware {
            text: text.to_owned(),
        };
        let Some((kind, address)) = text.split_once('/') else {
            return text.parse().map(MacAddr::into);
        };
        let kind = kind.parse().map_err(|_| wrong())?;
        let address = text::from_hex(address).ok_or_else(wrong)?;
        Self::new(kind, &address).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in ["02:00:5e:10:00:01", "6/01:02:03", "32/"] {
            let hardware: Hardware = text.parse().expect("an address");
            assert_eq!(hardware.to_string(), text);
        }
        let mac: MacAddr = "02-00-5E-10-00-01".parse().expect("an address");
        assert_eq!(mac.to_string(), "02:00:5e:10:00:01");
        assert_eq!("02005e100001".parse(), Ok(mac));
        assert!("02:00:5e:10:00".parse::<MacAddr>().is_err());
        assert!(
            "1/00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00"
                .parse::<Hardware>()
                .is_err()
        );
    }

    #[test]
    fn ranges_hold_both_ends() {
        let range: MacRange = "02:00:00:00:00:10-02:00:00:00:00:1f"
            .parse()
            .expect("a range");
        let mac = |last| MacAddr([2, 0, 0, 0, 0, last]);
        assert!(range.contains(mac(0x10)) && range.contains(mac(0x1f)));
        assert!(!range.contains(mac(0x0f)) && !range.contains(mac(0x20)));
        let vendor: MacRange = "02:00:5e:*".parse().expect("a range");
        assert_eq!(vendor.to_string(), "02:00:5e:00:00:00-02:00:5e:ff:ff:ff");
        let one: MacRange = "02-00-00-00-00-01".parse().expect("one address");
        assert_eq!(one.to_string(), "02:00:00:00:00:01");
        let reversed = "02:00:00:00:00:1f-02:00:00:00:00:10".parse::<MacRange>();
        assert!(reversed.is_err());
    }
}
