//! Trees in plain memory: what is planned is what is found, and nothing flickers on
//! the way there.

use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64};

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::records::WORDS;
use gateway_common::Prefix;

/// Whose an address is, and which phone's: its public address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Phone(u32),
    Other(Owner),
}

impl Whose {
    fn record(self) -> AddressRecord {
        match self {
            Self::Phone(public) => AddressRecord {
                public,
                first_port: public as u16,
                last_port: !(public as u16),
                ..plain(Owner::Binding(0).entry())
            },
            Self::Other(owner) => plain(owner.entry()),
        }
    }
}

const INSIDE: Whose = Whose::Other(Owner::Inside);

/// Prefixes and whose they are, shorter ones first; phones have whole addresses.
type Plan = Vec<(Prefix, Whose)>;

const CAPACITY: usize = 192;

fn planned(plan: &Plan) -> PlannedTree {
    let mut tree = PlannedTree::new();
    for (prefix, whose) in plan {
        match whose {
            Whose::Other(owner) => tree.set(*prefix, *owner),
            Whose::Phone(_) => tree.set_record(prefix.address().into(), whose.record()),
        }
    }
    tree
}

/// The same without a tree: the last, thus longest, prefix that has the address.
fn wanted(plan: &Plan, address: u32) -> Whose {
    plan.iter()
        .rev()
        .find(|(prefix, _)| prefix.contains(address.into()))
        .map_or(Whose::Other(Owner::Nobody), |(_, whose)| *whose)
}

/// Room for as many nodes and leaves.
struct Memory {
    nodes: Vec<AtomicU32>,
    leaves: Vec<AtomicU64>,
}

impl Memory {
    fn new(room: usize) -> Self {
        let nodes = (0..room * NODE_ENTRIES).map(|_| AtomicU32::new(0));
        let leaves = (0..room * NODE_ENTRIES * WORDS).map(|_| AtomicU64::new(0));
        Self {
            nodes: nodes.collect(),
            leaves: leaves.collect(),
        }
    }

    fn maps(&self) -> TreeMaps<'_> {
        TreeMaps {
            nodes: &self.nodes,
            leaves: Records(&self.leaves),
        }
    }

    fn found(&self, address: u32) -> Whose {
        let entry = self.maps().owner(address);
        if entry.phone() == 0 {
            return Whose::Other(entry.owner());
        }
        let record = self.maps().record(entry.phone()).expect("a record");
        match Owner::from_entry(record.entry) {
            Owner::Binding(_) => {
                let ports = (record.first_port, record.last_port);
                let public = record.public as u16;
                assert_eq!(ports, (public, !public), "another's ports");
                Whose::Phone(record.public)
            }
            // In between it has ended.
            owner => Whose::Other(owner),
        }
    }
}

fn prefix(address: [u8; 4], length: u8) -> Prefix {
    Prefix::new(address.into(), length).expect("a valid prefix")
}

/// Addresses where something may change: the ends of each prefix and their neighbours.
fn edges(plans: &[&Plan]) -> Vec<u32> {
    let prefixes = plans.iter().copied().flatten();
    prefixes
        .flat_map(|(prefix, _)| {
            let first = u32::from(prefix.address());
            let last = first | u32::MAX.checked_shr(prefix.length().into()).unwrap_or(0);
            [first, last, first.wrapping_sub(1), last.wrapping_add(1)]
        })
        .collect()
}

/// Few distinct bytes, so that prefixes nest and meet.
fn any_address() -> impl Strategy<Value = u32> {
    let byte = || select(vec![0u8, 1, 10, 11, 64, 128, 255]);
    [byte(), byte(), byte(), byte()].prop_map(u32::from_be_bytes)
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let whose = prop_oneof![
        Just(Whose::Other(Owner::Nobody)),
        Just(INSIDE),
        (1u32..9).prop_map(Whose::Phone),
        (0u32..9).prop_map(|index| Whose::Other(Owner::Pool(index))),
        (0u32..9).prop_map(|index| Whose::Other(Owner::SharedPool(index))),
    ];
    let length = prop_oneof![2 => 1u8..=32, 3 => Just(32), 2 => select(vec![8u8, 16, 24])];
    let line = (any_address(), length, whose).prop_map(|(address, length, whose)| {
        let length = match whose {
            Whose::Phone(_) => 32,
            Whose::Other(_) => length,
        };
        let address = address & u32::MAX << (32 - u32::from(length));
        (prefix(address.to_be_bytes(), length), whose)
    });
    proptest::collection::vec(line, 0..12).prop_map(|mut plan| {
        plan.sort_by_key(|(prefix, _)| prefix.length());
        plan
    })
}

