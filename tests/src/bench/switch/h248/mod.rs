//! Many phones of H.248 on one thread: what they say and answer is real, what they are is next to
//! nothing. Each has an address of its own, and no socket: one has all of them.
//!
//! | file | what it does |
//! |---|---|
//! | `crowd.rs` | messages in and out, requests until they are answered |
//! | `register.rs` | registrations, as many under way as wanted |
//! | `execute.rs` | what phones answer when they are told something |
//! | `calls.rs` | phones call each other |

mod calls;
mod crowd;
mod execute;
mod register;

pub(super) use calls::{CallOutcome, CallPace};
pub(super) use crowd::Crowd;
pub(super) use register::Registered;
