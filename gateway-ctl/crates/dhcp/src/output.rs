//! What comes in, and what is to be done.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::lease::{HistoryRecord, Lease};
use crate::mac::MacAddr;
use crate::reservation::{Reservation, ReservedClient};

/// Milliseconds of the store's clock, which never goes back and goes on after a restart.
pub type Time = u64;

/// The payload of a UDP packet to port 67.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// Where it came in: index of [`Settings::interfaces`](crate::Settings::interfaces).
    pub interface: usize,
    /// From whom.
    pub source: SocketAddrV4,
    /// To which of our addresses, or broadcast.
    pub destination: Ipv4Addr,
    /// The message.
    pub payload: &'a [u8],
}

/// What is to be done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this.
    Reply {
        /// Where the request came in.
        interface: usize,
        /// The source address, port 67.
        from: Ipv4Addr,
        /// To whom.
        to: Destination,
        /// The message.
        payload: Vec<u8>,
    },
    /// See whether somebody uses this address, and say so with
    /// [`Server::in_use`](crate::Server::in_use).
    Probe {
        /// Where the client is.
        interface: usize,
        /// The address.
        address: Ipv4Addr,
        /// How to ask.
        how: ProbeHow,
    },
    /// Write all of this or nothing, then call [`Server::committed`](crate::Server::committed).
    /// Commits are written in the order they come in.
    Commit {
        /// Which.
        id: CommitId,
        /// At most [`MOST_CHANGES`].
        changes: Vec<Change>,
    },
    /// From now on the range is the lease's.
    Bind(Lease),
    /// From now on it is not. The lease as it was while it was active.
    Unbind(Lease),
}

/// Changes that a commit has at most: an etcd transaction takes no more than 128.
pub const MOST_CHANGES: usize = 64;

/// Number of a commit; later ones are larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitId(pub u64);

/// A change of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This is the lease of its address.
    Put(Lease),
    /// This address has no lease.
    Remove(Ipv4Addr),
    /// This is the line of the history of its key.
    History(HistoryRecord),
    /// This is the reservation of its client.
    Reserve(Reservation),
    /// This client has no reservation.
    Unreserve(ReservedClient),
}

/// Where a reply goes (RFC 2131 section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To a relay agent, port 67.
    Relay(Ipv4Addr),
    /// To a client that has no address yet, port 68: in a frame made by hand.
    Hardware {
        /// Its hardware address.
        mac: MacAddr,
        /// The address it will have.
        ip: Ipv4Addr,
    },
    /// To 255.255.255.255, port 68.
    Broadcast,
    /// To a client that has an address, port 68.
    Unicast(Ipv4Addr),
}

/// How to ask whether somebody uses an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeHow {
    /// By ARP (RFC 5227): the client is on our wire.
    Arp,
    /// By an ICMP echo request: the client is behind a relay.
    Icmp,
}
