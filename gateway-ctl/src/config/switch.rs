//! `[switch]`, `[[line]]`, `[[trunk]]`, `[[route]]`, `[[site]]`: the soft switch and its dial plan.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use megaco::{Mid, Name, TerminationId};
use switch::address::{Share, Site, Sites};
use switch::dial_plan::{MOST_DIGITS, Number, Prefix};
use switch::identity::GatewayId;
use switch::settings::{Admission, Line, Owner, Settings, Trunk, Way};

use super::dhcp::mac;
use super::pool::Pool;
use super::report::{Place, Report};
use super::section::Section;
use super::values::{self, Wrong};

/// Port of H.248 in text (RFC 3525 annex D).
const H248_PORT: u16 = 2944;
/// Messages of one address in a second: thousands of phones behind it.
const MESSAGES: u32 = 5000;
/// No address has more of anything.
const MOST_PER_ADDRESS: u32 = 10_000_000;
/// What the lines of most phones are called.
const FIRST_LINE: &str = "line1";
const ANY_TRUNK: &str = "trunk/$";

/// The soft switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Switch {
    /// What it does.
    pub(crate) settings: Settings,
    /// The port of H.248.
    pub(crate) port: u16,
    /// Messages of one address in a second that are read.
    pub(crate) messages_per_address: u32,
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
pub(super) const LINE_KEYS: &[&str] = &["number", "phone", "termination"];
pub(super) const TRUNK_KEYS: &[&str] = &["name", "gateway", "termination"];
pub(super) const ROUTE_KEYS: &[&str] = &["prefix", "trunks", "strip", "least", "most"];
pub(super) const SITE_KEYS: &[&str] = &["name", "addresses", "reachable"];

/// The sections it is read from.
pub(super) struct Sections<'a> {
    pub(super) switch: Option<Section<'a>>,
    pub(super) lines: Vec<Section<'a>>,
    pub(super) trunks: Vec<Section<'a>>,
    pub(super) routes: Vec<Section<'a>>,
    pub(super) sites: Vec<Section<'a>>,
}

impl Sections<'_> {
    pub(super) fn read(&self, pool: &Pool, report: &Report) -> Option<Switch> {
        let Some(section) = &self.switch else {
            for (lonely, name) in [
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
            return None;
        };
        let times = Settings::default();
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
        let trunks = self.trunks(report);
        let most = |key: &str, usual: usize| {
            let found = section.integer(key, 1..=MOST_PER_ADDRESS);
            found.map_or(usual, |found| found.value as usize)
        };
        let per_phone = times.registrations_per_phone;
        let per_address = times.registrations_per_address;
        let settings = Settings {
            mid: name.map_or(times.mid, |found| found.value),
            admission: section
                .choice("admission", &admission)
                .map_or(Admission::Leased, |found| found.value),
            lines: self.lines(report),
            prefixes: self.routes(&trunks, report),
            trunks,
            sites: self.sites(section, pool, report),
            digit_maps: section
                .boolean("digit_maps")
                .is_none_or(|found| found.value),
            no_answer: time("no_answer", 1, times.no_answer),
            next_digit: time("next_digit", 1, times.next_digit),
            heartbeat: time("heartbeat", 1, times.heartbeat),
            remember: time("remember", 60, times.remember),
            sip: None,
            registrations_per_phone: most("registrations_per_phone", per_phone),
            registrations_per_address: most("registrations_per_address", per_address),
        };
        let port = section.integer("port", 1..=u32::from(u16::MAX));
        let port = port.and_then(|found| u16::try_from(found.value).ok());
        let messages = section.integer("messages_per_address", 10..=MOST_PER_ADDRESS);
        Some(Switch {
            settings,
            port: port.unwrap_or(H248_PORT),
            messages_per_address: messages.map_or(MESSAGES, |found| found.value),
        })
    }

    fn lines(&self, report: &Report) -> Vec<Line> {
        let mut numbers: BTreeMap<Number, Place> = BTreeMap::new();
        let mut places: BTreeMap<(Owner, TerminationId), Place> = BTreeMap::new();
        let mut lines = Vec::new();
        for section in &self.lines {
            let number = section.required_string("number", "\"5001\"");
            let number = section.checked(number, number_of);
            let owner = section.required_string("phone", "\"00:15:65:12:34:56\"");
            let owner = section.checked(owner, owner_of);
            let termination = termination(section, FIRST_LINE);
            let (Some(number), Some(owner), Some(termination)) = (number, owner, termination)
            else {
                continue;
            };
            if let Some(other) = numbers.insert(number.value.clone(), number.at) {
                let other = report.refer(number.at, other);
                let message = format!("number {} is another line's ({other})", number.value);
                report.problem(number.at, message, "give each line a number of its own");
            }
            let place = (owner.value.clone(), termination.clone());
            if let Some(other) = places.insert(place, owner.at) {
                let other = report.refer(owner.at, other);
                let message = format!(
                    "this phone's {} has a number ({other})",
                    termination.as_str()
                );
                report.problem(
                    owner.at,
                    message,
                    "name another termination, or remove one of the two",
                );
            }
            lines.push(Line {
                number: number.value,
                owner: owner.value,
                termination,
            });
        }
        lines
    }

    fn trunks(&self, report: &Report) -> Vec<Trunk> {
        let mut trunks: Vec<Trunk> = Vec::new();
        for section in &self.trunks {
            let name = section.required_string("name", "\"carrier\"");
            let gateway = section.required_string("gateway", "\"[203.0.113.9]:2944\"");
            let gateway = section.checked(gateway, gateway_of);
            let termination = termination(section, ANY_TRUNK);
            let (Some(name), Some(gateway), Some(termination)) = (name, gateway, termination)
            else {
                continue;
            };
            if trunks.iter().any(|trunk| trunk.name == name.value) {
                let message = format!("there are two [[trunk]] called \"{}\"", name.value);
                report.problem(name.at, message, "give each a name of its own");
            }
            trunks.push(Trunk {
                name: name.value.to_owned(),
                way: Way::Gateway(gateway.value, termination),
            });
        }
        trunks
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

fn owner_of(text: &str) -> Result<Owner, Wrong> {
    match mac(text) {
        Ok(mac) => Ok(Owner::Mac(mac.0)),
        Err(_) => gateway_of(text).map(Owner::Gateway),
    }
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
