//! Bytes for people: a dump, and a difference that says at which offset what is wrong.

use std::fmt::Write as _;

use super::{Packet, check, check_ip};

const ROW: usize = 16;

/// Sixteen bytes per line with their offset.
#[must_use]
pub fn hexdump(bytes: &[u8]) -> String {
    bytes
        .chunks(ROW)
        .enumerate()
        .map(|(row, part)| line(row, part, None))
        .collect()
}

/// One line of a dump; bytes that differ from `other`'s stand in brackets.
fn line(row: usize, part: &[u8], other: Option<&[u8]>) -> String {
    let mut text = format!("{:04x} ", row * ROW);
    for (at, byte) in part.iter().enumerate() {
        let differs = other.is_some_and(|other| other.get(at) != Some(byte));
        let (open, close) = if differs { ('[', ']') } else { (' ', ' ') };
        // Writing to a String cannot fail.
        let _ = write!(text, "{open}{byte:02x}{close}");
    }
    text.push('\n');
    text
}

/// Panics unless the bytes are equal; the message shows both, differences in brackets.
///
/// # Panics
/// When they differ.
#[track_caller]
pub fn assert_bytes(got: &[u8], expected: &[u8]) {
    if got != expected {
        panic!("the bytes differ\n{}", difference(got, expected));
    }
}

/// Panics unless `frame` is exactly `expected`; the message shows both, decoded and as bytes.
///
/// # Panics
/// When they differ.
#[track_caller]
pub fn assert_frame(frame: &[u8], expected: &Packet) {
    compare(frame, &expected.bytes(), check(frame), expected);
}

/// As [`assert_frame`], for packets without Ethernet header.
///
/// # Panics
/// When they differ.
#[track_caller]
pub fn assert_ip(packet: &[u8], expected: &Packet) {
    compare(packet, &expected.ip_bytes(), check_ip(packet), expected);
}

#[track_caller]
fn compare(got: &[u8], wanted: &[u8], decoded: Result<Packet, String>, expected: &Packet) {
    if got != wanted {
        let decoded = match decoded {
            Ok(packet) => format!("{packet:?}"),
            Err(why) => format!("malformed: {why}"),
        };
        let bytes = difference(got, wanted);
        panic!("the packets differ\n     got: {decoded}\nexpected: {expected:?}\n{bytes}");
    }
}

fn difference(got: &[u8], expected: &[u8]) -> String {
    let rows = got.len().max(expected.len()).div_ceil(ROW);
    let row_of = |bytes: &[u8], row: usize| -> Vec<u8> {
        bytes.iter().skip(row * ROW).take(ROW).copied().collect()
    };
    let mut text = format!(
        "     got: {} bytes\nexpected: {} bytes\n",
        got.len(),
        expected.len()
    );
    for row in 0..rows {
        let (left, right) = (row_of(got, row), row_of(expected, row));
        if left == right {
            text.push_str("          ");
            text.push_str(&line(row, &left, None));
        } else {
            text.push_str("     got: ");
            text.push_str(&line(row, &left, Some(&right)));
            text.push_str("expected: ");
            text.push_str(&line(row, &right, Some(&left)));
        }
    }
    text
}
