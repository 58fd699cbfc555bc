//! dnsmasq as a DHCP server in a namespace: what the labs' own clients are tried with, and a peer
//! in the benches.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use tempfile::TempDir;

use crate::netns::Namespace;
use crate::process::Process;
use crate::wait::{Deadline, eventually};

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Dnsmasq {
    process: Process,
    directory: TempDir,
}

/// One network that it serves.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// The first address that is leased.
    pub first: Ipv4Addr,
    /// The last one.
    pub last: Ipv4Addr,
    /// The network's mask, which relayed networks need.
    pub mask: Ipv4Addr,
    /// How long leases last, in seconds; it wants 120 at least.
    pub lease_time: u32,
}

impl Dnsmasq {
    /// Serves `ranges` in a namespace, with further lines of configuration, and waits until it
    /// does. It offers addresses without trying them first, and answers no DNS.
    ///
    /// # Errors
    /// When it is missing or refuses the configuration: with its log.
    pub fn start(
        ns: &Namespace,
        ranges: &[Range],
        lines: &str,
        deadline: impl Into<Deadline>,
    ) -> Result<Self> {
        Self::start_in(
            tempfile::Builder::new().prefix("sgt-dnsmasq-").tempdir()?,
            ns,
            ranges,
            lines,
            deadline,
        )
    }

    /// The same, with leases in the file `leases` of this directory.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_in(
        directory: TempDir,
        ns: &Namespace,
        ranges: &[Range],
        lines: &str,
        deadline: impl Into<Deadline>,
    ) -> Result<Self> {
        let leases = Self::leases_in(directory.path());
        let mut text = format!(
            "port=0\nno-ping\nno-resolv\nno-hosts\nuser=root\ngroup=root\ndhcp-authoritative\n\
             dhcp-leasefile={}\npid-file={}\n",
            leases.display(),
            directory.path().join("pid").display(),
        );
        for range in ranges {
            let Range {
                first,
                last,
                mask,
                lease_time,
            } = range;
            text.push_str(&format!("dhcp-range={first},{last},{mask},{lease_time}\n"));
        }
        text.push_str(lines);
        let file = directory.path().join("dnsmasq.conf");
        std::fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
        let file = format!("--conf-file={}", file.display());
        // In the foreground, with its log on standard error.
        let words = ["--keep-in-foreground", "--log-facility=-", &file];
        let log = directory.path().join("log");
        let process = Process::start(ns, Path::new("/usr/sbin/dnsmasq"), &words, &log)?;
        let mut this = Self { process, directory };
        this.wait(deadline)?;
        Ok(this)
    }

    fn wait(&mut self, deadline: impl Into<Deadline>) -> Result<()> {
        let waited = eventually(deadline, || match self.process.exited() {
            Ok(None) if self.process.log().contains("DHCP, IP range") => Ok(Ok(())),
            Ok(None) => Err("dnsmasq does not serve yet".to_owned()),
            ended => Ok(Err(anyhow!("dnsmasq ended: {ended:?}"))),
        });
        waited
            .map_err(|why| anyhow!(why))
            .and_then(|result| result)
            .with_context(|| format!("its log:\n{}", self.process.log()))
    }

    /// Where it keeps its leases: a line for each, from a start of it to the next.
    #[must_use]
    pub fn leases(&self) -> PathBuf {
        Self::leases_in(self.directory.path())
    }

    /// The same for a directory that it is yet to be started in.
    #[must_use]
    pub fn leases_in(directory: &Path) -> PathBuf {
        directory.join("leases")
    }

    /// All that it has printed.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The daemon's process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}
