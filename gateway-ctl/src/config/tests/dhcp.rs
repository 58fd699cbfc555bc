//! `[dhcp]` and what belongs to it.

use dhcp::LeaseTime;

use super::{GOOD, checked, wrong_with};

/// Scope, class and reservation as they are usually written; they begin on line 8.
pub(super) const LEASES: &str = r#"[dhcp]
[[scope]]
interface = "eth1"
network = "10.10.0.0/16"
addresses = ["10.10.1.0-10.10.255.255"]
routers = ["10.10.0.1"]
[[class]]
name = "phone"
vendor_classes = ["MyPhone*"]
ports = 64
[limits]
bindings = 70000
"#;

#[test]
fn what_is_usual_is_short() {
    let config = checked(&format!("{GOOD}{LEASES}")).unwrap();
    let dhcp = config.dhcp.unwrap();
    let [scope] = &dhcp.scopes[..] else { panic!() };
    assert_eq!(scope.interface, Some(0));
    assert_eq!(scope.name, "10.10.0.0/16");
    assert_eq!(scope.lease_time, LeaseTime::Finite(8 * 3600));
    // The network's last address is no host's.
    let spans: Vec<String> = scope
        .addresses
        .iter()
        .map(|span| format!("{span:?}"))
        .collect();
    assert_eq!(spans, ["10.10.1.0..=10.10.255.254"]);
    assert_eq!(scope.options, [(3, vec![10, 10, 0, 1])]);
    let [class] = &dhcp.classes[..] else { panic!() };
    assert_eq!((class.ports, &class.pools[..]), (Some(64), &[0][..]));
    assert!(class.vendor_options);
    assert!(checked(GOOD).unwrap().dhcp.is_none());
}

#[test]
fn all_that_is_wrong_is_named() {
    wrong_with(
        "[dhcp]\nprobe = \"1ms\"\nrest = \"10s\"\noffer = \"soon\"\nallow_macs = [\"00:15\"]\n\
         [[scope]]\ninterface = \"eth9\"\nnetwork = \"10.11.0.0/16\"\naddresses = [\"10.10.0.1\"]\nlease_time = \"1s\"\n\
         options = [\"53 u8 1\", \"42 ip x\"]\n\
         [[class]]\nname = \"phone\"\nports = 65\npools = [\"west\"]\nprimary_switch = \"198.51.100.200\"\n\
         [[class]]\nname = \"phone\"\nvendor_classes = [\"\"]\nports = 32\n\
         [[reservation]]\naddress = \"10.12.0.1\"\nclass = \"fax\"\npublic = \"198.51.100.9\"\n\
         [[reservation]]\nmacs = [\"x\"]\nclient_id = \"0x\"\n",
        &[
            "gw.toml:9: `probe` in [dhcp] is too short, expected 10ms or more; write probe = \"10ms\"",
            "gw.toml:10: `rest` in [dhcp] is too short, expected 2m or more; write rest = \"2m\"",
            "gw.toml:11: \"soon\" is no span of time; write a number with its unit, like 400ms, 90s, \
             15m, 8h or 7days",
            "gw.toml:12: \"00:15\" is no range of hardware addresses; write 00:15:65:*, or \
             first-last, or one address like 00:15:65:12:34:56",
            "gw.toml:14: \"eth9\" is no inside interface; inside interfaces are: eth1",
            "gw.toml:15: scope 10.11.0.0/16 lies in no network of any inside interface; add it to \
             networks of the [[inside]] that its phones are behind, relayed ones too",
            "gw.toml:16: 10.10.0.1-10.10.0.1 lies outside the scope's network 10.11.0.0/16; lease \
             addresses of the network only, or correct the network",
            "gw.toml:17: \"1s\" is no time for a lease, expected 60s or more; write a time like 8h, \
             or infinite, or infinite, update 8h",
            "gw.toml:18: option 53 cannot be written here: the server's; leave it out",
            "gw.toml:18: option 42: \"x\" is no value of type ip; write number, type and value: \
             \"42 ip 10.10.0.1\", \"160 text http://10.10.0.1/\", \"224 hex 01 ff\", \"23 u8 64\"; \
             types are ip, text, hex, u8, u16, u32, bool",
            "gw.toml:19: [[class]] says of no client that it belongs to it; add macs = \
             [\"00:15:65:*\"], vendor_classes = [\"MyPhone*\"] or client_ids; [\"*\"] is any",
            "gw.toml:21: `ports` in [[class]] is 65, expected a power of two from 8 to 4096; the \
             next larger is 128",
            "gw.toml:22: no pool is called \"west\"; pools are: 198.51.100.1; a [[pool]] has a `name`",
            "gw.toml:23: \"198.51.100.200\" is no address with a port; write address:port, like \
             198.51.100.200:5060",
            "gw.toml:26: \"\" matches no client; write what the clients send, or * for whatever \
             they send",
            "gw.toml:27: a class is called \"phone\" already; give each class a name of its own",
            "gw.toml:27: class \"phone\" has 32 ports, room is made for ranges of 64 and more; write \
             smallest_range = 32 in [limits], or ports = 64",
            "gw.toml:28: [[reservation]] must say for whom: by macs or by client_id; write one of \
             macs = [\"00:15:65:12:34:56\"] and client_id = \"phone-21\"",
            "gw.toml:32: [[reservation]] must say for whom: by macs or by client_id; write one of \
             macs = [\"00:15:65:12:34:56\"] and client_id = \"phone-21\"",
            "gw.toml:33: \"x\" is no hardware address; write six bytes, like 00:15:65:12:34:56",
            "gw.toml:34: \"0x\" is no client identifier; write text, or at least two bytes like \
             0x01001565123456",
        ],
    );
}

