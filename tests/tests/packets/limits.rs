//! The verifier's head-room, the maps' memory, and the numbers they are made for.

use std::net::Ipv4Addr;
use std::path::Path;

use dataplane::{BindingSpec, Dataplane, Desired, Limits, PoolSpec};
use gateway_common::PortRange;
use gateway_tests::netns::Namespace;

use crate::bed::loopback;
use crate::shared;

const VERIFIER_LIMIT: u32 = 1_000_000;

#[test]
fn verifier_has_head_room() {
    shared::with(|bed| {
        for (program, instructions) in bed.dataplane.verified_instructions().unwrap() {
            println!("{program}: {instructions} of {VERIFIER_LIMIT} instructions verified");
            assert!(instructions > 0, "{program}: the kernel does not tell");
            assert!(
                instructions < VERIFIER_LIMIT / 2,
                "{program}: {instructions} instructions verified, more than half of the limit"
            );
        }
    });
}

#[test]
fn a_million_bindings_on_4096_addresses() {
    const BINDINGS: u32 = 1_000_000;
    const ADDRESSES: u32 = 4096;
    // 256 ports each: 244 phones on an address, beside 3,000 ports that are free.
    const PORTS: u16 = 256;
    let spec = |number: u32| {
        let place = number / ADDRESSES;
        let first = 1024 + u16::try_from(place).unwrap() * PORTS;
        BindingSpec {
            private: Ipv4Addr::from(0x0a00_0000 + number),
            public: Ipv4Addr::from(0xc612_0000 + number % ADDRESSES),
            ports: PortRange::new(first, first + PORTS - 1).unwrap(),
        }
    };
    let router = Namespace::new("router").unwrap();
    router.enter(|| {
        let limits = Limits::new(BINDINGS, ADDRESSES);
        let directory = Path::new("/sys/fs/bpf/gateway");
        let (mut dataplane, _) = Dataplane::open(directory, limits).unwrap();
        let mut desired = Desired {
            interfaces: vec![loopback()],
            pool: (0..ADDRESSES)
                .map(|number| PoolSpec {
                    address: Ipv4Addr::from(0xc612_0000 + number),
                    shared: false,
                })
                .collect(),
            bindings: (0..BINDINGS).map(spec).collect(),
            icmp_error_rate: 1000,
        };
        let changes = dataplane.reconcile(&desired).unwrap();
        assert_eq!((changes.added, changes.kept), (BINDINGS as usize, 0));
        for number in [0, 1, 4095, 4096, 777_777, BINDINGS - 1] {
            let spec = spec(number);
            let owner = dataplane.owner_of(spec.public, spec.ports.last()).unwrap();
            assert_eq!(owner.spec, spec);
        }

        let memory = dataplane.memory();
        let total: u64 = memory.iter().map(|map| map.bytes).sum();
        for map in &memory {
            println!(
                "{:16} {:>9} entries {:>12} bytes",
                map.map, map.entries, map.bytes
            );
        }
        println!("{} bytes a binding", total / u64::from(BINDINGS));
        assert!(total / u64::from(BINDINGS) <= 512, "{total} bytes in all");

        // Again, by another daemon: nothing to do.
        drop(dataplane);
        let (mut dataplane, opened) = Dataplane::open(directory, limits).unwrap();
        assert_eq!(opened, dataplane::Opened::Adopted);
        let removed = desired.bindings.pop().unwrap();
        let changes = dataplane.reconcile(&desired).unwrap();
        assert_eq!((changes.added, changes.removed), (0, 1));
        assert!(dataplane.binding(removed.private).is_none());
        dataplane.add(removed).unwrap();
        assert!(dataplane.add(removed).is_err());
    });
}
