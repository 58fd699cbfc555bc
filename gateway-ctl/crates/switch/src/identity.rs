//! Who a media gateway is.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use megaco::{Mid, Name};

/// A media gateway: its mId, and where it is when that says nothing outside.
///
/// A phone behind NAT calls itself by its private address, and at another site there is another
/// phone with the same. So what has a private address for a name is told apart by its public one:
/// `[10.10.1.1]:2944@198.51.100.1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GatewayId {
    mid: Mid,
    at: Option<Ipv4Addr>,
}

impl GatewayId {
    /// Who sent a message with this mId, from this public address.
    #[must_use]
    pub fn new(mid: Mid, public: Ipv4Addr) -> Self {
        let at = match &mid {
            Mid::Address(IpAddr::V4(address), _) if is_private(*address) => Some(public),
            _ => None,
        };
        Self { mid, at }
    }

    /// Its mId.
    #[must_use]
    pub fn mid(&self) -> &Mid {
        &self.mid
    }

    /// The private address that it calls itself by.
    #[must_use]
    pub fn private(&self) -> Option<Ipv4Addr> {
        match self.mid {
            Mid::Address(IpAddr::V4(address), _) => Some(address),
            _ => None,
        }
    }
}

/// RFC 1918, RFC 6598, and addresses of one link.
pub(crate) fn is_private(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_private() || address.is_link_local() || (first == 100 && second & 0xc0 == 64)
}

impl fmt::Display for GatewayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mid)?;
        self.at.map_or(Ok(()), |at| write!(f, "@{at}"))
    }
}

/// Text that names no media gateway.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" names no media gateway: expected an mId like [203.0.113.9]:2944, <gw.example>:2944 or \
     lobby1, and for a private address where it is: [10.10.1.1]:2944@198.51.100.1"
)]
pub struct NoGateway {
    text: String,
}

impl FromStr for GatewayId {
    type Err = NoGateway;

    fn from_str(text: &str) -> Result<Self, NoGateway> {
        let wrong = || NoGateway {
            text: text.to_owned(),
        };
        let (mid, at) = match text.rsplit_once('@') {
            Some((mid, at)) => (mid, Some(at.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let mid = read_mid(mid).ok_or_else(wrong)?;
        let id = Self::new(mid, at.unwrap_or(Ipv4Addr::UNSPECIFIED));
        match (id.at.is_some(), at.is_some()) {
            (needed, given) if needed == given => Ok(id),
            _ => Err(wrong()),
        }
    }
}

/// An mId as people write it: `[192.0.2.5]:2944`, `<gw.example>` or a device's name.
#[must_use]
pub fn read_mid(text: &str) -> Option<Mid> {
    let with_port = |rest: &str| match rest {
        "" => Some(None),
        rest => rest.strip_prefix(':')?.parse().ok().map(Some),
    };
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        return Some(Mid::Address(address.parse().ok()?, with_port(rest)?));
    }
    if let Some(rest) = text.strip_prefix('<') {
        let (domain, rest) = rest.split_once('>')?;
        return Some(Mid::Domain(Name::new(domain).ok()?, with_port(rest)?));
    }
    // An address without its brackets is one that was forgotten to be in them.
    let is_address = text.parse::<IpAddr>().is_ok();
    Name::new(text)
        .ok()
        .filter(|_| !is_address)
        .map(Mid::Device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for text in [
            "[203.0.113.9]:2944",
            "[203.0.113.9]",
            "[2001:db8::1]:2944",
            "<gw.example>:2944",
            "<gw.example>",
            "lobby1",
            "[10.10.1.1]:2944@198.51.100.1",
            "[100.64.0.1]@198.51.100.1",
        ] {
            let id: GatewayId = text.parse().expect(text);
            assert_eq!(id.to_string(), text);
        }
        for wrong in [
            "",
            "[10.10.1.1]:2944",
            "[203.0.113.9]:2944@198.51.100.1",
            "lobby1@198.51.100.1",
            "[10.10.1.1]:x@198.51.100.1",
            "[10.10.1]",
            "203.0.113.9",
            "<gw.example",
            "[10.10.1.1]:2944@here",
        ] {
            assert!(wrong.parse::<GatewayId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn phones_of_two_sites_may_have_one_name() {
        let mid = Mid::Address([10, 10, 1, 1].into(), Some(2944));
        let at = |last| GatewayId::new(mid.clone(), Ipv4Addr::new(198, 51, 100, last));
        assert_ne!(at(1), at(2));
        assert_eq!(at(1).private(), Some(Ipv4Addr::new(10, 10, 1, 1)));
        let trunk = Mid::Address([203, 0, 113, 9].into(), None);
        let from = |last| GatewayId::new(trunk.clone(), Ipv4Addr::new(198, 51, 100, last));
        assert_eq!(from(1), from(2));
    }
}
