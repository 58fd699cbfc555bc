//! The gateway and its peers, each set up as its best users would.

use std::fmt::Write as _;

use anyhow::{Result, bail};

use super::path::Path;
use super::phones::Phones;

/// What forwards on the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum System {
    /// Nothing but FIB look-up, TTL and redirect in XDP.
    Forwarder,
    /// This project.
    Gateway,
    /// nftables, source NAT with connection tracking.
    Snat,
    /// nftables, a map of addresses, without connection tracking.
    Stateless,
    /// The kernel's forwarding, nothing translated.
    Kernel,
}

/// Which source packets arrive with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// As they were sent.
    Private,
    /// Translated.
    Public,
}

/// Those that work on the kernel's path, and alone.
pub(crate) const PEERS: [System; 3] = [System::Snat, System::Stateless, System::Kernel];

impl System {
    /// All, in the order of a round.
    pub(crate) const ALL: [Self; 5] = [
        Self::Forwarder,
        Self::Gateway,
        Self::Snat,
        Self::Stateless,
        Self::Kernel,
    ];

    /// Its name in tables.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Forwarder => "bare XDP forwarder",
            Self::Gateway => "gateway",
            Self::Snat => "nftables SNAT",
            Self::Stateless => "nftables stateless",
            Self::Kernel => "kernel forwarding",
        }
    }

    /// Which source its packets arrive with.
    pub(crate) const fn source(self) -> Source {
        match self {
            Self::Forwarder | Self::Kernel => Source::Private,
            Self::Gateway | Self::Snat | Self::Stateless => Source::Public,
        }
    }
}

/// A peer at work on the path's router.
pub(crate) enum Installed<'p> {
    /// A rule set.
    Rules(&'p Path),
    /// Nothing at all.
    Nothing,
}

impl<'p> Installed<'p> {
    /// Sets a peer up that works on the kernel's path.
    pub(crate) fn new(system: System, path: &'p Path) -> Result<Self> {
        let rules = match system {
            System::Kernel => return Ok(Self::Nothing),
            System::Forwarder | System::Gateway => bail!("works in turns: in_turns.rs"),
            // One look-up in a map of phones, for the first packet of a flow.
            System::Snat => format!(
                "chain out {{ type nat hook postrouting priority srcnat; \
                 oifname {} snat to ip saddr map @phones; }}",
                path.outside.name
            ),
            // As early as can be, and without connection tracking.
            System::Stateless => format!(
                "chain in {{ type filter hook prerouting priority raw; \
                 iifname {} notrack ip saddr set ip saddr map @phones; }}",
                path.inside.name
            ),
        };
        let phones = elements(Phones::thousand())?;
        path.router().nft(&format!(
            "table ip bench {{ map phones {{ type ipv4_addr : ipv4_addr; \
             elements = {{ {phones} }}; }}\n{rules}\n}}"
        ))?;
        Ok(Self::Rules(path))
    }

    /// Takes it off again.
    pub(crate) fn remove(self) -> Result<()> {
        match self {
            Self::Rules(path) => path.router().nft("delete table ip bench")?,
            Self::Nothing => {}
        }
        Ok(())
    }
}

/// Every phone's private and public address.
fn elements(phones: Phones) -> Result<String> {
    let mut text = String::new();
    for binding in phones.bindings()? {
        write!(text, "{} : {}, ", binding.private, binding.public)?;
    }
    Ok(text)
}
