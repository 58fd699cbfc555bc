//! A site whose gateway is a switch.

use std::time::Duration;

use gateway_tests::site::{Gateway, Site};
use gateway_tests::wait::eventually;
use serde_json::Value;

/// For what takes seconds; a busy machine's seconds are long.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// What a gateway needs beside `[switch]`: networks on these interfaces.
pub(crate) fn config(inside: &str, network: &str, outside: &str, switch: &str) -> String {
    format!(
        r#"
[limits]
bindings = 64
pool_addresses = 16
[state]
directory = "{{dir}}/state"
[metrics]
listen = "off"
[[inside]]
interface = "{inside}"
networks = ["{network}"]
unbound_hosts = "kernel"
[[outside]]
interface = "{outside}"
[[pool]]
addresses = ["192.0.2.1"]
{switch}"#
    )
}

/// A number for each of these phones.
pub(crate) fn lines<'p>(phones: impl IntoIterator<Item = (u32, &'p str)>) -> String {
    let line = |(number, phone)| format!("[[line]]\nnumber = \"{number}\"\nphone = \"{phone}\"\n");
    phones.into_iter().map(line).collect()
}

/// A site and its switch.
pub(crate) struct Bed {
    pub(crate) site: Site,
    pub(crate) gateway: Gateway,
}

impl Bed {
    /// Whose `[switch]` and what follows it is this.
    pub(crate) fn new(switch: &str) -> Self {
        let site = Site::new().unwrap();
        let text = config("inside0", "10.10.0.0/16", "uplink0", switch);
        let gateway = site.gateway(&text).unwrap();
        Self { site, gateway }
    }

    /// Where phones are: any address of 10.10.3.0 may be theirs.
    pub(crate) fn phones(&self) -> &str {
        self.site.phone(1).ns.name()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        json(&self.gateway, arguments)
    }

    /// Waits until nobody has a call and all lines are hung up.
    pub(crate) fn expect_quiet(&self) {
        expect_quiet(&self.gateway);
    }
}

pub(crate) fn json(gateway: &Gateway, arguments: &[&str]) -> Value {
    let mut words = arguments.to_vec();
    words.extend(["-o", "json"]);
    gateway.ctl(&words).unwrap().json().unwrap()
}

/// Waits until nobody has a call at this switch and all lines are hung up.
pub(crate) fn expect_quiet(gateway: &Gateway) {
    eventually(LONG, || {
        let (calls, phones) = (json(gateway, &["calls"]), json(gateway, &["phones"]));
        let of_phones = phones.as_array().unwrap().iter();
        let mut lines = of_phones.flat_map(|phone| phone["lines"].as_array().unwrap());
        let quiet =
            calls.as_array().unwrap().is_empty() && lines.all(|line| line["state"] == "idle");
        quiet.then_some(()).ok_or(format!("{calls} {phones}"))
    })
    .unwrap();
}

/// Waits until so many calls are over; all of them, the oldest first.
pub(crate) fn history(gateway: &Gateway, calls: usize) -> Vec<Value> {
    eventually(LONG, || {
        let output = gateway.ctl(&["calls", "history", "-o", "json"]).unwrap();
        let lines = output.stdout.lines();
        let all: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        match all.len() {
            found if found == calls => Ok(all),
            found => Err(format!("{found} of {calls} calls: {output:?}")),
        }
    })
    .unwrap()
}
