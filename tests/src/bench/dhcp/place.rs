//! Where a server is measured.
//!
//! ```text
//!   relay                            server
//!   eth0 10.64.0.2 ---- veth ---- eth1 10.64.0.1      10.64.0.0/12
//!   internet0      ---- veth ---- uplink0             192.0.2.0/24, which only the gateway wants
//!
//!   10.64.1.0 - 10.79.255.254   leased: the first ones while it is measured,
//!                               the last ones stand in its table before
//! ```
//!
//! perfdhcp always is a relay agent, and so is our own client.

use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use gateway_tests::link::{Interface, VethOptions, mac_of, veth};
use gateway_tests::netns::Namespace;
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use tempfile::TempDir;

/// The phones' network.
pub(super) const NETWORK: &str = "10.64.0.0/12";
/// Its mask.
pub(super) const MASK: Ipv4Addr = Ipv4Addr::new(255, 240, 0, 0);
/// The server's address there.
pub(super) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 64, 0, 1);
/// The relay agent's.
pub(super) const RELAY: Ipv4Addr = Ipv4Addr::new(10, 64, 0, 2);
/// The first address that is leased.
pub(super) const FIRST: Ipv4Addr = Ipv4Addr::new(10, 64, 1, 0);
/// The last one.
pub(super) const LAST: Ipv4Addr = Ipv4Addr::new(10, 79, 255, 254);
/// How long leases last, in seconds.
pub(super) const LEASE_TIME: u32 = 8 * 3600;
/// What clients say they are (option 60).
pub(super) const VENDOR_CLASS: &str = "MyPhone";
/// A disk: `/tmp` may be memory, where nothing has to be waited for.
const DISK: &str = "/var/tmp";

/// A relay agent and a server at two ends of a cable.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) relay: Namespace,
    pub(super) server: Namespace,
    /// The server's files.
    pub(super) directory: TempDir,
    /// Links of its own that must be up while it is measured.
    _links: [Interface; 2],
}

impl Place {
    /// Makes one for the server of this name.
    pub(super) fn new(name: &str) -> Result<Self> {
        let role: String = name.split(' ').collect::<Vec<_>>().join("-");
        let relay = Namespace::new(&format!("{role}-relay"))?;
        let server = Namespace::new(&format!("{role}-server"))?;
        server.sysctl("net.ipv4.ip_forward", 1)?;
        let options = VethOptions::default();
        let (near, far) = veth(
            (&server, "eth1", mac_of(SERVER)),
            (&relay, "eth0", mac_of(RELAY)),
            options,
        )?;
        near.address(&format!("{SERVER}/12"))?;
        far.address(&format!("{RELAY}/12"))?;
        let (uplink, _) = veth(
            (&server, "uplink0", [2, 0, 192, 0, 2, 1]),
            (&relay, "internet0", [2, 0, 192, 0, 2, 2]),
            options,
        )?;
        uplink.address("192.0.2.1/24")?;
        uplink.route("default", Ipv4Addr::new(192, 0, 2, 2))?;
        let directory = tempfile::Builder::new()
            .prefix("sgt-bench-")
            .tempdir_in(DISK)?;
        Ok(Self {
            relay,
            server,
            directory,
            _links: [near, uplink],
        })
    }

    /// A file's path in the server's directory, as text.
    pub(super) fn file(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }
}

/// Checks that the servers' files lie on a disk, and says how fast that is.
pub(super) fn disk() -> Result<String> {
    let kind = statfs(DISK)?.filesystem_type();
    ensure!(
        kind != TMPFS_MAGIC,
        "{DISK} is memory: servers would not have to wait for a disk there"
    );
    let rate = syncs_per_second(Path::new(DISK))?;
    Ok(format!(
        "the disk: {rate:.0} appended and synchronised records a second, one by one"
    ))
}

fn syncs_per_second(folder: &Path) -> Result<f64> {
    const RECORDS: u32 = 300;
    let mut file = tempfile::tempfile_in(folder).context("a file on the disk")?;
    let (took, written) = super::super::interval::timed(|| -> std::io::Result<()> {
        for _ in 0..RECORDS {
            std::io::Write::write_all(&mut file, &[b'x'; 200])?;
            file.sync_data()?;
        }
        Ok(())
    });
    written?;
    Ok(f64::from(RECORDS) / took.as_secs_f64())
}
