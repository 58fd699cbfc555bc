//! `[[pool]]`: the public addresses.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use dataplane::PoolSpec;
use gateway_common::PortRange;
use gateway_common::port_range::{FIRST_PORT, MIN_PORTS};

use super::report::{Place, Report};
use super::section::Section;
use super::sides::Inside;
use super::values::{self, PortSpan};

/// IKE with NAT traversal (RFC 3948): the router's own on an address it shares.
const IKE_NAT_T: PortSpan = PortSpan {
    first: 4500,
    last: 4500,
};

/// All public addresses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    addresses: BTreeMap<Ipv4Addr, Public>,
    groups: Vec<Group>,
}

/// The addresses of one section, from which leases get their ranges.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// What it is called.
    pub(crate) name: String,
    /// Its addresses.
    pub(crate) addresses: Vec<Ipv4Addr>,
    /// The router has them too.
    pub(crate) shared: bool,
    /// Ports that are part of no range.
    pub(crate) reserved: Arc<[PortSpan]>,
}

/// One public address.
#[derive(Clone, Debug)]
pub(crate) struct Public {
    /// The router has it too.
    pub(crate) shared: bool,
    /// Ports that are part of no range.
    pub(crate) reserved: Arc<[PortSpan]>,
    /// The line that brought it in.
    pub(crate) at: Place,
}

impl Pool {
    pub(super) const KEYS: &'static [&'static str] =
        &["name", "addresses", "shared_with_router", "reserved_ports"];

    /// Adds the addresses of one section.
    pub(super) fn read(&mut self, section: &Section<'_>, inside: &[Inside]) {
        let shared = section
            .boolean("shared_with_router")
            .is_some_and(|found| found.value);
        let reserved = reserved_ports(section, shared);
        if !has_room(&reserved) {
            let at = section
                .value("reserved_ports")
                .map_or(section.at, |(_, at)| at);
            let message = "`reserved_ports` leaves no range of ports: no phone can have any";
            section.problem(at, message, "reserve fewer ports");
        }
        let texts = section.required_strings("addresses", "[\"198.51.100.1\"]");
        let mut group = Group {
            name: self.name(section, texts.first().map_or("", |text| text.value)),
            addresses: Vec::new(),
            shared,
            reserved: reserved.clone(),
        };
        for text in texts {
            match values::addresses(text.value) {
                Ok((first, last)) => {
                    let span = u32::from(first)..=u32::from(last);
                    group.addresses.extend(span.map(Ipv4Addr::from));
                    let public = Public {
                        shared,
                        reserved: reserved.clone(),
                        at: text.at,
                    };
                    self.add(first, last, &public, inside, section.reader.report);
                }
                Err(wrong) => section.problem(text.at, wrong.message, wrong.fix),
            }
        }
        self.groups.push(group);
    }

    /// What a section is called: its name, else its first address.
    fn name(&self, section: &Section<'_>, first: &str) -> String {
        let Some(name) = section.string("name", "\"main\"") else {
            return first.to_owned();
        };
        if self.groups.iter().any(|group| group.name == name.value) {
            let message = format!("a pool is called \"{}\" already", name.value);
            section.problem(name.at, message, "give each pool a name of its own");
        }
        name.value.to_owned()
    }

    /// The sections, in their order.
    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Adds a span of addresses, naming only the first of a kind of problem.
    fn add(
        &mut self,
        first: Ipv4Addr,
        last: Ipv4Addr,
        public: &Public,
        inside: &[Inside],
        report: &Report,
    ) {
        let (mut twice, mut within) = (false, false);
        for address in u32::from(first)..=u32::from(last) {
            let address = Ipv4Addr::from(address);
            let home = inside.iter().find(|side| side.contains(address));
            if let Some(side) = home.filter(|_| !within) {
                within = true;
                let message = format!(
                    "pool address {address} lies in an inside network of {} ({})",
                    side.interface,
                    report.refer(public.at, side.at)
                );
                report.problem(
                    public.at,
                    message,
                    "inside and public addresses must differ: remove one",
                );
            }
            let former = self.addresses.get(&address);
            if let Some(former) = former.filter(|_| !twice) {
                twice = true;
                let place = report.refer(public.at, former.at);
                let message = format!("pool address {address} is there already ({place})");
                report.problem(public.at, message, "name each address once");
            }
            self.addresses
                .entry(address)
                .or_insert_with(|| public.clone());
        }
    }

    /// What is known of a public address.
    pub(crate) fn get(&self, address: Ipv4Addr) -> Option<&Public> {
        self.addresses.get(&address)
    }

    /// How many addresses.
    pub(crate) fn len(&self) -> usize {
        self.addresses.len()
    }

    /// All addresses in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Ipv4Addr, &Public)> {
        self.addresses
            .iter()
            .map(|(address, public)| (*address, public))
    }

    /// As the dataplane wants them.
    pub(crate) fn specs(&self) -> Vec<PoolSpec> {
        self.iter()
            .map(|(address, public)| PoolSpec {
                address,
                shared: public.shared,
            })
            .collect()
    }
}

/// Whether a range is left, beside services' ports.
fn has_room(reserved: &[PortSpan]) -> bool {
    let services = ports::SERVICES.iter().map(|span| PortSpan {
        first: *span.start(),
        last: *span.end(),
    });
    let kept: Vec<PortSpan> = reserved.iter().copied().chain(services).collect();
    let mut firsts = (FIRST_PORT..=u16::MAX).step_by(usize::from(MIN_PORTS));
    firsts.any(|first| {
        let range = PortRange::new(first, first + (MIN_PORTS - 1));
        range.is_ok_and(|range| !kept.iter().any(|span| span.touches(range)))
    })
}

fn reserved_ports(section: &Section<'_>, shared: bool) -> Arc<[PortSpan]> {
    let Some(texts) = section.strings("reserved_ports", "[\"4500\", \"5060-5061\"]") else {
        return if shared {
            Arc::new([IKE_NAT_T])
        } else {
            Arc::new([])
        };
    };
    let mut spans = Vec::with_capacity(texts.len());
    for text in texts {
        match values::port_span(text.value) {
            Ok(span) => spans.push(span),
            Err(wrong) => section.problem(text.at, wrong.message, wrong.fix),
        }
    }
    spans.into()
}
