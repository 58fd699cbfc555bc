//! Whole transfers between a session and a client, over a wire that loses, doubles, delays
//! and reorders. Time is simulated, chance comes from a seed: each case can be repeated.
//!
//! | file | what it does |
//! |---|---|
//! | `wire.rs` | datagrams on their way |
//! | `client.rs` | a client as the RFCs want it, written apart from the server |
//! | `pair.rs` | both, and the wire between them |

mod client;
mod pair;
mod wire;

use proptest::prelude::*;
use tftp::Outcome;

use pair::{Pair, Transfer};
use wire::Weather;

/// A file in which no two blocks are the same.
fn file(length: usize) -> Vec<u8> {
    let word = |index: usize| (index as u32).wrapping_mul(0x9E37_79B9).to_be_bytes();
    (0..length.div_ceil(4))
        .flat_map(word)
        .take(length)
        .collect()
}

fn weather() -> impl Strategy<Value = Weather> {
    (any::<u64>(), 0..70_u8, 0..50_u8, 0..30_u64, 0..60_u64).prop_map(
        |(seed, loss, doubled, latency_ms, jitter_ms)| Weather {
            seed,
            loss,
            doubled,
            latency_ms,
            jitter_ms,
        },
    )
}

fn transfer() -> impl Strategy<Value = Transfer> {
    let window = prop_oneof![Just(None), (1..20_u16).prop_map(Some)];
    let timeout = prop_oneof![3 => Just(None), 1 => (1..3_u8).prop_map(Some)];
    let size = prop_oneof![Just(None), (8..100_u16).prop_map(Some)];
    (0..4000_usize, size, window, timeout, any::<bool>()).prop_map(
        |(length, block_size, window, timeout, tell_size)| Transfer {
            bytes: file(length),
            block_size,
            window,
            timeout,
            tell_size,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_read_arrives(transfer in transfer(), weather in weather()) {
        let end = Pair::read(&transfer, weather);
        prop_assert_eq!(end.outcome, Outcome::Complete);
        prop_assert_eq!(end.received, transfer.bytes);
    }

    #[test]
    fn what_is_written_arrives(transfer in transfer(), weather in weather()) {
        let end = Pair::write(&transfer, weather);
        prop_assert_eq!(end.outcome, Outcome::Complete);
        prop_assert_eq!(end.received, transfer.bytes);
    }
}

fn plain(length: usize) -> Transfer {
    Transfer {
        bytes: file(length),
        block_size: None,
        window: None,
        timeout: None,
        tell_size: false,
    }
}

const FAIR: Weather = Weather {
    seed: 1,
    loss: 0,
    doubled: 0,
    latency_ms: 3,
    jitter_ms: 0,
};

#[test]
fn nothing_is_sent_twice_when_nothing_is_lost() {
    for (window, datagrams) in [(None, 201), (Some(16), 202)] {
        let transfer = Transfer {
            window,
            ..plain(200 * 512)
        };
        let end = Pair::read(&transfer, FAIR);
        assert_eq!((end.from_server, end.resent), (datagrams, 0));
        assert_eq!(end.received, transfer.bytes);
        let end = Pair::write(&transfer, FAIR);
        assert_eq!((end.from_client, end.resent), (202, 0));
    }
}

/// The sorcerer's apprentice (RFC 1123 section 4.2.3.1): one doubled datagram must not
/// double all that come after it.
#[test]
fn doubled_datagrams_do_not_multiply() {
    let doubling = Weather {
        doubled: 100,
        ..FAIR
    };
    let end = Pair::read(&plain(200 * 512), doubling);
    assert_eq!((end.from_server, end.resent), (201, 0));
    // Each DATA comes twice, and is answered twice, but sent once.
    let end = Pair::write(&plain(200 * 512), doubling);
    assert_eq!(end.from_client, 202);
}

#[test]
fn more_than_65535_blocks() {
    let lossy = Weather { loss: 1, ..FAIR };
    for window in [None, Some(16)] {
        let transfer = Transfer {
            block_size: Some(8),
            window,
            ..plain(600_000)
        };
        assert_eq!(Pair::read(&transfer, lossy).received, transfer.bytes);
        assert_eq!(Pair::write(&transfer, lossy).received, transfer.bytes);
    }
}

/// One in a hundred lost at a round trip of 6 ms: a lockstep transfer of 1 MB takes 2,049
/// round trips, 12 s, and some 41 times a wait.
#[test]
fn a_loss_costs_little_more_than_a_round_trip() {
    let lossy = Weather { loss: 1, ..FAIR };
    let end = Pair::read(&plain(1 << 20), lossy);
    assert!(end.seconds < 16.0, "{} s", end.seconds);
}
