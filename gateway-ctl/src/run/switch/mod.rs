//! A call's way: from phones' messages to what phones are told, and back.
//!
//! ```text
//!   phone --> socket.rs --> megaco::Endpoint --> turn.rs --> switch::Switch --+--> turn.rs --> phone
//!                                                   ^                         |
//!                                          time ----+              Commit     v
//!                                                   +---- on disk ------- store (fsync)
//! ```
//!
//! Neither the endpoint nor the switch has a socket, clock or disk. A registration is answered, and a
//! call is connected, when it is on disk.
//!
//! | file | what it does |
//! |---|---|
//! | `service.rs` | what runs, and how it starts and follows a reload |
//! | `socket.rs` | UDP, from and to the right one of our addresses |
//! | `connections.rs` | TCP: how many connections, and what waits for each |
//! | `tcp.rs` | H.248 over TCP |
//! | `sip/` | SIP over UDP, TCP and TLS |
//! | `rate.rs` | how fast one address may speak |
//! | `turn.rs` | what the endpoint and the switch want done |
//! | `places.rs` | leases and bindings, as the switch asks for them |
//! | `records.rs` | what the store holds |
//! | `log.rs` | the log of calls: a line of JSON for each |

mod connections;
mod log;
mod places;
mod rate;
mod records;
mod service;
mod sip;
mod socket;
mod tcp;
mod turn;

pub(crate) use log::last as last_calls;
pub(crate) use service::Telephony;
pub(crate) use sip::TRANSPORTS as SIP_TRANSPORTS;
