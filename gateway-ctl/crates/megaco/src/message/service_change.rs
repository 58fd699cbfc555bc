//! ServiceChange (RFC 3525 section 7.2.8).

use super::{AuditItem, ErrorDescriptor, Mid, Parameter, Timestamp};
use crate::name::Name;
use crate::text::Text;

/// How something comes, goes or changes hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceChange {
    /// In which way.
    pub method: Method,
    /// Why.
    pub reason: Reason,
    /// When, seconds from now.
    pub delay: Option<u32>,
    /// Where requests go from now on. Not together with `mgc`.
    pub address: Option<ChangeAddress>,
    /// Which controller to try.
    pub mgc: Option<Mid>,
    /// What the gateway promises to be able to do.
    pub profile: Option<Profile>,
    /// Highest version of the protocol.
    pub version: Option<u8>,
    /// When it was sent.
    pub timestamp: Option<Timestamp>,
    /// Not all registrations are wanted at once (version 3).
    pub incomplete: bool,
    /// What is told about (version 2).
    pub audit: Vec<AuditItem>,
    /// Extensions, such as `X-abc=1`.
    pub extensions: Vec<Parameter>,
}

impl ServiceChange {
    /// Without anything that can be left out.
    #[must_use]
    pub fn new(method: Method, reason: impl Into<Reason>) -> Self {
        Self {
            method,
            reason: reason.into(),
            delay: None,
            address: None,
            mgc: None,
            profile: None,
            version: None,
            timestamp: None,
            incomplete: false,
            audit: Vec::new(),
            extensions: Vec::new(),
        }
    }
}

/// In which way something comes or goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// Terminations go, calls are let end.
    Graceful,
    /// Terminations are gone, with their calls.
    Forced,
    /// Terminations come.
    Restart,
    /// The gateway is back, without having been restarted.
    Disconnected,
    /// The controller hands the gateway over to another.
    HandOff,
    /// The gateway comes over because its controller failed, or goes over to its spare.
    Failover,
    /// An extension, such as `X-abc`.
    Other(Name),
}

/// Why: 900 service restored, 901 cold boot, 902 warm boot, 903 MGC directed change, 904 to 918.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Code.
    pub code: u16,
    /// For people; may be empty.
    pub text: Text,
}

impl From<u16> for Reason {
    fn from(code: u16) -> Self {
        let text = Text::EMPTY;
        Self { code, text }
    }
}

/// Where requests go from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeAddress {
    /// To this port of the same address.
    Port(u16),
    /// There.
    Mid(Mid),
}

/// What a gateway promises to be able to do, such as `ResGW/1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Name, without a slash.
    pub name: Name,
    /// Version, 0 to 99.
    pub version: u8,
}

/// What came of a ServiceChange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceChangeResult {
    /// It was refused.
    Error(ErrorDescriptor),
    /// It was accepted; the default says nothing more.
    Accepted {
        /// Where requests go from now on. Not together with `mgc`.
        address: Option<ChangeAddress>,
        /// Ask this controller instead.
        mgc: Option<Mid>,
        /// Of both.
        profile: Option<Profile>,
        /// Of the protocol, for both.
        version: Option<u8>,
        /// When it was sent.
        timestamp: Option<Timestamp>,
    },
}

impl ServiceChangeResult {
    /// Accepted, and nothing more.
    pub const ACCEPTED: Self = Self::Accepted {
        address: None,
        mgc: None,
        profile: None,
        version: None,
        timestamp: None,
    };
}
