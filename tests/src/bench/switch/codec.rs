//! Messages read and written in a second of processor time: our codec and OTP's in turns.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use anyhow::Result;
use megaco::{Style, encode_into, parse};
use nix::time::{ClockId, clock_gettime};

use super::super::report::{Figure, Report, Target};
use super::super::statistics::{median, median_ratio};
use super::Options;
use super::erlang::{self, Asked};

/// What OTP's codec is to be exceeded by.
const TARGET: f64 = 5.0;

const REGISTRATION: &str = "!/1 [192.168.1.10]:2944\nT=1{C=-{SC=root{SV{MT=RS,RE=\"901\"}}}}";
const NOTIFY: &str = "!/3 [192.168.1.10]:2944\nT=1207{C=-{N=line1{OE=3{20261122T10150200:dd/ce{\
    ds=\"5001\",Meth=UM}}}}}";
const MODIFY: &str = "!/1 [198.51.100.1]:2944\nT=10005{C=2000{MF=A4444{SG},MF=A4445{M{ST=1{\
    O{MO=SR,nt/jit=40},R{\nv=0\nc=IN IP4 192.0.2.9\nm=audio 40000 RTP/AVP 8\na=ptime:20\n\
    a=rtcp:40001\n}}},E=7{al/on{strict=state}}}}}";

/// The answer to an audit of everything about 24 lines.
fn audit() -> String {
    let mut text = "!/2 [192.0.2.9]:2944\nP=50007{C=-{".to_owned();
    for line in 0..24 {
        let comma = if line == 0 { "" } else { "," };
        let port = 40_000 + 2 * line;
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "{comma}AV=line/{line}{{M{{TS{{SI=IV,BF=OFF}},ST=1{{O{{MO=SR,nt/jit=40}},L{{\nv=0\n\
             c=IN IP4 192.0.2.9\nm=audio {port} RTP/AVP 8 0\na=ptime:20\n}}}}}},E=2222{{al/of,\
             al/on{{strict=state}}}},SG,DM=plan0{{(0|00|[1-7]xxx|8xxxxxxx)}},\
             PG{{nt-1,rtp-1,al-1,cg-1}},SA{{rtp/ps=1200,nt/os=62300,rtp/pr=700,nt/or=45100,\
             rtp/pl=0.2,rtp/jit=20,rtp/delay=40}}}}",
        );
    }
    text + "}}"
}

/// Rates of all rounds.
#[derive(Debug, Default)]
struct Rates {
    decode: Vec<f64>,
    encode: Vec<f64>,
    otp_flex: Vec<f64>,
    otp_plain: Vec<f64>,
    otp_encode: Vec<f64>,
}

/// Measures both.
pub(super) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("sgt-").tempdir()?;
    erlang::compile("codec", include_str!("peers/codec.erl"), folder.path())?;
    let mut otp = Asked::start("codec", folder.path())?;
    let (rounds, lasting) = match options.quick {
        true => (5, Duration::from_millis(100)),
        false => (15, Duration::from_millis(300)),
    };
    let audit = audit();
    for (name, text) in [
        ("registration", REGISTRATION),
        ("notify", NOTIFY),
        ("modify", MODIFY),
        ("audit", &audit),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, text)?;
        let mut rates = Rates::default();
        for _ in 0..rounds {
            round(text, lasting, &mut rates)?;
            let mut otp = |what: &str| {
                let milliseconds = lasting.as_millis();
                otp.ask(&format!("{what} {milliseconds} {}", file.display()))
            };
            rates.otp_flex.push(otp("flex")?);
            rates.otp_plain.push(otp("plain")?);
            rates.otp_encode.push(otp("encode")?);
        }
        figures(&format!("{name}, {} octets", text.len()), &rates, report);
    }
    Ok(())
}

fn round(text: &str, lasting: Duration, rates: &mut Rates) -> Result<()> {
    let message = parse(text.as_bytes())?;
    let decode = per_second(lasting, || {
        drop(black_box(parse(black_box(text.as_bytes()))));
    })?;
    let mut bytes = Vec::new();
    let encode = per_second(lasting, || {
        bytes.clear();
        encode_into(black_box(&message), Style::Compact, &mut bytes);
        black_box(&bytes);
    })?;
    rates.decode.push(decode);
    rates.encode.push(encode);
    Ok(())
}

fn figures(name: &str, rates: &Rates, report: &mut Report) {
    // Its best one.
    let flex = median(&rates.otp_flex) >= median(&rates.otp_plain);
    let (scanner, otp_decode) = match flex {
        true => ("OTP, flex", &rates.otp_flex),
        false => ("OTP, scanner in Erlang", &rates.otp_plain),
    };
    for (what, ours, theirs, peer) in [
        ("decode", &rates.decode, otp_decode, scanner),
        ("encode", &rates.encode, &rates.otp_encode, "OTP"),
    ] {
        let case = format!("{what} {name}");
        report.add(Figure::new(
            format!("{case}: {peer}"),
            median(theirs),
            "1/s",
        ));
        let figure = Figure::new(case, median(ours), "1/s");
        let figure = figure.against(peer, median_ratio(ours, theirs));
        report.add(figure.target(Target::AtLeast(TARGET)));
    }
}

/// How often it is done in a second of this thread's processor time.
fn per_second(lasting: Duration, mut once: impl FnMut()) -> Result<f64> {
    let (begin, mut times) = (processor_time()?, 0_u32);
    loop {
        for _ in 0..100 {
            once();
        }
        times += 100;
        let took = processor_time()? - begin;
        if took >= lasting {
            return Ok(f64::from(times) / took.as_secs_f64());
        }
    }
}

/// What the calling thread has had.
pub(super) fn processor_time() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}
