//! The path that everything is measured on.
//!
//! ```text
//!  phones' namespace            router                        world
//!    source --veth--> inside  [ gateway or peer ]  outside --veth--> sink
//!    172.31.1.2       172.31.1.1            198.51.100.1             198.51.100.2
//! ```
//!
//! Phones (10.16.0.0/12) are behind a switch that routes, so that the kernel's
//! neighbour table stays small; all neighbours are entered for good.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use gateway_tests::link::{Interface, VethOptions, mac_of, veth};
use gateway_tests::netns::Namespace;

use super::cpu::{self, Core};

/// Network of the phones.
pub(crate) const INSIDE: Ipv4Addr = Ipv4Addr::new(10, 16, 0, 0);
/// Its prefix length.
pub(crate) const INSIDE_LENGTH: u8 = 12;
/// The first remote host.
pub(crate) const REMOTE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 0);
/// Bytes of a frame: the shortest there is on Ethernet (64, less the check sequence).
pub(crate) const FRAME: usize = 60;

const SWITCH: Ipv4Addr = Ipv4Addr::new(172, 31, 1, 2);
const ROUTER_INSIDE: Ipv4Addr = Ipv4Addr::new(172, 31, 1, 1);
const ROUTER_OUTSIDE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const PROVIDER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);

/// Three namespaces in a row.
#[derive(Debug)]
pub(crate) struct Path {
    /// The generator's end.
    pub(crate) source: Interface,
    /// The router's end towards the phones.
    pub(crate) inside: Interface,
    /// The router's end towards the world.
    pub(crate) outside: Interface,
    /// Where packets end.
    pub(crate) sink: Interface,
}

impl Path {
    /// Builds it. Names of devices carry our process id: the kernel's NAPI threads are
    /// named after them, and other labs have such threads too.
    pub(crate) fn new() -> Result<Self> {
        let [phones, router, world] = [
            Namespace::new("phones")?,
            Namespace::new("router")?,
            Namespace::new("world")?,
        ];
        let id = std::process::id();
        let options = VethOptions::default();
        let (source, inside) = veth(
            (&phones, &format!("gen{id}"), mac_of(SWITCH)),
            (&router, &format!("in{id}"), mac_of(ROUTER_INSIDE)),
            options,
        )?;
        let (outside, sink) = veth(
            (&router, &format!("out{id}"), mac_of(ROUTER_OUTSIDE)),
            (&world, &format!("end{id}"), mac_of(PROVIDER)),
            options,
        )?;
        router.sysctl("net.ipv4.ip_forward", 1)?;
        for key in ["all", "default", &inside.name, &outside.name] {
            router.sysctl(&format!("net.ipv4.conf.{key}.rp_filter"), 0)?;
        }
        inside.address(&format!("{ROUTER_INSIDE}/30"))?;
        outside.address(&format!("{ROUTER_OUTSIDE}/30"))?;
        inside.neighbour(SWITCH, source.mac)?;
        outside.neighbour(PROVIDER, sink.mac)?;
        inside.route(&format!("{INSIDE}/{INSIDE_LENGTH}"), SWITCH)?;
        outside.route("default", PROVIDER)?;
        Ok(Self {
            source,
            inside,
            outside,
            sink,
        })
    }

    /// The router's namespace.
    pub(crate) fn router(&self) -> &Namespace {
        &self.inside.ns
    }

    /// Gives the router's receive side a core of its own.
    ///
    /// The sink's receive side runs there too, in the softirq of whoever sends to it:
    /// on a core shared with the generator it would lose what the router sends, a ring
    /// full at a time. Its cost, a counting drop, is the same for every system.
    pub(crate) fn pin(&self) -> Result<()> {
        let file = format!("/sys/class/net/{}/threaded", self.inside.name);
        self.router()
            .enter(|| std::fs::write(&file, "1"))
            .with_context(|| format!("{file}: threaded NAPI needs Linux 5.12 or newer"))?;
        cpu::pin_napi(&self.inside.name, Core::Router)
    }
}
