//! Kea: leases in memory and in a CSV file that is appended to, and never waited for.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use gateway_tests::dhcp::unconfined::unconfined;
use gateway_tests::link::mac_text;
use gateway_tests::process::Process;
use gateway_tests::wait::eventually;
use serde_json::json;

use super::place::{FIRST, LAST, LEASE_TIME, NETWORK, Place, SERVER};
use super::server::{Filling, Server, leases};

const PROGRAM: &str = "/usr/sbin/kea-dhcp4";
const START_TIME: Duration = Duration::from_secs(60);
/// When the leases in its file end: in seconds since 1970, and far away.
const EXPIRES: u64 = 4_102_444_800;

/// How it is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setup {
    /// UDP sockets, as all clients are behind relay agents; no look for reservations; warnings
    /// only. One thread: on two cores, which the clients share, more of them lose packets earlier.
    Fast,
    /// Raw sockets, a line of log for each message.
    Packaged,
}

/// Kea in its place.
pub(super) struct Kea {
    place: Place,
    leases: u32,
    setup: Setup,
    process: Option<Process>,
}

impl Kea {
    pub(super) fn new(place: Place, leases: u32, setup: Setup) -> Self {
        Self {
            place,
            leases,
            setup,
            process: None,
        }
    }

    fn configuration(&self) -> String {
        let (sockets, severity, reservations) = match self.setup {
            Setup::Fast => ("udp", "WARN", false),
            Setup::Packaged => ("raw", "INFO", true),
        };
        let output = self.place.file("kea.log");
        let pool = format!("{FIRST} - {LAST}");
        json!({"Dhcp4": {
            "interfaces-config": {"interfaces": ["eth1"], "dhcp-socket-type": sockets},
            "lease-database": {
                "type": "memfile",
                "persist": true,
                "name": self.place.file("leases.csv"),
                // The file is cleaned by another process, which would take the servers' cores.
                "lfc-interval": 0,
            },
            "valid-lifetime": LEASE_TIME,
            "subnet4": [{
                "subnet": NETWORK,
                "pools": [{"pool": pool}],
                "option-data": [{"name": "routers", "data": SERVER.to_string()}],
                "reservations-in-subnet": reservations,
            }],
            "loggers": [{
                "name": "kea-dhcp4",
                "severity": severity,
                "output_options": [{"output": output}],
            }],
        }})
        .to_string()
    }

    fn file(&self) -> Result<String> {
        let mut text = String::from(
            "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,\
             state,user_context\n",
        );
        for (address, mac) in leases(self.leases) {
            let mac = mac_text(mac);
            writeln!(
                text,
                "{address},{mac},01:{mac},{LEASE_TIME},{EXPIRES},1,0,0,,0,"
            )?;
        }
        Ok(text)
    }
}

impl Server for Kea {
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
        let directory = self.place.directory.path();
        std::fs::write(directory.join("kea.json"), self.configuration())?;
        std::fs::write(directory.join("leases.csv"), self.file()?)?;
        let program = unconfined(&self.place.server, Path::new(PROGRAM), directory)?;
        let words = [
            format!("KEA_PIDFILE_DIR={}", directory.display()),
            format!("KEA_LOCKFILE_DIR={}", directory.display()),
            program.display().to_string(),
            "-c".to_owned(),
            self.place.file("kea.json"),
        ];
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (env, log) = (Path::new("/usr/bin/env"), directory.join("log"));
        let mut process = Process::start(&self.place.server, env, &words, &log)?;
        let waited = eventually(START_TIME, || match process.exited() {
            Ok(None) if listens(&self.place) => Ok(Ok(())),
            Ok(None) => Err("it does not listen yet".to_owned()),
            ended => Ok(Err(anyhow!("it ended: {ended:?}"))),
        });
        self.process = Some(process);
        waited.map_err(|why| anyhow!(why))?.context("kea-dhcp4")
    }

    fn pid(&mut self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    fn log(&self) -> String {
        self.process.as_ref().map(Process::log).unwrap_or_default()
    }
}

/// Whether there is a UDP socket on port 67 (0x43).
fn listens(place: &Place) -> bool {
    // `/proc/net` is the first thread's, wherever this one is.
    let sockets = || std::fs::read_to_string("/proc/thread-self/net/udp");
    let text = place.server.enter(sockets).unwrap_or_default();
    let mut addresses = text
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1));
    addresses.any(|address| address.ends_with(":0043"))
}
