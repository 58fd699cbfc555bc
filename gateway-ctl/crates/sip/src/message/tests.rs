//! Reading, changing and writing of whole messages.

use super::*;

const INVITE: &[u8] = b"INVITE sip:bob@biloxi.example.com SIP/2.0\r\n\
Via: SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bK74b43, SIP/2.0/TCP h;branch=z9hG4bK1\r\n\
v : SIP/2.0/UDP last.example.com\r\n\
mAx-FoRwArDs:   70  \r\n\
From: Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n\
TO :\r\n  Bob\r\n\t<sip:bob@biloxi.example.com>\r\n\
i: 3848276298220188511@atlanta.example.com\r\n\
CSeq: 1 INVITE\r\n\
X-Unknown: \xe4\xf6\xfc ;;,, \"\r\n\
Contact: <sip:alice@10.0.0.2>\r\n\
Content-Type: application/sdp; charset=utf-8\r\n\
l: 5\r\n\
\r\nv=0\r\n";

fn request(bytes: &[u8]) -> Request {
    match Message::parse(bytes.to_vec(), &Limits::default()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_nobody_touched_is_sent_as_it_came() {
    assert_eq!(request(INVITE).encode(), INVITE);
    let ok = b"SIP/2.0 200 Na gut\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nt: <sip:a@b>;tag=1\r\n\
        f: sip:c@d;tag=2\r\nCall-ID: 1\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n";
    let message = Message::parse(ok.to_vec(), &Limits::default()).unwrap();
    assert_eq!(message.encode(), ok);
    let Message::Response(response) = message else {
        panic!("a response")
    };
    assert_eq!(
        (response.status, response.phrase()),
        (Status::OK, &b"Na gut"[..])
    );
}

#[test]
fn values_are_read_in_any_form() {
    let invite = request(INVITE);
    let fields = &invite.fields;
    assert_eq!(invite.method, Method::Invite);
    assert_eq!(invite.uri(), "sip:bob@biloxi.example.com");
    assert_eq!(fields.values(Name::Via).count(), 3);
    assert_eq!(
        fields.top_via().unwrap().unique_branch(),
        Some("z9hG4bK74b43")
    );
    assert_eq!(fields.max_forwards(), Ok(Some(70)));
    assert_eq!(fields.from_tag(), Some("9fxced76sl"));
    assert_eq!(fields.to().unwrap().name(), "Bob");
    assert_eq!(fields.to_tag(), None);
    assert_eq!(
        fields.call_id(),
        Ok("3848276298220188511@atlanta.example.com")
    );
    assert_eq!(
        fields.cseq(),
        Ok(Sequence {
            number: 1,
            method: "INVITE"
        })
    );
    assert_eq!(
        fields.other("x-unknown"),
        Some(&b"\xe4\xf6\xfc ;;,, \""[..])
    );
    assert!(fields.is_type("Application/SDP"));
    assert_eq!(fields.body(), b"v=0\r\n");
    assert_eq!(fields.contact().unwrap().text, "sip:alice@10.0.0.2");
}

#[test]
fn changes_touch_their_lines_only() {
    let mut invite = request(INVITE);
    invite.set_uri("sip:bob@10.0.0.9");
    invite
        .fields
        .push_front(Name::Via, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK9");
    invite.fields.set(Name::MaxForwards, "69");
    invite
        .fields
        .push(Name::RecordRoute, "<sip:192.0.2.1;lr>\r\nEvil: 1");
    invite.fields.set_to_tag("77");
    invite.fields.set_body(b"v=0\r\ns=x\r\n");
    let expected = String::from_utf8_lossy(INVITE)
        .replace(
            "sip:bob@biloxi.example.com SIP/2.0\r\n",
            "sip:bob@10.0.0.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK9\r\n",
        )
        .replace("mAx-FoRwArDs:   70  ", "Max-Forwards: 69")
        .replace(
            "TO :\r\n  Bob\r\n\t<sip:bob@biloxi.example.com>\r\n",
            "To: Bob  \t<sip:bob@biloxi.example.com>;tag=77\r\n",
        )
        .replace(
            "l: 5\r\n\r\nv=0\r\n",
            "Content-Length: 10\r\nRecord-Route: <sip:192.0.2.1;lr>  Evil: 1\r\n\r\nv=0\r\ns=x\r\n",
        );
    assert_eq!(String::from_utf8_lossy(&invite.encode()), expected);
    // And what was written is read again.
    request(&invite.encode());
}

#[test]
fn the_first_value_goes_alone() {
    let mut fields = request(INVITE).fields;
    let top = |fields: &Fields| fields.top_via().map(|via| via.host.to_owned());
    let mut hosts = Vec::new();
    while let Ok(host) = top(&fields) {
        hosts.push(host);
        assert!(fields.pop_value(Name::Via));
    }
    assert_eq!(hosts, ["10.0.0.2", "h", "last.example.com"]);
    assert!(!fields.pop_value(Name::Via));
}

#[test]
fn an_answer_says_what_it_answers() {
    let answer = Response::answer(&request(INVITE), Status::BUSY);
    let text = String::from_utf8_lossy(&answer.encode()).into_owned();
    assert!(text.starts_with("SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;rport;"));
    assert!(text.contains("\r\nv : SIP/2.0/UDP last.example.com\r\nFrom: Alice <"));
    assert!(text.ends_with("\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"));
    assert!(answer.fields.to_tag().is_some());
    let trying = Response::answer(&request(INVITE), Status::TRYING);
    assert_eq!(trying.fields.to_tag(), None);
    let again = Response::answer(&request(INVITE), Status::BUSY);
    assert_eq!(answer, again);
}

/// Each change to a sound request, and what it is refused for.
#[test]
fn refusals_name_their_reason() {
    use super::Fault::*;
    let sound = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
        To: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 7 OPTIONS\r\nContent-Length: 2\r\n\r\nab";
    request(sound.as_bytes());
    let many = "X: y\r\n".repeat(200);
    let long = format!("X: {}\r\n", "y".repeat(20_000));
    for (from, to, fault, answered) in [
        ("\r\n\r\nab", "\r\n", Cut, false),
        ("\r\n\r\nab", "", Cut, false),
        ("OPTIONS ", "", StartLine, false),
        ("OPTIONS ", "OPT<IONS ", StartLine, false),
        ("OPTIONS sip:a@b SIP/2.0", "OPTIONS", StartLine, false),
        ("sip:a@b SIP", "sip:a@b?X=y SIP", Uri, true),
        ("sip:a@b SIP", "sip:a@ SIP", Uri, true),
        ("OPTIONS sip:a@b", "OPTIONS  sip:a@b", StartLine, true),
        ("sip:a@b SIP", "<sip:a@b> SIP", StartLine, true),
        ("sip:a@b SIP/2.0", "sip:a@b SIP/2.0 ", StartLine, true),
        ("sip:a@b SIP/2.0", "sip:a@b HTTP/1.1", StartLine, true),
        ("sip:a@b SIP/2.0", "sip:a@b SIP/7.0", Version, true),
        ("To: ", "X: \ny\r\nTo: ", LoneLineEnd, false),
        ("To: ", "X: \ry\r\nTo: ", LoneLineEnd, false),
        ("To: ", "X\r\nTo: ", Nameless, false),
        ("To: ", ": x\r\nTo: ", Nameless, false),
        ("To: ", "X Y: x\r\nTo: ", Nameless, false),
        ("To: ", &format!("{many}To: "), TooManyFields, false),
        ("To: ", &format!("{long}To: "), TooLong, false),
        ("Length: 2", "Length: 2\r\nl: 2", ContentLength, true),
        ("Length: 2", "Length: 2\r\nl: 0", ContentLength, true),
        ("Length: 2", "Length: -2", ContentLength, true),
        (
            "Length: 2",
            "Length: 99999999999999999999",
            ContentLength,
            true,
        ),
        ("Length: 2", "Length: 3", BodyCut, true),
        ("Via: ", "X: ", Missing(Name::Via), false),
        ("From: ", "X: ", Missing(Name::From), false),
        ("To: ", "X: ", Missing(Name::To), false),
        ("Call-ID: x", "X: x", Missing(Name::CallId), false),
        ("Call-ID: x", "Call-ID:", Missing(Name::CallId), false),
        ("CSeq: ", "X: ", Missing(Name::CSeq), false),
        ("To: ", "t: <sip:e@f>\r\nTo: ", Repeated(Name::To), true),
        (
            "Call-ID: x",
            "Call-ID: x\r\nCall-ID: x",
            Repeated(Name::CallId),
            true,
        ),
        ("SIP/2.0/UDP h", "SIP/2.0/UDP h i", Syntax(Name::Via), true),
        ("From: <", "From: \"x <", Syntax(Name::From), true),
        ("To: <sip:c@d>", "To: \"x", Syntax(Name::To), true),
        ("Call-ID: x", "Call-ID: x y", Syntax(Name::CallId), true),
        ("CSeq: 7", "CSeq: 2147483648", Syntax(Name::CSeq), true),
        ("CSeq: 7 ", "CSeq: 7", Syntax(Name::CSeq), true),
        ("CSeq: 7", "CSeq: x", Syntax(Name::CSeq), true),
        (
            "CSeq: 7",
            "Max-Forwards: 300\r\nCSeq: 7",
            Syntax(Name::MaxForwards),
            true,
        ),
        ("7 OPTIONS", "7 INVITE", MethodMismatch, true),
    ] {
        let text = sound.replacen(from, to, 1);
        let refusal = Message::parse(text.into_bytes(), &Limits::default())
            .expect_err(&format!("{from:?} to {to:.40?}"));
        assert_eq!(refusal.fault, fault, "{from:?} to {to:.40?}");
        assert_eq!(refusal.answer().is_some(), answered, "{fault:?}: {from:?}");
        assert!(
            Fault::ALL
                .iter()
                .any(|known| known.label() == fault.label())
        );
    }
}
