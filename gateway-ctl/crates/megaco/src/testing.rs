//! What must hold whatever comes in: the check behind the fuzz target and the replayed corpus.
//! A violation panics.
//!
//! ```text
//!   step, step ..      each:  | what | length, 2 bytes | bytes ..
//!   what % 8:  0 to 3  a message from this address     4  tenths of a second pass
//!              5  the oldest request is answered       6  one is asked      7  it is pending
//! ```

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use crate::sdp::Sdp;
use crate::transactions::{Endpoint, Failure, Output, RequestKey, Settings};
use crate::{
    ActionReply, ActionRequest, Amm, Audited, Command, ContextId, Descriptors, Limits, Message,
    Mid, Name, Outcome, PartsBody, Response, Style, TerminationId, encode, parse, parse_parts,
};

/// What an input came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// A message was read.
    Read,
    /// A message, or a transaction, was refused with this code.
    Refused(u16),
    /// Somebody asked.
    Request,
    /// Somebody asked again.
    Repeated,
    /// Somebody was not answered in time.
    Expired,
    /// We were answered.
    Reply,
    /// We were not answered in time.
    Timeout,
    /// We were not answered otherwise.
    Failed,
    /// Somebody could not read a message of ours.
    MessageError,
}

/// Messages and time at an endpoint.
///
/// # Panics
/// When something holds no longer.
#[must_use]
pub fn exchange(mut input: &[u8]) -> BTreeSet<End> {
    let mut desk = Desk::new();
    while let Some((&[what, high, low], rest)) = input.split_first_chunk() {
        let length = u16::from_be_bytes([high, low]);
        match what % 8 {
            from @ 0..=3 => {
                let (bytes, rest) = rest.split_at(usize::from(length).min(rest.len()));
                input = rest;
                desk.hear(from, bytes);
                continue;
            }
            4 => desk.pass(Duration::from_millis(100) * u32::from(length)),
            5 => desk.answer(length),
            6 => desk.ask(length),
            _ => desk.pending(),
        }
        input = rest;
    }
    // Nothing stays for ever.
    desk.pass(Duration::from_secs(400));
    assert_eq!(
        (desk.endpoint.peers(), desk.endpoint.poll_timeout()),
        (0, None)
    );
    desk.ends
}

struct Desk {
    endpoint: Endpoint,
    now: Duration,
    open: VecDeque<RequestKey>,
    ends: BTreeSet<End>,
}

impl Desk {
    fn new() -> Self {
        let mut settings = Settings::new(Mid::Device(Name::literal("us")), 1);
        settings.segment_size = 300;
        settings.peer.open = 8;
        settings.most_peers = 8;
        settings.batch_acks = Some(Duration::from_millis(300));
        Self {
            endpoint: Endpoint::new(settings),
            now: Duration::from_secs(1),
            open: VecDeque::new(),
            ends: BTreeSet::new(),
        }
    }

    fn hear(&mut self, from: u8, bytes: &[u8]) {
        self.ends.extend(message(bytes));
        let from = SocketAddr::from(([192, 0, 2, from / 2], 3000 + u16::from(from)));
        self.endpoint.handle(self.now, from, bytes);
        self.drain();
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.endpoint.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.endpoint.handle_timeout(self.now);
            self.drain();
            assert!(
                self.endpoint
                    .poll_timeout()
                    .is_none_or(|next| next > self.now)
            );
        }
        self.now = end;
    }

    fn answer(&mut self, lines: u16) {
        if let Some(request) = self.open.pop_front() {
            let one = Response::Modify(Amm::new(TerminationId::Root, Descriptors::NONE));
            let responses = vec![one; usize::from(lines % 100)];
            let outcome = Outcome::Actions(vec![ActionReply::new(ContextId::Null, responses)]);
            let open = self.endpoint.reply(self.now, request, outcome);
            assert!(open, "an open request was forgotten");
            self.drain();
        }
    }

    fn ask(&mut self, to: u16) {
        let to = SocketAddr::from(([192, 0, 2, 0], 3000 + to % 2));
        let command = Command::AuditValue(Audited::new(TerminationId::All, None));
        let actions = vec![ActionRequest::new(ContextId::Null, vec![command.into()])];
        self.endpoint.request(self.now, to, 1, actions);
        self.drain();
    }

    fn pending(&mut self) {
        if let Some(request) = self.open.front() {
            self.endpoint.pending(*request);
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.endpoint.next_output() {
            let end = match output {
                Output::Send { bytes, .. } => {
                    let sent = parse(&bytes);
                    assert!(sent.is_ok(), "sent {}", String::from_utf8_lossy(&bytes));
                    continue;
                }
                Output::Request { request, .. } => {
                    self.open.push_back(request);
                    End::Request
                }
                Output::Expired { request } => {
                    self.open.retain(|open| *open != request);
                    End::Expired
                }
                Output::Repeated { .. } => End::Repeated,
                Output::Reply { .. } => End::Reply,
                Output::Failed { why, .. } => match why {
                    Failure::Timeout => End::Timeout,
                    _ => End::Failed,
                },
                Output::MessageError { .. } => End::MessageError,
                Output::Malformed { error, .. } => End::Refused(error.code.0),
            };
            self.ends.insert(end);
        }
        assert!(self.endpoint.peers() <= self.endpoint.settings().most_peers);
        assert!(self.open.len() <= 8 * 8);
    }
}

/// Any octets as a message: read and written in both styles it is the same, and so are its
/// session descriptions.
///
/// # Panics
/// When something holds no longer.
#[must_use]
pub fn message(bytes: &[u8]) -> Option<End> {
    let message = match parse(bytes) {
        Ok(message) => message,
        Err(error) => {
            assert!(error.position <= bytes.len());
            return Some(End::Refused(error.code.0));
        }
    };
    for style in [Style::Compact, Style::Pretty] {
        let written = encode(&message, style);
        assert_eq!(
            again(&written),
            Some(message.clone()),
            "{}",
            String::from_utf8_lossy(&written)
        );
    }
    let sdp = Sdp::parse(bytes);
    assert!(sdp.media().len() <= bytes.len());
    Some(End::Read)
}

/// A message of any length.
fn again(bytes: &[u8]) -> Option<Message> {
    let limits = Limits {
        size: usize::MAX,
        ..Limits::default()
    };
    let parts = parse_parts(bytes, &limits).ok()?;
    let body = match parts.body {
        PartsBody::Error(error) => crate::Body::Error(error),
        PartsBody::Transactions(all) => {
            let all = all.into_iter().map(|part| part.transaction.ok());
            crate::Body::Transactions(all.collect::<Option<_>>()?)
        }
    };
    Some(Message {
        auth: parts.auth,
        version: parts.head.version,
        mid: parts.head.mid,
        body,
    })
}
