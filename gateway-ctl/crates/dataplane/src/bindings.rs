//! Binding records: a phone's addresses, range and counters.

use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;

use gateway_common::PortRange;
use gateway_common::abi::Binding;

use crate::desired::BindingSpec;
use crate::mapped::Mapped;

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

/// The record of a binding whose phone is behind the interface with this slot.
pub(crate) fn record(spec: &BindingSpec, inside: u16) -> Binding {
    Binding {
        private: spec.private.into(),
        public: spec.public.into(),
        first_port: spec.ports.first(),
        last_port: spec.ports.last(),
        inside,
        in_use: 1,
        ..Binding::default()
    }
}

/// Whether two records say the same, counters aside.
pub(crate) fn same(a: &Binding, b: &Binding) -> bool {
    a.private == b.private
        && a.public == b.public
        && a.first_port == b.first_port
        && a.last_port == b.last_port
        && a.inside == b.inside
        && a.in_use == b.in_use
}

/// The spec a record was made of; `None` for a free record.
pub(crate) fn spec(record: &Binding) -> Option<BindingSpec> {
    if record.in_use == 0 {
        return None;
    }
    Some(BindingSpec {
        private: record.private.into(),
        public: record.public.into(),
        ports: PortRange::new(record.first_port, record.last_port).ok()?,
    })
}

/// A record's state, with its counters as they are now.
pub(crate) fn state(
    records: &Mapped<Binding>,
    index: u32,
    inside: impl Fn(u16) -> String,
) -> Option<BindingState> {
    let record = records.get(index as usize);
    let counter = |offset| {
        records
            .counter(index as usize, offset)
            .load(Ordering::Relaxed)
    };
    Some(BindingState {
        spec: spec(&record)?,
        inside: inside(record.inside),
        out_packets: counter(std::mem::offset_of!(Binding, out_packets)),
        out_bytes: counter(std::mem::offset_of!(Binding, out_bytes)),
        in_packets: counter(std::mem::offset_of!(Binding, in_packets)),
        in_bytes: counter(std::mem::offset_of!(Binding, in_bytes)),
    })
}
