//! Any bytes as a frame and as a packet.
#![no_main]

use gateway_common::testing::invariants;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| invariants::parse(input));
