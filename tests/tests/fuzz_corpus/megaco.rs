//! H.248: inputs by hand, and what must be reached by replaying.
//!
//! Messages and what happens between them: see `megaco::testing`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ::megaco::testing::{End, exchange};

use crate::{inputs, replay};

const HEAD: &str = "!/1 [192.0.2.9]:2944\n";
const REGISTRATION: &str = "T=1{C=-{SC=root{SV{MT=RS,RE=\"901\"}}}}";

fn step(what: u8, length: u16) -> Vec<u8> {
    let [high, low] = length.to_be_bytes();
    vec![what, high, low]
}

/// A whole message from an address.
fn whole(from: u8, text: &[u8]) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("a short message");
    [step(from, length), text.to_vec()].concat()
}

/// Transactions from the first address.
fn heard(text: &str) -> Vec<u8> {
    whole(0, format!("{HEAD}{text}").as_bytes())
}

fn pass(tenths: u16) -> Vec<u8> {
    step(4, tenths)
}

fn answer(lines: u16) -> Vec<u8> {
    step(5, lines)
}

fn ask() -> Vec<u8> {
    step(6, 0)
}

fn pending() -> Vec<u8> {
    step(7, 0)
}

/// The messages that the crate has as fixtures of its own.
fn fixtures() -> Vec<(&'static str, Vec<u8>)> {
    let names = [
        "call",
        "call-answers",
        "comments",
        "error",
        "line-programming",
        "methods",
        "mtp",
        "notify",
        "registration",
        "registration-answers",
        "registration-full",
        "version2",
        "version3",
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../gateway-ctl/crates/megaco/tests/fixtures/messages");
    names
        .into_iter()
        .map(|name| {
            let text = fs::read(folder.join(format!("{name}.txt"))).expect("a fixture");
            (name, whole(0, &text))
        })
        .collect()
}

/// Seeds of the target `megaco`.
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    [fixtures(), transactions(), malformed()].concat()
}

fn transactions() -> Vec<(&'static str, Vec<u8>)> {
    let register = || heard(REGISTRATION);
    let three = |text: &str| whole(0, format!("!/3 a\n{text}").as_bytes());
    let steps: Vec<(&'static str, Vec<Vec<u8>>)> = vec![
        (
            "answered",
            vec![register(), answer(1), register(), pass(400), register()],
        ),
        (
            "restarted",
            vec![
                register(),
                answer(1),
                heard("K{1}"),
                pass(60),
                register(),
                answer(2),
            ],
        ),
        (
            "open",
            vec![
                register(),
                register(),
                pending(),
                pass(50),
                answer(1),
                pass(20),
                heard("K{1}"),
            ],
        ),
        ("expired", vec![register(), pass(600)]),
        (
            "segments-out",
            vec![
                three("T=1{C=1{MF=a}}"),
                answer(90),
                three("SM=1/1"),
                pass(10),
                three("K{1}"),
            ],
        ),
        (
            "segments-in",
            vec![
                ask(),
                heard("P=1/2/&{C=1{MF=b}}"),
                heard("P=1/1{C=1{MF=a}}"),
                heard("P=1/1{C=1}"),
            ],
        ),
        (
            "segments-lost",
            vec![ask(), heard("P=1/1{C=1{MF=a}}"), pass(101)],
        ),
        (
            "asked",
            vec![
                ask(),
                ask(),
                heard("PN=1{}P=1{IA,C=-{AV=*}}"),
                heard("P=2{ER=500{}}"),
                pass(9),
            ],
        ),
        ("asked-in-vain", vec![ask(), pass(251)]),
        ("asked-unreadable", vec![ask(), heard("P=1{XX}")]),
        (
            "two-hosts",
            vec![
                register(),
                whole(1, HEAD.as_bytes()),
                whole(2, HEAD.as_bytes()),
            ],
        ),
        (
            "many",
            (0..30)
                .map(|id| heard(&format!("T={id}{{C=1{{MF=a}}}}")))
                .collect(),
        ),
    ];
    steps
        .into_iter()
        .map(|(name, steps)| (name, steps.concat()))
        .collect()
}

fn malformed() -> Vec<(&'static str, Vec<u8>)> {
    let texts = [
        ("bad-message", "XX{}T=1{C=-{MF=a}}"),
        ("bad-transaction", "T=x{C=-{MF=a}}T=2{}P=3{}"),
        ("bad-action", "T=1{C=x{MF=a}}T=2{C=1{}}"),
        ("bad-context-property", "T=1{C=1{PR=1,PR=2}}"),
        ("bad-command", "T=1{C=1{MF=}}T=2{C=1{XX=a}}"),
        (
            "bad-descriptor",
            "T=1{C=1{MF=a{XX}}}T=2{C=1{MF=a{OE}}}T=3{C=1{MF=a{SG,SG}}}",
        ),
        (
            "bad-parameter",
            "T=1{C=1{MF=a{E=1{a/b{x}}}}}T=2{C=1{MF=a{M{O{x=1}}}}}",
        ),
        (
            "bad-value",
            "T=1{C=1{MF=a{M{O{MO=XX}}}}}T=2{C=1{MF=a{M{O{MO=SR,MO=SR}}}}}",
        ),
        ("bad-octets", "T=1{C=1{MF=a{M{L{ \\} {{ "),
        ("bad-quotes", "P=1{ER=1{\"}}}"),
    ];
    let texts = texts.into_iter().map(|(name, text)| (name, heard(text)));
    let heads: [(&str, &[u8]); 3] = [
        ("bad-head", b"!/1 [192.0.2.256] T=1{C=-{MF=a}}"),
        ("bad-version", b"!/0 a T=1{C=-{MF=a}}"),
        ("bad-auth", b"AU=0x1:0x2:0x3 !/1 a T=1{C=-{MF=a}}"),
    ];
    let heads = heads.into_iter().map(|(name, text)| (name, whole(3, text)));
    texts.chain(heads).collect()
}

/// Replays the corpus: it still gets everywhere.
#[test]
fn the_megaco_corpus_is_replayed() {
    let mut ends = BTreeSet::new();
    for (path, bytes) in inputs("megaco") {
        ends.extend(replay(&path, || exchange(&bytes)));
    }
    let codes = [
        400, 403, 406, 421, 422, 442, 443, 444, 445, 446, 447, 448, 449, 456,
    ];
    let expected = [
        End::Read,
        End::Request,
        End::Repeated,
        End::Expired,
        End::Reply,
        End::Timeout,
        End::Failed,
        End::MessageError,
    ];
    for end in expected.into_iter().chain(codes.map(End::Refused)) {
        assert!(ends.contains(&end), "no input comes to {end:?}");
    }
}
