//! What the kernel side and the controller share: map names, keys and values.
//!
//! Everything here lies in pinned maps that outlive a program and a daemon. A
//! change of any layout, index or meaning changes [`ABI_VERSION`]; a daemon that
//! finds another version builds new maps beside the old ones and switches over.
//! Integers and addresses are in host byte order unless said otherwise.

use core::mem::offset_of;

use bytemuck::{Pod, Zeroable};

/// Version of every layout in this file.
pub const ABI_VERSION: u32 = 2;

/// Names of maps, as in the object and under the pin directory.
pub mod map {
    /// `Array<Settings>`, one entry.
    pub const SETTINGS: &str = "SETTINGS";
    /// `Array<InterfaceTable>`, two entries: `Settings` says which is in force.
    pub const INTERFACES: &str = "INTERFACES";
    /// `DevMapHash`, ifindex to itself: ports that take redirected frames.
    pub const PORTS: &str = "PORTS";
    /// `Array<Node>`: the upper three levels of the address tree, node 0 is the root.
    pub const NODES: &str = "NODES";
    /// `Array<Leaf>`: its lowest level, with the phones; leaf 0 stays empty.
    pub const LEAVES: &str = "LEAVES";
    /// `Array<BlockRecord>`: the pool's ports, see [`super::block_index`].
    pub const BLOCKS: &str = "BLOCKS";
    /// `LruHashMap<FragmentKey, FragmentOwner>`.
    pub const FRAGMENTS: &str = "FRAGMENTS";
    /// `LruHashMap<EchoKey, u32>`: an outside echo id to the one the host chose.
    pub const ECHO_IDS: &str = "ECHO_IDS";
    /// `PerCpuArray<Counters>`, see [`super::counters_index`].
    pub const COUNTERS: &str = "COUNTERS";
    /// `PerCpuArray<AnswerBudget>`, one entry.
    pub const ANSWERS: &str = "ANSWERS";
    /// `RingBuf` of [`super::TraceEvent`].
    pub const TRACE: &str = "TRACE";
    /// `RingBuf` of [`super::EarlyFragment`].
    pub const EARLY_FRAGMENTS: &str = "EARLY_FRAGMENTS";

    /// Those that are pinned: the state that a new program takes over.
    pub const PINNED: &[&str] = &[
        SETTINGS,
        INTERFACES,
        PORTS,
        NODES,
        LEAVES,
        BLOCKS,
        FRAGMENTS,
        ECHO_IDS,
        COUNTERS,
        ANSWERS,
        TRACE,
        EARLY_FRAGMENTS,
    ];
}

/// Names of programs in the object.
pub mod program {
    /// XDP on Ethernet devices.
    pub const XDP: &str = "gateway_xdp";
    /// tc at ingress: devices without Ethernet header, and what XDP hands over.
    pub const TC_INGRESS: &str = "gateway_tc_ingress";
    /// tc at egress of outside devices: fail closed, translate what the kernel routed.
    pub const TC_EGRESS: &str = "gateway_tc_egress";
}

/// Interfaces (device and VLAN) at most; slot 0 counts what came in elsewhere.
pub const MAX_INTERFACES: u32 = 64;
/// Frames kept by the tracer are cut to this many bytes.
pub const TRACE_BYTES: usize = 128;
/// Early fragments larger than this (bytes of IP packet) are not held.
pub const HELD_BYTES: usize = 2048;
/// A first fragment speaks for later ones this long, in nanoseconds. Fragments of
/// one datagram follow each other within a round trip; identifiers come back later.
pub const FRAGMENT_LIFETIME_NS: u64 = 5_000_000_000;
/// `skb->mark` of packets that the tc stage leaves to the kernel to fragment; the
/// router's firewall may match on it (docs/router.md).
pub const STACK_MARK: u32 = 0x6777_0001;

