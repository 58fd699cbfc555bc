//! The site that tests and fuzz targets share.
//!
//! ```text
//!  slot 1  phones     10.10.0.0/16  hosts without binding are dropped
//!     10.10.0.21 = 192.0.2.1:40000-40063     10.10.0.22 = 192.0.2.1:40064-40127
//!     10.10.0.254, a router without binding
//!  slot 2  computers  10.20.0.0/16  hosts without binding are the kernel's
//!     10.20.0.23 = 192.0.2.2:50000-50007     10.20.0.99, a computer
//!  slot 3  outside, Ethernet                 slot 4  outside, a tunnel
//!  pool    192.0.2.1 (ours alone)            192.0.2.2 (the router has it too)
//! ```

use super::tables::FakeTables;
use crate::abi::{Interface, interface_flags};
use crate::tables::Phone;

/// The phones' interface.
pub const PHONES: u16 = 1;
/// The computers' interface.
pub const COMPUTERS: u16 = 2;
/// Where the world is.
pub const OUTSIDE: u16 = 3;
/// Where more of the world is, without Ethernet header or XDP.
pub const TUNNEL: u16 = 4;

/// Public address of [`ALICE`] and [`BOB`].
pub const DEDICATED: u32 = address([192, 0, 2, 1]);
/// Public address of [`CAROL`], and of the router.
pub const SHARED: u32 = address([192, 0, 2, 2]);
/// Somebody in the world.
pub const REMOTE: u32 = address([203, 0, 113, 10]);
/// Some router in the world.
pub const HOP: u32 = address([198, 51, 100, 1]);
/// A router between the phones and us, without a binding.
pub const ROUTER: u32 = address([10, 10, 0, 254]);
/// A computer without a binding.
pub const COMPUTER: u32 = address([10, 20, 0, 99]);

/// A phone.
pub const ALICE: Phone = Phone {
    index: 1,
    private: address([10, 10, 0, 21]),
    public: DEDICATED,
    first_port: 40000,
    last_port: 40063,
    inside: PHONES,
};
/// A phone at the same public address.
pub const BOB: Phone = Phone {
    index: 2,
    private: address([10, 10, 0, 22]),
    public: DEDICATED,
    first_port: 40064,
    last_port: 40127,
    inside: PHONES,
};
/// A phone at the router's public address.
pub const CAROL: Phone = Phone {
    index: 3,
    private: address([10, 20, 0, 23]),
    public: SHARED,
    first_port: 50000,
    last_port: 50007,
    inside: COMPUTERS,
};

/// An address in host byte order.
#[must_use]
pub const fn address(octets: [u8; 4]) -> u32 {
    u32::from_be_bytes(octets)
}

/// All of the site, routes included.
#[must_use]
pub fn site() -> FakeTables {
    use interface_flags::{INSIDE, NO_ETHERNET, UNBOUND_TO_KERNEL, XDP_TRANSMIT};
    // Outside first: it is the default route.
    let mut tables = FakeTables::new(vec![
        interface(OUTSIDE, XDP_TRANSMIT),
        interface(PHONES, INSIDE | XDP_TRANSMIT),
        interface(COMPUTERS, INSIDE | XDP_TRANSMIT | UNBOUND_TO_KERNEL),
        interface(TUNNEL, NO_ETHERNET),
    ]);
    tables.add_network(address([10, 10, 0, 0]), 16);
    tables.add_network(address([10, 20, 0, 0]), 16);
    tables.add_pool(DEDICATED, false);
    tables.add_pool(SHARED, true);
    for phone in [ALICE, BOB, CAROL] {
        tables.add_phone(phone);
    }
    tables
}

/// Index of the IP interface in a slot of the site.
#[must_use]
pub const fn ifindex(slot: u16) -> u32 {
    slot as u32 + 10
}

fn interface(slot: u16, flags: u16) -> Interface {
    Interface {
        ifindex: ifindex(slot),
        port_ifindex: ifindex(slot),
        address: address([10, 0, 0, slot as u8]),
        mtu: 1500,
        slot,
        flags,
        mac: [0x0200, 0, slot],
        ..Interface::default()
    }
}
