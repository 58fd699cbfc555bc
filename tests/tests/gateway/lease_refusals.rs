//! Who gets no lease, and how the operator hears of it; frames that no client should send.

use std::time::Duration;

use gateway_tests::dhcp::branch::{self, Branch, RelayOptions};
use gateway_tests::dhcp::client::Program;
use gateway_tests::dhcp::message::{Message, code};
use gateway_tests::dhcp::raw::RawClient;
use gateway_tests::site::Site;

use crate::bed::{Bed, LONG, SOON};
use crate::config::Config;
use crate::leases::{LEASES, bed, phone};

fn discover(number: u8) -> Message {
    Message::discover([2, 0, 0, 0, 0x77, number], u32::from(number))
        .option(code::VENDOR_CLASS, b"MyPhone 1.0")
        .option(code::REQUEST_LIST, &[1, 3, 43])
}

/// `gateway-ctl status` as text.
fn status(bed: &Bed) -> String {
    bed.gateway.ctl(&["status"]).unwrap().stdout
}

fn ignored(bed: &Bed, reason: &str) -> u64 {
    let pattern = format!("gateway_dhcp_ignored_total{{reason=\"{reason}\"}} ");
    let metrics = bed
        .site
        .router
        .run(&["curl", "-sS", "http://127.0.0.1:9630/metrics"])
        .unwrap();
    let line = metrics.lines().find_map(|line| line.strip_prefix(&pattern));
    line.unwrap_or_else(|| panic!("{reason}: {metrics}"))
        .parse()
        .unwrap()
}

#[test]
fn a_full_scope_is_silent_and_says_so() {
    let site = Site::new().unwrap();
    let config = Config::empty()
        .pool("addresses = [\"192.0.2.1\"]")
        .text(&LEASES.replace("10.10.2.0-10.10.2.99", "10.10.2.1-10.10.2.2"))
        .text("[metrics]\nlisten = \"127.0.0.1:9630\"");
    let bed = Bed::on(site, &config);
    let mut client = RawClient::new(&bed.phone(1).interface).unwrap();
    for number in 1..=2 {
        client.lease(&discover(number), LONG).unwrap();
    }
    let others = client
        .answers_beside(&discover(3).bytes(), &discover(1), SOON)
        .unwrap();
    assert_eq!(others, [], "there was none left");
    assert_eq!(ignored(&bed, "addresses_exhausted"), 1);
    let text = status(&bed);
    assert!(
        text.contains("scope 10.10.0.0/16 is full") && text.contains("fix: widen"),
        "{text}"
    );
    bed.finish();
}

#[test]
fn an_exhausted_pool_is_named() {
    let site = Site::new().unwrap();
    let config = Config::empty()
        .pool("name = \"west\"\naddresses = [\"192.0.2.1\"]\nreserved_ports = [\"1024-65471\"]")
        .text(LEASES)
        .text("[metrics]\nlisten = \"127.0.0.1:9630\"");
    let bed = Bed::on(site, &config);
    let mut client = RawClient::new(&bed.phone(1).interface).unwrap();
    client.lease(&discover(1), LONG).unwrap();
    let others = client
        .answers_beside(&discover(2).bytes(), &discover(1), SOON)
        .unwrap();
    assert_eq!(others, [], "there was none left");
    assert_eq!(ignored(&bed, "ports_exhausted"), 1);
    let text = status(&bed);
    assert!(
        text.contains("pool west has no 64 ports in a row"),
        "{text}"
    );
    bed.finish();
}

#[test]
fn what_no_client_should_send_is_not_answered_and_ends_nothing() {
    let bed = bed(
        Site::new().unwrap(),
        "[metrics]\nlisten = \"127.0.0.1:9630\"",
    );
    let mut client = RawClient::new(&bed.phone(1).interface).unwrap();
    let good = discover(1);
    let whole = good.bytes();
    let changed = |at: usize, value: u8| {
        let mut bytes = whole.clone();
        bytes[at] = value;
        bytes
    };
    for (what, payload) in [
        ("nothing", Vec::new()),
        ("half a header", whole[..120].to_vec()),
        ("a reply", changed(0, 2)),
        ("hlen 17", changed(2, 17)),
        ("hlen 255", changed(2, 255)),
        ("a message type of the future", changed(242, 99)),
        (
            "an option beyond the end",
            [&whole[..240], &[53, 200, 1]].concat(),
        ),
        ("all ones", vec![0xff; 1400]),
    ] {
        let others = client.answers_beside(&payload, &good, SOON).unwrap();
        assert_eq!(others, [], "{what}");
    }
    client.lease(&good, LONG).unwrap();
    for reason in [
        "too_short",
        "not_a_request",
        "bad_hardware",
        "unexpected_type",
    ] {
        assert!(ignored(&bed, reason) > 0, "{reason}");
    }
    bed.finish();
}

#[test]
fn behind_a_relay_agent_too_an_address_in_use_is_not_offered() {
    let site = Site::new().unwrap();
    let branch = Branch::new(&site.router, 2).unwrap();
    let text = format!(
        "[[inside]]\ninterface = \"{}\"\nnetworks = [\"{}\", \"{}\"]\n\
         [[scope]]\nnetwork = \"{}\"\naddresses = [\"10.31.2.1-10.31.2.99\"]\n",
        branch::ROUTER_INTERFACE,
        branch::TRANSIT,
        branch::NETWORK,
        branch::NETWORK,
    );
    let bed = bed(site, &text);
    let squatter = &branch.phones[1].ns;
    squatter.ip("address add 10.31.2.1/16 dev eth0").unwrap();
    squatter
        .ip(&format!("route add default via {}", branch::GIADDR))
        .unwrap();
    let _relay = branch
        .relay(branch::ROUTER, RelayOptions::default(), LONG)
        .unwrap();
    let mut client = phone(Program::Udhcpc).start(&branch.phones[0]).unwrap();
    let lease = client.bound(LONG + Duration::from_secs(1)).unwrap();
    assert_eq!(lease.address.octets(), [10, 31, 2, 2]);
    bed.finish();
}

#[test]
fn a_range_that_the_maps_have_no_room_for_is_refused() {
    let bed = bed(Site::new().unwrap(), "");
    let client = "02:00:5e:10:00:01";
    let reserve = |ports: &str, class: &str| {
        let words = [
            "leases",
            "reserve",
            "10.10.2.50",
            "--client",
            client,
            "--public",
            "192.0.2.1",
            "--ports",
            ports,
            "--class",
            class,
        ];
        bed.gateway.ctl(&words).unwrap()
    };
    let refused = reserve("40000-40007", "phone");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("fewer than 64"), "{refused:?}");
    let refused = reserve("40000-40063", "fax");
    assert!(
        refused.stderr.contains("no class is called \"fax\""),
        "{refused:?}"
    );
    assert_eq!(reserve("40000-40063", "phone").code, Some(0));
    bed.finish();
}

#[test]
fn an_interface_that_changes_is_served_on() {
    let bed = bed(Site::new().unwrap(), "[provision]\nhttp = 80\n");
    for change in ["mtu 1400", "address 02:00:00:00:77:01", "down", "up"] {
        bed.site
            .router
            .ip(&format!("link set inside0 {change}"))
            .unwrap();
    }
    let mut client = phone(Program::Udhcpc)
        .start(&bed.phone(1).interface)
        .unwrap();
    client.bound(LONG).unwrap();
    let text = status(&bed);
    assert!(
        text.contains("DHCP served on inside0") && !text.contains("critical"),
        "{text}"
    );
    bed.finish();
}
