//! The head of a message, and transaction after transaction.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::lexer::{Fault, Level, Parsed, Reader, number, octets};
use super::{Limits, Part, Parts, PartsBody};
use crate::error::{ErrorCode, Head, ParseError, TransactionKind};
use crate::message::{
    AckRange, Auth, Body, ContextId, ErrorDescriptor, Message, Mid, Outcome, SegmentInfo,
    SegmentReply, Transaction, TransactionReply, TransactionRequest,
};
use crate::token::Token;

/// Bytes of what was got that an error quotes.
const QUOTED: usize = 24;

/// Whose a fault is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Owner {
    pub(super) transaction: Option<(TransactionKind, u32)>,
    pub(super) context: Option<ContextId>,
}

fn error(bytes: &[u8], fault: Fault, head: Option<&Head>, owner: Owner) -> ParseError {
    let rest = bytes.get(fault.at..).unwrap_or_default();
    let got = rest.get(..QUOTED).unwrap_or(rest);
    ParseError {
        code: fault.code,
        position: fault.at,
        got: String::from_utf8_lossy(got).into_owned(),
        expected: fault.expected,
        head: head.cloned(),
        transaction: owner.transaction,
        context: owner.context,
    }
}

/// Up to the first transaction; the reader, then, and the body if it is an error.
fn begin<'a>(
    bytes: &'a [u8],
    limits: &Limits,
) -> Result<(Reader<'a>, Option<Auth>, Head, Option<ErrorDescriptor>), ParseError> {
    let mut reader = Reader::new(bytes, limits.items);
    let none = Owner::default();
    if bytes.len() > limits.size {
        let fault = reader.coded(ErrorCode::NO_RESOURCES, "a shorter message");
        return Err(error(bytes, fault, None, none));
    }
    let (auth, head) = reader
        .head()
        .map_err(|fault| error(bytes, fault, None, none))?;
    let fail = |fault| error(bytes, fault, Some(&head), none);
    let mut said = None;
    if reader.at_error() {
        said = Some(reader.error_descriptor().map_err(fail)?);
        if reader.peek().is_some() {
            return Err(fail(reader.fault("nothing behind the error")));
        }
    } else if reader.peek().is_none() {
        return Err(fail(reader.fault("a transaction")));
    }
    Ok((reader, auth, head, said))
}

/// The next transaction, if there is one.
fn next(
    reader: &mut Reader<'_>,
    head: &Head,
    limits: &Limits,
    number: usize,
) -> Result<Option<Result<Transaction, ParseError>>, ParseError> {
    if reader.peek().is_none() {
        return Ok(None);
    }
    let mut owner = Owner::default();
    if number == limits.transactions {
        let fault = reader.coded(ErrorCode::TOO_MANY_TRANSACTIONS, "fewer transactions");
        return Err(error(reader.bytes, fault, Some(head), owner));
    }
    reader.level = Level::Message;
    let transaction = reader.transaction(&mut owner);
    Ok(Some(transaction.map_err(|fault| {
        error(reader.bytes, fault, Some(head), owner)
    })))
}

pub(super) fn whole(bytes: &[u8], limits: &Limits) -> Result<Message, ParseError> {
    let (mut reader, auth, head, said) = begin(bytes, limits)?;
    let body = if let Some(said) = said {
        Body::Error(said)
    } else {
        let mut transactions = Vec::with_capacity(1);
        while let Some(transaction) = next(&mut reader, &head, limits, transactions.len())? {
            transactions.push(transaction?);
        }
        Body::Transactions(transactions)
    };
    Ok(Message {
        auth,
        version: head.version,
        mid: head.mid,
        body,
    })
}

pub(super) fn parts(bytes: &[u8], limits: &Limits) -> Result<Parts, ParseError> {
    let (mut reader, auth, head, said) = begin(bytes, limits)?;
    let body = if let Some(said) = said {
        PartsBody::Error(said)
    } else {
        let mut transactions = Vec::with_capacity(1);
        loop {
            let (begin, items) = (reader.at, reader.items);
            let Some(transaction) = next(&mut reader, &head, limits, transactions.len())? else {
                break;
            };
            if transaction.is_err() {
                // One that is too long leaves the others their share.
                reader.items = items;
                reader.at = reader.end_of_transaction(begin);
            }
            let range = begin..reader.at;
            transactions.push(Part { range, transaction });
        }
        PartsBody::Transactions(transactions)
    };
    Ok(Parts { auth, head, body })
}

