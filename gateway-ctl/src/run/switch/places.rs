//! Leases and bindings, as the switch asks for them.

use std::net::{Ipv4Addr, SocketAddrV4};

use dhcp::Lease;
use switch::registration::{Leased, Leases as Places};

use super::super::leases::Leases;
use crate::config::{Entry, Ledger};

/// Who has which address behind this gateway.
pub(super) struct Here<'g> {
    pub(super) leases: Option<&'g Leases>,
    pub(super) ledger: &'g Ledger,
}

impl Places for Here<'_> {
    fn by_private(&self, address: Ipv4Addr) -> Option<Leased> {
        let lease = self.leases.and_then(|leases| leases.server.lease(address));
        let lease = lease.filter(|lease| lease.is_active()).map(of_lease);
        lease.or_else(|| self.ledger.get(address).map(of_binding))
    }

    fn by_public(&self, address: SocketAddrV4) -> Option<Leased> {
        let (public, port) = (*address.ip(), address.port());
        let lease = self
            .leases
            .and_then(|leases| leases.server.lease_of_port(public, port));
        let binding = || self.ledger.owner_of(public, port).map(of_binding);
        lease.map(of_lease).or_else(binding)
    }
}

fn of_lease(lease: &Lease) -> Leased {
    let range = lease.grant;
    Leased {
        mac: lease.hardware.mac().map(|mac| mac.0),
        private: lease.address,
        public: range.map(|grant| SocketAddrV4::new(grant.address, grant.ports.first())),
    }
}

fn of_binding(entry: &Entry) -> Leased {
    Leased {
        mac: None,
        private: entry.spec.private,
        public: Some(SocketAddrV4::new(
            entry.spec.public,
            entry.spec.ports.first(),
        )),
    }
}
