//! What is measured: a DHCP server that can be started with leases in its table.

use std::fmt;
use std::net::Ipv4Addr;

use anyhow::Result;

use super::dnsmasq::Dnsmasq;
use super::gateway::Gateway;
use super::kea::{Kea, Setup};
use super::place::{LAST, Place};
use super::storm::Clients;

/// A server in its place.
pub(super) trait Server {
    /// Where it is.
    fn place(&self) -> &Place;

    /// How leases come into its table before it is measured.
    fn filling(&self) -> Filling;

    /// How many leases are in its table before it is measured.
    fn leases(&self) -> u32;

    /// Starts it and waits until it serves.
    fn start(&mut self) -> Result<()>;

    /// Its process, while it runs.
    fn pid(&mut self) -> Option<u32>;

    /// All that it has printed.
    fn log(&self) -> String;

    /// The gateway, if it is that.
    fn as_gateway(&mut self) -> Option<&mut Gateway> {
        None
    }
}

/// How a table is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filling {
    /// They stand in its file when it is started.
    ByFile,
    /// Clients ask for them.
    ByExchanges,
}

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// This project
    Gateway,
    /// Kea, set up for speed: UDP sockets, nothing logged for each packet
    Kea,
    /// Kea as Debian's package sets it up
    KeaPackaged,
    /// dnsmasq
    Dnsmasq,
}

impl Kind {
    /// Those that are measured unless others are asked for.
    pub(super) const USUAL: [Self; 3] = [Self::Gateway, Self::Kea, Self::Dnsmasq];

    /// Its name in tables.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Kea => "Kea",
            Self::KeaPackaged => "Kea as packaged",
            Self::Dnsmasq => "dnsmasq",
        }
    }

    /// A server, not started, that is to begin with so many leases.
    pub(super) fn server(self, place: Place, leases: u32) -> Box<dyn Server> {
        match self {
            Self::Gateway => Box::new(Gateway::new(place, leases)),
            Self::Kea => Box::new(Kea::new(place, leases, Setup::Fast)),
            Self::KeaPackaged => Box::new(Kea::new(place, leases, Setup::Packaged)),
            Self::Dnsmasq => Box::new(Dnsmasq::new(place, leases)),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = clap::ValueEnum::to_possible_value(self);
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

/// Leases for a server's file: address and Ethernet address of each.
pub(super) fn leases(count: u32) -> impl Iterator<Item = (Ipv4Addr, [u8; 6])> {
    (0..count).map(|number| {
        let address = Ipv4Addr::from(u32::from(LAST) - number);
        (address, Clients::Filling.mac(number))
    })
}