#[test]
fn sections_need_each_other() {
    wrong_with(
        "[[scope]]\nnetwork = \"10.10.0.0/16\"\n",
        &[
            "gw.toml:8: leases are configured, and DHCP is not turned on; add [dhcp], which may be empty",
        ],
    );
    wrong_with(
        "[dhcp]\n",
        &[
            "gw.toml:8: no scope: there is no address to lease; add [[scope]] with interface, \
             network and addresses",
            "gw.toml:8: no class: no client would be answered; add [[class]] with name, and \
             vendor_classes or macs",
        ],
    );
    wrong_with(
        &format!("{LEASES}[[scope]]\nnetwork = \"10.10.128.0/17\"\nname = \"b\"\n"),
        &[
            "gw.toml:21: scope 10.10.128.0/17 overlaps 10.10.0.0/16 (line 11); write one scope with \
           both spans of addresses",
        ],
    );
}

#[test]
fn there_is_room_for_all_that_may_be_leased() {
    let text = LEASES.replace("bindings = 70000", "bindings = 1000");
    wrong_with(
        &text,
        &[
            "gw.toml:19: 1008 bindings, 0 configured and 1008 that may be leased, room for 1000; write bindings = 1024 in [limits]",
        ],
    );
    wrong_with(
        &LEASES.replace("bindings = 70000", "tree_nodes = 100"),
        &[
            "gw.toml:19: 257 nodes of the address tree configured, room for 100; write tree_nodes = \
           512 in [limits]",
        ],
    );
}

#[test]
fn leases_for_ever_may_ask_for_news() {
    let time = |text: &str| {
        let text = LEASES.replace("routers", &format!("lease_time = \"{text}\"\nrouters"));
        checked(&format!("{GOOD}{text}")).map(|config| config.dhcp.unwrap().scopes[0].lease_time)
    };
    assert_eq!(time("90m"), Ok(LeaseTime::Finite(5400)));
    assert_eq!(time("infinite"), Ok(LeaseTime::Infinite { update: None }));
    assert_eq!(
        time("infinite, update 1day"),
        Ok(LeaseTime::Infinite {
            update: Some(86_400)
        })
    );
    assert!(time("infinitely").is_err());
}

