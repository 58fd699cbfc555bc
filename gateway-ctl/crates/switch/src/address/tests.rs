use super::*;

const fn public(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 51, 100, last)
}

const fn phone(last: u8, port: u16, private: u8) -> Place {
    Place {
        public: public(last),
        port,
        private: Ipv4Addr::new(10, 10, 1, private),
    }
}

/// A trunk gateway in the internet: no gateway in between.
const TRUNK: Place = Place {
    public: Ipv4Addr::new(203, 0, 113, 10),
    port: 2944,
    private: Ipv4Addr::new(203, 0, 113, 10),
};

fn site(name: &str, shares: Vec<Share>, reachable: bool) -> Site {
    Site {
        name: name.to_owned(),
        shares,
        reachable,
    }
}

fn share(last: u8, ports: RangeInclusive<u16>) -> Share {
    let address = public(last);
    Share { address, ports }
}

/// Site a has two addresses, b one whose networks are apart, c and d share one address.
fn sites() -> Sites {
    let whole = |last| Share::whole(public(last));
    Sites::new(vec![
        site("a", vec![whole(1), whole(2)], true),
        site("b", vec![whole(3), whole(4)], false),
        site("c", vec![share(5, 1024..=32767)], true),
        site("d", vec![share(5, 32768..=65535), whole(6)], true),
    ])
    .expect("no port is two sites'")
}

#[test]
fn the_table() {
    use Choice::{Private, Public};
    let none = Sites::default();
    let known = sites();
    let rows: &[(&str, &Sites, Place, Place, Choice)] = &[
        (
            "one address, nothing known",
            &none,
            phone(1, 1024, 1),
            phone(1, 2048, 2),
            Private,
        ),
        (
            "two addresses, nothing known",
            &none,
            phone(1, 1024, 1),
            phone(2, 1024, 2),
            Public,
        ),
        ("phone and trunk", &none, phone(1, 1024, 1), TRUNK, Public),
        ("trunk and trunk", &none, TRUNK, TRUNK, Private),
        (
            "the same phone's lines",
            &none,
            phone(1, 1024, 1),
            phone(1, 1024, 1),
            Private,
        ),
        (
            "two addresses of one gateway",
            &known,
            phone(1, 1024, 1),
            phone(2, 1024, 2),
            Private,
        ),
        (
            "one address of one gateway",
            &known,
            phone(1, 1024, 1),
            phone(1, 2048, 2),
            Private,
        ),
        (
            "networks apart, two addresses",
            &known,
            phone(3, 1024, 1),
            phone(4, 1024, 2),
            Public,
        ),
        (
            "networks apart, one address",
            &known,
            phone(3, 1024, 1),
            phone(3, 2048, 2),
            Private,
        ),
        (
            "two gateways",
            &known,
            phone(1, 1024, 1),
            phone(3, 1024, 2),
            Public,
        ),
        (
            "two gateways, one address",
            &known,
            phone(5, 1024, 1),
            phone(5, 40000, 2),
            Public,
        ),
        (
            "one of those two, its own part",
            &known,
            phone(5, 1024, 1),
            phone(5, 2048, 2),
            Private,
        ),
        (
            "the other, shared and own",
            &known,
            phone(5, 40000, 1),
            phone(6, 1024, 2),
            Private,
        ),
        (
            "its address, a port of nobody",
            &known,
            phone(5, 1024, 1),
            phone(5, 80, 2),
            Public,
        ),
        (
            "known and unknown",
            &known,
            phone(1, 1024, 1),
            phone(9, 1024, 2),
            Public,
        ),
        (
            "unknown, one address",
            &known,
            phone(9, 1024, 1),
            phone(9, 2048, 2),
            Private,
        ),
        (
            "phone of a known gateway, trunk",
            &known,
            phone(1, 1024, 1),
            TRUNK,
            Public,
        ),
    ];
    for (name, sites, a, b, expected) in rows {
        assert_eq!(select(sites, *a, *b), *expected, "{name}");
        assert_eq!(
            select(sites, *b, *a),
            *expected,
            "{name}, the other way round"
        );
    }
}

#[test]
fn each_end_is_given_the_others_address_of_that_kind() {
    let one = phone(1, 1024, 7);
    assert_eq!(Choice::Private.of(one), Ipv4Addr::new(10, 10, 1, 7));
    assert_eq!(Choice::Public.of(one), public(1));
    assert_eq!(Choice::Public.of(TRUNK), Choice::Private.of(TRUNK));
    let labels = [Choice::Private, Choice::Public].map(Choice::label);
    assert_eq!(labels, ["private", "public"]);
}

#[test]
fn no_port_is_two_sites() {
    let wrong = Sites::new(vec![
        site("a", vec![share(1, 1024..=40000)], true),
        site("b", vec![share(2, 0..=9), share(1, 40000..=50000)], true),
    ]);
    let text = wrong.expect_err("both have 40000").to_string();
    assert!(
        text.starts_with("sites a and b both have port 40000 of 198.51.100.1"),
        "{text}"
    );
}
