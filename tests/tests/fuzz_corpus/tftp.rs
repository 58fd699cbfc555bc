//! TFTP: inputs by hand, and what must be reached by replaying.
//!
//! A request, then what comes in after it: see `tftp::testing`.

use std::collections::BTreeSet;

use ::tftp::testing::{End, exchange};
use ::tftp::{Direction, Malformed, Outcome};

use crate::{inputs, replay};

/// Bytes that are served, by sixteens.
const SIXTEENS: u8 = 100;
/// Instead of a datagram: the timer runs out.
const SILENCE: &[u8] = b"silence";

fn input(request: &[u8], after: &[&[u8]]) -> Vec<u8> {
    let [.., high, low] = request.len().to_be_bytes();
    let mut bytes = [&[SIXTEENS, high, low], request].concat();
    for datagram in after {
        if *datagram == SILENCE {
            bytes.extend([0, 255]);
        } else {
            let length = u8::try_from(datagram.len()).expect("a short datagram");
            bytes.extend([length, 0]);
            bytes.extend_from_slice(datagram);
        }
    }
    bytes
}

fn number(opcode: u8, block: u16) -> Vec<u8> {
    let [high, low] = block.to_be_bytes();
    vec![0, opcode, high, low]
}

fn acks(blocks: impl IntoIterator<Item = u16>) -> Vec<Vec<u8>> {
    blocks.into_iter().map(|block| number(4, block)).collect()
}

/// DATA with so many bytes.
fn data(block: u16, length: usize) -> Vec<u8> {
    let mut bytes = number(3, block);
    bytes.resize(4 + length, b'\r');
    bytes
}

fn slices(datagrams: &[Vec<u8>]) -> Vec<&[u8]> {
    datagrams.iter().map(Vec::as_slice).collect()
}

/// Seeds of the target `tftp`.
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let plain = b"\0\x01boot.bin\0octet\0";
    let options =
        b"\0\x01cfg.txt\0netascii\0blksize\x00100\0windowsize\x004\0timeout\x001\0tsize\x000\0";
    let upload = b"\0\x02log\0octet\0blksize\x00100\0windowsize\x003\0";
    let text = b"\0\x02log\0netascii\0tsize\x0070\0";
    let read = acks(1..=4);
    let windows = acks([0, 4, 4, 6, 10, 14, 17]);
    let mut write = vec![
        data(1, 100),
        data(2, 100),
        data(3, 100),
        data(5, 100),
        data(4, 100),
    ];
    write.extend([data(4, 100), data(5, 99), data(5, 99)]);
    let lost = vec![data(1, 70), SILENCE.to_vec()];
    let long = vec![data(1, 101)];
    let gone = [SILENCE; 12];
    let error: &[u8] = b"\0\x05\0\0enough\0";
    vec![
        ("read", input(plain, &slices(&read))),
        ("read-windows", input(options, &slices(&windows))),
        ("read-error", input(plain, &[error])),
        ("read-silence", input(plain, &gone)),
        (
            "read-old",
            input(plain, &slices(&acks([1, 1, 0, 2, 9, 65535]))),
        ),
        ("write-windows", input(upload, &slices(&write))),
        ("write-text", input(text, &slices(&lost))),
        ("write-too-long", input(upload, &slices(&long))),
        ("write-error", input(upload, &[error])),
        ("write-silence", input(text, &gone)),
        ("refused-short", input(b"\0", &[])),
        ("refused-opcode", input(b"\0\x03\0\x01", &[])),
        (
            "refused-long",
            input(&[&b"\0\x01"[..], &[b'a'; 520]].concat(), &[]),
        ),
        // CVE-2009-2957 and 2958.
        ("refused-name", input(b"\0\x01boot.bin", &[])),
        (
            "refused-value",
            input(b"\0\x01boot.bin\0octet\0blksize\0", &[]),
        ),
        ("refused-text", input(b"\0\x01boot\xff\0octet\0", &[])),
        ("refused-no-mode", input(b"\0\x01boot.bin\0", &[])),
        ("refused-mode", input(b"\0\x01boot.bin\0mail\0", &[])),
    ]
}

/// Replays the corpus: it still gets everywhere.
#[test]
fn the_tftp_corpus_is_replayed() {
    let mut ends = BTreeSet::new();
    for (path, bytes) in inputs("tftp") {
        ends.extend(replay(&path, || exchange(&bytes)));
    }
    for malformed in Malformed::ALL {
        assert!(ends.contains(&End::Malformed(*malformed)), "{malformed:?}");
    }
    for (direction, outcomes) in [
        (
            Direction::Read,
            [Outcome::Complete, Outcome::Aborted, Outcome::Silent],
        ),
        (
            Direction::Write,
            [Outcome::Failed, Outcome::Aborted, Outcome::Silent],
        ),
    ] {
        for outcome in outcomes {
            assert!(
                ends.contains(&End::Over(direction, outcome)),
                "{direction:?} {outcome:?}"
            );
        }
    }
    assert!(ends.contains(&End::Over(Direction::Write, Outcome::Complete)));
}
