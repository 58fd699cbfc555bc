//! `[[reservation]]`: what a certain client always gets.

use dhcp::{Class, Reservation, ReservedClient, Scope};
use ports::Grant;

use super::super::pool::Pool;
use super::super::section::{At, Section};
use super::super::values;
use super::clients::{client_id, mac};
use super::options;

pub(super) const KEYS: &[&str] = &["macs", "client_id", "address", "public", "ports", "class"];

pub(super) fn read(
    section: &Section<'_>,
    scopes: &[Scope],
    classes: &[Class],
    pool: &Pool,
    smallest: u16,
) -> Option<Reservation> {
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
    Some(Reservation {
        client,
        address: address.map(|found| found.value),
        grant,
        class: class.map(|found| found.value.to_owned()),
        options: options::read(section),
    })
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
    if pool.get(address).is_none() {
        section.problem(
            at,
            format!("public address {address} is not in the pool"),
            "add it to [[pool]] addresses, or use one that is there",
        );
    }
    Some(Grant { address, ports })
}
