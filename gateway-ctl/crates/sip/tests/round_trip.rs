//! Properties: what is written is read as it was meant, whatever stands in it.

use std::time::Duration;

use proptest::prelude::*;
use sip::auth::{Algorithm, Ha1, Login, Realm, RealmSettings};
use sip::{Address, Limits, Message, Method, Name, Request, Response, Status, Uri};

fn parse(bytes: Vec<u8>) -> Message {
    Message::parse(bytes, &Limits::default()).expect("what was written")
}

fn request(method: Method, uri: &str, user: &str) -> Request {
    let mut request = Request::new(method, uri);
    let fields = &mut request.fields;
    fields.push(Name::Via, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx");
    fields.push(Name::From, format!("<sip:{user}@example.net>;tag=1"));
    fields.push(Name::To, "<sip:b@example.net>");
    fields.push(Name::CallId, "x");
    let sequence = format!("7 {}", request.method);
    request.fields.push(Name::CSeq, sequence);
    request
}

proptest! {
    /// Values of any text: no line of its own comes of them, and the body is the body.
    #[test]
    fn messages_are_read_as_they_were_made(
        method in "[A-Za-z0-9!%*_+`'~.-]{1,12}",
        label in "X-[A-Za-z0-9-]{1,12}",
        value in any::<String>(),
        body in prop::collection::vec(any::<u8>(), 0..300),
        hops in any::<u8>(),
    ) {
        let method = Method::parse(&method).expect("a token");
        let mut made = request(method.clone(), "sip:b@example.net;x=y", "a");
        made.fields.push(Name::MaxForwards, hops.to_string());
        made.fields.push_other(&label, &value);
        made.fields.push(Name::ContentType, "application/x");
        made.fields.set_body(&body);
        let lines = made.fields.all().count();
        let Message::Request(read) = parse(made.encode()) else {
            return Err(TestCaseError::fail("a request"));
        };
        prop_assert_eq!(&read.method, &method);
        prop_assert_eq!(read.fields.body(), &body[..]);
        prop_assert_eq!(read.fields.all().count(), lines);
        prop_assert_eq!(read.fields.max_forwards(), Ok(Some(hops)));
        prop_assert_eq!(read.fields.other(&label), made.fields.other(&label));
        prop_assert_eq!(&read, &made);
        let answer = Response::answer(&read, Status::OK);
        prop_assert_eq!(parse(answer.encode()), Message::Response(answer));
    }

    /// A user of any letters comes out of a URI as it went in.
    #[test]
    fn users_survive_escaping(user in "\\PC{1,20}") {
        let text = format!("sip:{}@example.net", sip::uri::escape_user(&user));
        let uri = Uri::parse(&text).and_then(Uri::sip).expect("a URI");
        let name = uri.name().map(|name| name.into_owned());
        prop_assert_eq!(name, Some(user));
    }

    /// Any bytes are taken or refused, and what is taken is sent as it came.
    #[test]
    fn any_bytes_are_taken_or_refused(
        head in prop::sample::select(vec!["BYE sip:a@b SIP/2.0\r\n", "SIP/2.0 200 OK\r\n", ""]),
        lines in prop::collection::vec("[ -~]{0,40}", 0..12),
        junk in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let text = format!("{head}{}\r\n\r\n", lines.join("\r\n"));
        for bytes in [text.into_bytes(), junk] {
            if let Ok(message) = Message::parse(bytes.clone(), &Limits::default()) {
                let again = message.encode();
                prop_assert_eq!(parse(again), message);
            }
            let _ = Address::parse(&bytes);
        }
    }

    /// Who knows the password is let in, and nobody else.
    #[test]
    fn only_the_password_opens(
        password in "\\PC{0,16}",
        other in "\\PC{0,16}",
        salt in any::<u64>(),
        md5 in any::<bool>(),
    ) {
        let now = Duration::from_secs(1_000_000);
        let mut settings = RealmSettings::new("a \"realm\"");
        settings.algorithms = vec![if md5 { Algorithm::Md5 } else { Algorithm::Sha256 }];
        let mut realm = Realm::new(settings, [7; 32]);
        let known = |user: &str, algorithm| {
            Some(Ha1::new(algorithm, user, "a \"realm\"", &password))
        };
        // The second one has the same nonce and count: even the right password is a replay.
        for (given, expected) in [(&password, true), (&other, false)] {
            let mut asked = request(Method::Invite, "sip:b@example.net", "a");
            let denied = realm.check(now, &asked, true, known).expect_err("no credentials");
            let challenge = realm.challenge(now, &asked, denied, true, salt);
            let mut login = Login::new("a", given, salt);
            prop_assert!(login.answer(&challenge, &mut asked));
            let user = realm.check(now, &asked, true, known);
            prop_assert_eq!(user.is_ok(), expected);
        }
    }
}
