//! Interfaces: there, up, attached natively, and without offloads that hurt.

use std::collections::BTreeSet;

use dataplane::XdpMode;

use crate::api::types::Warning;
use crate::net::{Features, Link, Links};
use crate::run::{Gateway, KnownInterface};

use super::{critical, warning};

/// Offloads that hide or merge packets before XDP sees them: kernel's name, ethtool's
/// word, what they do.
const HARMFUL: [(&str, &str, &str); 2] = [
    (
        "rx-lro",
        "lro",
        "merges packets into frames that cannot be forwarded",
    ),
    (
        "rx-gro-hw",
        "rx-gro-hw",
        "merges packets before XDP sees them",
    ),
];
/// Takes tags off frames; matters where the configuration names VLANs.
const VLAN_OFFLOAD: &str = "rx-vlan-hw-parse";

/// Devices whose offloads matter.
pub(crate) fn devices(gateway: &Gateway) -> BTreeSet<String> {
    let there = gateway
        .interfaces
        .iter()
        .filter(|known| known.spec.ethernet && known.missing.is_none());
    there.map(|known| known.spec.port_name.clone()).collect()
}

pub(super) fn check(
    gateway: &Gateway,
    links: &Links,
    features: &Features,
    found: &mut Vec<Warning>,
) {
    for known in &gateway.interfaces {
        state(known, links.named(&known.spec.name), found);
        attachment(known, found);
    }
    for (device, enabled) in features {
        let on_device = |of: &&KnownInterface| of.spec.port_name == *device;
        let tagged = gateway
            .interfaces
            .iter()
            .filter(on_device)
            .any(|of| !of.spec.tags.is_empty());
        offloads(device, enabled, tagged, found);
    }
    for error in &gateway.attach_errors {
        found.push(warning(
            error.clone(),
            "see the daemon's log; `gateway-ctl reload` tries again",
        ));
    }
}

fn state(known: &KnownInterface, link: Option<&Link>, found: &mut Vec<Warning>) {
    let name = &known.spec.name;
    match link {
        None => found.push(critical(
            format!("interface {name} is missing"),
            "create it, or correct the configuration; the gateway attaches as soon as it appears",
        )),
        Some(link) if !link.up => found.push(critical(
            format!("interface {name} is down"),
            format!("ip link set {name} up"),
        )),
        Some(link) if !link.carrier => found.push(critical(
            format!("interface {name} has no carrier"),
            "check the cable and the other end",
        )),
        Some(link) if link.addresses.is_empty() => found.push(warning(
            format!("interface {name} has no IPv4 address"),
            format!(
                "ip address add ADDRESS/LENGTH dev {name}; ICMP errors are not sent without one"
            ),
        )),
        Some(_) => {}
    }
}

fn attachment(known: &KnownInterface, found: &mut Vec<Warning>) {
    let name = &known.spec.name;
    match &known.attached {
        Some(Err(error)) => {
            found.push(critical(
                format!("not attached to {name}: {error}"),
                "then: gateway-ctl reload",
            ));
        }
        Some(Ok(done)) if done.xdp == Some(XdpMode::Generic) => {
            let why = done
                .note
                .as_deref()
                .map(|note| format!(" ({note})"))
                .unwrap_or_default();
            found.push(warning(
                format!("XDP runs in generic mode on {}, several times slower{why}", done.device),
                "use a driver with native XDP; some need an MTU of at most about 3500 or fewer queues",
            ));
        }
        _ => {}
    }
}

fn offloads(device: &str, enabled: &[String], tagged: bool, found: &mut Vec<Warning>) {
    for (feature, word, effect) in HARMFUL {
        if enabled.iter().any(|name| name == feature) {
            found.push(warning(
                format!("{device} has {word} on, which {effect}"),
                format!("ethtool -K {device} {word} off"),
            ));
        }
    }
    if tagged && enabled.iter().any(|name| name == VLAN_OFFLOAD) {
        found.push(critical(
            format!("{device} has rxvlan on, which hides VLAN tags from XDP"),
            format!("ethtool -K {device} rxvlan off txvlan off"),
        ));
    }
}
