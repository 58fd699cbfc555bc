//! `[switch]`, `[[route]]`, `[[site]]`: the soft switch and its dial plan.
//!
//! | file | what it reads |
//! |---|---|
//! | `switch/lines.rs` | `[[line]]`: numbers, and whose they are |
//! | `switch/trunks.rs` | `[[trunk]]` |
//! | `switch/sip.rs` | `[sip]` |
//! | `switch/tls.rs` | certificates, keys and roots |

mod lines;
mod sip;
mod tls;
mod trunks;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use megaco::{Mid, Name, TerminationId};
use rustls::pki_types::ServerName;
use switch::address::{Share, Site, Sites};
use switch::dial_plan::{MOST_DIGITS, Number, Prefix};
use switch::identity::GatewayId;
use switch::settings::{Admission, Settings, Trunk};

use super::pool::Pool;
use super::report::Report;
use super::section::Section;
use super::values::{self, Wrong};

pub(crate) use tls::Tls;

/// Port of H.248 in text (RFC 3525 annex D).
const H248_PORT: u16 = 2944;
/// Messages of one address in a second: thousands of phones behind it.
const MESSAGES: u32 = 5000;
/// No address has more of anything.
const MOST_PER_ADDRESS: u32 = 10_000_000;

/// The soft switch.
#[derive(Clone, Debug)]
pub(crate) struct Switch {
    /// What it does.
    pub(crate) settings: Settings,
    /// The port of H.248.
    pub(crate) port: u16,
    /// Messages of one address in a second that are read.
    pub(crate) messages_per_address: u32,
    /// SIP over TLS.
    pub(crate) tls: Tls,
    /// Trunks that are called over TLS, and the name in the certificate of each.
    pub(crate) tls_trunks: BTreeMap<SocketAddr, ServerName<'static>>,
    /// Accounts of SIP phones, by hardware address, for their files.
    pub(crate) accounts: BTreeMap<[u8; 6], Vec<provision::Account>>,
}

pub(super) const KEYS: &[&str] = &[
    "name",
    "port",
    "admission",
    "digit_maps",
    "no_answer",
    "next_digit",
    "heartbeat",
    "remember",
    "registrations_per_phone",
    "registrations_per_address",
    "messages_per_address",
    "sites_reachable",
];
pub(super) use lines::KEYS as LINE_KEYS;
pub(super) use sip::KEYS as SIP_KEYS;
pub(super) use trunks::KEYS as TRUNK_KEYS;
pub(super) const ROUTE_KEYS: &[&str] = &["prefix", "trunks", "strip", "least", "most"];
pub(super) const SITE_KEYS: &[&str] = &["name", "addresses", "reachable"];

/// The sections it is read from.
pub(super) struct Sections<'a> {
    pub(super) switch: Option<Section<'a>>,
    pub(super) sip: Option<Section<'a>>,
    pub(super) lines: Vec<Section<'a>>,
    pub(super) trunks: Vec<Section<'a>>,
    pub(super) routes: Vec<Section<'a>>,
    pub(super) sites: Vec<Section<'a>>,
}

