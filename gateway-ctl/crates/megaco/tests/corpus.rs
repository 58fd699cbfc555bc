//! Messages in files: read, written in both styles, read again, and still the same.
//!
//! | folder | what is in it |
//! |---|---|
//! | `fixtures/rfc3525/` | the messages of RFC 3525 appendix I.1, in order. Mended: session descriptions have their lines again, and parameters of events stand in braces, where the RFC has parentheses against its own grammar |
//! | `fixtures/messages/` | messages of our own: every descriptor, both styles, all versions |

use std::fs;
use std::path::{Path, PathBuf};

use megaco::{Body, ErrorCode, Style, Transaction, TransactionKind, encode, parse};

fn files(folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("a folder of fixtures")
        .map(|entry| entry.expect("a readable folder").path())
        .map(|path| (path.clone(), fs::read(path).expect("a readable file")))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn there_and_back(path: &Path, bytes: &[u8]) {
    let message = parse(bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for style in [Style::Compact, Style::Pretty] {
        let written = encode(&message, style);
        let text = String::from_utf8_lossy(&written);
        let again = parse(&written);
        let again = again.unwrap_or_else(|error| panic!("{}: {error} in\n{text}", path.display()));
        assert_eq!(again, message, "{} as\n{text}", path.display());
    }
}

#[test]
fn our_messages_keep_their_meaning() {
    for (path, bytes) in files("messages") {
        there_and_back(&path, &bytes);
    }
}

#[test]
fn messages_of_the_rfc_keep_their_meaning() {
    let files = files("rfc3525");
    assert_eq!(files.len(), 28);
    for (path, bytes) in files {
        if path.ends_with("01.txt") {
            continue;
        }
        there_and_back(&path, &bytes);
    }
}

/// The RFC's first example leaves out the reason, which its grammar requires.
#[test]
fn the_first_message_of_the_rfc_lacks_its_reason() {
    let (path, bytes) = files("rfc3525").swap_remove(0);
    let error = parse(&bytes).expect_err("no reason");
    assert_eq!(error.code, ErrorCode::SYNTAX_IN_COMMAND);
    assert_eq!(error.expected, "Method and Reason");
    assert_eq!(error.transaction, Some((TransactionKind::Request, 9998)));
    let text = String::from_utf8(bytes).expect("text");
    let mended = text.replace(
        "Method=Restart,",
        "Method=Restart, Reason=\"901 cold boot\",",
    );
    there_and_back(&path, mended.as_bytes());
}

/// Captured from a real stack: 61 octets.
const REGISTRATION: &str = "!/1 [192.168.1.10]:2944\nT=1{C=-{SC=root{SV{MT=RS,RE=\"901\"}}}}";

#[test]
fn a_registration_is_written_to_the_octet() {
    let message = parse(REGISTRATION.as_bytes()).expect("a registration");
    assert_eq!(REGISTRATION.len(), 61);
    assert_eq!(encode(&message, Style::Compact), REGISTRATION.as_bytes());
    let pretty = "MEGACO/1 [192.168.1.10]:2944\n\
                  Transaction = 1 {\n\
                  \tContext = - {\n\
                  \t\tServiceChange = root {\n\
                  \t\t\tServices {\n\
                  \t\t\t\tMethod = Restart,\n\
                  \t\t\t\tReason = \"901\"\n\
                  \t\t\t}\n\
                  \t\t}\n\
                  \t}\n\
                  }";
    let written = encode(&message, Style::Pretty);
    assert_eq!(String::from_utf8_lossy(&written), pretty);
}

#[test]
fn several_transactions_stand_in_one_message() {
    let text = "!/2 <mgc.example>:2944\nK{1,3-5}P=9{IA,C=-{SC=root{SV{V=2}}}}PN=4{}\
                T=7{C=*{W-S=*}}SM=12/3/&\nT=8{C=1{MF=a}}";
    let message = parse(text.as_bytes()).expect("a message");
    let Body::Transactions(transactions) = &message.body else {
        panic!("transactions");
    };
    let kinds: Vec<_> = transactions
        .iter()
        .map(|transaction| match transaction {
            Transaction::Request(request) => ("request", request.id),
            Transaction::Pending(id) => ("pending", *id),
            Transaction::Reply(reply) => ("reply", reply.id),
            Transaction::Ack(ranges) => ("ack", ranges.len().try_into().expect("few")),
            Transaction::Segment(segment) => ("segment", segment.id),
        })
        .collect();
    let expected = [
        ("ack", 2),
        ("reply", 9),
        ("pending", 4),
        ("request", 7),
        ("segment", 12),
        ("request", 8),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(encode(&message, Style::Compact), text.as_bytes());
}
