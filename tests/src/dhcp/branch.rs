//! A network behind a relay agent: ISC's dhcrelay between phones and the router.
//!
//! ```text
//!  phone1 eth0 ---+                          +-------+
//!  phone2 eth0 ---+ br0 (10.31.0.1) -- relay -- up0 --- branch0 | router
//!                 no address yet         10.30.0.2      10.30.0.1
//! ```

use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use tempfile::TempDir;

use crate::link::{Interface, VethOptions, bridge, mac_of, veth};
use crate::netns::Namespace;
use crate::process::Process;
use crate::wait::{Deadline, eventually};

/// The phones' network.
pub const NETWORK: &str = "10.31.0.0/16";
/// The relay agent's address there, by which servers know the network (giaddr).
pub const GIADDR: Ipv4Addr = Ipv4Addr::new(10, 31, 0, 1);
/// The network between relay agent and router.
pub const TRANSIT: &str = "10.30.0.0/24";
/// The router's address there, on its interface [`ROUTER_INTERFACE`].
pub const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 30, 0, 1);
/// The router's interface towards the branch.
pub const ROUTER_INTERFACE: &str = "branch0";
/// The relay agent's address there.
pub const RELAY: Ipv4Addr = Ipv4Addr::new(10, 30, 0, 2);

/// A branch without a running relay agent.
#[derive(Debug)]
pub struct Branch {
    /// Where dhcrelay runs; it forwards.
    pub relay: Namespace,
    /// The router's interface.
    pub router: Interface,
    /// `eth0` of each phone, in a namespace of its own, without address.
    pub phones: Vec<Interface>,
}

/// What the relay agent does beside relaying.
#[derive(Clone, Copy, Debug, Default)]
pub struct RelayOptions {
    /// Adds option 82 with a circuit identifier (the name of the interface), and takes it out of
    /// the answers (RFC 3046).
    pub agent_information: bool,
    /// Adds link selection to it (RFC 3527), and writes its upper address into giaddr.
    pub link_selection: bool,
}

/// A running relay agent; killed when dropped.
#[derive(Debug)]
pub struct Relay {
    process: Process,
    _directory: TempDir,
}

impl Branch {
    /// Puts a branch with so many phones (1 to 250) behind a router.
    ///
    /// # Errors
    /// When the kernel refuses a part of it.
    pub fn new(router: &Namespace, phones: u8) -> Result<Self> {
        ensure!((1..=250).contains(&phones), "1 to 250 phones, got {phones}");
        let relay = Namespace::new("relay")?;
        relay.sysctl("net.ipv4.ip_forward", 1)?;
        let options = VethOptions::default();
        let (near, up) = veth(
            (router, ROUTER_INTERFACE, mac_of(ROUTER)),
            (&relay, "up0", mac_of(RELAY)),
            options,
        )?;
        near.address(&format!("{ROUTER}/24"))?;
        near.route(NETWORK, RELAY)?;
        up.address(&format!("{RELAY}/24"))?;
        up.route("default", ROUTER)?;
        bridge(&relay, "br0")?;
        relay.ip(&format!("address add {GIADDR}/16 dev br0"))?;
        let phones = (1..=phones).map(|number| phone(&relay, number));
        Ok(Self {
            phones: phones.collect::<Result<_>>()?,
            relay,
            router: near,
        })
    }

    /// Starts the relay agent towards a server and waits until it listens.
    ///
    /// # Errors
    /// When it is missing or does not listen in time: with its log.
    pub fn relay(
        &self,
        server: Ipv4Addr,
        options: RelayOptions,
        deadline: impl Into<Deadline>,
    ) -> Result<Relay> {
        let directory = tempfile::Builder::new().prefix("sgt-relay-").tempdir()?;
        let server = server.to_string();
        let mut words = vec!["-4", "-d", "--no-pid", "-id", "br0", "-iu", "up0"];
        if options.agent_information {
            words.extend(["-a", "-m", "replace"]);
        }
        if options.link_selection {
            words.extend(["-U", "up0"]);
        }
        words.push(&server);
        let log = directory.path().join("log");
        let process = Process::start(&self.relay, Path::new("/usr/sbin/dhcrelay"), &words, &log)?;
        // It says so of each interface once it listens there.
        let waited = eventually(deadline, || {
            let log = process.log();
            match ["br0", "up0"].iter().all(|name| listens(&log, name)) {
                true => Ok(()),
                false => Err("dhcrelay does not listen yet".to_owned()),
            }
        });
        waited
            .map_err(|why| anyhow!(why))
            .with_context(|| format!("its log:\n{}", process.log()))?;
        Ok(Relay {
            process,
            _directory: directory,
        })
    }
}

impl Relay {
    /// All that it has printed.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }
}

fn listens(log: &str, interface: &str) -> bool {
    let mut lines = log.lines().filter(|line| line.starts_with("Listening on"));
    lines.any(|line| line.contains(&format!("/{interface}/")))
}

fn phone(relay: &Namespace, number: u8) -> Result<Interface> {
    let ns = Namespace::new(&format!("branch-phone{number}"))?;
    let (interface, port) = veth(
        (&ns, "eth0", [2, 0, 10, 31, 0, number]),
        (relay, &format!("phone{number}"), [2, 0, 0, 2, 0, number]),
        VethOptions::default(),
    )?;
    relay.ip(&format!("link set {} master br0", port.name))?;
    Ok(interface)
}
