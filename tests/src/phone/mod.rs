//! The simulated IP phone.
mod assemble;
pub mod boot;
pub mod definition;
pub mod device;
pub mod event;
pub mod h248;
pub mod line;
pub mod media;
pub mod ports;
pub mod random;
pub mod script;
mod sdp;
pub mod shell;
pub mod sip;
pub mod streams;
