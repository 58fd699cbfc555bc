//! [`Tables`] in memory.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::vec::Vec;

use crate::abi::{Direction, EchoKey, FragmentKey, Interface, NODE_ENTRIES, Node};
use crate::address_tree::{Owner, child, child_of};
use crate::port_range::PortRange;
use crate::tables::{FragmentReceiver, Hop, Phone, Route, RouteQuery, Tables};

/// What the BPF maps and the kernel's FIB are to the programs.
#[derive(Debug)]
pub struct FakeTables {
    /// All levels of the tree; leaves have records here only for their entries.
    nodes: Vec<Node>,
    phones: Vec<Phone>,
    pool: Vec<u32>,
    /// Pool index and range of each binding.
    ranges: Vec<(u32, PortRange, u32)>,
    interfaces: Vec<Interface>,
    /// Who gets later fragments.
    pub fragments: RefCell<HashMap<FragmentKey, FragmentReceiver>>,
    /// Outside echo identifiers and what they stand for.
    pub echo_ids: RefCell<HashMap<EchoKey, u16>>,
    /// The FIB's answer and hop; `None`: to where the destination is, resolved.
    pub answer: Cell<Option<(Route, Hop)>>,
    /// The last question to the FIB.
    pub asked: Cell<Option<RouteQuery>>,
}

impl FakeTables {
    /// Nothing but interfaces.
    #[must_use]
    pub fn new(interfaces: Vec<Interface>) -> Self {
        Self {
            nodes: vec![[0; NODE_ENTRIES]],
            phones: Vec::new(),
            pool: Vec::new(),
            ranges: Vec::new(),
            interfaces,
            fragments: RefCell::default(),
            echo_ids: RefCell::default(),
            answer: Cell::new(None),
            asked: Cell::new(None),
        }
    }

    /// Makes `address`/`length` (1 to 32 bits) an inside network.
    pub fn add_network(&mut self, address: u32, length: u32) {
        self.set(address, length, Owner::Inside);
    }

    /// Adds a public address; its index is how many there were before.
    pub fn add_pool(&mut self, address: u32, shared: bool) {
        let index = self.pool.len() as u32;
        self.pool.push(address);
        let owner = match shared {
            true => Owner::SharedPool(index),
            false => Owner::Pool(index),
        };
        self.set(address, 32, owner);
    }

    /// Adds a binding. Its public address must be in the pool.
    pub fn add_phone(&mut self, phone: Phone) {
        let pool = self
            .pool
            .iter()
            .position(|address| *address == phone.public)
            .expect("the phone's public address is in the pool");
        let range = PortRange::new(phone.first_port, phone.last_port).expect("a valid range");
        self.ranges.push((pool as u32, range, phone.index));
        self.phones.push(phone);
        self.set(phone.private, 32, Owner::Binding(phone.index));
    }

    /// The phone with this index.
    #[must_use]
    pub fn phone(&self, index: u32) -> Option<Phone> {
        self.phones
            .iter()
            .find(|phone| phone.index == index)
            .copied()
    }

    /// Gives the ports of one phone to another, as a change of bindings does.
    pub fn give_away(&mut self, index: u32, to: Phone) {
        self.change_record(index, |phone| {
            (phone.private, phone.inside) = (to.private, to.inside);
        });
    }

    /// Lets a phone's records say something else than where they stand.
    pub fn change_record(&mut self, index: u32, change: impl Fn(&mut Phone)) {
        let of = |phone: &&mut Phone| phone.index == index;
        self.phones.iter_mut().filter(of).for_each(change);
    }

    /// The interface in this slot.
    #[must_use]
    pub fn interface(&self, slot: u16) -> Option<&Interface> {
        self.interfaces
            .iter()
            .find(|interface| interface.slot == slot)
    }

    fn set(&mut self, address: u32, length: u32, owner: Owner) {
        let bytes = address.to_be_bytes();
        let last = (length as usize - 1) / 8;
        let mut node = 0;
        for byte in &bytes[..last] {
            let entry = self.nodes[node][usize::from(*byte)];
            node = match child_of(entry) {
                Some(next) => next as usize,
                None => {
                    self.nodes.push([entry; NODE_ENTRIES]);
                    let next = self.nodes.len() - 1;
                    self.nodes[node][usize::from(*byte)] = child(next as u32);
                    next
                }
            };
        }
        let first = usize::from(bytes[last]);
        let span = 1 << (8 * (last + 1) - length as usize);
        self.nodes[node][first..first + span].fill(owner.entry());
    }

    /// Where a packet to `destination` goes when nothing else was said: out of the
    /// interface of the network it is in, or of the first outside interface.
    fn straight_on(&self, destination: u32) -> Hop {
        let slot = self
            .phones
            .iter()
            .find(|phone| phone.private == destination)
            .map(|phone| phone.inside);
        let egress = self.interfaces.iter().find(|interface| match slot {
            Some(slot) => interface.slot == slot,
            None => !interface.is_inside(),
        });
        Hop {
            ifindex: egress.map_or(0, |egress| egress.ifindex),
            next_hop: destination,
            resolved: true,
            ethernet: [0x0200, 0, 1, 0x0200, 0, 2],
        }
    }
}

impl Tables for FakeTables {
    fn node_entry(&self, node: u32, byte: u8) -> u32 {
        self.nodes
            .get(node as usize)
            .map_or(0, |node| node[usize::from(byte)])
    }

    fn leaf_entry(&self, record: u32) -> u32 {
        self.node_entry(record >> 8, record as u8)
    }

    fn sender(&self, record: u32, private: u32) -> Option<Phone> {
        self.phone(record).map(|phone| Phone { private, ..phone })
    }

    fn block(&self, pool: u32, port: u16) -> u32 {
        self.ranges
            .iter()
            .find(|(at, range, _)| *at == pool && range.contains(port))
            .map_or(0, |(_, _, index)| *index)
    }

    fn receiver(&self, block: u32, public: u32) -> Option<Phone> {
        self.phone(block).filter(|phone| phone.public == public)
    }

    fn fragment_owner(&self, key: FragmentKey) -> Option<FragmentReceiver> {
        self.fragments.borrow().get(&key).copied()
    }

    fn remember_fragment(&self, key: FragmentKey, receiver: FragmentReceiver) {
        self.fragments.borrow_mut().insert(key, receiver);
    }

    fn echo_id(&self, key: EchoKey) -> Option<u16> {
        self.echo_ids.borrow().get(&key).copied()
    }

    fn remember_echo_id(&self, key: EchoKey, id: u16) {
        self.echo_ids.borrow_mut().insert(key, id);
    }

    fn route(&self, query: &RouteQuery, hop: &mut Hop) -> Route {
        self.asked.set(Some(*query));
        let (route, way) = self
            .answer
            .get()
            .unwrap_or_else(|| (Route::Via, self.straight_on(query.destination)));
        if route == Route::Via {
            *hop = way;
        }
        route
    }

    fn egress(&self, ifindex: u32) -> Option<&Interface> {
        self.interfaces
            .iter()
            .find(|interface| interface.ifindex == ifindex)
    }

    /// The engine leaves counting to the shells.
    fn count(&self, _record: u32, _direction: Direction, _bytes: u16) {}
}
