//! What must hold whatever comes in: the check behind the fuzz target and the replayed corpus.
//! A violation panics.
//!
//! The first byte says what the others are: a message (0), a stream in pieces (1), a
//! description (2), credentials and the like (3), or messages to a proxy with a phone behind it (4).

use std::time::Duration;

use super::world::World;
use super::{Office, Weather};
use crate::address::Address;
use crate::auth::{Challenge, Credentials};
use crate::message::{Fault, Frame, Limits, Message, Name, Request, Response, Stream};
use crate::proxy::{self, Leave, Own};
use crate::registrar;
use crate::sdp::{Sdp, SdpFault};
use crate::transport::Transport;
use crate::uri::Uri;

/// How an input ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// A request.
    Request,
    /// A response.
    Response,
    /// No message.
    Refused(Fault),
    /// A stream: the messages in it.
    Stream(usize),
    /// A description.
    Sdp,
    /// No description.
    NoSdp(SdpFault),
    /// Values.
    Values,
    /// Messages to a proxy; whether it was still busy a minute later.
    Proxy(bool),
}

/// Any bytes.
///
/// # Panics
/// When something holds no longer.
#[must_use]
pub fn any(input: &[u8]) -> Option<End> {
    let (kind, rest) = input.split_first()?;
    match kind {
        0 => Some(message(rest)),
        1 => Some(stream(rest)),
        2 => Some(description(rest)),
        3 => Some(values(rest)),
        4 => Some(office(rest)),
        _ => None,
    }
}

fn message(bytes: &[u8]) -> End {
    let limits = Limits::default();
    let message = match Message::parse(bytes.to_vec(), &limits) {
        Ok(message) => message,
        Err(refusal) => {
            if let Some(answer) = refusal.answer() {
                assert!((400..600).contains(&answer.status.code()));
                let bytes = answer.encode();
                assert!(bytes.starts_with(b"SIP/2.0 "));
            }
            return End::Refused(refusal.fault);
        }
    };
    // Without limits: an added Content-Length may be one field too many.
    let again = Message::parse(message.encode(), &UNLIMITED);
    assert_eq!(again.as_ref(), Ok(&message), "read again");
    match message {
        Message::Request(request) => {
            answered(&request);
            forwarded(&request);
            End::Request
        }
        Message::Response(response) => {
            if let Some(back) = proxy::back(response.clone()) {
                let before = response.fields.values(Name::Via).count();
                assert_eq!(back.fields.values(Name::Via).count() + 1, before);
            }
            End::Response
        }
    }
}

const UNLIMITED: Limits = Limits {
    message: usize::MAX,
    head: usize::MAX,
    fields: usize::MAX,
};

fn readable(bytes: Vec<u8>) {
    let read = Message::parse(bytes.clone(), &UNLIMITED);
    assert!(read.is_ok(), "{read:?} {}", String::from_utf8_lossy(&bytes));
}

fn answered(request: &Request) {
    let response = Response::answer(request, crate::Status::BUSY);
    readable(response.encode());
    assert!(response.fields.to_tag().is_some());
}

fn forwarded(request: &Request) {
    let own = Own {
        hosts: vec!["192.0.2.1".to_owned(), "example.com".to_owned()],
        ports: vec![5060],
    };
    let mut request = request.clone();
    let source = ([198, 51, 100, 7], 40_000).into();
    assert_eq!(crate::via::stamp(&mut request.fields, source, true), Ok(()));
    assert!(
        request
            .fields
            .top_via()
            .is_ok_and(|via| via.params.get("rport") == Some("40000"))
    );
    if proxy::check(&request, &own).is_err() || proxy::take_routes(&mut request, &own).is_err() {
        return;
    }
    let leave = Leave {
        transport: Transport::Udp,
        sent_by: "192.0.2.1:5060",
        unique: "1",
        uri: Some("sip:bob@10.0.0.9"),
        record_routes: &[proxy::record_route("192.0.2.1:5060", Transport::Tcp)],
    };
    if let Ok(out) = proxy::forward(&request, &leave) {
        let vias = request.fields.values(Name::Via).count();
        assert_eq!(out.fields.values(Name::Via).count(), vias + 1);
        assert_eq!(out.fields.body(), request.fields.body());
        readable(out.encode());
    }
    let now = Duration::from_secs(100);
    let settings = registrar::Settings::default();
    let from = Office::peer();
    let none: &[registrar::Binding] = &[];
    match registrar::register(now, &request, from, none, &settings) {
        Ok(update) => {
            readable(registrar::accept(now, &request, &update.bindings).encode());
            let again = registrar::register(now, &request, from, &update.bindings, &settings);
            assert_eq!(again.map(|again| again.bindings), Ok(update.bindings));
        }
        Err(refused) => readable(refused.answer(&request, &settings).encode()),
    }
}