#[test]
fn what_is_reserved_is_reserved_once() {
    let reservation = |keys: &str| format!("[[reservation]]\n{keys}\n");
    let text = [
        LEASES.to_owned(),
        "[[binding]]\nprivate = \"10.10.0.9\"\npublic = \"198.51.100.1\"\nports = \"50048-50111\"\n".to_owned(),
        reservation("macs = [\"02:00:00:00:00:01\"]\naddress = \"10.10.0.5\""),
        reservation("macs = [\"02:00:00:00:00:02\", \"02:00:00:00:00:01\"]"),
        reservation("client_id = \"a\"\naddress = \"10.10.0.5\""),
        reservation("client_id = \"b\"\naddress = \"10.10.0.9\"\npublic = \"198.51.100.1\"\nports = \"50048-50111\""),
        reservation("client_id = \"c\"\npublic = \"198.51.100.1\"\nports = \"5056-5119\""),
    ];
    wrong_with(
        &text.concat(),
        &[
            "gw.toml:27: 02:00:00:00:00:01 is reserved already (line 24); reserve each client, address and \
             range once",
            "gw.toml:29: address 10.10.0.5 is reserved already (line 24); reserve each client, address and \
             range once",
            "gw.toml:32: reserved address 10.10.0.9 has a binding; remove one of the two",
            "gw.toml:32: reserved ports 50048-50111 of 198.51.100.1 overlap those of 10.10.0.9; reserve \
             other ports",
            "gw.toml:37: reserved ports 5056-5119 of 198.51.100.1 include port 5060-5061, which no range \
             may have; reserve other ports",
        ],
    );
}

#[test]
fn what_is_wrong_is_said_once() {
    wrong_with(
        &LEASES.replace("[dhcp]\n", "[dhcp]\nprobe = 400\n"),
        &["gw.toml:9: `probe` in [dhcp] is a number, expected a string; write probe = \"400ms\""],
    );
    let off = checked(&format!(
        "{GOOD}{}",
        LEASES.replace("[dhcp]", "[dhcp]\nprobe = \"off\"")
    ));
    assert_eq!(off.unwrap().dhcp.unwrap().times.probe, None);
}

#[test]
fn ranges_have_from_8_to_4096_ports_or_there_is_none() {
    let with = |ports: &str| LEASES.replace("ports = 64", &format!("ports = {ports}"));
    for (ports, nearest) in [
        ("8192", "the nearest is 4096"),
        ("4", "the nearest is 8"),
        ("-1", "the nearest is 8"),
        ("4000", "the next larger is 4096"),
    ] {
        let expected = format!(
            "gw.toml:17: `ports` in [[class]] is {ports}, expected a power of two from 8 to 4096; \
             {nearest}"
        );
        wrong_with(&with(ports), &[&expected]);
    }
    let none = checked(&format!("{GOOD}{}", with("0"))).unwrap();
    assert_eq!(none.dhcp.unwrap().classes[0].ports, None);
}

#[test]
fn routers_are_on_the_wire() {
    wrong_with(
        &LEASES.replace("[\"10.10.0.1\"]", "[\"10.10.0.1\", \"10.11.0.1\"]"),
        &[
            "gw.toml:13: router 10.11.0.1 lies outside the scope's network 10.10.0.0/16; write the \
             gateway's address in this network: phones reach no other",
        ],
    );
    // Clients that are told routes do not look at routers (RFC 3442).
    let routed = LEASES.replace(
        "[\"10.10.0.1\"]",
        "[\"10.11.0.1\"]\nstatic_routes = [\"0.0.0.0/0 via 10.10.0.1\"]",
    );
    assert!(checked(&format!("{GOOD}{routed}")).is_ok());
}

/// Classes a, b, .. with these keys, behind those of [`LEASES`].
fn classes(keys: &[&str]) -> String {
    let class = |(index, keys): (usize, &&str)| {
        let name = char::from(b'a' + u8::try_from(index).unwrap());
        format!("[[class]]\nname = \"{name}\"\n{keys}\n")
    };
    let classes: String = keys.iter().enumerate().map(class).collect();
    format!("{LEASES}{classes}")
}

