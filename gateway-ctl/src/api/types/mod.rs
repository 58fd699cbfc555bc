//! What goes over the wire. Field names are stable: programs read them.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::config::Problem;

mod calls;
mod leases;

pub(crate) use calls::{HandOff, HandedOff, Line, Phone};
pub(crate) use leases::{
    ExportEnd, Exported, Had, Imported, Lease, LeasePage, LeaseStatus, LostBinding, PoolStatus,
    Reservation, ScopeStatus, Unanswered,
};

/// Any error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ApiError {
    /// What is wrong.
    pub(crate) error: String,
    /// What to do about it.
    pub(crate) fix: String,
    /// Of a configuration: all that is wrong with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<Problem>,
}

/// A binding that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBinding {
    pub(crate) private: String,
    pub(crate) public: String,
    /// `first-last`.
    pub(crate) ports: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

/// One or many bindings; many are added all or none.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum NewBindings {
    One(NewBinding),
    Many(Vec<NewBinding>),
}

/// A binding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Binding {
    pub(crate) private: Ipv4Addr,
    pub(crate) public: Ipv4Addr,
    /// `first-last`.
    pub(crate) ports: String,
    pub(crate) name: Option<String>,
    /// `file` or `api`.
    pub(crate) origin: String,
    /// The inside interface.
    pub(crate) interface: String,
    pub(crate) out_packets: u64,
    pub(crate) out_bytes: u64,
    pub(crate) in_packets: u64,
    pub(crate) in_bytes: u64,
}

/// A page of bindings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BindingPage {
    /// All there are.
    pub(crate) total: usize,
    pub(crate) bindings: Vec<Binding>,
    /// What to give as `after` for the next page; absent on the last.
    pub(crate) next: Option<Ipv4Addr>,
}

/// Whose a public port is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Who {
    pub(crate) address: Ipv4Addr,
    pub(crate) port: u16,
    /// `binding`, `lease` (of a time in the past), `router` (a shared address, the port of no range), `free` or
    /// `not_in_pool`.
    pub(crate) owner: String,
    pub(crate) binding: Option<Binding>,
    /// When that was, RFC 3339; absent: now.
    #[serde(default)]
    pub(crate) at: Option<String>,
    /// Of a time in the past: who had it then. Now: of a leased binding, since when.
    #[serde(default)]
    pub(crate) lease: Option<Had>,
    /// Now, of what is free: for whom it is reserved.
    #[serde(default)]
    pub(crate) reserved_for: Option<String>,
}

/// How things are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) version: String,
    pub(crate) pid: u32,
    /// RFC 3339.
    pub(crate) started: String,
    /// `fresh`, `adopted` or `rebuilt`.
    pub(crate) dataplane: String,
    /// Why it was rebuilt.
    pub(crate) dataplane_note: Option<String>,
    pub(crate) pin_directory: String,
    pub(crate) config: String,
    pub(crate) reload: Reload,
    pub(crate) bindings: usize,
    pub(crate) bindings_by_api: usize,
    pub(crate) bindings_limit: u32,
    pub(crate) pool_addresses: usize,
    pub(crate) pool_addresses_limit: u32,
    pub(crate) tree_nodes: usize,
    pub(crate) tree_nodes_limit: u32,
    pub(crate) map_bytes: u64,
    pub(crate) interfaces: Vec<InterfaceStatus>,
    pub(crate) early_fragments: EarlyFragments,
    /// Absent without `[dhcp]`.
    #[serde(default)]
    pub(crate) leases: Option<LeaseStatus>,
    /// What is wrong, worst first.
    pub(crate) warnings: Vec<Warning>,
}

/// The last reading of the configuration.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Reload {
    pub(crate) ok: bool,
    /// RFC 3339.
    pub(crate) at: String,
    /// Of a failed one: the error; what ran before goes on running.
    pub(crate) error: Option<String>,
    #[serde(default)]
    pub(crate) problems: Vec<Problem>,
}

