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

/// Writes of a batch, with room for what one change is in any case.
const OPERATIONS: usize = 64;
/// Bytes of values in a batch, likewise.
const BYTES: usize = 256 << 10;

/// Changes of several turns as one batch, stamped with the clock.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) batch: Batch,
    bytes: usize,
}

impl Records {
    /// Nothing but the stamp.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub(super) fn stamped(clock: u64) -> Result<Self> {
        let batch = Batch::new().put(CLOCK, json(&clock)?);
        Ok(Self { batch, bytes: 0 })
    }

    /// Whether the next change is another batch's.
    pub(super) fn is_full(&self) -> bool {
        self.batch.operations() >= OPERATIONS || self.bytes >= BYTES
    }

    /// Adds changes that belong together.
    ///
    /// # Errors
    /// When a value cannot be written as JSON, which none of ours are.
    pub(super) fn add(&mut self, changes: &[Change]) -> Result<()> {
        let gateway = |id: &str| [GATEWAY, id.as_bytes()].concat();
        let call = |id: u64| [CALL, &id.to_be_bytes()].concat();
        let user = |name: &str| [SIP_USER, name.as_bytes()].concat();
        for change in changes {
            let (key, value) = match change {
                Change::Register(one) => (gateway(&one.id.to_string()), Some(json(one)?)),
                Change::Forget(id) => (gateway(&id.to_string()), None),
                Change::Keep(one) => (call(one.id), Some(json(one)?)),
                Change::Over(id) => (call(*id), None),
                Change::Account(one) if one.devices.is_empty() => (user(&one.user), None),
                Change::Account(one) => (user(&one.user), Some(json(one.as_ref())?)),
            };
            self.bytes += value.as_ref().map_or(0, Vec::len);
            let batch = std::mem::take(&mut self.batch);
            self.batch = match value {
                Some(value) => batch.put(key, value),
                None => batch.delete(key),
            };
        }
        Ok(())
    }
}
