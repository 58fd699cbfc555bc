//! The torture test messages of RFC 4475: what this crate does with each.
//!
//! | verdict | means |
//! |---|---|
//! | sound | taken, and sent again as it came |
//! | refused | the fault, and the code of the answer if there is one |

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use sip::auth::{Algorithm, Denied, Ha1, Realm, RealmSettings};
use sip::proxy::{self, Own, Rejected};
use sip::registrar::{self, Settings};
use sip::sdp::Sdp;
use sip::transaction::{self, Output, Transactions};
use sip::{Fault, Limits, Message, Name, Peer, Request, Uri};

/// Section, name, and why it is refused with which answer.
type Row = (&'static str, &'static str, Option<(Fault, Option<u16>)>);

const TABLE: &[Row] = &[
    ("3.1.1.1", "wsinv", None),
    ("3.1.1.2", "intmeth", None),
    ("3.1.1.3", "esc01", None),
    ("3.1.1.4", "escnull", None),
    ("3.1.1.5", "esc02", None),
    ("3.1.1.6", "lwsdisp", None),
    ("3.1.1.7", "longreq", None),
    ("3.1.1.8", "dblreq", None),
    ("3.1.1.9", "semiuri", None),
    ("3.1.1.10", "transports", None),
    ("3.1.1.11", "mpart01", None),
    ("3.1.1.12", "unreason", None),
    ("3.1.1.13", "noreason", None),
    (
        "3.1.2.1",
        "badinv01",
        Some((Fault::Syntax(Name::Via), Some(400))),
    ),
    ("3.1.2.2", "clerr", Some((Fault::BodyCut, Some(400)))),
    ("3.1.2.3", "ncl", Some((Fault::ContentLength, Some(400)))),
    (
        "3.1.2.4",
        "scalar02",
        Some((Fault::Syntax(Name::MaxForwards), Some(400))),
    ),
    (
        "3.1.2.5",
        "scalarlg",
        Some((Fault::Syntax(Name::CSeq), None)),
    ),
    (
        "3.1.2.6",
        "quotbal",
        Some((Fault::Syntax(Name::To), Some(400))),
    ),
    ("3.1.2.7", "ltgtruri", Some((Fault::StartLine, Some(400)))),
    ("3.1.2.8", "lwsruri", Some((Fault::StartLine, Some(400)))),
    ("3.1.2.9", "lwsstart", Some((Fault::StartLine, Some(400)))),
    ("3.1.2.10", "trws", Some((Fault::StartLine, Some(400)))),
    ("3.1.2.11", "escruri", Some((Fault::Uri, Some(400)))),
    // Nobody here reads Date.
    ("3.1.2.12", "baddate", None),
    // Contact is read by the registrar, which refuses it.
    ("3.1.2.13", "regbadct", None),
    (
        "3.1.2.14",
        "badaspec",
        Some((Fault::Syntax(Name::To), Some(400))),
    ),
    // See also `a_comma_in_a_display_name_needs_quotes`.
    ("3.1.2.15", "baddn", Some((Fault::Cut, None))),
    ("3.1.2.16", "badvers", Some((Fault::Version, Some(505)))),
    (
        "3.1.2.17",
        "mismatch01",
        Some((Fault::MethodMismatch, Some(400))),
    ),
    (
        "3.1.2.18",
        "mismatch02",
        Some((Fault::MethodMismatch, Some(400))),
    ),
    ("3.1.2.19", "bigcode", Some((Fault::StartLine, None))),
    // The next are sound as messages; what is wrong with them is for transactions, proxy,
    // registrar or user agent to say.
    ("3.2.1", "badbranch", None),
    ("3.3.1", "insuf", Some((Fault::Missing(Name::From), None))),
    ("3.3.2", "unkscm", None),
    ("3.3.3", "novelsc", None),
    ("3.3.4", "unksm2", None),
    ("3.3.5", "bext01", None),
    ("3.3.6", "invut", None),
    ("3.3.7", "regaut01", None),
    (
        "3.3.8",
        "multi01",
        Some((Fault::Repeated(Name::From), Some(400))),
    ),
    ("3.3.9", "mcl01", Some((Fault::ContentLength, Some(400)))),
    ("3.3.10", "bcast", None),
    ("3.3.11", "zeromf", None),
    ("3.3.12", "cparam01", None),
    ("3.3.13", "cparam02", None),
    ("3.3.14", "regescrt", None),
    ("3.3.15", "sdp01", None),
    ("3.4.1", "inv2543", None),
];

