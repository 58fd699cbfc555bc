//! Why an operator's wish cannot be met, and why a lease was lost.

use std::net::Ipv4Addr;

use gateway_common::PortRange;

use crate::lease::Lease;
use crate::reservation::{Reservation, ReservedClient};

/// Errors of operators' calls, and reasons of losses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No client has the address.
    #[error("{address} has no active lease: see `gateway-ctl leases list`")]
    NoLease {
        /// Private address.
        address: Ipv4Addr,
    },
    /// No scope has the address.
    #[error("{address} is in no scope: use an address of one, or add a scope")]
    NoScope {
        /// Private address.
        address: Ipv4Addr,
    },
    /// The scope does not lease the address.
    #[error("{address} is not among the addresses that its scope leases")]
    NotLeased {
        /// Private address.
        address: Ipv4Addr,
    },
    /// The address is the router's, a binding's, or no host's.
    #[error("{address} is the router's own, a binding's, or no host's: use another one")]
    KeptOut {
        /// Private address.
        address: Ipv4Addr,
    },
    /// The address is reserved for somebody else.
    #[error("{address} is reserved for {client}: remove that reservation first")]
    Reserved {
        /// Private address.
        address: Ipv4Addr,
        /// For whom.
        client: ReservedClient,
    },
    /// The address is somebody else's.
    #[error("{address} is leased to another client until it ends: release it first")]
    Leased {
        /// Private address.
        address: Ipv4Addr,
    },
    /// The client has two leases.
    #[error("{address} is a second lease of its client")]
    Twice {
        /// Private address.
        address: Ipv4Addr,
    },
    /// The client is in another reservation.
    #[error("{client} has a reservation already: change or remove that one")]
    ReservedTwice {
        /// Of whom.
        client: ReservedClient,
    },
    /// The reservation is in the configuration.
    #[error("{client} is reserved for in the configuration: change it there and reload")]
    Configured {
        /// Of whom.
        client: ReservedClient,
    },
    /// There is no reservation.
    #[error("{client} has no reservation")]
    NotReserved {
        /// Of whom.
        client: ReservedClient,
    },
    /// A reservation of nobody.
    #[error("a reservation names no client: name a hardware address or a client identifier")]
    Nobody,
    /// No pool has the public address.
    #[error("ports {ports} of {public} are in no pool: use a range of one")]
    NoPool {
        /// Public address.
        public: Ipv4Addr,
        /// The range.
        ports: PortRange,
    },
    /// There is no such class.
    #[error("no class is called \"{class}\": use one of the configuration")]
    NoClass {
        /// What was asked for.
        class: String,
    },
    /// The dataplane has no room for such small ranges.
    #[error(
        "ports {ports} of {public} are fewer than {smallest}, the smallest range here: use a larger \
         one, or write smallest_range = {} in [limits]",
        ports.ports()
    )]
    TooSmall {
        /// Public address.
        public: Ipv4Addr,
        /// Its ports.
        ports: PortRange,
        /// How many there must be.
        smallest: u16,
    },
    /// The range cannot be had.
    #[error(transparent)]
    Range(#[from] ports::Error),
}

/// What did not fit the settings, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// A lease, which has been ended.
    Lease {
        /// As it was.
        lease: Lease,
        /// Why.
        why: Error,
    },
    /// A reservation, which stays in the store and is tried again after the next change.
    Reservation {
        /// Which.
        reservation: Reservation,
        /// Why.
        why: Error,
    },
}
