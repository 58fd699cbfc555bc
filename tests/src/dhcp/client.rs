//! Real clients as real phones have them, each started on one interface of a lab.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! # use std::time::Duration;
//! # use gateway_tests::{site::Site, dhcp::client::{Program, Spec}};
//! # let site = Site::new()?;
//! let phone = Spec::new(Program::Udhcpc).vendor_class("MyPhone 1.0").request(159);
//! let mut client = phone.start(&site.phone(1).interface)?;
//! let lease = client.bound(Duration::from_secs(20))?;
//! assert!(lease.option(43).is_some());
//! client.release(Duration::from_secs(20))?;
//! # Ok(()) }
//! ```

mod dhclient;
mod dhcpcd;
mod record;
mod udhcpc;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use nix::sys::signal::{Signal, kill};
use tempfile::TempDir;

use crate::link::Interface;
use crate::process::Process;
use crate::wait::{Deadline, eventually};

use record::Record;

/// What every client calls at every event.
const HOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/dhcp-hook.sh");
/// Options that are asked for without further words: mask, router, DNS, domain, 43, 66, 67, 125
/// and 150.
const REQUESTED: [u8; 9] = [1, 3, 6, 15, 43, 66, 67, 125, 150];

/// A DHCP client program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// busybox's, as in small devices.
    Udhcpc,
    /// ISC's.
    Dhclient,
    /// Version 9. One in each namespace: its run-time files have fixed names.
    Dhcpcd,
}

impl Program {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Udhcpc, Self::Dhclient, Self::Dhcpcd];
}

/// What a client is to send.
#[derive(Clone, Debug)]
pub struct Spec {
    program: Program,
    vendor_class: Option<String>,
    client_id: Option<Vec<u8>>,
    host_name: Option<String>,
    requested: Vec<u8>,
}

/// A lease as its client reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The phone's address.
    pub address: Ipv4Addr,
    /// The router (option 3), the first one.
    pub router: Option<Ipv4Addr>,
    /// The server's identifier (option 54).
    pub server: Option<Ipv4Addr>,
    /// How long it lasts (option 51), in seconds.
    pub lease_time: u32,
    options: BTreeMap<u8, Vec<u8>>,
}

impl Lease {
    /// The bytes of an option that the client asked for and got: 43, 66, 67, 125, 150 and whatever
    /// [`Spec::request`] has added. Of the texts 66 and 67 without the NUL that servers may put
    /// behind them (RFC 2132, 2).
    #[must_use]
    pub fn option(&self, code: u8) -> Option<&[u8]> {
        let bytes = self.options.get(&code)?;
        let text = bytes
            .strip_suffix(&[0])
            .filter(|_| [66, 67].contains(&code));
        Some(text.unwrap_or(bytes))
    }
}

/// A running client; killed when dropped, without a release, as by a pulled plug.
#[derive(Debug)]
pub struct Client {
    spec: Spec,
    interface: Interface,
    directory: TempDir,
    process: Process,
    /// Events that have been looked at.
    seen: usize,
}

/// What an event says.
enum Event {
    Bound(Lease),
    Gone,
    Other,
}

impl Spec {
    /// A client that sends what the program sends by itself.
    #[must_use]
    pub fn new(program: Program) -> Self {
        Self {
            program,
            vendor_class: None,
            client_id: None,
            host_name: None,
            requested: REQUESTED.to_vec(),
        }
    }

    /// Sends this vendor class (option 60).
    #[must_use]
    pub fn vendor_class(mut self, class: &str) -> Self {
        self.vendor_class = Some(class.to_owned());
        self
    }

    /// Sends these bytes as client identifier (option 61): type, then identifier.
    #[must_use]
    pub fn client_id(mut self, bytes: &[u8]) -> Self {
        self.client_id = Some(bytes.to_vec());
        self
    }

    /// Sends this host name (option 12).
    #[must_use]
    pub fn host_name(mut self, name: &str) -> Self {
        self.host_name = Some(name.to_owned());
        self
    }

    /// Lists one option more in option 55.
    #[must_use]
    pub fn request(mut self, code: u8) -> Self {
        if !self.requested.contains(&code) {
            self.requested.push(code);
        }
        self
    }

    /// Takes all addresses off the interface and starts the client there.
    ///
    /// # Errors
    /// When the program is missing, or a value cannot be put in its configuration.
    pub fn start(&self, interface: &Interface) -> Result<Client> {
        let directory = tempfile::Builder::new().prefix("sgt-dhcp-").tempdir()?;
        interface
            .ns
            .ip(&format!("address flush dev {}", interface.name))?;
        let words = match self.program {
            Program::Udhcpc => udhcpc::command(self, interface),
            Program::Dhclient => dhclient::command(self, interface, directory.path()),
            Program::Dhcpcd => dhcpcd::command(self, interface, directory.path()),
        }?;
        let process = launch(interface, directory.path(), &words)?;
        Ok(Client {
            spec: self.clone(),
            interface: interface.clone(),
            directory,
            process,
            seen: 0,
        })
    }

    /// The requested options whose bytes a [`Lease`] shows: not those that the clients read.
    fn shown(&self) -> impl Iterator<Item = u8> {
        let read = [1, 3, 6, 15, 51, 54];
        let codes = self.requested.iter().copied();
        codes.filter(move |code| !read.contains(code))
    }

