//! The soft switch: who is registered, where a number leads, and which addresses the ends of a call
//! are given.
//!
//! Nothing here has a socket, a clock, a disk or chance of its own.
//!
//! | file | what it does |
//! |---|---|
//! | `address.rs` | the choice of addresses: private at one site, else public |
//! | `dial_plan.rs` | where a number leads; the plan as a digit map |

#![forbid(unsafe_code)]

pub mod address;
pub mod dial_plan;
