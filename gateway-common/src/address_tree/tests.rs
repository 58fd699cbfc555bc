//! Look-ups by hand-made nodes, and entries there and back.

use std::vec::Vec;

use proptest::prelude::*;

use super::*;

#[test]
fn the_tree_of_the_modules_head() {
    // Root, 10, 10.10, 10.10.0; 192.168/16 ends two levels down.
    let mut nodes: Vec<[u32; 256]> = vec![[0; 256]; 5];
    nodes[0][10] = child(1);
    nodes[1][10] = child(2);
    nodes[2][0] = child(3);
    nodes[2][1] = Owner::Inside.entry();
    nodes[3].fill(Owner::Inside.entry());
    nodes[3][21] = Owner::Binding(7).entry();
    nodes[0][192] = child(4);
    nodes[4][168] = Owner::Inside.entry();
    nodes[4][0] = Owner::Pool(3).entry();
    nodes[0][198] = Owner::Inside.entry();
    let rows = [
        ([10, 10, 0, 21], Owner::Binding(7)),
        ([10, 10, 0, 20], Owner::Inside),
        ([10, 10, 1, 21], Owner::Inside),
        ([10, 10, 2, 21], Owner::Nobody),
        ([10, 11, 0, 21], Owner::Nobody),
        ([192, 168, 255, 255], Owner::Inside),
        ([192, 0, 2, 1], Owner::Pool(3)),
        ([192, 169, 0, 0], Owner::Nobody),
        ([198, 0, 0, 0], Owner::Inside),
        ([198, 255, 255, 255], Owner::Inside),
        ([0, 0, 0, 0], Owner::Nobody),
        ([255, 255, 255, 255], Owner::Nobody),
    ];
    for (address, owner) in rows {
        let found = look_up(u32::from_be_bytes(address), |node, byte| {
            nodes[node as usize][usize::from(byte)]
        });
        assert_eq!(found.owner(), owner, "{address:?}");
    }
}

#[test]
fn a_tree_that_goes_on_forever_ends_after_four_bytes() {
    let found = look_up(0x0102_0304, |node, byte| child(node + u32::from(byte)));
    assert_eq!(found, Entry(child(1 + 2 + 3 + 4)));
    assert!(found.is_nobodys() && found.owner() == Owner::Nobody);
}

proptest! {
    #[test]
    fn an_entry_is_what_it_was_made_of(index in 0..=MAX_INDEX) {
        for owner in [
            Owner::Nobody,
            Owner::Inside,
            Owner::Binding(index),
            Owner::Pool(index),
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
        let (mut inside, mut pool, mut binding) = (false, false, 0);
        match entry.owner() {
            Owner::Nobody => {}
            Owner::Inside => inside = true,
            Owner::Binding(index) => (inside, binding) = (true, index),
            Owner::Pool(index) => {
                pool = true;
                prop_assert_eq!(entry.pool(), index);
            }
        }
        prop_assert_eq!(entry.is_inside(), inside);
        prop_assert_eq!(entry.is_pool(), pool);
        prop_assert_eq!(entry.binding(), binding);
        prop_assert_eq!(entry.is_nobodys(), !inside && !pool);
    }
}