/// The first byte is the size of the pieces.
fn stream(bytes: &[u8]) -> End {
    let size = bytes.first().map_or(1, |size| usize::from(*size).max(1));
    let rest = bytes.get(1..).unwrap_or_default();
    let frames = |size: usize| {
        let mut stream = Stream::new(Limits::default());
        let mut messages = Vec::new();
        for piece in rest.chunks(size) {
            stream.push(piece);
            loop {
                match stream.next() {
                    Ok(Some(Frame::Message(message))) => messages.push(message),
                    Ok(Some(Frame::Ping | Frame::Pong)) => {}
                    Ok(None) => break,
                    Err(_) => return messages,
                }
            }
        }
        messages
    };
    let messages = frames(size);
    assert_eq!(
        messages,
        frames(rest.len().max(1)),
        "pieces change messages"
    );
    End::Stream(messages.len())
}

fn description(bytes: &[u8]) -> End {
    let sdp = match Sdp::parse(bytes) {
        Ok(sdp) => sdp,
        Err(fault) => return End::NoSdp(fault),
    };
    assert_eq!(sdp.rewrite(|_, _| None), bytes);
    let address = "203.0.113.9".parse().ok();
    let changed = sdp.rewrite(|_, _| address);
    // A longer address may be what makes it too long.
    if changed.len() < 16_000 {
        let again = Sdp::parse(&changed).expect("what was written is read");
        let fixed = |found: std::net::IpAddr| Some(found) == address || found.is_unspecified();
        assert!(again.addresses().all(|(_, found)| fixed(found)));
        assert_eq!(again.media().len(), sdp.media().len());
    }
    End::Sdp
}

fn values(bytes: &[u8]) -> End {
    if let Some(challenge) = Challenge::parse(bytes) {
        assert!(Challenge::parse(challenge.encode().as_bytes()).is_some());
    }
    if let Some(credentials) = Credentials::parse(bytes) {
        assert!(Credentials::parse(credentials.encode().as_bytes()).is_some());
    }
    if let Some(address) = Address::parse(bytes) {
        let again = address.with_uri(address.text);
        let again = Address::parse(&again).expect("what was written is read");
        assert_eq!((again.text, again.params), (address.text, address.params));
    }
    if let Some(uri) = std::str::from_utf8(bytes)
        .ok()
        .and_then(Uri::parse)
        .and_then(Uri::sip)
    {
        assert!(uri.same(uri));
        let text = uri.to_string();
        let again = Uri::parse(&text).and_then(Uri::sip);
        assert_eq!(again.map(|again| again.to_string()), Some(text));
    }
    End::Values
}

/// Messages with two bytes before each for its length, to an office where a phone is
/// registered, one every 100 ms, 64 at most.
fn office(mut bytes: &[u8]) -> End {
    let mut world = World::new(2, Weather::default());
    for phone in 0..2 {
        world.tell(phone, crate::ua::Agent::register);
    }
    world.run(Duration::from_secs(1));
    let mut left = 64;
    while let Some((length, rest)) = bytes.split_first_chunk().filter(|_| left > 0) {
        left -= 1;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (message, rest) = rest.split_at(length);
        bytes = rest;
        world.inject(1, message.to_vec());
        world.run(Duration::from_millis(100));
    }
    // Longer than anything lasts: an INVITE rings for three minutes, then is cancelled.
    let busy = !world.office.is_idle();
    let settled = world.settle(Duration::from_secs(400));
    assert!(settled, "something is kept for ever");
    End::Proxy(busy)
}
