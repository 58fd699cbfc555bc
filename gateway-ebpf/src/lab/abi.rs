//! What the bench tells the lab's programs and what they count: included by both.
//!
//! Phones are numbered; the number says everything about one:
//!
//! ```text
//! private address  first_private + n
//! public address   first_public + n / phones_per_address
//! ports            first_port + (n % phones_per_address) * ports_per_phone, so many
//! ```

/// From a phone's own port to a remote host.
pub(crate) const OUTBOUND: u32 = 0;
/// From a remote host to a phone's public port.
pub(crate) const INBOUND: u32 = 1;
/// From a phone's own port to another phone's public port.
pub(crate) const HAIRPIN: u32 = 2;
/// From a remote host to a public port that is nobody's.
pub(crate) const NO_BINDING: u32 = 3;
/// From a phone's address and a port that is not its own.
pub(crate) const FOREIGN_PORT: u32 = 4;

/// The packets to be made. Addresses and ports in host byte order.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    /// One of the kinds above.
    pub(crate) kind: u32,
    /// How many phones; at least 1.
    pub(crate) phones: u32,
    /// How many of them share a public address; at least 1.
    pub(crate) phones_per_address: u32,
    /// Ports of each, a power of two.
    pub(crate) ports_per_phone: u32,
    /// Ports in a block of the gateway's maps are 2 to this power.
    pub(crate) block_shift: u32,
    /// The first phone's private address.
    pub(crate) first_private: u32,
    /// The first phone's public address.
    pub(crate) first_public: u32,
    /// The first port of the first phone of each public address.
    pub(crate) first_port: u32,
    /// The first of 256 remote hosts.
    pub(crate) first_remote: u32,
    /// How many flows `lab_generate` makes: phone `n % phones`, port `n / phones`. 0: it
    /// is to stop.
    pub(crate) flows: u32,
    /// From one flow to the next; coprime to `flows`, so that every flow has its turn.
    pub(crate) stride: u32,
    /// The device that `lab_generate` sends by.
    pub(crate) ifindex: u32,
    /// The program that `lab_craft` and `lab_turn` call: index into `LAB_TARGETS`.
    pub(crate) target: u32,
    /// Length of the IP packet in bytes.
    pub(crate) ip_length: u32,
    /// Destination and source Ethernet address, 16 bits each, as they stand in a frame.
    pub(crate) ethernet: [u16; 6],
}

/// Bytes that `lab_generate` takes off a live frame's start.
pub(crate) const LEAD: usize = 16;

/// Index in `LAB_COUNTS` of packets made.
pub(crate) const MADE: u32 = 0;
/// Index in `LAB_COUNTS` of packets that arrived with a phone's private source.
pub(crate) const ARRIVED_PRIVATE: u32 = 1;
/// Index in `LAB_COUNTS` of packets that arrived with a phone's public source.
pub(crate) const ARRIVED_PUBLIC: u32 = 2;
/// Index in `LAB_COUNTS` of look-ups that did not find what they should.
pub(crate) const MISSED: u32 = 3;
/// How many counts there are.
pub(crate) const COUNTS: u32 = 4;
