//! For tests and fuzz targets: a network in memory, and what must hold whatever comes in.
//!
//! | file | what it does |
//! |---|---|
//! | `link.rs` | datagrams are lost, doubled and overtaken |

mod link;

pub use link::{Link, Weather};
