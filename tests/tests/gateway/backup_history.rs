//! Whose a port was stays true when a backup is taken in.

use gateway_tests::dhcp::client::Program;
use gateway_tests::wait::eventually;

use crate::backup::Office;
use crate::bed::{LONG, SOON};
use crate::leases::{binding, phone, range_of};

/// A second that has begun since: the clock of leases counts whole ones.
fn next_second(office: &Office) -> String {
    let now = || {
        let date = ["date", "-u", "+%Y-%m-%dT%H:%M:%SZ"];
        office.bed.site.router.run(&date).unwrap().trim().to_owned()
    };
    let first = now();
    eventually(SOON, || match now() {
        later if later > first => Ok(later),
        same => Err(same),
    })
    .unwrap()
}

/// What is said of the first port of the phone's range at that time.
fn who_at(office: &Office, time: &str) -> serde_json::Value {
    let (public, first, _) = range_of(&office.lease);
    let port = format!("{public}:{first}");
    office.bed.json(&["who", &port, "--at", time])
}

#[test]
fn what_has_ended_since_the_export_stays_ended() {
    let mut office = Office::new();
    let file = office.file().to_owned();
    let address = office.lease.address;
    assert_eq!(office.ctl(&["export", &file]).code, Some(0));
    office.ctl(&["leases", "release", &address.to_string()]);
    next_second(&office);
    let gap = next_second(&office);
    next_second(&office);
    assert_eq!(
        office.bed.json(&["import", &file, "--replace"])["leases"],
        1
    );
    assert!(binding(&office.bed, address).is_some());
    next_second(&office);
    let now = next_second(&office);
    assert_eq!(who_at(&office, &gap)["owner"], "free");
    let has = who_at(&office, &now);
    assert_eq!(has["lease"]["private"], address.to_string(), "{has}");
    // And it ends like any other.
    office.ctl(&["leases", "release", &address.to_string()]);
    next_second(&office);
    let now = next_second(&office);
    assert_eq!(who_at(&office, &now)["owner"], "free");
    office.client.renew(LONG).ok();
    office.bed.finish();
}

#[test]
fn who_has_it_again_is_the_last_to_have_had_it() {
    let mut office = Office::new();
    let file = office.file().to_owned();
    let address = office.lease.address;
    assert_eq!(office.ctl(&["export", &file]).code, Some(0));
    office.client.release(LONG).unwrap();
    let mut client = phone(Program::Udhcpc)
        .start(&office.bed.phone(1).interface)
        .unwrap();
    let again = client.bound(LONG).unwrap();
    assert_eq!(range_of(&again), range_of(&office.lease));
    assert_eq!(
        office.bed.json(&["import", &file, "--replace"])["leases"],
        1
    );
    client.release(LONG).unwrap();
    eventually(SOON, || match binding(&office.bed, address) {
        None => Ok(()),
        Some(still) => Err(format!("{still}")),
    })
    .unwrap();
    next_second(&office);
    let now = next_second(&office);
    assert_eq!(who_at(&office, &now)["owner"], "free");
    office.bed.finish();
}

#[test]
fn another_phone_is_another_holder() {
    let mut office = Office::new();
    let file = office.file().to_owned();
    let address = office.lease.address;
    assert_eq!(office.ctl(&["export", &file]).code, Some(0));
    // The backup says that somebody else had all of it.
    let text = std::fs::read_to_string(&file).unwrap();
    let shown = office.bed.json(&["leases", "show", &address.to_string()]);
    let mac = shown[0]["mac"].as_str().unwrap().to_owned();
    let id = shown[0]["client_id"].as_str().unwrap().to_owned();
    let other = "02:00:5e:10:00:99";
    let text = text.replace(&mac, other);
    let text = text.replace(&id, &format!("01{}", other.replace(':', "")));
    std::fs::write(&file, text).unwrap();
    next_second(&office);
    let before = next_second(&office);
    next_second(&office);
    assert_eq!(
        office.bed.json(&["import", &file, "--replace"])["leases"],
        1
    );
    next_second(&office);
    let now = next_second(&office);
    assert_eq!(who_at(&office, &before)["lease"]["mac"], mac);
    assert_eq!(who_at(&office, &now)["lease"]["mac"], other);
    office.client.release(LONG).ok();
    office.bed.finish();
}

#[test]
fn every_time_has_an_answer() {
    let office = Office::new();
    let (public, first, _) = range_of(&office.lease);
    let port = format!("{public}:{first}");
    for time in [
        "9999-12-31T23:59:59-10:00",
        "9999-12-31T23:59:59Z",
        "1969-01-01T00:00:00Z",
    ] {
        let refused = office.refused(&["who", &port, "--at", time]);
        assert!(
            refused.contains("yet to come") || refused.contains("no history"),
            "{refused}"
        );
    }
    office.bed.finish();
}
