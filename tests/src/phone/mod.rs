//! The simulated IP phone.
pub mod media;
