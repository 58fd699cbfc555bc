//! A phone and a registrar that asks for a password.

use std::net::Ipv4Addr;

use md5::{Digest as _, Md5};
use sha2::Sha256;
use sip::auth::{Algorithm, Challenge, Credentials};
use sip::message::{Limits, Name};
use sip::{Message, Method, Request, Response};

use super::*;
use crate::phone::streams::Common;

const PRIMARY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 5060);
const BACKUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 2), 5060);
const SIGNALLING: u16 = 1024;
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 10.0.0.8\r\ns=-\r\nc=IN IP4 10.0.0.8\r\nt=0 0\r\n\
                   m=audio 4000 RTP/AVP 8 0\r\n";

struct Bed {
    phone: Phone,
    now: Duration,
    sent: Vec<(SocketAddrV4, Vec<u8>)>,
    events: Vec<Event>,
}

impl Bed {
    fn new() -> Self {
        let common = Common {
            address: Ipv4Addr::new(10, 0, 0, 7),
            ports: "1024-1031".parse().unwrap(),
            tone_hz: 440,
            mute: false,
            name: "a1".to_owned(),
            epoch: Duration::from_secs(1_700_000_000),
        };
        let settings = Settings {
            switches: vec![PRIMARY, BACKUP],
            user: "5001".to_owned(),
            password: "secret".to_owned(),
            domain: Some("pbx.example".to_owned()),
            expires: Duration::from_secs(600),
            t1: Duration::from_millis(100),
            trace: false,
        };
        let streams = Streams::new(common, Random::new(1));
        let mut bed = Self {
            phone: Phone::new(settings, streams, Random::new(2)),
            now: Duration::from_secs(1),
            sent: Vec::new(),
            events: Vec::new(),
        };
        bed.with(|phone, now, out| phone.start(now, out));
        bed
    }

    fn with(&mut self, act: impl FnOnce(&mut Phone, Duration, &mut Vec<Output>)) {
        let mut out = Vec::new();
        act(&mut self.phone, self.now, &mut out);
        for output in out {
            match output {
                Output::Tell(_, event) => self.events.push(event),
                Output::Send(datagram) if datagram.port == SIGNALLING => {
                    self.sent.push((datagram.to, datagram.bytes));
                }
                _ => {}
            }
        }
    }

    fn request(&mut self) -> (SocketAddrV4, Request) {
        let (to, bytes) = self.sent.remove(0);
        match Message::parse(bytes, &Limits::default()).unwrap() {
            Message::Request(request) => (to, request),
            other => panic!("{other:?}"),
        }
    }

    fn tell(&mut self, from: SocketAddrV4, bytes: &[u8]) {
        self.with(|phone, now, out| phone.handle(now, SIGNALLING, from, bytes, out));
    }

    fn answer(
        &mut self,
        from: SocketAddrV4,
        request: &Request,
        code: u16,
        more: &[(Name, &str)],
        body: &str,
    ) {
        let mut response = Response::answer(request, Status::new(code).unwrap());
        if code > 100 {
            response.fields.set_to_tag("there");
        }
        for (name, value) in more {
            response.fields.push(*name, value);
        }
        response.fields.set_body(body.as_bytes());
        self.tell(from, &response.encode());
    }

    fn register(&mut self) {
        let (to, request) = self.request();
        assert_eq!((to, request.method.clone()), (PRIMARY, Method::Register));
        self.answer(PRIMARY, &request, 200, &[(Name::Expires, "600")], "");
        assert_eq!(self.phone.registered(), Some(PRIMARY));
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.phone.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.with(|phone, now, out| phone.handle_timeout(now, out));
        }
        self.now = end;
    }
}

