//! Ranges of public ports, given to phones and taken back.
//!
//! ```text
//!   free ----allocate, claim----> live ----release----> resting
//!     ^                            ^  the same owner again  |
//!     |                            +------------------------+
//!     +------------------ its time has passed --------------+
//! ```
//!
//! A range is an aligned block of a power of two of one public address' ports, so that
//! free ones are kept as in a buddy allocator: a block is split in halves until it has the
//! size wanted, and halves that are free again become whole. A range that was given back
//! rests, because packets to its former phone are still on their way; the same phone may
//! have it again at once.
//!
//! Nothing here has a clock or a disk. Times are seconds of the clock that the store
//! keeps, and what is live is told anew after a start ([`Allocator::claim`]).
//!
//! | file | what it does |
//! |---|---|
//! | `allocator.rs` | live and resting ranges, and whose they are |
//! | `blocks.rs` | free blocks by size |
//! | `services.rs` | ports that are never given out |
//! | `error.rs` | why there is no range |

#![forbid(unsafe_code)]

mod allocator;
mod blocks;
mod error;
mod services;

pub use allocator::{Allocator, Grant, Ports, Rules};
pub use error::Error;
pub use services::SERVICES;
