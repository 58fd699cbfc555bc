//! A process that is killed while it commits: what it was told is committed is there, whole, and
//! nothing is there by half.
//!
//! The test starts itself again as the process to be killed (`committing`, ignored otherwise),
//! which hands over batches from several threads and prints which ones were acknowledged.
//! `STORE_KILLS` sets how often; 50 unless it is set.

#![expect(
    clippy::disallowed_methods,
    reason = "tests read the clock: a deadline, and how long opening takes"
)]

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use store::{Batch, Embedded, Revision, Store as _};

const DIRECTORY: &str = "STORE_KILL_DIRECTORY";
const KILLS: &str = "STORE_KILLS";
/// Threads that hand over batches, each its own keys.
const THREADS: usize = 4;
/// Batches of a thread that wait at a time.
const IN_FLIGHT: u64 = 8;
/// Numbers whose keys are there at a time; older ones are deleted.
const LIVING: u64 = 200;
/// Until the killed process must have said or done what is waited for.
const DEADLINE: Duration = Duration::from_secs(60);

/// What is printed before an acknowledged batch: thread and number follow.
const ACKNOWLEDGED: &str = "acknowledged";

fn last_key(thread: usize) -> Vec<u8> {
    format!("last/{thread}").into_bytes()
}

fn keys(thread: usize, number: u64) -> [Vec<u8>; 2] {
    // Far from each other, so that they are on different pages.
    ["lease", "range"].map(|kind| format!("{kind}/{thread}/{number:08}").into_bytes())
}

fn value(number: u64) -> Vec<u8> {
    number.to_string().repeat(60).into_bytes()
}

/// What makes `number` of the number before.
fn batch(thread: usize, number: u64) -> Batch {
    let mut batch = Batch::new().put(last_key(thread), value(number));
    batch = match number {
        1 => batch.if_absent(last_key(thread)),
        _ => batch.if_value(last_key(thread), value(number - 1)),
    };
    for key in keys(thread, number) {
        batch = batch.if_absent(key.clone()).put(key, value(number));
    }
    if number > LIVING {
        for key in keys(thread, number - LIVING) {
            batch = batch.delete(key);
        }
    }
    batch
}

type Content = BTreeMap<Vec<u8>, Vec<u8>>;

/// All that is there when each thread has come so far.
fn content(reached: &[u64; THREADS]) -> Content {
    let mut content = Content::new();
    for (thread, last) in reached.iter().enumerate() {
        for number in last.saturating_sub(LIVING) + 1..=*last {
            for key in keys(thread, number) {
                content.insert(key, value(number));
            }
            content.insert(last_key(thread), value(number));
        }
    }
    content
}

/// What is there, how far each thread came, and the revision.
fn found(store: &Embedded) -> (Content, [u64; THREADS], Revision) {
    let mut content = Content::new();
    let revision = store
        .for_each(b"", |key, value, _| {
            content.insert(key.to_vec(), value.to_vec());
        })
        .expect("the store can be read");
    let mut reached = [0; THREADS];
    for (thread, last) in reached.iter_mut().enumerate() {
        // The newest key; that it is not there alone is seen by comparing all.
        let [lease, _] = keys(thread, u64::MAX);
        let prefix = &lease[..b"lease/0/".len()];
        let ours = content.keys().rfind(|key| key.starts_with(prefix));
        *last = ours.map_or(0, |key| {
            let number = std::str::from_utf8(&key[prefix.len()..]).expect("a number");
            number.parse().expect("a number")
        });
    }
    (content, reached, revision)
}

/// The process to be killed.
#[test]
#[ignore = "started by the other test"]
fn committing() {
    let directory = std::env::var(DIRECTORY).expect("started by the other test");
    let store = Embedded::open(Path::new(&directory)).expect("the store");
    let (_, reached, _) = found(&store);
    std::thread::scope(|scope| {
        for (thread, last) in reached.into_iter().enumerate() {
            let store = &store;
            scope.spawn(move || commit_for_ever(store, thread, last));
        }
    });
}

