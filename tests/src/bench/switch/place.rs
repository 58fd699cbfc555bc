//! Where a switch is measured, and who calls.
//!
//! ```text
//!   phones                             switch
//!   eth0 10.64.0.2  ---- veth ---- eth1 10.64.0.1
//!   10.66.0.0/15, all of it here   ---- uplink0, which only the gateway wants
//! ```
//!
//! Phone number 0 has the address 10.66.0.0 and the line 5000000; the others count on.

use std::net::Ipv4Addr;

use anyhow::Result;
use gateway_tests::link::{Interface, VethOptions, mac_of, veth};
use gateway_tests::netns::Namespace;
use tempfile::TempDir;

/// The inside network.
pub(super) const NETWORK: &str = "10.64.0.0/11";
/// The switch's address.
pub(super) const SWITCH: Ipv4Addr = Ipv4Addr::new(10, 64, 0, 1);
/// The router before the phones.
const PHONES: Ipv4Addr = Ipv4Addr::new(10, 64, 0, 2);
/// Where phones are: 131,072 of them.
const THEIRS: &str = "10.66.0.0/15";
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 66, 0, 0);
const FIRST_LINE: u32 = 5_000_000;
/// A disk: `/tmp` may be memory, where nothing has to be waited for.
const DISK: &str = "/var/tmp";

/// A phone's address.
pub(super) fn phone_address(phone: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(FIRST.to_bits() + phone)
}

/// Whose address it is.
pub(super) fn phone_number(address: Ipv4Addr) -> Option<u32> {
    address.to_bits().checked_sub(FIRST.to_bits())
}

/// A phone's line.
pub(super) fn phone_line(phone: u32) -> u32 {
    FIRST_LINE + phone
}

/// Phones and a switch at two ends of a cable.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) phones: Namespace,
    pub(super) switch: Namespace,
    /// The switch's files.
    pub(super) directory: TempDir,
    /// Links that must be up while it is measured.
    _links: [Interface; 2],
}

impl Place {
    /// Makes one for the switch of this name.
    pub(super) fn new(name: &str) -> Result<Self> {
        let phones = Namespace::new(&format!("{name}-phones"))?;
        let switch = Namespace::new(&format!("{name}-switch"))?;
        let (near, far) = veth(
            (&switch, "eth1", mac_of(SWITCH)),
            (&phones, "eth0", mac_of(PHONES)),
            VethOptions::default(),
        )?;
        near.address(&format!("{SWITCH}/30"))?;
        far.address(&format!("{PHONES}/30"))?;
        near.route(NETWORK, PHONES)?;
        phones.ip(&format!("route add local {THEIRS} dev lo"))?;
        let (uplink, _) = veth(
            (&switch, "uplink0", [2, 0, 192, 0, 2, 1]),
            (&phones, "internet0", [2, 0, 192, 0, 2, 2]),
            VethOptions::default(),
        )?;
        uplink.address("192.0.2.1/24")?;
        uplink.route("default", Ipv4Addr::new(192, 0, 2, 2))?;
        let directory = tempfile::Builder::new()
            .prefix("sgt-bench-")
            .tempdir_in(DISK)?;
        Ok(Self {
            phones,
            switch,
            directory,
            _links: [near, uplink],
        })
    }

    /// A file's path in the switch's directory, as text.
    pub(super) fn file(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }
}
