use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7));

const ANSWER: &str = "v=0\r\nc=IN IP4 192.168.1.10\r\nm=audio 40000 RTP/AVP 8 101\r\n\
                      a=rtpmap:101  telephone-event/8000\r\na=rtcp:40001 IN IP4 192.168.1.10\r\n";

fn text(sdp: &Sdp) -> String {
    String::from_utf8(sdp.to_octets().as_bytes().to_vec()).expect("text")
}

fn edited(before: &str, edit: impl FnOnce(&mut Sdp)) -> String {
    let mut sdp = Sdp::parse(before.as_bytes());
    edit(&mut sdp);
    text(&sdp)
}

#[test]
fn an_answer_is_read() {
    let sdp = Sdp::parse(ANSWER.as_bytes());
    let private = "192.168.1.10".parse().expect("an address");
    assert_eq!(
        sdp.media(),
        [SdpMedia {
            alternative: 0,
            kind: "audio",
            port: Some(Given::Value(40000)),
            protocol: "RTP/AVP",
            formats: "8 101",
            address: Some(Given::Value(private)),
            rtcp: Some(Rtcp {
                port: Given::Value(40001),
                address: Some(Given::Value(private)),
            }),
        }]
    );
    assert!(!sdp.has_choose());
}

#[test]
fn addresses_are_replaced_and_nothing_else() {
    assert_eq!(
        edited(ANSWER, |sdp| assert_eq!(sdp.set_address(V4), 2)),
        ANSWER.replace("192.168.1.10", "198.51.100.7")
    );
    let six = ANSWER.replace("IP4 192.168.1.10", "IP6 2001:db8::7");
    assert_eq!(edited(ANSWER, |sdp| assert!(sdp.set_address(V6) <= 2)), six);
    for (before, after) in [
        ("c=IN IP4 224.2.1.1/127/3", "c=IN IP4 198.51.100.7/127/3"),
        ("c=IN  IP6 ::1 ", "c=IN  IP4 198.51.100.7 "),
        ("c=IN IP4 $", "c=IN IP4 198.51.100.7"),
        ("c=IN IP4 phone.example", "c=IN IP4 198.51.100.7"),
        ("c=IN IP4", "c=IN IP4"),
        ("c=", "c="),
        ("o=- 1 1 IN IP4 192.168.1.10", "o=- 1 1 IN IP4 192.168.1.10"),
        ("a=rtcp:5", "a=rtcp:5"),
        ("no line", "no line"),
    ] {
        assert_eq!(
            edited(before, |sdp| assert!(sdp.set_address(V4) <= 2)),
            after,
            "{before}"
        );
    }
}

#[test]
fn ports_are_replaced_by_the_media_they_belong_to() {
    let two =
        "m=audio $ RTP/AVP 8\na=rtcp:$\nm=video 5000/2 RTP/AVP 31\na=rtcp:5001\nv=0\na=rtcp:7\n";
    let after = edited(two, |sdp| {
        assert!(sdp.has_choose());
        assert!(sdp.set_port(0, 40000) && sdp.set_port(1, 40002) && !sdp.set_port(2, 1));
        assert!(sdp.set_rtcp_port(0, 40001) && sdp.set_rtcp_port(1, 40003));
        assert!(!sdp.set_rtcp_port(2, 1));
    });
    let expected = "m=audio 40000 RTP/AVP 8\na=rtcp:40001\nm=video 40002/2 RTP/AVP 31\n\
                    a=rtcp:40003\nv=0\na=rtcp:7\n";
    assert_eq!(after, expected);
}

#[test]
fn alternatives_are_told_apart() {
    let offer = "v=0\nc=IN IP4 $\nm=audio $ RTP/AVP 4\na=ptime:30\nv=0\nm=audio $ RTP/AVP 0";
    let sdp = Sdp::parse(offer.as_bytes());
    assert_eq!(sdp.alternatives(), 2);
    let media = sdp.media();
    let seen: Vec<_> = media
        .iter()
        .map(|media| (media.alternative, media.formats))
        .collect();
    assert_eq!(seen, [(0, "4"), (1, "0")]);
    assert_eq!(media[0].address, Some(Given::Choose));
    assert_eq!(media[1].address, None, "the address of another alternative");
    assert_eq!(text(&sdp.alternative(1)), "v=0\nm=audio $ RTP/AVP 0");
    assert_eq!(Sdp::parse(b"").alternatives(), 0);
    assert_eq!(Sdp::parse(b"m=audio 1 RTP/AVP 0\nv=0").alternatives(), 2);
}

#[test]
fn a_media_line_has_its_own_address() {
    let sdp = Sdp::parse(b"c=IN IP4 1.1.1.1\rm=audio 1 a 0\rc=IN IP4 2.2.2.2\rm=audio 2 a 0\r");
    let seen: Vec<_> = sdp.media().iter().map(|media| media.address).collect();
    let address = |n| Some(Given::Value(IpAddr::from([n, n, n, n])));
    assert_eq!(seen, [address(2), address(1)]);
}

proptest! {
    #[test]
    fn what_is_not_replaced_stays(octets in "([vcma]=[ -~]{0,20}|[ -~\t\r\n]{0,9})(\r|\n|\r\n)?") {
        let before = Octets::new(octets);
        let mut sdp = Sdp::parse(before.as_bytes());
        prop_assert_eq!(&sdp.to_octets(), &before);
        let count = sdp.media().len();
        prop_assert!(sdp.alternatives() <= 10);
        sdp.set_address(V6);
        for media in 0..count {
            sdp.set_port(media, 65535);
            sdp.set_rtcp_port(media, 65535);
        }
        let again = Sdp::parse(sdp.to_octets().as_bytes());
        prop_assert_eq!(again.media().len(), count);
    }
}
