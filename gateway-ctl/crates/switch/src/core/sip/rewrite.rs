//! Other addresses in Contact and descriptions: those that the other end is given.

use std::net::{IpAddr, Ipv4Addr};

use ::sip::sdp::{self, Sdp, SdpFault};
use ::sip::{Address, Fields, Name};

use crate::address::{Choice, Place};
use crate::h248::session;
use crate::identity::is_private;

/// What an end says, as the other end is told it. Ports stay: they are the phone's own inside and
/// outside.
///
/// # Errors
/// A description that cannot be read; the Contact is told all the same.
pub(super) fn retell(fields: &mut Fields, of: Place, choice: Choice) -> Result<(), SdpFault> {
    contact(fields, of, choice);
    if fields.body().is_empty() || !fields.is_type("application/sdp") {
        return Ok(());
    }
    let described = description(fields.body(), of, choice)?;
    if described != fields.body() {
        fields.set_body(&described);
    }
    Ok(())
}

/// A description with the address that the other end is given.
fn description(body: &[u8], of: Place, choice: Choice) -> Result<Vec<u8>, SdpFault> {
    let there = IpAddr::V4(choice.of(of));
    let other = |place, address: IpAddr| {
        let media = place != sdp::Place::Origin;
        (media && address != there && is_its(address, of)).then_some(there)
    };
    Ok(Sdp::parse(body)?.rewrite(other))
}

/// What an end describes, as a line of H.248 is told it; nothing, if it describes nothing.
pub(in crate::core) fn for_line(body: &[u8], of: Place, choice: Choice) -> Option<Vec<u8>> {
    match body.is_empty() {
        true => Some(Vec::new()),
        // On hold from the start, without an address: it is told later.
        false => Some(change_of(body, of, choice)?.text.unwrap_or_default()),
    }
}

/// The same, and which way media flow.
pub(super) fn change_of(body: &[u8], of: Place, choice: Choice) -> Option<session::Remote> {
    session::remote(&description(body, of, choice).ok()?)
}

fn contact(fields: &mut Fields, of: Place, choice: Choice) {
    let value = fields.first(Name::Contact).and_then(Address::parse);
    let Some((address, uri)) = value.and_then(|address| Some((address, address.uri.sip()?))) else {
        return;
    };
    let there = IpAddr::V4(choice.of(of));
    if uri.ip().is_some_and(|ip| ip != there && is_its(ip, of)) {
        let value = address.with_uri(&uri.at(there, uri.port));
        fields.replace_value(Name::Contact, &value);
    }
}

/// Whether an address that an end names is its own: one of the two, or a private one, which nobody
/// could reach elsewhere. Media may also be somebody else's, such as a server's of a trunk.
fn is_its(address: IpAddr, of: Place) -> bool {
    let behind_nat = !is_private(of.public);
    let of = |address: Ipv4Addr| {
        let own = address == of.public || address == of.private;
        own || (behind_nat && is_private(address))
    };
    matches!(address, IpAddr::V4(address) if of(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        public: Ipv4Addr::new(198, 51, 100, 1),
        port: 40_000,
        private: Ipv4Addr::new(10, 10, 1, 1),
    };

    fn told(contact: &str, connection: &str, choice: Choice) -> (String, String) {
        let mut fields = Fields::default();
        fields.push(Name::Contact, format!("\"A\" <sip:a@{contact}>;x=1"));
        fields.push(Name::ContentType, "application/sdp");
        let body = format!(
            "v=0\r\no=- 1 1 IN IP4 {connection}\r\ns=-\r\nc=IN IP4 {connection}\r\nt=0 0\r\n\
             m=audio 40002 RTP/AVP 0\r\na=rtcp:40003 IN IP4 {connection}\r\n"
        );
        fields.set_body(body.as_bytes());
        retell(&mut fields, PLACE, choice).unwrap();
        let body = String::from_utf8_lossy(fields.body()).into_owned();
        let line = |begin: &str| body.lines().find(|line| line.starts_with(begin)).unwrap();
        assert!(line("o=").ends_with(connection), "{body}");
        let (media, control) = (
            line("c=IN IP4 ").to_owned(),
            line("a=rtcp:40003 IN IP4 ").to_owned(),
        );
        assert_eq!(media.split(' ').next_back(), control.split(' ').next_back());
        let contact = fields.text(Name::Contact).unwrap().to_owned();
        (contact, media["c=IN IP4 ".len()..].to_owned())
    }

    #[test]
    fn the_address_that_was_chosen_is_told_and_no_port_changes() {
        let contact = |address: &str| format!("\"A\" <sip:a@{address}:40010>;x=1");
        for (says, choice, is_told) in [
            ("10.10.1.1", Choice::Public, "198.51.100.1"),
            ("10.10.1.1", Choice::Private, "10.10.1.1"),
            // It knows its public address itself.
            ("198.51.100.1", Choice::Public, "198.51.100.1"),
            ("198.51.100.1", Choice::Private, "10.10.1.1"),
            // Another interface of it: nobody could reach that outside.
            ("192.168.7.7", Choice::Public, "198.51.100.1"),
            // A server's.
            ("203.0.113.80", Choice::Public, "203.0.113.80"),
            ("203.0.113.80", Choice::Private, "203.0.113.80"),
        ] {
            let (contact_told, media) = told(&format!("{says}:40010"), says, choice);
            assert_eq!(contact_told, contact(is_told), "{says} {choice:?}");
            assert_eq!(media, is_told, "{says} {choice:?}");
        }
        // A trunk's, at a private network of the operator's.
        let trunk = Place {
            public: Ipv4Addr::new(10, 50, 0, 1),
            port: 5060,
            private: Ipv4Addr::new(10, 50, 0, 1),
        };
        let server = IpAddr::V4(Ipv4Addr::new(10, 50, 0, 2));
        assert!(!is_its(server, trunk) && is_its(server, PLACE));
        // On hold, and a name.
        let (_, media) = told("a.example", "0.0.0.0", Choice::Public);
        assert_eq!(media, "0.0.0.0");
        let (contact_told, _) = told("a.example", "10.10.1.1", Choice::Public);
        assert_eq!(contact_told, "\"A\" <sip:a@a.example>;x=1");
    }
}
