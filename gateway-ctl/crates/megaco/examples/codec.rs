//! How many messages are read and written in a second, on one core.
//!
//! `cargo run --release -p megaco --example codec`

#![expect(
    clippy::disallowed_methods,
    reason = "a bench reads the clock: that is what it is for"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use megaco::{Style, encode_into, parse};

const REGISTRATION: &str = "!/1 [192.168.1.10]:2944\nT=1{C=-{SC=root{SV{MT=RS,RE=\"901\"}}}}";
const MODIFY: &str = "!/1 [198.51.100.1]:2944\nT=10005{C=2000{MF=A4444{SG},MF=A4445{M{ST=1{\
    O{MO=SR,nt/jit=40},R{\nv=0\nc=IN IP4 192.0.2.9\nm=audio 40000 RTP/AVP 8\na=ptime:20\n\
    a=rtcp:40001\n}}},E=7{al/on{strict=state}}}}}";
const LASTS: Duration = Duration::from_secs(1);

/// The answer to an audit of everything about 24 lines.
fn audit() -> String {
    let mut text = "!/2 [192.0.2.9]:2944\nP=50007{C=-{".to_string();
    for line in 0..24 {
        let comma = if line == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}AV=line/{line}{{M{{TS{{SI=IV,BF=OFF}},ST=1{{O{{MO=SR,nt/jit=40}},L{{\nv=0\n\
             c=IN IP4 192.0.2.9\nm=audio {} RTP/AVP 8 0\na=ptime:20\n}}}}}},E=2222{{al/of,\
             al/on{{strict=state}}}},SG,DM=plan0{{(0|00|[1-7]xxx|8xxxxxxx)}},\
             PG{{nt-1,rtp-1,al-1,cg-1}},SA{{rtp/ps=1200,nt/os=62300,rtp/pr=700,nt/or=45100,\
             rtp/pl=0.2,rtp/jit=20,rtp/delay=40}}}}",
            40000 + 2 * line
        );
    }
    text + "}}"
}

/// How often it is done in a second.
fn per_second(mut once: impl FnMut()) -> f64 {
    let (begin, mut times) = (Instant::now(), 0u32);
    loop {
        for _ in 0..100 {
            once();
        }
        times += 100;
        let took = begin.elapsed();
        if took >= LASTS {
            return f64::from(times) / took.as_secs_f64();
        }
    }
}

fn main() {
    println!(
        "{:<14} {:>7} {:>12} {:>12}",
        "message", "octets", "decode/s", "encode/s"
    );
    let audit = audit();
    for (name, text) in [
        ("registration", REGISTRATION),
        ("modify", MODIFY),
        ("audit", &audit),
    ] {
        let message = parse(text.as_bytes()).expect("a message");
        let decode = per_second(|| drop(black_box(parse(black_box(text.as_bytes())))));
        let mut bytes = Vec::new();
        let encode = per_second(|| {
            bytes.clear();
            encode_into(black_box(&message), Style::Compact, &mut bytes);
            black_box(&bytes);
        });
        println!("{name:<14} {:>7} {decode:>12.0} {encode:>12.0}", text.len());
    }
}
