//! Bindings: a phone's addresses, range and counters, and the records they are in.

use std::net::Ipv4Addr;

use gateway_common::PortRange;
use gateway_common::abi::{AddressRecord, BlockRecord};
use gateway_common::address_tree::Owner;

use crate::desired::BindingSpec;

/// A binding as the dataplane has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingState {
    /// Addresses and ports.
    pub spec: BindingSpec,
    /// Name of the inside interface.
    pub inside: String,
    /// Packets from the phone, translated.
    pub out_packets: u64,
    /// Bytes of IP packets from the phone.
    pub out_bytes: u64,
    /// Packets to the phone, translated.
    pub in_packets: u64,
    /// Bytes of IP packets to the phone.
    pub in_bytes: u64,
}

/// Why a binding cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindingError {
    /// The private address is in no inside network.
    #[error("is in no inside network: add its network to an [[inside]] section")]
    NotInside,
    /// The private address is bound already.
    #[error("is bound already, to {public} ports {ports}: delete that binding first")]
    Bound {
        /// Public address it has.
        public: Ipv4Addr,
        /// Ports it has.
        ports: PortRange,
    },
    /// The public address is not in the pool.
    #[error("public address {public} is not in the pool: add it to a [[pool]] section")]
    NotInPool {
        /// The address.
        public: Ipv4Addr,
    },
    /// The range is smaller than the blocks of the maps.
    #[error(
        "range {ports} has {} ports, the smallest here has {smallest}: \
         write smallest_range = {} in [limits]",
        ports.ports(), ports.ports()
    )]
    RangeTooSmall {
        /// The range asked for.
        ports: PortRange,
        /// [`crate::Limits::smallest_range`].
        smallest: u16,
    },
    /// The range overlaps another binding's.
    #[error("ports {ports} of {public} overlap those of {other}: choose a free range")]
    Overlap {
        /// Public address.
        public: Ipv4Addr,
        /// The range asked for.
        ports: PortRange,
        /// Private address of the binding that has it.
        other: Ipv4Addr,
    },
}

/// The two records of a binding whose phone is behind the interface with this slot. The
/// first still lacks its own index.
pub(crate) fn records(spec: &BindingSpec, inside: u16) -> (AddressRecord, BlockRecord) {
    let (first_port, last_port) = (spec.ports.first(), spec.ports.last());
    let address = AddressRecord {
        entry: Owner::Binding(0).entry(),
        inside,
        public: spec.public.into(),
        first_port,
        last_port,
        ..AddressRecord::default()
    };
    let block = BlockRecord {
        private: spec.private.into(),
        inside,
        public: spec.public.into(),
        first_port,
        last_port,
        ..BlockRecord::default()
    };
    (address, block)
}

/// What the record of a private address says; `None`: it is no phone's.
pub(crate) fn spec(private: u32, record: &AddressRecord) -> Option<BindingSpec> {
    let Owner::Binding(_) = Owner::from_entry(record.entry) else {
        return None;
    };
    Some(BindingSpec {
        private: private.into(),
        public: record.public.into(),
        ports: PortRange::new(record.first_port, record.last_port).ok()?,
    })
}