/// Values a running program reads on each packet.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Settings {
    /// [`ABI_VERSION`] of the daemon that made the maps.
    pub abi_version: u32,
    /// Trace events per second and CPU; 0: nobody is looking.
    pub trace_rate: u32,
    /// ICMP errors per second and CPU that the dataplane sends (RFC 1812 4.3.2.8).
    pub icmp_error_rate: u32,
    /// The lowest bit says which [`InterfaceTable`] is in force.
    pub interface_table: u32,
    /// Ports in a block of [`map::BLOCKS`] are 2 to this power.
    pub block_shift: u32,
    /// Reserved, 0.
    pub reserved: u32,
}

/// Where a packet came in: device and VLAN tags (0: none; priority tags are 0 too).
/// Where it leaves: the IP interface, without tags.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
pub struct InterfaceKey {
    /// Index of the device the frame is received on, never 0.
    pub ifindex: u32,
    /// VLAN identifier of the outer tag.
    pub outer_vid: u16,
    /// VLAN identifier of the inner tag.
    pub inner_vid: u16,
}

/// A VLAN tag as it is written.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct VlanTag {
    /// 0x8100 or 0x88a8.
    pub tpid: u16,
    /// VLAN identifier, 1 to 4094.
    pub vid: u16,
}

/// What the program must know of an interface, both as the way in and out.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Interface {
    /// The IP interface (`eth1.10`): input of the FIB look-up, result of it.
    pub ifindex: u32,
    /// The device that frames leave by (`eth1`).
    pub port_ifindex: u32,
    /// The router's own address there: source of ICMP errors. 0: none.
    pub address: u32,
    /// Largest IP packet that goes out here, in bytes.
    pub mtu: u32,
    /// Index of its counters, 1 to [`MAX_INTERFACES`] - 1; also its identity in bindings.
    pub slot: u16,
    /// [`interface_flags`].
    pub flags: u16,
    /// How many of `tags` count.
    pub tag_count: u32,
    /// Outer tag first.
    pub tags: [VlanTag; 2],
    /// Its own Ethernet address, as three 16-bit words: frames for others are not
    /// forwarded.
    pub mac: [u16; 3],
    /// Reserved, 0.
    pub reserved: u16,
}

/// Bits of [`Interface::flags`].
pub mod interface_flags {
    /// Phones are here; without it the interface is outside.
    pub const INSIDE: u16 = 1;
    /// Inside hosts without a binding are left to the kernel.
    pub const UNBOUND_TO_KERNEL: u16 = 2;
    /// The device takes frames redirected by XDP.
    pub const XDP_TRANSMIT: u16 = 4;
    /// The device has no Ethernet header: packets start with the IP header.
    pub const NO_ETHERNET: u16 = 8;
}

impl Interface {
    /// Whether phones are here.
    #[inline(always)]
    #[must_use]
    pub const fn is_inside(&self) -> bool {
        self.flags & interface_flags::INSIDE != 0
    }

    /// Whether one of [`interface_flags`] is set.
    #[inline(always)]
    #[must_use]
    pub const fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}

/// Places in a table of interfaces: a power of two.
pub const INTERFACE_PLACES: usize = 1024;

/// All interfaces by [`InterfaceKey`], see [`crate::interface_table`]. The one in force
/// is never written: a change fills the other one, and then [`Settings`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct InterfaceTable {
    /// Gives every key a place of its own; odd.
    pub multiplier: u64,
    /// Reserved, 0.
    pub reserved: [u64; 7],
    /// By [`crate::interface_table::place`].
    pub entries: [InterfaceEntry; INTERFACE_PLACES],
}

/// A place in an [`InterfaceTable`]: a cache line.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct InterfaceEntry {
    /// [`InterfaceKey::packed`]; 0: nobody's place.
    pub key: u64,
    /// Whose key it is.
    pub interface: Interface,
    /// Reserved, 0.
    pub reserved: [u64; 2],
}

