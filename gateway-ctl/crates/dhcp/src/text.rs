//! Values as text: hexadecimal, and serde forms that people can read.

use std::fmt;
use std::net::Ipv4Addr;

use gateway_common::PortRange;
use ports::Grant;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Serializes as it is displayed, deserializes as it is parsed.
macro_rules! serde_as_text {
    ($($name:ty),+) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use serde_as_text;

macro_rules! debug_as_display {
    ($($name:ty),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    )+};
}
pub(crate) use debug_as_display;

/// `01:02:ff`.
pub(crate) fn colons(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    for (at, byte) in bytes.iter().enumerate() {
        let colon = if at == 0 { "" } else { ":" };
        write!(f, "{colon}{byte:02x}")?;
    }
    Ok(())
}

/// `0102ff`.
pub(crate) fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// The bytes of `01:02:ff`, `01-02-ff` or `0102ff`.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: &u8| {
        char::from(*c)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    if text.contains([':', '-']) {
        return text
            .split([':', '-'])
            .map(|two| pair(two.as_bytes()))
            .collect();
    }
    text.as_bytes().chunks(2).map(pair).collect()
}

/// What a client sent as text: whatever is no printable character becomes a question mark.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches('\0').chars();
    text.map(
        |c| match c.is_control() || c == char::REPLACEMENT_CHARACTER {
            true => '?',
            false => c,
        },
    )
    .collect()
}

/// Bytes, in hexadecimal.
pub(crate) mod bytes {
    use super::*;

    struct Hex<'a>(&'a [u8]);

    impl fmt::Display for Hex<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            hex(f, self.0)
        }
    }

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&Hex(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        from_hex(&text).ok_or_else(|| D::Error::custom(format!("\"{text}\" is not hexadecimal")))
    }
}

/// Options by number, their bytes in hexadecimal.
pub(crate) mod options {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Written {
        code: u8,
        #[serde(with = "super::bytes")]
        value: Vec<u8>,
    }

    pub(crate) fn serialize<S: Serializer>(
        options: &[(u8, Vec<u8>)],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(options.iter().map(|(code, value)| Written {
            code: *code,
            value: value.clone(),
        }))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<(u8, Vec<u8>)>, D::Error> {
        let written = Vec::<Written>::deserialize(from)?;
        Ok(written.into_iter().map(|o| (o.code, o.value)).collect())
    }
}

/// `40000-40063`.
pub(crate) mod port_range {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(ports: &PortRange, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(ports)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PortRange, D::Error> {
        let text = String::deserialize(from)?;
        let ends = text.split_once('-');
        let number = |text: &str| text.parse::<u16>().ok();
        let ends = ends.and_then(|(first, last)| Some((number(first)?, number(last)?)));
        let (first, last) = ends.ok_or_else(|| {
            D::Error::custom(format!(
                "\"{text}\" is no range, expected one like 40000-40063"
            ))
        })?;
        PortRange::new(first, last).map_err(D::Error::custom)
    }
}

#[derive(Serialize, Deserialize)]
struct WrittenGrant {
    address: Ipv4Addr,
    #[serde(with = "port_range")]
    ports: PortRange,
}

/// A range of a public address.
pub(crate) mod grant {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(grant: &Grant, to: S) -> Result<S::Ok, S::Error> {
        let Grant { address, ports } = *grant;
        WrittenGrant { address, ports }.serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Grant, D::Error> {
        let WrittenGrant { address, ports } = WrittenGrant::deserialize(from)?;
        Ok(Grant { address, ports })
    }
}

/// The same, if there is one.
pub(crate) mod some_grant {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        grant: &Option<Grant>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let written = grant.map(|Grant { address, ports }| WrittenGrant { address, ports });
        written.serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Grant>, D::Error> {
        let written = Option::<WrittenGrant>::deserialize(from)?;
        Ok(written.map(|WrittenGrant { address, ports }| Grant { address, ports }))
    }
}
