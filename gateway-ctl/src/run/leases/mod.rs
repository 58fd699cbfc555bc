//! A lease's way: from a phone's request to its binding in the dataplane, and back.
//!
//! ```text
//!   phone --> receive.rs --> dhcp::Server --> turn.rs --+--> sockets.rs --> phone
//!                ^  ^                          | ^  |   +--> bind.rs --> dataplane
//!     answers to |  | time                 Commit|  +--> probes
//!     probes ----+  +---- timer                v |
//!                                        store (fsync)
//! ```
//!
//! The server decides and has neither socket nor clock nor disk; what it wants done comes out
//! of it in order. What follows from a commit (the binding, then the ACK) comes out only when
//! the store has it on disk.
//!
//! | file | what it does |
//! |---|---|
//! | `service.rs` | what runs, and how it starts and follows a reload |
//! | `settings.rs` | plan -> what the server is told |
//! | `receive.rs` | requests, answers to probes, time, commits: whatever wakes the server |
//! | `turn.rs` | what the server wants done |
//! | `bind.rs` | leases in the ledger and in the dataplane |
//! | `sockets.rs`, `frame.rs` | port 67, packet sockets, ARP, ICMP |
//! | `records.rs` | what the store holds |
//! | `history.rs` | whose a port was, and when that is forgotten |
//! | `backup.rs`, `backup/lines.rs` | everything as JSON lines, out and in |
//! | `backup/merge.rs` | two histories as one |
//! | `backup/sound.rs` | what no backup of ours says |
//! | `clock.rs` | time that never goes back |

mod backup;
mod bind;
mod clock;
mod frame;
mod history;
mod receive;
pub(in crate::run) mod records;
mod service;
mod settings;
mod sockets;
mod turn;

pub(crate) use backup::{Backup, Reading, import, lines as backup_lines};
pub(crate) use clock::StoreClock;
pub(crate) use history::owner_at;
pub(crate) use service::{Leases, LostCount, Task, task};
