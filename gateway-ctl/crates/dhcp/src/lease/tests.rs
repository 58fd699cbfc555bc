//! What a lease looks like in the store.

use super::*;
use crate::mac::MacAddr;

fn lease() -> Lease {
    Lease {
        address: Ipv4Addr::new(10, 10, 0, 21),
        client: ClientKey::from_identifier(&[1, 2, 0, 0, 0, 0, 1]).expect("an identifier"),
        hardware: MacAddr([2, 0, 0, 0, 0, 1]).into(),
        vendor_class: Some("MyPhone".to_owned()),
        host_name: None,
        scope: "phones".into(),
        class: Some("desk".into()),
        pool: Some("voice".into()),
        grant: Some(Grant {
            address: Ipv4Addr::new(192, 0, 2, 1),
            ports: PortRange::new(40000, 40063).expect("a range"),
        }),
        granted_at: 1000,
        renewed_at: 2000,
        expires: None,
        relay: Some(Relay {
            address: Ipv4Addr::new(10, 10, 0, 1),
            information: vec![1, 2, 0xab, 0xcd],
        }),
        state: State::Ended { at: 3000 },
        rests: Vec::new(),
    }
}

#[test]
fn people_can_read_it() {
    let written = serde_json::to_string(&lease()).expect("it can be written");
    let expected = concat!(
        r#"{"address":"10.10.0.21","client":"01020000000001","hardware":"02:00:00:00:00:01","#,
        r#""vendor_class":"MyPhone","scope":"phones","class":"desk","pool":"voice","#,
        r#""grant":{"address":"192.0.2.1","ports":"40000-40063"},"#,
        r#""granted_at":1000,"renewed_at":2000,"expires":null,"#,
        r#""relay":{"address":"10.10.0.1","information":"0102abcd"},"state":{"ended":{"at":3000}}}"#,
    );
    assert_eq!(written, expected);
    let read: Lease = serde_json::from_str(&written).expect("it can be read");
    assert_eq!(read, lease());
}

#[test]
fn other_versions_can_read_it() {
    let text = concat!(
        r#"{"address":"10.10.0.22","client":"0102","hardware":"6/01:02","scope":"phones","#,
        r#""granted_at":1,"renewed_at":2,"state":"active","of_a_later_version":[1,2]}"#,
    );
    let read: Lease = serde_json::from_str(text).expect("it can be read");
    assert!(read.is_active());
    assert_eq!((read.grant, read.class, read.expires), (None, None, None));
}

#[test]
fn no_range_has_no_history() {
    let with = lease();
    let record = with.history(Some(3000)).expect("it has a range");
    assert_eq!((record.begin, record.end), (1000, Some(3000)));
    let written = serde_json::to_string(&record).expect("it can be written");
    assert_eq!(
        serde_json::from_str::<HistoryRecord>(&written).ok(),
        Some(record)
    );
    let without = Lease {
        grant: None,
        ..with
    };
    assert_eq!(without.history(None), None);
}
