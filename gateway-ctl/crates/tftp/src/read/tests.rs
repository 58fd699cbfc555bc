//! What is sent, packet by packet. Whole transfers are in `tests/transfers`.

use super::*;

const NOW: Duration = Duration::from_secs(5);

fn start(request: &[u8], length: u64) -> (ReadSession, Step) {
    let request = Request::parse(request).expect("a request");
    ReadSession::new(&request, length, &Limits::default(), NOW)
}

fn ack(block: u16) -> Vec<u8> {
    crate::packet::ack(block)
}

fn blocks(step: Step) -> (u64, u16, u64, usize) {
    let Step::Data(blocks) = step else {
        panic!("expected DATA, got {step:?}")
    };
    (blocks.first, blocks.count, blocks.offset, blocks.length)
}

#[test]
fn without_options_data_comes_at_once() {
    let (mut session, step) = start(b"\0\x01x\0octet\0", 1024);
    assert_eq!(blocks(step), (1, 1, 0, 512));
    assert_eq!(blocks(session.handle(NOW, &ack(1))), (2, 1, 512, 512));
    // A multiple of the block's size ends with an empty block (RFC 1350 section 6).
    assert_eq!(blocks(session.handle(NOW, &ack(2))), (3, 1, 1024, 0));
    assert_eq!(session.handle(NOW, &ack(3)), Step::Wait);
    assert_eq!(session.outcome(), Some(Outcome::Complete));
    assert_eq!((session.resent(), session.poll_timeout()), (0, None));
}

#[test]
fn an_oack_is_answered_by_ack_0() {
    let (mut session, step) = start(b"\0\x01x\0octet\0tsize\x000\0windowsize\x003\0", 5 * 512);
    let oack = Step::Send(b"\0\x06tsize\x002560\0windowsize\x003\0".to_vec());
    assert_eq!(step, oack);
    assert_eq!(
        session.handle(NOW, &ack(1)),
        Step::Wait,
        "nothing was sent yet"
    );
    assert!(!session.heard());
    let later = session.poll_timeout().expect("a deadline");
    assert_eq!(session.handle_timeout(later), oack);
    assert_eq!(blocks(session.handle(later, &ack(0))), (1, 3, 0, 3 * 512));
    assert_eq!(session.handle(later, &ack(0)), Step::Wait, "once");
    assert_eq!(
        blocks(session.handle(later, &ack(3))),
        (4, 3, 3 * 512, 1024)
    );
    session.handle(later, &ack(6)).expect_nothing();
    assert_eq!(session.outcome(), Some(Outcome::Complete));
}

impl Step {
    fn expect_nothing(self) {
        assert_eq!(self, Self::Wait);
    }
}

#[test]
fn a_doubled_ack_makes_no_data() {
    let (mut session, _) = start(b"\0\x01x\0octet\0", 1 << 20);
    for block in 1..=100 {
        assert_ne!(session.handle(NOW, &ack(block)), Step::Wait);
        for old in [
            block,
            block - 1,
            block.wrapping_sub(50),
            block + 2,
            block ^ 0x8000,
        ] {
            assert_eq!(session.handle(NOW, &ack(old)), Step::Wait, "{old}");
        }
    }
    assert_eq!(session.resent(), 0);
}

#[test]
fn a_gap_in_a_window_is_sent_again_from_there() {
    let (mut session, _) = start(b"\0\x01x\0octet\0windowsize\x008\0", 1 << 20);
    assert_eq!(blocks(session.handle(NOW, &ack(0))), (1, 8, 0, 4096));
    assert_eq!(blocks(session.handle(NOW, &ack(5))), (6, 8, 5 * 512, 4096));
    assert_eq!(session.resent(), 3);
    // All of both windows arrived after all.
    assert_eq!(
        blocks(session.handle(NOW, &ack(13))),
        (14, 8, 13 * 512, 4096)
    );
}

#[test]
fn blocks_beyond_65535_begin_at_0_again() {
    let (mut session, _) = start(b"\0\x01x\0octet\0windowsize\x0064\0", 100 << 20);
    assert_eq!(blocks(session.handle(NOW, &ack(0))).1, 64);
    let mut block = 0_u64;
    while session.outcome().is_none() {
        block = (block + 64).min(session.last);
        let step = session.handle(NOW, &ack(wire(block)));
        assert_eq!(step == Step::Wait, block == session.last);
    }
    assert_eq!(session.outcome(), Some(Outcome::Complete));
    assert_eq!((block, session.resent()), ((100 << 20) / 512 + 1, 0));
}

#[test]
fn ends_when_the_client_does() {
    let (mut session, _) = start(b"\0\x01x\0octet\0", 2000);
    session.handle(NOW, b"\0\x05\0\0enough\0").expect_nothing();
    assert_eq!(session.outcome(), Some(Outcome::Aborted));

    let (mut session, _) = start(b"\0\x01x\0octet\0", 2000);
    session.gone();
    assert_eq!(session.outcome(), Some(Outcome::Gone));
    assert_eq!(session.handle(NOW, &ack(1)), Step::Wait);

    for (length, outcome) in [(2000, Outcome::Silent), (100, Outcome::Unconfirmed)] {
        let (mut session, _) = start(b"\0\x01x\0octet\0", length);
        let mut sent = 0;
        while let Some(deadline) = session.poll_timeout() {
            sent += u64::from(session.handle_timeout(deadline) != Step::Wait);
        }
        assert_eq!(session.outcome(), Some(outcome));
        assert_eq!((sent, session.resent()), (8, 8));
    }
}

#[test]
fn tells_the_client_when_the_file_cannot_be_read() {
    let (mut session, _) = start(b"\0\x01x\0octet\0", 2000);
    let step = session.fail(ErrorCode::NotDefined, "cannot read");
    assert_eq!(step, Step::Send(b"\0\x05\0\0cannot read\0".to_vec()));
    assert_eq!(session.outcome(), Some(Outcome::Failed));
}

#[test]
fn what_is_no_ack_changes_nothing() {
    let (mut session, _) = start(b"\0\x01x\0octet\0", 2000);
    for stray in [
        &b""[..],
        b"\0",
        b"\0\x04\0",
        b"\0\x03\0\x01x",
        b"\0\x06a\0b\0",
        b"\0\x01x\0octet\0",
    ] {
        assert_eq!(session.handle(NOW, stray), Step::Wait);
    }
    assert_eq!(blocks(session.handle(NOW, &ack(1))), (2, 1, 512, 512));
}
