//! URIs read, compared, refused.

use super::*;

#[test]
fn sip_uris_are_taken_apart() {
    for (text, user, host, port, name) in [
        ("sip:192.0.2.1", None, "192.0.2.1", None, None),
        (
            "SIPS:bob@[2001:db8::9]:5061",
            Some("bob"),
            "[2001:db8::9]",
            Some(5061),
            Some("bob"),
        ),
        (
            "sip:a%20b:pw@h.example;lr",
            Some("a%20b:pw"),
            "h.example",
            None,
            Some("a b"),
        ),
        (
            "sip:user;par=u%40example.net@example.com",
            Some("user;par=u%40example.net"),
            "example.com",
            None,
            Some("user"),
        ),
        (
            "sip:+49;phone-context=x@h:0",
            Some("+49;phone-context=x"),
            "h",
            Some(0),
            Some("+49"),
        ),
        (
            "sip:null-%00-null@example.com",
            Some("null-%00-null"),
            "example.com",
            None,
            Some("null-\0-null"),
        ),
    ] {
        let uri = Uri::parse(text).and_then(Uri::sip).expect(text);
        assert_eq!((uri.user, uri.host, uri.port), (user, host, port), "{text}");
        assert_eq!(uri.name().as_deref(), name, "{text}");
    }
    let uri = Uri::parse("sip:h;transport=tcp;lr?to=x")
        .and_then(Uri::sip)
        .unwrap();
    assert_eq!(uri.params.get("transport"), Some("tcp"));
    assert_eq!(uri.headers, Some("to=x"));
}

#[test]
fn what_is_no_uri_is_refused() {
    for text in [
        "",
        "sip",
        "sip:",
        ":x",
        "1sip:x",
        "sip:@h",
        "sip:u@",
        "sip:h:99999",
        "sip:h:x",
        "sip:[::g]",
        "sip:[::1",
        "sip:u%4@h",
        "sip:u v@h",
        "sip:u@h;=x",
        "sip:<h>",
        "tel:",
        "tel:abc-",
        "tel:12x",
        "sip::pw@h",
        "sip:a@b@c",
    ] {
        // A tel: number of letters a to f is one.
        let wanted = text == "tel:abc-";
        assert_eq!(Uri::parse(text).is_some(), wanted, "{text}");
    }
}

#[test]
fn numbers_lose_their_separators() {
    let number = |text| Uri::parse(text).and_then(|uri| Uri::number(uri).map(Cow::into_owned));
    assert_eq!(
        number("tel:+49-(30)-12.34;ext=5").as_deref(),
        Some("+49301234")
    );
    assert_eq!(number("sip:2001@pbx").as_deref(), Some("2001"));
    assert_eq!(number("http://example.net"), None);
}

#[test]
fn comparison_follows_the_examples_of_section_19_1_4() {
    for (a, b, same) in [
        (
            "sip:%61lice@atlanta.com;transport=TCP",
            "sip:alice@AtlanTa.CoM;Transport=tcp",
            true,
        ),
        (
            "sip:carol@chicago.com",
            "sip:carol@chicago.com;newparam=5",
            true,
        ),
        (
            "sip:carol@chicago.com;newparam=5",
            "sip:carol@chicago.com;security=on",
            true,
        ),
        (
            "SIP:ALICE@AtLanTa.CoM;Transport=udp",
            "sip:alice@AtLanTa.CoM;Transport=UDP",
            false,
        ),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false),
        (
            "sip:bob@biloxi.com",
            "sip:bob@biloxi.com;transport=udp",
            false,
        ),
        (
            "sip:carol@chicago.com;security=off",
            "sip:carol@chicago.com;security=on",
            false,
        ),
        ("sip:bob@192.0.2.4", "sips:bob@192.0.2.4", false),
    ] {
        let read = |text| Uri::parse(text).and_then(Uri::sip).unwrap();
        assert_eq!(read(a).same(read(b)), same, "{a} {b}");
        assert_eq!(read(b).same(read(a)), same, "{b} {a}");
    }
}

#[test]
fn a_uri_moves_to_another_address() {
    let uri = |text| Uri::parse(text).and_then(Uri::sip).unwrap();
    let text = "sips:a:b@[2001:db8::1]:5061;x=y;lr?h=1";
    assert_eq!(uri(text).to_string(), text);
    let moved = uri(text).at("192.0.2.1".parse().unwrap(), Some(7));
    assert_eq!(moved, "sips:a:b@192.0.2.1:7;x=y;lr?h=1");
    let moved = uri("sip:pbx:5060").at("2001:db8::5".parse().unwrap(), None);
    assert_eq!(moved, "sip:[2001:db8::5]");
}
