//! The settings, arranged for look-ups.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use gateway_common::Prefix;
use ports::Grant;

use crate::client::Name;
use crate::mac::{MacAddr, MacRange};
use crate::settings::{Class, Scope, Settings};

/// Scopes that take each other's clients: those of one wire, or of one interface.
pub(crate) type Link = usize;

#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) settings: Settings,
    /// By first address, with their scopes.
    networks: Vec<(Prefix, usize)>,
    link_of: Vec<Link>,
    links: Vec<Vec<usize>>,
    allowed: MacSet,
    class_macs: Vec<MacSet>,
    classes: BTreeMap<String, usize>,
    pub(crate) class_names: Vec<Name>,
    pub(crate) scope_names: Vec<Name>,
    pub(crate) pool_names: Vec<Name>,
    /// The server's own addresses.
    own: BTreeSet<Ipv4Addr>,
    /// Addresses that are never leased.
    pub(crate) kept_out: BTreeSet<Ipv4Addr>,
}

impl Site {
    pub(crate) fn new(settings: Settings) -> Self {
        let scopes = &settings.scopes;
        let mut networks: Vec<_> = (0..).zip(scopes).map(|(at, s)| (s.network, at)).collect();
        networks.sort_unstable();
        let link_of = links(scopes);
        let mut links = vec![Vec::new(); scopes.len()];
        for (scope, link) in link_of.iter().enumerate() {
            links[*link].push(scope);
        }
        let own = settings
            .interfaces
            .iter()
            .map(|interface| interface.address);
        let own: BTreeSet<_> = own.filter(|address| !address.is_unspecified()).collect();
        let kept_out = kept_out(&own, &settings);
        let names =
            |names: Vec<&String>| names.into_iter().map(|name| name.as_str().into()).collect();
        let class_names: Vec<Name> = names(settings.classes.iter().map(|c| &c.name).collect());
        Self {
            networks,
            link_of,
            links,
            allowed: MacSet::new(&settings.allow_macs),
            class_macs: settings
                .classes
                .iter()
                .map(|c| MacSet::new(&c.macs))
                .collect(),
            classes: (0..)
                .zip(&settings.classes)
                .map(|(at, c)| (c.name.clone(), at))
                .collect(),
            class_names,
            scope_names: names(scopes.iter().map(|s| &s.name).collect()),
            pool_names: names(settings.pools.iter().map(|p| &p.name).collect()),
            own,
            kept_out,
            settings,
        }
    }

    /// Bindings that are no leases, instead of those before.
    pub(crate) fn set_occupied(&mut self, occupied: &[(Ipv4Addr, Option<Grant>)]) {
        self.settings.occupied = occupied.to_vec();
        self.kept_out = kept_out(&self.own, &self.settings);
    }

    pub(crate) fn scope(&self, scope: usize) -> &Scope {
        &self.settings.scopes[scope]
    }

    pub(crate) fn class(&self, class: Option<usize>) -> Option<&Class> {
        class.and_then(|class| self.settings.classes.get(class))
    }

    /// The scope whose network has this address.
    pub(crate) fn scope_of(&self, address: Ipv4Addr) -> Option<usize> {
        let after = self
            .networks
            .partition_point(|(network, _)| network.address() <= address);
        let (network, scope) = self.networks.get(after.checked_sub(1)?)?;
        network.contains(address).then_some(*scope)
    }

    pub(crate) fn link_of(&self, scope: usize) -> Link {
        self.link_of[scope]
    }

    /// Whether a network of this link has this address.
    pub(crate) fn on_link(&self, link: Link, address: Ipv4Addr) -> bool {
        self.scope_of(address)
            .is_some_and(|scope| self.link_of(scope) == link)
    }

    /// What is on an interface's wire.
    pub(crate) fn interface_link(&self, interface: usize) -> Option<Link> {
        let mut scopes = self.settings.scopes.iter();
        let scope = scopes.position(|scope| scope.interface == Some(interface))?;
        Some(self.link_of(scope))
    }

    /// The scopes of a link, the one that is named first.
    pub(crate) fn scopes(&self, link: Link, first: Option<usize>) -> impl Iterator<Item = usize> {
        let others = self.links[link].iter().copied();
        first
            .into_iter()
            .chain(others.filter(move |scope| Some(*scope) != first))
    }

    pub(crate) fn is_own(&self, address: Ipv4Addr) -> bool {
        self.own.contains(&address)
    }

    pub(crate) fn allows(&self, mac: Option<MacAddr>) -> bool {
        self.settings.allow_macs.is_empty() || mac.is_some_and(|mac| self.allowed.contains(mac))
    }

    pub(crate) fn class_by_name(&self, name: &str) -> Option<usize> {
        self.classes.get(name).copied()
    }