fn commit_for_ever(store: &Embedded, thread: usize, last: u64) {
    let (sender, answers) = mpsc::channel();
    for number in last + 1.. {
        let sender = sender.clone();
        store.submit(
            batch(thread, number),
            Box::new(move |answer| {
                answer.expect("nobody else writes these keys");
                // In one write, so that a line is there or not.
                let line = format!("{ACKNOWLEDGED} {thread} {number}\n");
                let written = std::io::stdout().lock().write_all(line.as_bytes());
                written.expect("the other test reads");
                sender.send(()).expect("the thread waits");
            }),
        );
        if number > last + IN_FLIGHT {
            answers.recv().expect("an answer");
        }
    }
}

/// The process, and the batches that it says are acknowledged.
struct Victim {
    process: Child,
    acknowledged: mpsc::Receiver<(usize, u64)>,
}

impl Victim {
    fn start(directory: &Path) -> Self {
        let test = std::env::current_exe().expect("this test");
        let mut process = Command::new(test)
            .args(["--ignored", "--exact", "committing", "--nocapture"])
            .env(DIRECTORY, directory)
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test starts");
        let output = process.stdout.take().expect("it is piped");
        let (sender, acknowledged) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                // The last one may be cut.
                let line = line.unwrap_or_default();
                let mut words = line.split(' ');
                if words.next() == Some(ACKNOWLEDGED) {
                    let mut number = || words.next().and_then(|word| word.parse().ok());
                    let (thread, number) = (number().expect("a thread"), number());
                    let batch = (thread as usize, number.expect("a number"));
                    sender.send(batch).expect("the test listens");
                }
            }
        });
        Self {
            process,
            acknowledged,
        }
    }

    /// Lets it live for so many acknowledgements and then for so long, kills it, and says how
    /// far each thread came for certain.
    fn kill(mut self, after: u64, further: Duration) -> [u64; THREADS] {
        let mut reached = [0; THREADS];
        let mut note = |(thread, number): (usize, u64)| {
            assert!(number > reached[thread], "answers come in order");
            reached[thread] = number;
        };
        for _ in 0..after {
            note(self.acknowledged.recv_timeout(DEADLINE).expect("it works"));
        }
        let end = Instant::now() + further;
        while let Ok(batch) = self
            .acknowledged
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            note(batch);
        }
        self.process.kill().expect("it lives");
        let ended = self.process.wait().expect("it ends");
        assert_eq!(ended.signal(), Some(9), "it worked until it was killed");
        // What it said before.
        self.acknowledged.iter().for_each(note);
        reached
    }
}

#[test]
fn no_kill_costs_an_acknowledged_batch() {
    let kills: u64 = std::env::var(KILLS).map_or(50, |kills| kills.parse().expect("a number"));
    let random = RandomState::new();
    let directory = tempfile::tempdir().expect("a directory");
    let (mut acknowledged, mut slowest) = (0, Duration::ZERO);
    for kill in 0..kills {
        let random = random.hash_one(kill);
        // Now and then before the first batch, or while the store is opened or made.
        let after = if kill % 10 == 0 { 0 } else { random % 2000 };
        let further = Duration::from_micros((random >> 32) % 30_000);
        let certain = Victim::start(directory.path()).kill(after, further);

        let start = Instant::now();
        let store = Embedded::open(directory.path()).expect("it can be opened again");
        slowest = slowest.max(start.elapsed());
        let (content_found, reached, revision) = found(&store);
        let case = format!("kill {kill}: certain {certain:?}, found {reached:?}");
        for (certain, reached) in certain.iter().zip(&reached) {
            assert!(reached >= certain, "{case}");
        }
        assert!(content_found == content(&reached), "{case}: half a batch");
        let batches: u64 = reached.iter().sum();
        assert_eq!(revision, Revision(batches), "{case}");
        acknowledged = batches;
    }
    println!("{kills} kills, {acknowledged} batches, opened in at most {slowest:?}");
    assert!(acknowledged > kills, "it committed under load");
}
