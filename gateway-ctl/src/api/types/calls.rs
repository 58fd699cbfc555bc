//! Phones that are registered, and calls.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// Who has registered: a media gateway (a phone, or a trunk), or a SIP phone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Phone {
    /// `h248` or `sip`.
    pub(crate) protocol: String,
    /// Of a media gateway its name: its mId, and where it is if that is a private address.
    pub(crate) gateway: Option<String>,
    /// Of a SIP phone the name that it has registered with.
    pub(crate) user: Option<String>,
    /// Where its messages come from.
    pub(crate) address: SocketAddr,
    /// `udp`, `tcp` or `tls`.
    pub(crate) transport: String,
    /// Its public address for media.
    pub(crate) public: Ipv4Addr,
    /// Its private address for media.
    pub(crate) private: Ipv4Addr,
    /// Hardware address, if it has a lease here.
    pub(crate) mac: Option<String>,
    /// Version of H.248.
    pub(crate) version: Option<u8>,
    /// Profile of H.248.
    pub(crate) profile: Option<String>,
    /// What a SIP phone calls itself.
    pub(crate) agent: Option<String>,
    /// `up`, `leaving` or `down`.
    pub(crate) service: String,
    pub(crate) lines: Vec<Line>,
    /// RFC 3339.
    pub(crate) registered: String,
    /// When something came from a media gateway last, RFC 3339.
    pub(crate) heard: Option<String>,
    /// When the registration of a SIP phone ends unless it is renewed, RFC 3339.
    pub(crate) expires: Option<String>,
}

/// A line of a phone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    /// SIP phones have none.
    pub(crate) termination: Option<String>,
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
