//! `[[trunk]]`: a media gateway, or a SIP server.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use ::sip::{Peer, Transport, Uri};
use rustls::pki_types::ServerName;
use switch::settings::{Trunk, Way};

use super::super::report::{Place, Report};
use super::super::section::{At, Section};
use super::super::values::Wrong;
use super::{Tls, gateway_of, termination};

/// Any of its terminations.
const ANY_TRUNK: &str = "trunk/$";

pub(in crate::config) const KEYS: &[&str] = &["name", "gateway", "termination", "sip", "tls_name"];

/// All trunks.
#[derive(Default)]
pub(super) struct Trunks {
    pub(super) all: Vec<Trunk>,
    /// The first one that only SIP can reach, and what it is.
    pub(super) needs_sip: Option<(Place, &'static str)>,
    /// Those over TLS.
    tls: Vec<(Place, SocketAddr, ServerName<'static>)>,
}

pub(super) fn read(sections: &[Section<'_>], report: &Report) -> Trunks {
    let mut trunks = Trunks::default();
    for section in sections {
        let name = section.required_string("name", "\"carrier\"");
        let way = match (section.has("gateway"), section.has("sip")) {
            (true, true) => {
                let message = "`gateway` and `sip` in one [[trunk]]";
                report.problem(section.at, message, "remove one of the two");
                None
            }
            (false, true) => trunks.server(section, report),
            (true, false) => of_gateway(section, report),
            (false, false) => {
                let message = "`gateway` or `sip` is missing in [[trunk]]";
                let fix = "add gateway = \"[203.0.113.9]:2944\", or sip = \"203.0.113.9:5060\"";
                report.missing(section.at, message, fix);
                None
            }
        };
        let (Some(name), Some(way)) = (name, way) else {
            continue;
        };
        if trunks.all.iter().any(|trunk| trunk.name == name.value) {
            let message = format!("there are two [[trunk]] called \"{}\"", name.value);
            report.problem(name.at, message, "give each a name of its own");
        }
        trunks.all.push(Trunk {
            name: name.value.to_owned(),
            way,
        });
    }
    trunks
}

fn of_gateway(section: &Section<'_>, report: &Report) -> Option<Way> {
    if let Some((_, at)) = section.value("tls_name") {
        let message = "`tls_name` in a [[trunk]] without `sip`";
        report.problem(at, message, "remove it");
    }
    let gateway = section.string("gateway", "\"[203.0.113.9]:2944\"");
    let gateway = section.checked(gateway, gateway_of);
    let termination = termination(section, ANY_TRUNK);
    Some(Way::Gateway(gateway?.value, termination?))
}

impl Trunks {
    fn server(&mut self, section: &Section<'_>, report: &Report) -> Option<Way> {
        self.needs_sip
            .get_or_insert((section.at, "a [[trunk]] with `sip`"));
        if let Some((_, at)) = section.value("termination") {
            let message = "`termination` in a [[trunk]] with `sip`: SIP servers have none";
            report.problem(at, message, "remove one of the two");
        }
        let name = section.string("tls_name", "\"sip.carrier.example\"");
        let name = section.checked(name, name_of);
        let at = section.string("sip", "\"203.0.113.9:5060\"");
        let At { value: peer, at } = section.checked(at, server_of)?;
        if peer.transport == Transport::Tls {
            let usual = ServerName::from(peer.address.ip());
            let name = name.map_or(usual, |name| name.value);
            self.tls.push((at, peer.address, name));
        } else if let Some(name) = name {
            let message = "`tls_name` in a [[trunk]] whose `sip` is not over TLS";
            let fix = "add ;transport=tls to `sip`, or remove it";
            report.problem(name.at, message, fix);
        }
        Some(Way::Sip(peer))
    }

    /// Names in the certificates of those over TLS.
    pub(super) fn tls(
        &self,
        tls: Option<&Tls>,
        report: &Report,
    ) -> BTreeMap<SocketAddr, ServerName<'static>> {
        let mut names = BTreeMap::new();
        for (at, address, name) in &self.tls {
            if tls.is_some_and(|tls| !tls.has_roots) {
                let message = "a trunk over TLS, and nobody whose certificates are believed";
                let fix = "add `ca` to [sip]: a PEM file with the roots of its certificate";
                report.missing(*at, message, fix);
            }
            names.insert(*address, name.clone());
        }
        names
    }
}

fn name_of(text: &str) -> Result<ServerName<'static>, Wrong> {
    ServerName::try_from(text.to_owned()).map_err(|_| {
        Wrong::new(
            format!("\"{text}\" is no name that a certificate can have"),
            "write a domain name or an address: \"sip.carrier.example\"",
        )
    })
}

fn server_of(text: &str) -> Result<Peer, Wrong> {
    let whole = match text.split_once(':') {
        Some((scheme, _)) if ["sip", "sips"].contains(&scheme) => text.to_owned(),
        _ => format!("sip:{text}"),
    };
    let peer = match Uri::parse(&whole) {
        Some(Uri::Sip(uri)) if uri.user.is_none() => Peer::of(uri),
        _ => None,
    };
    // Sockets here are of IPv4.
    peer.filter(|peer| peer.address.is_ipv4()).ok_or_else(|| {
        Wrong::new(
            format!("\"{text}\" names no SIP server"),
            "write its IPv4 address, with port and transport if need be: \
             \"203.0.113.9:5060;transport=tcp\" (udp, tcp, tls)",
        )
    })
}
