//! One phone from its lease to its calls, with its sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::Duration;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use super::frames::Frames;
use super::place::{Address, Place};
use crate::dhcp::raw::{CLIENT_PORT, SERVER_PORT};
use crate::phone::assemble::{Known, Run, assemble};
use crate::phone::boot::{Client, Fetch, Lease, PhoneFile, Progress, Send, Settings};
use crate::phone::definition::Definition;
use crate::phone::device::Device;
use crate::phone::event::Event;
use crate::phone::h248::Restart;
use crate::phone::streams::Output;

/// What a phone wants of its engine.
#[derive(Debug)]
pub(super) enum Want {
    /// Tell this.
    Tell(Option<usize>, Event),
    /// Watch this socket of its own: a port, or [`FRAMES`].
    Watch(u32),
}

/// In place of a port: the packet socket.
pub(super) const FRAMES: u32 = 1 << 16;

#[derive(Debug)]
enum Stage {
    Off,
    Leasing,
    /// What is fetched, from which port, and whether it is the phone's own file.
    Fetching(Box<Fetch>, u16, bool),
    Up(Box<Device>),
}

/// A phone.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) definition: Definition,
    run: Run,
    place: Place,
    stage: Stage,
    known: Known,
    dhcp: Option<(Client, Frames)>,
    renewal: Option<UdpSocket>,
    sockets: BTreeMap<u16, UdpSocket>,
    /// Why it could not boot.
    trouble: Option<String>,
    /// Its interface has its address, if it was given one.
    has_address: bool,
}

impl Slot {
    /// One that is switched off.
    pub(super) fn new(definition: Definition, run: Run) -> Result<Self> {
        let place = Place::new(definition.netns.as_deref())?;
        Ok(Self {
            definition,
            run,
            place,
            stage: Stage::Off,
            known: Known::default(),
            dhcp: None,
            renewal: None,
            sockets: BTreeMap::new(),
            trouble: None,
            has_address: false,
        })
    }

    pub(super) fn is_off(&self) -> bool {
        matches!(self.stage, Stage::Off)
    }

    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// It could not boot.
    pub(super) fn fail(&mut self, why: String) {
        self.stop();
        self.trouble = Some(why);
    }

    pub(super) fn device(&self) -> Option<&Device> {
        match &self.stage {
            Stage::Up(device) => Some(device),
            _ => None,
        }
    }

    pub(super) fn socket(&self, port: u16) -> Option<&UdpSocket> {
        self.sockets.get(&port)
    }

    pub(super) fn frames(&self) -> Option<&Frames> {
        self.dhcp.as_ref().map(|(_, frames)| frames)
    }

