//! What is known of a phone, as the variables of templates.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use gateway_common::PortRange;
use minijinja::Value;

/// A phone, as its lease has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    /// Its hardware address.
    pub mac: [u8; 6],
    /// Its private address.
    pub address: Ipv4Addr,
    /// The public address that the world sees it at.
    pub public: Option<Ipv4Addr>,
    /// Its ports of that address: the phone itself uses no others.
    pub ports: Option<PortRange>,
    /// Its class, by configuration.
    pub class: String,
    /// What it calls itself (DHCP option 12): anything at all.
    pub host_name: Option<String>,
    /// The soft switch.
    pub primary_switch: Option<SocketAddrV4>,
    /// The one to ask when that does not answer.
    pub backup_switch: Option<SocketAddrV4>,
    /// The gateway, as the phone sees it: where files come from.
    pub server: Ipv4Addr,
    /// What the operator adds: names and passwords of accounts.
    pub variables: BTreeMap<String, String>,
}

/// Every variable that a template may find. What a phone has not got is undefined.
pub(crate) const VARIABLES: &[&str] = &[
    "mac",
    "MAC",
    "mac_colon",
    "mac_dash",
    "address",
    "public_address",
    "first_port",
    "last_port",
    "signalling_port",
    "rtp_first",
    "rtp_last",
    "class",
    "host_name",
    "switch",
    "switch_port",
    "backup_switch",
    "backup_switch_port",
    "server",
    "variables",
];

impl Phone {
    /// Its MAC address, `aa:bb:cc:dd:ee:ff`.
    pub(crate) fn mac_with(&self, separator: &str) -> String {
        let pairs = self.mac.map(|byte| format!("{byte:02x}"));
        pairs.join(separator)
    }

    /// Its variables, by name. `variables` stands for the operator's.
    pub(crate) fn values(&self, variables: Value) -> BTreeMap<&'static str, Value> {
        let mac = self.mac_with("");
        let mut values = BTreeMap::from([
            ("MAC", Value::from(mac.to_ascii_uppercase())),
            ("mac", Value::from(mac)),
            ("mac_colon", Value::from(self.mac_with(":"))),
            ("mac_dash", Value::from(self.mac_with("-"))),
            ("address", text(self.address)),
            ("class", Value::from(self.class.as_str())),
            ("server", text(self.server)),
            ("variables", variables),
        ]);
        if let Some(public) = self.public {
            values.insert("public_address", text(public));
        }
        if let Some(ports) = self.ports {
            // Signalling has the first port and the odd one behind it. The rest are pairs of
            // RTP (even) and RTCP (odd, RFC 3550 section 11): a range starts at an even port.
            values.extend([
                ("first_port", Value::from(ports.first())),
                ("last_port", Value::from(ports.last())),
                ("signalling_port", Value::from(ports.first())),
                ("rtp_first", Value::from(ports.first() + 2)),
                ("rtp_last", Value::from(ports.last())),
            ]);
        }
        if let Some(name) = &self.host_name {
            values.insert("host_name", Value::from(name.as_str()));
        }
        for (address, port, switch) in [
            ("switch", "switch_port", self.primary_switch),
            ("backup_switch", "backup_switch_port", self.backup_switch),
        ] {
            if let Some(switch) = switch {
                values.insert(address, text(*switch.ip()));
                values.insert(port, Value::from(switch.port()));
            }
        }
        values
    }

    /// A phone that has everything, to try templates with.
    pub(crate) fn example() -> Self {
        let switch = |last| SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, last), 5060);
        Self {
            mac: [0x02, 0, 0, 0, 0, 0x2a],
            address: Ipv4Addr::new(10, 10, 0, 42),
            public: Some(Ipv4Addr::new(198, 51, 100, 1)),
            ports: PortRange::new(40000, 40063).ok(),
            class: String::from("example"),
            host_name: Some(String::from("example")),
            primary_switch: Some(switch(10)),
            backup_switch: Some(switch(11)),
            server: Ipv4Addr::new(10, 10, 0, 1),
            variables: BTreeMap::new(),
        }
    }
}

fn text(address: Ipv4Addr) -> Value {
    Value::from(address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_there_and_known() {
        let values = Phone::example().values(Value::UNDEFINED);
        let mut known = VARIABLES.to_vec();
        known.sort_unstable();
        assert_eq!(values.keys().copied().collect::<Vec<_>>(), known);
        let port = |name| u16::try_from(values[name].clone()).unwrap();
        assert_eq!(values["mac"].as_str(), Some("02000000002a"));
        assert_eq!(values["MAC"].as_str(), Some("02000000002A"));
        assert_eq!(values["mac_dash"].as_str(), Some("02-00-00-00-00-2a"));
        assert_eq!((port("first_port"), port("last_port")), (40000, 40063));
        assert_eq!(port("signalling_port"), 40000);
        assert_eq!((port("rtp_first"), port("rtp_last")), (40002, 40063));
    }

    #[test]
    fn what_a_phone_has_not_got_is_not_there() {
        let bare = Phone {
            public: None,
            ports: None,
            host_name: None,
            primary_switch: None,
            backup_switch: None,
            ..Phone::example()
        };
        let values = bare.values(Value::UNDEFINED);
        let found: Vec<_> = values.keys().copied().collect();
        let always = [
            "MAC",
            "address",
            "class",
            "mac",
            "mac_colon",
            "mac_dash",
            "server",
            "variables",
        ];
        assert_eq!(found, always);
    }
}
