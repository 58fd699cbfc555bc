//! Ports and public addresses that pass from one phone to another in one reconciliation.

use std::net::Ipv4Addr;
use std::path::Path;

use dataplane::{BindingSpec, Changes, Dataplane, Desired, Limits, PoolSpec};
use gateway_common::PortRange;
use gateway_tests::netns::Namespace;

use crate::bed::loopback;

const FIRST: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const SECOND: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

fn phone(last: u8, public: Ipv4Addr, first_port: u16) -> BindingSpec {
    BindingSpec {
        private: Ipv4Addr::new(10, 0, 0, last),
        public,
        ports: PortRange::new(first_port, first_port + 63).unwrap(),
    }
}

fn desired(pool: &[Ipv4Addr], bindings: &[BindingSpec]) -> Desired {
    Desired {
        interfaces: vec![loopback()],
        pool: pool
            .iter()
            .map(|address| PoolSpec {
                address: *address,
                shared: false,
            })
            .collect(),
        bindings: bindings.to_vec(),
        icmp_error_rate: 1000,
    }
}

fn owner(dataplane: &Dataplane, public: Ipv4Addr, port: u16) -> Option<Ipv4Addr> {
    let owner = dataplane.owner_of(public, port)?;
    Some(owner.spec.private)
}

fn changes(added: usize, removed: usize, kept: usize) -> Changes {
    Changes {
        added,
        removed,
        kept,
    }
}

#[test]
fn ports_and_addresses_change_hands() {
    let router = Namespace::new("router").unwrap();
    router.enter(|| {
        let directory = Path::new("/sys/fs/bpf/gateway");
        let (mut dataplane, _) = Dataplane::open(directory, Limits::new(100, 4)).unwrap();
        let [one, two] = [phone(1, FIRST, 40000), phone(2, FIRST, 40064)];
        let done = dataplane
            .reconcile(&desired(&[FIRST], &[one, two]))
            .unwrap();
        assert_eq!(done, changes(2, 0, 0));
        assert_eq!(owner(&dataplane, FIRST, 40063), Some(one.private));

        // Two phones swap ports.
        let swapped = [phone(1, FIRST, 40064), phone(2, FIRST, 40000)];
        let done = dataplane.reconcile(&desired(&[FIRST], &swapped)).unwrap();
        assert_eq!(done, changes(2, 2, 0));
        assert_eq!(owner(&dataplane, FIRST, 40000), Some(two.private));
        assert_eq!(owner(&dataplane, FIRST, 40127), Some(one.private));

        // A public address takes the place of another, with one phone on it.
        let moved = [phone(1, SECOND, 40064), phone(3, SECOND, 40000)];
        let done = dataplane.reconcile(&desired(&[SECOND], &moved)).unwrap();
        assert_eq!(done, changes(2, 2, 0));
        assert_eq!(owner(&dataplane, SECOND, 40000), Some(moved[1].private));
        assert_eq!(owner(&dataplane, FIRST, 40000), None);
        assert!(dataplane.binding(two.private).is_none());

        // Another daemon finds it so.
        drop(dataplane);
        let (mut dataplane, _) = Dataplane::open(directory, Limits::new(100, 4)).unwrap();
        let both = desired(&[FIRST, SECOND], &[moved[0], moved[1], two]);
        let done = dataplane.reconcile(&both).unwrap();
        assert_eq!(done, changes(1, 0, 2));
        assert_eq!(owner(&dataplane, FIRST, 40064), Some(two.private));
        assert_eq!(owner(&dataplane, SECOND, 40064), Some(moved[0].private));
        assert_eq!(dataplane.bindings().count(), 3);
    });
}
