//! What must hold whatever comes in: the check behind the fuzz target and the replayed
//! corpus. A violation panics.
//!
//! ```text
//!   | file length / 16 | request's length, 2 bytes | request .. | datagram ..
//!   each datagram:  | length | how | bytes ..        how 255: let the timer run out instead
//! ```

use std::time::Duration;

use crate::options::Limits;
use crate::request::{Direction, Malformed, Mode, Request};
use crate::{Outcome, ReadSession, Received, Step, WriteSession};

/// Longest datagram that anything here may send.
const LARGEST: usize = 4 + 65464;

/// How an input ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// No request.
    Malformed(Malformed),
    /// A transfer that was over before the input was.
    Over(Direction, Outcome),
    /// A transfer that waits for more.
    Open(Direction),
}

/// A request, and what comes in after it.
///
/// # Panics
/// When something holds no longer.
pub fn exchange(input: &[u8]) -> Option<End> {
    let (&[sixteenth, high, low], rest) = input.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes([high, low])).min(rest.len());
    let (datagram, rest) = rest.split_at(length);
    let request = match Request::parse(datagram) {
        Ok(request) => request,
        Err(malformed) => return Some(End::Malformed(malformed)),
    };
    assert!(!request.name.is_empty() && !request.name.contains('\0'));
    let script = Script(rest);
    Some(match request.direction {
        Direction::Read => read(&request, u64::from(sixteenth) * 16, script),
        Direction::Write => write(&request, script),
    })
}

/// What comes in: datagrams, or silence.
struct Script<'a>(&'a [u8]);

impl<'a> Iterator for Script<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&[length, how], rest) = self.0.split_first_chunk()?;
        let (datagram, rest) = rest.split_at(usize::from(length).min(rest.len()));
        self.0 = rest;
        Some((how != 255).then_some(datagram))
    }
}

fn read(request: &Request<'_>, length: u64, script: Script<'_>) -> End {
    let mut now = Duration::from_secs(1);
    let limits = Limits::default();
    let (mut session, step) = ReadSession::new(request, length, &limits, now);
    check(&step, length);
    for event in script {
        let step = match event {
            Some(datagram) => {
                now = soon(now, session.poll_timeout());
                session.handle(now, datagram)
            }
            None => {
                now = session.poll_timeout().unwrap_or(now).max(now);
                session.handle_timeout(now)
            }
        };
        check(&step, length);
        if let Some(outcome) = session.outcome() {
            assert_eq!((step, session.poll_timeout()), (Step::Wait, None));
            return End::Over(Direction::Read, outcome);
        }
        assert!(
            session.poll_timeout() >= Some(now),
            "a deadline in the past"
        );
    }
    End::Open(Direction::Read)
}

fn write(request: &Request<'_>, script: Script<'_>) -> End {
    let mut now = Duration::from_secs(1);
    let (mut session, step) = WriteSession::new(request, &Limits::default(), now);
    check(&step, 0);
    let size = usize::from(session.agreed().block_size);
    let (mut whole, mut text) = (false, Vec::new());
    let mut decoder = crate::FromNetascii::default();
    for event in script {
        let received = match event {
            Some(datagram) => {
                now = soon(now, session.poll_timeout());
                session.handle(now, datagram)
            }
            None => {
                now = session.poll_timeout().unwrap_or(now).max(now);
                Received {
                    bytes: &[],
                    last: false,
                    step: session.handle_timeout(now),
                }
            }
        };
        check(&received.step, 0);
        assert!(received.bytes.len() <= size);
        assert!(
            !whole || (received.bytes.is_empty() && !received.last),
            "more after the end"
        );
        whole |= received.last;
        if request.mode == Mode::Netascii {
            decoder.append(received.bytes, &mut text);
        }
        if let Some(outcome) = session.outcome() {
            assert!(
                whole || outcome != Outcome::Complete,
                "complete without its end"
            );
            return End::Over(Direction::Write, outcome);
        }
        assert!(
            session.poll_timeout() >= Some(now),
            "a deadline in the past"
        );
    }
    End::Open(Direction::Write)
}

/// A datagram comes a millisecond later, or when the timer is just about to run out.
fn soon(now: Duration, deadline: Option<Duration>) -> Duration {
    let next = now + Duration::from_millis(1);
    deadline.map_or(next, |deadline| next.min(deadline))
}

/// What is sent is a packet, and nothing beyond the file's end.
fn check(step: &Step, length: u64) {
    match step {
        Step::Wait => {}
        Step::Send(bytes) => assert!((4..=512).contains(&bytes.len()), "{bytes:?}"),
        Step::Data(blocks) => {
            assert!(blocks.count > 0 && blocks.first > 0);
            assert!(blocks.offset + blocks.length as u64 <= length);
            let bytes = vec![0; blocks.length];
            let mut left = blocks.length;
            for (_, part) in blocks.datagrams(&bytes) {
                assert!(part.len() + 4 <= LARGEST);
                left -= part.len();
            }
            assert_eq!(left, 0);
        }
    }
}
