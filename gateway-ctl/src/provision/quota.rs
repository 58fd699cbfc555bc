//! How much a phone may leave behind, counted while files are on their way in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::files::Refused;

/// Uploads of one phone at a time.
const MOST_AT_ONCE: usize = 4;

/// What each phone may leave behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    /// Bytes of all its files together.
    pub(crate) bytes: u64,
    /// Files.
    pub(crate) files: u32,
}

/// What lies in a phone's folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) bytes: u64,
    pub(super) files: u32,
}

/// Phones with uploads under way; the disk says the rest.
#[derive(Debug)]
pub(super) struct Accounts(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    quota: Quota,
    by_mac: BTreeMap<[u8; 6], Account>,
}

#[derive(Debug, Default)]
struct Account {
    /// As found when the first upload began, and as finished uploads changed it.
    stored: Stored,
    /// Bytes written to files that are not finished.
    under_way: u64,
    /// Names of those files.
    names: BTreeSet<String>,
    /// Those of them that are new.
    new: u32,
    /// Bytes of files that will be replaced.
    replaced: u64,
}

/// One upload's share of an account.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) mac: [u8; 6],
    pub(super) name: String,
    /// Bytes of the file of this name that is there already.
    pub(super) replaces: Option<u64>,
    pub(super) written: u64,
}

impl Accounts {
    pub(super) fn new(quota: Quota) -> Self {
        let by_mac = BTreeMap::new();
        Self(Mutex::new(Inner { quota, by_mac }))
    }

    /// Puts another quota in force, for what is under way too.
    pub(super) fn set(&self, quota: Quota) {
        self.lock().quota = quota;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change is made whole or not at all.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an upload. `stored` looks at the phone's folder, and how large the file is
    /// that will be replaced, if there is one; nothing else changes the folder meanwhile.
    pub(super) fn begin(
        &self,
        mac: [u8; 6],
        name: &str,
        size: Option<u64>,
        stored: impl FnOnce() -> Result<(Stored, Option<u64>), Refused>,
    ) -> Result<Share, Refused> {
        let mut inner = self.lock();
        let quota = inner.quota;
        let (found, replaces) = stored()?;
        let mut fresh = Account::default();
        let account = inner.by_mac.get_mut(&mac).unwrap_or(&mut fresh);
        account.stored = found;
        if account.names.contains(name) {
            return Err(Refused::Busy(format!("{name} is being written already")));
        }
        if account.names.len() >= MOST_AT_ONCE {
            return Err(Refused::Busy(format!(
                "the phone writes {MOST_AT_ONCE} files already"
            )));
        }
        let new = u32::from(replaces.is_none());
        let files = found.files.saturating_add(account.new).saturating_add(new);
        if files > quota.files {
            return Err(Refused::QuotaExceeded(format!(
                "this would be file {files} of the phone, provision.upload_files allows {}",
                quota.files
            )));
        }
        account.names.insert(name.to_owned());
        account.new += new;
        account.replaced += replaces.unwrap_or(0);
        let room = account.room(quota);
        let share = Share {
            mac,
            name: name.to_owned(),
            replaces,
            written: 0,
        };
        if size.unwrap_or(0) > room {
            account.end(&share);
            return Err(exceeded(quota));
        }
        // New ones only now: whoever was refused has none.
        let fresh = std::mem::take(&mut fresh);
        inner.by_mac.entry(mac).or_insert(fresh);
        Ok(share)
    }

    /// Takes room for bytes that are about to be written.
    pub(super) fn grow(&self, share: &mut Share, bytes: usize) -> Result<(), Refused> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let mut inner = self.lock();
        let quota = inner.quota;
        let account = inner.by_mac.entry(share.mac).or_default();
        if bytes > account.room(quota) {
            return Err(exceeded(quota));
        }
        account.under_way += bytes;
        share.written += bytes;
        Ok(())
    }

    /// Ends an upload. `place` puts the file in its place, while no other upload of the
    /// phone begins or ends.
    pub(super) fn end(
        &self,
        share: &Share,
        place: impl FnOnce() -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let mut inner = self.lock();
        let placed = place();
        let Some(account) = inner.by_mac.get_mut(&share.mac) else {
            return placed;
        };
        account.end(share);
        if placed.is_ok() {
            let stored = &mut account.stored;
            stored.bytes = stored.bytes.saturating_sub(share.replaces.unwrap_or(0)) + share.written;
            stored.files += u32::from(share.replaces.is_none());
        }
        if account.names.is_empty() {
            inner.by_mac.remove(&share.mac);
        }
        placed
    }
}

impl Account {
    /// Bytes that may be written yet.
    fn room(&self, quota: Quota) -> u64 {
        let kept = self.stored.bytes.saturating_sub(self.replaced);
        quota.bytes.saturating_sub(kept + self.under_way)
    }

    fn end(&mut self, share: &Share) {
        self.names.remove(&share.name);
        self.under_way -= share.written;
        self.new -= u32::from(share.replaces.is_none());
        self.replaced -= share.replaces.unwrap_or(0);
    }
}

fn exceeded(quota: Quota) -> Refused {
    Refused::QuotaExceeded(format!(
        "the phone's files would have more than the {} bytes of provision.upload_quota",
        quota.bytes
    ))
}
