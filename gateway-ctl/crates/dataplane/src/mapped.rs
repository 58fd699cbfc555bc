//! Maps as shared memory (`BPF_F_MMAPABLE`): a store is a store, not a system call.
//!
//! Words are read and written atomically, so that a packet sees the old or the new
//! value and nothing between.

use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use aya::maps::MapData;
use bytemuck::Pod;

use crate::Error;

/// An array map of `T`, in memory.
#[derive(Debug)]
pub(crate) struct Mapped<T> {
    start: NonNull<u8>,
    bytes: usize,
    _value: PhantomData<T>,
}

// SAFETY: the mapping is shared memory that only atomics touch.
unsafe impl<T> Send for Mapped<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Mapped<T> {}

impl<T: Pod> Mapped<T> {
    const WORDS: usize = size_of::<T>() / 4;

    /// Maps `map`, an mmapable array with `entries` values of this type.
    pub(crate) fn new(name: &'static str, map: &MapData, entries: u32) -> Result<Self, Error> {
        const {
            assert!(
                size_of::<T>().is_multiple_of(8),
                "array elements are padded to 8 bytes"
            )
        }
        let bytes = entries as usize * size_of::<T>();
        // SAFETY: a fresh mapping at an address of the kernel's choice; the kernel
        // checks that the map is mmapable and large enough.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                map.fd().as_fd().as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(Error::Mmap {
                map: name,
                source: io::Error::last_os_error(),
            });
        }
        Ok(Self {
            start: NonNull::new(start.cast()).unwrap_or(NonNull::dangling()),
            bytes,
            _value: PhantomData,
        })
    }

    /// All of it as words.
    pub(crate) fn words(&self) -> &[AtomicU32] {
        // SAFETY: the mapping is page-aligned, `bytes` long, lives as long as self,
        // and is only accessed as atomics (by us) or as words (by the kernel).
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.bytes / 4) }
    }

    /// All of it as words of 64 bits.
    pub(crate) fn wide_words(&self) -> &[AtomicU64] {
        // SAFETY: as above; values are multiples of 8 bytes.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.bytes / 8) }
    }

    /// The words of one value.
    fn value_words(&self, index: usize) -> &[AtomicU32] {
        &self.words()[index * Self::WORDS..(index + 1) * Self::WORDS]
    }

    /// A copy of one value.
    pub(crate) fn get(&self, index: usize) -> T {
        let mut value = T::zeroed();
        let words: &mut [u32] = bytemuck::cast_slice_mut(bytemuck::bytes_of_mut(&mut value));
        for (to, from) in words.iter_mut().zip(self.value_words(index)) {
            *to = from.load(Ordering::Acquire);
        }
        value
    }

    /// Writes one value, word by word: for values that no packet can reach yet, or
    /// whose words stand for themselves.
    pub(crate) fn set(&self, index: usize, value: &T) {
        let words: &[u32] = bytemuck::cast_slice(bytemuck::bytes_of(value));
        for (to, from) in self.value_words(index).iter().zip(words) {
            to.store(*from, Ordering::Release);
        }
    }
}

impl<T> Drop for Mapped<T> {
    fn drop(&mut self) {
        // SAFETY: our own mapping, and nothing borrows from it any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}

/// Waits until no packet that began before can still hold what it looked up.
///
/// BPF programs run under RCU; `MEMBARRIER_CMD_GLOBAL` returns after a grace period.
/// Kernels with `nohz_full` do not offer it: there we wait as long as no packet takes.
pub(crate) fn wait_for_running_packets() {
    const MEMBARRIER_CMD_GLOBAL: libc::c_int = 1;
    const LONGER_THAN_A_PACKET_MS: libc::c_int = 50;
    fence(Ordering::SeqCst);
    // SAFETY: system calls without memory of ours.
    unsafe {
        if libc::syscall(libc::SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0 {
            libc::poll(std::ptr::null_mut(), 0, LONGER_THAN_A_PACKET_MS);
        }
    }
}
