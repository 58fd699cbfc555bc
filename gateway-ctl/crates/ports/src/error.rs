//! Why there is no range.

use std::net::Ipv4Addr;

use gateway_common::PortRange;

/// Errors of the allocator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A size that no range has.
    #[error("range of {ports} ports, expected a power of two from 8 to 4096")]
    Size {
        /// Ports asked for.
        ports: u16,
    },
    /// Nothing of that size is free.
    #[error(
        "pool {pool} has no {ports} ports in a row: {free} are free, {resting} rest: \
         add public addresses to it"
    )]
    Exhausted {
        /// Name of the pool.
        pool: String,
        /// Ports asked for.
        ports: u16,
        /// Free ports, in smaller pieces.
        free: u64,
        /// Ports that rest.
        resting: u64,
    },
    /// The range asked for is not to be had.
    #[error(
        "ports {ports} of {address} are not free in pool {pool}: they are another's, rest, or are kept out"
    )]
    NotFree {
        /// Name of the pool.
        pool: String,
        /// Public address.
        address: Ipv4Addr,
        /// The range.
        ports: PortRange,
    },
    /// The range is nobody's, or another's.
    #[error("ports {ports} of {address} are not {owner}'s in pool {pool}")]
    NotYours {
        /// Name of the pool.
        pool: String,
        /// Public address.
        address: Ipv4Addr,
        /// The range.
        ports: PortRange,
        /// Who gave it back.
        owner: String,
    },
}
