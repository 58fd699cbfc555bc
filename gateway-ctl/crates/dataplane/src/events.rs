//! What the programs tell: traced drops, early fragments, log lines.

use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};

use aya::maps::{MapData, RingBuf};
use aya_log::EbpfLogger;
use gateway_common::abi::{EarlyFragment, FragmentKey, HELD_BYTES, TraceEvent, map};

use crate::Error;
use crate::open::Dataplane;

/// The ring buffers' reading ends.
pub struct Events {
    trace: RingBuf<MapData>,
    fragments: RingBuf<MapData>,
    log: Option<EbpfLogger<&'static dyn log::Log>>,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

/// A fragment that came before the one with the ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldFragment {
    /// Its datagram.
    pub key: FragmentKey,
    /// When it came, `CLOCK_MONOTONIC` in nanoseconds.
    pub time_ns: u64,
    /// Slot of the interface it came in on.
    pub slot: u32,
    /// The IP packet.
    pub packet: Vec<u8>,
}

impl Dataplane {
    /// The reading ends of what the programs tell. Once for each dataplane.
    ///
    /// # Errors
    /// When they were taken before.
    pub fn events(&mut self) -> Result<Events, Error> {
        Ok(Events {
            trace: self.ring(map::TRACE)?,
            fragments: self.ring(map::EARLY_FRAGMENTS)?,
            log: EbpfLogger::init(&mut self.ebpf).ok(),
        })
    }

    fn ring(&mut self, name: &'static str) -> Result<RingBuf<MapData>, Error> {
        let map = self.ebpf.take_map(name).ok_or(Error::Missing(name))?;
        RingBuf::try_from(map).map_err(|source| Error::Map { map: name, source })
    }
}

impl Events {
    /// Becomes readable when a drop was traced.
    #[must_use]
    pub fn trace_fd(&self) -> BorrowedFd<'_> {
        self.trace.as_fd()
    }

    /// The next traced drop, if there is one.
    pub fn next_trace(&mut self) -> Option<TraceEvent> {
        let item = self.trace.next()?;
        bytemuck::try_pod_read_unaligned(&item).ok()
    }

    /// Becomes readable when a fragment came early.
    #[must_use]
    pub fn fragments_fd(&self) -> BorrowedFd<'_> {
        self.fragments.as_fd()
    }

    /// The next early fragment, if there is one.
    pub fn next_fragment(&mut self) -> Option<HeldFragment> {
        let item = self.fragments.next()?;
        let early: EarlyFragment = bytemuck::try_pod_read_unaligned(&item).ok()?;
        let length = (early.length as usize).min(HELD_BYTES);
        Some(HeldFragment {
            key: early.key,
            time_ns: early.time_ns,
            slot: early.slot,
            packet: early.packet[..length].to_vec(),
        })
    }

    /// Becomes readable when a program logged something; `None`: none of them logs.
    #[must_use]
    pub fn log_fd(&self) -> Option<BorrowedFd<'_>> {
        let fd = self.log.as_ref()?.as_raw_fd();
        // SAFETY: the logger owns it, and lives as long as the borrow of self.
        Some(unsafe { BorrowedFd::borrow_raw(fd) })
    }

    /// Passes on to the `log` crate what the programs logged.
    pub fn flush_log(&mut self) {
        if let Some(log) = &mut self.log {
            log.flush();
        }
    }
}
