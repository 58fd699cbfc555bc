//! Look-ups by hand-made nodes, and entries there and back.

use std::vec::Vec;

use proptest::prelude::*;

use super::*;

#[test]
fn the_tree_of_the_modules_head() {
    // Root, 10, 10.10, 192, 192.0, and two leaves; 192.168/16 ends two levels down.
    let mut nodes: Vec<[u32; 256]> = vec![[0; 256]; 6];
    let mut leaves: Vec<[u32; 256]> = vec![[0; 256]; 3];
    nodes[0][10] = child(1);
    nodes[1][10] = child(2);
    nodes[2][0] = child(1);
    nodes[2][1] = Owner::Inside.entry();
    leaves[1].fill(Owner::Inside.entry());
    leaves[1][21] = Owner::Binding(record(1, 21)).entry();
    nodes[0][192] = child(4);
    nodes[4][168] = Owner::Inside.entry();
    nodes[4][0] = child(5);
    nodes[5][2] = child(2);
    leaves[2][1] = Owner::Pool(3).entry();
    leaves[2][2] = Owner::SharedPool(4).entry();
    nodes[0][198] = Owner::Inside.entry();
    let rows = [
        (
            [10, 10, 0, 21],
            Owner::Binding(record(1, 21)),
            record(1, 21),
        ),
        ([10, 10, 0, 20], Owner::Inside, 0),
        ([10, 10, 1, 21], Owner::Inside, 0),
        ([10, 10, 2, 21], Owner::Nobody, 0),
        ([10, 11, 0, 21], Owner::Nobody, 0),
        ([192, 168, 255, 255], Owner::Inside, 0),
        ([192, 0, 2, 1], Owner::Pool(3), 0),
        ([192, 0, 2, 2], Owner::SharedPool(4), 0),
        ([192, 169, 0, 0], Owner::Nobody, 0),
        ([198, 0, 0, 0], Owner::Inside, 0),
        ([198, 255, 255, 255], Owner::Inside, 0),
        ([0, 0, 0, 0], Owner::Nobody, 0),
        ([255, 255, 255, 255], Owner::Nobody, 0),
    ];
    for (address, owner, phone) in rows {
        let found = look_up(
            u32::from_be_bytes(address),
            |node, byte| nodes[node as usize][usize::from(byte)],
            |record| leaves[record as usize >> 8][record as usize & 0xff],
        );
        assert_eq!(
            (found.owner(), found.phone()),
            (owner, phone),
            "{address:?}"
        );
    }
}

#[test]
fn a_tree_that_goes_on_forever_ends_after_four_bytes() {
    let found = look_up(
        0x0102_0304,
        |node, byte| child(node + u32::from(byte)),
        child,
    );
    assert_eq!(found, Entry(child(record(1 + 2 + 3, 4))));
    assert!(found.is_nobodys() && found.owner() == Owner::Nobody);
    assert_eq!(found.phone(), 0);
}

#[test]
fn the_largest_leaf_has_records_of_its_own() {
    let last = |record| Owner::Binding(record).entry();
    let found = look_up(0xffff_ffff, |_, _| child(MAX_LEAF), last);
    assert_eq!(found.phone(), MAX_INDEX);
}

proptest! {
    #[test]
    fn an_entry_is_what_it_was_made_of(index in 0..=MAX_INDEX) {
        for owner in [
            Owner::Nobody,
            Owner::Inside,
            Owner::Binding(index),
            Owner::Pool(index),
            Owner::SharedPool(index),
        ] {
            prop_assert_eq!(Owner::from_entry(owner.entry()), owner);
            prop_assert_eq!(child_of(owner.entry()), None);
        }
        prop_assert_eq!(child_of(child(index)), Some(index));
        prop_assert_eq!(Owner::from_entry(child(index)), Owner::Nobody);
    }

    /// [`Entry`] answers the same questions as [`Owner`], for any word there may be.
    #[test]
    fn an_entry_says_what_its_owner_says(word: u32) {
        let entry = Entry(word);
        let (mut inside, mut pool, mut shared, mut phone) = (false, None, false, 0);
        match entry.owner() {
            Owner::Nobody => {}
            Owner::Inside => inside = true,
            Owner::Binding(record) => (inside, phone) = (true, record),
            Owner::Pool(index) => pool = Some(index),
            Owner::SharedPool(index) => (pool, shared) = (Some(index), true),
        }
        prop_assert_eq!(entry.is_inside(), inside);
        prop_assert_eq!(entry.is_pool(), pool.is_some());
        prop_assert_eq!(entry.is_shared(), shared);
        prop_assert_eq!(entry.phone(), phone);
        prop_assert_eq!(entry.is_nobodys(), !inside && pool.is_none());
        if let Some(index) = pool {
            prop_assert_eq!(entry.pool(), index);
        }
    }
}
