//! Every batch is answered once, in order, whatever happens.

use std::sync::mpsc;

use super::*;

/// Keeps the committer busy until the sender is dropped.
fn hold(store: &Embedded) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel::<()>();
    let (reached, holding) = mpsc::channel();
    let hold = move |_| {
        reached.send(()).expect("the test waits");
        let _ = held.recv();
    };
    store.submit(Batch::new(), Box::new(hold));
    holding.recv().expect("the committer answers");
    release
}

fn submit(store: &Embedded, batch: Batch) -> mpsc::Receiver<Result<Revision, CommitError>> {
    let (sender, answer) = mpsc::channel();
    store.submit(
        batch,
        Box::new(move |outcome| sender.send(outcome).expect("the test waits")),
    );
    answer
}

#[test]
fn no_more_wait_than_the_memory_has_room_for() {
    let store = in_memory(0);
    let release = hold(&store);
    let waiting: Vec<_> = (0..MAX_WAITING)
        .map(|_| submit(&store, Batch::new().put("k", "")))
        .collect();
    let busy = CommitError::Busy {
        waiting: MAX_WAITING,
    };
    assert_eq!(submit(&store, Batch::new()).recv(), Ok(Err(busy)));
    drop(release);
    for (n, answer) in waiting.iter().enumerate() {
        assert_eq!(answer.recv(), Ok(Ok(Revision(n as u64 + 1))));
    }

    let release = hold(&store);
    let large = || submit(&store, Batch::new().put("k", vec![0; (1 << 20) - 1]));
    let waiting: Vec<_> = (0..64).map(|_| large()).collect();
    let busy = CommitError::Busy { waiting: 64 };
    assert_eq!(large().recv(), Ok(Err(busy)));
    drop(release);
    assert!(waiting.iter().all(|answer| answer.recv().unwrap().is_ok()));
    assert!(large().recv().unwrap().is_ok(), "there is room again");
}

#[test]
fn what_was_handed_over_is_committed_before_the_store_closes() {
    let store = in_memory(0);
    let release = hold(&store);
    let answer = submit(&store, Batch::new().put("k", "v"));
    let closing = std::thread::spawn(move || drop(store));
    drop(release);
    assert_eq!(answer.recv(), Ok(Ok(Revision(1))));
    closing.join().expect("no panic");
}

#[test]
fn an_answer_may_hold_the_store_last() {
    let store = Arc::new(in_memory(0));
    let release = hold(&store);
    let (sender, answer) = mpsc::channel();
    let last = Arc::clone(&store);
    let hear = move |outcome| {
        drop(last);
        sender.send(outcome).expect("the test waits");
    };
    store.submit(Batch::new().put("k", "v"), Box::new(hear));
    drop(store);
    drop(release);
    assert_eq!(answer.recv(), Ok(Ok(Revision(1))));
}

#[test]
fn an_answer_that_panics_ends_the_store_and_nobody_waits_in_vain() {
    let store = in_memory(10);
    let mut watch = store.watch(b"", Revision::ZERO).expect("new");
    let release = hold(&store);
    store.submit(Batch::new(), Box::new(|_| panic!("an answer's own bug")));
    let behind = submit(&store, Batch::new().put("k", "v"));
    drop(release);
    assert_eq!(behind.recv(), Ok(Ok(Revision(1))), "it is on disk");
    assert!(wait(watch.next()).is_ok(), "and it is seen");
    let ended = wait(watch.next()).expect_err("no change").to_string();
    assert!(ended.contains("an answer's own bug"), "{ended}");
    let later = commit(&store, Batch::new()).expect_err("the store has ended");
    assert_eq!(later.to_string(), ended);
}

#[test]
fn what_no_engine_takes_is_refused_at_once() {
    let store = in_memory(0);
    let _hold = hold(&store);
    let refused = submit(&store, Batch::new().put("", ""));
    assert_eq!(refused.recv(), Ok(Err(CommitError::EmptyKey)));
}
