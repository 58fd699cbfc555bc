//! What a message says. Everything is valid by construction as far as writing it goes: what is
//! encoded can be read again and means the same.
//!
//! ```text
//!   Message  version, mId
//!     Transaction   Request  Reply  Pending  Ack  Segment
//!       ActionRequest / ActionReply    one context each
//!         Command / Response           on one or more terminations
//!           Descriptor                 Media, Events, Signals, ...
//! ```

mod action;
mod audit;
mod command;
mod descriptor;
mod event;
mod media;
mod service_change;
mod signal;
mod transaction;
mod value;

pub use action::{
    ActionReply, ActionRequest, ContextAudit, ContextId, ContextProperties, Direction, Topology,
};
pub use audit::{
    AuditItem, BufferedPart, LocalControlItem, MediaAudit, Relation, SignalAudit, StateItem,
    StreamAudit,
};
pub use command::{
    Amm, AuditReply, Audited, Command, CommandRequest, NotifyReply, NotifyRequest, Response,
    ServiceChangeReply, ServiceChangeRequest, TerminationId, Terminations,
};
pub use descriptor::{
    Descriptor, DescriptorKind, Descriptors, DigitMap, DigitMapValue, ErrorDescriptor, Modem, Mux,
    MuxKind, Package, Statistic,
};
pub use event::{
    Embed, EventDigitMap, Events, NotifyBehaviour, ObservedEvent, ObservedEvents, RequestId,
    RequestedEvent,
};
pub use media::{
    EventBufferControl, LocalControl, Media, Octets, ServiceState, Stream, StreamMode,
    TerminationState,
};
pub use service_change::{
    ChangeAddress, Method, Profile, Reason, ServiceChange, ServiceChangeResult,
};
pub use signal::{
    Completion, Signal, SignalDirection, SignalItem, SignalKind, SignalList, Signals,
};
pub use transaction::{
    AckRange, Auth, Body, Message, Mid, Outcome, SegmentInfo, SegmentReply, Transaction,
    TransactionReply, TransactionRequest,
};
pub use value::{Parameter, ParmValue, Property, Timestamp, Value};
