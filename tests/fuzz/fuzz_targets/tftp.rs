//! Any request to the TFTP server, and whatever comes in after it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| drop(tftp::testing::exchange(input)));
