//! What is taken and what is answered. Whole transfers are in `tests/transfers`.

use super::*;

const NOW: Duration = Duration::from_secs(5);

fn start(request: &[u8]) -> (WriteSession, Step) {
    let request = Request::parse(request).expect("a request");
    WriteSession::new(&request, &Limits::default(), NOW)
}

fn data(block: u16, length: usize) -> Vec<u8> {
    let mut bytes = crate::packet::data_header(block).to_vec();
    bytes.resize(4 + length, b'x');
    bytes
}

/// Length taken, whether it was the last, block acknowledged.
fn give(session: &mut WriteSession, block: u16, length: usize) -> (usize, bool, Option<u16>) {
    let datagram = data(block, length);
    let received = session.handle(NOW, &datagram);
    let acked = match &received.step {
        Step::Send(bytes) => Some(u16::from_be_bytes([bytes[2], bytes[3]])),
        _ => None,
    };
    (received.bytes.len(), received.last, acked)
}

#[test]
fn each_block_is_acknowledged() {
    let (mut session, step) = start(b"\0\x02log\0octet\0");
    assert_eq!(step, Step::Send(b"\0\x04\0\0".to_vec()));
    assert_eq!(give(&mut session, 1, 512), (512, false, Some(1)));
    assert_eq!(
        give(&mut session, 1, 512),
        (0, false, Some(1)),
        "the ACK was lost"
    );
    assert_eq!(
        give(&mut session, 3, 512),
        (0, false, None),
        "never agreed on"
    );
    assert_eq!(give(&mut session, 2, 100), (100, true, Some(2)));
    assert_eq!(session.outcome(), None, "dallies");
    assert_eq!(give(&mut session, 2, 100), (0, false, Some(2)));
    assert_eq!(give(&mut session, 3, 100), (0, false, None));
    let until = session.poll_timeout().expect("an end");
    assert_eq!(session.handle_timeout(NOW), Step::Wait);
    assert_eq!(session.outcome(), None);
    assert_eq!(session.handle_timeout(until), Step::Wait);
    assert_eq!(session.outcome(), Some(Outcome::Complete));
    assert_eq!(session.resent(), 2);
}

#[test]
fn a_window_is_acknowledged_at_its_end_and_at_a_gap() {
    let (mut session, step) = start(b"\0\x02log\0octet\0windowsize\x004\0");
    assert_eq!(step, Step::Send(b"\0\x06windowsize\x004\0".to_vec()));
    assert_eq!(
        give(&mut session, 2, 512),
        (0, false, Some(0x7769)),
        "the OACK again"
    );
    for (block, expected) in [(1, None), (2, None), (3, None), (4, Some(4))] {
        assert_eq!(give(&mut session, block, 512), (512, false, expected));
    }
    assert_eq!(give(&mut session, 5, 512), (512, false, None));
    assert_eq!(
        give(&mut session, 7, 512),
        (0, false, Some(5)),
        "6 is missing"
    );
    assert_eq!(give(&mut session, 8, 512), (0, false, None), "it was told");
    assert_eq!(give(&mut session, 6, 512), (512, false, None));
    assert_eq!(
        give(&mut session, 8, 512),
        (0, false, Some(6)),
        "another gap"
    );
    assert_eq!(give(&mut session, 7, 0), (0, true, Some(7)));
}

#[test]
fn says_again_where_it_is_when_nothing_comes() {
    let (mut session, _) = start(b"\0\x02log\0octet\0tsize\x0099\0");
    let mut sent = Vec::new();
    while let Some(deadline) = session.poll_timeout() {
        if let Step::Send(bytes) = session.handle_timeout(deadline) {
            sent.push(bytes);
        }
    }
    assert_eq!(session.outcome(), Some(Outcome::Silent));
    assert_eq!(sent, vec![b"\0\x06tsize\x0099\0".to_vec(); 8]);
}

#[test]
fn a_block_longer_than_agreed_ends_it() {
    let (mut session, _) = start(b"\0\x02log\0octet\0");
    let datagram = data(1, 513);
    let received = session.handle(NOW, &datagram);
    assert!(received.bytes.is_empty() && !received.last);
    assert_eq!(
        received.step,
        Step::Send(b"\0\x05\0\x04block longer than agreed\0".to_vec())
    );
    assert_eq!(session.outcome(), Some(Outcome::Failed));
}

#[test]
fn what_happens_after_the_last_block_takes_nothing_away() {
    for end in [
        |session: &mut WriteSession| drop(session.handle(NOW, b"\0\x05\0\0oops\0")),
        WriteSession::gone,
    ] {
        let (mut session, _) = start(b"\0\x02log\0octet\0");
        give(&mut session, 1, 5);
        end(&mut session);
        assert_eq!(session.outcome(), Some(Outcome::Complete));

        let (mut session, _) = start(b"\0\x02log\0octet\0");
        end(&mut session);
        assert!(matches!(
            session.outcome(),
            Some(Outcome::Aborted | Outcome::Gone)
        ));
    }
}

#[test]
fn blocks_beyond_65535_begin_at_0_again() {
    let (mut session, _) = start(b"\0\x02log\0octet\0blksize\x008\0");
    for block in 1..=70_000 {
        assert_eq!(
            give(&mut session, wire(block), 8),
            (8, false, Some(wire(block)))
        );
    }
    assert_eq!(session.resent(), 0);
}
