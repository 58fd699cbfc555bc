//! How many durable batches a second the store commits, and how soon it is ready.
//!
//! `cargo run --release -p store --example durable_batches -- [ENTRIES] [DIRECTORY]`
//!
//! Batches put two of the entries anew, 300 bytes each, in random order. The directory must be
//! on the disk that is to be measured; the store in it is removed at the end.

#![expect(
    clippy::disallowed_methods,
    reason = "a bench reads the clock: that is what it is for"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use store::{Batch, CommitError, Embedded, FILE_NAME, Query, Revision, Store as _};

const VALUE: usize = 300;
const SECONDS: u64 = 4;
/// Instead of the number of entries: opens the store of the directory and waits to be killed.
const TO_BE_KILLED: &str = "to-be-killed";

fn key(number: u64) -> Vec<u8> {
    // Neighbours are far from each other, as the MAC addresses of phones are.
    format!("lease/{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).into_bytes()
}

fn answered(answer: Result<Revision, CommitError>) {
    if let Err(error) = answer {
        panic!("{error}");
    }
}

fn fill(store: &Embedded, entries: u64) {
    let (sender, answers) = mpsc::channel();
    for (place, first) in (0..entries).step_by(100).enumerate() {
        if place >= 64 {
            answered(answers.recv().expect("an answer"));
        }
        let put = |batch: Batch, number| batch.put(key(number), vec![7; VALUE]);
        let batch = (first..entries.min(first + 100)).fold(Batch::new(), put);
        let sender = sender.clone();
        store.submit(
            batch,
            Box::new(move |answer| {
                let _ = sender.send(answer);
            }),
        );
    }
    drop(sender);
    answers.iter().for_each(answered);
}

/// Batches a second with so many that wait, and the slowest of them.
fn rate(store: &Embedded, entries: u64, in_flight: u64) -> (f64, Duration, Duration) {
    let (sender, answers) = mpsc::channel();
    let mut random = in_flight;
    let mut submit = || {
        let mut batch = Batch::new();
        for _ in 0..2 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            batch = batch.put(key((random >> 33) % entries), vec![8; VALUE]);
        }
        let (sender, submitted) = (sender.clone(), Instant::now());
        store.submit(
            batch,
            Box::new(move |answer| {
                // The last ones come when the bench is over.
                let _ = sender.send((answer, submitted.elapsed()));
            }),
        );
    };
    let start = Instant::now();
    (0..in_flight).for_each(|_| submit());
    let mut waited = Vec::new();
    while start.elapsed() < Duration::from_secs(SECONDS) {
        let (answer, after) = answers.recv().expect("an answer");
        answered(answer);
        waited.push(after);
        submit();
    }
    let rate = waited.len() as f64 / start.elapsed().as_secs_f64();
    waited.sort();
    let at = |share: f64| waited[((waited.len() - 1) as f64 * share) as usize];
    (rate, at(0.5), at(0.99))
}

/// Has another process open the store, write to it, and be killed.
fn kill(directory: &Path) {
    let itself = std::env::current_exe().expect("this bench");
    let mut process = Command::new(itself)
        .args([TO_BE_KILLED.as_ref(), directory.as_os_str()])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("this bench starts");
    let mut ready = [0];
    let output = process.stdout.as_mut().expect("it is piped");
    std::io::Read::read_exact(output, &mut ready).expect("it writes");
    process.kill().expect("it lives");
    process.wait().expect("it ends");
}

fn to_be_killed(directory: &Path) -> ! {
    let store = Embedded::open(directory).expect("the store");
    fill(&store, 1000);
    print!("!");
    std::io::Write::flush(&mut std::io::stdout()).expect("somebody reads");
    loop {
        std::thread::park();
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let entries = arguments.next().unwrap_or_else(|| "100000".to_owned());
    let directory = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from);
    if entries == TO_BE_KILLED {
        to_be_killed(&directory);
    }
    let entries: u64 = entries.parse().expect("a number of entries");

    let store = Embedded::open(&directory).unwrap_or_else(|error| panic!("{error}"));
    fill(&store, entries);
    println!("{entries} entries of {VALUE} bytes");
    for in_flight in [1, 64, 256, 1024] {
        let (rate, median, worst) = rate(&store, entries, in_flight);
        println!(
            "{in_flight:5} in flight: {rate:6.0} durable batches/s, median {median:?}, 99 % {worst:?}"
        );
    }
    drop(store);

    kill(&directory);
    let start = Instant::now();
    let store = Embedded::open(&directory).expect("the store");
    println!("opened after a kill in {:?}", start.elapsed());
    let (start, mut visited) = (Instant::now(), 0);
    store
        .for_each(b"", |_, value, _| visited += value.len())
        .expect("it can be read");
    println!("{visited} bytes visited in {:?}", start.elapsed());
    let start = Instant::now();
    let page = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(store.read(Query::prefix("").limit(1000)));
    let entries = page.expect("it can be read").entries.len();
    println!("page of {entries} read in {:?}", start.elapsed());
    drop(store);

    let file = directory.join(FILE_NAME);
    let bytes = std::fs::metadata(&file).expect("the file").len();
    println!("file of {} MB", bytes >> 20);
    std::fs::remove_file(file).expect("it is ours");
}
