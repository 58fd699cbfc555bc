//! Phones that speak SIP: what is wanted, and what the store keeps.

mod kept;
mod settings;

pub use kept::{Account, Device, KeptParty, KeptSipCall};
pub use settings::{Settings, User};
