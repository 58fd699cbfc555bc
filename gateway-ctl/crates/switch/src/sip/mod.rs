//! Phones that speak SIP: what is wanted, what the store keeps, what is counted.

mod counters;
mod kept;
mod settings;

pub use counters::Counters;
pub use kept::{Account, Device, Party};
pub use settings::{Settings, User};
