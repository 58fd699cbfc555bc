//! Leases in the ledger and in the dataplane.

use std::net::Ipv4Addr;

use dataplane::BindingSpec;
use dhcp::Lease;

use super::super::gateway::Gateway;
use crate::config::{Entry, Origin};

/// The binding of a lease; `None`: it has no range.
pub(crate) fn binding_of(lease: &Lease) -> Option<Entry> {
    let grant = lease.grant?;
    let spec = BindingSpec {
        private: lease.address,
        public: grant.address,
        ports: grant.ports,
    };
    Some(Entry {
        spec,
        name: lease.host_name.as_deref().map(Into::into),
        origin: Origin::Lease,
    })
}

/// Bindings that end, all at once: each end waits for packets that are under way.
#[derive(Debug, Default)]
pub(super) struct Unbound(Vec<BindingSpec>);

impl Unbound {
    pub(super) fn add(&mut self, lease: &Lease) {
        self.0.extend(binding_of(lease).map(|entry| entry.spec));
    }
}

impl Gateway {
    /// From now on the range is the lease's.
    pub(super) fn bind(&mut self, lease: &Lease) {
        let Some(entry) = binding_of(lease) else {
            return;
        };
        let spec = entry.spec;
        if let Some(there) = self.plan.ledger.get(spec.private)
            && there.spec == spec
        {
            // A client that has lost its memory is given what it has.
            return;
        }
        if let Err(conflict) = self.plan.ledger.insert(entry) {
            tracing::error!(private = %spec.private, public = %spec.public, ports = %spec.ports, ?conflict, "a lease contradicts a binding");
            return;
        }
        tracing::debug!(private = %spec.private, public = %spec.public, ports = %spec.ports, "leased");
        if let Err(error) = self.dataplane.add(spec) {
            // Applied again soon: the ledger has it.
            self.dirty = true;
            tracing::error!(%error, "cannot bind a lease");
        }
    }

    /// From now on nobody has these ranges.
    pub(super) fn unbind(&mut self, unbound: &mut Unbound) {
        let mut gone: Vec<Ipv4Addr> = Vec::new();
        for spec in unbound.0.drain(..) {
            let leased = self.plan.ledger.get(spec.private).is_some_and(|entry| {
                // A binding of the configuration may have taken its place.
                entry.origin == Origin::Lease && entry.spec == spec
            });
            if leased {
                self.plan.ledger.remove(spec.private);
                gone.push(spec.private);
                tracing::debug!(private = %spec.private, ports = %spec.ports, "lease ended");
            }
        }
        if !gone.is_empty() {
            self.dataplane.remove_all(gone);
        }
    }
}