    fn event(&self, record: &Record) -> Event {
        let (bound, gone): (&[&str], &[&str]) = match self.program {
            Program::Udhcpc => (&["bound", "renew"], &["deconfig"]),
            Program::Dhclient => (
                &["BOUND", "RENEW", "REBIND", "REBOOT"],
                &["EXPIRE", "FAIL", "RELEASE", "STOP"],
            ),
            Program::Dhcpcd => (
                &["BOUND", "RENEW", "REBIND", "REBOOT"],
                &["EXPIRE", "NAK", "RELEASE", "STOP", "STOPPED"],
            ),
        };
        let event = record.get("DHCP_EVENT").unwrap_or_default();
        if gone.contains(&event) {
            return Event::Gone;
        }
        let lease = || match self.program {
            Program::Udhcpc => udhcpc::lease(self, record),
            Program::Dhclient => dhclient::lease(self, record),
            Program::Dhcpcd => dhcpcd::lease(self, record),
        };
        match bound.contains(&event).then(lease).flatten() {
            Some(lease) => Event::Bound(lease),
            None => Event::Other,
        }
    }
}

impl Client {
    /// Waits for the next time that the client takes a lease, or has renewed it.
    ///
    /// # Errors
    /// When the deadline passes or the client ends first: with its log.
    pub fn bound(&mut self, deadline: impl Into<Deadline>) -> Result<Lease> {
        self.next(deadline, |event| match event {
            Event::Bound(lease) => Some(lease),
            Event::Gone | Event::Other => None,
        })
    }

    /// Waits for the next time that the client gives its address up.
    ///
    /// # Errors
    /// As [`Self::bound`].
    pub fn gone(&mut self, deadline: impl Into<Deadline>) -> Result<()> {
        self.next(deadline, |event| matches!(event, Event::Gone).then_some(()))
    }

    /// Has the lease renewed. dhclient cannot be told to: it is killed and started again, and asks
    /// for the address it had (INIT-REBOOT instead of RENEWING).
    ///
    /// # Errors
    /// As [`Self::bound`].
    pub fn renew(&mut self, deadline: impl Into<Deadline>) -> Result<Lease> {
        self.skip();
        match self.spec.program {
            Program::Udhcpc | Program::Dhcpcd => self.signal(Signal::SIGUSR1)?,
            Program::Dhclient => self.restart()?,
        }
        self.bound(deadline)
    }

    /// Kills the client and starts it again with what it keeps on its disk: a phone whose plug was
    /// pulled. udhcpc keeps nothing.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn restart(&mut self) -> Result<()> {
        self.process.kill9()?;
        self.skip();
        let (interface, directory) = (&self.interface, self.directory.path());
        let words = match self.spec.program {
            Program::Udhcpc => udhcpc::command(&self.spec, interface)?,
            Program::Dhclient => dhclient::arguments(interface, directory)?,
            Program::Dhcpcd => dhcpcd::boot(interface, directory)?,
        };
        self.process = launch(interface, directory, &words)?;
        Ok(())
    }

    /// Gives the lease back (DHCPRELEASE) and waits until the address is off the interface.
    ///
    /// # Errors
    /// As [`Self::bound`].
    pub fn release(&mut self, deadline: impl Into<Deadline>) -> Result<()> {
        self.skip();
        let deadline = deadline.into();
        match self.spec.program {
            Program::Udhcpc => self.signal(Signal::SIGUSR2)?,
            Program::Dhcpcd => self.signal(Signal::SIGALRM)?,
            Program::Dhclient => {
                let words = dhclient::release(&self.interface, self.directory.path())?;
                let mut releasing = launch(&self.interface, self.directory.path(), &words)?;
                releasing.wait(deadline)?;
            }
        }
        self.gone(deadline)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        if self.spec.program != Program::Dhcpcd {
            return self.process.signal(signal);
        }
        let child = dhcpcd::process(self.process.pid())?;
        kill(child, signal).with_context(|| format!("{signal} to process {child}"))
    }

    /// All that the client has printed.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Events of the past are of no interest any more.
    fn skip(&mut self) {
        self.seen = record::read(&events(self.directory.path())).len();
    }

    fn next<T>(
        &mut self,
        deadline: impl Into<Deadline>,
        wanted: impl Fn(Event) -> Option<T>,
    ) -> Result<T> {
        let path = events(self.directory.path());
        let waited = eventually(deadline, || {
            let records = record::read(&path);
            while let Some(record) = records.get(self.seen) {
                self.seen += 1;
                if let Some(found) = wanted(self.spec.event(record)) {
                    return Ok(found);
                }
            }
            Err(format!(
                "{:?} has reported nothing of it",
                self.spec.program
            ))
        });
        waited.map_err(|why| anyhow!(why)).with_context(|| {
            let (log, records) = (self.log(), record::read(&path));
            format!("the client's log:\n{log}\nits events: {records:#?}")
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (program, log) = (self.spec.program, self.log());
            eprintln!(
                "--- log of {program:?} in {}\n{log}",
                self.interface.ns.name()
            );
        }
    }
}

/// Where the hook writes.
fn events(directory: &Path) -> std::path::PathBuf {
    directory.join("events")
}

/// Starts a client's program; what it gives its children reaches the hook.
fn launch(interface: &Interface, directory: &Path, words: &[String]) -> Result<Process> {
    let events = format!("DHCP_EVENTS={}", events(directory).display());
    let mut arguments = vec![events.as_str(), "DHCP_CONFIGURES=script"];
    arguments.extend(words.iter().map(String::as_str));
    let env = Path::new("/usr/bin/env");
    Process::start(&interface.ns, env, &arguments, &directory.join("log"))
}

/// Bytes as colon-separated hex numbers, as dhclient and dhcpcd read them.
fn colons(bytes: &[u8]) -> String {
    let octets: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    octets.join(":")
}

/// Bytes from hex digits without anything between them.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if digits.len() % 2 == 1 {
        return None;
    }
    digits.chunks(2).map(octet).collect()
}
