//! The gateway and its peers, each set up as its best users would.

use std::fmt::Write as _;

use anyhow::Result;
use aya::programs::xdp::XdpLink;

use super::gateway::Gateway;
use super::lab::Lab;
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

/// A system at work on the path's router.
pub(crate) enum Installed<'p> {
    /// An XDP program; dropping the link takes it off.
    Xdp(XdpLink),
    /// The gateway.
    Gateway(&'p Path, Box<Gateway>),
    /// A rule set.
    Rules(&'p Path),
    /// Nothing at all.
    Nothing,
}

impl<'p> Installed<'p> {
    /// Sets a system up.
    pub(crate) fn new(system: System, path: &'p Path, lab: &mut Lab) -> Result<Self> {
        let rules = match system {
            System::Forwarder => return Ok(Self::Xdp(lab.attach("lab_forward", &path.inside)?)),
            System::Gateway => {
                let phones = Phones::thousand();
                let gateway = path.router().enter(|| Gateway::start(path, phones))?;
                return Ok(Self::Gateway(path, Box::new(gateway)));
            }
            System::Kernel => return Ok(Self::Nothing),
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
            Self::Xdp(link) => drop(link),
            Self::Gateway(path, gateway) => path.router().enter(|| gateway.stop())?,
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
