//! Requests on their way through, and back.

use super::*;
use crate::message::{Limits, Message, Method};

fn own() -> Own {
    Own {
        hosts: vec!["192.0.2.1".to_owned(), "Pbx.example.net".to_owned()],
        ports: vec![5060, 5061],
    }
}

fn request(extra: &str) -> Request {
    let text = format!(
        "INVITE sip:2002@pbx.example.net SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1\r\n\
        From: <sip:2001@pbx.example.net>;tag=1\r\nTo: <sip:2002@pbx.example.net>\r\n\
        Call-ID: x\r\nCSeq: 1 INVITE\r\n{extra}Content-Length: 0\r\n\r\n"
    );
    match Message::parse(text.into_bytes(), &Limits::default()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn leave() -> Leave<'static> {
    Leave {
        transport: Transport::Udp,
        sent_by: "192.0.2.1:5060",
        unique: "u1",
        uri: Some("sip:2002@10.0.0.3:5062"),
        record_routes: &[],
    }
}

#[test]
fn a_request_goes_on_with_its_traces() {
    let routes = [
        record_route("192.0.2.1:5060", Transport::Udp),
        record_route("192.0.2.1:5060", Transport::Tcp),
    ];
    let leave = Leave {
        record_routes: &routes,
        ..leave()
    };
    let request = request("Max-Forwards: 10\r\nRecord-Route: <sip:edge;lr>\r\nX-Odd:  kept \r\n");
    assert_eq!(check(&request, &own()), Ok(()));
    let out = forward(&request, &leave).unwrap();
    let text = String::from_utf8(out.encode()).unwrap();
    let mark = mark(&request);
    let expected = format!(
        "INVITE sip:2002@10.0.0.3:5062 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKu1.{mark}\r\n\
        Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1\r\n\
        From: <sip:2001@pbx.example.net>;tag=1\r\nTo: <sip:2002@pbx.example.net>\r\n\
        Call-ID: x\r\nCSeq: 1 INVITE\r\nMax-Forwards: 9\r\nRecord-Route: <sip:192.0.2.1:5060;lr>\r\n\
        Record-Route: <sip:192.0.2.1:5060;transport=tcp;lr>\r\nRecord-Route: <sip:edge;lr>\r\n\
        X-Odd:  kept \r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(text, expected);
    let hop = |target| next_hop(&request, target).map(|peer| peer.address.to_string());
    assert_eq!(hop(leave.uri).as_deref(), Some("10.0.0.3:5062"));
    assert_eq!(hop(None), None, "a name");
    let out = forward(&self::request(""), &leave).unwrap();
    assert_eq!(out.fields.max_forwards(), Ok(Some(70)));
}

#[test]
fn what_may_not_be_forwarded_is_told_why() {
    let own = own();
    for (extra, uri, rejected, status) in [
        ("Max-Forwards: 0\r\n", None, Rejected::TooManyHops, 483),
        ("Proxy-Require: a, b\r\n", None, Rejected::Extension, 420),
        (
            "",
            Some("soap.beep://192.0.2.103:3002"),
            Rejected::Scheme,
            416,
        ),
        ("", Some("sip:x@"), Rejected::Fault(Fault::Uri), 400),
    ] {
        let mut request = request(extra);
        if let Some(uri) = uri {
            request.set_uri(uri);
        }
        assert_eq!(check(&request, &own), Err(rejected));
        let answer = rejected.answer(&request);
        assert_eq!(answer.status.code(), status);
        let unsupported = answer.fields.values(Name::Unsupported).count();
        assert_eq!(
            unsupported,
            if rejected == Rejected::Extension {
                2
            } else {
                0
            }
        );
    }
}

#[test]
fn a_loop_is_found_and_a_spiral_is_none() {
    let first = request("");
    let again = forward(
        &first,
        &Leave {
            uri: None,
            ..leave()
        },
    )
    .unwrap();
    assert_eq!(check(&again, &own()), Err(Rejected::Loop));
    // The same call to another target is a spiral.
    let spiral = forward(&first, &leave()).unwrap();
    assert_eq!(check(&spiral, &own()), Ok(()));
    // Somebody else's branch says nothing to us.
    let other = Own {
        hosts: vec!["192.0.2.9".to_owned()],
        ports: vec![5060],
    };
    assert_eq!(check(&again, &other), Ok(()));
}

#[test]
fn own_routes_are_taken_and_others_followed() {
    let routes = "Route: <sip:192.0.2.1;lr>, <sip:pbx.example.net:5061;transport=tls;lr>\r\nRoute: <sip:198.51.100.1;lr>\r\n";
    let mut passing = request(routes);
    let taken = take_routes(&mut passing, &own()).unwrap();
    assert_eq!(taken.as_deref(), Some("sip:192.0.2.1;lr"));
    let left: Vec<_> = passing.fields.values(Name::Route).collect();
    assert_eq!(left, [b"<sip:198.51.100.1;lr>"]);
    assert_eq!(
        next_hop(&passing, Some("sip:10.0.0.3"))
            .unwrap()
            .address
            .to_string(),
        "198.51.100.1:5060"
    );
    let mut foreign = request("Route: <sip:192.0.2.1:5070;lr>\r\n");
    assert_eq!(take_routes(&mut foreign, &own()), Ok(None));
    let mut none = request("");
    assert_eq!(take_routes(&mut none, &own()), Ok(None));
    let mut broken = request("Route: <sip:192.0.2.1\r\n");
    assert_eq!(
        take_routes(&mut broken, &own()),
        Err(Rejected::Fault(Fault::Syntax(Name::Route)))
    );
}

/// Sections 16.12.1.2 and 16.12.1.3: strict routers before and behind this element.
#[test]
fn strict_routers_are_understood() {
    let mut request = request("Route: <sip:198.51.100.1>, <sip:2002@10.0.0.3>\r\n");
    request.set_uri("sip:192.0.2.1;lr");
    let taken = take_routes(&mut request, &own()).unwrap();
    assert_eq!(taken.as_deref(), Some("sip:192.0.2.1;lr"));
    assert_eq!(request.uri(), "sip:2002@10.0.0.3");
    let hop = next_hop(&request, None).unwrap();
    assert_eq!(hop.address.to_string(), "198.51.100.1:5060");
    let out = forward(
        &request,
        &Leave {
            uri: None,
            ..leave()
        },
    )
    .unwrap();
    assert_eq!(out.uri(), "sip:198.51.100.1");
    let routes: Vec<_> = out.fields.values(Name::Route).collect();
    assert_eq!(routes, [b"<sip:2002@10.0.0.3>"]);
}

#[test]
fn answers_go_back_without_our_via() {
    let asked = forward(&request(""), &leave()).unwrap();
    let answer = |status| back(Response::answer(&asked, status));
    let busy = answer(Status::BUSY).unwrap();
    let vias: Vec<_> = busy.fields.values(Name::Via).collect();
    assert_eq!(vias, [b"SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1"]);
    assert_eq!(answer(Status::TRYING), None);
    let text = String::from_utf8(answer(Status::SERVICE_UNAVAILABLE).unwrap().encode()).unwrap();
    assert!(
        text.starts_with("SIP/2.0 500 Next hop is busy\r\nVia: SIP/2.0/UDP 10.0.0.2;"),
        "{text}"
    );
    assert_eq!(back(Response::answer(&request(""), Status::OK)), None);
}

#[test]
fn an_ack_is_forwarded_like_a_request() {
    let mut ack = request("Route: <sip:192.0.2.1;lr>\r\n");
    ack.method = Method::Ack;
    take_routes(&mut ack, &own()).unwrap();
    let out = forward(&ack, &leave()).unwrap();
    assert_eq!(out.fields.count(Name::Route), 0);
    assert!(
        out.encode()
            .starts_with(b"ACK sip:2002@10.0.0.3:5062 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;")
    );
}
