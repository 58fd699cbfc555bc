//! Any messages to an end of H.248 transactions, with time between them.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| drop(megaco::testing::exchange(input)));
