//! Files for phones: TFTP and HTTP on the inside interfaces, as the configuration wants
//! them and the interfaces are.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use provision::Phone;

use super::gateway::{Gateway, Shared};
use super::{http, tftp};
use crate::config::Provision;
use crate::provision::{Files, Phones, Served};

/// Well-known port of TFTP (RFC 1350).
const TFTP_PORT: u16 = 69;

/// What is served, and where.
#[derive(Default)]
pub(crate) struct Provisioning {
    files: Option<Arc<Served>>,
    tftp: Server<tftp::Handle>,
    http: Server<http::Handle>,
    pub(crate) tftp_counters: Arc<tftp::Counters>,
    pub(crate) http_counters: Arc<http::Counters>,
    /// Why there are no files.
    trouble: Option<String>,
}

/// One of the two protocols.
struct Server<Handle> {
    /// Where it listens, each until it is dropped.
    running: Vec<(Place, Handle)>,
    trouble: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    interface: String,
    /// A device that was made anew is another one.
    ifindex: u32,
    address: Ipv4Addr,
    port: u16,
}

impl<Handle> Default for Server<Handle> {
    fn default() -> Self {
        Self {
            running: Vec::new(),
            trouble: None,
        }
    }
}

impl<Handle> Server<Handle> {
    /// Listens at these places from now on; what listens already is not touched. `what` is
    /// the protocol.
    fn listen(&mut self, what: &str, wanted: &[Place], start: impl Fn(&Place) -> Result<Handle>) {
        // Those that go first: they may have the ports.
        self.running.retain(|(place, _)| wanted.contains(place));
        let mut trouble = None;
        for place in wanted {
            if self.running.iter().any(|(running, _)| running == place) {
                continue;
            }
            match start(place) {
                Ok(handle) => {
                    tracing::info!(interface = place.interface, "{what} is served");
                    self.running.push((place.clone(), handle));
                }
                Err(error) => trouble = Some(format!("{error:#}")),
            }
        }
        if let Some(error) = trouble.as_ref().filter(|_| trouble != self.trouble) {
            tracing::error!(error, "{what} is not served everywhere");
        }
        self.trouble = trouble;
    }
}

impl std::fmt::Debug for Provisioning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = |count: usize| format!("{count} places");
        let (tftp, http) = (at(self.tftp.running.len()), at(self.http.running.len()));
        f.debug_struct("Provisioning")
            .field("tftp", &tftp)
            .field("http", &http)
            .finish_non_exhaustive()
    }
}

impl Provisioning {
    /// What does not work: each says what to do.
    pub(crate) fn troubles(&self) -> impl Iterator<Item = &String> {
        let troubles = [&self.trouble, &self.tftp.trouble, &self.http.trouble];
        troubles.into_iter().flatten()
    }

    fn follow(&mut self, wanted: Option<&Provision>, inside: &[Place], shared: &Shared) {
        let files = wanted.and_then(|provision| self.files(provision, shared));
        let places = |port: Option<u16>| -> Vec<Place> {
            let place = |port, at: &Place| Place { port, ..at.clone() };
            let ports = port.filter(|_| files.is_some()).into_iter();
            let places = ports.flat_map(|port| inside.iter().map(move |at| place(port, at)));
            places.collect()
        };
        let tftp = wanted.filter(|provision| provision.tftp).map(|_| TFTP_PORT);
        let counters = &self.tftp_counters;
        self.tftp.listen("TFTP", &places(tftp), |place| {
            let spec = tftp::ListenSpec {
                address: Ipv4Addr::UNSPECIFIED,
                port: place.port,
                interface: Some(place.interface.clone()),
            };
            tftp::start(vec![spec], there(&files)?, counters.clone())
        });
        let http = wanted.and_then(|provision| provision.http);
        let counters = &self.http_counters;
        self.http.listen("HTTP", &places(http), |place| {
            let address = (place.address, place.port).into();
            let files = there(&files)?;
            http::start(address, Some(&place.interface), files, counters.clone())
        });
    }

    /// The files, begun or told of the change.
    fn files(&mut self, provision: &Provision, shared: &Shared) -> Option<Arc<dyn Files>> {
        self.trouble = None;
        match &self.files {
            Some(files) => files.reload(provision),
            None => match Served::start(provision, Arc::new(Leased(shared.clone()))) {
                Ok(files) => self.files = Some(Arc::new(files)),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!(error, "files are not served");
                    self.trouble = Some(error);
                }
            },
        }
        let files = self.files.clone()?;
        Some(files)
    }
}

/// The files; without any, nothing is listened for.
fn there(files: &Option<Arc<dyn Files>>) -> Result<Arc<dyn Files>> {
    files.clone().context("there are no files")
}

/// Phones as their leases tell of them.
struct Leased(Shared);

impl Phones for Leased {
    fn by_address(&self, address: Ipv4Addr) -> Option<Phone> {
        self.0.lock().phone(address)
    }
}

impl Gateway {
    /// Serves files on the interfaces as they are now.
    pub(super) fn serve_files(&mut self, shared: &Shared) {
        let inside = self.interfaces.iter().take(self.plan.config.inside.len());
        let there = inside.filter(|known| known.missing.is_none());
        let place = |known: &super::KnownInterface| {
            Some(Place {
                interface: known.spec.name.clone(),
                ifindex: known.spec.ifindex,
                address: known.spec.address?,
                port: 0,
            })
        };
        let inside: Vec<Place> = there.filter_map(place).collect();
        let provision = self.plan.config.provision.clone();
        self.provisioning
            .follow(provision.as_ref(), &inside, shared);
    }

    /// The phone that has an address.
    fn phone(&self, address: Ipv4Addr) -> Option<Phone> {
        let lease = self.leases.as_ref()?.server.lease(address)?;
        if !lease.is_active() {
            return None;
        }
        let mac = lease.hardware.mac()?;
        let dhcp = self.plan.config.dhcp.as_ref()?;
        let name = lease.class.as_ref().map_or("", |class| class.as_str());
        let class = dhcp.classes.iter().find(|class| class.name == name);
        let scope = dhcp
            .scopes
            .iter()
            .find(|scope| scope.name == lease.scope.as_str());
        let interface = scope.and_then(|scope| scope.interface).unwrap_or(0);
        let switch = self.plan.config.switch.as_ref();
        let accounts = switch.and_then(|switch| switch.accounts.get(&mac.0));
        let sip = switch.and_then(|switch| switch.settings.sip.as_ref());
        let variables = self.plan.config.provision.as_ref();
        let variables = variables.and_then(|provision| provision.phones.get(&mac.0));
        Some(Phone {
            mac: mac.0,
            address,
            public: lease.grant.map(|grant| grant.address),
            ports: lease.grant.map(|grant| grant.ports),
            class: name.to_owned(),
            host_name: lease.host_name.clone(),
            primary_switch: class.and_then(|class| class.primary_switch),
            backup_switch: class.and_then(|class| class.backup_switch),
            server: self.interfaces.get(interface)?.spec.address?,
            accounts: accounts.cloned().unwrap_or_default(),
            sip_port: sip.map(|sip| sip.port),
            variables: variables.cloned().unwrap_or_default(),
        })
    }
}
