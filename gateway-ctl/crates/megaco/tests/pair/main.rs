//! A controller and phones over a bad network: every request is executed exactly once, every
//! request is answered, and nothing stays behind.

mod net;

use megaco::transactions::Settings;
use net::{Net, Weather};

fn all_is_well(
    phones: u16,
    times: u32,
    weather: Weather,
    seed: u64,
    tune: fn(&mut Settings),
) -> Net {
    let mut net = Net::new(phones, weather, seed, tune);
    net.plan(times);
    net.run();
    let all = usize::from(phones) * usize::try_from(times).expect("few") * 2;
    assert_eq!(net.failed, Vec::<String>::new(), "seed {seed}");
    assert_eq!(net.replied.len(), all, "seed {seed}");
    assert_eq!(net.executed.len(), all, "seed {seed}");
    let often = net.executed.iter().find(|(_, times)| **times != 1);
    assert_eq!(often, None, "seed {seed}");
    for end in &net.ends {
        assert_eq!((end.peers(), end.poll_timeout()), (0, None), "seed {seed}");
    }
    net
}

fn usual(_: &mut Settings) {}

#[test]
fn a_good_network_carries_each_message_once() {
    let weather = Weather {
        loss: 0,
        doubles: 0,
        delay: 20,
        slow: 0,
    };
    let net = all_is_well(10, 10, weather, 7, usual);
    let resent: u64 = net.ends.iter().map(|end| end.counters().resent).sum();
    assert_eq!(resent, 0);
}

#[test]
fn a_bad_network_loses_no_request() {
    for seed in 1..=40 {
        let weather = Weather {
            loss: 5,
            doubles: 5,
            delay: 200,
            slow: 10,
        };
        all_is_well(5, 10, weather, seed * 7919, usual);
    }
}

#[test]
fn a_terrible_network_loses_no_request() {
    for seed in 1..=40 {
        let weather = Weather {
            loss: 20,
            doubles: 30,
            delay: 1500,
            slow: 10,
        };
        all_is_well(3, 10, weather, seed * 104_729, usual);
    }
}

#[test]
fn acknowledgements_are_batched() {
    let batched = |settings: &mut Settings| {
        settings.batch_acks = Some(std::time::Duration::from_millis(300));
    };
    for seed in 1..=20 {
        let weather = Weather {
            loss: 10,
            doubles: 10,
            delay: 300,
            slow: 10,
        };
        all_is_well(3, 20, weather, seed * 31, batched);
    }
}

#[test]
fn short_segments_are_put_together() {
    let short = |settings: &mut Settings| settings.segment_size = 400;
    for seed in 1..=20 {
        let weather = Weather {
            loss: 10,
            doubles: 10,
            delay: 300,
            slow: 10,
        };
        let net = all_is_well(3, 10, weather, seed * 77, short);
        let segments: u64 = net.ends.iter().map(|end| end.counters().segments_in).sum();
        assert!(segments > 20, "got {segments}");
    }
}
