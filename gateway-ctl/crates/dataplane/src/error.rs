//! What can go wrong, and what to do about it.

use std::io;
use std::path::PathBuf;

/// Errors of the dataplane.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No bpffs where maps are to be pinned.
    #[error("{path} is on no bpf file system: mount one with `mount -t bpf bpf /sys/fs/bpf`")]
    NoBpfFs {
        /// The pin directory.
        path: PathBuf,
        /// What mounting it ourselves said.
        source: io::Error,
    },
    /// A file operation under the pin directory.
    #[error("{path}: {source}")]
    Pin {
        /// What it was about.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Loading the object.
    #[error("loading the BPF object: {0} (needs Linux 6.1 or newer, CAP_BPF and CAP_NET_ADMIN)")]
    Load(#[from] aya::EbpfError),
    /// Loading or attaching a program.
    #[error("program {program}: {source}")]
    Program {
        /// Its name.
        program: &'static str,
        /// What the kernel said.
        source: aya::programs::ProgramError,
    },
    /// The object lacks a map or program: the build is broken.
    #[error("the BPF object has no {0}")]
    Missing(&'static str),
    /// A map operation.
    #[error("map {map}: {source}")]
    Map {
        /// Its name.
        map: &'static str,
        /// What the kernel said.
        source: aya::maps::MapError,
    },
    /// Mapping a map into memory.
    #[error("map {map}: cannot be mapped into memory: {source}")]
    Mmap {
        /// Its name.
        map: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// Another XDP program sits on the device.
    #[error(
        "{device} has another XDP program already: remove it with `ip link set dev {device} xdp off`"
    )]
    Occupied {
        /// The device.
        device: String,
    },
    /// Attaching to a device.
    #[error("{device}: attaching {program}: {source}")]
    Attach {
        /// The device.
        device: String,
        /// The program.
        program: &'static str,
        /// What the kernel said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// More than the maps were made for.
    #[error("{what}: {wanted} wanted, room for {limit}: raise limits.{key}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How many.
        wanted: usize,
        /// How many there may be.
        limit: usize,
        /// The configuration key.
        key: &'static str,
    },
    /// No table holds these interfaces; there is one for as many as there may be.
    #[error("{keys} interface keys have no places of their own in a table of {places}")]
    Places {
        /// How many keys.
        keys: usize,
        /// Places in a table.
        places: usize,
    },
    /// A wish that contradicts itself; the controller checks before it asks.
    #[error("{private}: {source}")]
    Binding {
        /// The binding's private address.
        private: std::net::Ipv4Addr,
        /// Why it cannot be.
        source: crate::BindingError,
    },
}
