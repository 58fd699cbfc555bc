//! The head of a message, and transactions.

use super::writer::Writer;
use crate::message::{
    Auth, Body, Message, Mid, Outcome, SegmentInfo, Transaction, TransactionReply,
};
use crate::token::Token;
use std::net::IpAddr;

impl Writer<'_> {
    pub(super) fn message(&mut self, message: &Message) {
        if let Some(auth) = &message.auth {
            self.auth(auth);
        }
        self.head(message.version, &message.mid);
        match &message.body {
            Body::Error(error) => self.error(error),
            Body::Transactions(transactions) => {
                let mut open_end = false;
                for transaction in transactions {
                    if open_end {
                        self.out.push(b'\n');
                    }
                    self.transaction(transaction);
                    // No brace ends it.
                    open_end = matches!(transaction, Transaction::Segment(_));
                }
            }
        }
    }

    fn auth(&mut self, auth: &Auth) {
        self.token_is(Token::Auth);
        self.raw(b"0x");
        self.hex(&auth.index.to_be_bytes());
        self.raw(b":0x");
        self.hex(&auth.sequence.to_be_bytes());
        self.raw(b":0x");
        self.hex(&auth.data);
        self.out.push(b'\n');
    }

    pub(super) fn head(&mut self, version: u8, mid: &Mid) {
        self.token(Token::Megaco);
        self.out.push(b'/');
        self.number(version);
        self.out.push(b' ');
        self.mid(mid);
        self.out.push(b'\n');
    }

    pub(super) fn mid(&mut self, mid: &Mid) {
        let port = match mid {
            Mid::Address(address, port) => {
                self.out.push(b'[');
                match address {
                    IpAddr::V4(address) => self.inline_octets(address.octets()),
                    IpAddr::V6(address) => self.raw(address.to_string().as_bytes()),
                }
                self.out.push(b']');
                *port
            }
            Mid::Domain(name, port) => {
                self.out.push(b'<');
                self.raw(name.as_bytes());
                self.out.push(b'>');
                *port
            }
            Mid::Device(name) => {
                self.raw(name.as_bytes());
                None
            }
            Mid::Mtp(octets) => {
                self.token(Token::Mtp);
                self.out.push(b'{');
                self.hex(octets);
                self.out.push(b'}');
                None
            }
        };
        if let Some(port) = port {
            self.out.push(b':');
            self.number(port);
        }
    }

    fn inline_octets(&mut self, octets: [u8; 4]) {
        for (index, octet) in octets.into_iter().enumerate() {
            if index > 0 {
                self.out.push(b'.');
            }
            self.number(octet);
        }
    }

    pub(super) fn transaction(&mut self, transaction: &Transaction) {
        match transaction {
            Transaction::Request(request) => {
                self.token_number(Token::Trans, request.id);
                self.braced(&request.actions, Self::action);
            }
            Transaction::Pending(id) => {
                self.token_number(Token::Pending, *id);
                self.raw(b"{}");
            }
            Transaction::Reply(reply) => self.reply(reply),
            Transaction::Ack(ranges) => {
                self.token(Token::Ack);
                self.inline(b'{', b'}', ranges, |writer, range| {
                    writer.number(range.first);
                    if range.last != range.first {
                        writer.out.push(b'-');
                        writer.number(range.last);
                    }
                });
            }
            Transaction::Segment(segment) => {
                self.token_number(Token::MessageSegment, segment.id);
                self.segment(segment.segment);
            }
        }
    }

    fn segment(&mut self, segment: SegmentInfo) {
        self.out.push(b'/');
        self.number(segment.number);
        if segment.last {
            self.out.push(b'/');
            self.token(Token::SegmentationComplete);
        }
    }

    fn reply(&mut self, reply: &TransactionReply) {
        self.token_number(Token::Reply, reply.id);
        if let Some(segment) = reply.segment {
            self.segment(segment);
        }
        self.open();
        let mut first = true;
        if reply.immediate_ack {
            self.item(&mut first);
            self.token(Token::ImmAckRequired);
        }
        match &reply.outcome {
            Outcome::Error(error) => {
                self.item(&mut first);
                self.error(error);
            }
            Outcome::Actions(actions) => {
                for action in actions {
                    self.item(&mut first);
                    self.action_reply(action);
                }
            }
        }
        self.close();
    }
}
