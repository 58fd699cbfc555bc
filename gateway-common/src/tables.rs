//! What the engine looks up, wherever it runs: BPF maps in the kernel, memory in
//! tests and in the controller.

use crate::abi::{AddressRecord, BlockRecord, Direction, EchoKey, FragmentKey, Interface};
use crate::address_tree::{self, Entry, Owner};
use crate::port_range::FIRST_PORT;

/// A binding as one packet sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phone {
    /// Index of the record it was read from: its own in a leaf (as a sender) or that
    /// of a block of its ports (as a receiver).
    pub index: u32,
    /// Private address.
    pub private: u32,
    /// Public address.
    pub public: u32,
    /// First port of the range.
    pub first_port: u16,
    /// Last port, inclusive.
    pub last_port: u16,
    /// Slot of the inside interface where it is.
    pub inside: u16,
}

impl Phone {
    /// The phone whose record at `index` this is, as a sender from `private`; `None` when
    /// it has ended since its entry was read.
    #[inline(always)]
    #[must_use]
    pub fn sending(record: AddressRecord, index: u32, private: u32) -> Option<Self> {
        (record.entry == Owner::Binding(index).entry()).then_some(Self {
            index,
            private,
            public: record.public,
            first_port: record.first_port,
            last_port: record.last_port,
            inside: record.inside,
        })
    }

    /// The phone whose block at `index` this is, as a receiver at `public`.
    #[inline(always)]
    #[must_use]
    pub fn receiving(record: BlockRecord, index: u32, public: u32) -> Option<Self> {
        (record.private != 0 && record.public == public).then_some(Self {
            index,
            private: record.private,
            public,
            first_port: record.first_port,
            last_port: record.last_port,
            inside: record.inside,
        })
    }

    /// Whether `port` lies in the range.
    #[inline(always)]
    #[must_use]
    pub const fn owns(&self, port: u16) -> bool {
        self.first_port <= port && port <= self.last_port
    }
}

/// A question to the kernel's FIB, with the addresses the packet will leave with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteQuery {
    /// Source address.
    pub source: u32,
    /// Destination address.
    pub destination: u32,
    /// The IP interface it came in on.
    pub ifindex: u32,
    /// Size of the largest IP packet to go out, bytes.
    pub length: u16,
    /// DSCP and ECN.
    pub tos: u8,
    /// IP protocol.
    pub protocol: u8,
}

/// The way to the next hop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    /// The IP interface it leaves by.
    pub ifindex: u32,
    /// Address to resolve: the gateway's, or the destination's.
    pub next_hop: u32,
    /// Whether the Ethernet addresses below are known.
    pub resolved: bool,
    /// Next hop's Ethernet address and our own, as they stand in the frame: six
    /// 16-bit words.
    pub ethernet: [u16; 6],
}

/// Who gets the later fragments of a datagram: the phone in a block, if it is still
/// the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentReceiver {
    /// Index of the block; 0: the router.
    pub block: u32,
    /// Private address of the phone.
    pub private: u32,
}

/// The FIB's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Along the hop that was filled in.
    Via,
    /// To the router itself (or a broadcast address).
    Local,
    /// The next hop takes only packets of this many bytes.
    TooBig(u16),
    /// No way there, or one that is closed.
    None,
    /// Forwarding is off on the incoming interface.
    ForwardingDisabled,
}

/// Look-ups of the engine. Indices that lead nowhere answer `None` or 0.
pub trait Tables {
    /// Entry of a node of the address tree's upper levels.
    fn node_entry(&self, node: u32, byte: u8) -> u32;
    /// Entry in an address' record, in a leaf.
    fn leaf_entry(&self, record: u32) -> u32;
    /// The phone whose record that is; `private` is the address.
    fn sender(&self, record: u32, private: u32) -> Option<Phone>;
    /// Index of the block that a port of a pool address lies in.
    fn block(&self, pool: u32, port: u16) -> u32;
    /// The phone whose block that is, if it is one of this public address.
    fn receiver(&self, block: u32, public: u32) -> Option<Phone>;
    /// Who gets later fragments of a datagram.
    fn fragment_owner(&self, key: FragmentKey) -> Option<FragmentReceiver>;
    /// Remembers that.
    fn remember_fragment(&self, key: FragmentKey, receiver: FragmentReceiver);
    /// The echo identifier the host chose for this outside one.
    fn echo_id(&self, key: EchoKey) -> Option<u16>;
    /// Remembers that.
    fn remember_echo_id(&self, key: EchoKey, id: u16);
    /// Asks the FIB; fills in `hop` for [`Route::Via`].
    fn route(&self, query: &RouteQuery, hop: &mut Hop) -> Route;
    /// What is known of an interface that a route leads out of.
    fn egress(&self, ifindex: u32) -> Option<&Interface>;
    /// Counts a translated packet in a phone's record ([`Phone::index`]).
    fn count(&self, record: u32, direction: Direction, bytes: u16);

    /// Whose an address is.
    #[inline(always)]
    fn owner(&self, address: u32) -> Entry {
        address_tree::look_up(
            address,
            |node, byte| self.node_entry(node, byte),
            |record| self.leaf_entry(record),
        )
    }

    /// The phone with this private address, whose entry `owner` is.
    #[inline(always)]
    fn phone_of(&self, owner: Entry, private: u32) -> Option<Phone> {
        match owner.phone() {
            0 => None,
            record => self.sender(record, private),
        }
    }

    /// The phone that owns this port of this pool address.
    #[inline(always)]
    fn phone_at(&self, pool: Entry, public: u32, port: u16) -> Option<Phone> {
        // Scans for well-known services cost no look-up.
        if port < FIRST_PORT {
            return None;
        }
        self.receiver(self.block(pool.pool(), port), public)
            .filter(|phone| phone.owns(port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_believed_where_it_says_so_itself() {
        let record = AddressRecord {
            entry: Owner::Binding(0x121).entry(),
            inside: 3,
            public: 5,
            first_port: 40000,
            last_port: 40063,
            ..AddressRecord::default()
        };
        let phone = Phone {
            index: 0x121,
            private: 7,
            public: 5,
            first_port: 40000,
            last_port: 40063,
            inside: 3,
        };
        assert_eq!(Phone::sending(record, 0x121, 7), Some(phone));
        assert_eq!(Phone::sending(record, 0x122, 7), None);
        let ended = AddressRecord {
            entry: Owner::Inside.entry(),
            ..record
        };
        assert_eq!(Phone::sending(ended, 0x121, 7), None);

        let block = BlockRecord {
            private: 7,
            inside: 3,
            first_port: 40000,
            last_port: 40063,
            public: 5,
            ..BlockRecord::default()
        };
        assert_eq!(Phone::receiving(block, 0x121, 5), Some(phone));
        assert_eq!(Phone::receiving(block, 0x121, 6), None, "another address");
        let nobodys = BlockRecord {
            private: 0,
            ..block
        };
        assert_eq!(Phone::receiving(nobodys, 0x121, 5), None);
    }
}