/// The memory says what `plan` says, and `nodes` knows which it takes.
fn assert_is(memory: &Memory, nodes: &TreeNodes, plan: &Plan, also: &[u32]) {
    for address in edges(&[plan]).iter().chain(also) {
        let at = std::net::Ipv4Addr::from(*address);
        assert_eq!(memory.found(*address), wanted(plan, *address), "{at}");
    }
    let read = TreeNodes::read(memory.maps()).expect("a sound tree");
    assert_eq!(read.used(), nodes.used(), "no node is lost");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_tree_becomes_any_other(
        plans in proptest::collection::vec(any_plan(), 1..4),
        bindings in proptest::collection::vec((any_address(), 1u32..9), 0..4),
        also in proptest::collection::vec(any::<u32>(), 20),
    ) {
        let memory = Memory::new(CAPACITY);
        let mut nodes = TreeNodes::read(memory.maps()).expect("an empty tree");
        for plan in &plans {
            let tree = planned(plan);
            nodes.sync(memory.maps(), &tree).expect("room enough");
            assert_is(&memory, &nodes, plan, &also);
            prop_assert_eq!(nodes.used(), tree.nodes(), "exactly what is planned");
            prop_assert_eq!(nodes.sync(memory.maps(), &tree).expect("room enough"), 0);
            // Then bindings come one by one, and the next sync takes them away.
            let mut plan = plan.clone();
            for (address, public) in &bindings {
                let phone = Whose::Phone(*public);
                nodes.set_record(memory.maps(), *address, phone.record()).expect("room enough");
                plan.push((prefix(address.to_be_bytes(), 32), phone));
            }
            assert_is(&memory, &nodes, &plan, &also);
        }
    }

    /// Stopped at each allocation in turn: every address has its old owner or its
    /// new one, and a later sync finishes the work.
    #[test]
    fn a_sync_that_stops_halfway_has_harmed_nobody(old in any_plan(), new in any_plan()) {
        let (before, after) = (planned(&old), planned(&new));
        let addresses = edges(&[&old, &new]);
        for allowed in 0..after.nodes() {
            let memory = Memory::new(CAPACITY);
            let mut nodes = TreeNodes::read(memory.maps()).expect("an empty tree");
            nodes.sync(memory.maps(), &before).expect("room enough");
            for places in [&mut nodes.nodes, &mut nodes.leaves] {
                places.free.drain(..places.free.len() - allowed);
            }
            let stopped = nodes.sync(memory.maps(), &after).is_err();
            for address in &addresses {
                let (was, will) = (wanted(&old, *address), wanted(&new, *address));
                let is = memory.found(*address);
                prop_assert!(is == will || stopped && is == was, "{address:#x}: {is:?}");
            }
            let mut nodes = TreeNodes::read(memory.maps()).expect("a sound tree");
            nodes.sync(memory.maps(), &after).expect("room enough");
            assert_is(&memory, &nodes, &new, &addresses);
        }
    }
}

/// Trees that share most owners but little structure.
fn two_sites() -> [Plan; 2] {
    let inside = (prefix([10, 0, 0, 0], 8), INSIDE);
    let phone = |last: u8| (prefix([10, 10, 0, last], 32), Whose::Phone(last.into()));
    let pool = |last: u8| {
        let owner = Owner::Pool(last.into());
        (prefix([192, 0, 2, last], 32), Whose::Other(owner))
    };
    // Another public address and other ports, in place.
    let moving = |public| (prefix([10, 10, 0, 9], 32), Whose::Phone(public));
    let old = vec![inside, phone(1), phone(2), moving(9), pool(1)];
    let new = vec![
        (prefix([10, 0, 0, 0], 9), INSIDE),
        (prefix([10, 128, 0, 0], 9), INSIDE),
        (prefix([10, 10, 0, 0], 24), INSIDE),
        (prefix([10, 77, 0, 0], 17), INSIDE),
        (prefix([10, 200, 3, 4], 32), INSIDE),
        phone(1),
        phone(3),
        moving(0x1_2345),
        pool(1),
        pool(2),
    ];
    [old, new]
}

