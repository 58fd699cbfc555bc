//! The gateway's soft switch with real sockets in namespaces: what the network, the power and other
//! people's software do to it. Needs root.
//!
//! | file | what is tried |
//! |---|---|
//! | `bed.rs` | a site whose gateway is a switch |
//! | `faults.rs` | a network that loses, doubles and reorders |
//! | `kills.rs` | a switch that is killed in every state of a call |
//! | `failover.rs` | two switches: one dies, the other takes over and hands back |
//! | `otp.rs` | Erlang/OTP's megaco as gateway and as controller |
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bed;
mod failover;
mod faults;
mod kills;
mod otp;