impl Reader<'_> {
    /// Up to the first transaction.
    fn head(&mut self) -> Parsed<(Option<Auth>, Head)> {
        let mut word = self.word("MEGACO/ or !/ and a version")?;
        let mut auth = None;
        if Token::of(word) == Some(Token::Auth) && self.peek() == Some(b'=') {
            auth = Some(self.auth()?);
            word = self.word("MEGACO/ or !/ and a version")?;
        }
        let expected = "MEGACO/ or !/ and a version";
        let slash = word.iter().position(|byte| *byte == b'/');
        let (name, version) = match slash {
            Some(slash) => (&word[..slash], &word[slash + 1..]),
            None => return Err(self.bad(word, expected)),
        };
        if Token::of(name) != Some(Token::Megaco) || version.len() > 2 {
            return Err(self.bad(word, expected));
        }
        let version: u8 = number(version).ok_or_else(|| self.bad(word, expected))?;
        if version == 0 {
            return Err(self.fault_of(word, ErrorCode::VERSION, "version 1 or later"));
        }
        let mid = self.mid()?;
        Ok((auth, Head { version, mid }))
    }

    /// `=0x...:0x...:0x...`
    fn auth(&mut self) -> Parsed<Auth> {
        self.equals()?;
        let mut field = |digits: std::ops::RangeInclusive<usize>, last: bool| {
            let word = self.bare_word();
            let hex = word
                .strip_prefix(b"0x")
                .or_else(|| word.strip_prefix(b"0X"));
            let octets = hex
                .filter(|hex| digits.contains(&hex.len()))
                .and_then(octets)
                .ok_or_else(|| self.bad(word, "hexadecimal digits behind 0x"))?;
            if last {
                self.skip();
            } else if self.peek() == Some(b':') {
                self.at += 1;
            } else {
                return Err(self.fault("a colon"));
            }
            Ok(octets)
        };
        let (index, sequence, data) = (
            field(8..=8, false)?,
            field(8..=8, false)?,
            field(24..=64, true)?,
        );
        let number = |octets: Vec<u8>| octets.iter().fold(0, |n, octet| n << 8 | u32::from(*octet));
        Ok(Auth {
            index: number(index),
            sequence: number(sequence),
            data,
        })
    }

    pub(super) fn mid(&mut self) -> Parsed<Mid> {
        let mid = match self.peek() {
            Some(b'[') => Mid::Address(self.address()?, self.port()?),
            Some(b'<') => {
                self.at += 1;
                let word = self.bare_word();
                let name = match word {
                    [] => return Err(self.fault("a domain name")),
                    word => self.name_of(word, "a domain name of at most 64 characters")?,
                };
                if self.peek() != Some(b'>') {
                    return Err(self.fault("a closing angle bracket"));
                }
                self.at += 1;
                Mid::Domain(name, self.port()?)
            }
            _ => {
                let (token, word) = self.token("a message identifier")?;
                if token == Some(Token::Mtp) && self.take(b'{') {
                    let digits = self.word("a point code")?;
                    let address = octets(digits).filter(|octets| (2..=4).contains(&octets.len()));
                    let address =
                        address.ok_or_else(|| self.bad(digits, "4, 6 or 8 hexadecimal digits"))?;
                    self.expect(b'}', "a closing brace")?;
                    return Ok(Mid::Mtp(address));
                }
                return Ok(Mid::Device(self.name_of(word, "a device name")?));
            }
        };
        self.skip();
        Ok(mid)
    }

    /// `[address]`
    fn address(&mut self) -> Parsed<IpAddr> {
        let begin = self.at + 1;
        let rest = self.bytes.get(begin..).unwrap_or_default();
        let length = rest.iter().take(64).position(|byte| *byte == b']');
        let Some(text) = length.and_then(|length| rest.get(..length)) else {
            return Err(self.fault("an address in brackets"));
        };
        let trimmed = text.trim_ascii();
        let ipv6 = || std::str::from_utf8(trimmed).ok()?.parse::<Ipv6Addr>().ok();
        let address = ipv4(trimmed)
            .map(IpAddr::V4)
            .or_else(|| ipv6().map(IpAddr::V6));
        let address = address.ok_or_else(|| self.fault("an IP address"))?;
        self.at = begin + text.len() + 1;
        Ok(address)
    }

    /// `:port`, if it is there.
    fn port(&mut self) -> Parsed<Option<u16>> {
        if self.peek() != Some(b':') {
            return Ok(None);
        }
        self.at += 1;
        let word = self.bare_word();
        let port = number(word).ok_or_else(|| self.bad(word, "a port"))?;
        Ok(Some(port))
    }

    /// Whether this token, which begins with this letter, comes next.
    pub(super) fn begins(&self, letter: u8, token: Token) -> bool {
        let first = self
            .peek()
            .is_some_and(|first| first.eq_ignore_ascii_case(&letter));
        first && Token::of(self.clone().bare_word()) == Some(token)
    }

    fn at_error(&self) -> bool {
        self.begins(b'e', Token::Error)
    }

    fn transaction(&mut self, owner: &mut Owner) -> Parsed<Transaction> {
        let (token, word) = self.token("a transaction")?;
        let kind = match token {
            Some(Token::Trans) => TransactionKind::Request,
            Some(Token::Reply) => TransactionKind::Reply,
            Some(Token::Pending) => TransactionKind::Pending,
            Some(Token::Ack) => TransactionKind::Ack,
            Some(Token::MessageSegment) => TransactionKind::Segment,
            _ => {
                return Err(self.bad(
                    word,
                    "Transaction, Reply, Pending, Segment or their acknowledgement",
                ));
            }
        };
        self.level = Level::Transaction;
        owner.transaction = Some((kind, 0));
        if kind == TransactionKind::Ack {
            return self.acks().map(Transaction::Ack);
        }
        self.equals()?;
        let word = self.word("a transaction number")?;
        let slash = word
            .iter()
            .position(|byte| *byte == b'/')
            .unwrap_or(word.len());
        let id = number(&word[..slash]);
        let id: u32 = id.ok_or_else(|| self.bad(word, "a transaction number"))?;
        owner.transaction = Some((kind, id));
        let segment = match kind {
            TransactionKind::Reply | TransactionKind::Segment if slash < word.len() => {
                let info = segment_info(&word[slash + 1..]);
                Some(info.ok_or_else(|| self.bad(word, "number/segment or number/segment/END"))?)
            }
            _ if slash < word.len() => return Err(self.bad(word, "a transaction number")),
            _ => None,
        };
        match (kind, segment) {
            (TransactionKind::Request, _) => {
                let actions = self.actions(owner)?;
                Ok(Transaction::Request(TransactionRequest { id, actions }))
            }
            (TransactionKind::Reply, segment) => {
                let (immediate_ack, outcome) = self.outcome(owner)?;
                Ok(Transaction::Reply(TransactionReply {
                    id,
                    segment,
                    immediate_ack,
                    outcome,
                }))
            }
            (TransactionKind::Segment, Some(segment)) => {
                Ok(Transaction::Segment(SegmentReply { id, segment }))
            }
            (TransactionKind::Segment, None) => Err(self.bad(word, "number/segment")),
            _ => {
                self.expect(b'{', "an opening brace")?;
                self.expect(b'}', "a closing brace")?;
                Ok(Transaction::Pending(id))
            }
        }
    }

    fn acks(&mut self) -> Parsed<Vec<AckRange>> {
        let mut ranges = Vec::new();
        self.braced(|reader| {
            let word = reader.word("a transaction number or a range of them")?;
            let dash = word
                .iter()
                .position(|byte| *byte == b'-')
                .unwrap_or(word.len());
            let first = number(&word[..dash]);
            let last = word.get(dash + 1..).map_or(first, number);
            match (first, last) {
                (Some(first), Some(last)) if first <= last => ranges.push(AckRange { first, last }),
                _ => return Err(reader.bad(word, "a transaction number or a range of them")),
            }
            Ok(())
        })?;
        if ranges.is_empty() {
            return Err(self.fault("a transaction number"));
        }
        Ok(ranges)
    }

    /// What is in a reply.
    fn outcome(&mut self, owner: &mut Owner) -> Parsed<(bool, Outcome)> {
        self.expect(b'{', "an opening brace")?;
        let immediate_ack = self.begins(b'i', Token::ImmAckRequired);
        if immediate_ack {
            self.word("ImmAckRequired")?;
            self.expect(b',', "a comma")?;
        }
        if self.at_error() {
            let error = self.error_descriptor()?;
            self.take(b',');
            self.expect(b'}', "a closing brace")?;
            return Ok((immediate_ack, Outcome::Error(error)));
        }
        let actions = self.action_replies(owner)?;
        Ok((immediate_ack, Outcome::Actions(actions)))
    }
}

fn segment_info(word: &[u8]) -> Option<SegmentInfo> {
    let mut parts = word.split(|byte| *byte == b'/');
    let number = number(parts.next()?)?;
    let last = match parts.next() {
        None => false,
        Some(end) if Token::of(end) == Some(Token::SegmentationComplete) => true,
        Some(_) => return None,
    };
    parts
        .next()
        .is_none()
        .then_some(SegmentInfo { number, last })
}

/// Four decimal numbers. Leading zeros are legal here (`V4hex`), so std does not read it.
fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let (mut address, mut octet, mut digits, mut dots) = (0u32, 0u32, 0, 0);
    for byte in text {
        match byte {
            b'0'..=b'9' if digits < 3 => {
                octet = octet * 10 + u32::from(byte - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && octet < 256 => {
                address = address << 8 | octet;
                (octet, digits, dots) = (0, 0, dots + 1);
            }
            _ => return None,
        }
    }
    (dots == 3 && digits > 0 && octet < 256).then(|| Ipv4Addr::from_bits(address << 8 | octet))
}
