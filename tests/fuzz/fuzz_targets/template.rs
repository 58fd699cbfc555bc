//! Any name, pattern and values of a phone; any text as a template.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = provision::testing::template(input);
});
