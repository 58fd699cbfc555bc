//! `[[reservation]]`: what a certain client always gets.

use dhcp::{Class, Reservation, ReservedClient, Scope};
use ports::Grant;

use super::super::ledger::Ledger;
use super::super::pool::Pool;
use super::super::report::{Place, Report};
use super::super::section::{At, Section};
use super::super::values::{self, PortSpan};
use super::class::MOST_PORTS;
use super::clients::{client_id, mac};
use super::options;

pub(super) const KEYS: &[&str] = &["macs", "client_id", "address", "public", "ports", "class"];

pub(super) fn read(
    section: &Section<'_>,
    scopes: &[Scope],
    classes: &[Class],
    pool: &Pool,
    smallest: u16,
) -> Option<ReadReservation> {
    let client = client(section)?;
    let address = section.string("address", "\"10.10.0.21\"");
    let address = section.checked(address, values::address);
    if let Some(address) = address
        && !scopes
            .iter()
            .any(|scope| scope.network.contains(address.value))
    {
        section.problem(
            address.at,
            format!("reserved address {} lies in no scope", address.value),
            "add a [[scope]] with its network, or correct the address",
        );
    }
    let class = section.string("class", "\"phone\"");
    if let Some(class) = class
        && !classes.iter().any(|known| known.name == class.value)
    {
        let names: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
        section.problem(
            class.at,
            format!("no class is called \"{}\"", class.value),
            format!("classes are: {}", names.join(", ")),
        );
    }
    let grant = grant(section, pool, smallest);
    let reservation = Reservation {
        client,
        address: address.map(|found| found.value),
        grant,
        class: class.map(|found| found.value.to_owned()),
        options: options::read(section),
    };
    Some(ReadReservation {
        reservation,
        at: section.at,
    })
}

/// A reservation and its line.
#[derive(Debug)]
pub(super) struct ReadReservation {
    pub(super) reservation: Reservation,
    pub(super) at: Place,
}

/// What two reservations want, or a binding has.
pub(super) fn check(all: &[ReadReservation], pool: &Pool, ledger: &Ledger, report: &Report) {
    for (index, one) in all.iter().enumerate() {
        let Reservation { address, grant, .. } = &one.reservation;
        for other in &all[..index] {
            let Some(what) = shared(&one.reservation, &other.reservation) else {
                continue;
            };
            let place = report.refer(one.at, other.at);
            report.problem(
                one.at,
                format!("{what} is reserved already ({place})"),
                "reserve each client, address and range once",
            );
        }
        if let Some(binding) = address.and_then(|address| ledger.get(address)) {
            report.problem(
                one.at,
                format!("reserved address {} has a binding", binding.spec.private),
                "remove one of the two",
            );
        }
        let Some(Grant { address, ports }) = *grant else {
            continue;
        };
        let ends = [ports.first(), ports.last()];
        let whose = ends.iter().find_map(|port| ledger.owner_of(address, *port));
        if let Some(binding) = whose {
            report.problem(
                one.at,
                format!(
                    "reserved ports {ports} of {address} overlap those of {}",
                    binding.spec.private
                ),
                "reserve other ports",
            );
        }
        let kept = pool.get(address).map(|public| public.reserved.clone());
        let spans = kept.iter().flat_map(|spans| spans.iter().copied());
        let services = ports::SERVICES.iter().map(|span| PortSpan {
            first: *span.start(),
            last: *span.end(),
        });
        if let Some(span) = spans.chain(services).find(|span| span.touches(ports)) {
            report.problem(
                one.at,
                format!("reserved ports {ports} of {address} include port {span}, which no range may have"),
                "reserve other ports",
            );
        }
    }
}

/// What both want.
fn shared(one: &Reservation, other: &Reservation) -> Option<String> {
    if let (ReservedClient::Macs(ones), ReservedClient::Macs(others)) = (&one.client, &other.client)
        && let Some(mac) = ones.iter().find(|mac| others.contains(mac))
    {
        return Some(mac.to_string());
    }
    if one.client == other.client {
        return Some(format!("client {}", one.client));
    }
    if one.address.is_some() && one.address == other.address {
        return one.address.map(|address| format!("address {address}"));
    }
    let (ours, theirs) = (one.grant?, other.grant?);
    let overlap = ours.address == theirs.address && ours.ports.overlaps(theirs.ports);
    overlap.then(|| format!("a part of ports {} of {}", ours.ports, ours.address))
}

fn client(section: &Section<'_>) -> Option<ReservedClient> {
    let macs = section.all_checked("macs", "[\"00:15:65:12:34:56\"]", mac);
    let id = section.string("client_id", "\"phone-21\"");
    let id = section.checked(id, client_id);
    match (macs.is_empty(), id) {
        (false, None) => Some(ReservedClient::Macs(macs)),
        (true, Some(id)) => Some(id.value),
        _ => {
            section.reader.report.missing(
                section.at,
                "[[reservation]] must say for whom: by macs or by client_id",
                "write one of macs = [\"00:15:65:12:34:56\"] and client_id = \"phone-21\"",
            );
            None
        }
    }
}

/// A range of its own: both keys, or neither.
fn grant(section: &Section<'_>, pool: &Pool, smallest: u16) -> Option<Grant> {
    let public = section.string("public", "\"198.51.100.1\"");
    let ports = section.string("ports", "\"40000-40063\"");
    let (Some(public), Some(ports)) = (public, ports) else {
        if let Some(alone) = public.or(ports) {
            section.problem(
                alone.at,
                "a reserved range has `public` and `ports`: one is missing",
                "write both, or neither",
            );
        }
        return None;
    };
    let At { value: address, at } = section.checked(Some(public), values::address)?;
    let At {
        value: ports,
        at: ports_at,
    } = section.checked(Some(ports), values::port_range)?;
    if ports.ports() < smallest {
        let few = ports.ports();
        section.problem(
            ports_at,
            format!(
                "the reserved range has {few} ports, room is made for ranges of {smallest} and more"
            ),
            format!("write smallest_range = {few} in [limits], or give it {smallest} ports"),
        );
    }
    if ports.ports() > MOST_PORTS {
        let many = ports.ports();
        section.problem(
            ports_at,
            format!("the reserved range has {many} ports, a lease has {MOST_PORTS} at most"),
            "give it fewer, or the phone a [[binding]]",
        );
    }
    if pool.get(address).is_none() {
        section.problem(
            at,
            format!("public address {address} is not in the pool"),
            "add it to [[pool]] addresses, or use one that is there",
        );
    }
    Some(Grant { address, ports })
}
