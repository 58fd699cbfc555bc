//! Ranges never overlap, none is lost, and a phone finds its own again.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

const REST: u64 = 120;
/// Ports of an address above the system ports.
const PORTS: u64 = 65536 - 1024;

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, last)
}

fn empty(addresses: u8, kept_out: &[RangeInclusive<u16>]) -> Allocator<u32> {
    Allocator::new(Rules {
        name: "voice".to_owned(),
        addresses: (1..=addresses).map(address).collect(),
        kept_out: kept_out.to_vec(),
        rest: REST,
    })
}

fn grant(last: u8, first: u16, ports: u16) -> Grant {
    Grant {
        address: address(last),
        ports: PortRange::new(first, first + (ports - 1)).expect("a valid range"),
    }
}

#[test]
fn a_phone_gets_its_own_range_again() {
    let mut pool = empty(1, &[]);
    let first = pool.allocate(0, &1, 64, None).expect("room");
    assert_eq!(first, grant(1, 1024, 64));
    assert_eq!(pool.owner(first), Some(&1));
    let until = pool.release(10, &1, first).expect("its own");
    assert_eq!((until, pool.owner(first)), (10 + REST, None));
    // It rests for others, not for the phone that had it.
    let other = pool.allocate(20, &2, 64, Some(first)).expect("room");
    assert_ne!(other, first);
    assert_eq!(pool.allocate(20, &1, 64, Some(first)), Ok(first));
    // Asked once more it is still the same.
    assert_eq!(pool.allocate(20, &1, 64, Some(first)), Ok(first));
    // Of another size it cannot be the same.
    let wider = pool.allocate(20, &1, 128, Some(first)).expect("room");
    assert_eq!(wider.ports.ports(), 128);
}

#[test]
fn a_promise_costs_no_rest() {
    let mut pool = empty(1, &[]);
    let whole = pool.ports(0);
    let promised = pool.allocate(0, &1, 64, None).expect("room");
    pool.withdraw(0, &1, promised, 0).expect("its own");
    assert_eq!(pool.ports(0), whole);
    // What rested before rests as long as before.
    let had = pool.allocate(0, &1, 64, None).expect("room");
    pool.release(10, &1, had).expect("its own");
    let until = pool.rests_until(had).expect("it rests");
    pool.claim(20, &1, had).expect("its own");
    assert_eq!(pool.rests_until(had), None);
    pool.withdraw(30, &1, had, until).expect("its own");
    assert_eq!(pool.rests_until(had), Some(10 + REST));
    assert!(pool.withdraw(30, &1, had, 0).is_err());
    assert_eq!(pool.ports(10 + REST), whole);
}

#[test]
fn a_range_changes_hands_alive() {
    let mut pool = empty(1, &[]);
    let had = pool.allocate(0, &1, 64, None).expect("room");
    assert!(pool.hand_over(&2, &3, had).is_err());
    pool.hand_over(&1, &2, had).expect("its own");
    assert_eq!(pool.owner(had), Some(&2));
    assert!(pool.release(0, &1, had).is_err());
    pool.release(0, &2, had).expect("its own");
}

#[test]
fn rest_ends_on_the_second() {
    let mut pool = empty(1, &[1024..=65535 - 64]);
    let only = pool.allocate(0, &1, 64, None).expect("the last one");
    let full = pool.allocate(0, &2, 64, None);
    assert_eq!(
        full,
        Err(Error::Exhausted {
            pool: "voice".to_owned(),
            ports: 64,
            free: 0,
            resting: 0,
        })
    );
    pool.release(1000, &1, only).expect("its own");
    assert!(pool.allocate(999 + REST, &2, 64, None).is_err());
    assert_eq!(pool.allocate(1000 + REST, &2, 64, None), Ok(only));
}

#[test]
fn what_is_kept_out_is_in_no_range() {
    let services = [5060..=5061, 2427..=2427, 32768..=60999];
    let mut pool = empty(2, &services);
    let mut found = 0;
    while let Ok(grant) = pool.allocate(0, &found, 8, None) {
        let ports = grant.ports;
        assert!(ports.first() >= 1024);
        for kept in &services {
            assert!(ports.last() < *kept.start() || ports.first() > *kept.end());
        }
        found += 1;
    }
    // Whole blocks: 8 ports for 5060 and 5061, 8 for 2427, 28,232 for the router's own.
    let each = PORTS - 8 - 8 - 28_232;
    assert_eq!(u64::from(found) * 8, 2 * each);
    assert_eq!(pool.live(), found as usize);
}

#[test]
fn what_the_store_says_is_restored() {
    let mut pool = empty(1, &[]);
    let (lease, resting) = (grant(1, 40960, 256), grant(1, 2048, 8));
    pool.claim(50, &7, lease).expect("free");
    pool.restore_rest(50, &8, resting, 100).expect("free");
    let taken = grant(1, 40960, 64);
    let refused = pool.claim(50, &9, taken).expect_err("part of another's");
    assert_eq!(
        refused.to_string(),
        "ports 40960-41023 of 192.0.2.1 are not free in pool voice: they are another's, rest, or \
         are kept out"
    );
    assert!(pool.claim(99, &9, resting).is_err());
    assert_eq!(pool.claim(100, &9, resting), Ok(()));
    let foreign = pool.release(100, &9, lease).expect_err("another's");
    assert_eq!(
        foreign.to_string(),
        "ports 40960-41215 of 192.0.2.1 are not 9's in pool voice"
    );
    assert!(
        pool.claim(0, &1, grant(2, 2048, 8)).is_err(),
        "no address of the pool"
    );
}

