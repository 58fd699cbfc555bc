//! The gateway: the daemon as an operator runs it, dataplane included.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result};
use gateway_tests::site;
use serde_json::Value;

use super::place::{FIRST, LAST, NETWORK, Place, SERVER, VENDOR_CLASS};
use super::server::{Filling, Server};

const START_TIME: Duration = Duration::from_secs(60);

/// The gateway in its place.
pub(super) struct Gateway {
    place: Place,
    leases: u32,
    running: Option<site::Gateway>,
}

impl Gateway {
    pub(super) fn new(place: Place, leases: u32) -> Self {
        Self {
            place,
            leases,
            running: None,
        }
    }

    /// Kills it without any chance to clean up, and waits until it is gone.
    pub(super) fn kill9(&mut self) -> Result<()> {
        self.running()?.kill9()
    }

    /// Starts it again and waits until its API answers.
    pub(super) fn restart(&mut self) -> Result<()> {
        self.running()?.restart(START_TIME)
    }

    /// How many bindings the dataplane has.
    pub(super) fn bindings(&mut self) -> Result<u64> {
        let status: Value = self.running()?.ctl(&["status", "-o", "json"])?.json()?;
        let count = status["bindings"].as_u64();
        count.with_context(|| format!("no number of bindings: {status}"))
    }

    fn running(&mut self) -> Result<&mut site::Gateway> {
        self.running.as_mut().context("the gateway is not started")
    }
}

/// The addresses that are leased, in parts of 65,536 at most: more is taken for a mistake.
fn spans() -> String {
    let (first, last) = (u32::from(FIRST), u32::from(LAST));
    let parts = (first >> 16..=last >> 16).map(|part| {
        let from = Ipv4Addr::from(first.max(part << 16));
        let to = Ipv4Addr::from(last.min(part << 16 | 0xFFFF));
        format!("\"{from}-{to}\"")
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// What the daemon is told. Room for a million leases of 64 ports, and no probe: the peers make
/// none either.
fn gateway_configuration(state: &str) -> String {
    let spans = spans();
    format!(
        r#"[state]
directory = "{state}"

[limits]
bindings = 1048576
pool_addresses = 2048

[[inside]]
interface = "eth1"
networks = ["{NETWORK}"]

[[outside]]
interface = "uplink0"

[[pool]]
addresses = ["198.18.0.0/21"]

[dhcp]
probe = "off"

[[scope]]
interface = "eth1"
network = "{NETWORK}"
addresses = [{spans}]
lease_time = "8h"
routers = ["{SERVER}"]

[[class]]
name = "phone"
vendor_classes = ["{VENDOR_CLASS}*"]
ports = 64
primary_switch = "198.51.100.200:2944"
"#
    )
}

impl Server for Gateway {
    fn place(&self) -> &Place {
        &self.place
    }

    fn filling(&self) -> Filling {
        Filling::ByExchanges
    }

    fn leases(&self) -> u32 {
        self.leases
    }

    fn start(&mut self) -> Result<()> {
        let configuration = gateway_configuration(&self.place.file("state"));
        let started = site::Gateway::start(&self.place.server, &configuration)?;
        self.running.insert(started).wait_ready(START_TIME)
    }

    fn pid(&mut self) -> Option<u32> {
        let running = self.running.as_mut()?;
        Some(running.process().pid())
    }

    fn log(&self) -> String {
        self.running
            .as_ref()
            .map(site::Gateway::log)
            .unwrap_or_default()
    }

    fn as_gateway(&mut self) -> Option<&mut Gateway> {
        Some(self)
    }
}
