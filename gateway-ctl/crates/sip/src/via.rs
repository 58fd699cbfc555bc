//! Via (RFC 3261 section 20.42; rport: RFC 3581): the way a request came and its answer goes.

use std::net::SocketAddr;

use crate::message::{Fault, Fields, Name, lex};
use crate::params::Params;
use crate::transport::{Peer, Transport};
use crate::uri::{host_ip, split_host};

/// What a branch of RFC 3261 begins with.
pub const COOKIE: &str = "z9hG4bK";

/// One hop, read in place: `SIP/2.0/UDP host:port;branch=..`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// `UDP`, `TCP`, `TLS` or something else.
    pub transport: &'a str,
    /// Who sent it, by its own account: a name or an address.
    pub host: &'a str,
    /// Its port, if it is there.
    pub port: Option<u16>,
    /// branch, received, rport ..
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads one value; white space and folds may be nearly everywhere.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let text = lex::trim_str(std::str::from_utf8(value).ok()?);
        let (protocol, rest) = text.split_once('/')?;
        let (version, rest) = rest.split_once('/')?;
        let rest = lex::trim_str(rest);
        let end = rest.bytes().position(|byte| !lex::is_token(byte))?;
        let (transport, place) = rest.split_at_checked(end)?;
        let (place, params) = match place.find(';') {
            Some(at) => place.split_at_checked(at)?,
            None => (place, ""),
        };
        let sound = lex::trim_str(protocol).eq_ignore_ascii_case("SIP")
            && lex::trim_str(version) == "2.0"
            && !transport.is_empty()
            && place.starts_with([' ', '\t', '\r', '\n']);
        let place = lex::trim_str(place);
        // `host : port` may have spaces around its colon.
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.find(']')) {
            Some(at) => place.split_at_checked(at + 2)?,
            None => place.split_at_checked(place.find(':').unwrap_or(place.len()))?,
        };
        let (host, _) = split_host(lex::trim_str(host))?;
        let port = match lex::trim_str(port) {
            "" => None,
            port => Some(lex::port(
                lex::trim_str(port.strip_prefix(':')?).as_bytes(),
            )?),
        };
        sound.then_some(Self {
            transport,
            host,
            port,
            params: Params::parse(params)?,
        })
    }

    /// The branch, if it is not empty.
    #[must_use]
    pub fn branch(&self) -> Option<&'a str> {
        self.params
            .get("branch")
            .filter(|branch| !branch.is_empty())
    }

    /// The branch, if it is one of RFC 3261 that tells transactions apart.
    #[must_use]
    pub fn unique_branch(&self) -> Option<&'a str> {
        self.branch().filter(|branch| {
            let (cookie, rest) = branch.split_at_checked(COOKIE.len()).unwrap_or_default();
            cookie.eq_ignore_ascii_case(COOKIE) && !rest.is_empty()
        })
    }

    /// The port it names, or the one of its transport.
    #[must_use]
    pub fn sent_port(&self) -> u16 {
        self.port.unwrap_or(match Transport::parse(self.transport) {
            Some(transport) => transport.default_port(),
            None => 5060,
        })
    }

    /// Where a response goes by this hop (sections 18.2.2 and RFC 3581 section 4): to
    /// `received` and `rport` if they are there, else to the sender's own address. None for
    /// a name without `received`, which would have to be looked up, for a strange transport,
    /// and for addresses that are not those of one host.
    #[must_use]
    pub fn response_peer(&self) -> Option<Peer> {
        let transport = Transport::parse(self.transport)?;
        let address = match self.params.get("received") {
            Some(received) => host_ip(received).or_else(|| received.parse().ok())?,
            None => host_ip(self.host)?,
        };
        let rport = self.params.get("rport").unwrap_or_default();
        let port = lex::port(rport.as_bytes()).unwrap_or_else(|| self.sent_port());
        let peer = Peer {
            transport,
            address: SocketAddr::new(address, port),
            local: None,
            listens: None,
        };
        peer.is_one().then_some(peer)
    }
}

