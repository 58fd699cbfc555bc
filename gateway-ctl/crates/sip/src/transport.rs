//! Where messages come from and go to.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::uri::SipUri;

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Datagrams: what is lost is sent again.
    Udp,
    /// A stream.
    Tcp,
    /// A stream with TLS.
    Tls,
}

impl Transport {
    /// As Via writes it, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls]
            .into_iter()
            .find(|transport| transport.as_str().eq_ignore_ascii_case(text))
    }

    /// As Via writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// As a URI's transport parameter says it. TLS is TCP there, with a `sips:` URI.
    #[must_use]
    pub const fn param(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    /// Whether it delivers what it takes: no retransmissions then.
    #[must_use]
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// The port where none is named.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => 5060,
            Self::Tls => 5061,
        }
    }
}

/// The other end: for a stream its remote address, by which the shell finds the connection,
/// or opens one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Peer {
    /// How.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
    /// Our address that it speaks to, and is to hear from; none: whatever the routes say.
    #[serde(default)]
    pub local: Option<IpAddr>,
    /// Of a stream whose remote port takes no connections: the port that does, should this one be
    /// over.
    #[serde(default)]
    pub listens: Option<u16>,
}

impl Peer {
    /// Over UDP.
    #[must_use]
    pub const fn udp(address: SocketAddr) -> Self {
        Self {
            transport: Transport::Udp,
            address,
            local: None,
            listens: None,
        }
    }

    /// The same one, told from this address of ours.
    #[must_use]
    pub const fn with_local(self, local: Option<IpAddr>) -> Self {
        Self { local, ..self }
    }

    /// The same one, which takes connections at this port.
    #[must_use]
    pub const fn with_listens(self, listens: Option<u16>) -> Self {
        Self { listens, ..self }
    }

    /// Where a new connection to it is made.
    #[must_use]
    pub fn connects_at(self) -> SocketAddr {
        let port = self.listens.unwrap_or(self.address.port());
        SocketAddr::new(self.address.ip(), port)
    }

    /// Where a URI with an address says (RFC 3263 section 4, without names): maddr before
    /// host, the transport parameter, TLS for `sips:`. None for a name, another transport
    /// and addresses that are not those of one host.
    #[must_use]
    pub fn of(uri: SipUri<'_>) -> Option<Self> {
        let ip = match uri.params.get("maddr") {
            Some(maddr) => crate::uri::host_ip(maddr)?,
            None => uri.ip()?,
        };
        let transport = match uri.params.get("transport") {
            _ if uri.secure => Transport::Tls,
            Some(text) => Transport::parse(text)?,
            None => Transport::Udp,
        };
        let port = uri.port.unwrap_or(transport.default_port());
        let peer = Self {
            transport,
            address: SocketAddr::new(ip, port),
            local: None,
            listens: None,
        };
        peer.is_one().then_some(peer)
    }

    /// Whether it is one host's: neither broadcast nor multicast nor unspecified, and a port.
    #[must_use]
    pub fn is_one(self) -> bool {
        let address = self.address.ip();
        let all = matches!(address, IpAddr::V4(address) if address.is_broadcast());
        self.address.port() != 0 && !address.is_multicast() && !address.is_unspecified() && !all
    }
}
