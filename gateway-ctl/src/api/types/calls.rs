//! Phones that are registered, and calls.

use std::net::{Ipv4Addr, SocketAddrV4};

use serde::{Deserialize, Serialize};

/// A media gateway that has registered: a phone, or a trunk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Phone {
    /// Its name: its mId, and where it is if that is a private address.
    pub(crate) gateway: String,
    /// Where its messages come from.
    pub(crate) address: SocketAddrV4,
    /// Its public address for media.
    pub(crate) public: Ipv4Addr,
    /// Its private address for media.
    pub(crate) private: Ipv4Addr,
    /// Hardware address, if it has a lease here.
    pub(crate) mac: Option<String>,
    /// Version of H.248.
    pub(crate) version: u8,
    pub(crate) profile: Option<String>,
    /// `up`, `leaving` or `down`.
    pub(crate) service: String,
    pub(crate) lines: Vec<Line>,
    /// RFC 3339.
    pub(crate) registered: String,
    /// When something came from it last, RFC 3339.
    pub(crate) heard: String,
}

/// A line of a phone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) termination: String,
    pub(crate) number: Option<String>,
    /// `idle`, `dialling`, `call` or `over` (lifted, and the call has ended).
    pub(crate) state: String,
}

/// Whom to send to another controller.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandOff {
    /// The other controller, as mId: `[192.0.2.5]:2944` or `<other.example>`.
    pub(crate) to: String,
    /// One phone, as it is named; absent: all.
    #[serde(default)]
    pub(crate) gateway: Option<String>,
}

/// How many were told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HandedOff {
    pub(crate) told: usize,
}
