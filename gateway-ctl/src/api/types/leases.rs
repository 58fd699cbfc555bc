//! Leases, reservations, and the history of ports.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// A lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lease {
    /// Private address.
    pub(crate) address: Ipv4Addr,
    /// `active`, `ended` or `declined`.
    pub(crate) state: String,
    /// Hardware address.
    pub(crate) mac: String,
    /// Client identifier (option 61), in hexadecimal.
    pub(crate) client_id: String,
    pub(crate) host_name: Option<String>,
    pub(crate) vendor_class: Option<String>,
    pub(crate) class: Option<String>,
    pub(crate) scope: String,
    pub(crate) pool: Option<String>,
    /// Public address; absent when its class has no ports.
    pub(crate) public: Option<Ipv4Addr>,
    /// `first-last`.
    pub(crate) ports: Option<String>,
    /// Since when it has this range, RFC 3339.
    pub(crate) granted: String,
    /// RFC 3339.
    pub(crate) renewed: String,
    /// RFC 3339; absent: never.
    pub(crate) expires: Option<String>,
    /// When it ended, or until when its address rests, RFC 3339.
    pub(crate) ended: Option<String>,
    /// Relay agent.
    pub(crate) relay: Option<Ipv4Addr>,
}

/// A page of leases.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LeasePage {
    /// All there are, whatever their state.
    pub(crate) total: usize,
    pub(crate) leases: Vec<Lease>,
    /// What to give as `after` for the next page; absent on the last.
    pub(crate) next: Option<Ipv4Addr>,
}

/// A reservation that is asked for, or is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reservation {
    /// Hardware addresses with commas, or `id:` and a client identifier in hexadecimal.
    pub(crate) client: String,
    #[serde(default)]
    pub(crate) address: Option<Ipv4Addr>,
    #[serde(default)]
    pub(crate) public: Option<Ipv4Addr>,
    /// `first-last`.
    #[serde(default)]
    pub(crate) ports: Option<String>,
    #[serde(default)]
    pub(crate) class: Option<String>,
    /// `file` or `api`.
    #[serde(default)]
    pub(crate) origin: Option<String>,
}

/// Who had a port, from the history of leases.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Had {
    pub(crate) private: Ipv4Addr,
    /// `first-last`.
    pub(crate) ports: String,
    /// Hardware address.
    pub(crate) mac: String,
    /// Client identifier, in hexadecimal.
    pub(crate) client_id: String,
    /// RFC 3339.
    pub(crate) begin: String,
    /// RFC 3339; absent: it still has it.
    pub(crate) end: Option<String>,
}

/// How much a backup holds, as its last line says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exported {
    pub(crate) leases: usize,
    pub(crate) reservations: usize,
    pub(crate) history: usize,
    pub(crate) bindings: usize,
}

impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |count: usize| if count == 1 { "" } else { "s" };
        let (leases, reservations) = (self.leases, self.reservations);
        let (history, bindings) = (self.history, self.bindings);
        write!(f, "{leases} lease{}, ", s(leases))?;
        write!(f, "{reservations} reservation{}, ", s(reservations))?;
        write!(f, "{history} line{} of history, ", s(history))?;
        write!(f, "{bindings} binding{}", s(bindings))
    }
}

/// The last line of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExportEnd {
    pub(crate) end: Exported,
}

/// What an import brought.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Imported {
    pub(crate) leases: usize,
    pub(crate) reservations: usize,
    pub(crate) history: usize,
    pub(crate) bindings: usize,
    /// Leases that have no room in the configuration: they ended.
    pub(crate) lost: usize,
    /// Reservations that have none: they are kept, and count as soon as there is room.
    #[serde(default)]
    pub(crate) lost_reservations: usize,
    /// The API's bindings that fit neither the configuration nor what is there: left out.
    #[serde(default)]
    pub(crate) lost_bindings: Vec<LostBinding>,
}

/// A binding that a backup has and that was not added.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LostBinding {
    pub(crate) private: Ipv4Addr,
    /// Why not.
    pub(crate) error: String,
}

/// How full it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LeaseStatus {
    /// Leases that are somebody's.
    pub(crate) active: usize,
    /// Interfaces on which DHCP is served.
    pub(crate) served: Vec<String>,
    /// Messages that were not answered since the start, those reasons that there were.
    #[serde(default)]
    pub(crate) unanswered: Vec<Unanswered>,
    pub(crate) scopes: Vec<ScopeStatus>,
    pub(crate) pools: Vec<PoolStatus>,
}

/// A scope's addresses by state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ScopeStatus {
    pub(crate) name: String,
    pub(crate) network: String,
    pub(crate) free: u64,
    pub(crate) active: usize,
    /// Remembered for their former clients.
    pub(crate) ended: usize,
    /// Found in use by somebody else.
    pub(crate) declined: usize,
    pub(crate) offered: usize,
    /// Requests that went without for want of an address.
    pub(crate) refused: u64,
}

/// A pool's ports by state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PoolStatus {
    pub(crate) name: String,
    /// Ranges that are somebody's.
    pub(crate) ranges: usize,
    pub(crate) free_ports: u64,
    pub(crate) live_ports: u64,
    pub(crate) resting_ports: u64,
    /// Requests that went without for want of a range.
    pub(crate) refused: u64,
}

/// Why clients were not answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Unanswered {
    /// The metric's label.
    pub(crate) reason: String,
    pub(crate) messages: u64,
    /// What it means.
    pub(crate) meaning: String,
}