    /// The address that its interface is to have and has not got yet.
    pub(super) fn address_to_set(&self) -> Option<Address<'_>> {
        let Definition {
            interface, router, ..
        } = &self.definition;
        let (address, prefix) = self.definition.address.filter(|_| !self.has_address)?;
        Some(Address {
            interface,
            address,
            prefix: prefix?,
            router: *router,
        })
    }

    /// Sets the addresses of all these, namespace by namespace.
    pub(super) fn set_addresses(slots: &mut [Self]) -> Result<()> {
        let places: BTreeSet<Option<String>> = slots
            .iter()
            .map(|slot| slot.definition.netns.clone())
            .collect();
        for netns in places {
            let here = |slot: &&Self| slot.definition.netns == netns;
            let all: Vec<Address<'_>> = slots
                .iter()
                .filter(here)
                .filter_map(Self::address_to_set)
                .collect();
            if let Some(first) = slots.iter().find(here).filter(|_| !all.is_empty()) {
                first.place.set_addresses(&all)?;
            }
        }
        slots.iter_mut().for_each(|slot| slot.has_address = true);
        Ok(())
    }

    /// Switches it on: it boots.
    pub(super) fn start(&mut self, now: Duration, wants: &mut Vec<Want>) -> Result<()> {
        self.stop();
        if self.definition.address.is_some() {
            if let Some(address) = self.address_to_set() {
                self.place.set_addresses(&[address])?;
            }
            self.has_address = true;
            return self.addressed(now, wants);
        }
        let Definition { interface, mac, .. } = &self.definition;
        let frames = Frames::open(&self.place, interface, *mac)?;
        let settings = Settings {
            mac: frames.mac,
            vendor_class: self.definition.vendor_class.clone(),
            host_name: self.definition.host_name.clone(),
            xid: self.run.random.word(),
        };
        self.dhcp = Some((Client::new(now, settings), frames));
        self.stage = Stage::Leasing;
        wants.push(Want::Watch(FRAMES));
        Ok(())
    }

    /// Takes its power away: nobody is told.
    pub(super) fn stop(&mut self) {
        self.stage = Stage::Off;
        self.trouble = None;
        self.known = Known::default();
        (self.dhcp, self.renewal) = (None, None);
        self.sockets.clear();
    }

    /// It has an address: what it fetches first.
    fn addressed(&mut self, now: Duration, wants: &mut Vec<Want>) -> Result<()> {
        let name = match (self.definition.file.as_deref(), self.mac()) {
            (Some("none"), _) => None,
            (Some(name), _) => Some(name.to_owned()),
            (None, Some(mac)) => Some(format!("{mac}.json")),
            (None, None) => None,
        };
        match (name, self.server()) {
            (Some(name), Some(server)) => self.fetch(now, server, &name, true, wants),
            _ => self.up(now, wants),
        }
    }

    /// As files are named after it.
    fn mac(&self) -> Option<String> {
        let leased = self.frames().map(|frames| frames.mac);
        let mac = leased.or(self.definition.mac)?;
        Some(mac.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    fn server(&self) -> Option<Ipv4Addr> {
        let leased = self.known.lease.as_ref().and_then(|lease| lease.tftp);
        self.definition.tftp.or(leased)
    }

    fn fetch(
        &mut self,
        now: Duration,
        server: Ipv4Addr,
        name: &str,
        own: bool,
        wants: &mut Vec<Want>,
    ) -> Result<()> {
        let address = self.known.address(&self.definition).context("no address")?;
        // Of its range as soon as that is known: whatever it sends comes from there.
        let port = self
            .known
            .ports(&self.definition)?
            .map_or(0, |range| range.files());
        // The port may be that of the file before.
        self.sockets.clear();
        let socket = self.place.udp(SocketAddrV4::new(address, port))?;
        let port = socket.local_addr()?.port();
        self.sockets.insert(port, socket);
        wants.push(Want::Watch(port.into()));
        self.stage = Stage::Fetching(Box::new(Fetch::new(now, server, name)), port, own);
        Ok(())
    }

    fn fetched(
        &mut self,
        now: Duration,
        name: &str,
        bytes: &[u8],
        own: bool,
        wants: &mut Vec<Want>,
    ) -> Result<()> {
        let sha256 = Sha256::digest(bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let (name, length) = (name.to_owned(), bytes.len());
        wants.push(Want::Tell(
            None,
            Event::Fetched {
                name: name.clone(),
                bytes: length,
                sha256,
            },
        ));
        if own {
            let file =
                PhoneFile::parse(bytes).with_context(|| format!("the phone's file {name}"))?;
            self.known.file = Some(file);
            let image = self.known.image(&self.definition, Some(&name));
            if let (Some(image), Some(server)) = (image, self.server()) {
                return self.fetch(now, server, &image, false, wants);
            }
        }
        self.up(now, wants)
    }

    fn up(&mut self, now: Duration, wants: &mut Vec<Want>) -> Result<()> {
        self.sockets.clear();
        let mut device = assemble(&self.definition, &self.known, self.run.clone())?;
        // Another time it has other numbers.
        self.run.random.next();
        let ports = self.known.ports(&self.definition)?.context("no ports")?;
        let mut out = vec![Output::Bind(ports.signalling())];
        device.start(now, Restart::Cold, &mut out);
        self.stage = Stage::Up(Box::new(device));
        self.obey(out, wants);
        Ok(())
    }

    /// Has the device do something, if it is up.
    pub(super) fn with(
        &mut self,
        wants: &mut Vec<Want>,
        act: impl FnOnce(&mut Device, &mut Vec<Output>),
    ) {
        let mut out = Vec::new();
        if let Stage::Up(device) = &mut self.stage {
            act(device, &mut out);
        }
        self.obey(out, wants);
    }

    fn obey(&mut self, out: Vec<Output>, wants: &mut Vec<Want>) {
        for output in out {
            match output {
                Output::Tell(line, event) => wants.push(Want::Tell(line, event)),
                Output::Unbind(port) => drop(self.sockets.remove(&port)),
                Output::Bind(port) => match self.bind(port) {
                    Ok(()) => wants.push(Want::Watch(port.into())),
                    Err(why) => wants.push(error(&why)),
                },
                Output::Send(datagram) => {
                    let Some(socket) = self.sockets.get(&datagram.port) else {
                        continue;
                    };
                    match socket.send_to(&datagram.bytes, datagram.to) {
                        Ok(_) => {}
                        // As good as lost on the way.
                        Err(why)
                            if matches!(
                                why.kind(),
                                ErrorKind::WouldBlock | ErrorKind::ConnectionRefused
                            ) => {}
                        Err(why) => {
                            let to = datagram.to;
                            wants.push(error(
                                &anyhow::Error::new(why).context(format!("send to {to}")),
                            ));
                        }
                    }
                }
            }
        }
    }

    fn bind(&mut self, port: u16) -> Result<()> {
        let address = self.known.address(&self.definition).context("no address")?;
        let socket = self.place.udp(SocketAddrV4::new(address, port))?;
        self.sockets.insert(port, socket);
        Ok(())
    }

    /// A datagram that arrived at one of its ports.
    pub(super) fn handle(
        &mut self,
        now: Duration,
        port: u16,
        from: SocketAddr,
        bytes: &[u8],
        wants: &mut Vec<Want>,
    ) -> Result<()> {
        let SocketAddr::V4(from) = from else {
            return Ok(());
        };
        match &mut self.stage {
            Stage::Fetching(fetch, ..) => {
                let mut send = Vec::new();
                let progress = fetch.handle(now, from, bytes, &mut send);
                self.fetching(now, progress, send, wants)
            }
            Stage::Up(_) => {
                self.with(wants, |device, out| {
                    device.handle(now, port, from, bytes, out)
                });
                Ok(())
            }
            Stage::Off | Stage::Leasing => Ok(()),
        }
    }

    fn fetching(
        &mut self,
        now: Duration,
        progress: Progress,
        send: Vec<(SocketAddrV4, Vec<u8>)>,
        wants: &mut Vec<Want>,
    ) -> Result<()> {
        let Stage::Fetching(fetch, port, own) = &self.stage else {
            return Ok(());
        };
        let (name, own) = (fetch.name().to_owned(), *own);
        if let Some(socket) = self.sockets.get(port) {
            for (to, bytes) in send {
                // What cannot be sent is sent again.
                let _ = socket.send_to(&bytes, to);
            }
        }
        match progress {
            Progress::More => Ok(()),
            Progress::Done(bytes) => self.fetched(now, &name, &bytes, own, wants),
            Progress::Failed(why) => Err(anyhow::Error::msg(why)),
        }
    }

    /// What arrived at the packet socket.
    pub(super) fn handle_frames(&mut self, now: Duration, wants: &mut Vec<Want>) -> Result<()> {
        while let Some((client, frames)) = &mut self.dhcp
            && let Some(message) = frames.next()?
        {
            let before = client.lease().cloned();
            let send = client.handle(now, &message);
            let lease = client.lease().cloned();
            if let Some(send) = send {
                self.send_dhcp(send)?;
            }
            match lease {
                Some(lease) if before.as_ref() != Some(&lease) => self.leased(now, lease, wants)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn send_dhcp(&mut self, send: Send) -> Result<()> {
        let Some((_, frames)) = &self.dhcp else {
            return Ok(());
        };
        match send {
            Send::Broadcast(message) => frames.broadcast(message.ciaddr, &message),
            Send::Unicast(server, message) => {
                if self.renewal.is_none() {
                    let own = SocketAddrV4::new(message.ciaddr, CLIENT_PORT);
                    self.renewal = Some(self.place.udp(own)?);
                }
                if let Some(socket) = &self.renewal {
                    socket.send_to(&message.bytes(), (server, SERVER_PORT))?;
                }
                Ok(())
            }
        }
    }

    fn leased(&mut self, now: Duration, lease: Lease, wants: &mut Vec<Want>) -> Result<()> {
        let Lease {
            address,
            prefix,
            router,
            ..
        } = lease;
        let interface = &self.definition.interface;
        self.place.set_addresses(&[Address {
            interface,
            address,
            prefix,
            router,
        }])?;
        let seconds = lease
            .time
            .map(|time| u32::try_from(time.as_secs()).unwrap_or(u32::MAX));
        wants.push(Want::Tell(
            None,
            Event::Leased {
                address,
                public_address: lease.public,
                first_port: lease.ports.map(|ports| ports.0),
                last_port: lease.ports.map(|ports| ports.1),
                server: lease.server,
                lease_seconds: seconds,
            },
        ));
        let first = matches!(self.stage, Stage::Leasing);
        let range = |lease: &Lease| (lease.address, lease.ports);
        let moved = self
            .known
            .lease
            .as_ref()
            .is_some_and(|old| range(old) != range(&lease));
        self.known.lease = Some(lease);
        // A renewal that brings another address or range is a boot.
        if first || moved {
            self.addressed(now, wants)
        } else {
            Ok(())
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let stage = match &self.stage {
            Stage::Off => return None,
            Stage::Leasing => None,
            Stage::Fetching(fetch, ..) => Some(fetch.poll_timeout()),
            Stage::Up(device) => device.poll_timeout(),
        };
        let dhcp = self
            .dhcp
            .as_ref()
            .and_then(|(client, _)| client.poll_timeout());
        stage.into_iter().chain(dhcp).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Duration, wants: &mut Vec<Want>) -> Result<()> {
        let send = self
            .dhcp
            .as_mut()
            .and_then(|(client, _)| client.handle_timeout(now));
        if let Some(send) = send {
            self.send_dhcp(send)?;
        }
        match &mut self.stage {
            Stage::Fetching(fetch, ..) => {
                let mut send = Vec::new();
                let progress = fetch.handle_timeout(now, &mut send);
                self.fetching(now, progress, send, wants)
            }
            Stage::Up(_) => {
                self.with(wants, |device, out| device.handle_timeout(now, out));
                Ok(())
            }
            Stage::Off | Stage::Leasing => Ok(()),
        }
    }
}

/// As the output tells it.
pub(super) fn error(why: &anyhow::Error) -> Want {
    let what = format!("{why:#}");
    Want::Tell(None, Event::Error { what, code: None })
}
