//! What the store holds of the switch: keys, values, batches.
//!
//! | key | value (JSON) |
//! |---|---|
//! | `gateway/` + its name | [`Registration`] |
//! | `call/` + its number | [`KeptCall`] |
//! | `sip-user/` + the name | [`Account`] |
//! | `switch/clock` | milliseconds of the last commit's clock |

use anyhow::{Context as _, Result};
use store::{Batch, Embedded};
use switch::Change;
use switch::record::KeptCall;
use switch::registration::Registration;
use switch::sip::Account;

use super::super::leases::records::{all, json};

const GATEWAY: &[u8] = b"gateway/";
const CALL: &[u8] = b"call/";
const SIP_USER: &[u8] = b"sip-user/";
const CLOCK: &[u8] = b"switch/clock";

/// What was kept of a former life.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) registrations: Vec<Registration>,
    pub(super) calls: Vec<KeptCall>,
    pub(super) accounts: Vec<Account>,
    /// Milliseconds of the clock.
    pub(super) clock: u64,
}

impl Kept {
    /// Reads it all.
    ///
    /// # Errors
    /// When the store or a record cannot be read.
    pub(super) fn load(store: &Embedded) -> Result<Self> {
        let mut clock = Vec::new();
        store.for_each(CLOCK, |_, value, _| clock = value.to_vec())?;
        let clock = match clock.is_empty() {
            true => 0,
            false => serde_json::from_slice(&clock).context("cannot read the switch's clock")?,
        };
        Ok(Self {
            registrations: all(store, GATEWAY)?,
            calls: all(store, CALL)?,
            accounts: all(store, SIP_USER)?,
            clock,
        })
    }
}

/// The changes as one batch, stamped with the clock.
///
/// # Errors
/// When a value cannot be written as JSON, which none of ours are.
pub(super) fn batch(changes: &[Change], clock: u64) -> Result<Batch> {
    let gateway = |id: &str| [GATEWAY, id.as_bytes()].concat();
    let call = |id: u64| [CALL, &id.to_be_bytes()].concat();
    let user = |name: &str| [SIP_USER, name.as_bytes()].concat();
    let mut batch = Batch::new().put(CLOCK, json(&clock)?);
    for change in changes {
        batch = match change {
            Change::Register(one) => batch.put(gateway(&one.id.to_string()), json(one)?),
            Change::Forget(id) => batch.delete(gateway(&id.to_string())),
            Change::Keep(one) => batch.put(call(one.id), json(one)?),
            Change::Over(id) => batch.delete(call(*id)),
            Change::Account(one) if one.devices.is_empty() => batch.delete(user(&one.user)),
            Change::Account(one) => batch.put(user(&one.user), json(one)?),
        };
    }
    Ok(batch)
}
