//! How many registrations an end answers in a second, and what it keeps of each.
//!
//! `cargo run --release -p megaco --example registrations -- [PHONES]`
//!
//! Messages are made, read, answered and read again; nothing is stored, nothing is sent.

#![expect(
    clippy::disallowed_methods,
    reason = "a bench reads the clock: that is what it is for"
)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use megaco::transactions::{Endpoint, Output, Settings};
use megaco::{
    ActionReply, ContextId, Mid, Name, Outcome, Response, ServiceChangeReply, ServiceChangeResult,
    TerminationId,
};

/// Resident memory of this process, octets.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0) * 4096
}

fn accepted() -> Outcome {
    let response = Response::ServiceChange(ServiceChangeReply {
        terminations: TerminationId::Root.into(),
        result: ServiceChangeResult::ACCEPTED,
    });
    Outcome::Actions(vec![ActionReply::new(ContextId::Null, vec![response])])
}

fn main() {
    let phones: u32 = std::env::args()
        .nth(1)
        .map_or(100_000, |n| n.parse().expect("a number"));
    let messages: Vec<(SocketAddr, String)> = (0..phones)
        .map(|phone| {
            let [_, high, middle, low] = phone.to_be_bytes();
            let from = SocketAddr::from(([100, 64 + high, middle, low], 2944));
            let mid = format!("[10.{high}.{middle}.{low}]:2944");
            let text = format!("!/1 {mid}\nT=1{{C=-{{SC=root{{SV{{MT=RS,RE=\"901\"}}}}}}}}");
            (from, text)
        })
        .collect();
    let settings = Settings::new(Mid::Domain(Name::literal("mgc.example"), None), 1);
    let keep = settings.keep;
    let mut endpoint = Endpoint::new(settings);
    let (before, begin, mut sent) = (resident(), Instant::now(), 0u32);
    for (from, text) in &messages {
        endpoint.handle(Duration::ZERO, *from, text.as_bytes());
        while let Some(output) = endpoint.next_output() {
            match output {
                Output::Request { request, .. } => {
                    endpoint.reply(Duration::ZERO, request, accepted());
                }
                Output::Send { .. } => sent += 1,
                _ => {}
            }
        }
    }
    let took = begin.elapsed();
    assert_eq!(sent, phones);
    let rate = f64::from(phones) / took.as_secs_f64();
    let kept = resident().saturating_sub(before) / phones.max(1) as usize;
    println!(
        "{phones} registrations: {rate:.0} a second, {kept} octets each while replies are kept"
    );
    let begin = Instant::now();
    endpoint.handle_timeout(keep);
    println!(
        "all forgotten in {:?}; {} are kept",
        begin.elapsed(),
        endpoint.peers()
    );
}
