//! A site whose gateway is a switch that speaks SIP: two hosts behind it, and one in the internet.

use std::net::Ipv4Addr;
use std::time::Duration;

use gateway_tests::netns::Namespace;
use gateway_tests::site::{Gateway, REMOTE, ROUTER_INSIDE, ROUTER_OUTSIDE, Site};
use gateway_tests::wait::eventually;
use serde_json::Value;

/// For what takes seconds; a busy machine's seconds are long.
pub(crate) const LONG: Duration = Duration::from_secs(60);
/// The public address of the site's phones.
pub(crate) const PUBLIC: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

const CONFIG: &str = r#"
[limits]
bindings = 64
pool_addresses = 16
[state]
directory = "{dir}/state"
[metrics]
listen = "off"
[[inside]]
interface = "inside0"
networks = ["10.10.0.0/16"]
[[outside]]
interface = "uplink0"
[[pool]]
addresses = ["192.0.2.1"]
[[binding]]
private = "10.10.1.1"
public = "192.0.2.1"
ports = "40000-40063"
[[binding]]
private = "10.10.1.2"
public = "192.0.2.1"
ports = "40064-40127"
[switch]
name = "switch.example"
heartbeat = "2s"
[sip]
names = ["sip.example"]
shortest = "10s"
certificate = "{tls}/sip.pem"
key = "{tls}/sip.key"
[[line]]
number = "5001"
phone = "h1"
"#;

/// The root of the switch's certificate, which is `sip.example`'s, and the other files with it.
pub(crate) const TLS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../gateway-ctl/src/config/tests/tls"
);

/// Somebody with a number, and a password made of it.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    pub(crate) number: &'static str,
    pub(crate) ns: Namespace,
    pub(crate) address: Ipv4Addr,
    /// The first of its ports; 64 are its own.
    pub(crate) ports: u16,
    /// Where it knows the switch.
    pub(crate) switch: Ipv4Addr,
}

impl Party {
    pub(crate) fn password(&self) -> String {
        password(self.number)
    }
}

/// The password of a user, who is called as his number.
pub(crate) fn password(number: &str) -> String {
    format!("secret{number}")
}

/// Lines of SIP phones with these numbers.
pub(crate) fn lines(numbers: &[&str]) -> String {
    let line = |number: &&str| {
        let password = password(number);
        format!("[[line]]\nnumber = \"{number}\"\npassword = \"{password}\"\n")
    };
    numbers.iter().map(line).collect()
}

/// A site and its switch.
pub(crate) struct Bed {
    pub(crate) site: Site,
    pub(crate) gateway: Gateway,
}

impl Bed {
    pub(crate) fn new() -> Self {
        let site = Site::new().unwrap();
        let text = CONFIG.replace("{tls}", TLS) + &lines(&["7001", "7002", "7003"]);
        let gateway = site.gateway(&text).unwrap();
        Self { site, gateway }
    }

    /// 7001 and 7002, behind the gateway.
    pub(crate) fn inside(&self) -> [Party; 2] {
        [(1, "7001", 40_000), (2, "7002", 40_064)].map(|(host, number, ports)| {
            let host = self.site.phone(host);
            Party {
                number,
                ns: host.ns.clone(),
                address: host.address,
                ports,
                switch: ROUTER_INSIDE,
            }
        })
    }

    /// 7003, in the internet.
    pub(crate) fn outside(&self) -> Party {
        Party {
            number: "7003",
            ns: self.site.internet.clone(),
            address: REMOTE,
            ports: 50_000,
            switch: ROUTER_OUTSIDE,
        }
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        json(&self.gateway, arguments)
    }
}

pub(crate) fn json(gateway: &Gateway, arguments: &[&str]) -> Value {
    let mut words = arguments.to_vec();
    words.extend(["-o", "json"]);
    gateway.ctl(&words).unwrap().json().unwrap()
}

/// Waits until a user is registered with the switch; what it says of that.
pub(crate) fn registered(gateway: &Gateway, user: &str) -> Value {
    eventually(LONG, || {
        let phones = json(gateway, &["phones"]);
        let mut all = phones.as_array().unwrap().iter();
        let found = all.find(|phone| phone["user"] == user).cloned();
        found.ok_or_else(|| format!("{user} is not among {phones}"))
    })
    .unwrap()
}

/// Waits until so many calls are over and none is under way; all of them, the oldest first.
pub(crate) fn history(gateway: &Gateway, calls: usize) -> Vec<Value> {
    let words = ["calls", "history", "--limit", "1000", "-o", "json"];
    let over = || {
        let output = gateway.ctl(&words).unwrap();
        let lines = output.stdout.lines();
        let all: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let live = json(gateway, &["calls"]);
        let quiet = live.as_array().is_some_and(Vec::is_empty);
        match all.len() {
            found if found == calls && quiet => Ok(all),
            found => Err(format!("{found} of {calls} calls, live {live}: {output:?}")),
        }
    };
    eventually(LONG, over).unwrap()
}
