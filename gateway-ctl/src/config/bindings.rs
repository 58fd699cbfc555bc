//! `[[binding]]`: which phone has which ports of which public address.

use std::net::Ipv4Addr;

use dataplane::BindingSpec;
use gateway_common::PortRange;

use super::ledger::{Conflict, Entry, Ledger, Origin};
use super::pool::Pool;
use super::report::{Place, Report};
use super::section::{At, Section};
use super::sides::Inside;
use super::values::{self, Wrong};

/// A binding as read, with the lines of its parts; what could not be read is `None`.
#[derive(Debug, Default)]
pub(super) struct Draft<'a> {
    pub(super) private: Option<At<Ipv4Addr>>,
    pub(super) public: Option<At<Ipv4Addr>>,
    pub(super) ports: Option<At<PortRange>>,
    pub(super) name: Option<&'a str>,
}

impl<'a> Draft<'a> {
    pub(super) const KEYS: &'static [&'static str] = &["private", "public", "ports", "name"];

    pub(super) fn read(section: &Section<'a>) -> Self {
        let private = section.required_string("private", "\"10.10.0.21\"");
        let public = section.required_string("public", "\"198.51.100.1\"");
        let ports = section.required_string("ports", "\"40000-40063\"");
        Self {
            private: section.checked(private, values::address),
            public: section.checked(public, values::address),
            ports: section.checked(ports, values::port_range),
            name: section
                .string("name", "\"trunk gateway\"")
                .map(|found| found.value),
        }
    }

    /// Checks it against everything else and enters it.
    pub(super) fn enter(
        &self,
        inside: &[Inside],
        pool: &Pool,
        ledger: &mut Ledger,
        report: &Report,
    ) {
        let problem = |at: Place, wrong: Option<Wrong>| {
            if let Some(wrong) = wrong {
                report.problem(at, wrong.message, wrong.fix);
            }
        };
        if let Some(private) = self.private {
            problem(private.at, not_a_phones(inside, private.value));
        }
        if let Some(public) = self.public {
            problem(public.at, not_in_pool(pool, public.value));
        }
        let (Some(private), Some(public), Some(ports)) = (self.private, self.public, self.ports)
        else {
            return;
        };
        let spec = BindingSpec {
            private: private.value,
            public: public.value,
            ports: ports.value,
        };
        problem(ports.at, reserved(pool, &spec));
        let origin = Origin::File(private.at);
        let entry = Entry {
            spec,
            name: self.name.map(Into::into),
            origin,
        };
        if let Err(conflict) = ledger.insert(entry) {
            let at = match conflict {
                Conflict::Private(_) => private.at,
                Conflict::Ports(_) => ports.at,
            };
            problem(
                at,
                Some(conflicting(&spec, &conflict, |place| {
                    report.refer(at, place)
                })),
            );
        }
    }
}

/// Why a binding cannot be with these networks and this pool; empty when it can.
pub(crate) fn misplaced(inside: &[Inside], pool: &Pool, spec: &BindingSpec) -> Vec<Wrong> {
    [
        not_a_phones(inside, spec.private),
        not_in_pool(pool, spec.public),
        reserved(pool, spec),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What to say of a conflict; `refer` speaks of a place in the configuration.
pub(crate) fn conflicting(
    spec: &BindingSpec,
    conflict: &Conflict,
    refer: impl Fn(Place) -> String,
) -> Wrong {
    let place = |other: &Entry| match other.origin {
        Origin::File(place) => refer(place),
        Origin::Api => "added by the API".to_owned(),
        Origin::Lease => "leased by DHCP".to_owned(),
    };
    match conflict {
        Conflict::Private(other) => Wrong::new(
            format!(
                "private address {} has a binding already ({})",
                spec.private,
                place(other)
            ),
            "a phone has one binding: remove one of the two",
        ),
        Conflict::Ports(other) => Wrong::new(
            format!(
                "ports {} of {} overlap {} of {} ({})",
                spec.ports,
                spec.public,
                other.spec.ports,
                other.spec.private,
                place(other)
            ),
            "give each phone ports of its own",
        ),
    }
}

fn not_in_pool(pool: &Pool, public: Ipv4Addr) -> Option<Wrong> {
    pool.get(public).is_none().then(|| {
        Wrong::new(
            format!("public address {public} is not in the pool"),
            "add it to [[pool]] addresses, or use one that is there",
        )
    })
}

fn reserved(pool: &Pool, spec: &BindingSpec) -> Option<Wrong> {
    let public = pool.get(spec.public)?;
    let span = public
        .reserved
        .iter()
        .find(|span| span.touches(spec.ports))?;
    Some(Wrong::new(
        format!(
            "ports {} include reserved port {span} of {}",
            spec.ports, spec.public
        ),
        "choose other ports, or change reserved_ports of that [[pool]]",
    ))
}

/// The first and the last address of a network are no host's (RFC 1122 section 3.2.1.3).
fn no_host(inside: &[Inside], private: Ipv4Addr) -> Option<Wrong> {
    let mut networks = inside.iter().flat_map(|side| &side.networks);
    let network = networks.find(|network| network.contains(private))?;
    let hosts = u32::MAX.checked_shr(network.length().into()).unwrap_or(0);
    let number = u32::from(private) & hosts;
    let is_none = network.length() < 31 && (number == 0 || number == hosts);
    is_none.then(|| {
        Wrong::new(
            format!("private address {private} is no host's: it stands for all of {network}"),
            "write the phone's address",
        )
    })
}

/// Why a private address can be no phone's.
fn not_a_phones(inside: &[Inside], private: Ipv4Addr) -> Option<Wrong> {
    not_inside(inside, private).or_else(|| no_host(inside, private))
}

fn not_inside(inside: &[Inside], private: Ipv4Addr) -> Option<Wrong> {
    // Without any inside network that is what is wrong, not each binding.
    if inside.is_empty() || inside.iter().any(|side| side.contains(private)) {
        return None;
    }
    let networks: Vec<String> = inside
        .iter()
        .flat_map(|side| side.networks.iter().map(ToString::to_string))
        .take(8)
        .collect();
    Some(Wrong::new(
        format!("private address {private} lies in no inside network"),
        format!("inside networks are: {}", networks.join(", ")),
    ))
}
