//! A network in memory: clients, relays, a store and a dataplane around a [`Server`](crate::Server).
//!
//! For this crate's tests, the fuzz target and the replay of its corpus.
//!
//! | file | what it does |
//! |---|---|
//! | `site.rs` | the settings of a site |
//! | `message.rs` | clients' messages, and the server's as clients read them |
//! | `pair.rs` | a server with its shell, whose clock and disk the test rules |
//! | `invariants.rs` | what must hold whatever comes in |

pub mod invariants;
pub mod message;
pub mod pair;
pub mod site;

pub use message::{Message, Told};
pub use pair::Pair;
