//! Sockets, clocks and namespaces for any number of phones, on one thread.
//!
//! ```text
//!            epoll ------> socket of a phone -----> Slot: Leasing, Fetching, Up --> Output
//!   step ->  deadlines --> phone whose time has come ^                              |
//!                                                    `-- sockets, datagrams, events-'
//! ```
//! A socket belongs to the namespace in which it was opened: the thread goes there, opens it, and
//! comes back.
//!
//! | file | what it does |
//! |---|---|
//! | `engine.rs` | one step: what arrived and what is due, for all phones |
//! | `slot.rs` | one phone from its lease to its calls |
//! | `place.rs` | namespaces: sockets and addresses in them |
//! | `frames.rs` | DHCP on a packet socket |
//! | `output.rs` | events as JSON lines |

mod engine;
mod frames;
mod output;
mod place;
mod slot;

pub use engine::{Engine, Happened, Options};
pub use output::Report as Marker;
