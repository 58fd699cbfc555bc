//! URIs (RFC 3261 section 19.1; tel: RFC 3966).
//!
//! ```text
//!   sip:alice:secret@192.0.2.1:5060;transport=tcp?subject=x      tel:+49-30-1234;ext=5
//!       |            |         |    |             |                  |          |
//!       user         host      port params        headers            number     params
//! ```

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use crate::message::lex;
use crate::params::Params;

/// A URI, read in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uri<'a> {
    /// `sip:` and `sips:`.
    Sip(SipUri<'a>),
    /// `tel:`.
    Tel {
        /// As it stands, with its visual separators; see [`Uri::number`].
        number: &'a str,
        /// What follows it.
        params: Params<'a>,
    },
    /// Any other scheme, as it stands.
    Other(&'a str),
}

/// The parts of a `sip:` or `sips:` URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SipUri<'a> {
    /// `sips:`.
    pub secure: bool,
    /// The user, escapes as they stand, and its password after a colon.
    pub user: Option<&'a str>,
    /// A name, an IPv4 address or an IPv6 address in brackets.
    pub host: &'a str,
    /// The port, if it is there.
    pub port: Option<u16>,
    /// Parameters.
    pub params: Params<'a>,
    /// What stands behind the question mark.
    pub headers: Option<&'a str>,
}

impl<'a> Uri<'a> {
    /// Reads it; none if it is none.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let first = scheme.bytes().next()?;
        let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        if !first.is_ascii_alphabetic() || !scheme.bytes().all(named) {
            return None;
        }
        if !lex::is_uri(rest.as_bytes()) {
            return None;
        }
        if scheme.eq_ignore_ascii_case("sip") {
            SipUri::parse(false, rest).map(Self::Sip)
        } else if scheme.eq_ignore_ascii_case("sips") {
            SipUri::parse(true, rest).map(Self::Sip)
        } else if scheme.eq_ignore_ascii_case("tel") {
            let (number, params) = split_at_byte(rest, b';');
            let digits = number.bytes().filter(|byte| is_dialled(*byte)).count();
            let sound = number
                .bytes()
                .all(|byte| is_dialled(byte) || b"+-.()".contains(&byte));
            (digits > 0 && sound).then_some(())?;
            Params::parse(params).map(|params| Self::Tel { number, params })
        } else {
            Some(Self::Other(text))
        }
    }

    /// The `sip:` or `sips:` URI, if it is one.
    #[must_use]
    pub const fn sip(self) -> Option<SipUri<'a>> {
        match self {
            Self::Sip(uri) => Some(uri),
            _ => None,
        }
    }

    /// Whom it names, to be looked up: a `sip:` URI's user with its escapes resolved and
    /// without password and parameters, a `tel:` URI's number without separators.
    #[must_use]
    pub fn number(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Sip(uri) => uri.name(),
            Self::Tel { number, .. } => {
                let keep = |letter: &char| !matches!(letter, '-' | '.' | '(' | ')');
                Some(Cow::Owned(number.chars().filter(keep).collect()))
            }
            Self::Other(_) => None,
        }
    }
}

/// Digits of a tel: URI's local number too (RFC 3966 section 3).
fn is_dialled(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b'*' | b'#')
}

