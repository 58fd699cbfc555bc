//! From names of interfaces to what the dataplane must know of them.
//!
//! ```text
//! eth1.10.20 (802.1Q 20) --> eth1.10 (802.1ad 10) --> eth1: the port, tags [10, 20]
//! ```

use dataplane::{InterfaceSpec, Role};
use gateway_common::abi::VlanTag;

use super::links::{Link, Links};
use crate::config::{Config, Place, Wrong, closest};

/// Tags that the dataplane reads and writes.
const MOST_TAGS: usize = 2;

/// Looks up every interface of the configuration; for those that cannot be used, the
/// line that names them and what is wrong.
pub(crate) fn resolve(config: &Config, links: &Links) -> Vec<Result<InterfaceSpec, Unusable>> {
    let inside = config.inside.iter().map(|side| {
        let role = Role::Inside {
            networks: side.networks.clone(),
            unbound_hosts: side.unbound_hosts,
        };
        (&side.interface, side.at, role)
    });
    let outside = config
        .outside
        .iter()
        .map(|side| (&side.interface, side.at, Role::Outside));
    inside
        .chain(outside)
        .map(|(name, at, role)| {
            interface(name, role, links).map_err(|wrong| Unusable { at, wrong })
        })
        .collect()
}

/// An interface of the configuration that cannot be used.
#[derive(Clone, Debug)]
pub(crate) struct Unusable {
    /// The line that names it.
    pub(crate) at: Place,
    /// Why not.
    pub(crate) wrong: Wrong,
}

fn interface(name: &str, role: Role, links: &Links) -> Result<InterfaceSpec, Wrong> {
    let link = links.named(name).ok_or_else(|| unknown(name, links))?;
    let (port, tags) = port(link, links)?;
    Ok(InterfaceSpec {
        name: link.name.clone(),
        ifindex: link.index,
        port_ifindex: port.index,
        port_name: port.name.clone(),
        tags,
        ethernet: link.ethernet,
        mac: link.mac.unwrap_or_default(),
        mtu: link.mtu,
        address: link.addresses.first().map(|(address, _)| *address),
        role,
    })
}

/// Descends through VLAN devices; tags come out outer first.
fn port<'a>(link: &'a Link, links: &'a Links) -> Result<(&'a Link, Vec<VlanTag>), Wrong> {
    let mut tags = Vec::new();
    let mut port = link;
    while let Some((tag, under)) = port.vlan {
        tags.insert(0, tag);
        if tags.len() > MOST_TAGS {
            return Err(Wrong::new(
                format!(
                    "interface {} has more than {MOST_TAGS} VLAN tags",
                    link.name
                ),
                "the gateway reads at most two (QinQ): terminate the outer ones on a switch",
            ));
        }
        port = links.at(under).ok_or_else(|| {
            Wrong::new(
                format!(
                    "the device under {} is in another network namespace",
                    port.name
                ),
                "run the gateway where the device is",
            )
        })?;
    }
    Ok((port, tags))
}

fn unknown(name: &str, links: &Links) -> Wrong {
    let names: Vec<&str> = links.iter().map(|link| link.name.as_str()).collect();
    let fix = match closest(name, names.iter().copied()) {
        Some(meant) => format!("did you mean {meant}? there are: {}", names.join(", ")),
        None => format!("there are: {}", names.join(", ")),
    };
    Wrong::new(format!("interface {name} does not exist"), fix)
}

