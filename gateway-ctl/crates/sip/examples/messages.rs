//! How fast messages are read and forwarded: `cargo run --release -p sip --example messages`.
//!
//! One thread, an INVITE of a phone, for a second each; prints messages per second.

use std::hint::black_box;
use std::time::{Duration, Instant};

use sip::{Limits, Message, Name};

const INVITE: &[u8] = b"INVITE sip:bob@biloxi.example.com SIP/2.0\r\n\
Via: SIP/2.0/UDP client.atlanta.example.com:5060;rport;branch=z9hG4bK74b43\r\n\
Max-Forwards: 70\r\n\
Route: <sip:ss1.atlanta.example.com;lr>\r\n\
From: Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n\
To: Bob <sip:bob@biloxi.example.com>\r\n\
Call-ID: 3848276298220188511@atlanta.example.com\r\n\
CSeq: 1 INVITE\r\n\
Contact: <sip:alice@client.atlanta.example.com;transport=tcp>\r\n\
User-Agent: phone 1.2\r\n\
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n\
Supported: replaces, path\r\n\
Content-Type: application/sdp\r\n\
Content-Length: 151\r\n\
\r\n\
v=0\r\n\
o=alice 2890844526 2890844526 IN IP4 client.atlanta.example.com\r\n\
s=-\r\n\
c=IN IP4 192.0.2.101\r\n\
t=0 0\r\n\
m=audio 49172 RTP/AVP 0\r\n\
a=rtpmap:0 PCMU/8000\r\n";

fn main() {
    let limits = Limits::default();
    measure("read and checked", || {
        black_box(Message::parse(INVITE.to_vec(), &limits).is_ok());
    });
    let mut out = Vec::new();
    measure("read, rewritten, written", || {
        let Ok(Message::Request(mut request)) = Message::parse(INVITE.to_vec(), &limits) else {
            return;
        };
        let source = ([192, 0, 2, 101], 40_000).into();
        sip::via::stamp(&mut request.fields, source, false).unwrap_or_default();
        request.fields.pop_value(Name::Route);
        request.fields.set(Name::MaxForwards, "69");
        request
            .fields
            .push_front(Name::RecordRoute, "<sip:192.0.2.1;lr>");
        let via = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK123123";
        request.fields.push_front(Name::Via, via);
        request.set_uri("sip:bob@192.0.2.9:5062");
        out.clear();
        request.encode_into(&mut out);
        black_box(out.len());
    });
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn measure(what: &str, mut once: impl FnMut()) {
    let started = Instant::now();
    let mut rounds = 0_u32;
    while started.elapsed() < Duration::from_secs(1) {
        (0..1000).for_each(|_| once());
        rounds += 1000;
    }
    let rate = f64::from(rounds) / started.elapsed().as_secs_f64();
    println!("{rate:>10.0} messages/s {what}");
}
