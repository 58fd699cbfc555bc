//! The BPF loader: from what the controller wants to what the kernel does.
//!
//! [`Desired`] (interfaces, pool, bindings) is the truth; the pinned maps are a
//! function of it. [`Dataplane::open`] adopts the maps that a former daemon left or
//! makes new ones, [`Dataplane::reconcile`] writes the difference, and
//! [`Dataplane::attach`] puts this binary's programs where the old ones were,
//! without a packet lost. Start, reload and crash recovery are the same way.
//!
//! | file | what it does |
//! |---|---|
//! | `desired.rs` | the wish, valid by construction |
//! | `open.rs`, `pins.rs` | generations of pinned maps: adopt, rebuild, retire |
//! | `attach.rs`, `interfaces.rs` | XDP and tc links; what programs know of devices |
//! | `reconcile.rs`, `bindings.rs`, `tree.rs`, `blocks.rs` | desired against actual |
//! | `mapped.rs`, `records.rs` | maps as shared memory |
//! | `run_packet.rs` | one packet through the programs, without sending it |
//! | `counters.rs`, `memory.rs` | what the kernel counted, what the maps take |
//! | `packet_socket.rs` | frames of the controller's own: DHCP to clients without address, ARP |
//! | `events.rs`, `fragments.rs` | ring buffers: traced drops, early fragments, log lines |

mod attach;
mod bindings;
mod blocks;
mod counters;
mod desired;
mod error;
mod events;
mod fragments;
mod interfaces;
mod link;
mod mapped;
mod memory;
mod open;
mod packet_socket;
mod pins;
mod reconcile;
mod records;
mod run_packet;
mod tree;

pub use attach::{Attachment, XdpMode, XdpPreference};
pub use bindings::{BindingError, BindingState};
pub use counters::{HookCounters, InterfaceCounters};
pub use desired::{BindingSpec, Desired, InterfaceSpec, Limits, PoolSpec, Role, UnboundHosts};
pub use error::Error;
pub use events::{Events, HeldFragment};
pub use fragments::Release;
pub use memory::MapMemory;
pub use open::{Dataplane, Opened};
pub use packet_socket::{Hears, packet_socket};
pub use reconcile::Changes;
pub use run_packet::{RanPacket, RunAt};

/// The BPF object that this binary carries.
pub const GATEWAY_OBJECT: &[u8] =
    aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/gateway-ebpf"));
/// Programs of the tests' and benches' own (generator, counting drop, peers).
pub const LAB_OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/gateway-lab"));
