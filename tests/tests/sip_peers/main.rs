//! Other people's SIP against the daemon, with real sockets in namespaces. Needs root.
//!
//! | file | what is tried |
//! |---|---|
//! | `bed.rs` | a site whose gateway is a switch that speaks SIP |
//! | `sipp.rs` | sipp by scenarios of our own: registrations, calls and how they end, many at once; UDP and TCP |
//! | `baresip.rs` | baresip calls baresip and lines of H.248 at one site, over UDP and TLS |
//! | `two_sites.rs` | baresip calls baresip through two gateways, by a switch at the provider |
//! | `tls.rs` | openssl as a client that checks the switch's certificate |
//! | `torture.rs` | the messages of RFC 4475, garbage and half messages |
//! | `program/` | how sipp and baresip are run |
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod baresip;
mod bed;
mod program;
mod sipp;
mod tls;
mod torture;
mod two_sites;
