//! Who is registered, as the store keeps it.

use std::net::{Ipv4Addr, SocketAddrV4};

use serde::{Deserialize, Serialize};

use crate::address::Place;
use crate::identity::GatewayId;

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// UDP (H.248.1 annex D.1).
    Udp,
    /// TCP, framed by TPKT (annex D.2).
    Tcp,
}

/// Where a message came from, and where answers go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Peer {
    /// Its address and port.
    pub address: SocketAddrV4,
    /// Ours that it speaks to, which it is to hear from.
    pub local: Ipv4Addr,
    /// How.
    pub transport: Transport,
}

/// What a lease, or a binding, says of a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leased {
    /// Its hardware address; none of a binding that is no lease.
    pub mac: Option<[u8; 6]>,
    /// Its private address.
    pub private: Ipv4Addr,
    /// Its public address, and the first port of its range; none without a range.
    pub public: Option<SocketAddrV4>,
}

/// Who has which address behind this gateway.
pub trait Leases {
    /// Whose private address this is.
    fn by_private(&self, address: Ipv4Addr) -> Option<Leased>;

    /// Whose port of a public address this is.
    fn by_public(&self, address: SocketAddrV4) -> Option<Leased>;
}

/// No phone has a lease.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLeases;

impl Leases for NoLeases {
    fn by_private(&self, _: Ipv4Addr) -> Option<Leased> {
        None
    }

    fn by_public(&self, _: SocketAddrV4) -> Option<Leased> {
        None
    }
}

/// Whether a gateway serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// It does.
    Up,
    /// It has said that it leaves: no new calls.
    Leaving,
    /// It has said that it is out of service, or is heard of no more.
    Down,
}

/// A media gateway that has registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Who.
    #[serde(with = "as_text")]
    pub id: GatewayId,
    /// Where its messages come from: its public address and port, or its private one when it is
    /// behind this very gateway.
    pub peer: Peer,
    /// Its addresses for media.
    pub place: Place,
    /// Whether it has a lease or a binding here.
    #[serde(default)]
    pub leased: bool,
    /// Its hardware address, if a lease says so.
    #[serde(default)]
    pub mac: Option<[u8; 6]>,
    /// Version of the protocol that was agreed on.
    pub version: u8,
    /// Its profile, as name and version.
    #[serde(default)]
    pub profile: Option<String>,
    /// Whether it serves.
    pub service: Service,
    /// Whether another controller has had it before, whose calls it may still have.
    #[serde(default)]
    pub taken_over: bool,
    /// Its lines, as it has told.
    #[serde(default)]
    pub lines: Vec<String>,
    /// When it registered, seconds since 1970.
    pub since: u64,
}

/// Where registrations come from: a phone that has a lease or a binding here, or an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    pub(crate) public: Ipv4Addr,
    /// The phone's.
    pub(crate) private: Option<Ipv4Addr>,
}

impl Registration {
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            public: self.place.public,
            private: self.leased.then_some(self.place.private),
        }
    }
}

/// As text, in the store.
pub(crate) mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr,
        T::Err: Display,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl megaco::transactions::Address for Peer {
    type Host = Ipv4Addr;

    fn host(&self) -> Ipv4Addr {
        *self.address.ip()
    }
}
