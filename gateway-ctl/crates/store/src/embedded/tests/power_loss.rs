//! Whatever the disk does, and whenever: what was acknowledged is there, whole, and nothing is
//! there by half.
//!
//! Every sync and every write of a life is made to fail once; `STORE_SEEDS` sets with how many
//! different outcomes of what was pending, 4 unless it is set.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::mpsc;

use super::disk::{Disk, Fault, Leaves, Random};
use super::*;

/// Batches of one life of the store.
const BATCHES: u64 = 40;
/// Batches whose keys are there at a time; older ones are deleted.
const LIVING: u64 = 12;

type Content = BTreeMap<Vec<u8>, (Vec<u8>, Revision)>;

fn keys(number: u64) -> [Vec<u8>; 2] {
    // Both ends of the tree, so that they are on different pages.
    ["a", "z"].map(|end| format!("{end}/{number:04}").into_bytes())
}

fn value(number: u64) -> Vec<u8> {
    number.to_string().repeat(100).into_bytes()
}

/// The batch that makes revision `number` of the one before.
fn batch(number: u64) -> Batch {
    let last = (number > 1).then(|| Revision(number - 1));
    let mut batch = Batch::new()
        .if_unchanged("last", last.unwrap_or_default())
        .put("last", value(number));
    for key in keys(number) {
        batch = batch.if_absent(key.clone()).put(key, value(number));
    }
    if number > LIVING {
        for key in keys(number - LIVING) {
            batch = batch.delete(key);
        }
    }
    batch
}

/// All that is there after so many batches.
fn content(after: Revision) -> Content {
    let mut content = Content::new();
    for number in after.0.saturating_sub(LIVING) + 1..=after.0 {
        for key in keys(number) {
            content.insert(key, (value(number), Revision(number)));
        }
        content.insert(b"last".to_vec(), (value(number), Revision(number)));
    }
    content
}

/// The content, and its revision.
fn found(store: &Embedded) -> (Content, Revision) {
    let mut content = Content::new();
    let revision = store
        .for_each(b"", |key, value, revision| {
            content.insert(key.to_vec(), (value.to_vec(), revision));
        })
        .expect("it was opened");
    (content, revision)
}

/// A disk with an empty store.
fn formatted() -> Disk {
    let disk = Disk::new(0, Leaves::Nothing);
    let database = file::builder()
        .create_with_backend(disk.clone())
        .expect("a new database");
    tables::initialize(&database).expect("an empty store");
    database.close().expect("a good disk");
    disk
}

fn open(disk: &Disk) -> Result<Embedded, Failure> {
    let failure = |cause: Cause| cause.of(&"disk".into());
    let database = file::builder()
        .create_with_backend(disk.clone())
        .map_err(|error| failure(error.into()))?;
    Embedded::start("disk", database, 0)
}

/// Hands over batches in bursts; returns the last revision that was acknowledged.
fn live(store: &Embedded, random: &mut Random, from: Revision) -> Revision {
    let mut acknowledged = from;
    let mut number = from.0;
    while number < from.0 + BATCHES {
        let (sender, answers) = mpsc::channel();
        for _ in 0..=random.below(4) {
            number += 1;
            let sender = sender.clone();
            store.submit(
                batch(number),
                Box::new(move |answer| {
                    // Nobody listens after a failure.
                    let _ = sender.send(answer);
                }),
            );
            // Refused, and without a trace.
            let refused = Batch::new().if_absent("last").put("half", "");
            store.submit(refused, Box::new(|answer| assert!(answer.is_err())));
        }
        drop(sender);
        for answer in answers {
            match answer {
                Ok(revision) => {
                    assert_eq!(revision, acknowledged.next(), "answers come in order");
                    acknowledged = revision;
                }
                Err(CommitError::Failed(_)) => return acknowledged,
                Err(other) => panic!("batch {number}: {other}"),
            }
        }
    }
    acknowledged
}

