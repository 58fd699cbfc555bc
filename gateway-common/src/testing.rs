//! The engine on the host: for its own tests, the corpus and the fuzz targets.
//!
//! [`site`] is a small customer site in memory, [`run`] is a shell around the engine
//! (what XDP and tc are in the kernel), and [`invariants`] is what must hold for any
//! bytes at all, by [`sums`] that are taken anew instead of updated.
//!
//! Only there with the feature `testing`, and under `cfg(test)`.

pub mod invariants;
#[cfg(test)]
pub(crate) mod packet;
pub mod run;
pub mod site;
pub mod sums;
pub mod tables;