impl Sections<'_> {
    pub(super) fn read(&self, pool: &Pool, report: &Report) -> Option<Switch> {
        let Some(section) = &self.switch else {
            self.name_lonely(report);
            return None;
        };
        let usual = Settings::default();
        let time = |key: &str, least: u64, usual: Duration| {
            let text = section.string(key, "\"60s\"");
            let found = section.checked(text, |text| at_least(text, least));
            found.map_or(usual, |found| found.value)
        };
        let name = section.string("name", "\"switch.example\"");
        let name = section.checked(name, domain);
        let admission = [
            ("listed", Admission::Listed),
            ("leased", Admission::Leased),
            ("anybody", Admission::Anybody),
        ];
        let most = |key: &str, usual: usize| {
            let found = section.integer(key, 1..=MOST_PER_ADDRESS);
            found.map_or(usual, |found| found.value as usize)
        };
        let per_phone = usual.registrations_per_phone;
        let per_address = usual.registrations_per_address;
        let port = section.integer("port", 1..=u32::from(u16::MAX));
        let port = port.and_then(|found| u16::try_from(found.value).ok());
        let port = port.unwrap_or(H248_PORT);
        let mid = name.map_or(usual.mid, |found| found.value);
        let lines = lines::read(&self.lines, report);
        let trunks = trunks::read(&self.trunks, report);
        let sip = self.sip.as_ref();
        if sip.is_none() {
            for (at, what) in lines.needs_sip.into_iter().chain(trunks.needs_sip) {
                let message = format!("{what} without [sip]");
                report.missing(at, message, "add [sip]: all its keys have defaults");
            }
        }
        let tls = sip.map(Tls::read).unwrap_or_default();
        let tls_trunks = trunks.tls(sip.map(|_| &tls), report);
        let trunks = trunks.all;
        let settings = Settings {
            admission: section
                .choice("admission", &admission)
                .map_or(Admission::Leased, |found| found.value),
            sip: sip.map(|section| sip::read(section, &mid, port, &tls, lines.users)),
            mid,
            lines: lines.all,
            prefixes: self.routes(&trunks, report),
            trunks,
            sites: self.sites(section, pool, report),
            digit_maps: section
                .boolean("digit_maps")
                .is_none_or(|found| found.value),
            no_answer: time("no_answer", 1, usual.no_answer),
            next_digit: time("next_digit", 1, usual.next_digit),
            heartbeat: time("heartbeat", 1, usual.heartbeat),
            remember: time("remember", 60, usual.remember),
            registrations_per_phone: most("registrations_per_phone", per_phone),
            registrations_per_address: most("registrations_per_address", per_address),
        };
        let messages = section.integer("messages_per_address", 10..=MOST_PER_ADDRESS);
        Some(Switch {
            settings,
            port,
            messages_per_address: messages.map_or(MESSAGES, |found| found.value),
            tls,
            tls_trunks,
            accounts: lines.accounts,
        })
    }

    /// Sections that mean nothing without a switch.
    fn name_lonely(&self, report: &Report) {
        for (lonely, name) in [
            (self.sip.as_ref(), "[sip]"),
            (self.lines.first(), "[[line]]"),
            (self.trunks.first(), "[[trunk]]"),
            (self.routes.first(), "[[route]]"),
            (self.sites.first(), "[[site]]"),
        ] {
            if let Some(section) = lonely {
                let message = format!("{name} without [switch]");
                let fix = "add [switch]: all its keys have defaults";
                report.missing(section.at, message, fix);
            }
        }
    }

    fn routes(&self, trunks: &[Trunk], report: &Report) -> Vec<Prefix> {
        let mut routes: Vec<Prefix> = Vec::new();
        for section in &self.routes {
            let digits = section.required_string("prefix", "\"0\"");
            let digits = section.checked(digits, number_of);
            let names = section.required_strings("trunks", "[\"carrier\"]");
            for name in &names {
                if !trunks.iter().any(|trunk| trunk.name == name.value) {
                    let message = format!("no [[trunk]] is called \"{}\"", name.value);
                    let known = trunks.iter().map(|trunk| trunk.name.as_str());
                    let fix = match super::suggest::closest(name.value, known) {
                        Some(meant) => format!("did you mean \"{meant}\"?"),
                        None => "add a [[trunk]] with this name".to_owned(),
                    };
                    report.problem(name.at, message, fix);
                }
            }
            let most = u32::try_from(MOST_DIGITS).unwrap_or(u32::MAX);
            let count = |key: &str, usual: usize| {
                let found = section.integer(key, 0..=most);
                found.map_or(usual, |found| found.value as usize)
            };
            let (least, most) = (count("least", 3), count("most", 15));
            if least > most {
                let message = format!("`least` in [[route]] is {least}, `most` is {most}");
                report.problem(section.at, message, "write least no larger than most");
            }
            let Some(digits) = digits else {
                continue;
            };
            let strip = count("strip", digits.value.as_str().len());
            if strip > digits.value.as_str().len() {
                let message = format!("`strip` takes more digits than prefix {} has", digits.value);
                report.problem(section.at, message, "strip as many at most");
            }
            if routes.iter().any(|route| route.digits == digits.value) {
                let message = format!("there are two [[route]] with prefix {}", digits.value);
                report.problem(digits.at, message, "name all trunks in one");
            }
            routes.push(Prefix {
                digits: digits.value,
                strip,
                trunks: names.iter().map(|name| name.value.to_owned()).collect(),
                follow: (least, most),
            });
        }
        routes
    }

    /// Those of the file, and this gateway itself with what they leave of its pool.
    fn sites(&self, switch: &Section<'_>, pool: &Pool, report: &Report) -> Sites {
        let mut sites = Vec::new();
        for section in &self.sites {
            let name = section.required_string("name", "\"headquarters\"");
            let shares = section.required_strings("addresses", "[\"198.51.100.1\"]");
            let shares = shares.into_iter();
            let shares = shares.filter_map(|text| section.checked(Some(text), share));
            let shares: Vec<Share> = shares.map(|found| found.value).collect();
            let reachable = section.boolean("reachable");
            sites.push(Site {
                name: name.map_or_else(String::new, |name| name.value.to_owned()),
                shares,
                reachable: reachable.is_none_or(|found| found.value),
            });
        }
        let named: Vec<Ipv4Addr> = sites
            .iter()
            .flat_map(|site| site.shares.iter().map(|share| share.address))
            .collect();
        let own = pool.iter().map(|(address, _)| address);
        let own = own.filter(|address| !named.contains(address));
        let reachable = switch.boolean("sites_reachable");
        sites.push(Site {
            name: "this gateway".to_owned(),
            shares: own.map(Share::whole).collect(),
            reachable: reachable.is_none_or(|found| found.value),
        });
        Sites::new(sites).unwrap_or_else(|wrong| {
            let at = self.sites.last().map_or(switch.at, |section| section.at);
            report.problem(at, wrong.to_string(), "correct the `addresses` of one");
            Sites::default()
        })
    }
}