/// An address and, if it is a phone's, all that its outbound packets need: half a
/// cache line, counters included. Where it stands in the tree says which address.
///
/// The first 64 bits (what it is, where) and the second (public address and ports) are
/// each read and written whole, so that a packet never sees one binding's address with
/// another's ports.
#[repr(C, align(32))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct AddressRecord {
    /// What the address is: [`crate::address_tree::Owner::entry`].
    pub entry: u32,
    /// [`Interface::slot`] of the inside interface where the phone is.
    pub inside: u16,
    /// Reserved for policy, 0.
    pub reserved: u16,
    /// Public address.
    pub public: u32,
    /// First port of the range.
    pub first_port: u16,
    /// Last port, inclusive.
    pub last_port: u16,
    /// Packets from the phone, translated.
    pub packets: u64,
    /// Bytes of IP packets from the phone.
    pub bytes: u64,
}

/// A block of ports of a public address and all that inbound packets to it need.
///
/// Where it stands says which block. A range of several blocks has as many records;
/// what its phone received is their sum.
#[repr(C, align(32))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct BlockRecord {
    /// Private address of the phone whose it is; 0: nobody's.
    pub private: u32,
    /// [`Interface::slot`] of the inside interface where the phone is.
    pub inside: u16,
    /// Reserved for policy, 0.
    pub reserved: u16,
    /// First port of the phone's whole range.
    pub first_port: u16,
    /// Last port, inclusive.
    pub last_port: u16,
    /// Public address: for a moment a pool address that is new has the number, and so
    /// the blocks, of one that is gone.
    pub public: u32,
    /// Packets to the phone, translated.
    pub packets: u64,
    /// Bytes of IP packets to the phone.
    pub bytes: u64,
}

impl AddressRecord {
    /// The 64-bit words that packets read.
    #[inline(always)]
    #[must_use]
    pub fn words(self) -> [u64; 2] {
        let [who, range, _, _] = bytemuck::cast(self);
        [who, range]
    }

    /// The record of these words, without its counters.
    #[inline(always)]
    #[must_use]
    pub fn from_words([who, range]: [u64; 2]) -> Self {
        bytemuck::cast([who, range, 0, 0])
    }
}

impl BlockRecord {
    /// The 64-bit words that packets read.
    #[inline(always)]
    #[must_use]
    pub fn words(self) -> [u64; 2] {
        let [who, range, _, _] = bytemuck::cast(self);
        [who, range]
    }

    /// The record of these words, without its counters.
    #[inline(always)]
    #[must_use]
    pub fn from_words([who, range]: [u64; 2]) -> Self {
        bytemuck::cast([who, range, 0, 0])
    }
}

/// Index in [`map::BLOCKS`] of the block that `port` of the pool address with this
/// index lies in. 0 is never a phone's: port 0 is none.
#[inline(always)]
#[must_use]
pub const fn block_index(pool: u32, port: u16, block_shift: u32) -> u32 {
    (pool << 16 | port as u32) >> (block_shift & 15)
}

/// How many blocks a pool address has.
#[must_use]
pub const fn blocks_per_address(block_shift: u32) -> u32 {
    0x1_0000 >> (block_shift & 15)
}

/// Which way a packet goes, seen from the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the phone.
    Out,
    /// To the phone.
    In,
}

/// Fan-out of the address tree: one byte of the address for each level.
pub const NODE_ENTRIES: usize = 256;
/// A node of the upper three levels, see [`crate::address_tree`].
pub type Node = [u32; NODE_ENTRIES];
/// A node of the lowest level: the addresses of a /24.
pub type Leaf = [AddressRecord; NODE_ENTRIES];

/// A datagram's fragments.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
pub struct FragmentKey {
    /// Source address as it came.
    pub source: u32,
    /// Destination address as it came.
    pub destination: u32,
    /// Identification field.
    pub id: u16,
    /// IP protocol.
    pub protocol: u16,
}

/// Who gets a datagram's later fragments.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct FragmentOwner {
    /// When the first fragment came, `CLOCK_MONOTONIC` in nanoseconds.
    pub seen_ns: u64,
    /// Index of the block it was addressed to; 0: the router's.
    pub block: u32,
    /// Private address of the phone whose the block was.
    pub private: u32,
}

/// An ICMP query identifier as the outside sees it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Pod, Zeroable)]
pub struct EchoKey {
    /// Public address of the phone.
    pub public: u32,
    /// Identifier outside, within the phone's range.
    pub id: u32,
}

