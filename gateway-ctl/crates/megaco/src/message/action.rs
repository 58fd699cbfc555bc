//! Actions: what is done in one context (RFC 3525 sections 6.1 and 8).

use super::{CommandRequest, ErrorDescriptor, Property, Response, TerminationId};
use crate::name::PkgdName;

/// A context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ContextId {
    /// `-`: the null context, where terminations are that are in no call.
    Null,
    /// `$`: a new one.
    Choose,
    /// `*`: all of them, without the null context.
    All,
    /// This one: neither 0, 0xFFFFFFFE nor 0xFFFFFFFF, which are reserved.
    Id(u32),
}

/// Commands for one context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionRequest {
    /// Which.
    pub context: ContextId,
    /// What is changed about the context itself.
    pub properties: ContextProperties,
    /// What is asked about the context itself; empty: nothing.
    pub audit: Vec<ContextAudit>,
    /// In order.
    pub commands: Vec<CommandRequest>,
}

impl ActionRequest {
    /// Commands, and nothing about the context itself.
    #[must_use]
    pub fn new(context: ContextId, commands: Vec<CommandRequest>) -> Self {
        Self {
            context,
            properties: ContextProperties::default(),
            audit: Vec::new(),
            commands,
        }
    }
}

/// Answers from one context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionReply {
    /// Which; never [`ContextId::Choose`].
    pub context: ContextId,
    /// What was asked about the context itself.
    pub properties: ContextProperties,
    /// To the commands, in order, as far as they were executed.
    pub responses: Vec<Response>,
    /// Why it went no further.
    pub error: Option<ErrorDescriptor>,
}

impl ActionReply {
    /// Answers, and nothing about the context itself.
    #[must_use]
    pub fn new(context: ContextId, responses: Vec<Response>) -> Self {
        Self {
            context,
            properties: ContextProperties::default(),
            responses,
            error: None,
        }
    }

    /// An error instead of answers.
    #[must_use]
    pub fn failed(context: ContextId, error: ErrorDescriptor) -> Self {
        Self {
            error: Some(error),
            ..Self::new(context, Vec::new())
        }
    }
}

/// Properties of a context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextProperties {
    /// Which way media goes between terminations.
    pub topology: Vec<Topology>,
    /// 0 (lowest) to 15.
    pub priority: Option<u16>,
    /// An emergency call; `Some(false)`: no longer one (version 3).
    pub emergency: Option<bool>,
    /// International emergency preference scheme (version 3).
    pub ieps: Option<bool>,
    /// Properties of packages (version 3).
    pub attributes: Vec<Property>,
    /// A list of contexts (version 3).
    pub contexts: Vec<ContextId>,
}

impl ContextProperties {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Which way media goes between two terminations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// Termination A.
    pub from: TerminationId,
    /// Termination B.
    pub to: TerminationId,
    /// Between them.
    pub direction: Direction,
    /// Only this stream (version 3).
    pub stream: Option<u16>,
}

/// Which way media goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    Bothway,
    /// Not at all.
    Isolate,
    /// From A to B.
    Oneway,
    /// From A to B, and from outside to A (version 3).
    OnewayExternal,
    /// Both ways, from A only what comes from outside (version 3).
    OnewayBoth,
}

/// What is asked about a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextAudit {
    /// Its topology.
    Topology,
    /// Whether it is an emergency call.
    Emergency,
    /// Its priority.
    Priority,
    /// Its preference (version 3).
    Ieps,
    /// A property (version 3).
    Property(PkgdName),
    /// Only contexts of this priority (version 3).
    WithPriority(u16),
    /// Only emergency calls, or none (version 3).
    WithEmergency(bool),
    /// Only contexts with or without the preference (version 3).
    WithIeps(bool),
    /// Only contexts with these properties (version 3).
    WithAttributes(Vec<Property>),
    /// Only these contexts (version 3).
    WithContexts(Vec<ContextId>),
    /// Properties by name (version 3).
    Attributes(Vec<PkgdName>),
    /// All conditions must hold (version 3).
    And,
    /// One condition must hold (version 3).
    Or,
}
