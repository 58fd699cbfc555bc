//! What the switch says in H.248.
//!
//! | file | what it does |
//! |---|---|
//! | `commands.rs` | actions for media gateways |
//! | `sdp.rs` | another address in a session description |
//! | `session.rs` | session descriptions between H.248 and SIP |

pub(crate) mod commands;
pub(crate) mod sdp;
pub(crate) mod session;
