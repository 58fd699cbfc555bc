//! Files for phones: TFTP and HTTP on the inside interfaces, as the configuration wants
//! them and the interfaces are.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Result;
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
    /// Listens until it is dropped.
    handle: Option<Handle>,
    /// Where: interfaces and addresses, and the port.
    at: Vec<Place>,
    trouble: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    interface: String,
    address: Ipv4Addr,
    port: u16,
}

impl<Handle> Default for Server<Handle> {
    fn default() -> Self {
        Self {
            handle: None,
            at: Vec::new(),
            trouble: None,
        }
    }
}

impl<Handle> Server<Handle> {
    /// Listens at these places from now on; `what` is the protocol.
    fn listen(
        &mut self,
        what: &str,
        at: Vec<Place>,
        start: impl FnOnce(&[Place]) -> Result<Handle>,
    ) {
        // What failed is tried again at every occasion.
        if self.at == at && self.trouble.is_none() {
            return;
        }
        // The former one first: it has the ports.
        self.handle = None;
        self.trouble = None;
        if !at.is_empty() {
            match start(&at) {
                Ok(handle) => {
                    let on: Vec<&str> = at.iter().map(|place| place.interface.as_str()).collect();
                    tracing::info!(on = on.join(", "), "{what} is served");
                    self.handle = Some(handle);
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!(error, "{what} is not served");
                    self.trouble = Some(error);
                }
            }
        }
        self.at = at;
    }
}

impl std::fmt::Debug for Provisioning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (tftp, http) = (&self.tftp.at, &self.http.at);
        f.debug_struct("Provisioning")
            .field("tftp", tftp)
            .field("http", http)
            .finish_non_exhaustive()
    }
}

impl Provisioning {
    /// What does not work: each says what to do.
    pub(crate) fn troubles(&self) -> impl Iterator<Item = &String> {
        let troubles = [&self.trouble, &self.tftp.trouble, &self.http.trouble];
        troubles.into_iter().flatten()
    }

    fn follow(
        &mut self,
        wanted: Option<&Provision>,
        inside: &[(String, Ipv4Addr)],
        shared: &Shared,
    ) {
        let files = wanted.and_then(|provision| self.files(provision, shared));
        let (Some(provision), Some(files)) = (wanted, files) else {
            self.tftp
                .listen("TFTP", Vec::new(), |_| unreachable!("nowhere"));
            self.http
                .listen("HTTP", Vec::new(), |_| unreachable!("nowhere"));
            return;
        };
        let places = |port: Option<u16>| -> Vec<Place> {
            let place = |port, (interface, address): &(String, Ipv4Addr)| Place {
                interface: interface.clone(),
                address: *address,
                port,
            };
            let ports = port.into_iter();
            ports
                .flat_map(|port| inside.iter().map(move |at| place(port, at)))
                .collect()
        };
        let tftp = places(provision.tftp.then_some(TFTP_PORT));
        let (counters, served) = (self.tftp_counters.clone(), files.clone());
        self.tftp.listen("TFTP", tftp, |at| {
            let specs = at.iter().map(|place| tftp::ListenSpec {
                address: Ipv4Addr::UNSPECIFIED,
                port: place.port,
                interface: Some(place.interface.clone()),
            });
            tftp::start(specs.collect(), served, counters)
        });
        let counters = self.http_counters.clone();
        self.http.listen("HTTP", places(provision.http), |at| {
            let at: Vec<SocketAddr> = at.iter().map(|at| (at.address, at.port).into()).collect();
            http::start(&at, files, counters)
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
        let at =
            |known: &super::KnownInterface| Some((known.spec.name.clone(), known.spec.address?));
        let inside: Vec<(String, Ipv4Addr)> = there.filter_map(at).collect();
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
            variables: variables.cloned().unwrap_or_default(),
        })
    }
}