    /// Hardware address, then vendor class, then client identifier.
    pub(crate) fn classify(
        &self,
        mac: Option<MacAddr>,
        vendor_class: Option<&[u8]>,
        identifier: Option<&[u8]>,
    ) -> Option<usize> {
        let classes = &self.settings.classes;
        let by_mac = |mac| self.class_macs.iter().position(|macs| macs.contains(mac));
        let by_vendor = |value: &[u8]| {
            let matches = |class: &Class| class.vendor_classes.iter().any(|p| p.matches(value));
            classes.iter().position(matches)
        };
        let by_identifier = |value: &[u8]| {
            let matches = |c: &Class| c.client_ids.iter().any(|p| p.matches_identifier(value));
            classes.iter().position(matches)
        };
        mac.and_then(by_mac)
            .or_else(|| vendor_class.and_then(by_vendor))
            .or_else(|| identifier.and_then(by_identifier))
    }
}

/// Addresses that are never leased: the server's own, those of bindings, and networks' ends.
fn kept_out(own: &BTreeSet<Ipv4Addr>, settings: &Settings) -> BTreeSet<Ipv4Addr> {
    let occupied = settings.occupied.iter().map(|(address, _)| *address);
    let ends = settings.scopes.iter().flat_map(|scope| ends(scope.network));
    own.iter().copied().chain(occupied).chain(ends).collect()
}

/// Which link each scope is on; links are numbered by one of their scopes.
fn links(scopes: &[Scope]) -> Vec<Link> {
    let mut link_of: Vec<Link> = (0..scopes.len()).collect();
    let mut wires: BTreeMap<&str, usize> = BTreeMap::new();
    let mut interfaces: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, scope) in scopes.iter().enumerate() {
        let wire = scope
            .wire
            .as_deref()
            .map(|wire| *wires.entry(wire).or_insert(at));
        let interface = scope
            .interface
            .map(|place| *interfaces.entry(place).or_insert(at));
        for same in [wire, interface].into_iter().flatten() {
            let (from, to) = (link_of[at], link_of[same]);
            link_of
                .iter_mut()
                .filter(|link| **link == from)
                .for_each(|link| *link = to);
        }
    }
    link_of
}

/// The addresses of a network that are no host's (RFC 1812 section 5.3.5); point-to-point networks
/// (RFC 3021) have none.
fn ends(network: Prefix) -> Vec<Ipv4Addr> {
    if network.length() >= 31 {
        return Vec::new();
    }
    vec![network.address(), last(network)]
}

/// The last address of a network.
pub(crate) fn last(network: Prefix) -> Ipv4Addr {
    let hosts = u32::MAX.checked_shr(network.length().into()).unwrap_or(0);
    Ipv4Addr::from(u32::from(network.address()) | hosts)
}

/// The mask of a network.
pub(crate) fn mask(network: Prefix) -> Ipv4Addr {
    Ipv4Addr::from(!u32::MAX.checked_shr(network.length().into()).unwrap_or(0))
}

/// Ranges of hardware addresses, apart from each other.
#[derive(Clone, Debug, Default)]
struct MacSet(Vec<MacRange>);

impl MacSet {
    fn new(ranges: &[MacRange]) -> Self {
        let mut ranges = ranges.to_vec();
        ranges.sort_unstable_by_key(|range| (range.first, range.last));
        let mut set: Vec<MacRange> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match set.last_mut() {
                Some(before) if range.first <= before.last => {
                    before.last = before.last.max(range.last);
                }
                _ => set.push(range),
            }
        }
        Self(set)
    }

    fn contains(&self, mac: MacAddr) -> bool {
        let after = self.0.partition_point(|range| range.first <= mac);
        after > 0 && self.0[after - 1].contains(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_macs_may_overlap() {
        let range = |first, last| MacRange {
            first: MacAddr([2, 0, 0, 0, 0, first]),
            last: MacAddr([2, 0, 0, 0, 0, last]),
        };
        let set = MacSet::new(&[range(50, 60), range(10, 40), range(20, 30), range(40, 45)]);
        assert_eq!(set.0, [range(10, 45), range(50, 60)]);
        for (last, expected) in [
            (9, false),
            (10, true),
            (45, true),
            (46, false),
            (60, true),
            (61, false),
        ] {
            assert_eq!(
                set.contains(MacAddr([2, 0, 0, 0, 0, last])),
                expected,
                "{last}"
            );
        }
    }

    #[test]
    fn masks_of_all_lengths() {
        let network =
            |address: [u8; 4], length| Prefix::new(address.into(), length).expect("valid");
        let eight = network([10, 0, 0, 0], 8);
        assert_eq!(
            (mask(eight), last(eight)),
            ([255, 0, 0, 0].into(), [10, 255, 255, 255].into())
        );
        let host = network([10, 0, 0, 9], 32);
        assert_eq!(
            (mask(host), last(host)),
            ([255; 4].into(), [10, 0, 0, 9].into())
        );
        assert!(ends(host).is_empty());
    }
}
