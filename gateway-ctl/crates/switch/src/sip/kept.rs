//! What the store keeps of SIP: who is where, and ends of established calls.

use ::sip::Peer;
use ::sip::registrar::Binding;
use ::sip::ua::Dialog;
use serde::{Deserialize, Serialize};

use crate::address::Place;

/// A user, and where the user is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The name.
    pub user: String,
    /// Its phones; the one that was heard of last stands last, and has the calls.
    pub devices: Vec<Device>,
}

/// A phone of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Its registration.
    pub binding: Binding,
    /// Its addresses for media.
    pub place: Place,
    /// Its hardware address, if a lease says so.
    pub mac: Option<[u8; 6]>,
    /// When it registered first, seconds since 1970.
    pub since: u64,
}

/// An end of a call that speaks SIP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Where requests to it go.
    pub peer: Peer,
    /// What requests to it say: between two ends that speak SIP, in the name of the other one.
    pub dialog: Dialog,
}
