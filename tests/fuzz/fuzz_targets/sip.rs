//! Any bytes as messages, streams, descriptions, values, and messages to a proxy.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| drop(sip::testing::any(input)));
