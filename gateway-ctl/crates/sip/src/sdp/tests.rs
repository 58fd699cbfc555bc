//! What is read of descriptions, what is changed, what is refused.

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

const OFFER: &str = "v=0\r\n\
    o=- 7 7 IN IP4 10.0.0.2\r\n\
    s=call \u{fc}? no\r\n\
    c=IN IP4 10.0.0.2\r\n\
    t=0 0\r\n\
    a=sendonly\r\n\
    m=audio 40000 RTP/AVP 8 0 101\r\n\
    a=rtpmap:101 telephone-event/8000\r\n\
    a=rtcp:40009 IN IP4 10.0.0.9\r\n\
    m=video 40002/2 RTP/AVP 31\r\n\
    c=IN  IP6  2001:db8::2/127\r\n\
    a=recvonly\r\n\
    a=rtcp-mux\r\n\
    m=image 0 udptl t38\r\n\
    a=candidate:1 1 UDP 1 10.0.0.2 40000 typ host\r\n\
    x=10.0.0.2\r\n";

#[test]
fn media_and_addresses_are_listed() {
    let sdp = Sdp::parse(OFFER.as_bytes()).unwrap();
    let places: Vec<_> = sdp.addresses().collect();
    assert_eq!(
        places,
        [
            (Place::Origin, ip("10.0.0.2")),
            (Place::Session, ip("10.0.0.2")),
            (Place::Rtcp(0), ip("10.0.0.9")),
            (Place::Media(1), ip("2001:db8::2")),
        ]
    );
    let [audio, video, image] = sdp.media() else {
        panic!("three media");
    };
    assert_eq!(
        (audio.kind, audio.port, audio.protocol),
        ("audio", 40000, "RTP/AVP")
    );
    assert_eq!(
        (audio.address, audio.rtcp_port()),
        (Some(ip("10.0.0.2")), Some(40009))
    );
    assert!(audio.is_held() && audio.direction == Direction::SendOnly);
    assert_eq!((video.address, video.ports), (Some(ip("2001:db8::2")), 2));
    assert_eq!((video.rtcp_port(), video.rtcp_mux), (Some(40003), true));
    assert!(!video.is_held() && video.direction == Direction::RecvOnly);
    assert_eq!(
        (image.port, image.address, image.rtcp_port()),
        (0, None, None)
    );
}

#[test]
fn addresses_are_replaced_and_nothing_else() {
    let sdp = Sdp::parse(OFFER.as_bytes()).unwrap();
    assert_eq!(sdp.rewrite(|_, _| None), OFFER.as_bytes());
    let all = sdp.rewrite(|place, _| (place != Place::Origin).then_some(ip("192.0.2.200")));
    let expected = OFFER
        .replace("c=IN IP4 10.0.0.2", "c=IN IP4 192.0.2.200")
        .replace("40009 IN IP4 10.0.0.9", "40009 IN IP4 192.0.2.200")
        .replace("IN  IP6  2001:db8::2/", "IN  IP4 192.0.2.200/");
    assert_eq!(String::from_utf8(all).unwrap(), expected);
    let one = sdp.rewrite(|place, _| (place == Place::Session).then_some(ip("2001:db8::9")));
    let expected = OFFER.replace("c=IN IP4 10.0.0.2", "c=IN IP6 2001:db8::9");
    assert_eq!(String::from_utf8(one).unwrap(), expected);
}

#[test]
fn hold_stays_hold_and_names_stay() {
    let text = "v=0\no=x 1 1 IN IP4 host.example\nc=IN IP4 0.0.0.0\nm=audio 9 RTP/AVP 0\nm=audio 9 RTP/AVP 0\nc=IN IP4 pbx.example\n";
    let sdp = Sdp::parse(text.as_bytes()).unwrap();
    assert!(sdp.media()[0].is_held());
    assert_eq!(sdp.media()[1].address, None);
    assert_eq!(sdp.rewrite(|_, _| Some(ip("192.0.2.1"))), text.as_bytes());
}

#[test]
fn what_cannot_be_used_is_refused_with_its_reason() {
    let sound = "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=rtcp:4001\r\n";
    assert!(Sdp::parse(sound.as_bytes()).is_ok());
    let many = "m=audio 1 RTP/AVP 0\r\n".repeat(33);
    let long = format!("s={}", "x".repeat(20_000));
    for (from, to, fault) in [
        ("v=0", "v=1", SdpFault::Line),
        ("v=0\r\n", "", SdpFault::Line),
        (sound, "", SdpFault::Line),
        (sound, "\r\n", SdpFault::Line),
        ("s=-", "s", SdpFault::Line),
        ("s=-", "ss=-", SdpFault::Line),
        ("s=-", " =-", SdpFault::Line),
        ("s=-", &long, SdpFault::TooLong),
        ("m=", &format!("{many}m="), SdpFault::TooLong),
        ("c=IN IP4 10.0.0.2", "c=IN IP4 10.0.0", SdpFault::Address),
        ("c=IN IP4 10.0.0.2", "c=IN IP4", SdpFault::Address),
        (
            "c=IN IP4 10.0.0.2",
            "c=IN IP4 10.0.0.2 x",
            SdpFault::Address,
        ),
        ("c=IN IP4 10.0.0.2", "c=IN IP6 10.0.0.2", SdpFault::Address),
        ("c=IN IP4 10.0.0.2", "c=ATM NSAP x", SdpFault::Address),
        ("c=IN IP4 10.0.0.2", "c=IN IP4 a$b", SdpFault::Address),
        ("o=- 1 1 IN", "o=- 1 1", SdpFault::Address),
        ("o=- 1 1 IN IP4 10.0.0.2", "o=-", SdpFault::Address),
        ("c=IN IP4 10.0.0.2\r\n", "", SdpFault::NoAddress),
        ("4000 RTP", "x RTP", SdpFault::Media),
        ("4000 RTP", "70000 RTP", SdpFault::Media),
        ("4000 RTP", "-1 RTP", SdpFault::Media),
        ("4000 RTP", "4000/x RTP", SdpFault::Media),
        ("4000 RTP/AVP 0", "4000 RTP/AVP", SdpFault::Media),
        ("rtcp:4001", "rtcp:", SdpFault::Rtcp),
        ("rtcp:4001", "rtcp:4001 IN IP4", SdpFault::Rtcp),
    ] {
        let text = sound.replacen(from, to, 1);
        let got = Sdp::parse(text.as_bytes()).map(|sdp| sdp.media().len());
        assert_eq!(got, Err(fault), "{from:?} to {to:.40?}");
        assert!(SdpFault::ALL.contains(&fault) && fault.status().code() >= 400);
    }
}
