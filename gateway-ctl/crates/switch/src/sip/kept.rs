//! What the store keeps of SIP: who is where, and established calls.

use ::sip::Peer;
use ::sip::registrar::Binding;
use serde::{Deserialize, Serialize};

use crate::address::{Choice, Place};
use crate::record::CallId;

/// A user, and where the user is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The name.
    pub user: String,
    /// Its phones.
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

/// An end of an established call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptParty {
    /// Its number, if it has one.
    pub number: Option<String>,
    /// User or trunk.
    pub name: String,
    /// Where requests to it go.
    pub peer: Peer,
    /// Its addresses for media.
    pub place: Place,
    /// Its Contact: the Request-URI of requests to it.
    pub contact: String,
    /// Its From or To value, with its tag.
    pub address: String,
    /// Its tag.
    pub tag: String,
    /// The number of the last request that it has sent.
    pub sequence: u32,
    /// Route values behind this switch towards it, the first hop first.
    pub routes: Vec<String>,
}

/// An established call between two ends that speak SIP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptSipCall {
    /// Which.
    pub id: CallId,
    /// What was dialled.
    pub dialled: String,
    /// Its Call-ID.
    pub call_id: String,
    /// Who called.
    pub caller: KeptParty,
    /// Who was called.
    pub called: KeptParty,
    /// The addresses they were given.
    pub choice: Choice,
    /// When it was dialled, milliseconds since 1970.
    pub started: u64,
    /// When it was answered, milliseconds since 1970.
    pub answered: u64,
}
