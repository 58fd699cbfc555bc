//! A disk that fails when told to, and forgets what was not synced.
//!
//! ```text
//!   write, set_len --> cached (what is read) --sync--> durable (what a power loss leaves)
//!                 \--> pending: what of it came to the disk before its time, nobody knows
//! ```
//!
//! A power loss keeps some of the pending writes, by sectors, in no order. A sync that fails
//! does the same, and the cache then believes what it has to be on the disk: that is what
//! Linux does after an error of writeback.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

const SECTOR: usize = 512;
const PAGE: usize = 4096;

/// Random numbers, the same ones for the same seed (xorshift64).
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}

/// When the disk fails. After that it refuses everything.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    Never,
    /// At this sync from now, counted from 0.
    Sync(u64),
    /// At this write, change of length or sync from now.
    Operation(u64),
}

/// How much of what was pending a failure leaves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Leaves {
    Nothing,
    All,
    Some,
}

#[derive(Clone, Debug)]
pub(super) struct Disk(Arc<Mutex<State>>);

struct State {
    cached: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
    dirty: BTreeSet<usize>,
    fault: Fault,
    leaves: Leaves,
    failed: bool,
    random: Random,
    syncs: u64,
    operations: u64,
    error: io::ErrorKind,
}

#[derive(Clone)]
enum Pending {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.cached.len())
    }
}

impl Disk {
    pub(super) fn new(seed: u64, leaves: Leaves) -> Self {
        Self(Arc::new(Mutex::new(State {
            cached: Vec::new(),
            durable: Vec::new(),
            pending: Vec::new(),
            dirty: BTreeSet::new(),
            fault: Fault::Never,
            leaves,
            failed: false,
            random: Random::new(seed),
            syncs: 0,
            operations: 0,
            error: io::ErrorKind::Other,
        })))
    }

    /// Another disk with the same content.
    pub(super) fn copy(&self, seed: u64, leaves: Leaves) -> Self {
        let copy = Self::new(seed, leaves);
        let state = self.lock();
        copy.lock().cached.clone_from(&state.cached);
        copy.lock().durable.clone_from(&state.durable);
        copy
    }

    /// Works, until it fails.
    pub(super) fn fail(&self, fault: Fault) {
        let mut state = self.lock();
        (state.fault, state.syncs, state.operations) = (fault, 0, 0);
        state.failed = false;
    }

    /// What it says when it fails.
    pub(super) fn says(&self, error: io::ErrorKind) {
        self.lock().error = error;
    }

    pub(super) fn has_failed(&self) -> bool {
        self.lock().failed
    }

    /// Syncs and all operations since it was told when to fail.
    pub(super) fn counts(&self) -> (u64, u64) {
        let state = self.lock();
        (state.syncs, state.operations)
    }

    /// What is read from now on is what came to the disk.
    pub(super) fn lose_power(&self) {
        let mut state = self.lock();
        state.settle();
        state.cached = state.durable.clone();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    /// Counts an operation, which may be the one that fails.
    fn attempt(&mut self, sync: bool) -> io::Result<()> {
        let now = match self.fault {
            Fault::Never => false,
            Fault::Sync(at) => sync && self.syncs == at,
            Fault::Operation(at) => self.operations == at,
        };
        self.operations += 1;
        self.syncs += u64::from(sync);
        if self.failed || now {
            self.failed = true;
            return Err(self.error.into());
        }
        Ok(())
    }

    /// Some of what is pending comes to the disk, the rest never will.
    fn settle(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            match pending {
                Pending::Length(len) => {
                    if self.stays() {
                        self.durable.resize(len, 0);
                    }
                }
                Pending::Write(offset, data) => {
                    let mut at = 0;
                    while at < data.len() {
                        let to_boundary = SECTOR - (offset + at) % SECTOR;
                        let len = to_boundary.min(data.len() - at);
                        let place = offset + at..offset + at + len;
                        if self.stays()
                            && let Some(sector) = self.durable.get_mut(place)
                        {
                            sector.copy_from_slice(&data[at..at + len]);
                        }
                        at += len;
                    }
                }
            }
        }
        self.dirty.clear();
    }

    fn stays(&mut self) -> bool {
        match self.leaves {
            Leaves::Nothing => false,
            Leaves::All => true,
            Leaves::Some => self.random.below(2) == 0,
        }
    }
}

fn place(offset: u64, len: usize, total: usize) -> io::Result<std::ops::Range<usize>> {
    let start = usize::try_from(offset).map_err(io::Error::other)?;
    if start + len > total {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(start..start + len)
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().cached.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.lock();
        let place = place(offset, out.len(), state.cached.len())?;
        out.copy_from_slice(&state.cached[place]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.lock();
        state.attempt(false)?;
        let len = usize::try_from(len).map_err(io::Error::other)?;
        state.cached.resize(len, 0);
        state.pending.push(Pending::Length(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.lock();
        if let Err(error) = state.attempt(true) {
            state.settle();
            return Err(error);
        }
        let State {
            cached,
            durable,
            dirty,
            pending,
            ..
        } = &mut *state;
        durable.resize(cached.len(), 0);
        for page in std::mem::take(dirty) {
            let start = (page * PAGE).min(cached.len());
            let end = (start + PAGE).min(cached.len());
            durable[start..end].copy_from_slice(&cached[start..end]);
        }
        pending.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        state.attempt(false)?;
        let place = place(offset, data.len(), state.cached.len())?;
        state.cached[place.clone()].copy_from_slice(data);
        state
            .dirty
            .extend(place.start / PAGE..=(place.end.max(1) - 1) / PAGE);
        state
            .pending
            .push(Pending::Write(place.start, data.to_vec()));
        Ok(())
    }
}