/// Writes into the top Via where the request really came from (section 18.2.1, RFC 3581
/// section 4): `received` when it differs from what is there or rport is asked for, the
/// port when it is asked for or with `force`. What the sender claimed there is replaced.
///
/// # Errors
/// When there is no Via that can be read.
pub fn stamp(fields: &mut Fields, from: SocketAddr, force: bool) -> Result<(), Fault> {
    let via = fields.top_via()?;
    let asked = via.params.has("rport") || force;
    let claimed =
        via.params.has("received") || via.params.get("rport").is_some_and(|port| !port.is_empty());
    let elsewhere = host_ip(via.host) != Some(from.ip());
    if !asked && !elsewhere && !claimed {
        return Ok(());
    }
    let mut value = format!("SIP/2.0/{} {}", via.transport, via.host);
    if let Some(port) = via.port {
        value.push_str(&format!(":{port}"));
    }
    for (name, given) in via.params.iter() {
        if name.eq_ignore_ascii_case("received") || name.eq_ignore_ascii_case("rport") {
            continue;
        }
        value.push(';');
        value.push_str(name);
        if let Some(given) = given {
            value.push('=');
            value.push_str(given);
        }
    }
    if asked || elsewhere {
        value.push_str(&format!(";received={}", from.ip()));
    }
    if asked {
        value.push_str(&format!(";rport={}", from.port()));
    }
    fields.replace_value(Name::Via, value.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vias_are_read() {
        for (text, transport, host, port, branch) in [
            ("SIP/2.0/UDP 192.0.2.1", "UDP", "192.0.2.1", None, None),
            (
                "SIP  / 2.0\r\n /TCP   h.example ;\r\n branch = z9hG4bK30",
                "TCP",
                "h.example",
                None,
                Some("z9hG4bK30"),
            ),
            (
                "SIP/2.0/TLS [2001:db8::1]:5061;rport;branch=z9hG4bKx",
                "TLS",
                "[2001:db8::1]",
                Some(5061),
                Some("z9hG4bKx"),
            ),
            (
                "sip/2.0/UNKNOWN h : 5080 ;branch=z9hG4bK",
                "UNKNOWN",
                "h",
                Some(5080),
                None,
            ),
        ] {
            let via = Via::parse(text.as_bytes()).expect(text);
            assert_eq!(
                (via.transport, via.host, via.port, via.unique_branch()),
                (transport, host, port, branch)
            );
        }
        for wrong in [
            "",
            "SIP/2.0",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/3.0/UDP h",
            "HTTP/2.0/UDP h",
            "SIP/2.0/UDP h:x",
            "SIP/2.0/UDP 192.0.2.15;;,;,,",
            "SIP/2.0/UDP h i",
            "SIP/2.0/UDP;h",
            "SIP/2.0/UDP [::1",
        ] {
            assert_eq!(Via::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn the_real_source_is_written_down() {
        let at: SocketAddr = "198.51.100.7:40000".parse().unwrap();
        for (via, force, stamped, to) in [
            (
                "SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1",
                false,
                None,
                "198.51.100.7:5060",
            ),
            (
                "SIP/2.0/UDP 10.0.0.2:5062;branch=z9hG4bK1",
                false,
                Some("SIP/2.0/UDP 10.0.0.2:5062;branch=z9hG4bK1;received=198.51.100.7"),
                "198.51.100.7:5062",
            ),
            (
                "SIP/2.0/UDP 10.0.0.2;rport;branch=z9hG4bK1",
                false,
                Some("SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1;received=198.51.100.7;rport=40000"),
                "198.51.100.7:40000",
            ),
            (
                "SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1",
                true,
                Some("SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1;received=198.51.100.7;rport=40000"),
                "198.51.100.7:40000",
            ),
            (
                "SIP/2.0/UDP 198.51.100.7;received=203.0.113.9;rport=9",
                false,
                Some("SIP/2.0/UDP 198.51.100.7;received=198.51.100.7;rport=40000"),
                "198.51.100.7:40000",
            ),
        ] {
            let mut fields = Fields::default();
            fields.push(Name::Via, via);
            stamp(&mut fields, at, force).unwrap();
            assert_eq!(fields.text(Name::Via), Some(stamped.unwrap_or(via)));
            let peer = fields.top_via().unwrap().response_peer().unwrap();
            assert_eq!(peer.address.to_string(), to);
        }
    }
}