fn hash(algorithm: Algorithm, text: &str) -> String {
    let bytes = match algorithm {
        Algorithm::Md5 => Md5::digest(text).to_vec(),
        _ => Sha256::digest(text).to_vec(),
    };
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_password_is_proved_by_either_algorithm() {
    for (algorithm, word) in [(Algorithm::Md5, "MD5"), (Algorithm::Sha256, "SHA-256")] {
        let mut bed = Bed::new();
        let (_, first) = bed.request();
        assert_eq!(first.uri(), "sip:pbx.example");
        let challenge =
            format!("Digest realm=\"pbx\", nonce=\"abc\", algorithm={word}, qop=\"auth\"");
        assert!(Challenge::parse(challenge.as_bytes()).is_some());
        bed.answer(
            PRIMARY,
            &first,
            401,
            &[(Name::WwwAuthenticate, &challenge)],
            "",
        );
        let (_, second) = bed.request();
        let given = second.fields.value(Name::Authorization).unwrap();
        let given = Credentials::parse(given).unwrap();
        let (count, cnonce) = given.used.clone().unwrap();
        // RFC 7616 section 3.4.
        let one = hash(algorithm, "5001:pbx:secret");
        let other = hash(algorithm, "REGISTER:sip:pbx.example");
        let proof = hash(
            algorithm,
            &format!("{one}:abc:{count}:{cnonce}:auth:{other}"),
        );
        assert_eq!(
            (given.user.as_str(), given.response),
            ("5001", proof),
            "{word}"
        );
        bed.answer(PRIMARY, &second, 200, &[(Name::Expires, "600")], "");
        assert_eq!(bed.phone.registered(), Some(PRIMARY));
    }
}

#[test]
fn a_wrong_password_is_told() {
    let mut bed = Bed::new();
    let (_, first) = bed.request();
    bed.answer(PRIMARY, &first, 403, &[], "");
    assert!(matches!(
        bed.events.last(),
        Some(Event::Error {
            code: Some(403),
            ..
        })
    ));
    assert_eq!(bed.phone.registered(), None);
}

#[test]
fn a_silent_registrar_makes_it_ask_the_other() {
    let mut bed = Bed::new();
    // 64 times T1.
    bed.wait(Duration::from_millis(6500));
    let (to, bytes) = bed.sent.pop().unwrap();
    assert!(bytes.starts_with(b"REGISTER"));
    assert_eq!(to, BACKUP);
}

#[test]
fn a_call_is_made_with_its_own_port_and_the_others_codec() {
    let mut bed = Bed::new();
    bed.register();
    bed.with(|phone, now, out| phone.act(now, &Act::Dial("5002".to_owned()), out));
    let (to, invite) = bed.request();
    assert_eq!((to, invite.uri()), (PRIMARY, "sip:5002@pbx.example"));
    let offer = String::from_utf8(invite.fields.body().to_vec()).unwrap();
    assert!(
        offer.contains("c=IN IP4 10.0.0.7\r\n") && offer.contains("m=audio 1026 RTP/AVP 0 8\r\n")
    );
    bed.answer(PRIMARY, &invite, 180, &[], "");
    assert_eq!(bed.phone.line().tone, Some(Tone::RingBack));
    let contact = [
        (Name::Contact, "<sip:5002@10.0.0.8>"),
        (Name::ContentType, "application/sdp"),
    ];
    bed.answer(PRIMARY, &invite, 200, &contact, SDP);
    let remote = "10.0.0.8:4000".parse().unwrap();
    let local = "10.0.0.7:1026".parse().unwrap();
    assert_eq!(bed.phone.line().talk, Some(Talk::Stream { local, remote }));
    assert_eq!(bed.phone.line().tone, None);
    let session = bed.phone.streams().get(1026).unwrap();
    assert_eq!(session.summary().codec, "PCMA");
    let (_, ack) = bed.request();
    assert_eq!(ack.method, Method::Ack);
    bed.with(|phone, now, out| phone.act(now, &Act::OnHook, out));
    assert_eq!(bed.request().1.method, Method::Bye);
    assert!(matches!(bed.events.last(), Some(Event::OnHook)));
}

#[test]
fn options_are_answered_and_a_second_call_is_told_busy() {
    let mut bed = Bed::new();
    bed.register();
    let ask = |method: &str, id: &str| {
        format!(
            "{method} sip:5001@10.0.0.7:1024 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{id}\r\n\
             From: <sip:5002@pbx.example>;tag={id}\r\nTo: <sip:5001@pbx.example>\r\nCall-ID: {id}\r\n\
             CSeq: 1 {method}\r\nContact: <sip:5002@192.0.2.1>\r\nMax-Forwards: 70\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}",
            SDP.len()
        )
    };
    let status = |bed: &mut Bed| {
        let (_, bytes) = bed.sent.remove(0);
        String::from_utf8(bytes).unwrap()[8..11].to_owned()
    };
    bed.tell(PRIMARY, ask("OPTIONS", "one").as_bytes());
    assert_eq!(status(&mut bed), "200");
    bed.tell(PRIMARY, ask("INVITE", "two").as_bytes());
    assert_eq!(status(&mut bed), "180");
    assert!(bed.phone.line().ringing);
    assert_eq!(
        bed.phone.line().caller.as_deref(),
        Some("sip:5002@pbx.example")
    );
    bed.tell(PRIMARY, ask("INVITE", "three").as_bytes());
    assert_eq!(status(&mut bed), "486");
    bed.with(|phone, now, out| phone.act(now, &Act::OffHook, out));
    assert_eq!(status(&mut bed), "200");
    assert!(bed.phone.line().talk.is_some());
}
