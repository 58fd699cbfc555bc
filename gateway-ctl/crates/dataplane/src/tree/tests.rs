//! Trees in plain memory: what is planned is what is found, and nothing flickers on
//! the way there.

use std::sync::RwLock;
use std::sync::atomic::AtomicBool;

use gateway_common::address_tree::look_up;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Prefixes and whose they are, shorter ones first.
type Plan = Vec<(Prefix, Owner)>;

const CAPACITY: usize = 192;

fn planned(plan: &Plan) -> PlannedTree {
    let mut tree = PlannedTree::new();
    for (prefix, owner) in plan {
        tree.set(*prefix, *owner);
    }
    tree
}

/// The same without a tree: the last, thus longest, prefix that has the address.
fn wanted(plan: &Plan, address: u32) -> Owner {
    plan.iter()
        .rev()
        .find(|(prefix, _)| prefix.contains(address.into()))
        .map_or(Owner::Nobody, |(_, owner)| *owner)
}

fn memory(nodes: usize) -> Vec<AtomicU32> {
    (0..nodes * NODE_ENTRIES)
        .map(|_| AtomicU32::new(0))
        .collect()
}

fn found(words: &[AtomicU32], address: u32) -> Owner {
    look_up(address, |node, byte| {
        entry(words, node as usize, usize::from(byte)).load(Ordering::Acquire)
    })
    .owner()
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
    let owner = prop_oneof![
        Just(Owner::Nobody),
        Just(Owner::Inside),
        (1u32..9).prop_map(Owner::Binding),
        (0u32..9).prop_map(Owner::Pool),
    ];
    let length = prop_oneof![2 => 1u8..=32, 3 => Just(32), 2 => select(vec![8u8, 16, 24])];
    let line = (any_address(), length, owner).prop_map(|(address, length, owner)| {
        let address = address & u32::MAX << (32 - u32::from(length));
        (prefix(address.to_be_bytes(), length), owner)
    });
    proptest::collection::vec(line, 0..12).prop_map(|mut plan| {
        plan.sort_by_key(|(prefix, _)| prefix.length());
        plan
    })
}

/// `words` say what `plan` says, and `nodes` knows which it takes.
fn assert_is(words: &[AtomicU32], nodes: &TreeNodes, plan: &Plan, also: &[u32]) {
    for address in edges(&[plan]).iter().chain(also) {
        let at = std::net::Ipv4Addr::from(*address);
        assert_eq!(found(words, *address), wanted(plan, *address), "{at}");
    }
    let read = TreeNodes::read(words).expect("a sound tree");
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
        let words = memory(CAPACITY);
        let mut nodes = TreeNodes::read(&words).expect("an empty tree");
        for plan in &plans {
            let tree = planned(plan);
            nodes.sync(&words, &tree).expect("room enough");
            assert_is(&words, &nodes, plan, &also);
            prop_assert_eq!(nodes.used(), tree.nodes(), "exactly what is planned");
            prop_assert_eq!(nodes.sync(&words, &tree).expect("room enough"), 0);
            // Then bindings come one by one, and the next sync takes them away.
            let mut plan = plan.clone();
            for (address, index) in &bindings {
                let owner = Owner::Binding(*index);
                nodes.set_address(&words, *address, owner).expect("room enough");
                plan.push((prefix(address.to_be_bytes(), 32), owner));
            }
            assert_is(&words, &nodes, &plan, &also);
        }
    }

    /// Stopped at each allocation in turn: every address has its old owner or its
    /// new one, and a later sync finishes the work.
    #[test]
    fn a_sync_that_stops_halfway_has_harmed_nobody(old in any_plan(), new in any_plan()) {
        let (before, after) = (planned(&old), planned(&new));
        let addresses = edges(&[&old, &new]);
        for allowed in 0..after.nodes() {
            let words = memory(CAPACITY);
            let mut nodes = TreeNodes::read(&words).expect("an empty tree");
            nodes.sync(&words, &before).expect("room enough");
            nodes.free.drain(..nodes.free.len() - allowed);
            let stopped = nodes.sync(&words, &after).is_err();
            for address in &addresses {
                let (was, will) = (wanted(&old, *address), wanted(&new, *address));
                let is = found(&words, *address);
                prop_assert!(is == will || stopped && is == was, "{address:#x}: {is:?}");
            }
            let mut nodes = TreeNodes::read(&words).expect("a sound tree");
            nodes.sync(&words, &after).expect("room enough");
            assert_is(&words, &nodes, &new, &addresses);
        }
    }
}

