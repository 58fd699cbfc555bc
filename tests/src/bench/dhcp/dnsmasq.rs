//! dnsmasq: its whole table is written, and waited for, with every lease.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;
use gateway_tests::dhcp::dnsmasq::{Dnsmasq as Running, Range};
use gateway_tests::link::mac_text;

use super::place::{FIRST, LAST, LEASE_TIME, MASK, Place};
use super::server::{Filling, Server, leases};

const START_TIME: Duration = Duration::from_secs(60);
/// When the leases in its file end: in seconds since 1970, and far away.
const EXPIRES: u64 = 4_102_444_800;

/// With more, starting takes time that grows with their square: with 100,000 it had not answered
/// anybody after 150 seconds.
const MOST_LEASES: u32 = 10_000;

/// dnsmasq in its place.
pub(super) struct Dnsmasq {
    place: Place,
    leases: u32,
    running: Option<Running>,
}

impl Dnsmasq {
    pub(super) fn new(place: Place, leases: u32) -> Self {
        Self {
            place,
            leases: leases.min(MOST_LEASES),
            running: None,
        }
    }

    fn file(&self) -> Result<String> {
        let mut text = String::new();
        for (address, mac) in leases(self.leases) {
            let mac = mac_text(mac);
            writeln!(text, "{EXPIRES} {mac} {address} * 01:{mac}")?;
        }
        Ok(text)
    }
}

impl Server for Dnsmasq {
    fn place(&self) -> &Place {
        &self.place
    }

    fn filling(&self) -> Filling {
        Filling::ByFile
    }

    fn leases(&self) -> u32 {
        self.leases
    }

    fn start(&mut self) -> Result<()> {
        let directory = tempfile::tempdir_in(self.place.directory.path())?;
        std::fs::write(Running::leases_in(directory.path()), self.file()?)?;
        let range = Range {
            first: FIRST,
            last: LAST,
            mask: MASK,
            lease_time: LEASE_TIME,
        };
        // One that ran before has the port.
        self.running = None;
        // No line of log for each message.
        let lines = "dhcp-lease-max=1000000\nquiet-dhcp\n";
        self.running = Some(Running::start_in(
            directory,
            &self.place.server,
            &[range],
            lines,
            START_TIME,
        )?);
        Ok(())
    }

    fn pid(&mut self) -> Option<u32> {
        self.running.as_mut().map(|running| running.process().pid())
    }

    fn log(&self) -> String {
        self.running.as_ref().map(Running::log).unwrap_or_default()
    }
}
