//! Who has which private address and which public ports: no two the same.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::ops::Bound;

use dataplane::BindingSpec;

use super::report::Place;

/// A binding and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// What the dataplane is told.
    pub(crate) spec: BindingSpec,
    /// What people call it.
    pub(crate) name: Option<Box<str>>,
    /// Who wants it.
    pub(crate) origin: Origin,
}

/// Who wants a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The configuration.
    File(Place),
    /// The API; kept in the state directory.
    Api,
    /// A DHCP client; kept in the store.
    Lease,
}

impl Origin {
    /// The line of the configuration, as far as it comes from there.
    pub(crate) fn place(self) -> Place {
        match self {
            Self::File(place) => place,
            Self::Api | Self::Lease => Place::default(),
        }
    }

    /// In a word.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Api => "api",
            Self::Lease => "lease",
        }
    }
}

/// Why an entry cannot be added: what is there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// The private address has a binding.
    Private(Entry),
    /// Ports of the range belong to somebody.
    Ports(Entry),
}

/// All bindings, ordered by private address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    by_private: BTreeMap<Ipv4Addr, Entry>,
    /// Public address and first port -> private address.
    by_public: BTreeMap<(Ipv4Addr, u16), Ipv4Addr>,
}

impl Ledger {
    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.by_private.len()
    }

    /// Adds a binding if its address and ports are nobody's.
    pub(crate) fn insert(&mut self, entry: Entry) -> Result<(), Conflict> {
        self.check(&entry.spec)?;
        let key = (entry.spec.public, entry.spec.ports.first());
        self.by_public.insert(key, entry.spec.private);
        self.by_private.insert(entry.spec.private, entry);
        Ok(())
    }

    /// Whether a binding could be added.
    pub(crate) fn check(&self, spec: &BindingSpec) -> Result<(), Conflict> {
        if let Some(owner) = self.by_private.get(&spec.private) {
            return Err(Conflict::Private(owner.clone()));
        }
        // Ranges in here do not overlap: only the last that starts before our end can.
        match self.starting_at_most(spec.public, spec.ports.last()) {
            Some(owner) if owner.spec.ports.overlaps(spec.ports) => {
                Err(Conflict::Ports(owner.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Takes a binding out.
    pub(crate) fn remove(&mut self, private: Ipv4Addr) -> Option<Entry> {
        let entry = self.by_private.remove(&private)?;
        self.by_public
            .remove(&(entry.spec.public, entry.spec.ports.first()));
        Some(entry)
    }

    /// The binding of a private address.
    pub(crate) fn get(&self, private: Ipv4Addr) -> Option<&Entry> {
        self.by_private.get(&private)
    }

    /// Whose a public port is.
    pub(crate) fn owner_of(&self, public: Ipv4Addr, port: u16) -> Option<&Entry> {
        self.starting_at_most(public, port)
            .filter(|owner| owner.spec.ports.contains(port))
    }

    /// All bindings in order of their private addresses.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.by_private.values()
    }

    /// Those whose private address is above `after`.
    pub(crate) fn after(&self, after: Option<Ipv4Addr>) -> impl Iterator<Item = &Entry> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_private
            .range((from, Bound::Unbounded))
            .map(|(_, entry)| entry)
    }

    /// As the dataplane wants them.
    pub(crate) fn specs(&self) -> Vec<BindingSpec> {
        self.iter().map(|entry| entry.spec).collect()
    }

    fn starting_at_most(&self, public: Ipv4Addr, port: u16) -> Option<&Entry> {
        let (_, private) = self
            .by_public
            .range((public, 0)..=(public, port))
            .next_back()?;
        self.by_private.get(private)
    }
}

#[cfg(test)]
mod tests {
    use gateway_common::PortRange;

    use super::*;

    fn entry(last: u8, public: u8, first: u16, ports: u16) -> Entry {
        let spec = BindingSpec {
            private: Ipv4Addr::new(10, 10, 0, last),
            public: Ipv4Addr::new(192, 0, 2, public),
            ports: PortRange::new(first, first + (ports - 1)).unwrap(),
        };
        Entry {
            spec,
            name: None,
            origin: Origin::Api,
        }
    }

    #[test]
    fn no_two_have_the_same_address_or_ports() {
        let mut ledger = Ledger::default();
        ledger.insert(entry(1, 1, 40000, 64)).unwrap();
        ledger.insert(entry(2, 1, 40064, 64)).unwrap();
        ledger.insert(entry(3, 2, 40000, 64)).unwrap();
        assert!(matches!(
            ledger.insert(entry(1, 3, 2048, 8)),
            Err(Conflict::Private(_))
        ));
        // Within, around, and the same.
        for (first, ports) in [(40008, 8), (39936, 512), (40000, 64)] {
            let conflict = ledger.insert(entry(9, 1, first, ports)).unwrap_err();
            assert!(
                matches!(conflict, Conflict::Ports(_)),
                "{first}+{ports}: {conflict:?}"
            );
        }
        assert_eq!(ledger.len(), 3);
        ledger.insert(entry(9, 1, 40128, 64)).unwrap();
    }

    #[test]
    fn tells_whose_a_port_is_until_it_is_removed() {
        let mut ledger = Ledger::default();
        ledger.insert(entry(1, 1, 40000, 64)).unwrap();
        let public = Ipv4Addr::new(192, 0, 2, 1);
        assert_eq!(
            ledger
                .owner_of(public, 40063)
                .map(|e| e.spec.private.octets()[3]),
            Some(1)
        );
        assert_eq!(ledger.owner_of(public, 40064), None);
        assert_eq!(ledger.owner_of(public, 39999), None);
        assert!(ledger.remove(Ipv4Addr::new(10, 10, 0, 1)).is_some());
        assert_eq!(ledger.owner_of(public, 40000), None);
    }
}