/// Index in [`Counters`] of the packets that came.
pub const RECEIVED: usize = 0;
/// ICMP errors sent by the dataplane (not a verdict: the packet was dropped).
pub const ICMP_ERRORS_SENT: usize = 62;
/// ICMP errors not sent because of the rate limit.
pub const ICMP_ERRORS_LIMITED: usize = 63;
/// Counters of one interface and hook: [`RECEIVED`], then by `Reason::index`.
pub type Counters = [u64; 64];

/// Where in the kernel a packet was counted.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// XDP, native or generic.
    Xdp = 0,
    /// tc at ingress.
    TcIngress = 1,
    /// tc at egress.
    TcEgress = 2,
}

impl Hook {
    /// Every hook.
    pub const ALL: [Self; 3] = [Self::Xdp, Self::TcIngress, Self::TcEgress];

    /// The word used in metrics and tables.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Xdp => "xdp",
            Self::TcIngress => "tc_ingress",
            Self::TcEgress => "tc_egress",
        }
    }
}

/// Index into the map of [`Counters`].
#[inline(always)]
#[must_use]
pub const fn counters_index(hook: Hook, slot: u16) -> u32 {
    hook as u32 * MAX_INTERFACES + slot as u32
}

/// A CPU's allowance of ICMP errors and trace events, refilled each second.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct AnswerBudget {
    /// Start of the running second, `CLOCK_MONOTONIC` in nanoseconds.
    pub answers_since_ns: u64,
    /// ICMP errors sent in it.
    pub answers: u64,
    /// Start of the running second of the tracer.
    pub traces_since_ns: u64,
    /// Events traced in it.
    pub traces: u64,
    /// When a diagnostic line was last logged.
    pub logged_ns: u64,
}

/// A dropped packet, seen by `gateway-ctl trace`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct TraceEvent {
    /// `CLOCK_MONOTONIC` in nanoseconds.
    pub time_ns: u64,
    /// Device it came in on.
    pub ifindex: u32,
    /// Length of the whole frame in bytes.
    pub frame_length: u32,
    /// How many bytes of `bytes` count.
    pub captured: u16,
    /// Offset of the IP header in the frame, 0xffff when it has none.
    pub ip_offset: u16,
    /// `Reason::index`.
    pub reason: u8,
    /// [`Hook`] as a number.
    pub hook: u8,
    /// Reserved, 0.
    pub reserved: [u8; 2],
    /// The beginning of the frame, as it came.
    pub bytes: [u8; TRACE_BYTES],
}

/// A fragment that came before the one with the ports.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct EarlyFragment {
    /// `CLOCK_MONOTONIC` in nanoseconds.
    pub time_ns: u64,
    /// Its datagram.
    pub key: FragmentKey,
    /// Length of the IP packet in bytes, at most [`HELD_BYTES`].
    pub length: u32,
    /// [`Interface::slot`] where it came in.
    pub slot: u32,
    /// Reserved, 0.
    pub reserved: u32,
    /// The IP packet.
    pub packet: [u8; HELD_BYTES],
}

const _: () = {
    assert!(size_of::<AddressRecord>() == 32);
    assert!(size_of::<BlockRecord>() == 32);
    // What packets read as one word stays in one word.
    assert!(offset_of!(AddressRecord, inside) < 8 && offset_of!(BlockRecord, inside) < 8);
    assert!(offset_of!(AddressRecord, public) == 8 && offset_of!(AddressRecord, packets) == 16);
    assert!(offset_of!(BlockRecord, first_port) == 8 && offset_of!(BlockRecord, packets) == 16);
    assert!(size_of::<Interface>() == 40);
    assert!(size_of::<InterfaceEntry>() == 64);
    assert!(size_of::<InterfaceTable>() == 64 * (1 + INTERFACE_PLACES));
    assert!(size_of::<FragmentKey>() == 12);
    assert!(size_of::<TraceEvent>() == 24 + TRACE_BYTES);
    assert!(size_of::<EarlyFragment>() == 32 + HELD_BYTES);
};

#[cfg(test)]
mod tests;
