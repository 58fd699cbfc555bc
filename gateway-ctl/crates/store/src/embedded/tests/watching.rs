//! Watchers see each change once, and hear when they missed some.

use super::*;
use crate::Write;

fn put(key: &str, value: &str) -> Write {
    Write {
        key: key.into(),
        value: Some(value.into()),
    }
}

fn next(watch: &mut Watch) -> Option<(u64, Vec<Write>)> {
    let change = now(watch.next())?.expect("nothing is forgotten");
    Some((change.revision.0, change.writes.clone()))
}

#[test]
fn a_watcher_sees_what_is_its_own_and_all_of_a_batch_at_once() {
    let store = in_memory(100);
    let mut leases = store.watch(b"lease/", Revision::ZERO).expect("new");
    let mut all = store.watch(b"", Revision::ZERO).expect("new");
    assert_eq!(next(&mut leases), None);

    let both = Batch::new().put("lease/b", "1").put("lease/a", "1");
    commit(&store, both.put("range/1", "a")).expect("no condition");
    commit(&store, Batch::new().put("range/2", "b")).expect("no condition");
    let gone = Batch::new().delete("lease/a").delete("lease/none");
    commit(&store, gone).expect("no condition");

    assert_eq!(
        next(&mut leases),
        Some((1, vec![put("lease/a", "1"), put("lease/b", "1")]))
    );
    let deleted = Write {
        key: b"lease/a".to_vec(),
        value: None,
    };
    // The absent key was not written.
    assert_eq!(next(&mut leases), Some((3, vec![deleted])));
    assert_eq!(next(&mut leases), None);
    let seen: Vec<u64> = std::iter::from_fn(|| next(&mut all)).map(|c| c.0).collect();
    assert_eq!(seen, [1, 2, 3]);
}

#[test]
fn what_changes_nothing_is_no_revision() {
    let store = in_memory(100);
    assert_eq!(commit(&store, Batch::new()), Ok(Revision::ZERO));
    assert_eq!(commit(&store, Batch::new().put("k", "v")), Ok(Revision(1)));
    let absent = Batch::new().delete("none").if_value("k", "v");
    assert_eq!(commit(&store, absent), Ok(Revision(1)));
    let refused = Batch::new().put("other", "v").if_absent("k");
    let conflict = CommitError::Conflict { key: b"k".to_vec() };
    assert_eq!(commit(&store, refused), Err(conflict));
    // Written again is changed, be it to the same.
    assert_eq!(commit(&store, Batch::new().put("k", "v")), Ok(Revision(2)));
    assert_eq!(read(&store, Query::prefix("")).entries.len(), 1);
}

#[test]
fn a_watcher_resumes_where_it_stopped_and_no_revision_is_too_new() {
    let store = in_memory(100);
    for n in 1..=5 {
        commit(&store, Batch::new().put("k", n.to_string())).expect("no condition");
    }
    let mut watch = store
        .watch(b"k", Revision(3))
        .expect("nothing is forgotten");
    assert_eq!(next(&mut watch), Some((4, vec![put("k", "4")])));
    let mut again = store
        .watch(b"k", watch.seen())
        .expect("nothing is forgotten");
    assert_eq!(next(&mut again), Some((5, vec![put("k", "5")])));

    // Whoever reads a revision before watchers hear of it can still watch from there.
    let mut early = store.watch(b"k", Revision(6)).expect("waits for it");
    commit(&store, Batch::new().put("k", "6")).expect("no condition");
    assert_eq!(next(&mut early), None);
    commit(&store, Batch::new().put("k", "7")).expect("no condition");
    assert_eq!(next(&mut early), Some((7, vec![put("k", "7")])));
}

#[test]
fn a_watcher_moves_on_over_what_is_not_its_own() {
    let store = in_memory(10);
    let mut watch = store.watch(b"mine", Revision::ZERO).expect("new");
    for n in 1..=100_u64 {
        commit(&store, Batch::new().put("other", "")).expect("no condition");
        assert_eq!(next(&mut watch), None);
        assert_eq!(watch.seen(), Revision(n));
    }
}

#[test]
fn a_slow_watcher_is_told_to_read_again() {
    let store = in_memory(10);
    let mut watch = store.watch(b"", Revision::ZERO).expect("new");
    for _ in 0..10 {
        commit(&store, Batch::new().put("k", "")).expect("no condition");
    }
    assert_eq!(next(&mut watch).map(|change| change.0), Some(1));
    // Two writes push out the oldest two, of which one was seen.
    commit(&store, Batch::new().put("k", "").put("l", "")).expect("no condition");
    let oldest = Revision(2);
    let forgotten = Some(Err(WatchError::Compacted { oldest }));
    assert_eq!(now(watch.next()), forgotten);
    assert_eq!(now(watch.next()), forgotten, "it stays so");
    let early = store.watch(b"", Revision(1)).map(|_| ());
    assert_eq!(early, Err(WatchError::Compacted { oldest }));
    let mut watch = store.watch(b"", oldest).expect("what it names is kept");
    assert_eq!(next(&mut watch), Some((3, vec![put("k", "")])));
}

#[test]
fn a_change_wakes_who_waits_and_the_end_does_too() {
    let store = in_memory(10);
    let mut watch = store.watch(b"", Revision::ZERO).expect("new");
    let waiting = std::thread::spawn(move || {
        let first = wait(watch.next()).expect("a change");
        (first.revision, wait(watch.next()))
    });
    commit(&store, Batch::new().put("k", "")).expect("no condition");
    drop(store);
    let ended = Err(WatchError::Failed(Failure::Closed));
    assert_eq!(waiting.join().expect("no panic"), (Revision(1), ended));
}
