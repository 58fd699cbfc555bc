//! What is known of a phone, as the variables of templates.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

use gateway_common::PortRange;
use minijinja::Value;

/// Somebody whom a phone registers as, by SIP.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The number that it is called by.
    pub number: String,
    /// Its name in the registrar.
    pub user: String,
    /// For digest authentication.
    pub password: String,
    /// What others' displays show.
    pub display: String,
}

/// Without the password: it may end in a log.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

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
    /// Its accounts in this gateway's own switch.
    pub accounts: Vec<Account>,
    /// The port at which this gateway's own switch speaks SIP.
    pub sip_port: Option<u16>,
    /// What the operator adds: names and passwords of accounts elsewhere.
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
    "accounts",
    "sip_server",
    "sip_port",
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
            ("accounts", self.account_values()),
            ("variables", variables),
        ]);
        if let Some(public) = self.public {
            values.insert("public_address", text(public));
        }
        if let Some(ports) = self.ports {
            values.extend([
                ("first_port", Value::from(ports.first())),
                ("last_port", Value::from(ports.last())),
                ("signalling_port", Value::from(ports.first())),
                (
                    "rtp_first",
                    Value::from(ports.first() + self.signalling_ports(ports)),
                ),
                ("rtp_last", Value::from(ports.last())),
            ]);
        }
        if let Some((address, port)) = self.registrar() {
            values.extend([
                ("sip_server", text(address)),
                ("sip_port", Value::from(port)),
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

    /// How many ports signalling has: the first ones, for phones that want one for each account,
    /// and an even number. The rest are pairs of RTP (even) and RTCP (odd, RFC 3550 section 11):
    /// a range starts at an even port.
    fn signalling_ports(&self, ports: PortRange) -> u16 {
        let half = (ports.last() - ports.first()).div_ceil(2) & !1;
        let wanted = self.accounts.len().next_multiple_of(2);
        u16::try_from(wanted).unwrap_or(half).clamp(2, half.max(2))
    }

    /// Where it registers by SIP: with its accounts here, else with the switch of its lease.
    fn registrar(&self) -> Option<(Ipv4Addr, u16)> {
        let switch = self.primary_switch;
        match self.sip_port.filter(|_| !self.accounts.is_empty()) {
            Some(port) => Some((switch.map_or(self.server, |switch| *switch.ip()), port)),
            None => switch.map(|switch| (*switch.ip(), switch.port())),
        }
    }

    /// Its accounts here, or the one that the operator's variables tell of.
    fn account_values(&self) -> Value {
        let variable = |name: &str| self.variables.get(name).cloned();
        let of_variables = || {
            let user = variable("user")?;
            Some(Account {
                number: user.clone(),
                password: variable("password").unwrap_or_default(),
                display: variable("name").unwrap_or_else(|| user.clone()),
                user,
            })
        };
        let elsewhere = match self.accounts.is_empty() {
            true => of_variables(),
            false => None,
        };
        let ports = self.ports.into_iter().flat_map(|ports| {
            let last = ports.first() + self.signalling_ports(ports);
            ports.first()..last
        });
        let mut ports = ports.map(Value::from);
        let accounts = self.accounts.iter().chain(&elsewhere).map(|account| {
            Value::from_pairs([
                ("number", Value::from(account.number.as_str())),
                ("user", Value::from(account.user.as_str())),
                ("password", Value::from(account.password.as_str())),
                ("display", Value::from(account.display.as_str())),
                ("port", ports.next().unwrap_or(Value::UNDEFINED)),
            ])
        });
        Value::from(accounts.collect::<Vec<Value>>())
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
            accounts: ["5001", "5002"].map(Account::example).into(),
            sip_port: Some(5060),
            variables: BTreeMap::new(),
        }
    }
}

impl Account {
    fn example(number: &str) -> Self {
        Self {
            number: number.to_owned(),
            user: number.to_owned(),
            password: "example".to_owned(),
            display: "Example".to_owned(),
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
            accounts: Vec::new(),
            sip_port: None,
            ..Phone::example()
        };
        let values = bare.values(Value::UNDEFINED);
        let found: Vec<_> = values.keys().copied().collect();
        let always = [
            "MAC",
            "accounts",
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

    #[test]
    fn accounts_have_ports_of_their_own_below_those_of_rtp() {
        let with = |count: usize, last: u16| {
            let phone = Phone {
                accounts: vec![Account::example("5001"); count],
                ports: PortRange::new(40000, last).ok(),
                ..Phone::example()
            };
            let values = phone.values(Value::UNDEFINED);
            let accounts = values["accounts"].try_iter().unwrap();
            let port = |account: Value| account.get_attr("port").unwrap();
            let ports = accounts.map(|account| u16::try_from(port(account)).ok());
            let ports: Vec<_> = ports.collect();
            (ports, u16::try_from(values["rtp_first"].clone()).unwrap())
        };
        assert_eq!(with(1, 40063), (vec![Some(40000)], 40002));
        let three = vec![Some(40000), Some(40001), Some(40002)];
        assert_eq!(with(3, 40063), (three, 40004));
        // Half of a small range stays for media.
        let (ports, rtp) = with(6, 40007);
        assert_eq!((ports[3], ports[4], rtp), (Some(40003), None, 40004));
    }

    #[test]
    fn accounts_are_here_or_elsewhere() {
        let server = |phone: Phone| {
            let values = phone.values(Value::UNDEFINED);
            let get = |name: &str| values.get(name).map(ToString::to_string);
            (get("sip_server"), get("sip_port"))
        };
        let at = |address: &str, port: &str| (Some(address.to_owned()), Some(port.to_owned()));
        let here = Phone {
            sip_port: Some(5070),
            ..Phone::example()
        };
        assert_eq!(server(here.clone()), at("203.0.113.10", "5070"));
        let unnamed = Phone {
            primary_switch: None,
            ..here.clone()
        };
        assert_eq!(server(unnamed.clone()), at("10.10.0.1", "5070"));
        let elsewhere = Phone {
            accounts: Vec::new(),
            variables: [("user".to_owned(), "201".to_owned())].into(),
            ..here
        };
        assert_eq!(server(elsewhere.clone()), at("203.0.113.10", "5060"));
        let accounts = elsewhere.values(Value::UNDEFINED)["accounts"].clone();
        let first = accounts.try_iter().unwrap().next().unwrap();
        assert_eq!(first.get_attr("display").unwrap().as_str(), Some("201"));
        assert!(!format!("{unnamed:?}").contains("password"));
    }
}