/// Tells the reader to stop, also when the writer panics.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A reader beside the writer, as packets are. It holds `reading` for a look-up as
/// packets hold RCU, and the writer waits for it between two syncs.
#[test]
fn readers_see_the_old_owner_or_the_new_one_and_nothing_else() {
    let [old, new] = two_sites();
    let trees = [planned(&new), planned(&old)];
    let memory = Memory::new(CAPACITY);
    let mut nodes = TreeNodes::read(memory.maps()).expect("an empty tree");
    nodes.sync(memory.maps(), &trees[1]).expect("room enough");
    let addresses: Vec<(u32, [Whose; 2])> = edges(&[&old, &new])
        .into_iter()
        .map(|address| (address, [wanted(&old, address), wanted(&new, address)]))
        .collect();
    let steady = addresses.iter().filter(|(_, [was, will])| was == will);
    assert!(steady.count() > 10, "most owners stay");

    let (reading, done) = (RwLock::new(()), AtomicBool::new(false));
    let passes = AtomicU32::new(0);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let _packet = reading.read();
                for (address, owners) in &addresses {
                    let owner = memory.found(*address);
                    assert!(owners.contains(&owner), "{address:#x}: {owner:?}");
                }
                passes.fetch_add(1, Ordering::Relaxed);
            }
        });
        let _writing = Done(&done);
        let mut round = 0;
        while !reader.is_finished() && (round < 400 || passes.load(Ordering::Relaxed) < 400) {
            no_packet_is_on_its_way(&reading, &memory, &nodes);
            nodes
                .sync(memory.maps(), &trees[round % 2])
                .expect("room enough");
            no_packet_is_on_its_way(&reading, &memory, &nodes);
            // One by one too: new nodes for an owner that was there before.
            for (address, owners) in &addresses {
                let record = owners[(round + 1) % 2].record();
                nodes
                    .set_record(memory.maps(), *address, record)
                    .expect("room enough");
            }
            round += 1;
        }
    });
}

/// Waits as for a grace period, and makes sure that whoever reads a node before it is
/// written to is found out.
fn no_packet_is_on_its_way(reading: &RwLock<()>, memory: &Memory, nodes: &TreeNodes) {
    drop(reading.write());
    let wrong = Owner::Pool(77).entry();
    for node in &nodes.nodes.free {
        for byte in 0..NODE_ENTRIES {
            entry(&memory.nodes, *node as usize, byte).store(wrong, Ordering::Relaxed);
        }
    }
    for leaf in &nodes.leaves.free {
        for byte in 0..=u8::MAX {
            let at = record(*leaf, byte);
            memory.maps().leaves.write(at, plain(wrong).words());
        }
    }
}

#[test]
fn one_address_at_a_time() {
    let memory = Memory::new(8);
    let mut nodes = TreeNodes::read(memory.maps()).expect("an empty tree");
    let plan = vec![(prefix([10, 0, 0, 0], 8), INSIDE)];
    nodes
        .sync(memory.maps(), &planned(&plan))
        .expect("room enough");
    let phone = u32::from_be_bytes([10, 10, 0, 21]);
    nodes
        .set_record(memory.maps(), phone, Whose::Phone(7).record())
        .expect("room enough");
    assert_eq!(nodes.used(), 3);
    assert_eq!(memory.found(phone), Whose::Phone(7));
    for neighbour in [phone - 1, phone + 1, phone + 256, phone - 65536] {
        assert_eq!(memory.found(neighbour), INSIDE);
    }
    nodes
        .set_record(memory.maps(), phone, INSIDE.record())
        .expect("room enough");
    assert_eq!(memory.found(phone), INSIDE);
    assert_eq!(nodes.used(), 3, "nodes stay until the next sync");
    assert_eq!(nodes.sync(memory.maps(), &planned(&plan)).expect("room"), 1);
    assert_eq!(nodes.used(), 1);
}

