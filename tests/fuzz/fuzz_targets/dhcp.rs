//! Any messages to a DHCP server, with time, kills and a slow disk between them.
#![no_main]

use dhcp::testing::invariants;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| drop(invariants::server(input)));