/// Trees that share most owners but little structure.
fn two_sites() -> [Plan; 2] {
    let inside = (prefix([10, 0, 0, 0], 8), Owner::Inside);
    let phone = |last: u8| (prefix([10, 10, 0, last], 32), Owner::Binding(last.into()));
    let pool = |last: u8| (prefix([192, 0, 2, last], 32), Owner::Pool(last.into()));
    let old = vec![inside, phone(1), phone(2), pool(1)];
    let new = vec![
        (prefix([10, 0, 0, 0], 9), Owner::Inside),
        (prefix([10, 128, 0, 0], 9), Owner::Inside),
        (prefix([10, 10, 0, 0], 24), Owner::Inside),
        (prefix([10, 77, 0, 0], 17), Owner::Inside),
        (prefix([10, 200, 3, 4], 32), Owner::Inside),
        phone(1),
        phone(3),
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
    let words = memory(CAPACITY);
    let mut nodes = TreeNodes::read(&words).expect("an empty tree");
    nodes.sync(&words, &trees[1]).expect("room enough");
    let addresses: Vec<(u32, [Owner; 2])> = edges(&[&old, &new])
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
                    let owner = found(&words, *address);
                    assert!(owners.contains(&owner), "{address:#x}: {owner:?}");
                }
                passes.fetch_add(1, Ordering::Relaxed);
            }
        });
        let _writing = Done(&done);
        let mut round = 0;
        while !reader.is_finished() && (round < 400 || passes.load(Ordering::Relaxed) < 400) {
            no_packet_is_on_its_way(&reading, &words, &nodes);
            nodes.sync(&words, &trees[round % 2]).expect("room enough");
            no_packet_is_on_its_way(&reading, &words, &nodes);
            // One by one too: new nodes for an owner that was there before.
            for (address, owners) in &addresses {
                nodes
                    .set_address(&words, *address, owners[(round + 1) % 2])
                    .expect("room enough");
            }
            round += 1;
        }
    });
}

/// Waits as for a grace period, and makes sure that whoever reads a node before it is
/// written to is found out.
fn no_packet_is_on_its_way(reading: &RwLock<()>, words: &[AtomicU32], nodes: &TreeNodes) {
    drop(reading.write());
    for node in &nodes.free {
        for word in node_words(words, *node as usize) {
            word.store(Owner::Pool(77).entry(), Ordering::Relaxed);
        }
    }
}

#[test]
fn one_address_at_a_time() {
    let words = memory(8);
    let mut nodes = TreeNodes::read(&words).expect("an empty tree");
    let plan = vec![(prefix([10, 0, 0, 0], 8), Owner::Inside)];
    nodes.sync(&words, &planned(&plan)).expect("room enough");
    let phone = u32::from_be_bytes([10, 10, 0, 21]);
    nodes
        .set_address(&words, phone, Owner::Binding(7))
        .expect("room enough");
    assert_eq!(nodes.used(), 4);
    assert_eq!(found(&words, phone), Owner::Binding(7));
    for neighbour in [phone - 1, phone + 1, phone + 256, phone - 65536] {
        assert_eq!(found(&words, neighbour), Owner::Inside);
    }
    nodes
        .set_address(&words, phone, Owner::Inside)
        .expect("room enough");
    assert_eq!(found(&words, phone), Owner::Inside);
    assert_eq!(nodes.used(), 4, "nodes stay until the next sync");
    assert_eq!(nodes.sync(&words, &planned(&plan)).expect("room"), 1);
    assert_eq!(nodes.used(), 1);
}