#[test]
fn without_room_nothing_changes_hands() {
    let memory = Memory::new(2);
    let mut nodes = TreeNodes::read(memory.maps()).expect("an empty tree");
    let inside = vec![(prefix([10, 0, 0, 0], 8), INSIDE)];
    nodes
        .sync(memory.maps(), &planned(&inside))
        .expect("room enough");
    let phone = u32::from_be_bytes([10, 10, 0, 21]);
    // Two nodes are there, three are needed.
    let full = nodes.set_record(memory.maps(), phone, Whose::Phone(7).record());
    assert!(
        matches!(full, Err(Error::Limit { limit: 2, .. })),
        "{full:?}"
    );
    assert_eq!(memory.found(phone), INSIDE);
    assert_eq!(memory.found(phone + 1), INSIDE);

    let phone = |address, public| (prefix(address, 32), Whose::Phone(public));
    let large = vec![phone([10, 10, 0, 21], 7), phone([10, 11, 0, 21], 8)];
    let full = nodes.sync(memory.maps(), &planned(&large));
    assert!(
        matches!(
            full,
            Err(Error::Limit {
                wanted: 4,
                limit: 2,
                ..
            })
        ),
        "{full:?}"
    );
    assert_eq!(memory.found(u32::from_be_bytes([10, 10, 0, 22])), INSIDE);
}

#[test]
fn what_ends_makes_room_for_what_begins() {
    let memory = Memory::new(3);
    let mut nodes = TreeNodes::read(memory.maps()).expect("an empty tree");
    let phone = |address| vec![(prefix(address, 32), Whose::Phone(7))];
    // Each takes all three nodes; the later bytes must go before the earlier come.
    for address in [[192, 168, 0, 21], [10, 10, 0, 21], [192, 168, 0, 21]] {
        nodes
            .sync(memory.maps(), &planned(&phone(address)))
            .expect("room for either");
        assert_eq!(memory.found(u32::from_be_bytes(address)), Whose::Phone(7));
    }
}

#[test]
fn nodes_that_were_not_enough_stay_in_the_books() {
    let memory = Memory::new(4);
    let mut nodes = TreeNodes::read(memory.maps()).expect("an empty tree");
    let mut set = |address: [u8; 4]| {
        let phone = Whose::Phone(7).record();
        nodes.set_record(memory.maps(), u32::from_be_bytes(address), phone)
    };
    for third in 0..3 {
        set([10, 10, third, 21]).expect("room for three leaves");
    }
    // There is a node for it, and no leaf.
    let far = set([10, 12, 0, 21]);
    assert!(matches!(far, Err(Error::Limit { .. })), "{far:?}");
    assert_eq!(nodes.nodes.used(), 4);
    let read = TreeNodes::read(memory.maps()).expect("a whole tree");
    assert_eq!(nodes.nodes.used(), read.nodes.used());
    assert_eq!(nodes.leaves.used(), read.leaves.used());
}

#[test]
fn a_tree_that_contradicts_itself_is_found_out() {
    const SECOND: usize = NODE_ENTRIES;
    const THIRD: usize = 2 * NODE_ENTRIES;
    let broken: [&[(usize, u32)]; 8] = [
        // To the root, to itself, twice to one, beyond the map.
        &[(0, child(0))],
        &[(0, child(1)), (SECOND, child(1))],
        &[(0, child(1)), (1, child(1))],
        &[(0, child(8))],
        // To the leaf that is none, twice to one, beyond the map, five levels deep.
        &[(0, child(1)), (SECOND, child(2)), (THIRD, child(0))],
        &[
            (0, child(1)),
            (SECOND, child(2)),
            (THIRD, child(1)),
            (THIRD + 1, child(1)),
        ],
        &[(0, child(1)), (SECOND, child(2)), (THIRD, child(8))],
        &[(0, child(1)), (SECOND, child(2)), (THIRD, child(7))],
    ];
    for entries in broken {
        let memory = Memory::new(8);
        memory
            .maps()
            .leaves
            .write(record(7, 9), plain(child(1)).words());
        for (at, value) in entries {
            memory.nodes[*at].store(*value, Ordering::Relaxed);
        }
        let read = TreeNodes::read(memory.maps());
        assert_eq!(read.err(), Some(Corrupt), "{entries:?}");
    }
}
