//! What a configuration says of addresses that are this router's own.

use std::net::Ipv4Addr;

use super::links::Links;
use super::resolve::Unusable;
use crate::config::{Config, Place, Wrong};

/// Options that name a TFTP server: RFC 2132 section 9.4, as text, and RFC 5859.
const SERVER_NAME: u8 = 66;
const SERVERS: u8 = 150;

/// Reservations of an address that the router has itself: no phone gets it.
pub(crate) fn reserved_of_router(config: &Config, links: &Links) -> Vec<Unusable> {
    let Some(dhcp) = &config.dhcp else {
        return Vec::new();
    };
    let all = dhcp.reservations.iter().zip(&dhcp.reservations_at);
    let found = all.filter_map(|(reservation, at)| {
        let address = reservation.address?;
        let name = whose(address, links)?;
        let message = format!("reserved address {address} is the router's own, on {name}");
        let wrong = Wrong::new(message, "reserve an address that a phone can have");
        Some(Unusable { at: *at, wrong })
    });
    found.collect()
}

/// Scopes, classes and reservations that send phones to this router's TFTP, which is off.
pub(crate) fn tftp_that_is_off(config: &Config, links: &Links) -> Vec<Unusable> {
    let (Some(dhcp), Some(provision)) = (&config.dhcp, &config.provision) else {
        return Vec::new();
    };
    if provision.tftp {
        return Vec::new();
    }
    let nowhere = Place::default();
    let scopes = dhcp.scopes.iter().zip(&dhcp.scopes_at);
    let scopes = scopes.map(|(scope, at)| (&scope.options, *at));
    let classes = dhcp.classes.iter().map(|class| (&class.options, nowhere));
    let reserved = dhcp.reservations.iter().zip(&dhcp.reservations_at);
    let reserved = reserved.map(|(one, at)| (&one.options, *at));
    let mut found = Vec::new();
    for (options, at) in scopes.chain(classes).chain(reserved) {
        for (code, value) in options {
            let mut own = servers(*code, value).into_iter();
            let Some(address) = own.find(|address| whose(*address, links).is_some()) else {
                continue;
            };
            let message = format!(
                "option {code} sends phones to {address} by TFTP, which is this router, and `tftp` \
                 in [provision] is false"
            );
            let wrong = Wrong::new(message, "write tftp = true, or leave the option out");
            found.push(Unusable { at, wrong });
        }
    }
    found
}

/// The TFTP servers that an option names by address.
fn servers(code: u8, value: &[u8]) -> Vec<Ipv4Addr> {
    match code {
        SERVER_NAME => {
            let text = std::str::from_utf8(value).ok();
            let address = text.and_then(|text| text.trim().parse().ok());
            address.into_iter().collect()
        }
        SERVERS => {
            let addresses = value.as_chunks::<4>().0.iter();
            addresses.map(|address| Ipv4Addr::from(*address)).collect()
        }
        _ => Vec::new(),
    }
}

/// The interface of the router that has an address.
fn whose(address: Ipv4Addr, links: &Links) -> Option<&str> {
    let mut all = links.iter();
    let link = all.find(|link| link.addresses.iter().any(|(own, _)| *own == address))?;
    Some(&link.name)
}

#[cfg(test)]
mod tests {
    use super::super::links::Link;
    use super::*;

    fn links() -> Links {
        Links::of(vec![Link {
            index: 2,
            name: "eth1".to_owned(),
            vlan: None,
            mac: Some([2, 0, 0, 0, 0, 1]),
            mtu: 1500,
            ethernet: true,
            up: true,
            carrier: true,
            addresses: vec![([10, 10, 0, 1].into(), 16)],
        }])
    }

    fn config(more: &str) -> Config {
        let text = format!(
            "[[inside]]\ninterface = \"eth1\"\nnetworks = [\"10.10.0.0/16\"]\n[[outside]]\n\
             interface = \"eth0\"\n[dhcp]\n[[class]]\nname = \"phone\"\nmacs = [\"02:*\"]\n\
             [[scope]]\nnetwork = \"10.10.0.0/16\"\n{more}"
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        crate::config::load(file.path()).unwrap().finish().unwrap()
    }

    fn told(found: &[Unusable]) -> Vec<String> {
        let told = |one: &Unusable| format!("{}: {}", one.at.line, one.wrong.message);
        found.iter().map(told).collect()
    }

    #[test]
    fn no_phone_gets_the_routers_own_address() {
        let reserved = |address: &str| {
            let text = format!("[[reservation]]\nclient_id = \"a\"\naddress = \"{address}\"\n");
            told(&reserved_of_router(&config(&text), &links()))
        };
        assert_eq!(reserved("10.10.0.2"), [""; 0]);
        assert_eq!(
            reserved("10.10.0.1"),
            ["12: reserved address 10.10.0.1 is the router's own, on eth1"]
        );
    }

    #[test]
    fn phones_are_not_sent_to_what_is_off() {
        let sent = |option: &str, tftp: bool| {
            let text = format!("{option}\n[provision]\ntftp = {tftp}\nhttp = 80\n");
            told(&tftp_that_is_off(&config(&text), &links()))
        };
        let name = "tftp_server_name = \"10.10.0.1\"";
        let servers = "tftp_servers = [\"10.10.0.9\", \"10.10.0.1\"]";
        for (option, code) in [(name, 66), (servers, 150)] {
            assert_eq!(sent(option, true), [""; 0]);
            assert_eq!(
                sent(option, false),
                [format!(
                    "11: option {code} sends phones to 10.10.0.1 by TFTP, which is this router, and \
                     `tftp` in [provision] is false"
                )]
            );
        }
        assert_eq!(sent("tftp_server_name = \"10.10.0.9\"", false), [""; 0]);
    }
}
