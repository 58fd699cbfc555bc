//! Where phones are reached.

use ::sip::{Peer, SipUri, Transport, Uri};

use crate::sip::Device;

/// Somebody over TCP by a Contact: when the connection that it has made is over, a new one is made to the
/// port that it names. Ports are the same on both sides of a gateway.
pub(super) fn connectable(source: Peer, contact: Option<SipUri<'_>>) -> Peer {
    let contact = contact.and_then(Peer::of);
    let tcp = |peer: &Peer| peer.transport == Transport::Tcp;
    match contact.filter(|contact| tcp(contact) && tcp(&source)) {
        Some(contact) => source.with_listens(Some(contact.address.port())),
        None => source,
    }
}

/// Where a phone is reached: by UDP at the port of its Contact, if that names the host that it
/// speaks from; else, and on its connection, where its registration came from.
pub(super) fn reached_at(device: &Device) -> Peer {
    let source = device.binding.source;
    if !device.binding.path.is_empty() {
        return source;
    }
    // Not as a Contact's value: without brackets the parameters would not be the URI's.
    let uri = Uri::parse(&device.binding.uri).and_then(Uri::sip);
    let source = connectable(source, uri);
    let Some(contact) = uri.and_then(Peer::of) else {
        return source;
    };
    // At another host than it has spoken from there may be anybody: a trunk, for instance.
    let same_host = contact.address.ip() == source.address.ip();
    match contact.transport == Transport::Udp && source.transport == Transport::Udp && same_host {
        true => contact.with_local(source.local),
        false => source,
    }
}

#[cfg(test)]
mod tests {
    use ::sip::registrar::Binding;

    use super::*;
    use crate::address::Place;

    fn device(contact: &str, source: Peer) -> Device {
        let private = std::net::Ipv4Addr::new(10, 10, 1, 1);
        Device {
            binding: Binding {
                uri: contact.to_owned(),
                display: String::new(),
                params: String::new(),
                expires: std::time::Duration::from_secs(60),
                call_id: "1".to_owned(),
                cseq: 1,
                path: Vec::new(),
                source,
                agent: None,
            },
            place: Place {
                public: private,
                port: 40_000,
                private,
            },
            mac: None,
            since: 0,
        }
    }

    #[test]
    fn phones_over_tcp_are_connected_to_at_the_port_of_their_contact() {
        let over = |transport, port: u16| Peer {
            transport,
            ..Peer::udp(([198, 51, 100, 1], port).into())
        };
        for (contact, source, reached, connects_at) in [
            (
                "sip:a@10.10.1.1:40000;transport=tcp",
                over(Transport::Tcp, 50_001),
                50_001,
                40_000,
            ),
            (
                "sip:a@10.10.1.1;transport=tcp",
                over(Transport::Tcp, 50_001),
                50_001,
                5060,
            ),
            // It can't be: it has said so of UDP, or of a name, or is spoken to on its own alone.
            (
                "sip:a@10.10.1.1:40000",
                over(Transport::Tcp, 50_001),
                50_001,
                50_001,
            ),
            (
                "sip:a@a.example:40000;transport=tcp",
                over(Transport::Tcp, 50_001),
                50_001,
                50_001,
            ),
            (
                "sip:a@10.10.1.1:40000;transport=tls",
                over(Transport::Tls, 50_001),
                50_001,
                50_001,
            ),
            (
                "sip:a@10.10.1.1:40000",
                over(Transport::Udp, 40_000),
                40_000,
                40_000,
            ),
        ] {
            let peer = reached_at(&device(contact, source));
            assert_eq!(peer.address.port(), reached, "{contact}");
            let connects_at = std::net::SocketAddr::from(([198, 51, 100, 1], connects_at));
            assert_eq!(peer.connects_at(), connects_at, "{contact}");
        }
    }
}
