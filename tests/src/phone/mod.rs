//! The simulated IP phone.
pub mod event;
pub mod h248;
pub mod line;
pub mod media;
pub mod ports;
pub mod random;
pub mod streams;
