//! `[sip]`: what phones and trunks that speak SIP are told.

use std::collections::BTreeMap;
use std::time::Duration;

use megaco::Mid;
use sip::auth::Algorithm;
use switch::sip::{Settings, User};

use super::super::section::Section;
use super::super::values::{self, Wrong};
use super::Tls;

/// Port of SIP over TLS (RFC 3261 section 19.1.2).
const TLS_PORT: u16 = 5061;
const SHORTEST: u64 = 10;
const LONGEST: u64 = 86_400;

pub(in crate::config) const KEYS: &[&str] = &[
    "port",
    "realm",
    "digest",
    "names",
    "tls_port",
    "certificate",
    "key",
    "ca",
    "shortest",
    "longest",
];

/// `h248` is the port of H.248, which this cannot have.
pub(super) fn read(
    section: &Section<'_>,
    mid: &Mid,
    h248: u16,
    tls: &Tls,
    users: BTreeMap<String, User>,
) -> Settings {
    let usual = Settings::default();
    let port = |key: &str, usual: u16| {
        let found = section.integer(key, 1..=u32::from(u16::MAX));
        let at = found.map_or(section.at, |found| found.at);
        let port = found.and_then(|found| u16::try_from(found.value).ok());
        (port.unwrap_or(usual), at)
    };
    let (port_of_all, at) = port("port", usual.port);
    if port_of_all == h248 {
        let message = format!("SIP and H.248 have the same port, {h248}");
        section.problem(at, message, "write another `port` in [sip] or [switch]");
    }
    let wants_tls = section.has("certificate");
    let tls_port = port("tls_port", TLS_PORT);
    if section.has("tls_port") && !wants_tls {
        let message = "`tls_port` in [sip] without `certificate`";
        let fix = "add `certificate` and `key`, or remove it";
        section.problem(tls_port.1, message, fix);
    }
    if wants_tls && [port_of_all, h248].contains(&tls_port.0) {
        let message = format!("port {} has two meanings", tls_port.0);
        section.problem(tls_port.1, message, "write another `tls_port` in [sip]");
    }
    let time = |key: &str, usual: Duration| {
        let text = section.string(key, "\"60s\"");
        let at = text.map_or(section.at, |text| text.at);
        let found = section.checked(text, lifetime);
        (found.map_or(usual, |found| found.value), at)
    };
    let (shortest, _) = time("shortest", usual.shortest);
    let (longest, at) = time("longest", usual.longest);
    if longest < shortest {
        let message = "`longest` in [sip] is shorter than `shortest`";
        section.problem(at, message, "write shortest no longer than longest");
    }
    let realm = section.string("realm", "\"switch.example\"");
    let realm = section.checked(realm, realm_of);
    let example = "[\"sip.example\"]";
    let asked_for = section.all_checked("digest", "[\"SHA-256\", \"MD5\"]", algorithm);
    Settings {
        realm: realm.map_or_else(|| own_name(mid), |found| found.value.to_owned()),
        names: section.all_checked("names", example, |text| host(text).map(str::to_owned)),
        port: port_of_all,
        tls_port: tls.server.is_some().then_some(tls_port.0),
        digest: if asked_for.is_empty() {
            usual.digest
        } else {
            asked_for
        },
        users,
        shortest,
        longest,
    }
}

/// That of the switch.
fn own_name(mid: &Mid) -> String {
    match mid {
        Mid::Domain(name, _) => name.as_str().to_owned(),
        other => other.to_string(),
    }
}

fn lifetime(text: &str) -> Result<Duration, Wrong> {
    let time = values::duration(text)?;
    if (SHORTEST..=LONGEST).contains(&time.as_secs()) {
        return Ok(time);
    }
    Err(Wrong::new(
        format!("{text} is no time for a registration"),
        format!("write {SHORTEST}s to {}h", LONGEST / 3600),
    ))
}

fn algorithm(text: &str) -> Result<Algorithm, Wrong> {
    Algorithm::parse(text).ok_or_else(|| {
        Wrong::new(
            format!("\"{text}\" is no algorithm of digest authentication"),
            "write \"MD5\" or \"SHA-256\"",
        )
    })
}

/// It stands in quotes in messages.
fn realm_of(text: &str) -> Result<&str, Wrong> {
    let legal = |byte: u8| (byte.is_ascii_graphic() || byte == b' ') && !b"\"\\".contains(&byte);
    match (1..=128).contains(&text.len()) && text.bytes().all(legal) {
        true => Ok(text),
        false => Err(Wrong::new(
            format!("{text:?} is no realm"),
            "write 1 to 128 letters without accents, quotes and backslashes",
        )),
    }
}

fn host(text: &str) -> Result<&str, Wrong> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    match (1..=255).contains(&text.len()) && text.bytes().all(legal) {
        true => Ok(text),
        false => Err(Wrong::new(
            format!("\"{text}\" is no name of a host"),
            "write a domain name or an address, without a port: \"sip.example\"",
        )),
    }
}
