//! An uplink without Ethernet header: the tc programs do all the work there.

use gateway_tests::site::{REMOTE, Site};
use gateway_tests::traffic::{Ping, Transfer, UdpEcho, exchange};

use crate::bed::{Bed, LONG, SOON, public, remote};
use crate::call::Call;
use crate::config::Config;

fn bed() -> Bed {
    Bed::with(&Site::builder().tun_uplink(), &Config::default())
}

#[test]
fn traffic_goes_both_ways() {
    let bed = bed();
    let status = bed.json(&["status"]);
    assert_eq!(status["interfaces"][1]["xdp"], "none", "{status}");
    let phone = bed.phone(1);
    let outside = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    let inside = UdpEcho::start(&phone.ns, phone.at(40_001)).unwrap();
    for length in [5, 1400, 4000] {
        let data = vec![length as u8; length];
        let got = exchange(&phone.ns, phone.at(40_000), remote(5060), &data, SOON).unwrap();
        assert_eq!(got.0, data);
        let got = exchange(bed.internet(), remote(6000), public(40_001), &data, SOON).unwrap();
        assert_eq!(got, (data, public(40_001).into()));
    }
    assert_eq!(outside.seen(), [public(40_000).into(); 3]);
    assert_eq!(inside.seen(), [remote(6000).into(); 3]);
    let report = Ping::new(REMOTE).identifier(3).run(&phone.ns).unwrap();
    assert_eq!(report.received, 3, "{}", report.output);
    bed.finish();
}

#[test]
fn megabytes_over_tcp() {
    let bed = bed();
    let phone = bed.phone(1);
    let transfer = Transfer {
        client: &phone.ns,
        local: phone.at(40_010),
        remote: remote(443),
        server: bed.internet(),
        listen: remote(443),
        bytes: 2 << 20,
    };
    let report = transfer.run(LONG).unwrap();
    assert_eq!(report.client_seen_as, public(40_010).into());
    bed.finish();
}

#[test]
fn a_restart_loses_nothing_here_either() {
    let mut bed = bed();
    let call = Call::start(&bed, 1);
    call.go_on(200);
    bed.gateway.kill9().unwrap();
    call.go_on(500);
    bed.gateway.restart(SOON).unwrap();
    call.go_on(200);
    call.expect_no_loss("killed and started again");
    bed.finish();
}

#[test]
fn traceroute_and_too_big_are_answered() {
    let bed = bed();
    let phone = bed.phone(1);
    bed.site.uplink.set_mtu(1400).unwrap();
    bed.site.upstream.set_mtu(1400).unwrap();
    let ping = Ping::new(REMOTE).dont_fragment().size(1400).count(1);
    let told = "From 10.10.0.1 icmp_seq=1 Frag needed and DF set (mtu = 1400)";
    gateway_tests::wait::eventually(SOON, || {
        let report = ping.clone().timeout_seconds(1).run(&phone.ns).unwrap();
        match report.output.contains(told) || report.output.contains("mtu: 1400") {
            true => Ok(()),
            false => Err(report.output),
        }
    })
    .unwrap();
    let words = [
        "traceroute",
        "-n",
        "-q",
        "1",
        "-N",
        "1",
        "-w",
        "3",
        "-I",
        "203.0.113.10",
    ];
    let hops = phone.ns.run(&words).unwrap();
    assert!(
        hops.contains(" 1  10.10.0.1 ") && hops.contains(" 2  203.0.113.10 "),
        "{hops}"
    );
    let to = [
        "traceroute",
        "-n",
        "-q",
        "1",
        "-w",
        "3",
        "-U",
        "-p",
        "40009",
        "192.0.2.1",
    ];
    let hops = bed.internet().run(&to).unwrap();
    assert!(
        hops.contains(" 1  198.51.100.1 ") && hops.contains(" 2  192.0.2.1 "),
        "{hops}"
    );
    bed.finish();
}
