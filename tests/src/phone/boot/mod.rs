//! How a phone boots: a lease, its file, and perhaps an image, without sockets or clocks.
//!
//! ```text
//!   DHCP: address, range, server --> TFTP: file of its own --> TFTP: image --> switches, ports, account
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `dhcp.rs` | the client (RFC 2131) |
//! | `lease.rs` | what the phone is told by options |
//! | `tftp.rs` | one file read (RFC 1350, 2347 to 2349) |
//! | `file.rs` | the phone's file, as `deploy/templates/simulated-phone.json` makes it |

mod dhcp;
mod file;
mod lease;
mod tftp;

pub use dhcp::{Client, Send, Settings};
pub use file::{Account, PhoneFile};
pub use lease::Lease;
pub use tftp::{Fetch, Progress};
