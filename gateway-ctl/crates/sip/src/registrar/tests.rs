//! What REGISTERs do to bindings, one after the other.

use super::*;
use crate::message::{Limits, Message};

const NOW: Duration = Duration::from_secs(1_000_000);
const NONE: &[Binding] = &[];

fn register_with(cseq: u32, extra: &str) -> Request {
    let text = format!(
        "REGISTER sip:pbx.example.net SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1\r\n\
        From: <sip:2001@Pbx.example.net>;tag=1\r\nTo: <sip:2001@Pbx.example.net>\r\n\
        Call-ID: x\r\nCSeq: {cseq} REGISTER\r\n{extra}Content-Length: 0\r\n\r\n"
    );
    match Message::parse(text.into_bytes(), &Limits::default()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn source() -> Peer {
    Peer::udp(([192, 0, 2, 200], 40000).into())
}

/// Each in turn, to what the one before left; the last one's bindings as `uri expires`.
fn after(registers: &[(u32, &str)]) -> Result<Vec<String>, Refused> {
    let mut stored = Vec::new();
    for (cseq, extra) in registers {
        let request = register_with(*cseq, extra);
        let update = register(NOW, &request, source(), &stored, &Settings::default())?;
        assert_eq!(update.changed, update.bindings != stored);
        stored = update.bindings;
    }
    let show = |binding: &Binding| format!("{} {}", binding.uri, (binding.expires - NOW).as_secs());
    Ok(stored.iter().map(show).collect())
}

#[test]
fn bindings_come_change_and_go() {
    let a = "Contact: <sip:2001@10.0.0.2>;expires=300\r\n";
    for (registers, expected) in [
        (&[(1, "")][..], &[][..]),
        (&[(1, a)], &["sip:2001@10.0.0.2 300"]),
        (
            &[(1, "Contact: sip:2001@10.0.0.2;expires=300\r\n")],
            &["sip:2001@10.0.0.2 300"],
        ),
        (
            &[(1, "m: <sip:2001@10.0.0.2>\r\nExpires: 120\r\n")],
            &["sip:2001@10.0.0.2 120"],
        ),
        (
            &[(1, "m: <sip:2001@10.0.0.2>\r\n")],
            &["sip:2001@10.0.0.2 3600"],
        ),
        (
            &[(1, "m: <sip:2001@10.0.0.2>;expires=9999999999999\r\n")],
            &["sip:2001@10.0.0.2 3600"],
        ),
        (
            &[(1, "m: <sip:2001@10.0.0.2>;expires=soon\r\n")],
            &["sip:2001@10.0.0.2 3600"],
        ),
        // The URI's own parameter is none of the field's (RFC 4475 section 3.3.12).
        (
            &[(1, "m: <sip:2001@10.0.0.2;expires=77>\r\n")],
            &["sip:2001@10.0.0.2;expires=77 3600"],
        ),
        (
            &[(1, a), (2, "Contact: <sip:2001@10.0.0.2>;expires=600\r\n")],
            &["sip:2001@10.0.0.2 600"],
        ),
        (
            &[(1, a), (2, "Contact: <sip:%32001@10.0.0.2>;expires=0\r\n")],
            &[],
        ),
        (
            &[(1, a), (2, "Contact: <sip:2001@10.0.0.3>\r\n")],
            &["sip:2001@10.0.0.2 300", "sip:2001@10.0.0.3 3600"],
        ),
        (
            &[
                (1, "m: <sip:a@10.0.0.2>, <sip:b@10.0.0.2>;q=0.1\r\n"),
                (2, "Contact: *\r\nExpires: 0\r\n"),
            ],
            &[],
        ),
        // The same again, as after an answer that was lost.
        (&[(2, a), (2, a)], &["sip:2001@10.0.0.2 300"]),
        // A device that moved.
        (
            &[
                (
                    1,
                    "Contact: <sip:2001@10.0.0.2>;+sip.instance=\"<urn:uuid:1>\";reg-id=1\r\n",
                ),
                (
                    2,
                    "Contact: <sip:2001@10.0.0.9>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\n",
                ),
            ],
            &["sip:2001@10.0.0.9 3600"],
        ),
    ] {
        let expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(after(registers), Ok(expected), "{registers:?}");
    }
}

#[test]
fn refusals_name_their_reason() {
    let a = "Contact: <sip:2001@10.0.0.2>\r\n";
    let many: String = (0..11)
        .map(|user| format!("m: <sip:{user}@h>\r\n"))
        .collect();
    let contact = Refused::Fault(Fault::Syntax(Name::Contact));
    for (registers, refused, status) in [
        (&[(1, "Contact: *\r\n")][..], contact, 400),
        (&[(1, "Contact: *\r\nExpires: 60\r\n")], contact, 400),
        (
            &[(1, "Contact: *, <sip:a@b>\r\nExpires: 0\r\n")],
            contact,
            400,
        ),
        (&[(1, "Contact:\r\n")], contact, 400),
        // RFC 4475 section 3.1.2.13.
        (
            &[(
                1,
                "Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E\r\n",
            )],
            contact,
            400,
        ),
        (&[(1, "Contact: tel:+4930\r\n")], Refused::Scheme, 416),
        (&[(1, "Require: path, gruu\r\n")], Refused::Extension, 420),
        (
            &[(1, "Contact: <sip:a@b>;expires=59\r\n")],
            Refused::TooBrief,
            423,
        ),
        (&[(2, a), (1, a)], Refused::Overtaken, 500),
        (
            &[(2, a), (1, "Contact: *\r\nExpires: 0\r\n")],
            Refused::Overtaken,
            500,
        ),
        (&[(1, &many)], Refused::TooMany, 503),
        (
            &[(1, "Path: x\r\nContact: <sip:a@b>\r\n")],
            Refused::Fault(Fault::Syntax(Name::Path)),
            400,
        ),
    ] {
        assert_eq!(after(registers), Err(refused), "{registers:?}");
        let (cseq, extra) = registers[0];
        let answer = refused.answer(&register_with(cseq, extra), &Settings::default());
        assert_eq!(answer.status.code(), status);
        let min = answer.fields.text(Name::MinExpires);
        assert_eq!(min, (status == 423).then_some("60"));
        let unsupported = answer.fields.text(Name::Unsupported);
        assert_eq!(unsupported, (status == 420).then_some("gruu"));
    }
}

#[test]
fn the_answer_lists_what_is_bound() {
    let extra = "Contact: \"A, B\" <sip:2001@10.0.0.2;transport=tcp>;q=0.5;expires=300\r\n\
        Path: <sip:edge.example;lr>\r\nSupported: outbound, PATH\r\nUser-Agent: phone/1\r\n";
    let request = register_with(1, extra);
    assert_eq!(
        address_of_record(&request),
        Ok(("2001".to_owned(), "pbx.example.net".to_owned()))
    );
    let settings = Settings::default();
    let update = register(NOW, &request, source(), NONE, &settings).unwrap();
    let [binding] = update.bindings.as_slice() else {
        panic!("one binding");
    };
    assert_eq!(binding.path, ["<sip:edge.example;lr>"]);
    assert_eq!(
        (binding.source, binding.agent.as_deref()),
        (source(), Some("phone/1"))
    );
    let later = NOW + Duration::from_millis(10_500);
    let answer = accept(later, &request, &update.bindings);
    assert_eq!(
        answer.fields.text(Name::Contact),
        Some("\"A, B\" <sip:2001@10.0.0.2;transport=tcp>;q=0.5;expires=289")
    );
    assert_eq!(
        answer.fields.text(Name::Path),
        Some("<sip:edge.example;lr>")
    );
    // What has ended is forgotten with the next one.
    let query = register_with(2, "");
    let end = NOW + Duration::from_secs(300);
    let update = register(end, &query, source(), &update.bindings, &settings).unwrap();
    assert!(update.bindings.is_empty() && update.changed);
}