fn fixtures() -> BTreeMap<String, Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rfc4475");
    let entries = fs::read_dir(folder).expect("a folder of fixtures");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "dat"))
        .map(|path| {
            let name = path
                .file_stem()
                .and_then(|name| name.to_str())
                .expect("a name");
            (name.to_owned(), fs::read(&path).expect("a readable file"))
        })
        .collect()
}

fn parse(bytes: &[u8]) -> Result<Message, sip::Refusal> {
    Message::parse(bytes.to_vec(), &Limits::default())
}

fn sound(name: &str) -> Message {
    let fixtures = fixtures();
    let bytes = fixtures.get(name).expect(name);
    parse(bytes).expect(name)
}

#[test]
fn every_message_gets_its_verdict() {
    let mut fixtures = fixtures();
    for (section, name, verdict) in TABLE {
        let bytes = fixtures.remove(*name).expect(name);
        let result = parse(&bytes);
        let got = result.as_ref().err().map(|refusal| {
            let answer = refusal.answer().map(|answer| answer.status.code());
            (refusal.fault, answer)
        });
        assert_eq!(got, *verdict, "{section} {name}");
        if let Ok(message) = result {
            let encoded = message.encode();
            let same =
                bytes.starts_with(&encoded) || message.fields().count(Name::ContentLength) == 0;
            assert!(same, "{section} {name} is not sent as it came");
            assert_eq!(parse(&encoded).as_ref(), Ok(&message), "{section} {name}");
        }
    }
    assert!(fixtures.is_empty(), "no verdict for {:?}", fixtures.keys());
}

#[test]
fn a_comma_in_a_display_name_needs_quotes() {
    let mut bytes = fixtures().remove("baddn").expect("a fixture");
    bytes.extend_from_slice(b"\r\n");
    let refusal = parse(&bytes).expect_err("a fault");
    assert_eq!(refusal.fault, Fault::Syntax(Name::From));
    assert_eq!(
        refusal.answer().map(|answer| answer.status.code()),
        Some(400)
    );
}

#[test]
fn a_short_tortuous_invite_is_understood() {
    let Message::Request(request) = sound("wsinv") else {
        panic!("a request");
    };
    let fields = &request.fields;
    assert_eq!(
        fields
            .to()
            .map(|to| (to.text.to_owned(), to.tag().map(str::to_owned))),
        Ok((
            "sip:vivekg@chair-dnrc.example.com".to_owned(),
            Some("1918181833n".to_owned())
        ))
    );
    assert_eq!(fields.from().expect("From").name(), "J Rosenberg \\\"");
    assert_eq!(fields.max_forwards(), Ok(Some(68)));
    assert_eq!(fields.cseq().map(|cseq| cseq.number), Ok(9));
    let vias: Vec<_> = fields
        .values(Name::Via)
        .map(|via| sip::Via::parse(via).expect("a Via"))
        .collect();
    let hosts: Vec<_> = vias
        .iter()
        .map(|via| (via.transport, via.host, via.branch()))
        .collect();
    assert_eq!(
        hosts,
        [
            ("UDP", "192.0.2.2", Some("390skdjuw")),
            ("TCP", "spindle.example.com", Some("z9hG4bK9ikj8")),
            ("UDP", "192.168.255.111", Some("z9hG4bK30239")),
        ]
    );
    assert_eq!(fields.value(Name::Subject), Some(&b""[..]));
    assert_eq!(
        fields.other("UnknownHeaderWithUnusualValue"),
        Some(&b";;,,;;,;"[..])
    );
    assert_eq!(
        fields.addresses(Name::Route).map(|routes| routes.len()),
        Ok(1)
    );
    let contact = fields.contact().expect("Contact");
    assert_eq!(
        (contact.name().as_str(), contact.text),
        ("Quoted string \"\"", "sip:jdrosen@example.com")
    );
    assert_eq!(contact.params.get("newparam"), Some("newvalue"));
    assert_eq!(contact.params.get("q"), Some("0.33"));
    assert_eq!(fields.body().len(), 150);
}

#[test]
fn what_follows_a_body_is_no_message_of_its_own() {
    let message = sound("dblreq");
    assert!(message.fields().body().is_empty());
    assert_eq!(message.fields().cseq().map(|cseq| cseq.number), Ok(8));
}

#[test]
fn users_are_told_by_what_their_escapes_mean() {
    let user = |name: &str| {
        let Message::Request(request) = sound(name) else {
            panic!("a request");
        };
        request
            .target()
            .ok()
            .and_then(|uri| Uri::number(uri).map(|user| user.into_owned()))
    };
    assert_eq!(user("esc01").as_deref(), Some("sips:user@example.com"));
    assert_eq!(user("semiuri").as_deref(), Some("user"));
    assert_eq!(
        user("intmeth").as_deref(),
        Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/")
    );
    assert_eq!(user("unkscm"), None);
    assert_eq!(user("novelsc"), None);
}