impl<'a> SipUri<'a> {
    fn parse(secure: bool, rest: &'a str) -> Option<Self> {
        // A user part may hold semicolons and question marks, so the @ is looked for first;
        // the last one before parameters of the host can't be in a user: it must be escaped.
        let (user, rest) = match rest.split_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, rest),
        };
        if user.is_some_and(|user| user.is_empty() || user.starts_with(':') || !escapes(user)) {
            return None;
        }
        let (rest, headers) = match rest.split_once('?') {
            Some((rest, headers)) => (rest, Some(headers)),
            None => (rest, None),
        };
        let (place, params) = split_at_byte(rest, b';');
        let (host, port) = split_host(place)?;
        Some(Self {
            secure,
            user,
            host,
            port,
            params: Params::parse(params)?,
            headers,
        })
    }

    /// The user's name with its escapes resolved; none without user or if it is not UTF-8.
    #[must_use]
    pub fn name(self) -> Option<Cow<'a, str>> {
        let user = self.user?;
        let (user, _) = split_at_byte(user, b':');
        let (name, _) = split_at_byte(user, b';');
        unescape(name)
    }

    /// The host's address, if it is one and no name.
    #[must_use]
    pub fn ip(self) -> Option<IpAddr> {
        host_ip(self.host)
    }

    /// Whether this and another name the same (section 19.1.4), as far as bindings of a
    /// registrar need it: user with case, host without, port, the transport, user, ttl,
    /// method and maddr parameters, others where both have them.
    #[must_use]
    pub fn same(self, other: SipUri<'_>) -> bool {
        let same_user = match (self.user, other.user) {
            (Some(a), Some(b)) => a == b || unescape(a).is_some_and(|a| Some(a) == unescape(b)),
            (None, None) => true,
            _ => false,
        };
        let both = |name: &str| match (self.params.get(name), other.params.get(name)) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            (None, None) => true,
            _ => false,
        };
        let shared = self.params.iter().all(|(name, value)| {
            let value = value.unwrap_or_default();
            other
                .params
                .get(name)
                .is_none_or(|other| other.eq_ignore_ascii_case(value))
        });
        let named = ["transport", "user", "ttl", "method", "maddr"];
        self.secure == other.secure
            && same_user
            && self.host.eq_ignore_ascii_case(other.host)
            && self.port == other.port
            && named.iter().all(|name| both(name))
            && shared
            && self.headers == other.headers
    }
}

impl SipUri<'_> {
    /// The same URI at another address. Without a port the one that was there goes too.
    #[must_use]
    pub fn at(self, address: IpAddr, port: Option<u16>) -> String {
        let host = match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        SipUri {
            host: &host,
            port,
            ..self
        }
        .to_string()
    }
}

impl fmt::Display for SipUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secure { "sips:" } else { "sip:" })?;
        if let Some(user) = self.user {
            write!(f, "{user}@")?;
        }
        f.write_str(self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.params.as_str())?;
        match self.headers {
            Some(headers) => write!(f, "?{headers}"),
            None => Ok(()),
        }
    }
}

/// Parts at a byte, which stays with the second.
fn split_at_byte(text: &str, byte: u8) -> (&str, &str) {
    match memchr::memchr(byte, text.as_bytes()) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    }
}

/// `host[:port]`; the port is checked, the host's characters are.
pub(crate) fn split_host(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')?;
            let (address, after) = rest.split_at_checked(end)?;
            address.parse::<Ipv6Addr>().ok()?;
            (text.get(..end + 2)?, after.get(1..)?)
        }
        None => {
            let (host, port) = split_at_byte(text, b':');
            let named =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
            (!host.is_empty() && host.bytes().all(named)).then_some((host, port))?
        }
    };
    let host = lex::trim_str(host);
    match lex::trim_str(port) {
        "" => Some((host, None)),
        port => {
            let port = lex::trim_str(port.strip_prefix(':')?);
            Some((host, Some(lex::port(port.as_bytes())?)))
        }
    }
}

/// A host's address: IPv4, or IPv6 in brackets.
pub(crate) fn host_ip(host: &str) -> Option<IpAddr> {
    match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(inner) => inner.parse().ok().map(IpAddr::V6),
        None => host.parse().ok().map(IpAddr::V4),
    }
}

/// Whether every percent sign begins an escape.
fn escapes(text: &str) -> bool {
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
        if byte == b'%' && !(hex(rest.next()) && hex(rest.next())) {
            return false;
        }
    }
    true
}

fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |byte: u8| {
            char::from(byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        match byte {
            b'%' => out.push(hex(rest.next()?)? << 4 | hex(rest.next()?)?),
            byte => out.push(byte),
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

/// A user for a URI: what may not stand there is escaped.
#[must_use]
pub fn escape_user(user: &str) -> String {
    let mut out = String::with_capacity(user.len());
    for byte in user.bytes() {
        let plain =
            byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/#".contains(&byte) && byte != b'#';
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests;