#[test]
fn only_sizes_of_ranges() {
    let mut pool = empty(1, &[]);
    for ports in [0, 1, 4, 9, 63, 8192, u16::MAX] {
        assert_eq!(
            pool.allocate(0, &1, ports, None),
            Err(Error::Size { ports })
        );
    }
}

#[test]
fn a_million_ranges_live_at_once() {
    let mut pool = Allocator::new(Rules {
        name: "large".to_owned(),
        addresses: (0..1024).map(|n| Ipv4Addr::from(0xc612_0000 + n)).collect(),
        kept_out: Vec::new(),
        rest: REST,
    });
    for phone in 0..1_000_000u32 {
        pool.allocate(0, &phone, 64, None).expect("room for all");
    }
    assert_eq!(pool.live(), 1_000_000);
    assert_eq!(pool.ports(0).live, 64_000_000);
}

#[derive(Clone, Debug)]
enum Step {
    Allocate {
        owner: u32,
        order: u32,
    },
    Again {
        owner: u32,
        of: Index,
    },
    Release {
        of: Index,
    },
    Claim {
        owner: u32,
        last: u8,
        block: u16,
        order: u32,
    },
    Pass {
        seconds: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let owner = 0u32..20;
    prop_oneof![
        4 => (owner.clone(), 3u32..=12).prop_map(|(owner, order)| Step::Allocate { owner, order }),
        2 => (owner.clone(), any::<Index>()).prop_map(|(owner, of)| Step::Again { owner, of }),
        3 => any::<Index>().prop_map(|of| Step::Release { of }),
        2 => (owner, 0u8..4, any::<u16>(), 3u32..=12)
            .prop_map(|(owner, last, block, order)| Step::Claim { owner, last, block, order }),
        1 => (1u64..200).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

/// Live and resting ranges as a list.
#[derive(Default)]
struct Model {
    live: Vec<(u32, Grant)>,
    resting: Vec<(u32, Grant, u64)>,
    now: u64,
}

impl Model {
    fn overlaps(&self, grant: Grant) -> bool {
        let resting = self.resting.iter().filter(|(.., until)| *until > self.now);
        let live = self.live.iter().map(|(_, other)| other);
        live.chain(resting.map(|(_, other, _)| other))
            .any(|other| other.address == grant.address && other.ports.overlaps(grant.ports))
    }

    fn forget_rest(&mut self, grant: Grant) {
        self.resting.retain(|(_, other, _)| *other != grant);
    }

    fn begin(&mut self, owner: u32, grant: Grant) {
        self.forget_rest(grant);
        assert!(!self.overlaps(grant), "{grant:?} is another's");
        self.live.push((owner, grant));
    }
}

const KEPT_OUT: [RangeInclusive<u16>; 2] = [5060..=5061, 32768..=40000];

proptest! {
    #[test]
    fn ranges_never_overlap_and_none_is_lost(steps in proptest::collection::vec(step(), 1..200)) {
        let mut pool = empty(3, &KEPT_OUT);
        let whole = pool.ports(0).free;
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Pass { seconds } => model.now += seconds,
                Step::Allocate { owner, order } => {
                    if let Ok(grant) = pool.allocate(model.now, &owner, 1 << order, None) {
                        prop_assert_eq!(grant.ports.ports(), 1 << order);
                        model.begin(owner, grant);
                    }
                }
                Step::Again { owner, of } if !model.resting.is_empty() => {
                    let (former, grant, until) = model.resting[of.index(model.resting.len())];
                    let ports = grant.ports.ports();
                    let again = pool.allocate(model.now, &owner, ports, Some(grant));
                    if let Ok(found) = again {
                        let free = former == owner || until <= model.now;
                        prop_assert!(free || found != grant, "it rests for others");
                        model.begin(owner, found);
                    }
                }
                Step::Release { of } if !model.live.is_empty() => {
                    let at = of.index(model.live.len());
                    let (owner, grant) = model.live.swap_remove(at);
                    prop_assert!(pool.release(model.now, &(owner + 100), grant).is_err());
                    let until = pool.release(model.now, &owner, grant).expect("its own");
                    prop_assert_eq!(until, model.now + REST);
                    model.forget_rest(grant);
                    model.resting.push((owner, grant, until));
                }
                Step::Claim { owner, last, block, order } => {
                    let ports = 1u16 << order;
                    let first = block & !(ports - 1);
                    let Ok(range) = PortRange::new(first, first + (ports - 1)) else {
                        continue;
                    };
                    let wanted = Grant { address: address(last), ports: range };
                    let had = pool.owner(wanted) == Some(&owner);
                    if pool.claim(model.now, &owner, wanted).is_ok() && !had {
                        model.begin(owner, wanted);
                    }
                }
                Step::Again { .. } | Step::Release { .. } => {}
            }
            let ports = pool.ports(model.now);
            prop_assert_eq!(ports.free + ports.live + ports.resting, whole);
            let live: u64 = model.live.iter().map(|(_, grant)| u64::from(grant.ports.ports())).sum();
            prop_assert_eq!(ports.live, live);
            prop_assert_eq!(ports.free, pool.free.ports());
            prop_assert_eq!(pool.live(), model.live.len());
        }
        // All of it comes back, and grows together again.
        for (owner, grant) in model.live {
            for kept in &KEPT_OUT {
                let (first, last) = (grant.ports.first(), grant.ports.last());
                prop_assert!(last < *kept.start() || first > *kept.end());
            }
            pool.release(model.now, &owner, grant).expect("its own");
        }
        prop_assert_eq!(pool.ports(model.now + REST).free, whole);
        prop_assert_eq!(&pool.free, &empty(3, &KEPT_OUT).free);
    }
}
