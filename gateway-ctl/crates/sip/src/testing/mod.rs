//! For tests and fuzz targets: a network in memory, and what must hold whatever comes in.
//!
//! | file | what it does |
//! |---|---|
//! | `link.rs` | datagrams are lost, doubled and overtaken |
//! | `office.rs` | a registrar and record-routing proxy of a few lines |
//! | `world.rs` | an office and its phones on one link |
//! | `input.rs` | any bytes: what must hold |

mod input;
mod link;
mod office;
mod world;

pub use input::{End, any};
pub use link::{Flying, Link, Weather};
pub use office::Office;
pub use world::{World, settings};