/// Three lives on one disk: the first ends by this fault, the second by another, which may come
/// while the store is still being opened, the third in peace.
fn lives(formatted: &Disk, fault: Fault, leaves: Leaves, seed: u64) {
    let mut random = Random::new(seed);
    let disk = formatted.copy(seed, leaves);
    let mut acknowledged = Revision::ZERO;
    let second = Fault::Operation(random.below(60));
    for fault in [fault, second, Fault::Never, Fault::Never] {
        let case = format!("{fault:?}, {leaves:?}, seed {seed}");
        disk.fail(fault);
        match open(&disk) {
            Ok(store) => {
                let (content_found, revision) = found(&store);
                assert!(
                    revision >= acknowledged,
                    "{case}: revision {revision}, expected at least {acknowledged}"
                );
                assert_eq!(content_found, content(revision), "{case}");
                acknowledged = live(&store, &mut random, revision);
                drop(store);
            }
            Err(failure) => assert!(disk.has_failed(), "{case}: {failure}"),
        }
        // A good disk may lose power all the same; else only the daemon starts again.
        if random.below(3) > 0 {
            disk.lose_power();
        }
    }
    assert!(
        acknowledged.0 >= 2 * BATCHES,
        "the last two lives are whole"
    );
}

/// Syncs and operations of a life without a fault.
fn extent(formatted: &Disk) -> (u64, u64) {
    let disk = formatted.copy(1, Leaves::Nothing);
    disk.fail(Fault::Never);
    let store = open(&disk).expect("a good disk");
    live(&store, &mut Random::new(1), Revision::ZERO);
    drop(store);
    disk.counts()
}

fn seeds() -> std::ops::Range<u64> {
    0..std::env::var("STORE_SEEDS").map_or(4, |seeds| seeds.parse().expect("a number"))
}

#[test]
fn no_sync_that_fails_costs_an_acknowledged_batch() {
    let formatted = formatted();
    let (syncs, _) = extent(&formatted);
    assert!(syncs > 20, "got {syncs} syncs");
    for sync in 0..syncs {
        lives(&formatted, Fault::Sync(sync), Leaves::Nothing, sync);
        lives(&formatted, Fault::Sync(sync), Leaves::All, sync);
        for seed in seeds() {
            lives(
                &formatted,
                Fault::Sync(sync),
                Leaves::Some,
                sync ^ seed << 32,
            );
        }
    }
}

#[test]
fn no_moment_of_a_power_loss_costs_an_acknowledged_batch() {
    let formatted = formatted();
    let (_, operations) = extent(&formatted);
    assert!(operations > 100, "got {operations} operations");
    for operation in 0..operations {
        // Operations are many, so that one of four is enough.
        for seed in seeds().step_by(4) {
            let fault = Fault::Operation(operation);
            lives(&formatted, fault, Leaves::Some, operation ^ seed << 32);
        }
    }
}

#[test]
fn the_first_error_of_the_disk_is_the_last() {
    for (kind, says) in [
        (ErrorKind::Other, "stop the daemon, check the disk"),
        (ErrorKind::StorageFull, "make room on its disk"),
    ] {
        let disk = formatted();
        let store = open(&disk).expect("a good disk");
        assert_eq!(commit(&store, batch(1)), Ok(Revision(1)));
        let mut watch = store.watch(b"", Revision(1)).expect("nothing is forgotten");
        disk.says(kind);
        disk.fail(Fault::Sync(0));
        let first = commit(&store, batch(2)).expect_err("the disk refuses");
        assert!(first.to_string().contains(says), "{first}");
        // The disk works again; the store must not.
        disk.fail(Fault::Never);
        assert_eq!(commit(&store, batch(2)), Err(first.clone()));
        let CommitError::Failed(failure) = first else {
            panic!("got {first}, expected a failure");
        };
        let ended = Err(WatchError::Failed(failure));
        assert_eq!(wait(watch.next()), ended);
        assert_eq!(store.watch(b"", Revision(1)).map(|_| ()), ended.map(|_| ()));
    }
}