fn request(name: &str) -> Request {
    match sound(name) {
        Message::Request(request) => request,
        Message::Response(_) => panic!("{name} is a response"),
    }
}

/// What a proxy says to those that are sound as messages.
#[test]
fn a_proxy_says_what_it_does_not_forward() {
    let own = Own {
        hosts: vec!["192.0.2.250".to_owned()],
        ports: vec![5060],
    };
    for (name, rejected, status) in [
        ("unkscm", Rejected::Scheme, 416),
        ("novelsc", Rejected::Scheme, 416),
        ("bext01", Rejected::Extension, 420),
        ("zeromf", Rejected::TooManyHops, 483),
    ] {
        let request = request(name);
        assert_eq!(proxy::check(&request, &own), Err(rejected), "{name}");
        assert_eq!(rejected.answer(&request).status.code(), status, "{name}");
    }
    for name in [
        "wsinv",
        "intmeth",
        "esc01",
        "longreq",
        "semiuri",
        "transports",
        "invut",
        "sdp01",
        "inv2543",
    ] {
        assert_eq!(proxy::check(&request(name), &own), Ok(()), "{name}");
    }
    // An unknown scheme in To and From is not for a proxy to mind.
    assert_eq!(proxy::check(&request("unksm2"), &own), Ok(()));
}

/// A response whose next Via is a broadcast address goes nowhere.
#[test]
fn no_response_goes_to_everybody() {
    let Message::Response(response) = sound("bcast") else {
        panic!("a response");
    };
    let back = proxy::back(response).expect("another Via");
    let via = back.fields.top_via().expect("a Via");
    assert_eq!(via.host, "255.255.255.255");
    assert_eq!(via.response_peer(), None);
}

/// Without a branch of its own a request is told from others by the rest.
#[test]
fn a_branch_of_a_cookie_only_is_an_old_one() {
    let mut element = Transactions::new(transaction::Settings::default());
    let from = Peer::udp(([192, 0, 2, 1], 5060).into());
    let now = Duration::ZERO;
    let first = element.handle(now, from, sound("badbranch"));
    assert!(matches!(first.as_slice(), [Output::Request { .. }]));
    assert!(element.handle(now, from, sound("badbranch")).is_empty());
    let Message::Request(mut other) = sound("badbranch") else {
        panic!("a request");
    };
    other.fields.set(Name::CallId, "another");
    let second = element.handle(now, from, other.into());
    assert!(matches!(second.as_slice(), [Output::Request { .. }]));
}

#[test]
fn a_registrar_tells_parameters_apart() {
    let from = Peer::udp(([192, 0, 2, 1], 5060).into());
    let settings = Settings::default();
    let bound = |name: &str| {
        let request = request(name);
        let none: &[registrar::Binding] = &[];
        let update = registrar::register(Duration::ZERO, &request, from, none, &settings)?;
        let show = |binding: &registrar::Binding| (binding.uri.clone(), binding.params.clone());
        Ok(update.bindings.iter().map(show).collect::<Vec<_>>())
    };
    let own = |uri: &str, params: &str| Ok(vec![(uri.to_owned(), params.to_owned())]);
    assert_eq!(
        bound("cparam01"),
        own("sip:+19725552222@gw1.example.net", ";unknownparam")
    );
    assert_eq!(
        bound("cparam02"),
        own("sip:+19725552222@gw1.example.net;unknownparam", "")
    );
    let escaped = "sip:user@example.com?Route=%3Csip:sip.example.com%3E";
    assert_eq!(bound("regescrt"), own(escaped, ""));
    let refused = registrar::Refused::Fault(Fault::Syntax(Name::Contact));
    assert_eq!(bound("regbadct"), Err(refused));
    let mut realm = Realm::new(RealmSettings::new("example.com"), [0; 32]);
    let asked = request("regaut01");
    let denied = realm.check(Duration::ZERO, &asked, false, |_, _: Algorithm| None::<Ha1>);
    assert_eq!(
        denied,
        Err(Denied::Missing),
        "an unknown scheme is no credentials"
    );
}

#[test]
fn descriptions_of_the_messages_are_read() {
    let mut read = 0;
    for (_, name, verdict) in TABLE {
        if verdict.is_some() {
            continue;
        }
        let message = sound(name);
        if message.fields().is_type("application/sdp") {
            let body = message.fields().body();
            let sdp = Sdp::parse(body);
            let sdp = sdp.unwrap_or_else(|fault| panic!("{name}: {fault}"));
            assert!(!sdp.media().is_empty(), "{name}");
            read += 1;
        }
    }
    assert_eq!(read, 8);
}
