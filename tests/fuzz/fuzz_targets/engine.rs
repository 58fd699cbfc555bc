//! Any packet through all of the engine: parse, decide, route, rewrite or answer.
#![no_main]

use gateway_common::testing::invariants;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    invariants::engine(input);
});