fn termination(section: &Section<'_>, usual: &str) -> Option<TerminationId> {
    let example = format!("\"{usual}\"");
    let text = section.string("termination", &example);
    match text {
        None => TerminationId::new(usual).ok(),
        text => section
            .checked(text, |text| {
                TerminationId::new(text).map_err(|why| {
                    let message = format!("\"{text}\" names no termination: {why}");
                    Wrong::new(
                        message,
                        format!("write it as the phone does, like {example}"),
                    )
                })
            })
            .map(|found| found.value),
    }
}

fn at_least(text: &str, least: u64) -> Result<Duration, Wrong> {
    let time = values::duration(text)?;
    match time >= Duration::from_secs(least) {
        true => Ok(time),
        false => Err(Wrong::new(
            format!("{text} is too short"),
            format!("write \"{least}s\" at least"),
        )),
    }
}

fn domain(text: &str) -> Result<Mid, Wrong> {
    let wrong = |_| {
        Wrong::new(
            format!("\"{text}\" is no name of a switch"),
            "write a domain name: \"switch.example\"",
        )
    };
    Name::new(text)
        .map(|name| Mid::Domain(name, None))
        .map_err(wrong)
}

fn number_of(text: &str) -> Result<Number, Wrong> {
    text.parse().map_err(|wrong| {
        let wrong: switch::dial_plan::NoNumber = wrong;
        Wrong::new(wrong.to_string(), "write digits: \"5001\"")
    })
}

fn gateway_of(text: &str) -> Result<GatewayId, Wrong> {
    text.parse().map_err(|wrong| {
        let wrong: switch::identity::NoGateway = wrong;
        Wrong::new(
            wrong.to_string(),
            "write its hardware address if it has a lease here, or its mId",
        )
    })
}

/// A public address, or some ports of it.
fn share(text: &str) -> Result<Share, Wrong> {
    let Some((address, ports)) = text.split_once(':') else {
        return values::address(text).map(Share::whole);
    };
    let ports = values::port_span(ports)?;
    Ok(Share {
        address: values::address(address)?,
        ports: ports.first..=ports.last,
    })
}
