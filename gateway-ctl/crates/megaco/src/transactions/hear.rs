//! Which part of a message goes where.

use std::time::Duration;

use super::{Address, Dropped, Endpoint, Failure, Output};
use crate::encode::encode;
use crate::error::{ErrorCode, Head, ParseError, TransactionKind};
use crate::message::{Body, ErrorDescriptor, Message, Mid, Outcome, Transaction};
use crate::parse::{Part, PartsBody, parse_parts};

/// Broken transactions of one message that are answered, and one more: a message of a thousand
/// is no reason to send a thousand, to an address that may not be the sender's.
const MOST_EXCUSES: u32 = 5;

/// From whom a transaction came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sender<'a, A> {
    pub(super) from: A,
    pub(super) head: &'a Head,
}

impl<A: Address> Endpoint<A> {
    /// A message has come in.
    pub fn handle(&mut self, now: Duration, from: A, bytes: &[u8]) {
        self.counters.messages_in += 1;
        if bytes.len() > self.settings.message.size {
            return self.counters.count(Dropped::TooLong);
        }
        let parts = match parse_parts(bytes, &self.settings.message) {
            Ok(parts) => parts,
            Err(error) => return self.headless(from, error, bytes),
        };
        let sender = Sender {
            from,
            head: &parts.head,
        };
        match parts.body {
            PartsBody::Error(error) => self.outputs.push_back(Output::MessageError {
                from,
                mid: parts.head.mid,
                error,
            }),
            // Never an error for an error: two ends would send them for ever.
            PartsBody::Transactions(transactions)
                if !self.settings.versions.contains(&parts.head.version) =>
            {
                // Never an error for an answer: two ends would send them for ever.
                if transactions.iter().any(wants_answer) {
                    self.message_error(from, ErrorCode::VERSION.into());
                }
            }
            PartsBody::Transactions(transactions) => {
                let mut excuses = MOST_EXCUSES;
                for part in transactions {
                    self.part(now, &sender, part, bytes, &mut excuses);
                }
            }
        }
    }

    fn part(
        &mut self,
        now: Duration,
        sender: &Sender<'_, A>,
        part: Part,
        bytes: &[u8],
        excuses: &mut u32,
    ) {
        let octets = bytes.get(part.range).unwrap_or_default();
        match part.transaction {
            Ok(Transaction::Request(request)) => self.hear_request(now, sender, request, octets),
            Ok(Transaction::Reply(reply)) => self.hear_reply(now, sender, reply, octets.len()),
            Ok(Transaction::Pending(id)) => self.hear_pending(now, sender, id),
            Ok(Transaction::Ack(ranges)) => self.hear_acks(now, sender, &ranges),
            Ok(Transaction::Segment(segment)) => self.hear_segment_ack(now, sender, segment),
            Err(error) => {
                *excuses = excuses.saturating_sub(1);
                if *excuses > 0 {
                    self.excuse(now, sender, &error, octets);
                }
                self.malformed(sender.from, error);
            }
        }
    }

    /// Answers what cannot be read.
    fn excuse(&mut self, now: Duration, sender: &Sender<'_, A>, error: &ParseError, octets: &[u8]) {
        match error.transaction {
            Some((TransactionKind::Request, id)) => {
                let outcome = Outcome::Error(described(error));
                self.refuse(now, sender, id, octets, outcome);
            }
            Some((TransactionKind::Reply, id)) if self.asked_there(id, sender.from) => {
                self.fail(id, Failure::Unreadable);
            }
            Some(_) => {}
            None => self.message_error(sender.from, described(error)),
        }
    }

    /// Nothing can be answered but that nothing can be answered.
    fn headless(&mut self, from: A, error: ParseError, bytes: &[u8]) {
        let begin = bytes.trim_ascii_start();
        let known = [&b"!/"[..], b"MEGACO/", b"Authentication", b"AU"];
        let ours = known.iter().any(|word| {
            let begin = begin.get(..word.len());
            begin.is_some_and(|begin| begin.eq_ignore_ascii_case(word))
        });
        if !ours && !begin.starts_with(b";") {
            return self.counters.count(Dropped::NotMegaco);
        }
        self.message_error(from, described(&error));
        self.malformed(from, error);
    }

    fn malformed(&mut self, from: A, error: ParseError) {
        self.counters.malformed += 1;
        self.outputs.push_back(Output::Malformed { from, error });
    }

    fn message_error(&mut self, to: A, error: ErrorDescriptor) {
        let message = Message {
            auth: None,
            version: *self.settings.versions.start(),
            mid: self.settings.mid.clone(),
            body: Body::Error(error),
        };
        self.send_bytes(to, encode(&message, self.settings.style));
    }
}

impl<A> Sender<'_, A> {
    pub(super) fn mid(&self) -> Mid {
        self.head.mid.clone()
    }
}

fn wants_answer(part: &Part) -> bool {
    match &part.transaction {
        Ok(transaction) => matches!(transaction, Transaction::Request(_)),
        Err(error) => matches!(error.transaction, Some((TransactionKind::Request, _))),
    }
}

fn described(error: &ParseError) -> ErrorDescriptor {
    let text = format!("got {}, expected {}", error.got, error.expected);
    ErrorDescriptor::new(error.code, &text)
}
