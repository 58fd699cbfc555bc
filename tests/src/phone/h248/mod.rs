//! A phone that is controlled by H.248 (RFC 3525): a media gateway with one line or more, without
//! sockets or clocks.
//!
//! ```text
//!            line1 ------- context 7 ------- rtp/4 ----- RTP
//!   user --- hook, digits: events            Local, Remote, mode
//!            tones, ringing: signals
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `gateway.rs` | messages in, messages out, timers |
//! | `association.rs` | which controller it belongs to |
//! | `register.rs` | ServiceChange both ways |
//! | `transactions.rs` | what is lost is sent again, what comes twice is done once |
//! | `execute.rs`, `amm.rs` | commands of the controller: contexts and terminations |
//! | `audit.rs` | what audits are told |
//! | `termination.rs` | lines and streams |
//! | `watch.rs`, `digit_map.rs` | events, and numbers out of digits |
//! | `signals.rs` | tones and ringing |
//! | `happen.rs` | events of users, told by Notify |
//! | `connect.rs` | contexts to media, and what each line's user hears |
//! | `sdp.rs` | session descriptions in Local and Remote |

mod amm;
mod association;
mod audit;
mod connect;
mod digit_map;
mod execute;
mod gateway;
mod happen;
mod register;
mod sdp;
mod signals;
mod termination;
#[cfg(test)]
mod tests;
mod transactions;
mod watch;

pub use association::Restart;
pub use gateway::{Gateway, Settings};

/// The port of text-encoded H.248 (RFC 3525 annex D.1).
pub const PORT: u16 = 2944;
