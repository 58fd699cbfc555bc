//! A site with a gateway on its router, watched from outside.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use gateway_tests::netns::Namespace;
use gateway_tests::site::{Gateway, Phone, REMOTE, Site, SiteBuilder};
use gateway_tests::wait::eventually;
use serde_json::Value;

use crate::config::Config;

/// The public address of the phones.
pub(crate) const PUBLIC: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// For what takes a moment; a busy machine's moments are long.
pub(crate) const SOON: Duration = Duration::from_secs(20);
/// For what takes seconds.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A site with a gateway.
#[derive(Debug)]
pub(crate) struct Bed {
    pub(crate) site: Site,
    pub(crate) gateway: Gateway,
}

impl Bed {
    /// Two phones of one public address.
    pub(crate) fn new() -> Self {
        Self::with(&Site::builder(), &Config::default())
    }

    /// Any site with any configuration.
    pub(crate) fn with(site: &SiteBuilder, config: &Config) -> Self {
        Self::on(site.build().unwrap(), config)
    }

    /// A gateway on a site.
    pub(crate) fn on(site: Site, config: &Config) -> Self {
        watch(&site);
        let gateway = site.gateway(&config.to_string()).unwrap();
        Self { site, gateway }
    }

    /// Phone `number` of the first inside network, from 1.
    pub(crate) fn phone(&self, number: usize) -> &Phone {
        self.site.phone(number)
    }

    /// Phone 1 of the second inside network.
    pub(crate) fn far_phone(&self) -> &Phone {
        &self.site.inside[1].phones[0]
    }

    pub(crate) fn internet(&self) -> &Namespace {
        &self.site.internet
    }

    /// What the CLI says as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let mut words = arguments.to_vec();
        words.extend(["-o", "json"]);
        self.gateway.ctl(&words).unwrap().json().unwrap()
    }

    /// All counters.
    pub(crate) fn counters(&self) -> Counters {
        Counters(self.json(&["counters"]))
    }

    /// Waits until a counter has this value.
    pub(crate) fn expect_count(&self, interface: &str, hook: &str, reason: &str, packets: u64) {
        eventually(SOON, || {
            let counters = self.counters();
            match counters.get(interface, hook, reason) {
                found if found == packets => Ok(()),
                found => Err(format!(
                    "{reason} at {interface}/{hook}: {found}, not {packets}\n{}",
                    counters.0
                )),
            }
        })
        .unwrap();
    }

    /// Packets that left the site with a private source.
    pub(crate) fn leaked(&self) -> u64 {
        counted(&self.site)
    }

    /// Writes the configuration and reloads it; what that changed.
    pub(crate) fn reload(&self, config: &Config) -> Value {
        self.gateway.write_config(&config.to_string()).unwrap();
        self.json(&["reload"])
    }

    /// What holds at the end of every test: sums are exact, and nothing private has leaked.
    pub(crate) fn finish(self) {
        // A packet may be under way between two counters: look until none is.
        eventually(SOON, || self.counters().check()).unwrap();
        assert_eq!(self.leaked(), 0, "packets left with a private source");
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Ok(output) = self.gateway.ctl(&["counters"])
        {
            eprintln!("--- counters\n{}", output.stdout);
        }
    }
}

/// An answer of `gateway-ctl counters`.
#[derive(Clone, Debug)]
pub(crate) struct Counters(pub(crate) Value);

impl Counters {
    fn all(&self) -> &[Value] {
        self.0.as_array().unwrap()
    }

    /// Packets of an interface that ended at a hook for a reason.
    pub(crate) fn get(&self, interface: &str, hook: &str, reason: &str) -> u64 {
        let of = self
            .all()
            .iter()
            .filter(|of| of["interface"] == interface && of["hook"] == hook);
        let reasons = of.flat_map(|of| of["reasons"].as_array().unwrap());
        reasons
            .filter(|count| count["reason"] == reason)
            .map(|count| number(&count["packets"]))
            .sum()
    }

    /// Packets that ended for a reason anywhere.
    pub(crate) fn total(&self, reason: &str) -> u64 {
        let reasons = self
            .all()
            .iter()
            .flat_map(|of| of["reasons"].as_array().unwrap());
        reasons
            .filter(|count| count["reason"] == reason)
            .map(|count| number(&count["packets"]))
            .sum()
    }

    /// received = redirected + passed + dropped, everywhere, each the sum of its reasons.
    pub(crate) fn check(&self) -> Result<(), String> {
        for of in self.all() {
            let outcomes = ["redirected", "passed", "dropped"];
            let sum: u64 = outcomes.iter().map(|outcome| number(&of[*outcome])).sum();
            if number(&of["received"]) != sum {
                return Err(format!("sums differ: {of}"));
            }
            for outcome in outcomes {
                let reasons = of["reasons"].as_array().unwrap().iter();
                let sum: u64 = reasons
                    .filter(|count| count["outcome"] == outcome)
                    .map(|count| number(&count["packets"]))
                    .sum();
                if number(&of[outcome]) != sum {
                    return Err(format!("{outcome} is not the sum of its reasons: {of}"));
                }
            }
        }
        Ok(())
    }
}

pub(crate) fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}

/// A port of the host on the internet.
pub(crate) const fn remote(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(REMOTE, port)
}

/// A port of the phones' public address.
pub(crate) const fn public(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(PUBLIC, port)
}

/// Counts private sources where the uplink ends: unlike a capture, it never misses one.
fn watch(site: &Site) {
    let rules = format!(
        "table netdev watch {{ counter private {{ }}; chain uplink {{ \
         type filter hook ingress device {} priority -500; \
         ip saddr 10.0.0.0/8 counter name private; }}; }}",
        site.upstream.name
    );
    site.upstream.ns.nft(&rules).unwrap();
}

fn counted(site: &Site) -> u64 {
    let words = ["nft", "-j", "list", "counter", "netdev", "watch", "private"];
    let text = site.upstream.ns.run(&words).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let found = json["nftables"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|object| object["counter"]["packets"].as_u64());
    found.unwrap()
}