#[test]
fn a_class_whose_clients_are_anothers_is_named() {
    let fix = "the first class decides: put the one with fewer clients first, or leave them out";
    let same = classes(&["macs = [\"00:15:65:*\"]", "macs = [\"00:15:65:12:34:56\"]"]);
    let expected = format!(
        "gw.toml:24: no client is of class \"b\": class \"a\" before it has them all; {fix}"
    );
    wrong_with(&same, &[&expected]);
    // Two together, and what others say they are.
    let together = classes(&[
        "macs = [\"00:15:65:00:00:00-00:15:65:7f:ff:ff\"]",
        "macs = [\"00:15:65:80:00:00-00:15:65:ff:ff:ff\"]\nvendor_classes = [\"Desk*\"]",
        "macs = [\"00:15:65:*\"]\nvendor_classes = [\"MyPhone 2*\", \"Desk\"]",
    ]);
    let expected = format!(
        "gw.toml:28: no client is of class \"c\": class \"a\" before it has them all; {fix}"
    );
    wrong_with(&together, &[&expected]);
    // A part of them is no error; the special one before the general one is as it should be.
    let part = classes(&[
        "macs = [\"00:15:65:12:34:56\"]",
        "macs = [\"00:15:65:*\"]\nvendor_classes = [\"MyPhone\"]",
    ]);
    let config = checked(&format!("{GOOD}{part}")).unwrap();
    let found: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [format!(
            "gw.toml:24: \"MyPhone\" in class \"b\" is class \"phone\"'s already; {fix}"
        )]
    );
}

/// What is warned of in a good configuration with this after it.
#[track_caller]
fn warnings(text: &str) -> Vec<String> {
    let config = checked(&format!("{GOOD}{text}")).unwrap();
    config.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn what_cannot_be_as_it_is_written_is_an_error() {
    let empty = LEASES.replace("vendor_classes = [\"MyPhone*\"]", "macs = []");
    wrong_with(
        &empty,
        &[
            "gw.toml:14: [[class]] says of no client that it belongs to it; add macs = \
             [\"00:15:65:*\"], vendor_classes = [\"MyPhone*\"] or client_ids; [\"*\"] is any",
        ],
    );
    let many =
        "[[reservation]]\nclient_id = \"a\"\npublic = \"198.51.100.1\"\nports = \"49152-57343\"\n";
    wrong_with(
        &format!("{LEASES}{many}"),
        &[
            "gw.toml:23: the reserved range has 8192 ports, a lease has 4096 at most; give it fewer, \
             or the phone a [[binding]]",
        ],
    );
    wrong_with(
        &LEASES.replace("routers", "domain_name = \"a b\"\nrouters"),
        &[
            "gw.toml:13: \"a b\" is no domain name; write labels of 1 to 63 letters, digits and - \
             with dots between, like example.com",
        ],
    );
    wrong_with(
        &LEASES.replace("[dhcp]", "[dhcp]\nprobe = \"5h\""),
        &[
            "gw.toml:9: `probe` in [dhcp] is too long, expected 4s or less; clients do not wait for \
             so long: write probe = \"400ms\"",
        ],
    );
    wrong_with(
        "[[pool]]\naddresses = [\"198.51.100.2\"]\nreserved_ports = [\"1024-40000\", \"40001-65535\"]\n",
        &[
            "gw.toml:10: `reserved_ports` leaves no range of ports: no phone can have any; reserve \
             fewer ports",
        ],
    );
    let most = "[[pool]]\naddresses = [\"198.51.100.2\"]\nreserved_ports = [\"1032-65535\"]\n";
    assert_eq!(warnings(most), [""; 0]);
}

#[test]
fn classes_that_nobody_is_let_in_of_are_warned_of() {
    let allowing = |allowed: &str, class: &str| {
        let text = LEASES.replace("[dhcp]", &format!("[dhcp]\nallow_macs = [\"{allowed}\"]"));
        warnings(&text.replace("vendor_classes = [\"MyPhone*\"]", class))
    };
    assert_eq!(allowing("00:15:65:*", "macs = [\"00:15:*\"]"), [""; 0]);
    assert_eq!(
        allowing("00:15:65:*", "vendor_classes = [\"MyPhone*\"]"),
        [""; 0]
    );
    assert_eq!(
        allowing("00:15:65:*", "macs = [\"00:15:66:*\"]"),
        [
            "gw.toml:18: class \"phone\" has no hardware address that `allow_macs` in [dhcp] lets in; \
             add its macs to allow_macs, or leave allow_macs out: classes tell who is answered"
        ]
    );
}
