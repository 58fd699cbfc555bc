//! Packet in, packet out: every row asserts the verdict and all bytes of the frame.

mod directions;
mod echo;
mod fragments;
mod icmp_errors;
mod properties;
mod refusals;
mod routes;

use std::vec::Vec;

use super::Stage;
use crate::testing::packet::Sample;
use crate::testing::run::{End, Forwarded, forward};
use crate::testing::tables::FakeTables;
use crate::verdict::Reason;

/// In front of the packet and behind it: nothing the engine may touch.
const AROUND: [u8; 18] = [0xee; 18];

/// A packet that came in, and how it ended.
struct Ran {
    ended: Result<Forwarded, Reason>,
    frame: Vec<u8>,
}

impl Ran {
    fn new(tables: &FakeTables, slot: u16, stage: Stage, packet: &[u8]) -> Self {
        let mut frame = framed(packet);
        let arrival = tables.interface(slot).expect("an interface of the site");
        let ended = forward(tables, arrival, stage, &mut frame, AROUND.len() as u16);
        Self { ended, frame }
    }
}

fn framed(packet: &[u8]) -> Vec<u8> {
    [&AROUND, packet, &AROUND].concat()
}

/// `sample` comes in at `from` and leaves at `to` as `expected`.
#[track_caller]
fn sent(
    tables: &FakeTables,
    (from, to): (u16, u16),
    sample: &Sample,
    reason: Reason,
    expected: &Sample,
) -> Forwarded {
    let ran = Ran::new(tables, from, Stage::Xdp, &sample.bytes());
    let forwarded = ran
        .ended
        .unwrap_or_else(|reason| panic!("refused as {reason:?}: {sample:?}"));
    assert_eq!(
        (forwarded.translation.reason, forwarded.end),
        (reason, End::Sent(to))
    );
    let expected_frame = framed(&expected.bytes());
    assert_eq!(
        ran.frame, expected_frame,
        "{sample:?}\nshould leave as\n{expected:?}"
    );
    forwarded
}

/// `sample` comes in at `slot`, is refused for `reason` and stays as it was.
#[track_caller]
fn refused(tables: &FakeTables, slot: u16, sample: &Sample, reason: Reason) {
    refused_bytes(tables, slot, &sample.bytes(), reason);
}

#[track_caller]
fn refused_bytes(tables: &FakeTables, slot: u16, packet: &[u8], reason: Reason) {
    for stage in [Stage::Xdp, Stage::Tc] {
        let ran = Ran::new(tables, slot, stage, packet);
        assert_eq!(ran.ended, Err(reason), "{packet:02x?}");
        assert_eq!(ran.frame, framed(packet), "a refused packet was written to");
    }
}