/// An interface.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InterfaceStatus {
    pub(crate) name: String,
    /// `inside` or `outside`.
    pub(crate) role: String,
    /// The device under it.
    pub(crate) device: String,
    /// VLAN identifiers, outer first.
    pub(crate) vlans: Vec<u16>,
    /// `native`, `generic` or `none` (no Ethernet header); absent when not attached.
    pub(crate) xdp: Option<String>,
    /// `tcx` or `clsact`; absent when not attached.
    pub(crate) tc: Option<String>,
    /// `up`, `no-carrier`, `down` or `missing`.
    pub(crate) state: String,
    pub(crate) mtu: u32,
    pub(crate) address: Option<Ipv4Addr>,
    /// Why it is not attached, or not natively.
    pub(crate) note: Option<String>,
}

/// Something that is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Warning {
    pub(crate) severity: Severity,
    pub(crate) message: String,
    pub(crate) fix: String,
}

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Traffic of phones suffers.
    Critical,
    /// It may, or runs slower than it could.
    Warning,
    /// Good to know.
    Notice,
}

impl Severity {
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// Fragments that came ahead of the one with the ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EarlyFragments {
    /// Taken in.
    pub(crate) held: u64,
    /// Sent on, translated.
    pub(crate) sent: u64,
    /// Given up after 2 seconds, or none of ours after all.
    pub(crate) expired: u64,
    /// Not taken in: no room, or older than 2 seconds when it was read.
    pub(crate) refused: u64,
}

/// Counters of an interface and hook.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Counters {
    pub(crate) interface: String,
    /// `xdp`, `tc_ingress` or `tc_egress`.
    pub(crate) hook: String,
    pub(crate) received: u64,
    pub(crate) redirected: u64,
    pub(crate) passed: u64,
    pub(crate) dropped: u64,
    /// Those that are not zero.
    pub(crate) reasons: Vec<ReasonCount>,
    pub(crate) icmp_errors_sent: u64,
    pub(crate) icmp_errors_limited: u64,
}

/// Packets that ended for a reason.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReasonCount {
    pub(crate) reason: String,
    /// `redirected`, `passed` or `dropped`.
    pub(crate) outcome: String,
    pub(crate) packets: u64,
}

/// What the maps take.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Memory {
    pub(crate) maps: Vec<MapUse>,
    /// All maps together, bytes.
    pub(crate) total_bytes: u64,
    /// Of the maps that grow with `[limits]`: bytes for each binding there is room for.
    pub(crate) bytes_per_binding: u64,
}

/// One map.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MapUse {
    pub(crate) map: String,
    pub(crate) entries: u32,
    pub(crate) bytes: u64,
}

/// What a reload has changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Reloaded {
    pub(crate) added: usize,
    pub(crate) removed: usize,
    pub(crate) kept: usize,
    /// Whether maps were made anew (limits changed): counters start at zero.
    pub(crate) rebuilt: bool,
    /// Leases that no longer fit, and have ended.
    pub(crate) leases_ended: usize,
    /// Reservations that cannot be met now.
    pub(crate) reservations_unmet: usize,
}

/// A dropped packet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TraceLine {
    /// RFC 3339, microseconds.
    pub(crate) time: String,
    /// The device it came in on.
    pub(crate) interface: String,
    pub(crate) hook: String,
    pub(crate) reason: String,
    pub(crate) length: u32,
    /// VLAN identifiers, outer first.
    pub(crate) vlans: Vec<u16>,
    pub(crate) protocol: Option<String>,
    pub(crate) source: Option<Ipv4Addr>,
    pub(crate) source_port: Option<u16>,
    pub(crate) destination: Option<Ipv4Addr>,
    pub(crate) destination_port: Option<u16>,
    /// `type/code` of ICMP, fragment offset, ...
    pub(crate) detail: Option<String>,
    /// Events lost to this listener before this one, because it was too slow.
    #[serde(default)]
    pub(crate) missed: u64,
}