#[test]
fn without_room_nothing_changes_hands() {
    let words = memory(3);
    let mut nodes = TreeNodes::read(&words).expect("an empty tree");
    let inside = vec![(prefix([10, 0, 0, 0], 8), Owner::Inside)];
    nodes.sync(&words, &planned(&inside)).expect("room enough");
    let phone = u32::from_be_bytes([10, 10, 0, 21]);
    // Two nodes are there, three are needed.
    let full = nodes.set_address(&words, phone, Owner::Binding(7));
    assert!(
        matches!(full, Err(Error::Limit { limit: 3, .. })),
        "{full:?}"
    );
    assert_eq!(found(&words, phone), Owner::Inside);
    assert_eq!(found(&words, phone + 1), Owner::Inside);

    let phone = |address, index| (prefix(address, 32), Owner::Binding(index));
    let large = vec![phone([10, 10, 0, 21], 7), phone([10, 11, 0, 21], 8)];
    let full = nodes.sync(&words, &planned(&large));
    assert!(
        matches!(
            full,
            Err(Error::Limit {
                wanted: 6,
                limit: 3,
                ..
            })
        ),
        "{full:?}"
    );
    assert_eq!(
        found(&words, u32::from_be_bytes([10, 10, 0, 22])),
        Owner::Inside
    );
}

#[test]
fn what_ends_makes_room_for_what_begins() {
    let words = memory(4);
    let mut nodes = TreeNodes::read(&words).expect("an empty tree");
    let phone = |address| vec![(prefix(address, 32), Owner::Binding(7))];
    // Each takes all four nodes; the later bytes must go before the earlier come.
    for address in [[192, 168, 0, 21], [10, 10, 0, 21], [192, 168, 0, 21]] {
        nodes
            .sync(&words, &planned(&phone(address)))
            .expect("room for either");
        assert_eq!(
            found(&words, u32::from_be_bytes(address)),
            Owner::Binding(7)
        );
    }
}

#[test]
fn nodes_that_were_not_enough_are_given_back() {
    let words = memory(6);
    let mut nodes = TreeNodes::read(&words).expect("an empty tree");
    // The API's bindings leave nodes that a plan with the same number then shares out.
    let phone = |address| (prefix(address, 32), Owner::Binding(7));
    nodes
        .sync(&words, &planned(&vec![phone([10, 10, 0, 21])]))
        .expect("room enough");
    nodes
        .set_address(&words, u32::from_be_bytes([10, 10, 1, 21]), Owner::Inside)
        .expect("room for a fifth node");
    let far = nodes.set_address(&words, u32::from_be_bytes([10, 12, 0, 21]), Owner::Inside);
    assert!(matches!(far, Err(Error::Limit { .. })), "{far:?}");
    let used = TreeNodes::read(&words).expect("a whole tree").used();
    assert_eq!(nodes.used(), used);
}

#[test]
fn a_tree_that_contradicts_itself_is_found_out() {
    let broken: [&[(usize, u32)]; 5] = [
        // To the root, to itself, twice to one, beyond the map, five levels deep.
        &[(0, child(0))],
        &[(0, child(1)), (NODE_ENTRIES, child(1))],
        &[(0, child(1)), (1, child(1))],
        &[(0, child(8))],
        &[
            (0, child(1)),
            (NODE_ENTRIES, child(2)),
            (2 * NODE_ENTRIES, child(3)),
            (3 * NODE_ENTRIES, child(4)),
        ],
    ];
    for entries in broken {
        let words = memory(8);
        for (at, value) in entries {
            words[*at].store(*value, Ordering::Relaxed);
        }
        assert_eq!(TreeNodes::read(&words).err(), Some(Corrupt), "{entries:?}");
    }
}
