//! What the operator wants. Whoever fills this in has checked it: networks of different scopes
//! do not overlap, addresses lie in their networks, indices and names exist.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::RangeInclusive;

use gateway_common::Prefix;
use ports::{Grant, Rules};

use crate::client::Pattern;
use crate::mac::MacRange;
use crate::reservation::Reservation;

/// Everything.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where clients and relays are heard.
    pub interfaces: Vec<Interface>,
    /// Subnets.
    pub scopes: Vec<Scope>,
    /// Who may ask at all; when empty, everybody. Reserved clients may in any case.
    pub allow_macs: Vec<MacRange>,
    /// Kinds of clients. Who is of none is not answered.
    pub classes: Vec<Class>,
    /// Clients that get what is said here.
    pub reservations: Vec<Reservation>,
    /// Where ranges come from.
    pub pools: Vec<Rules>,
    /// Bindings that are no leases: their addresses are not leased, their ranges not given out.
    pub occupied: Vec<(Ipv4Addr, Option<Grant>)>,
    /// Ports of the smallest range that the dataplane can bind: leases and reservations with fewer
    /// do not fit.
    pub smallest_range: u16,
    /// How long somebody has to answer a probe, milliseconds; `None`: nobody is asked.
    pub probe: Option<u64>,
    /// How long an offer is held for the client's request, seconds.
    pub offer_hold: u64,
    /// How long an address rests that was found in use, seconds.
    pub decline_rest: u64,
    /// How long an ended lease is remembered, so that the phone gets the same again, seconds.
    pub remember: u64,
    /// Whether a renewal in the first quarter of the lease time writes nothing and is answered
    /// with the time that is left.
    pub early_renewal: bool,
}

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its address, which is the server identifier of clients that are heard there; 0.0.0.0 as
    /// long as it has none, and then nobody is answered there.
    pub address: Ipv4Addr,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Its name.
    pub name: String,
    /// Where its clients are heard, as an index of [`Settings::interfaces`]; `None`: only through
    /// relays.
    pub interface: Option<usize>,
    /// Subnets of one wire (or of one interface) take each other's clients when they are full.
    pub wire: Option<String>,
    /// The network.
    pub network: Prefix,
    /// Which of its addresses are leased.
    pub addresses: Vec<RangeInclusive<Ipv4Addr>>,
    /// How long a lease lasts.
    pub lease_time: LeaseTime,
    /// Whether BOOTP clients (RFC 951) are served; their leases do not end.
    pub bootp: bool,
    /// Whether option 159 (RFC 7618) is sent to clients that ask for it.
    pub option_159: bool,
    /// Where the boot file is (`siaddr`); `None`: here.
    pub next_server: Option<Ipv4Addr>,
    /// Boot file (`file` and option 67).
    pub boot_file: Option<String>,
    /// Options by number, as they are sent.
    pub options: Vec<(u8, Vec<u8>)>,
}

/// How long a lease lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseTime {
    /// So many seconds, or fewer where the client asks for fewer.
    Finite(u32),
    /// For ever.
    Infinite {
        /// Seconds after which the client is asked to renew all the same, so that it learns what
        /// has changed (option 58); `None`: it is not.
        update: Option<u32>,
    },
}

/// A kind of clients.
///
/// A client's class is the first that names its hardware address, else the first that names
/// its vendor class (option 60), else the first that names its client identifier (option 61).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Hardware addresses.
    pub macs: Vec<MacRange>,
    /// Vendor classes.
    pub vendor_classes: Vec<Pattern>,
    /// Client identifiers.
    pub client_ids: Vec<Pattern>,
    /// Ports that each gets: a power of two from 8 to 4096; `None`: none.
    pub ports: Option<u16>,
    /// Where they come from, in this order: indices of [`Settings::pools`].
    pub pools: Vec<usize>,
    /// The soft switch.
    pub primary_switch: Option<SocketAddrV4>,
    /// The one to use when the first does not answer.
    pub backup_switch: Option<SocketAddrV4>,
    /// Under which enterprise number our sub-options are sent in option 125; `None`: they are not.
    pub enterprise: Option<u32>,
    /// Whether our sub-options are sent in option 43.
    pub vendor_options: bool,
    /// Options by number, as they are sent; they go before the scope's, and an empty one takes the
    /// scope's out.
    pub options: Vec<(u8, Vec<u8>)>,
    /// Instead of the scope's.
    pub lease_time: Option<LeaseTime>,
    /// Instead of the scope's.
    pub boot_file: Option<String>,
}
