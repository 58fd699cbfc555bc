use dhcp::{ClientKey, MacAddr, Name, State};
use ports::Grant;

use super::*;

const PUBLIC: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const NOW: u64 = 1000;

fn record(host: u8, first: u16, ports: u16, begin: u64, end: Option<u64>) -> HistoryRecord {
    HistoryRecord {
        public: PUBLIC,
        ports: PortRange::new(first, first + (ports - 1)).unwrap(),
        private: Ipv4Addr::new(10, 10, 0, host),
        hardware: MacAddr([2, 0, 0, 0, 0, host]).into(),
        client: ClientKey::from_identifier(&[1, 2, 0, 0, 0, 0, host]).unwrap(),
        begin,
        end,
    }
}

/// The active lease of an open record.
fn lease(of: &HistoryRecord) -> Lease {
    Lease {
        address: of.private,
        client: of.client.clone(),
        hardware: of.hardware,
        vendor_class: None,
        host_name: None,
        scope: Name::from("scope"),
        class: None,
        pool: None,
        grant: Some(Grant {
            address: of.public,
            ports: of.ports,
        }),
        granted_at: of.begin,
        renewed_at: of.begin,
        expires: None,
        relay: None,
        state: State::Active,
        rests: Vec::new(),
    }
}

/// What the store has after an import: all records by begin, and since when leases are.
fn import(
    store: &[HistoryRecord],
    backup: &[HistoryRecord],
    leases: &[HistoryRecord],
) -> (Vec<HistoryRecord>, Vec<u64>) {
    let mut leases: Vec<Lease> = leases.iter().map(lease).collect();
    let mut histories = Histories::of_backup(backup.to_vec(), &leases);
    for record in store {
        histories.meet(record.clone());
    }
    let written = histories.settle(NOW, &mut leases);
    let all = store.iter().cloned().chain(written);
    let all: BTreeMap<Key, HistoryRecord> = all.map(|record| (key(&record), record)).collect();
    let mut all: Vec<HistoryRecord> = all.into_values().collect();
    all.sort_by_key(|record| (record.begin, record.end));
    let active: Vec<HistoryRecord> = leases
        .iter()
        .filter_map(|lease| lease.history(None))
        .collect();
    let open: Vec<&HistoryRecord> = all.iter().filter(|record| record.end.is_none()).collect();
    assert_eq!(open.len(), active.len(), "{all:#?}");
    for one in active {
        assert!(open.contains(&&one), "{one:?}");
    }
    (all, leases.iter().map(|lease| lease.granted_at).collect())
}

#[test]
fn an_empty_store_takes_everything_as_it_is() {
    let backup = [
        record(2, 40000, 64, 100, Some(200)),
        record(1, 40000, 64, 300, None),
    ];
    let (all, since) = import(&[], &backup, &backup[1..]);
    assert_eq!(all, backup);
    assert_eq!(since, [300]);
    // A lease whose line is missing has one all the same.
    assert_eq!(import(&[], &[], &backup[1..]).0, backup[1..]);
}

#[test]
fn what_goes_on_is_left_as_it_is() {
    let open = record(1, 40000, 64, 300, None);
    let one = std::slice::from_ref(&open);
    assert_eq!(import(one, one, one), (one.to_vec(), vec![300]));
}

#[test]
fn what_has_ended_since_the_export_stays_so() {
    let open = record(1, 40000, 64, 300, None);
    let closed = record(1, 40000, 64, 300, Some(500));
    let one = std::slice::from_ref(&open);
    let (all, since) = import(std::slice::from_ref(&closed), one, one);
    let again = record(1, 40000, 64, NOW, None);
    assert_eq!(all, [closed.clone(), again]);
    assert_eq!(since, [NOW]);
    // And it is closed if the lease is gone in the backup, too.
    let (all, _) = import(std::slice::from_ref(&closed), one, &[]);
    assert_eq!(all, [closed]);
}

#[test]
fn the_end_that_came_first_counts() {
    let early = record(1, 40000, 64, 300, Some(400));
    let late = record(1, 40000, 64, 300, Some(500));
    for (store, backup) in [(&early, &late), (&late, &early)] {
        let (all, _) = import(
            std::slice::from_ref(store),
            std::slice::from_ref(backup),
            &[],
        );
        assert_eq!(all, std::slice::from_ref(&early));
    }
}

#[test]
fn what_is_replaced_is_closed() {
    // The same range again, since later: nobody had it twice.
    let exported = record(1, 40000, 64, 300, None);
    let store = [
        record(1, 40000, 64, 300, Some(400)),
        record(1, 40000, 64, 600, None),
    ];
    let one = std::slice::from_ref(&exported);
    let (all, since) = import(&store, one, one);
    let expected = [
        store[0].clone(),
        record(1, 40000, 64, 600, Some(NOW)),
        record(1, 40000, 64, NOW, None),
    ];
    assert_eq!((all, since), (expected.to_vec(), vec![NOW]));
    // Another phone, with the same range since the same second.
    let other = [record(2, 40000, 64, 300, None)];
    let (all, since) = import(&other, one, one);
    let expected = [
        record(2, 40000, 64, 300, Some(NOW)),
        record(1, 40000, 64, NOW, None),
    ];
    assert_eq!((all, since), (expected.to_vec(), vec![NOW]));
}

#[test]
fn ranges_of_other_sizes_are_in_the_way_too() {
    let exported = record(1, 40000, 64, 300, None);
    let one = std::slice::from_ref(&exported);
    for (first, ports) in [(40000, 8), (40056, 8), (39936, 256), (32768, 32768)] {
        let store = record(2, first, ports, 350, Some(450));
        let (all, since) = import(std::slice::from_ref(&store), one, one);
        let expected = [
            // It had ended by then: more is not known.
            record(1, 40000, 64, 300, Some(350)),
            store,
            record(1, 40000, 64, NOW, None),
        ];
        assert_eq!((all, since), (expected.to_vec(), vec![NOW]), "{first}");
    }
    for (first, ports, end) in [(40064, 64, 450), (39936, 64, 450), (39936, 256, 300)] {
        let store = record(2, first, ports, 250, Some(end));
        let (all, since) = import(std::slice::from_ref(&store), one, one);
        let expected = vec![store, exported.clone()];
        assert_eq!((all, since), (expected, vec![300]), "{first}");
    }
}

#[test]
fn what_no_lease_has_is_closed() {
    let store = [record(1, 40000, 64, 300, None)];
    let backup = [record(2, 40064, 64, 400, None)];
    let (all, _) = import(&store, &backup, &[]);
    let closed = [
        record(1, 40000, 64, 300, Some(NOW)),
        record(2, 40064, 64, 400, Some(NOW)),
    ];
    assert_eq!(all, closed);
    // Nobody has a range since a time that is yet to come.
    let ahead = [record(1, 40000, 64, NOW + 5, None)];
    let (_, since) = import(&[], &ahead, &ahead);
    assert_eq!(since, [NOW]);
}
