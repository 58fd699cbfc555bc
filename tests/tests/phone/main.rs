//! The simulated phone: with real sockets in namespaces, against a small controller, other phones
//! and the real gateway. Needs root.
//!
//! | file | what is tried |
//! |---|---|
//! | `controller.rs` | an H.248 controller that connects two phones, and no more |
//! | `h248.rs` | calls by H.248, a controller that dies |
//! | `sip.rs` | calls by SIP, from phone to phone |
//! | `switch.rs` | the gateway's switch: many phones, a trunk |
//! | `boot.rs` | a phone behind the gateway: lease, file, image, call through the dataplane |
//! | `program.rs` | the program `phone`: output, exit status |
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod boot;
mod controller;
mod h248;
mod program;
mod sip;
mod switch;
