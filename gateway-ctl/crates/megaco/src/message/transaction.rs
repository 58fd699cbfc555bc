//! Messages and transactions (RFC 3525 sections 8 and 8.3).

use std::fmt;
use std::net::IpAddr;

use super::{ActionReply, ActionRequest, ErrorDescriptor};
use crate::name::Name;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The interim authentication header (RFC 3525 section 10.2).
    pub auth: Option<Auth>,
    /// Version of the protocol, 1 to 99.
    pub version: u8,
    /// Who sends it.
    pub mid: Mid,
    /// What it says.
    pub body: Body,
}

/// The interim authentication header. Nothing here checks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// Security parameters index.
    pub index: u32,
    /// Sequence number.
    pub sequence: u32,
    /// Integrity check value, 12 to 32 octets.
    pub data: Vec<u8>,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The last message could not be read at all.
    Error(ErrorDescriptor),
    /// Transactions, independent of each other.
    Transactions(Vec<Transaction>),
}

/// Name of a gateway or controller. It does not change while an association lasts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mid {
    /// `[192.0.2.1]:2944`
    Address(IpAddr, Option<u16>),
    /// `<gateway.example>:2944`
    Domain(Name, Option<u16>),
    /// `phones/desk7`
    Device(Name),
    /// `MTP{...}`: 2 to 4 octets, the most significant first.
    Mtp(Vec<u8>),
}

impl fmt::Display for Mid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = match self {
            Self::Address(address, port) => {
                write!(f, "[{address}]")?;
                *port
            }
            Self::Domain(name, port) => {
                write!(f, "<{name}>")?;
                *port
            }
            Self::Device(name) => return write!(f, "{name}"),
            Self::Mtp(octets) => {
                f.write_str("MTP{")?;
                for octet in octets {
                    write!(f, "{octet:02X}")?;
                }
                return f.write_str("}");
            }
        };
        port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// A part of a message that stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transaction {
    /// Do this.
    Request(TransactionRequest),
    /// It is being done; the number of the request.
    Pending(u32),
    /// It was done, or not.
    Reply(TransactionReply),
    /// These replies have arrived.
    Ack(Vec<AckRange>),
    /// This segment of a reply has arrived (version 3).
    Segment(SegmentReply),
}

/// Do this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionRequest {
    /// Number, the sender's own.
    pub id: u32,
    /// At least one.
    pub actions: Vec<ActionRequest>,
}

/// It was done, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionReply {
    /// Number of the request; 0 when it had none that could be read.
    pub id: u32,
    /// Which segment this is, if the reply was too long for one message (version 3).
    pub segment: Option<SegmentInfo>,
    /// An acknowledgement is expected at once.
    pub immediate_ack: bool,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was done.
    Error(ErrorDescriptor),
    /// At least one.
    Actions(Vec<ActionReply>),
}

/// Segment of a reply (H.248.1 version 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// From 1.
    pub number: u16,
    /// No more follow.
    pub last: bool,
}

/// This segment of a reply has arrived (H.248.1 version 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentReply {
    /// Number of the request.
    pub id: u32,
    /// Which segment.
    pub segment: SegmentInfo,
}

/// Numbers of requests, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AckRange {
    /// Lowest.
    pub first: u32,
    /// Highest, not below `first`.
    pub last: u32,
}
