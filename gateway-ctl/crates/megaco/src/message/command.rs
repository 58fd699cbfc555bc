//! Commands and their answers (RFC 3525 section 7.2).

use super::{
    AuditItem, Descriptors, ErrorDescriptor, ObservedEvents, ServiceChange, ServiceChangeResult,
};
use crate::name::Name;

/// A termination, or a pattern of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TerminationId {
    /// The gateway itself.
    Root,
    /// `$`: one that the gateway chooses.
    Choose,
    /// `*`: all.
    All,
    /// This one; `*` and `$` in it are wildcards.
    Name(Name),
}

impl TerminationId {
    /// By its name.
    ///
    /// # Errors
    /// When it is no name.
    pub fn new(name: &str) -> Result<Self, crate::BadText> {
        Ok(match name {
            "$" => Self::Choose,
            "*" => Self::All,
            root if root.eq_ignore_ascii_case("root") => Self::Root,
            name => Self::Name(Name::new(name)?),
        })
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Root => "root",
            Self::Choose => "$",
            Self::All => "*",
            Self::Name(name) => name.as_str(),
        }
    }
}

/// One termination, or several (version 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminations {
    first: TerminationId,
    more: Vec<TerminationId>,
}

impl Terminations {
    /// The first, and the others.
    #[must_use]
    pub fn new(first: TerminationId, more: Vec<TerminationId>) -> Self {
        Self { first, more }
    }

    /// The first: the only one, before version 3.
    #[must_use]
    pub fn first(&self) -> &TerminationId {
        &self.first
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &TerminationId> {
        std::iter::once(&self.first).chain(&self.more)
    }

    /// Whether there is more than one.
    #[must_use]
    pub fn is_list(&self) -> bool {
        !self.more.is_empty()
    }
}

impl From<TerminationId> for Terminations {
    fn from(first: TerminationId) -> Self {
        Self::new(first, Vec::new())
    }
}

/// A command, and how it is executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRequest {
    /// `O-`: when it fails, the next is executed all the same.
    pub optional: bool,
    /// `W-`: one answer for all terminations that a wildcard means.
    pub wildcard: bool,
    /// What to do.
    pub command: Command,
}

impl From<Command> for CommandRequest {
    fn from(command: Command) -> Self {
        Self {
            optional: false,
            wildcard: false,
            command,
        }
    }
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Into the context.
    Add(Amm),
    /// From another context into this one.
    Move(Amm),
    /// Where it is.
    Modify(Amm),
    /// Out of the context.
    Subtract(Audited),
    /// What is.
    AuditValue(Audited),
    /// What could be.
    AuditCapability(Audited),
    /// Something happened.
    Notify(NotifyRequest),
    /// Something comes, goes or changes hands.
    ServiceChange(ServiceChangeRequest),
}

impl Command {
    /// What it is about.
    #[must_use]
    pub fn terminations(&self) -> &Terminations {
        match self {
            Self::Add(amm) | Self::Move(amm) | Self::Modify(amm) => &amm.terminations,
            Self::Subtract(audited)
            | Self::AuditValue(audited)
            | Self::AuditCapability(audited) => &audited.terminations,
            Self::Notify(notify) => &notify.terminations,
            Self::ServiceChange(change) => &change.terminations,
        }
    }
}

/// Add, Move, Modify, and the answers to them and to Subtract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amm {
    /// Which.
    pub terminations: Terminations,
    /// What is set, or what is.
    pub descriptors: Descriptors,
}

impl Amm {
    /// Of one termination.
    #[must_use]
    pub fn new(termination: TerminationId, descriptors: impl Into<Descriptors>) -> Self {
        Self {
            terminations: termination.into(),
            descriptors: descriptors.into(),
        }
    }
}

/// Subtract and the audits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// Which.
    pub terminations: Terminations,
    /// What is asked for; `None`: what the gateway tells by itself.
    pub audit: Option<Vec<AuditItem>>,
}

impl Audited {
    /// Of one termination.
    #[must_use]
    pub fn new(termination: TerminationId, audit: Option<Vec<AuditItem>>) -> Self {
        Self {
            terminations: termination.into(),
            audit,
        }
    }
}

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyRequest {
    /// Where.
    pub terminations: Terminations,
    /// What.
    pub observed: ObservedEvents,
    /// An error of the gateway's own.
    pub error: Option<ErrorDescriptor>,
}

/// Something comes, goes or changes hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceChangeRequest {
    /// What: the gateway itself, or terminations of it.
    pub terminations: Terminations,
    /// How.
    pub change: ServiceChange,
}

/// An answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// To Add.
    Add(Amm),
    /// To Move.
    Move(Amm),
    /// To Modify.
    Modify(Amm),
    /// To Subtract.
    Subtract(Amm),
    /// To AuditValue.
    AuditValue(AuditReply),
    /// To AuditCapability.
    AuditCapability(AuditReply),
    /// To Notify.
    Notify(NotifyReply),
    /// To ServiceChange.
    ServiceChange(ServiceChangeReply),
}

/// An answer to an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditReply {
    /// Of terminations.
    Terminations(Amm),
    /// Of a context: which terminations are in it.
    Context(Vec<TerminationId>),
    /// Of a context: there is none.
    ContextError(ErrorDescriptor),
}

/// An answer to Notify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyReply {
    /// Where.
    pub terminations: Terminations,
    /// It was not wanted.
    pub error: Option<ErrorDescriptor>,
}

/// An answer to ServiceChange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceChangeReply {
    /// What.
    pub terminations: Terminations,
    /// What came of it.
    pub result: ServiceChangeResult,
}
