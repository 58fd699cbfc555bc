//! SIP: inputs by hand, and what must be reached by replaying.
//!
//! See `sip::testing`: the first byte says what the others are. The torture messages of RFC
//! 4475 are fixtures of crate `sip` and replayed from there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ::sip::Fault;
use ::sip::sdp::SdpFault;
use ::sip::testing::{End, any};

use crate::{inputs, replay};

const FIELDS: &str = "Via: SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bK1\r\n\
    Max-Forwards: 70\r\n\
    From: \"A\" <sip:2000@pbx.example.net>;tag=1\r\n\
    To: <sip:2001@pbx.example.net>\r\n\
    Call-ID: x\r\n\
    Contact: <sip:2000@10.0.0.2;transport=udp>;expires=60\r\n";
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n\
    m=audio 4000/2 RTP/AVP 8 0\r\na=rtcp:4001 IN IP4 10.0.0.2\r\na=sendonly\r\n\
    m=video 0 RTP/AVP 31\r\nc=IN IP6 2001:db8::1\r\n";

fn request(method: &str, extra: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} sip:2001@pbx.example.net SIP/2.0\r\n{FIELDS}CSeq: 1 {method}\r\n{extra}l: {length}\r\n\r\n{body}"
    )
}

fn kind(kind: u8, text: &str) -> Vec<u8> {
    [&[kind], text.as_bytes()].concat()
}

/// Messages to a proxy.
fn office(messages: &[String]) -> Vec<u8> {
    let mut bytes = vec![4];
    for message in messages {
        let length = u16::try_from(message.len()).expect("a short message");
        bytes.extend(length.to_be_bytes());
        bytes.extend_from_slice(message.as_bytes());
    }
    bytes
}

/// Seeds of the target `sip`.
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let invite = request("INVITE", "Content-Type: application/sdp\r\n", SDP);
    let within = |method: &str| {
        let route = "Route: <sip:192.0.2.1:5060;lr>\r\n";
        let text = request(method, route, "");
        text.replace(
            "sip:2001@pbx.example.net SIP",
            "sip:2001@192.0.2.11:5060 SIP",
        )
        .replace("2001@pbx.example.net>", "2001@pbx.example.net>;tag=2")
    };
    let cut = invite.replace("l: ", "l: 9");
    let ok = invite.replacen(
        "INVITE sip:2001@pbx.example.net SIP/2.0",
        "SIP/2.0 200 OK",
        1,
    );
    let stream = format!("\u{7}\r\n\r\n{invite}\r\n{}", request("OPTIONS", "", ""));
    let credentials = "Digest username=\"2000\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", \
        response=\"0\", algorithm=SHA-256, qop=auth, nc=00000001, cnonce=\"c\", opaque=\"o\"";
    vec![
        ("invite", kind(0, &invite)),
        ("ok", kind(0, &ok)),
        (
            "register",
            kind(
                0,
                &request("REGISTER", "Path: <sip:e;lr>\r\nSupported: path\r\n", ""),
            ),
        ),
        ("fold", kind(0, &invite.replace("To: ", "TO :\r\n \t"))),
        (
            "compact",
            kind(0, &invite.replace("Via", "v").replace("Call-ID", "i")),
        ),
        ("refused-cut", kind(0, "BYE sip:a SIP/2.0\r\n")),
        (
            "refused-start",
            kind(0, &invite.replace("INVITE sip", "INVITE  sip")),
        ),
        (
            "refused-version",
            kind(0, &invite.replacen("SIP/2.0\r", "SIP/3.0\r", 1)),
        ),
        ("refused-lone", kind(0, &invite.replace("x\r\n", "x\n"))),
        ("refused-nameless", kind(0, &invite.replace("To: ", "To "))),
        ("refused-length", kind(0, &invite.replace("l: ", "l: x"))),
        ("refused-body", kind(0, &cut)),
        ("refused-missing", kind(0, &invite.replace("To: ", "Too: "))),
        (
            "refused-repeated",
            kind(0, &invite.replace("To: ", "i: y\r\nTo: ")),
        ),
        ("refused-syntax", kind(0, &invite.replace("\"A\"", "\"A"))),
        (
            "refused-method",
            kind(0, &invite.replace("1 INVITE", "1 BYE")),
        ),
        (
            "refused-uri",
            kind(0, &invite.replace("net SIP", "net?a=b SIP")),
        ),
        (
            "refused-fields",
            kind(
                0,
                &invite.replace("To: ", &format!("{}To: ", "a:\r\n".repeat(130))),
            ),
        ),
        ("stream", kind(1, &stream)),
        ("stream-length", kind(1, &stream.replace("l: ", "m: "))),
        ("sdp", kind(2, SDP)),
        ("sdp-line", kind(2, "v=1")),
        ("sdp-address", kind(2, &SDP.replace("10.0.0.2", "10.0.0"))),
        ("sdp-media", kind(2, &SDP.replace("4000", "x"))),
        ("sdp-rtcp", kind(2, &SDP.replace("rtcp:", "rtcp:x"))),
        ("sdp-none", kind(2, "v=0\nm=audio 1 RTP/AVP 0\n")),
        (
            "sdp-media-many",
            kind(2, &format!("v=0\n{}", "m=a 0 b c\n".repeat(33))),
        ),
        ("credentials", kind(3, credentials)),
        (
            "address",
            kind(3, "\"A \\\" B\" <sip:a:b@[::1]:5060;lr?x=y>;tag=1;q=\"0\""),
        ),
        (
            "uri",
            kind(3, "sips:a%20b;c:d@h.example:5061;transport=tcp;lr?x=y"),
        ),
        ("tel", kind(3, "tel:+49-30.1(2);ext=5")),
        (
            "office-call",
            office(&[
                within("INVITE"),
                within("CANCEL"),
                within("ACK"),
                within("BYE"),
            ]),
        ),
        ("office-ringing", office(&[within("INVITE")])),
        (
            "office-others",
            office(&[
                invite,
                request("REGISTER", "Authorization: Digest x\r\n", ""),
                within("OPTIONS"),
                within("INFO"),
            ]),
        ),
    ]
}

/// Replays the corpus: it still gets everywhere.
#[test]
fn the_sip_corpus_is_replayed() {
    let mut ends = BTreeSet::new();
    for (path, bytes) in inputs("sip") {
        ends.extend(replay(&path, || any(&bytes)));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = folder.join("../gateway-ctl/crates/sip/tests/fixtures/rfc4475");
    for entry in fs::read_dir(folder).expect("a folder of fixtures") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("a readable file");
        for kind in 0..=4 {
            let input = [&[kind][..], &bytes].concat();
            ends.extend(replay(&path, || any(&input)));
        }
    }
    let labels: BTreeSet<_> = ends
        .iter()
        .filter_map(|end| match end {
            End::Refused(fault) => Some(fault.label()),
            End::NoSdp(fault) => Some(fault.label()),
            _ => None,
        })
        .collect();
    let faults = Fault::ALL.iter().map(|fault| fault.label());
    for label in faults.chain(SdpFault::ALL.iter().map(|fault| fault.label())) {
        // Only a message of more than 16 KiB is too long.
        assert!(
            labels.contains(label) || label == "too-long",
            "nothing ends as {label}"
        );
    }
    let busy = [End::Request, End::Response, End::Sdp, End::Proxy(true)];
    for end in busy.into_iter().chain([End::Stream(2), End::Values]) {
        assert!(ends.contains(&end), "{end:?} in {ends:?}");
    }
}