/// Scopes whose interface has no address in their network: their phones reach no router there.
pub(crate) fn scopes_without_address(config: &Config, links: &Links) -> Vec<Unusable> {
    let Some(dhcp) = &config.dhcp else {
        return Vec::new();
    };
    let scopes = dhcp.scopes.iter().zip(&dhcp.scopes_at);
    let found = scopes.filter_map(|(scope, at)| {
        let name = &config.inside.get(scope.interface?)?.interface;
        let link = links.named(name)?;
        let mut own = link.addresses.iter();
        if own.any(|(address, _)| scope.network.contains(*address)) {
            return None;
        }
        let message = format!(
            "{name} has no address in the network of scope \"{}\", {}",
            scope.name, scope.network
        );
        let fix = format!(
            "give it the one that `routers` names: ip address add ADDRESS/{} dev {name}; or leave \
             `interface` out, where a relay agent asks for the phones",
            scope.network.length()
        );
        let wrong = Wrong::new(message, fix);
        Some(Unusable { at: *at, wrong })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(index: u32, name: &str, vlan: Option<(u16, u16, u32)>) -> Link {
        Link {
            index,
            name: name.to_owned(),
            vlan: vlan.map(|(tpid, vid, under)| (VlanTag { tpid, vid }, under)),
            mac: Some([2, 0, 0, 0, 0, 1]),
            mtu: 1500,
            ethernet: true,
            up: true,
            carrier: true,
            addresses: vec![([10, 10, 0, 1].into(), 16)],
        }
    }

    fn links() -> Links {
        Links::of(vec![
            link(1, "lo", None),
            link(2, "eth1", None),
            link(3, "eth1.10", Some((0x88a8, 10, 2))),
            link(4, "eth1.10.20", Some((0x8100, 20, 3))),
            link(5, "deep", Some((0x8100, 30, 4))),
            link(6, "away", Some((0x8100, 5, 99))),
        ])
    }

    fn resolved(name: &str) -> Result<InterfaceSpec, String> {
        interface(name, Role::Outside, &links())
            .map_err(|wrong| format!("{}; {}", wrong.message, wrong.fix))
    }

    #[test]
    fn vlan_devices_are_followed_down_to_the_port() {
        let spec = resolved("eth1.10.20").unwrap();
        assert_eq!(
            (spec.ifindex, spec.port_ifindex, spec.port_name.as_str()),
            (4, 2, "eth1")
        );
        let tags: Vec<(u16, u16)> = spec.tags.iter().map(|tag| (tag.tpid, tag.vid)).collect();
        assert_eq!(tags, [(0x88a8, 10), (0x8100, 20)]);
        assert_eq!(resolved("eth1").unwrap().tags, []);
    }

    #[test]
    fn says_what_is_there() {
        assert_eq!(
            resolved("eth01").unwrap_err(),
            "interface eth01 does not exist; did you mean eth1? there are: lo, eth1, eth1.10, \
             eth1.10.20, deep, away"
        );
        assert!(
            resolved("deep")
                .unwrap_err()
                .starts_with("interface deep has more than 2 VLAN tags")
        );
        assert!(
            resolved("away")
                .unwrap_err()
                .contains("another network namespace")
        );
    }

    #[test]
    fn a_scope_needs_an_address_of_the_router() {
        let text = |network: &str, interface: &str| {
            let text = format!(
                "[[inside]]\ninterface = \"eth1\"\nnetworks = [\"10.0.0.0/8\"]\n\
                 [[outside]]\ninterface = \"eth1.10\"\n[dhcp]\n[[class]]\nname = \"phone\"\n\
                 macs = [\"02:*\"]\n[[scope]]\n{interface}network = \"{network}\"\n"
            );
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            let config = crate::config::load(file.path()).unwrap().finish().unwrap();
            let found = scopes_without_address(&config, &links());
            let told = |one: &Unusable| format!("{}: {}", one.at.line, one.wrong.message);
            found.iter().map(told).collect::<Vec<_>>()
        };
        let on = "interface = \"eth1\"\n";
        assert_eq!(text("10.10.0.0/16", on), [""; 0]);
        assert_eq!(text("10.11.0.0/16", ""), [""; 0], "relayed");
        assert_eq!(
            text("10.11.0.0/16", on),
            ["12: eth1 has no address in the network of scope \"10.11.0.0/16\", 10.11.0.0/16"]
        );
    }
}
