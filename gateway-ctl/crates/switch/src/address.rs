//! Which addresses two ends of a call are given: their private ones, or their public ones.
//!
//! Ports never change: a phone uses those of its own range on its private address, and they are the
//! same on its public one. So all there is to choose is the address.
//!
//! ```text
//!   A and B behind the same public address       10.10.1.1 <----------> 10.10.1.2
//!   else                                     198.51.100.1 <--internet--> 203.0.113.7
//! ```
//!
//! A gateway may have several public addresses, and then two of them are as good as the same:
//! the operator says so ([`Sites`]). And two gateways may share one address, each with ports of its
//! own; those behind it do not reach each other inside. Should the choice be wrong all the same,
//! the dataplane's hairpin translation makes the call work.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Where an end of a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its public address: where its registration came from, or what its lease says.
    pub public: Ipv4Addr,
    /// A port of its range, or the one it registered from: tells gateways apart that share an
    /// address.
    pub port: u16,
    /// Its private address: what it says itself, or what its lease says; the same as the public one
    /// when there is no gateway in between.
    pub private: Ipv4Addr,
}

/// Which of its addresses each end is given of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// The private one: media stay at the site.
    Private,
    /// The public one.
    Public,
}

impl Choice {
    /// Name in metrics and records.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Public => "public",
        }
    }

    /// The address of an end that the other one is given.
    #[must_use]
    pub const fn of(self, place: Place) -> Ipv4Addr {
        match self {
            Self::Private => place.private,
            Self::Public => place.public,
        }
    }
}

/// A public address of a gateway, or its part of one that it shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The address.
    pub address: Ipv4Addr,
    /// Its ports there.
    pub ports: RangeInclusive<u16>,
}

impl Share {
    /// A whole address.
    #[must_use]
    pub const fn whole(address: Ipv4Addr) -> Self {
        Self {
            address,
            ports: 0..=u16::MAX,
        }
    }

    fn has(&self, place: Place) -> bool {
        self.address == place.public && self.ports.contains(&place.port)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.address == other.address
            && self.ports.start() <= other.ports.end()
            && other.ports.start() <= self.ports.end()
    }
}

/// A gateway: its public addresses, and whether the networks behind it reach each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// Its public addresses.
    pub shares: Vec<Share>,
    /// Whether any of its phones reaches any other by its private address. When it is false, only
    /// phones behind the very same address are given private ones.
    pub reachable: bool,
}

/// Gateways whose addresses are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sites {
    sites: Vec<Site>,
}

/// Two gateways that cannot both be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "sites {first} and {second} both have port {port} of {address}: give each its own ports, or \
     make them one site"
)]
pub struct Shared {
    /// The one.
    pub first: String,
    /// The other.
    pub second: String,
    /// What both have.
    pub address: Ipv4Addr,
    /// The first port that both have.
    pub port: u16,
}

impl Sites {
    /// Gateways, each with addresses of its own.
    ///
    /// # Errors
    /// When two have the same port of the same address.
    pub fn new(sites: Vec<Site>) -> Result<Self, Shared> {
        for (at, first) in sites.iter().enumerate() {
            for second in &sites[at + 1..] {
                for share in &first.shares {
                    let mut others = second.shares.iter();
                    if let Some(other) = others.find(|other| share.overlaps(other)) {
                        return Err(Shared {
                            first: first.name.clone(),
                            second: second.name.clone(),
                            address: share.address,
                            port: *share.ports.start().max(other.ports.start()),
                        });
                    }
                }
            }
        }
        Ok(Self { sites })
    }

    fn of(&self, place: Place) -> Option<usize> {
        let has = |site: &Site| site.shares.iter().any(|share| share.has(place));
        self.sites.iter().position(has)
    }
}

/// Which addresses A and B are given of each other. It does not matter which is which.
#[must_use]
pub fn select(sites: &Sites, a: Place, b: Place) -> Choice {
    let same = match (sites.of(a), sites.of(b)) {
        (Some(one), Some(other)) => {
            one == other && (sites.sites[one].reachable || a.public == b.public)
        }
        // Nothing is known of it: what is behind one address is behind one gateway.
        (None, None) => a.public == b.public,
        // One is a gateway's, the other, with ports that are not, is somebody else's.
        _ => false,
    };
    match same {
        true => Choice::Private,
        false => Choice::Public,
    }
}

#[cfg(test)]
mod tests;
