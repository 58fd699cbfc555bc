//! What the fuzz targets know, replayed: the committed corpus and every crash there was.
//!
//! | folder | what is in it |
//! |---|---|
//! | `tests/fuzz/corpus/<target>/*` | one small input each: by hand (`seeds.rs`, `dhcp.rs`, `megaco.rs`, `sip.rs`, `template.rs`, `tftp.rs`), or found by libFuzzer |
//! | `tests/fuzz/crashes/<target>/*` | inputs that broke something once |
//!
//! `WRITE_CORPUS=1 cargo test -p gateway-tests --test fuzz_corpus` writes the seeds anew.

mod dhcp;
mod megaco;
mod seeds;
mod sip;
mod template;
mod tftp;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use gateway_common::Reason;
use gateway_common::testing::invariants;
use gateway_common::testing::run::End;

/// Most that the committed files may take together, in bytes.
const MOST: usize = 200_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The inputs of a target, crashes included, by their paths.
fn inputs(target: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut inputs = BTreeMap::new();
    for kind in ["corpus", "crashes"] {
        let Ok(entries) = fs::read_dir(folder().join(kind).join(target)) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            let bytes = fs::read(&path).expect("a readable file");
            inputs.insert(path, bytes);
        }
    }
    inputs
}

/// Says which input is replayed, should it break something.
fn replay<T>(path: &Path, check: impl FnOnce() -> T + std::panic::UnwindSafe) -> T {
    std::panic::catch_unwind(check).unwrap_or_else(|panic| {
        eprintln!("while replaying {}", path.display());
        std::panic::resume_unwind(panic)
    })
}

#[test]
fn corpus_is_replayed() {
    let mut ends = BTreeSet::new();
    let mut refusals = BTreeSet::new();
    for (path, bytes) in inputs("engine") {
        match replay(&path, || invariants::engine(&bytes)) {
            Some(Ok(End::Sent(_))) => drop(ends.insert("sent")),
            Some(Ok(End::Stack)) => drop(ends.insert("stack")),
            Some(Ok(End::TtlExpired)) => drop(ends.insert("ttl expired")),
            Some(Ok(End::TooBig(_))) => drop(ends.insert("too big")),
            Some(Err(reason)) => drop(refusals.insert(reason)),
            None => {}
        }
    }
    for (path, bytes) in inputs("parse") {
        replay(&path, || invariants::parse(&bytes));
    }
    // A corpus that no longer gets anywhere would replay in silence.
    assert_eq!(ends.len(), 4, "{ends:?}");
    let missing: Vec<_> = ENGINE_REFUSALS
        .iter()
        .filter(|reason| !refusals.contains(reason))
        .collect();
    assert!(missing.is_empty(), "no input is refused as {missing:?}");
}

/// Every reason the engine refuses a packet for.
const ENGINE_REFUSALS: &[Reason] = {
    use Reason::*;
    &[
        Multicast,
        NotTranslated,
        RouterLocal,
        RouterPort,
        InsideToInside,
        UnboundHost,
        NeighbourUnknown,
        StackEgress,
        NeedsFragmentation,
        NoRouteOutbound,
        EarlyFragmentShared,
        Truncated,
        BadHeader,
        TinyFragment,
        SourcePortOutOfRange,
        WrongInterface,
        UnboundSource,
        SpoofedSource,
        InsideDestination,
        NoBinding,
        UnsupportedProtocol,
        UnsupportedIcmp,
        IcmpErrorUnmatched,
        HairpinTooBig,
        NoRoute,
        ForwardingDisabled,
        WrongEgress,
        FragmentHeld,
    ]
};

#[test]
fn seeds_are_committed() {
    for (target, seeds) in [
        ("engine", seeds::engine()),
        ("parse", seeds::parse()),
        ("dhcp", dhcp::seeds()),
        ("megaco", megaco::seeds()),
        ("sip", sip::seeds()),
        ("template", template::seeds()),
        ("tftp", tftp::seeds()),
    ] {
        let folder = folder().join("corpus").join(target);
        let mut names = BTreeSet::new();
        for (name, bytes) in seeds {
            assert!(names.insert(name), "two seeds are called {name}");
            let path = folder.join(name);
            if std::env::var_os("WRITE_CORPUS").is_some() {
                fs::create_dir_all(&folder).expect("a folder to write to");
                fs::write(&path, &bytes).expect("a file to write to");
            }
            let found = fs::read(&path).ok();
            assert!(
                found.as_ref() == Some(&bytes),
                "{} is not what seeds.rs makes: run with WRITE_CORPUS=1",
                path.display()
            );
        }
    }
}

#[test]
fn the_corpus_stays_small() {
    let targets = [
        "engine", "parse", "dhcp", "megaco", "sip", "template", "tftp",
    ];
    let sizes = targets.map(|target| inputs(target).values().map(Vec::len).sum());
    let all: usize = sizes.iter().sum();
    assert!(all <= MOST, "got {all} bytes, expected at most {MOST}");
}
