//! Leases, and the history of ranges.
//!
//! ```text
//!            granted                    RELEASE, expiry, operator, moved
//!   (none) ----------> Active ------------------------------------------> Ended{at}
//!      ^                 |  ^                 the same client again         |   |
//!      |         DECLINE |  +----------------------------------------------+   |
//!      |                 v                                                     |
//!      +---------- Declined{until}         forgotten, or another's address     |
//!      +-----------------------------------------------------------------------+
//! ```

use std::net::Ipv4Addr;

use gateway_common::PortRange;
use ports::Grant;
use serde::{Deserialize, Serialize};

use crate::client::{ClientKey, Name};
use crate::mac::Hardware;
use crate::text;

/// Whose an address is, or was.
///
/// Fields that a reader does not know are left out, fields that a writer did not know are empty:
/// leases written by one version are read by another. All times are seconds of the store's
/// clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Private address; the key of a lease.
    pub address: Ipv4Addr,
    /// Whose it is.
    pub client: ClientKey,
    /// The client's hardware address.
    pub hardware: Hardware,
    /// What the client says it is (option 60), as far as it is printable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_class: Option<String>,
    /// How the client calls itself (option 12), as far as it is printable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_name: Option<String>,
    /// Name of the scope.
    pub scope: Name,
    /// Name of the class; `None`: a reserved client of none.
    #[serde(default)]
    pub class: Option<Name>,
    /// Name of the pool that the range is from.
    #[serde(default)]
    pub pool: Option<Name>,
    /// The range; `None`: the class has none.
    #[serde(default, with = "text::some_grant")]
    pub grant: Option<Grant>,
    /// Since when it has this range (or this address, without a range).
    pub granted_at: u64,
    /// When it was last renewed.
    pub renewed_at: u64,
    /// When it ends; `None`: never.
    #[serde(default)]
    pub expires: Option<u64>,
    /// Through whom the client was heard; `None`: directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay: Option<Relay>,
    /// What it is now.
    pub state: State,
    /// Ranges that its holder gave back for another one, while they rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rests: Vec<Rest>,
}

/// What a lease is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The client's.
    Active,
    /// Not any more, but remembered: the client gets the same again if it can be had.
    Ended {
        /// Since when.
        at: u64,
    },
    /// Nobody's: somebody else was found to use the address.
    Declined {
        /// Until when.
        until: u64,
    },
}

/// A range that rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// The range.
    #[serde(with = "text::grant")]
    pub grant: Grant,
    /// Until when.
    pub until: u64,
}

/// A relay agent (RFC 1542, RFC 3046).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relay {
    /// Its address (`giaddr`).
    pub address: Ipv4Addr,
    /// What it says about the client (option 82), as it was sent.
    #[serde(default, with = "text::bytes")]
    pub information: Vec<u8>,
}

/// Who had a range from when to when. The key is the public address, the first port and `begin`.
///
/// It is written when the range is given, and once more when that ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRecord {
    /// Public address.
    pub public: Ipv4Addr,
    /// Its ports.
    #[serde(with = "text::port_range")]
    pub ports: PortRange,
    /// Private address.
    pub private: Ipv4Addr,
    /// The client's hardware address.
    pub hardware: Hardware,
    /// The client.
    pub client: ClientKey,
    /// First second.
    pub begin: u64,
    /// When it ended; `None`: not yet.
    pub end: Option<u64>,
}

impl Lease {
    /// Whether it is the client's now.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state == State::Active
    }

    /// Its line of the history; `None` when it has no range.
    #[must_use]
    pub fn history(&self, end: Option<u64>) -> Option<HistoryRecord> {
        let Grant { address, ports } = self.grant?;
        Some(HistoryRecord {
            public: address,
            ports,
            private: self.address,
            hardware: self.hardware,
            client: self.client.clone(),
            begin: self.granted_at,
            end,
        })
    }
}

#[cfg(test)]
mod tests;
